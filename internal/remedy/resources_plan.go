package remedy

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"salve/internal/incident"
	"salve/internal/kube"
)

// resourcesDone is the parameters as they are executed.
type resourcesDone struct {
	Container string `json:"container"`
	From      string `json:"from"`
	To        string `json:"to"`
	Request   string `json:"request,omitempty"` // raised with the limit, where both are the same
	resourcesParams
}

type resourcesPrecondition struct {
	UID         string `json:"uid"`
	Generation  int64  `json:"generation"`
	Container   string `json:"container"`
	MemoryLimit string `json:"memory_limit"`
}

// rollback is another intent in the making: what it would do, and what execute
// would hold.
type rollback struct {
	Action  string          `json:"action"`
	Summary string          `json:"summary"`
	Params  any             `json:"params"`
	Execute kubernetesShape `json:"execute"`
}

func (r Request) renderResources(cluster string, d *appsv1.Deployment, old kube.MemoryChange, to resource.Quantity, params resourcesParams) (plan, error) {
	raised := old
	raised.Limit = to
	if old.Request != nil {
		raised.Request = &to
	}
	forth, err := applyShape(cluster, raised)
	if err != nil {
		return plan{}, err
	}
	back, err := applyShape(cluster, old)
	if err != nil {
		return plan{}, err
	}
	from := old.Limit.String()
	target := incident.Target{
		Cluster: cluster, Namespace: d.Namespace, Kind: "Deployment", Name: d.Name,
		UID: string(d.UID), Generation: d.Generation, Container: old.Container,
	}
	where := fmt.Sprintf("the memory limit of container %s in Deployment %s/%s", old.Container, d.Namespace, d.Name)
	return plan{
		target:       target,
		summary:      fmt.Sprintf("Raise %s from %s to %s; %s.", where, from, to.String(), replacement(d)),
		timeout:      resourcesTimeout,
		params:       done(old.Container, from, raised, params),
		precondition: resourcesPrecondition{string(d.UID), d.Generation, old.Container, from},
		rollback: rollback{resourcesAction, fmt.Sprintf("Set %s back to %s; %s.", where, from, replacement(d)),
			done(old.Container, to.String(), old, params), back},
		verify:  r.verifyReady(target, forth.Watch.Path),
		execute: forth,
	}, nil
}

func done(container, from string, c kube.MemoryChange, params resourcesParams) resourcesDone {
	out := resourcesDone{Container: container, From: from, To: c.Limit.String(), resourcesParams: params}
	if c.Request != nil {
		out.Request = c.Request.String()
	}
	return out
}

func applyShape(cluster string, c kube.MemoryChange) (kubernetesShape, error) {
	req, err := kube.ApplyMemory(c)
	if err != nil {
		return kubernetesShape{}, err
	}
	path, err := kube.ObjectPath("Deployment", c.Namespace, c.Deployment)
	if err != nil {
		return kubernetesShape{}, err
	}
	return kubernetes(cluster, req, resourcesTimeout, &watch{Path: path, Until: "ready"}), nil
}

// replacement says what the change does to the pods: Recreate stops them all.
func replacement(d *appsv1.Deployment) string {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return "all its pods stop before new ones start"
	}
	return "its pods are replaced step by step"
}

// Raises counts how often the memory limit of one container of one Deployment
// was raised by the intents given, oldest first, and says what it was before the
// first of them. What was lost may have been done, and counts.
func Raises(intents []incident.Intent, deployment incident.Target, container string) (times int, first string) {
	for _, in := range intents {
		happened := in.State == incident.Succeeded || in.State == incident.Running || in.State == incident.Lost
		same := in.Target.Namespace == deployment.Namespace && in.Target.Name == deployment.Name
		if in.Action != resourcesAction && in.Action != pullRequestAction || !happened || !same {
			continue
		}
		var done resourcesDone
		if err := json.Unmarshal(in.Params, &done); err != nil || done.Container != container {
			continue
		}
		if times == 0 {
			first = done.From
		}
		times++
	}
	return times, first
}
