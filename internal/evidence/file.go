package evidence

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
)

const givenWhat = "give evidence as JSON or YAML ({pods, events, logs, …}), what kubectl get -o json or kubectl describe prints, what df, du, systemctl, openssl, certbot and the like print, or a log"

// FromFile reads a file whose form nobody named: evidence in the shape of SPEC
// section 11, Kubernetes objects as kubectl prints them (JSON or YAML, one or
// many, Lists, several documents), the body of an alert or an aggregate, what a
// tool printed, a copied terminal session with several of them, or else a log.
func FromFile(text []byte, receivedAt time.Time) (Evidence, []Problem) {
	r := reader{ev: Evidence{ObservedAt: receivedAt}, received: receivedAt, file: true, sorting: newSorting()}
	clean := plain(string(text))
	switch {
	case strings.TrimSpace(clean) == "":
		r.problem("", "there is nothing in it: "+givenWhat)
	case strings.IndexByte(clip(clean, maxLookLine), 0) >= 0:
		r.problem("", "this is a binary file: "+givenWhat)
	case isScalar(clean):
		r.problem("", "a single value is no evidence: "+givenWhat)
	default:
		r.anything(clean)
	}
	r.finish()
	return r.whole(), r.problems
}

// anything reads documents or, failing that, printed text.
func (r *reader) anything(text string) {
	if !isDocument(text) {
		r.sessions(text)
		return
	}
	before := len(r.problems)
	r.documents("", []byte(text))
	switch {
	case r.strangers == 0:
	case r.isEmpty() && isLog(text):
		r.problems = r.problems[:before]
		r.log(Log{Text: text})
	case r.isEmpty() || len(r.problems) == before:
		r.problem("", "JSON that is neither evidence, nor a Kubernetes object, nor an alert with evidence{}: "+givenWhat)
	}
}

// isScalar says whether a text is one JSON value that holds nothing: null, 42, "x".
func isScalar(text string) bool {
	text = strings.TrimSpace(text)
	return text[0] != '{' && text[0] != '[' && len(text) < maxLookLine && json.Valid([]byte(text))
}

// isLog says whether JSON is what programs log: an object a line.
func isLog(text string) bool {
	head := lookAt(text)
	for _, line := range head {
		if !strings.HasPrefix(line, "{") {
			return false
		}
	}
	return len(head) > 1 || head.any(func(line string) bool {
		return strings.Contains(line, `"level"`) || strings.Contains(line, `"msg"`) || strings.Contains(line, `"severity"`)
	})
}

// sessions takes a copied terminal session apart at its prompts; text without
// any is what one tool printed, or a log.
func (r *reader) sessions(text string) {
	var before, tool string
	var b strings.Builder
	found := false
	end := func() {
		if before = b.String(); found || strings.TrimSpace(before) != "" {
			r.session(tool, before, found)
		}
		b.Reset()
	}
	for line := range strings.Lines(text) {
		if called, ok := prompt(line); ok {
			end()
			found, tool = true, called
			continue
		}
		b.WriteString(line)
	}
	end()
}

func (r *reader) session(tool, text string, prompted bool) {
	if prompted && strings.TrimSpace(text) == "" {
		return
	}
	if err := r.printed("", Raw{Tool: tool, Text: text}); err != nil {
		r.problem("", err.Error())
	}
}

// maxPrompt is how far into a line its prompt may end.
const maxPrompt = 100

// prompt reads "$ df -P", "root@web-01:~# df -P" and "+ df -P": a line of a
// terminal where a tool was called that is read here.
func prompt(line string) (called string, ok bool) {
	line = strings.TrimSpace(clip(line, maxCommand))
	for _, sign := range []string{"$ ", "# ", "+ ", "% "} {
		i := strings.Index(clip(line, maxPrompt), sign)
		if i < 0 || i > 0 && !strings.Contains(line[:i], "@") {
			continue
		}
		called = line[i+len(sign):]
		return called, slices.ContainsFunc(commands(called), func(c command) bool {
			_, _, known := calledBy(c)
			return known
		})
	}
	return "", false
}

// isEmpty says whether nothing was found yet.
func (r *reader) isEmpty() bool {
	return len(r.looks) == 0 && r.ev.Empty() && reflect.ValueOf(r.described).IsZero() && reflect.ValueOf(r.listed).IsZero()
}

// whole puts the looks of a file together with what stood beside them.
func (r *reader) whole() Evidence {
	looks := r.looks
	if r.looks = nil; len(looks) == 0 || !r.isEmpty() {
		looks = append(looks, r.ev)
	}
	sum := looks[0]
	for _, l := range looks[1:] {
		sum = sum.Merge(l)
	}
	return sum
}
