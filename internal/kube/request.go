package kube

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// FieldManager is the name under which Salve owns the fields it applies.
const FieldManager = "salve"

// Request is one call to a Kubernetes API server, as whoever holds the
// credential sends it. The path is relative to the server's address.
type Request struct {
	Method      string
	Path        string
	ContentType string
	Body        json.RawMessage
}

// Eviction asks for the eviction of exactly one pod. Disruption budgets are
// honoured, and another pod of that name, with another UID, is left alone.
func Eviction(namespace, pod, uid string) (Request, error) {
	path, err := ObjectPath("Pod", namespace, pod)
	if err != nil {
		return Request{}, err
	}
	if err := CheckUID(uid); err != nil {
		return Request{}, err
	}
	options := metaac.DeleteOptions().WithPreconditions(metaac.Preconditions().WithUID(types.UID(uid)))
	body, err := json.Marshal(policyac.Eviction(pod, namespace).WithDeleteOptions(options))
	if err != nil {
		return Request{}, fmt.Errorf("eviction of %s/%s: %w", namespace, pod, err)
	}
	return Request{Method: "POST", Path: path + "/eviction", ContentType: "application/json", Body: body}, nil
}

// MemoryChange is the memory of one container in a Deployment's template.
type MemoryChange struct {
	Namespace  string
	Deployment string
	UID        string
	Container  string
	Init       bool // the container stands under initContainers
	Limit      resource.Quantity
	Request    *resource.Quantity // nil leaves the request alone
	Force      bool               // take the field from the manager that owns it now
}

// ApplyMemory is a server-side apply of that memory and of nothing else. The
// UID in the body makes the API server refuse another Deployment of that name,
// and keeps an apply from creating one that is gone.
func ApplyMemory(c MemoryChange) (Request, error) {
	path, err := ObjectPath("Deployment", c.Namespace, c.Deployment)
	if err != nil {
		return Request{}, err
	}
	if err := CheckUID(c.UID); err != nil {
		return Request{}, err
	}
	if err := CheckLabel("container", c.Container); err != nil {
		return Request{}, err
	}
	template := coreac.PodTemplateSpec().WithSpec(c.podSpec())
	body, err := json.Marshal(appsac.Deployment(c.Deployment, c.Namespace).
		WithUID(types.UID(c.UID)).
		WithSpec(appsac.DeploymentSpec().WithTemplate(template)))
	if err != nil {
		return Request{}, fmt.Errorf("apply of %s/%s: %w", c.Namespace, c.Deployment, err)
	}
	path += "?fieldManager=" + FieldManager
	if c.Force {
		path += "&force=true"
	}
	// JSON is YAML: the body needs no second encoding.
	return Request{Method: "PATCH", Path: path, ContentType: "application/apply-patch+yaml", Body: body}, nil
}

func (c MemoryChange) podSpec() *coreac.PodSpecApplyConfiguration {
	resources := coreac.ResourceRequirements().WithLimits(corev1.ResourceList{corev1.ResourceMemory: c.Limit})
	if c.Request != nil {
		resources.WithRequests(corev1.ResourceList{corev1.ResourceMemory: *c.Request})
	}
	container := coreac.Container().WithName(c.Container).WithResources(resources)
	if c.Init {
		return coreac.PodSpec().WithInitContainers(container)
	}
	return coreac.PodSpec().WithContainers(container)
}
