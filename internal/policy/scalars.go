package policy

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const day = 24 * time.Hour

// text reads words. What YAML took for a number or a truth value is refused,
// so that nothing means something else than it looks like.
func (r *reader) text(n ast.Node, what string) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		return x.Value.Value, true
	}
	r.wrongType(n, what, "text")
	return "", false
}

// matching reads words of a certain shape.
func (r *reader) matching(n ast.Node, what string, shape *regexp.Regexp, example string) (string, bool) {
	s, ok := r.text(n, what)
	if ok && !shape.MatchString(s) {
		r.fail(n, "%s %q cannot be; %s would be right", what, clip(s), example)
		return "", false
	}
	return s, ok
}

// oneOf reads one of a few words.
func oneOf[T ~string](r *reader, n ast.Node, what string, known ...T) (T, bool) {
	s, ok := r.text(n, what)
	if !ok || slices.Contains(known, T(s)) {
		return T(s), ok
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	r.fail(n, "%s cannot be %q; it is one of %s", what, clip(s), strings.Join(words, ", "))
	return "", false
}

// texts reads a list of words, or one word standing for a list of one.
func (r *reader) texts(n ast.Node, what string, each func(ast.Node, string)) {
	nodes := []ast.Node{n}
	if seq, ok := n.(*ast.SequenceNode); ok {
		nodes = seq.Values
	}
	for _, item := range nodes {
		if s, ok := r.text(item, what); ok {
			each(item, s)
		}
	}
}

func (r *reader) boolean(n ast.Node, what string, into *bool) {
	if b, ok := n.(*ast.BoolNode); ok {
		*into = b.Value
		return
	}
	r.wrongType(n, what, "true or false")
}

func (r *reader) integer(n ast.Node, what string, least, most int64, into *int) {
	v, ok := integerOf(n)
	if !ok {
		r.wrongType(n, what, "a whole number")
		return
	}
	if v < least || v > most {
		r.fail(n, "%s is %d; %d to %d would be right", what, v, least, most)
		return
	}
	*into = int(v)
}

func integerOf(n ast.Node) (int64, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := i.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	}
	return 0, false
}

func (r *reader) duration(n ast.Node, what string, least, most time.Duration, into *time.Duration) {
	s, ok := r.text(n, what)
	if !ok {
		return
	}
	d, err := parseDuration(s)
	switch {
	case err != nil:
		r.fail(n, "%s: %q is not a duration; it is written like 30s, 10m, 24h or 90d", what, clip(s))
	case d < least || d > most:
		r.fail(n, "%s is %s; %s to %s would be right", what, s, formatDuration(least), formatDuration(most))
	default:
		*into = d
	}
}

// parseDuration reads Go's durations and whole days (90d).
func parseDuration(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * day, err
}

func formatDuration(d time.Duration) string {
	switch {
	case d >= day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// byteUnits in the order they are tried: MiB before B.
var byteUnits = [...]struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

func (r *reader) bytes(n ast.Node, what string, least, most int64, into *int64) {
	size, ok := integerOf(n)
	if !ok {
		s, isText := r.text(n, what)
		if !isText {
			return
		}
		size, ok = parseBytes(s)
		if !ok {
			r.fail(n, "%s: %q is not a size; it is written like 512KiB or 5MiB", what, clip(s))
			return
		}
	}
	if size < least || size > most {
		r.fail(n, "%s is %d bytes; %d to %d would be right", what, size, least, most)
		return
	}
	*into = size
}

func parseBytes(s string) (int64, bool) {
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseInt(number, 10, 32)
		return v * u.factor, err == nil
	}
	return 0, false
}

// value turns a node into plain Go values: string, bool, int64, float64,
// []any, map[string]any.
func (r *reader) value(n ast.Node, what string) any {
	switch x := n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		s, _ := r.text(n, what)
		return s
	case *ast.BoolNode:
		return x.Value
	case *ast.FloatNode:
		return x.Value
	case *ast.IntegerNode:
		if v, ok := integerOf(n); ok {
			return v
		}
	case *ast.SequenceNode:
		items := make([]any, 0, len(x.Values))
		for _, item := range x.Values {
			items = append(items, r.value(item, what))
		}
		return items
	case *ast.MappingNode, *ast.MappingValueNode:
		return r.values(n, what)
	}
	r.wrongType(n, what, "text, a number, true or false, a list or a mapping")
	return nil
}

func (r *reader) values(n ast.Node, what string) map[string]any {
	out := map[string]any{}
	for _, kv := range r.pairs(n, what) {
		if key, ok := kv.Key.(*ast.StringNode); ok {
			out[key.Value] = r.value(kv.Value, what+"."+clip(key.Value))
			continue
		}
		r.fail(kv.Key, "%s: a key is text", what)
	}
	return out
}

// clip keeps what is quoted back short.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
