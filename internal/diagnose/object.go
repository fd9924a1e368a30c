package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"salve/internal/evidence"
)

// object is what every Kubernetes object under examination has that is no pod.
// One that only events tell of has no status.
type object struct {
	x      *examination
	kind   string
	meta   *metav1.ObjectMeta
	events []*corev1.Event // about it, oldest first
}

func (x *examination) object(kind string, m *metav1.ObjectMeta) object {
	return object{x, kind, m, x.eventsAbout(kind, m)}
}

// title names the object for people: Deployment production/api-gateway.
func (o object) title() string {
	return o.kind + " " + strings.TrimPrefix(clip(o.meta.Namespace, 63)+"/"+clip(o.meta.Name, 253), "/")
}

func (o object) key() string { return objectKey(o.kind, o.meta.Namespace, o.meta.Name) }

func (o object) quote(what string) string { return o.title() + ": " + oneLine(what) }

// last is the newest event with one of these reasons.
func (o object) last(reasons ...string) (*corev1.Event, bool) {
	for _, e := range slices.Backward(o.events) {
		if slices.Contains(reasons, e.Reason) {
			return e, true
		}
	}
	return nil, false
}

// lately is the newest event of the bad reasons, where none of the good ones came
// after it: events of the same second do not undo each other.
func (o object) lately(bad, good []string) (*corev1.Event, bool) {
	e, ok := o.last(bad...)
	if !ok {
		return nil, false
	}
	g, better := o.last(good...)
	return e, !better || !eventTime(g).After(eventTime(e))
}

// distinct gives every object that is wanted once, in an order that does not
// depend on how they came; at most maxThings. P is a pointer to T.
func distinct[T any, P interface {
	*T
	GetObjectMeta() metav1.Object
}](list []T, wanted func(*metav1.ObjectMeta) bool) []*T {
	byKey := make(map[string]*T, len(list))
	for i := range list {
		m := P(&list[i]).GetObjectMeta().(*metav1.ObjectMeta)
		if !wanted(m) {
			continue
		}
		key := m.Namespace + "/" + m.Name
		if had, ok := byKey[key]; ok {
			larger := evidence.Larger(*had, list[i])
			byKey[key] = &larger
			continue
		}
		byKey[key] = &list[i]
	}
	keys := slices.Sorted(maps.Keys(byKey))
	out := make([]*T, 0, len(keys))
	for _, key := range keys[:min(len(keys), maxThings)] {
		out = append(out, byKey[key])
	}
	return out
}

// besides wants what the question is about, and where that is pods or everything,
// whatever may stand beside them.
func (x *examination) besides(kind string) func(*metav1.ObjectMeta) bool {
	return func(m *metav1.ObjectMeta) bool {
		return x.judgedByPods() || x.q.Target.Kind == "ResourceQuota" || x.concerns(kind, m)
	}
}

// maxThings bounds how many objects of one kind are examined.
const maxThings = 500

// heardOf gives the objects that events tell of and the evidence does not hold,
// for the kinds that are wanted.
func (x *examination) heardOf(wanted func(kind string) bool) []object {
	var keys []string
	for key, events := range x.index {
		if o := events[0].InvolvedObject; o.Name != "" && wanted(o.Kind) && !x.holds(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var out []object
	for _, key := range keys[:min(len(keys), maxThings)] {
		events := x.index[key]
		o := events[len(events)-1].InvolvedObject
		m := &metav1.ObjectMeta{Namespace: cmp.Or(o.Namespace, events[0].Namespace), Name: o.Name, UID: o.UID}
		if o.Kind == "Node" {
			m.Namespace, m.UID = "", ""
		}
		out = append(out, object{x, o.Kind, m, events})
	}
	return out
}

// holds says whether the evidence holds the object itself.
func (x *examination) holds(key string) bool {
	if x.held == nil {
		x.held = map[string]bool{}
		for _, c := range x.own.all {
			x.held[objectKey(c.kind, c.meta.Namespace, c.meta.Name)] = true
		}
		for i := range x.ev.Nodes {
			x.held[objectKey("Node", "", x.ev.Nodes[i].Name)] = true
		}
		for i := range x.ev.HPAs {
			x.held[objectKey("HorizontalPodAutoscaler", x.ev.HPAs[i].Namespace, x.ev.HPAs[i].Name)] = true
		}
		for i := range x.ev.PDBs {
			x.held[objectKey("PodDisruptionBudget", x.ev.PDBs[i].Namespace, x.ev.PDBs[i].Name)] = true
		}
	}
	return x.held[key]
}

// sameLife says whether an event is about this object rather than a namesake of
// another life. Kubelet gives a node's name as its UID.
func sameLife(e *corev1.Event, uid types.UID) bool {
	o := e.InvolvedObject
	return o.UID == "" || uid == "" || o.UID == uid || string(o.UID) == o.Name
}
