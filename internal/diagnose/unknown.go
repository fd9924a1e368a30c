package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/incident"
)

func unknown(summary string) incident.Diagnosis {
	return incident.Diagnosis{Cause: incident.CauseUnknown, Summary: summary, Chain: []string{summary}}
}

// unknown says what would decide, and what is seen not to be well.
func (x *examination) unknown() incident.Diagnosis {
	d := x.unnamed()
	ill, family := x.unwell()
	d.Evidence = append(d.Evidence, ill...)
	if len(ill) > 0 && x.open() && len(x.pods) == 0 {
		d.Summary = "something is not well, and nothing says why: " + ill[0]
		d.Chain = []string{d.Summary}
		d.Missing = []string{whatDecides(family)}
	}
	return d
}

// whatDecides says what would tell more of something that is not well: more of the
// same where it is no object of Kubernetes.
func whatDecides(family string) string {
	if slices.Contains([]string{"host", "service", "cert", "backup", "db", "resource", "slo", "trend"}, family) {
		words, _ := Asks(family)
		return words
	}
	return "the pods, events and logs of what is not well"
}

func (x *examination) unnamed() incident.Diagnosis {
	switch {
	case len(x.pods) > 0:
		return x.undecided()
	case x.judgedByPods() && x.q.Target.Name != "":
		return x.noPods()
	default:
		return x.nothing()
	}
}

// suspect names the first hypothesis beside what nobody could decide.
func (x *examination) suspect(d incident.Diagnosis) incident.Diagnosis {
	named := func(a incident.Alternative) bool { return a.Cause == x.q.Hypothesis }
	if incident.IsCause(x.q.Hypothesis) && !slices.ContainsFunc(d.Alternatives, named) {
		d.Alternatives = append([]incident.Alternative{{Cause: x.q.Hypothesis, Confidence: slight}}, d.Alternatives...)
	}
	return d
}

// noPods answers before anything was collected.
func (x *examination) noPods() incident.Diagnosis {
	d := unknown("there is no evidence about the pods of " + x.q.Target.String() + " yet")
	d.Subject = x.q.Target
	d.Missing = []string{
		"the pod JSON of " + x.q.Target.String(),
		"its owners (ReplicaSet and Deployment, StatefulSet, DaemonSet or Job)",
		"its events",
	}
	x.wantFrom(&d, cmp.Or(Look(x.q.Target, x.q.Family), CollectPod), x.q.Target)
	return d
}

func (x *examination) ambiguous() incident.Diagnosis {
	d := unknown(x.q.Target.Name + " exists in more than one namespace")
	d.Subject = x.q.Target
	d.Missing = []string{"the namespace of " + x.q.Target.Name}
	return d
}

// wantFrom asks for a collection, where the target says enough to carry it out.
func (x *examination) wantFrom(d *incident.Diagnosis, action string, t incident.Target) {
	if t.Name != "" && t.Kind == "" {
		t.Kind = "Pod"
	}
	if !reachable(action, t) {
		d.Missing = append(d.Missing, "the namespace of "+cmp.Or(t.Name, "the target"))
		return
	}
	d.Wants = append(d.Wants, incident.Want{Action: action, Target: x.onCluster(t)})
}

// undecided says what is seen of the worst pod, and what would decide.
func (x *examination) undecided() incident.Diagnosis {
	p := x.worstPod()
	d := unknown("the evidence about pod " + p.Namespace + "/" + p.Name + " does not decide what is wrong")
	d.Subject = x.subject(p, "")
	d.Owner = x.own.top(p.Pod, x.cluster)
	collect := x.ev.Events == nil
	if p.ghost {
		d.Missing, collect = append(d.Missing, "the pod JSON of "+p.Namespace+"/"+p.Name+": only its events are known"), true
	} else {
		d.Evidence = append(d.Evidence, p.quote(fmt.Sprintf("phase=%s reason=%s %s", p.Status.Phase, p.Status.Reason, p.Status.Message)))
	}
	if collect {
		d.Missing = append(d.Missing, "the events of pod "+p.Namespace+"/"+p.Name)
	}
	switch {
	case p.DeletionTimestamp != nil:
		d.Summary = "pod " + p.Namespace + "/" + p.Name + " is being deleted"
		d.Missing = append(d.Missing, "the pod that replaces it")
		collect = true
	case failedFromOutside(p.Pod):
		d.Summary = "pod " + p.Namespace + "/" + p.Name + " was ended from outside: " + p.Status.Reason + ", " + p.Status.Message
	}
	for _, c := range p.containers {
		if c.acuteness() > 0 && d.Container == "" {
			d.Container, d.Subject.Container = c.name, c.name
			collect = c.explain(&d) || collect
		}
	}
	if c := p.stillInit(); c != nil && d.Container == "" {
		d.Container, d.Subject.Container = c.name, c.name
		d.Summary = c.title() + " of pod " + p.Namespace + "/" + p.Name + " runs on, and the pod waits for its end"
		d.Evidence = append(d.Evidence, c.quoteState())
		d.Missing = append(d.Missing, "the log of "+c.title()+", which would say what it does or waits for")
		x.wantFrom(&d, CollectLogs, d.Subject)
	}
	d.Chain = []string{d.Summary}
	d.Evidence = append(d.Evidence, warnings(p)...)
	if len(d.Missing) == 0 {
		d.Missing = []string{"something that tells why: no rule knows what the pod's status and events say"}
	}
	if collect {
		x.wantFrom(&d, CollectPod, d.Subject)
	}
	return d
}

// stillInit is the init container that the pod waits for, of which nothing is known.
func (p *pod) stillInit() *container {
	for i := range p.containers {
		if c := &p.containers[i]; c.ill == waits && !c.heard {
			return c
		}
	}
	return nil
}

// explain says what is seen of a container whose trouble no rule could name, and
// whether looking again may help.
func (c container) explain(d *incident.Diagnosis) (lookAgain bool) {
	d.Evidence = append(d.Evidence, c.quoteState())
	w := c.status.State.Waiting
	if w != nil && pullReason(w.Reason) {
		if _, decided := c.pullState(w); !decided {
			d.Summary = c.symptom() + ", but the message of the first failed pull is not there"
			d.Missing = append(d.Missing, "the first Failed event of the pull of "+c.spec.Image)
			d.Alternatives = []incident.Alternative{{Cause: causeImageNotFound, Confidence: slight}, {Cause: causeImageAuthFailed, Confidence: slight}}
			return true
		}
	}
	if dead, ok := c.death(); ok && dead.killed() {
		d.Evidence = append(d.Evidence, c.quoteDeath(dead))
		d.Summary = fmt.Sprintf("%s was killed from outside (exit code %d), and nothing says by whom", c.title(), dead.ExitCode)
		d.Missing = append(d.Missing, "who killed "+c.title()+": "+killers)
		d.Alternatives = []incident.Alternative{{Cause: causeOOMKilled, Confidence: 0.3}, {Cause: causeLivenessFailed, Confidence: 0.3}}
		return false
	}
	if w != nil {
		d.Summary = c.symptom() + ": " + w.Message
	}
	return false
}

// worstPod is the first of the pods that are least well.
func (x *examination) worstPod() *pod {
	worst, acute := x.pods[0], -1
	for _, p := range x.pods {
		if p.Status.Phase == corev1.PodSucceeded || p.ready() || p.starting() {
			continue
		}
		now := 0
		for _, c := range p.containers {
			now = max(now, c.acuteness())
		}
		if now > acute {
			worst, acute = p, now
		}
	}
	return worst
}

// warnings quotes the pod's newest warnings of different reasons.
func warnings(p *pod) []string {
	var out []string
	seen := map[string]bool{}
	for i := len(p.events) - 1; i >= 0 && len(out) < 3; i-- {
		e := p.events[i]
		if e.Type == corev1.EventTypeWarning && !seen[e.Reason] {
			seen[e.Reason] = true
			out = append(out, quoteEvent(e))
		}
	}
	return out
}
