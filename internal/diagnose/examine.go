package diagnose

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// examination is one question on its way to its answer.
type examination struct {
	ev      evidence.Evidence
	q       Question
	own     owners
	cluster string
	index   eventIndex
	scope   scope
	pvcs    map[string]*corev1.PersistentVolumeClaim // by namespace/name
	held    map[string]bool                          // keys of the objects in the evidence; made when first asked for
	pods    []*pod
	boxes   []container // of the pods; made when first asked for
	borne   []string    // keys of what the target bears on, where it is not judged by pods
	works   []*workload
	limits  []quota       // every quota; read when first asked for
	every   []*corev1.Pod // every pod, likewise
	found   []finding
	machine *string  // the only host that the evidence names; made when first asked for
	lines   []series // made when first asked for
	drawn   bool
}

func examine(ev evidence.Evidence, q Question) *examination {
	x := &examination{ev: ev, q: q, own: ownersOf(ev), cluster: cmp.Or(q.Target.Cluster, ev.Cluster), index: indexEvents(ev.Events), pvcs: indexClaims(ev.PVCs)}
	if x.judgedByPods() {
		x.scope = scopeOf(ev, x.own, q.Target)
	} else {
		x.borne = x.targetBears()
		x.scope.pods = x.podsOf(x.borne)
	}
	for _, p := range x.scope.pods {
		x.pods = append(x.pods, x.examinePod(p, false))
	}
	if x.judgedByPods() {
		x.pods = append(x.pods, x.ghosts()...)
	}
	x.works = x.workloads()
	return x
}

// open says whether the question names no object and no host: then the evidence
// itself is what the question is about.
func (x *examination) open() bool { return x.q.Target.Name == "" && x.q.Target.Host == "" }

// judgedByPods says whether the target fares as its pods do.
func (x *examination) judgedByPods() bool {
	return x.open() || x.q.Target.Host == "" && isPodKind(x.q.Target.Kind)
}

// concerns says whether the question is about an object: it is the target, in the
// target's namespace, a controller of a pod that counts, or a part of the target.
func (x *examination) concerns(kind string, m *metav1.ObjectMeta) bool {
	t := x.q.Target
	switch {
	case x.open():
		return true
	case t.Host != "":
		return kind == "Node" && m.Name == t.Host
	case t.Kind == "Namespace":
		return m.Namespace == t.Name
	case samePlace(m, t.Namespace, t.Name) && (t.Kind == kind || t.Kind == ""):
		return true
	case !x.judgedByPods():
		return x.isBorne(kind, m)
	}
	for _, p := range x.pods {
		for _, c := range p.chain {
			if c.Kind == kind && c.Name == m.Name && c.Namespace == m.Namespace {
				return true
			}
		}
	}
	ref := metav1.GetControllerOfNoCopy(m)
	return ref != nil && ref.Kind == t.Kind && ref.Name == t.Name && (t.Namespace == "" || t.Namespace == m.Namespace)
}

// concernsHost says whether the question is about what was measured on a host.
// What names none came with this evidence and is about its target.
func (x *examination) concernsHost(host string) bool {
	t := x.q.Target
	switch {
	case x.open() || host == "":
		return true
	case t.Host != "":
		return sameHost(t.Host, host)
	default:
		return t.Kind == "Node" && sameHost(t.Name, host)
	}
}

// sameHost says whether two names are of one host: the same in any case, or one
// of them the other's first label.
func sameHost(a, b string) bool {
	a, b = strings.ToLower(strings.TrimSuffix(a, ".")), strings.ToLower(strings.TrimSuffix(b, "."))
	short, long := a, b
	if len(short) > len(long) {
		short, long = b, a
	}
	label, _, _ := strings.Cut(long, ".")
	return short == long || short == label && strings.Trim(short, "0123456789.") != ""
}

// hostKey is how places name a host. What names none is of the one host that the
// evidence names, if it is one.
func (x *examination) hostKey(host string) string {
	label, _, _ := strings.Cut(strings.ToLower(cmp.Or(host, x.onlyHost())), ".")
	if strings.Trim(label, "0123456789") == "" {
		label = strings.ToLower(cmp.Or(host, x.onlyHost())) // an address
	}
	return "Host:" + label
}

func (x *examination) onlyHost() string {
	if x.machine != nil {
		return *x.machine
	}
	only, several := "", false
	note := func(host string) {
		several = several || only != "" && host != "" && !sameHost(only, host)
		only = cmp.Or(only, host)
	}
	for i := range x.ev.Disks {
		note(x.ev.Disks[i].Host)
	}
	for i := range x.ev.Services {
		note(x.ev.Services[i].Host)
	}
	for i := range x.ev.Backups {
		note(x.ev.Backups[i].Host)
	}
	if several {
		only = ""
	}
	x.machine = &only
	return only
}

// eventsAbout are the events about one object, oldest first. An event of a
// namesake of another life does not count.
func (x *examination) eventsAbout(kind string, m *metav1.ObjectMeta) []*corev1.Event {
	var out []*corev1.Event
	for _, e := range x.index[kind+"/"+m.Namespace+"/"+m.Name] {
		if sameLife(e, m.UID) {
			out = append(out, e)
		}
	}
	return out
}

// isController says whether pods belong to objects of this kind.
func isController(kind string) bool {
	return isPodKind(kind) && kind != "" && kind != "Pod" && kind != "Namespace"
}

// objectKey is how places name a Kubernetes object.
func objectKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// objectPlace is the place of an object that is no pod: itself, its controllers
// as far as the evidence shows them, and its namespace.
func (x *examination) objectPlace(kind string, m *metav1.ObjectMeta, acute int) place {
	self := incident.Target{Cluster: x.cluster, Namespace: m.Namespace, Kind: kind, Name: m.Name, UID: string(m.UID), Generation: m.Generation, Service: x.q.Target.Service}
	key := objectKey(kind, m.Namespace, m.Name)
	p := place{at: key, within: []string{key}, subject: self, acute: acute}
	if isController(kind) {
		p.owner = self
	}
	for _, c := range x.own.chainOf(m, x.cluster) {
		p.within = append(p.within, objectKey(c.Kind, c.Namespace, c.Name))
		p.owner = c
	}
	if m.Namespace != "" {
		p.within = append(p.within, objectKey("Namespace", "", m.Namespace))
	}
	return p
}

// factPlace is the place of what is no Kubernetes object: a host, or a name of
// one sort (certificate, backup, db). Acuteness is how it fares.
func (x *examination) factPlace(sort, host, name string, acute int) place {
	t := x.q.Target
	t.Cluster = x.cluster
	if x.open() && host != "" {
		t = incident.Target{Kind: "Host", Host: host, Service: t.Service}
	}
	key := sort + ":" + host + "/" + name
	return place{at: key, within: []string{key, x.hostKey(host)}, subject: t, acute: acute}
}

func (x *examination) gather() []finding {
	for _, t := range catalogue {
		x.found = append(x.found, t.find(x)...)
	}
	x.found = x.relevant(x.found)
	if len(x.found) == 0 && !x.judgedByPods() {
		x.pods = nil // they were only to explain
	}
	x.doubt()
	return x.found
}

// containers are all containers of the pods that count. A pod without any status
// is looked at by its spec and events.
func (x *examination) containers() []container {
	if x.boxes != nil {
		return x.boxes
	}
	out := []container{}
	for _, p := range x.pods {
		for _, c := range p.containers {
			if c.known || len(p.Status.ContainerStatuses) == 0 {
				out = append(out, c)
			}
		}
	}
	x.boxes = out
	return out
}
