package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// controller is one controller of pods, or of controllers, in the evidence.
type controller struct {
	kind     string
	meta     *metav1.ObjectMeta
	selector *metav1.LabelSelector
}

func (c controller) target(cluster string) incident.Target {
	return incident.Target{
		Cluster: cluster, Namespace: c.meta.Namespace, Kind: c.kind, Name: c.meta.Name,
		UID: string(c.meta.UID), Generation: c.meta.Generation,
	}
}

// matcher is nil where the selector is missing, broken, or would match everything.
func (c controller) matcher() labels.Selector {
	if c.selector == nil {
		return nil
	}
	s, err := metav1.LabelSelectorAsSelector(c.selector)
	if err != nil || s.Empty() {
		return nil
	}
	return s
}

// Selector is the label selector of a controller in the evidence, or of a pod's
// top controller: what its owner's pods are collected by. It is "" where that is
// not known or would match everything; nobody may read "" as everything.
func Selector(ev evidence.Evidence, t incident.Target) string {
	own := ownersOf(ev)
	if t.Kind == "Pod" {
		found := scopeOf(ev, own, t)
		if len(found.pods) == 0 {
			return ""
		}
		t = own.top(found.pods[0], t.Cluster)
	}
	for _, c := range own.all {
		if c.kind != t.Kind || !samePlace(c.meta, t.Namespace, t.Name) {
			continue
		}
		if s := c.matcher(); s != nil {
			return s.String()
		}
	}
	return ""
}

func controllersOf(e evidence.Evidence) []controller {
	var out []controller
	for i := range e.Deployments {
		out = append(out, controller{"Deployment", &e.Deployments[i].ObjectMeta, e.Deployments[i].Spec.Selector})
	}
	for i := range e.ReplicaSets {
		out = append(out, controller{"ReplicaSet", &e.ReplicaSets[i].ObjectMeta, e.ReplicaSets[i].Spec.Selector})
	}
	for i := range e.StatefulSets {
		out = append(out, controller{"StatefulSet", &e.StatefulSets[i].ObjectMeta, e.StatefulSets[i].Spec.Selector})
	}
	for i := range e.DaemonSets {
		out = append(out, controller{"DaemonSet", &e.DaemonSets[i].ObjectMeta, e.DaemonSets[i].Spec.Selector})
	}
	for i := range e.Jobs {
		out = append(out, controller{"Job", &e.Jobs[i].ObjectMeta, e.Jobs[i].Spec.Selector})
	}
	for i := range e.CronJobs {
		out = append(out, controller{"CronJob", &e.CronJobs[i].ObjectMeta, nil})
	}
	return out
}

// owners is the evidence's controllers, found by what an owner reference says.
type owners struct {
	all    []controller
	byName map[[3]string]controller // kind, namespace, name
}

func ownersOf(e evidence.Evidence) owners {
	own := owners{all: controllersOf(e)}
	own.byName = make(map[[3]string]controller, len(own.all))
	for _, c := range own.all {
		own.byName[[3]string{c.kind, c.meta.Namespace, c.meta.Name}] = c
	}
	return own
}

// ownerDepth bounds the walk up the owners: CronJob, Job, Pod is the longest
// there is, and evidence may hold a circle.
const ownerDepth = 5

// chain walks from a pod up to its top controller as far as the evidence shows
// it: the last step may be known from an owner reference alone.
func (o owners) chain(p *corev1.Pod, cluster string) []incident.Target {
	return o.chainOf(&p.ObjectMeta, cluster)
}

// chainOf is the same for any object.
func (o owners) chainOf(meta *metav1.ObjectMeta, cluster string) []incident.Target {
	var out []incident.Target
	for range ownerDepth {
		ref := metav1.GetControllerOfNoCopy(meta)
		if ref == nil {
			break
		}
		found, ok := o.byName[[3]string{ref.Kind, meta.Namespace, ref.Name}]
		if !ok || found.meta.UID != ref.UID && found.meta.UID != "" && ref.UID != "" {
			return append(out, incident.Target{
				Cluster: cluster, Namespace: meta.Namespace, Kind: ref.Kind, Name: ref.Name, UID: string(ref.UID),
			})
		}
		out = append(out, found.target(cluster))
		meta = found.meta
	}
	return out
}

func (o owners) top(p *corev1.Pod, cluster string) incident.Target {
	chain := o.chain(p, cluster)
	if len(chain) == 0 {
		return incident.Target{}
	}
	return chain[len(chain)-1]
}

// belongs says whether a pod counts for a controller: by owner references, by
// the name that a Deployment gives its ReplicaSets, or by the selector where the
// pod has no owner that says otherwise.
func (o owners) belongs(p *corev1.Pod, t incident.Target) bool {
	if t.Namespace != "" && p.Namespace != t.Namespace {
		return false
	}
	chain := o.chain(p, "")
	for _, c := range chain {
		if (t.Kind == "" || c.Kind == t.Kind) && c.Name == t.Name {
			return true
		}
	}
	if len(chain) == 0 {
		return o.selects(p, t)
	}
	last := chain[len(chain)-1]
	return (t.Kind == "Deployment" || t.Kind == "") && last.Kind == "ReplicaSet" && deploymentOf(p, last.Name) == t.Name
}

func (o owners) selects(p *corev1.Pod, t incident.Target) bool {
	c, ok := o.byName[[3]string{t.Kind, p.Namespace, t.Name}]
	if !ok {
		return false
	}
	s := c.matcher()
	return s != nil && s.Matches(labels.Set(p.Labels))
}

// deploymentOf is the Deployment's name within a ReplicaSet's: its name ends in
// the hash that the pod carries as a label.
func deploymentOf(p *corev1.Pod, replicaSet string) string {
	hash := p.Labels["pod-template-hash"]
	if hash == "" {
		return ""
	}
	name, ok := strings.CutSuffix(replicaSet, "-"+hash)
	if !ok {
		return ""
	}
	return name
}

func samePlace(m *metav1.ObjectMeta, namespace, name string) bool {
	return m.Name == name && (namespace == "" || m.Namespace == namespace)
}
