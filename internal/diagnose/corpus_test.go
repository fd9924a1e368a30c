package diagnose_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// corpusCase is one file of testdata/corpus: a report from the field, and what an
// SRE would say of it.
type corpusCase struct {
	name string

	Source string `json:"source"` // where the shape or the text is from
	Trap   string `json:"trap"`   // what a hasty reader would get wrong; empty for plain cases
	About  struct {
		incident.Target
		Family string `json:"family"`
		Alert  string `json:"alert"`
	} `json:"about"` // the question; without one the evidence is the question
	OnlyAbout bool `json:"onlyAbout"` // the evidence holds other ill things: without the question the answer is another
	Want      struct {
		Cause     string   `json:"cause"`
		Container string   `json:"container"`
		AtLeast   float64  `json:"atLeast"` // confidence; causes only
		AtMost    float64  `json:"atMost"`
		Says      []string `json:"says"`    // each in the summary, chain or evidence
		Missing   []string `json:"missing"` // each within a line of missing
		Not       []string `json:"not"`     // causes that must not even be alternatives above 0.5
	} `json:"want"`
	Evidence json.RawMessage `json:"evidence"`
}

func corpus(t testing.TB) []corpusCase {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []corpusCase
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := corpusCase{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		if err := yaml.UnmarshalStrict(raw, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases = append(cases, c)
	}
	return cases
}

func (c corpusCase) evidence(t testing.TB) evidence.Evidence {
	t.Helper()
	ev, problems := evidence.Parse(c.Evidence, now.AddDate(10, 0, 0))
	if len(problems) > 0 {
		t.Fatalf("the evidence has problems: %v", problems)
	}
	return ev
}

func (c corpusCase) question() diagnose.Question {
	return diagnose.Question{Target: c.About.Target, Family: c.About.Family, AlertName: c.About.Alert}
}

// TestCorpus prints who was taken for whom; run it with -v to see the whole matrix.
func TestCorpus(t *testing.T) {
	m := matrix{}
	for _, c := range corpus(t) {
		t.Run(c.name, func(t *testing.T) {
			ev := c.evidence(t)
			m.note(c.Want.Cause, c.check(t, ev, c.question()))
			if !c.OnlyAbout && c.question() != (diagnose.Question{}) {
				m.note(c.Want.Cause, c.check(t, ev, diagnose.Question{}))
			}
		})
	}
	t.Log(m)
}

func (c corpusCase) check(t *testing.T, ev evidence.Evidence, q diagnose.Question) string {
	d := diagnose.Diagnose(ev, q)
	lines := strings.Join(slices.Concat([]string{d.Summary}, d.Chain, d.Evidence), "\n")
	if d.Cause != c.Want.Cause || c.Want.Container != "" && d.Container != c.Want.Container {
		t.Errorf("asked %+v: %s in %q (%.2f), want %s in %q\n%s\nalternatives %v", q, d.Cause, d.Container, d.Confidence, c.Want.Cause, c.Want.Container, lines, d.Alternatives)
		return d.Cause
	}
	if d.Confidence < c.Want.AtLeast || c.Want.AtMost > 0 && d.Confidence > c.Want.AtMost {
		t.Errorf("confidence %.2f, want %.2f to %.2f", d.Confidence, c.Want.AtLeast, c.Want.AtMost)
	}
	for _, says := range c.Want.Says {
		if !strings.Contains(lines, says) {
			t.Errorf("nothing says %q:\n%s", says, lines)
		}
	}
	for _, missing := range c.Want.Missing {
		if !strings.Contains(strings.Join(d.Missing, "\n"), missing) {
			t.Errorf("%q is not missing: %q", missing, d.Missing)
		}
	}
	for _, a := range d.Alternatives {
		if slices.Contains(c.Want.Not, a.Cause) && a.Confidence > 0.5 {
			t.Errorf("%s is an alternative at %.2f", a.Cause, a.Confidence)
		}
	}
	if d.Decided() && d.Cause != incident.CauseHealthy && len(d.Evidence) == 0 {
		t.Error("a cause without a quote")
	}
	return d.Cause
}

// matrix counts what each cause was taken for.
type matrix map[string]map[string]int

func (m matrix) note(want, got string) {
	if m[want] == nil {
		m[want] = map[string]int{}
	}
	m[want][got]++
}

func (m matrix) String() string {
	var b strings.Builder
	right, all := 0, 0
	fmt.Fprintf(&b, "confusion matrix (want: got ×times)\n")
	for _, want := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "  %-40s", want)
		for _, got := range slices.Sorted(maps.Keys(m[want])) {
			n := m[want][got]
			all += n
			if got == want {
				right += n
				fmt.Fprintf(&b, " ✓ ×%d", n)
			} else {
				fmt.Fprintf(&b, "  ✗ %s ×%d", got, n)
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "  %d of %d right", right, all)
	return b.String()
}

// TestCorpusIsComplete says what the corpus must hold to be worth its name.
func TestCorpusIsComplete(t *testing.T) {
	cases := corpus(t)
	traps, perCause := 0, map[string]int{}
	for _, c := range cases {
		if c.Source == "" {
			t.Errorf("%s names no source", c.name)
		}
		if c.Trap != "" {
			traps++
		}
		perCause[c.Want.Cause]++
	}
	for _, cause := range append(incident.Causes(), incident.CauseUnknown, incident.CauseHealthy) {
		if perCause[cause] < 2 {
			t.Errorf("%d cases of %s, want at least 2", perCause[cause], cause)
		}
		delete(perCause, cause)
	}
	if len(perCause) > 0 {
		t.Errorf("causes that do not exist: %v", perCause)
	}
	if len(cases) < 120 || traps < 30 {
		t.Errorf("%d cases and %d traps, want at least 120 and 30", len(cases), traps)
	}
}
