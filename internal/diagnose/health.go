package diagnose

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/incident"
)

// youngPod is how long a first start may take while nothing complains.
const youngPod = 5 * time.Minute

// health answers healthy if, and only if, everything in question is well, and
// there is something of what the question is about.
func (x *examination) health() (incident.Diagnosis, bool) {
	d := incident.Diagnosis{Cause: incident.CauseHealthy, Confidence: 0.95, Subject: x.q.Target}
	d.Subject.Cluster = x.cluster
	judged := map[string]int{"pod": len(x.pods)}
	if len(x.pods) > 0 {
		var ok bool
		if d, ok = x.podHealth(); !ok {
			return d, false
		}
	}
	var lines []string
	for _, t := range catalogue {
		if t.well == nil {
			continue
		}
		w := t.well(x)
		if len(w.ill) > 0 {
			return d, false
		}
		judged[t.family] += len(w.lines)
		lines = append(lines, w.lines...)
	}
	if !x.enough(judged) {
		return d, false
	}
	d.Evidence = append(d.Evidence, lines[:min(len(lines), maxWellLines)]...)
	if d.Summary == "" {
		d.Summary = strings.Join(lines[:min(len(lines), maxWellLines)], "; ")
	}
	d.Chain = []string{d.Summary}
	return d, true
}

const maxWellLines = 5

// unwell quotes what the tables call not well, and names the family of the first.
func (x *examination) unwell() (lines []string, family string) {
	for _, t := range catalogue {
		if t.well == nil {
			continue
		}
		if ill := t.well(x).ill; len(ill) > 0 {
			lines, family = append(lines, ill...), cmp.Or(family, t.family)
		}
	}
	return lines[:min(len(lines), maxWellLines)], family
}

// enough says whether what was judged answers the question: pods for what is
// judged by pods (or a controller that is to have none), else the family of the
// first hypothesis, where a table is about that.
func (x *examination) enough(judged map[string]int) bool {
	total := 0
	for _, n := range judged {
		total += n
	}
	switch {
	case x.judgedByPods() && !x.open():
		return judged["pod"] > 0 || judged["workload"] > 0 || judged["job"] > 0
	case x.q.Family != "" && judgesFamily(x.q.Family):
		return judged[x.q.Family] > 0
	default:
		return total > 0
	}
}

func judgesFamily(family string) bool {
	for _, t := range catalogue {
		if t.family == family && (t.well != nil || family == "pod") {
			return true
		}
	}
	return false
}

// podHealth answers healthy if every pod in question is ready, done, or on its
// first undisturbed way there.
func (x *examination) podHealth() (incident.Diagnosis, bool) {
	var starting, done int
	d := incident.Diagnosis{Cause: incident.CauseHealthy, Confidence: 0.95}
	for _, p := range x.pods {
		switch {
		case p.Status.Phase == corev1.PodSucceeded:
			done++
		case p.ready():
		case p.starting():
			starting++
		default:
			return incident.Diagnosis{}, false
		}
		if len(d.Evidence) < 5 {
			d.Evidence = append(d.Evidence, p.quote(p.standing()))
		}
	}
	d.Summary = fmt.Sprintf("%d of %d pods ready", len(x.pods)-starting-done, len(x.pods))
	if done > 0 {
		d.Summary += fmt.Sprintf(", %d completed", done)
	}
	if starting > 0 {
		d.Summary += fmt.Sprintf(", %d still starting normally", starting)
		d.Confidence = 0.7
	}
	d.Subject = x.q.Target
	d.Subject.Cluster = x.cluster
	if len(x.pods) == 1 {
		d.Subject = x.subject(x.pods[0], "")
	}
	d.Owner = x.own.top(x.pods[0].Pod, x.cluster)
	return d, true
}

// ready says whether every container that is to run does so, is ready, and has
// not just come back from a crash.
func (p *pod) ready() bool {
	if p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil || p.gated() {
		return false
	}
	for _, c := range p.containers {
		if c.acuteness() > 0 || !c.known || c.role != initRole && !c.status.Ready && !c.done() {
			return false
		}
	}
	return len(p.containers) > 0
}

// gated says whether a readiness gate keeps a pod out of its services although
// its containers are ready.
func (p *pod) gated() bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionFalse && c.Reason == "ReadinessGatesNotReady" {
			return true
		}
	}
	return false
}

// done is a container that ended well and is not to be started again.
func (c container) done() bool {
	t := c.status.State.Terminated
	return t != nil && t.ExitCode == 0 && !c.restarts()
}

// starting says whether the pod is young and nothing has gone wrong yet. Probes
// may fail while a program starts, for as long as its own spec allows.
func (p *pod) starting() bool {
	if p.Status.Phase != corev1.PodPending && p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil {
		return false
	}
	from, limit := p.startTime(), youngPod
	for _, c := range p.containers {
		if c.status.RestartCount > 0 || c.acuteness() > 1 {
			return false
		}
		limit = max(limit, c.probeWindow(startup)+c.probeWindow(readiness)+time.Minute)
	}
	if from.IsZero() || p.now.Sub(from) > limit {
		return false
	}
	for _, e := range p.events {
		if e.Type == corev1.EventTypeWarning && !p.forgiven(e) {
			return false
		}
	}
	return true
}

// forgiven are warnings that a normal start brings with it. Whether failing
// probes are more than that is for the rules to say: none of them did.
func (p *pod) forgiven(e *corev1.Event) bool {
	kind := probeOf(e)
	return kind == readiness || kind == startup || e.Reason == "FailedScheduling" && p.Spec.NodeName != ""
}

func (p *pod) standing() string {
	readyNow, restarts := 0, int32(0)
	for _, c := range p.containers {
		if c.role != initRole && c.status.Ready {
			readyNow++
		}
		restarts += c.status.RestartCount
	}
	return fmt.Sprintf("phase=%s, %d containers ready, %d restarts", p.Status.Phase, readyNow, restarts)
}
