package remedy

import (
	"fmt"
	"maps"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
)

const apiTimeout = 30 * time.Second

// buildCordon keeps new pods away from a node that is ill.
func buildCordon(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	t := first(isKind("Node"), r.Diagnosis.Subject, r.Diagnosis.Owner, r.Target, r.Incident.Target)
	if t.Kind != "Node" {
		return plan{}, fmt.Errorf("the diagnosis is about %q, not about a Node", clip(t.Kind, 60))
	}
	cluster, err := r.cluster(t)
	if err != nil {
		return plan{}, err
	}
	var node *corev1.Node
	for i := range r.Evidence.Nodes {
		if r.Evidence.Nodes[i].Name == t.Name {
			node = &r.Evidence.Nodes[i]
		}
	}
	switch {
	case node == nil:
		return plan{}, fmt.Errorf("the evidence does not hold node %s", clip(t.Name, 253))
	case node.Spec.Unschedulable:
		return plan{}, fmt.Errorf("node %s takes no new pods already", node.Name)
	}
	forth, err := cordon(cluster, node, true)
	if err != nil {
		return plan{}, err
	}
	back, err := cordon(cluster, node, false)
	if err != nil {
		return plan{}, err
	}
	return plan{
		target:       incident.Target{Cluster: cluster, Kind: "Node", Name: node.Name, UID: string(node.UID)},
		summary:      fmt.Sprintf("Cordon node %s: it takes no new pods; those that run stay.", node.Name),
		timeout:      apiTimeout,
		precondition: objectPrecondition{UID: string(node.UID)},
		rollback:     rollback{"k8s.node.cordon", fmt.Sprintf("Uncordon node %s.", node.Name), cordonParams{false}, back},
		params:       cordonParams{true},
		execute:      forth,
	}, nil
}

type cordonParams struct {
	Unschedulable bool `json:"unschedulable"`
}

func cordon(cluster string, node *corev1.Node, on bool) (kubernetesShape, error) {
	req, err := kube.ApplyTo("Node", "", node.Name, string(node.UID), map[string]any{"unschedulable": on})
	return kubernetes(cluster, req, apiTimeout, nil), err
}

func isKind(kind string) func(incident.Target) bool {
	return func(t incident.Target) bool { return t.Kind == kind }
}

// first is the first target that will do; the first of all where none does.
func first(will func(incident.Target) bool, targets ...incident.Target) incident.Target {
	for _, t := range targets {
		if will(t) {
			return t
		}
	}
	return targets[0]
}

// buildRerun makes a new Job of a failed one's template. A CronJob makes its own.
func buildRerun(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	t := first(isKind("Job"), r.Diagnosis.Subject, r.Diagnosis.Owner, r.Target, r.Incident.Target)
	cluster, err := r.cluster(t)
	if err != nil {
		return plan{}, err
	}
	job, err := jobOf(r.Evidence, t)
	if err != nil {
		return plan{}, err
	}
	name := clip63(job.Name, "-rerun-"+clipTo(string(job.UID), 8))
	again := batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: job.Namespace, Labels: ownLabels(job.Labels), Annotations: map[string]string{"salve/rerun-of": job.Name}},
		Spec:       *job.Spec.DeepCopy(),
	}
	again.Spec.Selector, again.Spec.ManualSelector = nil, nil
	again.Spec.Template.Labels = ownLabels(again.Spec.Template.Labels)
	req, err := kube.Create("Job", job.Namespace, again)
	if err != nil {
		return plan{}, err
	}
	path, err := kube.ObjectPath("Job", job.Namespace, name)
	if err != nil {
		return plan{}, err
	}
	return plan{
		target:       incident.Target{Cluster: cluster, Namespace: job.Namespace, Kind: "Job", Name: job.Name, UID: string(job.UID)},
		summary:      fmt.Sprintf("Run Job %s/%s once more, as %s.", job.Namespace, job.Name, name),
		timeout:      apiTimeout,
		params:       rerunParams{name},
		precondition: objectPrecondition{UID: string(job.UID)},
		verify: verification{
			Summary: "Job " + name + " completes", Target: incident.Target{Cluster: cluster, Namespace: job.Namespace, Kind: "Job", Name: name},
			Until: "complete", LookSeconds: int(r.LookEvery.Seconds()), Path: path,
		},
		execute: kubernetes(cluster, req, apiTimeout, nil),
	}, nil
}

type rerunParams struct {
	Name string `json:"name"`
}

func jobOf(ev evidence.Evidence, t incident.Target) (*batchv1.Job, error) {
	for i := range ev.Jobs {
		job := &ev.Jobs[i]
		if job.Namespace != t.Namespace || job.Name != t.Name || t.Kind != "Job" {
			continue
		}
		owner := metav1.GetControllerOfNoCopy(job)
		switch {
		case job.UID == "":
			return nil, fmt.Errorf("the evidence holds no UID of Job %s", job.Name)
		case t.UID != "" && t.UID != string(job.UID):
			return nil, fmt.Errorf("the evidence holds another Job of the name %s", job.Name)
		case owner != nil:
			return nil, fmt.Errorf("job %s belongs to %s %s, which makes the next one by itself", job.Name, clip(owner.Kind, 60), clip(owner.Name, 253))
		case job.Status.Active > 0:
			return nil, fmt.Errorf("job %s still runs", job.Name)
		}
		return job, nil
	}
	return nil, fmt.Errorf("the evidence does not hold Job %s", clip(t.String(), 200))
}

// ownLabels are a Job's labels without those that its controller gave it.
func ownLabels(given map[string]string) map[string]string {
	own := maps.Clone(given)
	for _, mark := range []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"} {
		delete(own, mark)
	}
	return own
}

// clip63 keeps a name with its end within what Kubernetes takes for a Job.
func clip63(name, end string) string { return clipTo(name, 63-len(end)) + end }

func clipTo(s string, n int) string { return s[:min(n, len(s))] }

// buildSuspend keeps Argo CD or Flux from undoing what is done in the cluster.
// Argo CD leaves an application alone that bears its skip-reconcile annotation,
// so that nothing of its sync policy has to be remembered.
func buildSuspend(r Request) (plan, error) { return buildGitOps(r, true) }

// buildResume lets it follow Git again.
func buildResume(r Request) (plan, error) { return buildGitOps(r, false) }

func buildGitOps(r Request, suspend bool) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	g, err := managerOf(r)
	if err != nil {
		return plan{}, err
	}
	cluster, err := r.cluster(incident.Target{})
	if err != nil {
		return plan{}, err
	}
	shapes := map[bool]kubernetesShape{}
	for _, on := range []bool{true, false} {
		req, err := kube.MergeInto(g.Kind, g.Namespace, g.Name, suspension(g.Kind, on))
		if err != nil {
			return plan{}, err
		}
		shapes[on] = kubernetes(cluster, req, apiTimeout, nil)
	}
	name := g.Kind + " " + g.Namespace + "/" + g.Name
	action, summary := map[bool]string{true: "gitops.suspend", false: "gitops.resume"}, map[bool]string{
		true: "Suspend " + name + ": Git is not followed until it is resumed.", false: "Resume " + name + ": Git is followed again.",
	}
	return plan{
		target:  incident.Target{Cluster: cluster, Namespace: g.Namespace, Kind: g.Kind, Name: g.Name},
		summary: summary[suspend], timeout: apiTimeout, params: suspendParams{suspend},
		rollback: rollback{action[!suspend], summary[!suspend], suspendParams{!suspend}, shapes[!suspend]},
		execute:  shapes[suspend],
	}, nil
}

type suspendParams struct {
	Suspend bool `json:"suspend"`
}

func suspension(kind string, on bool) map[string]any {
	if kind == "Application" {
		var mark any
		if on {
			mark = "true"
		}
		return map[string]any{"metadata": map[string]any{"annotations": map[string]any{"argocd.argoproj.io/skip-reconcile": mark}}}
	}
	return map[string]any{"spec": map[string]any{"suspend": on}}
}

// managerOf is the one GitOps object that brings the owner.
func managerOf(r Request) (evidence.GitOps, error) {
	found := diagnose.Managers(r.Evidence, r.Diagnosis.Owner)
	if len(found) != 1 {
		return evidence.GitOps{}, fmt.Errorf("the evidence shows %d Argo CD or Flux objects that bring %s, not one", len(found), clip(r.Diagnosis.Owner.String(), 200))
	}
	return found[0], nil
}
