package remedy

import (
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/kube"
)

// revisionMark is where the Deployment controller numbers its ReplicaSets.
const revisionMark = "deployment.kubernetes.io/revision"

// rollbackShape names the ReplicaSet whose template n8n copies at that moment, in
// the cluster: evidence is redacted, and what was redacted is never written back.
type rollbackShape struct {
	Shape          string `json:"shape"`
	Cluster        string `json:"cluster"`
	Namespace      string `json:"namespace"`
	Deployment     string `json:"deployment"`
	DeploymentUID  string `json:"deployment_uid"`
	ReplicaSet     string `json:"replica_set"`
	ReplicaSetUID  string `json:"replica_set_uid"`
	Revision       int    `json:"revision"`
	Path           string `json:"path"` // of the Deployment
	TimeoutSeconds int    `json:"timeout_seconds"`
	Watch          *watch `json:"watch,omitempty"`
}

type rollbackParams struct {
	FromRevision int    `json:"from_revision"`
	ToRevision   int    `json:"to_revision"`
	ReplicaSet   string `json:"replica_set"`
}

// buildRollback takes a Deployment back to the newest older revision that still
// serves, else to the newest older one. Its failed configuration lies in the
// evidence by then: the diagnosis rests on it.
func buildRollback(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	owner := r.Diagnosis.Owner
	cluster, err := r.cluster(owner)
	if err != nil {
		return plan{}, err
	}
	d, err := deploymentOf(r.Evidence, owner)
	if err != nil {
		return plan{}, err
	}
	now, old, err := revisions(r.Evidence, d)
	if err != nil {
		return plan{}, err
	}
	forth, err := rollbackTo(cluster, d, old)
	if err != nil {
		return plan{}, err
	}
	back, err := rollbackTo(cluster, d, now)
	if err != nil {
		return plan{}, err
	}
	w := ofDeployment(d)
	target := w.target(cluster)
	return plan{
		target: target, timeout: rolloutTimeout,
		summary: fmt.Sprintf("Roll back %s from revision %d to %d (%s); %s.", w.name(), forth.from(now), forth.Revision, images(old), w.how),
		params:  rollbackParams{forth.from(now), forth.Revision, old.Name}, precondition: objectPrecondition{string(d.UID), d.Generation},
		rollback: undo{"k8s.deployment.rollback", fmt.Sprintf("Bring %s forward again to revision %d.", w.name(), back.Revision),
			rollbackParams{forth.Revision, back.Revision, now.Name}, back},
		verify: r.verifyReady(target, forth.Watch.Path), execute: forth,
	}, nil
}

// undo is a rollback of another shape than the cluster's API.
type undo struct {
	Action  string        `json:"action"`
	Summary string        `json:"summary"`
	Params  any           `json:"params"`
	Execute rollbackShape `json:"execute"`
}

func (rollbackShape) from(now *appsv1.ReplicaSet) int { return revisionOf(now) }

func rollbackTo(cluster string, d *appsv1.Deployment, set *appsv1.ReplicaSet) (rollbackShape, error) {
	path, err := kube.ObjectPath("Deployment", d.Namespace, d.Name)
	if err != nil {
		return rollbackShape{}, err
	}
	if err := kube.CheckSubdomain("ReplicaSet name", set.Name); err != nil {
		return rollbackShape{}, err
	}
	if err := kube.CheckUID(string(set.UID)); err != nil {
		return rollbackShape{}, fmt.Errorf("ReplicaSet %s: %w", set.Name, err)
	}
	return rollbackShape{
		Shape: "rollback", Cluster: cluster, Namespace: d.Namespace, Deployment: d.Name, DeploymentUID: string(d.UID),
		ReplicaSet: set.Name, ReplicaSetUID: string(set.UID), Revision: revisionOf(set), Path: path,
		TimeoutSeconds: int(rolloutTimeout / time.Second), Watch: &watch{Path: path, Until: "ready"},
	}, nil
}

// revisions are the ReplicaSet of today's template, and the one to go back to.
func revisions(ev evidence.Evidence, d *appsv1.Deployment) (now, old *appsv1.ReplicaSet, err error) {
	current := revisionOf(d)
	for i := range ev.ReplicaSets {
		set := &ev.ReplicaSets[i]
		if set.Namespace != d.Namespace || !metav1.IsControlledBy(set, d) || revisionOf(set) == 0 {
			continue
		}
		switch revision := revisionOf(set); {
		case revision == current:
			now = set
		case revision < current && better(set, old):
			old = set
		}
	}
	switch {
	case current == 0:
		return nil, nil, fmt.Errorf("the evidence does not say which revision Deployment %s is at", d.Name)
	case now == nil:
		return nil, nil, fmt.Errorf("the evidence does not hold the ReplicaSet of revision %d of Deployment %s", current, d.Name)
	case old == nil:
		return nil, nil, fmt.Errorf("the evidence holds no older revision of Deployment %s than %d to go back to", d.Name, current)
	}
	return now, old, nil
}

// better prefers what serves now, then what is newer.
func better(set, than *appsv1.ReplicaSet) bool {
	if than == nil {
		return true
	}
	if a, b := set.Status.ReadyReplicas > 0, than.Status.ReadyReplicas > 0; a != b {
		return a
	}
	return revisionOf(set) > revisionOf(than)
}

func revisionOf(o metav1.Object) int {
	n, err := strconv.Atoi(o.GetAnnotations()[revisionMark])
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// images name what a revision runs, for people.
func images(set *appsv1.ReplicaSet) string {
	names := ""
	for i, c := range set.Spec.Template.Spec.Containers {
		if i == 3 {
			return names + ", …"
		}
		if i > 0 {
			names += ", "
		}
		names += clip(c.Image, 120)
	}
	if names == "" {
		return "image unknown"
	}
	return names
}
