package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"salve/internal/incident"
)

// disease answers with the worst of the findings that nothing else explains.
func (x *examination) disease(found []finding) incident.Diagnosis {
	f := roots(found, x.q.Target.Container)[0]
	under := lies(found, f)
	d := incident.Diagnosis{
		Cause:        f.cause,
		Confidence:   min(f.confidence, certain),
		Container:    f.container,
		Summary:      f.symptom + ": " + f.because,
		Chain:        chain(found, f, under),
		Evidence:     slices.Clone(f.quotes),
		Missing:      slices.Clone(f.missing),
		Likely:       f.likely,
		Alternatives: alternatives(found, f),
		Subject:      f.subject,
		Owner:        f.owner,
	}
	if under != nil {
		d.Summary += "; under it: " + under.because
		d.Evidence = append(d.Evidence, under.quotes...)
		d.Container, d.Subject.Container = under.container, under.container
	}
	if n := x.podsWith(f.cause); len(x.pods) > 1 && n > 0 {
		d.Summary += fmt.Sprintf("; %d of %d pods are affected", n, len(x.pods))
	}
	for _, action := range f.wants {
		x.wantFrom(&d, action, f.subject)
	}
	return d
}

// lies is the worst finding that lies under f.
func lies(found []finding, f finding) *finding {
	var below []finding
	for _, g := range found {
		if f.covers(g) {
			below = append(below, g)
		}
	}
	if len(below) == 0 {
		return nil
	}
	return &roots(below, "")[0]
}

// chain goes from what people see to the cause: symptoms that f explains, the
// widest first, then f itself, then what lies under it.
func chain(found []finding, f finding, under *finding) []string {
	var seen []finding
	for _, g := range found {
		if f.explains(g) {
			seen = append(seen, g)
		}
	}
	slices.SortStableFunc(seen, func(a, b finding) int {
		return cmp.Or(cmp.Compare(len(a.within), len(b.within)), worse("")(a, b))
	})
	var lines []string
	for _, g := range seen {
		if line := g.because; !slices.Contains(lines, line) && len(lines) < maxSymptoms {
			lines = append(lines, line)
		}
	}
	lines = append([]string{f.symptom}, append(lines, f.because)...)
	if under != nil {
		lines = append(lines, under.because)
	}
	return lines
}

const maxSymptoms = 4

func (x *examination) podsWith(cause string) int {
	ill := map[string]bool{}
	for _, f := range x.found {
		if f.cause == cause && f.subject.Kind == "Pod" {
			ill[f.subject.Namespace+"/"+f.subject.Name] = true
		}
	}
	return len(ill)
}

// alternatives are the other readings of the chosen finding, and what else was
// found, the likeliest first. Effects are no alternatives.
func alternatives(found []finding, chosen finding) []incident.Alternative {
	best := map[string]float64{}
	for _, a := range chosen.alternatives {
		best[a.cause] = max(best[a.cause], a.confidence)
	}
	for _, f := range found {
		switch {
		case f.cause == chosen.cause || chosen.explains(f):
		case chosen.covers(f):
			best[f.cause] = max(best[f.cause], min(f.confidence, slight+0.05))
		case chosen.rulesOut(f):
			best[f.cause] = max(best[f.cause], min(f.confidence, slight))
		default:
			best[f.cause] = max(best[f.cause], min(f.confidence, chosen.confidence)/2)
		}
	}
	out := make([]incident.Alternative, 0, len(best))
	for cause, confidence := range best {
		out = append(out, incident.Alternative{Cause: cause, Confidence: confidence})
	}
	slices.SortFunc(out, func(a, b incident.Alternative) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Cause, b.Cause))
	})
	return out
}
