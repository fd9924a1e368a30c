package diagnose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/incident"
)

// targetBears are the keys of what the target of the question bears on, where it
// is an object that is not judged by pods: an autoscaler's target, the pods of a
// budget, what a GitOps object deploys. They are looked at for what explains the
// target's own trouble.
func (x *examination) targetBears() []string {
	var keys []string
	for _, h := range x.hpas() {
		keys = append(keys, h.bears()...)
	}
	for _, p := range x.pdbs() {
		keys = append(keys, p.bears()...)
	}
	for _, g := range x.gitops() {
		keys = append(keys, g.bears()...)
	}
	return keys
}

// podsOf are the pods that are among what has these keys, or a part of it.
func (x *examination) podsOf(keys []string) []*corev1.Pod {
	if len(keys) == 0 {
		return nil
	}
	var out []*corev1.Pod
	for _, p := range x.everyPod() {
		if slices.ContainsFunc(x.within(p), func(key string) bool { return slices.Contains(keys, key) }) {
			out = append(out, p)
		}
	}
	return out
}

// everyPod is every pod of the evidence, whatever the question is about.
func (x *examination) everyPod() []*corev1.Pod {
	if x.every == nil {
		x.every = distinctPods(x.ev)
	}
	return x.every
}

// within lists what a pod is a part of, before it is examined.
func (x *examination) within(p *corev1.Pod) []string {
	return (&pod{Pod: p, x: x, chain: x.own.chain(p, x.cluster)}).partOf()
}

// isBorne says whether an object is among what the target bears on, or a part of it.
func (x *examination) isBorne(kind string, m *metav1.ObjectMeta) bool {
	if x.q.Target.Kind == "ResourceQuota" && kind != "ResourceQuota" && m.Namespace == x.q.Target.Namespace {
		return kind != "HorizontalPodAutoscaler" && kind != "PodDisruptionBudget"
	}
	if slices.Contains(x.borne, objectKey(kind, m.Namespace, m.Name)) {
		return true
	}
	return slices.ContainsFunc(x.own.chainOf(m, x.cluster), func(c incident.Target) bool {
		return slices.Contains(x.borne, objectKey(c.Kind, c.Namespace, c.Name))
	})
}

// concernsAny says whether what an object bears on is what the question is about.
func (x *examination) concernsAny(keys []string) bool {
	t := x.q.Target
	if !x.judgedByPods() {
		return false
	}
	for _, key := range keys {
		if t.Name != "" && key == objectKey(t.Kind, t.Namespace, t.Name) {
			return true
		}
		for _, p := range x.pods {
			if slices.Contains(p.within, key) {
				return true
			}
		}
	}
	return false
}

// byName is an object by its name, as complete as the evidence shows it.
func (x *examination) byName(kind, namespace, name string) incident.Target {
	if c, ok := x.own.byName[[3]string{kind, namespace, name}]; ok {
		return c.target(x.cluster)
	}
	return incident.Target{Cluster: x.cluster, Namespace: namespace, Kind: kind, Name: name}
}

// relevant leaves out what only bears on the question and explains nothing of it:
// the pressure on a node under a question about a pod, the pods under a question
// about their autoscaler.
func (x *examination) relevant(found []finding) []finding {
	kept, rest := []finding{}, []finding{}
	for _, f := range found {
		if x.asked(f) {
			kept = append(kept, f)
		} else {
			rest = append(rest, f)
		}
	}
	kept, rest = x.worst(kept), x.worst(rest)
	for range maxSymptoms { // as long as a chain of explanations may be
		var still []finding
		for _, f := range rest {
			if slices.ContainsFunc(kept, f.beats) {
				kept = append(kept, f)
			} else {
				still = append(still, f)
			}
		}
		if len(still) == len(rest) {
			break
		}
		rest = still
	}
	return kept
}

// aboutPods says whether the question is about something that fares as its pods
// do: how its autoscaler or its quota fares is no proof of its health then.
func (x *examination) aboutPods() bool { return x.judgedByPods() && !x.open() }

// maxFindings bounds what is weighed against each other: hostile evidence holds
// thousands of ill things.
const maxFindings = 500

func (x *examination) worst(found []finding) []finding {
	if len(found) <= maxFindings {
		return found
	}
	slices.SortStableFunc(found, worse(x.q.Target.Container))
	return found[:maxFindings]
}

// podsAreWell says whether every pod in question is ready: then the trouble of
// their controller is that of its other pods.
func (x *examination) podsAreWell() bool {
	return len(x.pods) > 0 && !slices.ContainsFunc(x.pods, func(p *pod) bool { return !p.ready() })
}

// asked says whether a finding is about what the question is about.
func (x *examination) asked(f finding) bool {
	t := x.q.Target
	switch {
	case x.open():
		return true
	case t.Host != "":
		return !f.away || f.subject.Kind == "Node" && f.subject.Name == t.Host
	}
	switch t.Kind {
	case "Pod":
		return !f.away && (f.subject.Kind == "Pod" || f.subject.Kind == "Node" || !x.podsAreWell() && isController(f.subject.Kind))
	case "ResourceQuota":
		return f.cause == causeQuotaExceeded
	case "Node", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Application", "Kustomization", "HelmRelease":
		return f.subject.Kind == t.Kind && f.subject.Name == t.Name
	}
	return !f.away
}
