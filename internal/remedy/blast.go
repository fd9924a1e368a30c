package remedy

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/incident"
)

// Blast is what a change makes worse while it runs, in replicas, as far as the
// evidence shows. What it does not show is not known, and counts as the worst.
func Blast(r Request) incident.Blast {
	row, err := find(r.Action)
	switch {
	case err != nil:
		return incident.Blast{Words: err.Error()}
	case row.blast == nil:
		return incident.Blast{Known: true, Words: row.Blast}
	}
	return row.blast(r)
}

func unknownBlast(why string) incident.Blast { return incident.Blast{Words: why} }

// podBlast is the loss of one pod: nothing where it does not serve anyhow.
func podBlast(r Request) incident.Blast {
	pod, err := podOf(r.Evidence, r.Diagnosis.Subject)
	if err != nil {
		return unknownBlast(err.Error())
	}
	if !podReady(pod) {
		return incident.Blast{Known: true, Words: "pod " + pod.Name + " is not ready anyhow"}
	}
	w, err := workloadOf(r.Evidence, r.Diagnosis.Owner)
	if err != nil {
		return unknownBlast(err.Error())
	}
	return w.without(r, 1, "pod "+pod.Name)
}

// rollingBlast is a change of a workload's template.
func rollingBlast(r Request) incident.Blast {
	w, err := workloadOf(r.Evidence, r.Diagnosis.Owner)
	if err != nil {
		return unknownBlast(err.Error())
	}
	return w.without(r, w.rolling, w.how)
}

// without is a workload that loses some pods. Of those, the ones that are not
// ready now are no loss.
func (w workload) without(r Request, pods int, words string) incident.Blast {
	if w.selector == "" {
		return unknownBlast(w.name() + " has no selector, or one that selects everything")
	}
	return incident.Blast{Unavailable: min(pods, w.replicas), Replicas: w.replicas, Ready: max(w.ready, readyPods(r, w)), Known: true, Words: words}
}

// readyPods counts the pods of a workload that the evidence holds and shows ready.
func readyPods(r Request, w workload) int {
	n := 0
	for i := range r.Evidence.Pods {
		if p := &r.Evidence.Pods[i]; p.Namespace == w.meta.Namespace && podReady(p) && ownedBy(p, w) {
			n++
		}
	}
	return n
}

func ownedBy(p *corev1.Pod, w workload) bool {
	selected, err := labelsMatch(w.selector, p.Labels)
	return err == nil && selected
}

// scaleBlast is what fewer replicas take away.
func scaleBlast(r Request) incident.Blast {
	w, to, err := r.scale()
	if err != nil {
		return unknownBlast(err.Error())
	}
	return w.without(r, max(0, w.replicas-to), fmt.Sprintf("from %d to %d replicas", w.replicas, to))
}
