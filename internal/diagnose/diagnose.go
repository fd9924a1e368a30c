package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// Question is what a diagnosis is to answer: what is wrong with this target?
type Question struct {
	Target    incident.Target
	Family    string // the first hypothesis
	AlertName string
}

// Diagnose answers a question from the evidence alone. The same evidence gives
// the same diagnosis, in whatever order it came; evidence about other things
// does not change it.
func Diagnose(ev evidence.Evidence, q Question) incident.Diagnosis {
	x := examination{ev: ev, q: q, own: ownersOf(ev), cluster: cmp.Or(q.Target.Cluster, ev.Cluster)}
	if !isPodKind(q.Target.Kind) || q.Target.Name == "" && (q.Target.Host != "" || len(ev.Pods) == 0) {
		return x.finish(x.noRules())
	}
	x.scope = scopeOf(ev, x.own, q.Target)
	if x.scope.ambiguous {
		return x.finish(x.ambiguous())
	}
	if len(x.scope.pods) == 0 {
		return x.finish(x.noPods())
	}
	index := indexEvents(ev.Events)
	for _, p := range x.scope.pods {
		x.pods = append(x.pods, examine(ev, p, index))
	}
	if x.gather(); len(x.found) > 0 {
		return x.finish(x.disease())
	}
	if d, ok := x.health(); ok {
		return x.finish(d)
	}
	return x.finish(x.undecided())
}

// examination is one question on its way to its answer.
type examination struct {
	ev      evidence.Evidence
	q       Question
	own     owners
	cluster string
	scope   scope
	pods    []*pod
	found   []finding
}

func (x *examination) gather() {
	table := rules()
	for _, p := range x.pods {
		for _, c := range p.containers {
			if c.known || len(p.Status.ContainerStatuses) == 0 {
				x.found = append(x.found, findings(c, table)...)
			}
		}
	}
	slices.SortStableFunc(x.found, worst(x.q.Target.Container))
}

// disease answers with the worst finding; pods come sorted, so ties do not
// depend on their order of arrival.
func (x *examination) disease() incident.Diagnosis {
	f := x.found[0]
	d := incident.Diagnosis{
		Cause:        f.cause,
		Confidence:   min(f.confidence, certain),
		Container:    f.container.name,
		Summary:      f.symptom + ": " + f.because,
		Chain:        []string{f.symptom, f.because},
		Evidence:     f.quotes,
		Alternatives: x.alternatives(f),
		Subject:      x.subject(f.container.pod, f.container.name),
		Owner:        x.own.top(f.container.Pod, x.cluster),
	}
	if n := x.podsWith(f.cause); len(x.pods) > 1 {
		d.Summary += fmt.Sprintf("; %d of %d pods are affected", n, len(x.pods))
	}
	if f.cause == causeStartupFailed && f.confidence < strong {
		d.Missing = append(d.Missing, "the previous log of container "+f.container.name+", which would say why the program ends")
	}
	return d
}

func (x *examination) podsWith(cause string) int {
	ill := map[*pod]bool{}
	for _, f := range x.found {
		if f.cause == cause {
			ill[f.container.pod] = true
		}
	}
	return len(ill)
}

// alternatives are the other readings of the chosen finding, and what else was
// found, the likeliest first.
func (x *examination) alternatives(chosen finding) []incident.Alternative {
	best := map[string]float64{}
	for _, a := range chosen.alternatives {
		best[a.cause] = max(best[a.cause], a.confidence)
	}
	for _, f := range x.found {
		if f.cause != chosen.cause {
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

func (x *examination) subject(p *pod, container string) incident.Target {
	return incident.Target{
		Cluster: x.cluster, Namespace: p.Namespace, Kind: "Pod", Name: p.Name,
		UID: string(p.UID), Container: container, Service: x.q.Target.Service,
	}
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
		d.Summary = fmt.Sprintf("pod %s is not there any more (deleted or replaced), so its controller's other pods were looked at; %s", x.q.Target.Name, d.Summary)
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
		if l = oneLine(l); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func failedFromOutside(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed && evicted(p)
}
