package redact

import (
	"math"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
)

// rule is one of gitleaks' rules. Its expression is compiled when a keyword of
// it is met for the first time.
type rule struct {
	id       string
	generic  bool // any value of a name such as key or auth
	entropy  float64
	keywords []string
	markers  []marker
	compile  func() config.Rule
}

// ours are the rules whose work this package does itself: a private key that was
// cut off, a JWT of any length.
var ours = map[string]bool{"private-key": true, "jwt": true}

// rules reads the configuration that is built into gitleaks. Rules that need the
// name of a file are left out.
func rules() ([]*rule, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		return nil, err
	}
	var all config.ViperConfig
	if err := v.Unmarshal(&all); err != nil {
		return nil, err
	}
	var out []*rule
	for i := range all.Rules {
		one := all.Rules[i : i+1]
		if one[0].Path != "" || one[0].Regex == "" || ours[one[0].ID] {
			continue
		}
		r := &rule{id: one[0].ID, generic: one[0].ID == "generic-api-key", entropy: one[0].Entropy, keywords: one[0].Keywords}
		r.compile = sync.OnceValue(func() config.Rule {
			c, err := (&config.ViperConfig{Rules: one}).Translate()
			if err != nil {
				panic("redact: gitleaks' rule " + r.id + ": " + err.Error()) // a test compiles them all
			}
			return c.Rules[r.id]
		})
		r.markers = r.marks(one[0].Regex)
		out = append(out, r)
	}
	return out, nil
}

// marks are the rule's keywords, or the longer beginning that all its matches
// share and that counts only as it is written.
func (r *rule) marks(expression string) []marker {
	prefix, folded := literalPrefix(expression)
	if !folded && slices.ContainsFunc(r.keywords, func(k string) bool { return len(prefix) >= len(k) && strings.EqualFold(prefix[:len(k)], k) }) {
		return []marker{{text: prefix, exact: true, find: r.find}}
	}
	var out []marker
	for _, k := range r.keywords {
		mk := marker{text: strings.ToLower(k), find: r.find}
		switch {
		case r.generic:
			mk.check = valueFollows
		case len(k) < 3:
			mk.check = tokenFollows
		}
		out = append(out, mk)
	}
	return out
}

// literalPrefix is what every match of the expression begins with.
func literalPrefix(expression string) (prefix string, folded bool) {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return "", false
	}
	for re = re.Simplify(); ; {
		switch re.Op {
		case syntax.OpLiteral:
			return string(re.Rune), re.Flags&syntax.FoldCase != 0
		case syntax.OpCapture:
			re = re.Sub[0]
		case syntax.OpConcat:
			re = firstVisible(re.Sub)
		default:
			return "", false
		}
	}
}

// firstVisible passes over anchors.
func firstVisible(parts []*syntax.Regexp) *syntax.Regexp {
	for _, p := range parts {
		switch p.Op {
		case syntax.OpWordBoundary, syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEmptyMatch:
		default:
			return p
		}
	}
	return parts[len(parts)-1]
}

// A rule sees this much of the text around its keyword. No token but a JWT or a
// key is longer; what still goes on at the edge is taken to its end.
const (
	windowBefore = 160
	windowAfter  = 400
	windowCost   = 128 // looking at all costs as much as so many bytes
)

// find runs the rule around a keyword that stands at at.
func (r *rule) find(t *text, at int) (from, to int) {
	low, high := r.window(t, at)
	if low == high {
		return 0, 0
	}
	if !t.spend(high - low + windowCost) { // what can't be read can't stay
		return low + strings.LastIndexByte(t.s[low:at], '\n') + 1, lineEnd(t.s, at)
	}
	c := r.compile()
	window := t.s[low:high]
	for _, m := range c.Regex.FindAllStringSubmatchIndex(window, -1) {
		from, to := secretOf(m, c.SecretGroup)
		if r.accepts(c, window[from:to], window[m[0]:m[1]]) {
			if to == len(window) {
				to = run(t.s, high, isToken) - low
			}
			return low + from, low + to
		}
	}
	return 0, 0
}

// window is what the rule is shown; nothing where it can't match. The generic
// rule's keyword is in a name with a value.
func (r *rule) window(t *text, at int) (low, high int) {
	if !r.generic {
		return max(t.done, at-windowBefore), min(len(t.s), at+windowAfter)
	}
	low = wordStart(t.s, max(t.done, at-50), at)
	if namesDigest(t.s[max(0, low-len("checksum/")):low]) {
		return 0, 0
	}
	return low, min(len(t.s), valueOf(t.s, at)+2)
}

// shortestSecret is how long the secrets of all rules are at least.
const shortestSecret = 8

// secretOf is the group that holds the secret: the one that the rule names, else
// the first that is not empty, else the whole match.
func secretOf(m []int, group int) (from, to int) {
	if group > 0 && 2*group+1 < len(m) && m[2*group] >= 0 {
		return m[2*group], m[2*group+1]
	}
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 && m[i] < m[i+1] {
			from, to = m[i], m[i+1]
			break
		}
	}
	if to-from < shortestSecret { // a part of it
		return m[0], m[1]
	}
	return from, to
}

func (r *rule) accepts(c config.Rule, secret, match string) bool {
	if secret == "" || r.entropy > 0 && entropy(secret) <= r.entropy || strings.Contains(secret, Hole) {
		return false
	}
	if name, _, _ := strings.Cut(match, secret); r.generic && (isUUID(secret) || namesDigest(name)) {
		return false
	}
	for _, a := range c.Allowlists {
		about := secret
		if a.RegexTarget != "" {
			about = match
		}
		stop, _ := a.ContainsStopWord(secret)
		stop = stop && longestPart(secret) < 20 // any word can stand in a long random text
		if a.MatchCondition == config.AllowlistMatchOr && (stop || a.RegexAllowed(about)) {
			return false
		}
	}
	return true
}

// entropy is Shannon's, in bits a byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
