package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Autonomy says what a remedy must have shown before Salve asks to do it by itself.
type Autonomy struct {
	AtLeast    int           // repairs that were judged
	Confidence float64       // of which, at the lower bound, so many helped
	Ceiling    int           // no promotion goes beyond this level
	Within     time.Duration // older repairs say nothing
}

func (s *Settings) autonomyDefaults() {
	s.Autonomy = Autonomy{AtLeast: 20, Confidence: 0.9, Ceiling: 3, Within: 90 * day}
}

func (a *Autonomy) fields(r *reader) []field {
	return []field{
		r.integerField("at_least", 5, 10000, &a.AtLeast),
		{"confidence", func(n ast.Node) {
			percent := 0
			if r.integer(n, "confidence", 50, 99, &percent); percent > 0 {
				a.Confidence = float64(percent) / 100
			}
		}},
		r.integerField("ceiling", 2, 4, &a.Ceiling),
		r.durationField("within", day, 730*day, &a.Within),
	}
}

// TrackRecord is how often a remedy helped against a cause in one place.
type TrackRecord struct {
	Cause, Action, Scope string
	Helped, Failed       int
}

// LowerBound is the lower end of the 95 % Wilson score interval for the share that
// helped (E. B. Wilson, 1927): with few repairs it is far below what was seen.
func (r TrackRecord) LowerBound() float64 {
	n := float64(r.Helped + r.Failed)
	if n == 0 {
		return 0
	}
	const z = 1.96
	p := float64(r.Helped) / n
	return (p + z*z/(2*n) - z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// Proposes says whether a remedy has shown enough to be done without a yes where
// policy asks for one today, and why.
func (p *Policy) Proposes(r TrackRecord) (reason string, ok bool) {
	a, n := p.settings.Autonomy, r.Helped+r.Failed
	bound := r.LowerBound()
	if n < a.AtLeast || bound < a.Confidence || !p.asksFor(r.Cause, r.Action) {
		return "", false
	}
	return fmt.Sprintf("%s helped against %s in %s %d of %d times: at least %.0f %%, with 95 %% confidence; policy asks for %.0f %% of at least %d",
		r.Action, r.Cause, r.Scope, r.Helped, n, math.Floor(100*bound), 100*a.Confidence, a.AtLeast), true
}

// asksFor says whether a rule asks before an action only because of its level, and
// may be promoted.
func (p *Policy) asksFor(cause, action string) bool {
	for _, r := range p.byCause[cause] {
		for i := range r.ladder {
			g := &r.ladder[i]
			at := slices.IndexFunc(g.steps, func(s incident.Step) bool { return s.Action == action })
			if at >= 0 {
				return r.level < p.settings.Autonomy.Ceiling && g.steps[at].Mode == incident.Approve && !g.chosen[at]
			}
		}
	}
	return false
}

// promoted is a rung as it is once a human let its remedy be done without a yes:
// one level up, within the ceiling. A mode that policy wrote out stays.
func (d *decider) promoted(r *rule, g *rung) *rung {
	first, changes := g.first()
	ceiling := d.policy.settings.Autonomy.Ceiling
	f := d.facts.guardFacts(r.name, d.out.Rung, first)
	at := slices.IndexFunc(d.facts.State.Promoted, func(p incident.Promotion) bool {
		return p.Cause == d.cause() && p.Action == first.Action && p.Scope == f.Repair.Scope()
	})
	if !changes || at < 0 || r.level >= ceiling {
		return g
	}
	up := *g
	up.steps = slices.Clone(g.steps)
	mode, changed := levelMode(r.level+1, g.risk), false
	for i := range up.steps {
		if up.effects[i] == incident.Change && up.steps[i].Mode == incident.Approve && !g.chosen[i] {
			up.steps[i].Mode, up.steps[i].Window, changed = mode, windowOf(mode, r.window), true
		}
	}
	if !changed {
		return g
	}
	d.out.Level = r.level + 1
	d.say(fmt.Sprintf("%s was promoted for %s by %s: level %d", first.Action, f.Repair.Scope(), d.facts.State.Promoted[at].DecidedBy, r.level+1))
	return &up
}
