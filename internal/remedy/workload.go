package remedy

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// workload is one controller of pods, as far as a change to it must know.
type workload struct {
	kind     string
	meta     *metav1.ObjectMeta
	replicas int // wanted
	ready    int // as its status says
	rolling  int // pods that a rolling change may take away at once
	how      string
	selector string // "" where it has none, or one that selects everything
}

func (w workload) target(cluster string) incident.Target {
	return incident.Target{
		Cluster: cluster, Namespace: w.meta.Namespace, Kind: w.kind, Name: w.meta.Name, UID: string(w.meta.UID), Generation: w.meta.Generation,
	}
}

func (w workload) name() string { return w.kind + " " + w.meta.Namespace + "/" + w.meta.Name }

// workloadOf finds the owner in the evidence.
func workloadOf(ev evidence.Evidence, owner incident.Target) (workload, error) {
	w, found := findWorkload(ev, owner)
	switch {
	case !found:
		return w, fmt.Errorf("the evidence does not hold %s", clip(owner.String(), 200))
	case w.meta.UID == "":
		return w, fmt.Errorf("the evidence holds no UID of %s", w.name())
	case owner.UID != "" && owner.UID != string(w.meta.UID):
		return w, fmt.Errorf("the evidence holds another %s: its UID is %s, the owner is %s", w.name(), clip(string(w.meta.UID), 60), clip(owner.UID, 60))
	case w.meta.DeletionTimestamp != nil:
		return w, fmt.Errorf("%s is being deleted", w.name())
	}
	w.selector = diagnose.Selector(ev, w.target(owner.Cluster))
	return w, nil
}

func findWorkload(ev evidence.Evidence, t incident.Target) (workload, bool) {
	is := func(m *metav1.ObjectMeta) bool { return m.Namespace == t.Namespace && m.Name == t.Name }
	switch t.Kind {
	case "Deployment":
		for i := range ev.Deployments {
			if d := &ev.Deployments[i]; is(&d.ObjectMeta) {
				return ofDeployment(d), true
			}
		}
	case "StatefulSet":
		for i := range ev.StatefulSets {
			if s := &ev.StatefulSets[i]; is(&s.ObjectMeta) {
				return workload{kind: t.Kind, meta: &s.ObjectMeta, replicas: wanted(s.Spec.Replicas), ready: int(s.Status.ReadyReplicas),
					rolling: 1, how: "one pod after the other"}, true
			}
		}
	case "DaemonSet":
		for i := range ev.DaemonSets {
			if d := &ev.DaemonSets[i]; is(&d.ObjectMeta) {
				return ofDaemonSet(d), true
			}
		}
	}
	return workload{}, false
}

// wanted is what a spec says; the API server's default is one.
func wanted(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

// ofDeployment reckons a rolling update as its controller does: a percentage of
// maxUnavailable is rounded down, and one pod goes where neither it nor maxSurge
// leaves room (k8s.io/kubectl, ResolveFenceposts).
func ofDeployment(d *appsv1.Deployment) workload {
	w := workload{kind: "Deployment", meta: &d.ObjectMeta, replicas: wanted(d.Spec.Replicas), ready: int(d.Status.ReadyReplicas)}
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		w.rolling, w.how = w.replicas, "all its pods stop before new ones start"
		return w
	}
	unavailable, surge := intstr.FromString("25%"), intstr.FromString("25%")
	if r := d.Spec.Strategy.RollingUpdate; r != nil {
		if r.MaxUnavailable != nil {
			unavailable = *r.MaxUnavailable
		}
		if r.MaxSurge != nil {
			surge = *r.MaxSurge
		}
	}
	w.rolling = scaled(unavailable, w.replicas, false)
	if w.rolling == 0 && scaled(surge, w.replicas, true) == 0 {
		w.rolling = 1
	}
	w.how = "its pods are replaced step by step"
	return w
}

func ofDaemonSet(d *appsv1.DaemonSet) workload {
	w := workload{kind: "DaemonSet", meta: &d.ObjectMeta, replicas: int(d.Status.DesiredNumberScheduled), ready: int(d.Status.NumberReady),
		rolling: 1, how: "node by node"}
	if r := d.Spec.UpdateStrategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		w.rolling = scaled(*r.MaxUnavailable, w.replicas, true)
	}
	return w
}

// scaled is a share of replicas; one that cannot be read is all of them.
func scaled(share intstr.IntOrString, replicas int, up bool) int {
	n, err := intstr.GetScaledValueFromIntOrPercent(&share, replicas, up)
	if err != nil {
		return replicas
	}
	return n
}

func podReady(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0
}
