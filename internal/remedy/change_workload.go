package remedy

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"salve/internal/evidence"
	"salve/internal/kube"
)

const rolloutTimeout = 300 * time.Second

// The changes within a cluster, beside those with a file of their own.
func clusterChanges() []remedy {
	return []remedy{
		{Entry{"k8s.deployment.restart", change, medium, false, "every pod of one workload is replaced, as its strategy says"}, checkNone, buildRolloutRestart, rollingBlast},
		{Entry{"k8s.deployment.rollback", change, high, true, "every pod of one Deployment is replaced, as its strategy says"}, checkNone, buildRollback, rollingBlast},
		{Entry{"k8s.deployment.scale", change, medium, true, "pods are added, or taken away"}, checkScale, buildScale, scaleBlast},
		{Entry{"k8s.node.cordon", change, medium, true, "no new pods on one node; those that run stay"}, checkNone, buildCordon, nil},
		{Entry{"k8s.job.rerun", change, medium, false, "one more Job runs"}, checkNone, buildRerun, nil},
		{Entry{pullRequestAction, change, low, true, "nothing until people merge it"}, checkPullRequest, buildPullRequest, nil},
		{Entry{"gitops.suspend", change, medium, true, "Git is not followed for one application"}, checkNone, buildSuspend, nil},
		{Entry{"gitops.resume", change, medium, true, "what Git says is brought back"}, checkNone, buildResume, nil},
	}
}

func labelsMatch(selector string, set map[string]string) (bool, error) {
	s, err := labels.Parse(selector)
	if err != nil || s.Empty() {
		return false, err
	}
	return s.Matches(labels.Set(set)), nil
}

type objectPrecondition struct {
	UID        string `json:"uid"`
	Generation int64  `json:"generation,omitempty"`
}

// buildRolloutRestart replaces every pod, as `kubectl rollout restart` does. The
// mark names the generation that it follows, so that the same plan on fresh
// evidence is the same plan.
func buildRolloutRestart(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	cluster, err := r.cluster(r.Diagnosis.Owner)
	if err != nil {
		return plan{}, err
	}
	w, err := workloadOf(r.Evidence, r.Diagnosis.Owner)
	if err != nil {
		return plan{}, err
	}
	mark := map[string]any{"kubectl.kubernetes.io/restartedAt": fmt.Sprintf("by salve after generation %d", w.meta.Generation)}
	req, err := kube.ApplyTo(w.kind, w.meta.Namespace, w.meta.Name, string(w.meta.UID),
		map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": mark}}})
	if err != nil {
		return plan{}, err
	}
	path, err := kube.ObjectPath(w.kind, w.meta.Namespace, w.meta.Name)
	if err != nil {
		return plan{}, err
	}
	target := w.target(cluster)
	return plan{
		target: target, summary: fmt.Sprintf("Restart %s; %s.", w.name(), w.how), timeout: rolloutTimeout,
		precondition: objectPrecondition{string(w.meta.UID), w.meta.Generation},
		verify:       r.verifyReady(target, path),
		execute:      kubernetes(cluster, req, rolloutTimeout, &watch{Path: path, Until: "ready"}),
	}, nil
}

type scaleParams struct {
	Replicas int `json:"replicas"` // exactly so many; 0: by Add
	Add      int `json:"add"`      // more, or fewer
	Min      int `json:"min"`
	Max      int `json:"max"`

	Recommended bool `json:"recommended"` // as many as POST /v1/capacity recommended, and not fewer than there are
}

func readScale(params map[string]any) (scaleParams, error) {
	p := reader{given: params}
	most, recommended := 20, p.flag("recommended")
	if recommended {
		most = 1000 // policy's scaling.max_pods bounds what is recommended
	}
	out := scaleParams{
		Replicas: p.whole("replicas", 0, 1, 1000), Add: p.whole("add", 0, -100, 100),
		Min: p.whole("min", 1, 1, 1000), Max: p.whole("max", most, 1, 1000),
		Recommended: recommended,
	}
	if err := p.done(); err != nil {
		return out, err
	}
	switch {
	case given(out.Replicas != 0, out.Add != 0, out.Recommended) != 1:
		return out, fmt.Errorf("give one of replicas, add and recommended")
	case out.Min > out.Max:
		return out, fmt.Errorf("min is %d, above max, which is %d", out.Min, out.Max)
	}
	return out, nil
}

func given(which ...bool) int {
	n := 0
	for _, is := range which {
		if is {
			n++
		}
	}
	return n
}

func checkScale(params map[string]any) error {
	_, err := readScale(params)
	return err
}

// scale is the workload and how many replicas it is to have.
func (r Request) scale() (workload, int, error) {
	params, err := readScale(r.Params)
	if err != nil {
		return workload{}, 0, err
	}
	w, err := workloadOf(r.Evidence, r.Diagnosis.Owner)
	if err != nil {
		return w, 0, err
	}
	if w.kind == "DaemonSet" {
		return w, 0, fmt.Errorf("%s has a pod on each node and cannot be scaled", w.name())
	}
	if params.Recommended && r.Evidence.HPAs == nil {
		return w, 0, fmt.Errorf("nobody looked whether an autoscaler owns the replicas of %s", w.name())
	}
	for _, h := range r.Evidence.HPAs {
		if ref := h.Spec.ScaleTargetRef; h.Namespace == w.meta.Namespace && ref.Kind == w.kind && ref.Name == w.meta.Name {
			return w, 0, fmt.Errorf("autoscaler %s owns the replicas of %s: its bounds are what may be changed", clip(h.Name, 253), w.name())
		}
	}
	to := params.Replicas
	switch {
	case params.Recommended:
		if to, err = r.recommended(w); err != nil {
			return w, 0, err
		}
	case to == 0:
		to = w.replicas + params.Add
	}
	switch to = min(max(to, params.Min), params.Max); {
	case to < w.replicas && (params.Recommended || params.Add > 0):
		return w, to, fmt.Errorf("%s has %d replicas already, over max, which is %d", w.name(), w.replicas, params.Max)
	case to > w.replicas && params.Add < 0:
		return w, to, fmt.Errorf("%s has %d replicas already, under min, which is %d", w.name(), w.replicas, params.Min)
	case to == w.replicas:
		return w, to, fmt.Errorf("%s has %d replicas already, within %d and %d", w.name(), to, params.Min, params.Max)
	}
	return w, to, nil
}

// recommended is how many replicas the evidence says a workload should have.
func (r Request) recommended(w workload) (int, error) {
	for _, u := range r.Evidence.Usages {
		n := u.Measured[evidence.RecommendedReplicas]
		if !n.Known || u.Name != w.meta.Name || u.Namespace != w.meta.Namespace || u.Kind != w.kind {
			continue
		}
		if now := u.Measured[evidence.PresentReplicas]; now.Value != float64(w.replicas) {
			return 0, fmt.Errorf("%s replicas are recommended for %s where it has %s, and it has %d", n, w.name(), now, w.replicas)
		}
		if n.Value <= float64(w.replicas) || n.Value != float64(int(n.Value)) {
			return 0, fmt.Errorf("%s are recommended for %s, which has %d: not more", n, w.name(), w.replicas)
		}
		return int(n.Value), nil
	}
	return 0, fmt.Errorf("nothing in the evidence says how many replicas %s should have (POST /v1/capacity does)", w.name())
}

func buildScale(r Request) (plan, error) {
	cluster, err := r.cluster(r.Diagnosis.Owner)
	if err != nil {
		return plan{}, err
	}
	w, to, err := r.scale()
	if err != nil {
		return plan{}, err
	}
	forth, err := w.scaled(cluster, to)
	if err != nil {
		return plan{}, err
	}
	back, err := w.scaled(cluster, w.replicas)
	if err != nil {
		return plan{}, err
	}
	target := w.target(cluster)
	return plan{
		target: target, summary: fmt.Sprintf("Scale %s from %d to %d replicas.", w.name(), w.replicas, to), timeout: rolloutTimeout,
		params:       scaleDone{w.replicas, to},
		precondition: objectPrecondition{string(w.meta.UID), w.meta.Generation},
		rollback: rollback{"k8s.deployment.scale", fmt.Sprintf("Scale %s back to %d replicas.", w.name(), w.replicas),
			scaleDone{to, w.replicas}, back},
		verify: r.verifyReady(target, forth.Watch.Path), execute: forth,
	}, nil
}

type scaleDone struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (w workload) scaled(cluster string, to int) (kubernetesShape, error) {
	req, err := kube.ApplyTo(w.kind, w.meta.Namespace, w.meta.Name, string(w.meta.UID), map[string]any{"replicas": to})
	if err != nil {
		return kubernetesShape{}, err
	}
	path, err := kube.ObjectPath(w.kind, w.meta.Namespace, w.meta.Name)
	return kubernetes(cluster, req, rolloutTimeout, &watch{Path: path, Until: "ready"}), err
}
