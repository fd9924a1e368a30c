package diagnose

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// scope is the part of the evidence that a question is about.
type scope struct {
	pods      []*corev1.Pod
	gone      bool // the pod that was asked about is not there, or going; pods are its siblings
	ambiguous bool // the name stands for objects of several namespaces
}

// isPodKind says whether a target of this kind is judged by its pods.
func isPodKind(kind string) bool {
	switch kind {
	case "", "Pod", "Namespace", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob":
		return true
	}
	return false
}

// scope finds the pods that count for a target: all of the evidence when no
// Kubernetes object is named, for then the evidence itself is the target.
func scopeOf(e evidence.Evidence, own owners, t incident.Target) scope {
	var found scope
	pods := distinctPods(e)
	for _, p := range pods {
		if t.Name == "" || counts(own, p, t) {
			found.pods = append(found.pods, p)
		}
	}
	if (t.Kind == "Pod" || t.Kind == "") && t.Name != "" && allGoing(found.pods) {
		found.gone = true
		found.pods = append(found.pods, siblings(pods, own, t)...)
	}
	found.ambiguous = t.Name != "" && t.Namespace == "" && severalNamespaces(found.pods)
	found.settle()
	return found
}

// distinctPods gives every pod once, in an order that does not depend on how
// they came.
func distinctPods(e evidence.Evidence) []*corev1.Pod {
	byKey := make(map[string]*corev1.Pod, len(e.Pods))
	keys := make([]string, 0, len(e.Pods))
	for i := range e.Pods {
		p := &e.Pods[i]
		key := p.Namespace + "/" + p.Name + "/" + string(p.UID)
		if had, ok := byKey[key]; ok {
			larger := evidence.Larger(*had, *p)
			p = &larger
		} else {
			keys = append(keys, key)
		}
		byKey[key] = p
	}
	slices.Sort(keys)
	out := make([]*corev1.Pod, len(keys))
	for i, key := range keys {
		out[i] = byKey[key]
	}
	return out
}

func counts(own owners, p *corev1.Pod, t incident.Target) bool {
	if t.Kind == "Namespace" {
		return p.Namespace == t.Name
	}
	if (t.Kind == "Pod" || t.Kind == "") && samePlace(&p.ObjectMeta, t.Namespace, t.Name) {
		return true
	}
	return t.Kind != "Pod" && own.belongs(p, t)
}

// siblings are the pods whose controller made the pod that is no longer there,
// as its name tells.
func siblings(pods []*corev1.Pod, own owners, t incident.Target) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range pods {
		if p.Name == t.Name || t.Namespace != "" && p.Namespace != t.Namespace {
			continue
		}
		chain := own.chain(p, "")
		if len(chain) == 0 {
			continue
		}
		top := chain[len(chain)-1]
		if top.Kind == "ReplicaSet" {
			if d := deploymentOf(p, top.Name); d != "" {
				top = incident.Target{Kind: "Deployment", Name: d}
			}
		}
		if madeBy(t.Name, top) || madeBy(t.Name, chain[0]) {
			out = append(out, p)
		}
	}
	return out
}

// madeBy says whether a pod's name is of the form that a controller gives:
// name-hash-random for a Deployment, name-random or name-ordinal for the others.
func madeBy(pod string, c incident.Target) bool {
	rest, ok := strings.CutPrefix(pod, c.Name+"-")
	if !ok || rest == "" {
		return false
	}
	parts := strings.Split(rest, "-")
	if c.Kind == "Deployment" || c.Kind == "CronJob" {
		return len(parts) == 2 && len(parts[0]) <= 10 && len(parts[1]) == 5
	}
	if c.Kind == "StatefulSet" {
		return len(parts) == 1 && strings.Trim(rest, "0123456789") == ""
	}
	return len(parts) == 1 && len(rest) == 5
}

func allGoing(pods []*corev1.Pod) bool {
	for _, p := range pods {
		if p.DeletionTimestamp == nil {
			return false
		}
	}
	return true
}

func severalNamespaces(pods []*corev1.Pod) bool {
	for _, p := range pods {
		if p.Namespace != pods[0].Namespace {
			return true
		}
	}
	return false
}

// settle leaves out what no longer counts while other pods are there: pods that
// are going away, evicted ones that their controller has replaced, and a job's
// failed attempts before one that succeeded.
func (s *scope) settle() {
	var kept []*corev1.Pod
	for _, p := range s.pods {
		if p.DeletionTimestamp == nil && !replaced(p, s.pods) {
			kept = append(kept, p)
		}
	}
	if len(kept) > 0 {
		s.pods = kept
	}
}

// maxSettle bounds a comparison of every pod with every other.
const maxSettle = 200

func replaced(p *corev1.Pod, pods []*corev1.Pod) bool {
	if p.Status.Phase != corev1.PodFailed || len(pods) > maxSettle {
		return false
	}
	for _, o := range pods {
		if o == p || !sameController(o, p) {
			continue
		}
		later := p.CreationTimestamp.Before(&o.CreationTimestamp)
		if o.Status.Phase == corev1.PodSucceeded && later {
			return true
		}
		if evicted(p) && later && o.Status.Phase == corev1.PodRunning {
			return true
		}
	}
	return false
}

// evicted says whether the pod was ended from outside.
func evicted(p *corev1.Pod) bool {
	reason := p.Status.Reason
	return ends[reason] != "" || refusals[reason] != "" || reason == "NodeLost" || reason == "UnexpectedAdmissionError" || strings.HasPrefix(reason, "OutOf")
}

func sameController(a, b *corev1.Pod) bool {
	for _, x := range a.OwnerReferences {
		for _, y := range b.OwnerReferences {
			if x.Controller != nil && *x.Controller && x.UID == y.UID && a.Namespace == b.Namespace {
				return true
			}
		}
	}
	return false
}

func failedFromOutside(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed && evicted(p)
}
