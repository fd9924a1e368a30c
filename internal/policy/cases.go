package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Case is one test of a policy: facts, and what must be decided about them.
type Case struct {
	Name   string
	Line   int
	facts  Facts
	age    time.Duration
	expect expectation
}

type expectation struct {
	verdict   incident.Verdict
	rule      string
	level     int
	risk      incident.Risk
	rung      int
	actions   []string
	mode      incident.Mode // of the first change
	blockedBy []string
	reason    string // that one of the reasons contains
}

const maxCases = 1000

// ReadCases reads a file of test cases. What is wrong with it comes as Errors.
func ReadCases(name string, src []byte, c Catalogue) ([]Case, error) {
	src = canonical(src)
	b := &builder{reader: newReader(name, src), catalogue: c}
	var cases []Case
	if root := b.root(src); root != nil && b.isMapping(root, "a file of test cases") {
		b.mapping(root, "a file of test cases", []field{
			{"cases", func(n ast.Node) {
				for _, item := range b.listOf(n, "cases", 1, maxCases) {
					cases = append(cases, b.testCase(item))
				}
			}},
		})
		if !hasKey(root, "cases") {
			b.fail(root, "a file of test cases needs cases")
		}
	}
	if len(b.errs) > 0 {
		return nil, b.errs.sorted()
	}
	return cases, nil
}

// testCase reads one case. What it leaves out is what lets a repair go on: live,
// evidence a minute old and trusted, three replicas of which two serve.
func (b *builder) testCase(n ast.Node) Case {
	c := Case{age: time.Minute}
	c.Line, _ = place(n)
	f := &c.facts
	f.Now = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC) // a Monday, at noon
	f.Automation, f.Trusted, f.Incident.Severity, f.Diagnosis.Confidence = incident.Live, true, incident.Warning, 0.9
	f.Labels = map[string]string{}
	blast := incident.Blast{Unavailable: 1, Replicas: 3, Ready: 2, Known: true}
	if !b.isMapping(n, "a case") {
		return c
	}
	b.mapping(n, "a case", []field{
		{"name", func(n ast.Node) { c.Name, _ = b.text(n, "name") }},
		{"cause", func(n ast.Node) {
			f.Diagnosis.Cause, _ = b.text(n, "cause")
			if !slices.Contains(Causes(), f.Diagnosis.Cause) && f.Diagnosis.Cause != incident.CauseHealthy {
				b.fail(n, "cause %q is not known; %s", clip(f.Diagnosis.Cause), didYouMean(f.Diagnosis.Cause, Causes()))
			}
		}},
		{"severity", func(n ast.Node) { f.Incident.Severity, _ = oneOf(b.reader, n, "severity", incident.Severities()...) }},
		{"service", func(n ast.Node) { b.word(n, "service", &f.Incident.Service) }},
		{"target", func(n ast.Node) { b.target(n, &f.Incident.Target) }},
		{"owner", func(n ast.Node) { b.target(n, &f.Diagnosis.Owner) }},
		{"labels", func(n ast.Node) {
			for _, kv := range b.pairs(n, "labels") {
				f.Labels[keyOf(kv)], _ = b.text(kv.Value, keyOf(kv))
			}
		}},
		{"now", func(n ast.Node) {
			s, ok := b.text(n, "now")
			at, err := time.Parse(time.RFC3339, s)
			if ok && err != nil {
				b.fail(n, "now: %q is no time; 2026-11-20T03:15:00Z would be right", clip(s))
			}
			f.Now = at
		}},
		{"automation", func(n ast.Node) {
			f.Automation, _ = oneOf(b.reader, n, "automation", incident.Live, incident.DryRunAll, incident.Paused)
		}},
		{"evidence_trusted", func(n ast.Node) { b.boolean(n, "evidence_trusted", &f.Trusted) }},
		b.durationField("evidence_age", 0, 90*day, &c.age),
		b.integerField("evidence_rounds", 0, 20, &f.Incident.Rounds),
		b.integerField("recurrences", 0, 1000, &f.Incident.Recurrence),
		{"replicas", func(n ast.Node) {
			b.mapping(n, "replicas", []field{
				b.integerField("unavailable", 0, 10000, &blast.Unavailable), b.integerField("all", 0, 10000, &blast.Replicas),
				b.integerField("ready", 0, 10000, &blast.Ready), {"known", func(n ast.Node) { b.boolean(n, "known", &blast.Known) }},
			})
		}},
		{"storm", func(n ast.Node) {
			storm := false
			if b.boolean(n, "storm", &storm); storm {
				f.State.Storm = incident.Storm{ID: incident.ID{1}, BeganAt: f.Now}
			}
		}},
		{"tried", func(n ast.Node) {
			for _, item := range b.listOf(n, "tried", 0, 100) {
				f.Tried = append(f.Tried, b.tried(item))
			}
		}},
		{"expect", func(n ast.Node) { b.expect(n, &c.expect) }},
	})
	for _, key := range []string{"name", "cause", "expect"} {
		if !hasKey(n, key) {
			b.fail(n, "a case needs %s", key)
		}
	}
	f.Blast = func(incident.Step) incident.Blast { return blast }
	return c
}

func (b *builder) target(n ast.Node, t *incident.Target) {
	part := func(name string, into *string) field {
		return field{name, func(n ast.Node) { *into, _ = b.text(n, name) }}
	}
	b.mapping(n, "a target", []field{
		part("cluster", &t.Cluster), part("namespace", &t.Namespace), part("kind", &t.Kind), part("name", &t.Name),
		part("container", &t.Container), part("host", &t.Host), part("service", &t.Service),
	})
}

func (b *builder) tried(n ast.Node) Tried {
	t := Tried{Rung: 1, State: incident.Succeeded}
	b.mapping(n, "what was tried", []field{
		{"action", func(n ast.Node) { t.Action = b.known(n) }},
		b.integerField("rung", 1, maxRungs, &t.Rung),
		{"state", func(n ast.Node) { t.State, _ = oneOf(b.reader, n, "state", incident.IntentStates()...) }},
		{"independent", func(n ast.Node) { b.boolean(n, "independent", &t.Independent) }},
	})
	return t
}

func (b *builder) known(n ast.Node) string {
	name, ok := b.text(n, "action")
	if _, _, exists := b.catalogue.Effect(name); ok && !exists {
		b.fail(n, "action %q is not known; %s", clip(name), didYouMean(name, b.catalogue.Actions()))
	}
	return name
}

func (b *builder) expect(n ast.Node, e *expectation) {
	b.mapping(n, "expect", []field{
		{"verdict", func(n ast.Node) { e.verdict, _ = oneOf(b.reader, n, "verdict", incident.Verdicts()...) }},
		{"rule", func(n ast.Node) { e.rule, _ = b.text(n, "rule") }},
		b.integerField("level", 1, 4, &e.level),
		{"risk", func(n ast.Node) {
			e.risk, _ = oneOf(b.reader, n, "risk", incident.RiskLow, incident.RiskMedium, incident.RiskHigh)
		}},
		b.integerField("rung", 1, maxRungs, &e.rung),
		{"actions", func(n ast.Node) {
			e.actions = []string{}
			b.texts(n, "actions", func(item ast.Node, _ string) { e.actions = append(e.actions, b.known(item)) })
		}},
		{"mode", func(n ast.Node) {
			e.mode, _ = oneOf(b.reader, n, "mode", incident.Auto, incident.Hold, incident.Approve)
		}},
		{"blocked_by", func(n ast.Node) {
			b.texts(n, "blocked_by", func(item ast.Node, s string) {
				if !slices.Contains(GuardNames(), s) {
					b.fail(item, "guard %q is not known; %s", clip(s), didYouMean(s, GuardNames()))
				}
				e.blockedBy = append(e.blockedBy, s)
			})
		}},
		{"reason", func(n ast.Node) { e.reason, _ = b.text(n, "reason") }},
	})
	if len(entries(n)) == 0 {
		b.fail(n, "expect is empty; a case that expects nothing cannot fail")
	}
}

// Run decides the case, and says what is not as expected: nothing where all is.
func (c Case) Run(p *Policy) (incident.Decision, []string) {
	f := c.facts
	f.Incident.OpenedAt, f.Incident.BeganAt = f.Now, f.Now
	if c.age >= 0 {
		f.ObservedAt = f.Now.Add(-c.age)
	}
	f.Suppose()
	d := p.Decide(f)
	var wrong []string
	differs := func(what string, got, want any) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, not %v", what, got, want))
	}
	e := c.expect
	if e.verdict != "" && d.Verdict != e.verdict {
		differs("verdict", d.Verdict, e.verdict)
	}
	if e.rule != "" && d.Rule != e.rule {
		differs("rule", d.Rule, e.rule)
	}
	if e.level != 0 && d.Level != e.level {
		differs("level", d.Level, e.level)
	}
	if e.risk != "" && d.Risk != e.risk {
		differs("risk", d.Risk, e.risk)
	}
	if e.rung != 0 && d.Rung != e.rung {
		differs("rung", d.Rung, e.rung)
	}
	if e.actions != nil && !slices.Equal(actionsOf(d), e.actions) {
		differs("actions", actionsOf(d), e.actions)
	}
	if mode := p.firstMode(d); e.mode != "" && mode != e.mode {
		differs("mode", mode, e.mode)
	}
	if stops := stops(d); e.blockedBy != nil && !slices.Equal(stops, e.blockedBy) {
		differs("blocked_by", stops, e.blockedBy)
	}
	if all := strings.Join(d.Reasons, "; "); !strings.Contains(all, e.reason) {
		differs("reason", "\""+all+"\"", "one with \""+e.reason+"\"")
	}
	return d, wrong
}

func actionsOf(d incident.Decision) []string {
	names := []string{}
	for _, s := range d.Steps {
		names = append(names, s.Action)
	}
	return names
}

func stops(d incident.Decision) []string {
	var names []string
	for _, r := range d.Guards {
		if r.Stops {
			names = append(names, r.Guard)
		}
	}
	return names
}

// firstMode is the mode of a decision's first change.
func (p *Policy) firstMode(d incident.Decision) incident.Mode {
	for _, s := range d.Steps {
		if effect, _, _ := p.catalogue.Effect(s.Action); effect == incident.Change {
			return s.Mode
		}
	}
	return ""
}
