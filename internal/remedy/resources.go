package remedy

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
)

const resourcesAction = "k8s.deployment.resources"

// resourcesTimeout bounds the apply and the rollout that follows it.
const resourcesTimeout = 300 * time.Second

// resourcesParams is how far a memory limit may be raised.
type resourcesParams struct {
	MemoryFactor        float64 `json:"memory_factor"`
	MemoryCeilingFactor float64 `json:"memory_ceiling_factor"` // times the first limit
	MaxRaises           int     `json:"max_raises"`            // in one incident
	TakeOwnership       bool    `json:"take_ownership"`        // from the field manager that set the limit
}

func readResources(params map[string]any) (resourcesParams, error) {
	p := reader{given: params}
	out := resourcesParams{
		MemoryFactor:        p.number("memory_factor", 1.5, 1.01, 4),
		MemoryCeilingFactor: p.number("memory_ceiling_factor", 4, 1, 16),
		MaxRaises:           p.whole("max_raises", 2, 1, 10),
		TakeOwnership:       p.flag("take_ownership"),
	}
	return out, p.done()
}

func checkResources(params map[string]any) error {
	_, err := readResources(params)
	return err
}

// limitRaise is a memory limit that is to become another.
type limitRaise struct {
	cluster    string
	deployment *appsv1.Deployment
	old        kube.MemoryChange // as it is
	to         resource.Quantity
	params     resourcesParams
}

// raising is the raise of the ill container's limit in its Deployment.
func (r Request) raising() (out limitRaise, err error) {
	if out.params, err = readResources(r.Params); err != nil {
		return out, err
	}
	if out.cluster, err = r.cluster(r.Diagnosis.Owner); err != nil {
		return out, err
	}
	if out.deployment, err = deploymentOf(r.Evidence, r.Diagnosis.Owner); err != nil {
		return out, err
	}
	if out.old, err = memoryOf(out.deployment, r.Diagnosis.Container); err != nil {
		return out, err
	}
	out.to, err = r.raised(out.old.Limit, out.params)
	return out, err
}

// buildResources raises it in the cluster.
func buildResources(r Request) (plan, error) {
	up, err := r.raising()
	if err != nil {
		return plan{}, err
	}
	up.old.Force = up.params.TakeOwnership
	return r.renderResources(up.cluster, up.deployment, up.old, up.to, up.params)
}

// raised is the new limit, if there may be one.
func (r Request) raised(current resource.Quantity, params resourcesParams) (resource.Quantity, error) {
	if r.RaisedBefore >= params.MaxRaises {
		return resource.Quantity{}, fmt.Errorf("the limit was raised %d times in this incident: at most %d",
			r.RaisedBefore, params.MaxRaises)
	}
	first := current
	if r.FirstLimit != "" {
		var err error
		if first, err = resource.ParseQuantity(clip(r.FirstLimit, 64)); err != nil {
			return resource.Quantity{}, fmt.Errorf("the first limit %q is no quantity: %w", clip(r.FirstLimit, 64), err)
		}
	} else if r.RaisedBefore > 0 {
		return resource.Quantity{}, fmt.Errorf("the limit was raised before, and the first one is not known: there is no ceiling")
	}
	return raise(current, first, params.MemoryFactor, params.MemoryCeilingFactor)
}

func deploymentOf(ev evidence.Evidence, owner incident.Target) (*appsv1.Deployment, error) {
	if owner.Kind != "Deployment" {
		return nil, fmt.Errorf("the pod's top controller is %q, not a Deployment", clip(owner.Kind, 60))
	}
	for i := range ev.Deployments {
		d := &ev.Deployments[i]
		if d.Namespace != owner.Namespace || d.Name != owner.Name {
			continue
		}
		switch {
		case d.UID == "":
			return nil, fmt.Errorf("the evidence holds no UID of Deployment %s", d.Name)
		case owner.UID != "" && owner.UID != string(d.UID):
			return nil, fmt.Errorf("the evidence holds another Deployment of the name %s: its UID is %s, the pod's owner is %s",
				d.Name, clip(string(d.UID), 60), clip(owner.UID, 60))
		case d.DeletionTimestamp != nil:
			return nil, fmt.Errorf("the Deployment %s is being deleted", d.Name)
		}
		return d, nil
	}
	return nil, fmt.Errorf("the evidence does not hold Deployment %s", clip(owner.String(), 200))
}

// memoryOf is the memory of one container as it is now. The request is set only
// where it equals the limit: whoever wrote both the same wants them so
// (Guaranteed quality of service), and a request below the limit stays.
func memoryOf(d *appsv1.Deployment, name string) (kube.MemoryChange, error) {
	c, init := containerOf(d.Spec.Template.Spec, name)
	if c == nil {
		return kube.MemoryChange{}, fmt.Errorf("the Deployment %s has no container %q", clip(d.Name, 253), clip(name, 60))
	}
	limit := c.Resources.Limits[corev1.ResourceMemory]
	if limit.Sign() <= 0 {
		return kube.MemoryChange{}, fmt.Errorf("container %s has no memory limit to raise", clip(name, 63))
	}
	change := kube.MemoryChange{
		Namespace: d.Namespace, Deployment: d.Name, UID: string(d.UID),
		Container: name, Init: init, Limit: limit,
	}
	if request, set := c.Resources.Requests[corev1.ResourceMemory]; set && request.Cmp(limit) == 0 {
		change.Request = &request
	}
	return change, nil
}

func containerOf(spec corev1.PodSpec, name string) (c *corev1.Container, init bool) {
	for i := range spec.Containers {
		if spec.Containers[i].Name == name {
			return &spec.Containers[i], false
		}
	}
	for i := range spec.InitContainers {
		if spec.InitContainers[i].Name == name {
			return &spec.InitContainers[i], true
		}
	}
	return nil, false
}
