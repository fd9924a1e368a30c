package diagnose

import (
	"cmp"
	"slices"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// Question is what a diagnosis is to answer: what is wrong with this target?
type Question struct {
	Target     incident.Target
	Family     string // of the first hypothesis
	Hypothesis string // the cause that the alert's name suggests; may be empty
	AlertName  string
}

// Diagnose answers a question from the evidence alone. The same evidence gives
// the same diagnosis, in whatever order it came; evidence about other things
// does not change it.
func Diagnose(ev evidence.Evidence, q Question) incident.Diagnosis {
	if ev.Empty() { // as every alert is that only names its target
		x := &examination{ev: ev, q: q, cluster: cmp.Or(q.Target.Cluster, ev.Cluster)}
		return x.finish(x.suspect(x.unnamed()))
	}
	x := examine(ev, q)
	if x.scope.ambiguous {
		return x.finish(x.ambiguous())
	}
	if found := x.gather(); len(found) > 0 {
		return x.finish(x.disease(found))
	}
	if d, ok := x.health(); ok {
		return x.finish(d)
	}
	return x.finish(x.suspect(x.unknown()))
}

// finish adds what every diagnosis has, and keeps hostile text out of its lines.
func (x *examination) finish(d incident.Diagnosis) incident.Diagnosis {
	d.ObservedAt = x.ev.ObservedAt
	if !d.Owner.IsZero() {
		d.Owner.Service = x.q.Target.Service
	}
	if x.q.AlertName != "" && len(d.Chain) > 0 {
		d.Chain = append([]string{"alert " + x.q.AlertName}, d.Chain...)
	}
	if x.scope.gone && len(x.pods) > 0 {
		d.Summary = "pod " + x.q.Target.Name + " is not there any more (deleted or replaced), so its controller's other pods were looked at; " + d.Summary
	}
	d.Summary = oneLine(d.Summary)
	for _, lines := range []*[]string{&d.Chain, &d.Evidence, &d.Missing} {
		*lines = tidy(*lines)
	}
	if d.Alternatives == nil {
		d.Alternatives = []incident.Alternative{}
	}
	return d
}

// tidy gives bounded lines, none twice, and an empty list rather than nil.
func tidy(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = oneLine(l); l != "" && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}
