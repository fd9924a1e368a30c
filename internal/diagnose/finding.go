package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"salve/internal/incident"
)

// place is where a thing stands among the others, and whom it concerns.
type place struct {
	at        string   // its own key
	within    []string // its own key and those of all that it is a part of: pod, controllers, node, namespace
	bears     []string // keys of what it bears on, neither being a part of the other: an autoscaler on its target
	subject   incident.Target
	owner     incident.Target // the top controller, where there is one
	container string
	acute     int // 2 is down or failing now, 1 limps, 0 is not felt yet
}

// everywhere is what the things bear on that anything of another family may
// depend on, such as a database.
const everywhere = "*"

// finding is a rule's word on one thing.
type finding struct {
	place
	rule         *Rule
	cause        string
	confidence   float64
	quotes       []string
	symptom      string // what people see
	because      string // why
	alternatives []alternative
	missing      []string // what would make it surer, or change it
	likely       string   // of an objective: why it is missed, in one word
	wants        []string // collect actions on the subject that would fetch that
	over         []string // causes that lie under this one, where this one is what people act on
	overIn       string   // only what lies in this place does; "" is anywhere
	from         []string // causes that this one is a symptom of, as the look saw
	never        []string // causes that this one is no symptom of, as the look saw
	grave        float64  // of the same cause and sureness, what weighs more comes first
	away         bool     // counts only where it explains something, unless it is what was asked about
}

type alternative struct {
	cause      string
	confidence float64
}

// fill adds what the rule and the thing say to what the look found. A look may
// have set its own confidence, place or acuteness.
func (f finding) fill(r *Rule, p place) finding {
	f.rule, f.cause = r, r.Cause
	if f.confidence == 0 || f.confidence > r.Confidence {
		f.confidence = r.Confidence
	}
	if f.at == "" {
		acute := max(f.acute, p.acute)
		f.place = p
		f.acute = acute
	}
	return f
}

// meets says whether two findings are about the same thing, or one about a part
// of what the other is about or bears on.
func (f finding) meets(g finding) bool {
	return f.touches(g) || g.touches(f)
}

func (f finding) touches(g finding) bool {
	if slices.Contains(f.bears, everywhere) && familyOf(f.cause) != familyOf(g.cause) {
		return true
	}
	return slices.Contains(g.within, f.at) || slices.ContainsFunc(f.bears, func(key string) bool { return slices.Contains(g.within, key) })
}

func familyOf(cause string) string {
	family, _, _ := strings.Cut(cause, ".")
	return family
}

// explains says whether g is a symptom of f. What lies under a finding does not
// explain it away.
func (f finding) explains(g finding) bool {
	return f.cause != g.cause && !matchesAny(g.never, f.cause) && (matchesAny(f.rule.Explains, g.cause) || matchesAny(g.from, f.cause)) && f.meets(g) && !g.covers(f)
}

// rulesOut says whether g is another reading of what f is sure of.
func (f finding) rulesOut(g finding) bool {
	return f.cause != g.cause && f.at == g.at && matchesAny(f.rule.RulesOut, g.cause)
}

// beats says whether f is the answer rather than g: for any of the three reasons.
func (f finding) beats(g finding) bool { return f.explains(g) || f.rulesOut(g) || f.covers(g) }

// covers says whether g lies under f: f is what people act on, g is why.
func (f finding) covers(g finding) bool {
	return len(f.over) > 0 && f.cause != g.cause && matchesAny(f.over, g.cause) && f.meets(g) &&
		(f.overIn == "" || slices.Contains(g.within, f.overIn))
}

// roots are the findings that no other explains or covers, the worst first.
func roots(found []finding, asked string) []finding {
	var out []finding
	for i, f := range found {
		if !slices.ContainsFunc(found, func(g finding) bool { return g.beats(found[i]) }) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		out = slices.Clone(found) // a circle: each explains the other
	}
	slices.SortStableFunc(out, worse(asked))
	return out
}

// worse sorts findings: what is down before what only limps, the container that
// was asked about before others, the nearer to the root before what could be its
// effect, the sure before the unsure, and then by name, so that the order in
// which anything came does not matter.
func worse(asked string) func(a, b finding) int {
	named := func(f finding) int {
		if asked != "" && f.container == asked {
			return 0
		}
		return 1
	}
	return func(a, b finding) int {
		return cmp.Or(
			-cmp.Compare(a.acute, b.acute),
			-cmp.Compare(reach(a.cause), reach(b.cause)),
			cmp.Compare(named(a), named(b)),
			-cmp.Compare(a.confidence, b.confidence),
			-cmp.Compare(a.grave, b.grave),
			strings.Compare(a.cause, b.cause),
			strings.Compare(a.at, b.at),
			strings.Compare(a.rule.Name, b.rule.Name),
			strings.Compare(a.because, b.because),
		)
	}
}

// reach is how many causes this one stands before, directly or by way of others:
// the more, the nearer it is to the root.
func reach(cause string) int { return reaches[cause] }

var reaches = func() map[string]int {
	explains := map[string]map[string]bool{}
	for _, r := range Rules() {
		if explains[r.Cause] == nil {
			explains[r.Cause] = map[string]bool{}
		}
		for _, c := range incident.Causes() {
			if c != r.Cause && (matchesAny(r.Explains, c) || matchesAny(r.RulesOut, c)) {
				explains[r.Cause][c] = true
			}
		}
	}
	out := map[string]int{}
	for cause := range explains {
		seen, queue := map[string]bool{cause: true}, []string{cause}
		for len(queue) > 0 {
			for c := range explains[queue[0]] {
				if !seen[c] {
					seen[c] = true
					queue = append(queue, c)
				}
			}
			queue = queue[1:]
		}
		out[cause] = len(seen) - 1
	}
	return out
}()
