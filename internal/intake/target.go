package intake

import (
	"cmp"
	"slices"
	"strings"

	"salve/internal/incident"
)

// Kinds of targets that are no Kubernetes objects.
const (
	kindHost    = "Host"
	kindService = "Service"
)

// objectLabel is a label that names a Kubernetes object.
type objectLabel struct {
	label, kind string
	namespaced  bool
}

// objectLabels is in order of preference: the nearest to the trouble first.
var objectLabels = []objectLabel{
	{"pod", "Pod", true},
	{"deployment", "Deployment", true},
	{"statefulset", "StatefulSet", true},
	{"daemonset", "DaemonSet", true},
	{"replicaset", "ReplicaSet", true},
	{"cronjob", "CronJob", true},
	{"job_name", "Job", true},
	{"horizontalpodautoscaler", "HorizontalPodAutoscaler", true},
	{"poddisruptionbudget", "PodDisruptionBudget", true},
	{"persistentvolumeclaim", "PersistentVolumeClaim", true},
	{"node", "Node", false},
}

var (
	serviceLabels = []string{"service", "app", "app_kubernetes_io_name"}
	hostLabels    = []string{"hostname", "host", "nodename"}
)

// exporters are jobs whose metrics tell of something else than themselves:
// their service, container and often pod labels name the exporter. The value
// says whether instance is the machine they tell of.
var exporters = map[string]bool{
	"kube-state-metrics": false,
	"kubelet":            true,
	"node-exporter":      true,
	"node_exporter":      true,
	"windows-exporter":   true,
	"node":               true,
}

// clues is what an alert says about what it is about, whatever its source.
type clues struct {
	cluster, namespace, host, service string
	given                             *givenTarget
	labels                            map[string]string
	about                             string // the kind that the alert's name speaks of
	fallback                          string // when nothing at all is named
}

func (c clues) exporter() bool { _, ok := exporters[c.labels["job"]]; return ok }

// serviceName is the service an alert belongs to: service, then app, then
// app_kubernetes_io_name, then job; none of an exporter's own.
func (c clues) serviceName(f *findings) string {
	if c.service != "" {
		return c.service
	}
	if c.exporter() {
		return f.name(c.labels, serviceLabels[1:]...)
	}
	return f.name(c.labels, append(slices.Clip(serviceLabels), "job")...)
}

// name is the first label of these that is there and short enough.
func (f *findings) name(labels map[string]string, names ...string) string {
	for _, name := range names {
		switch value := labels[name]; {
		case len(value) > maxName:
			f.note("label %s is %d bytes long: too long for a name, not taken as one", name, len(value))
		case value != "":
			return value
		}
	}
	return ""
}

// ways are tried in order; the first that finds something decides.
var ways = []func(clues, *findings) incident.Target{
	clues.spelledOut, clues.expected, clues.object, clues.machine, clues.bareService, clues.instance, clues.job, clues.space,
}

// target finds what an alert is about. It always finds something: what nothing
// else can place is put under the alert's own name.
func (c clues) target(f *findings) incident.Target {
	t := incident.Target{Kind: kindService, Service: c.fallback}
	for _, way := range ways {
		if found := way(c, f); !found.IsZero() {
			t = found
			break
		}
	}
	t.Cluster = c.cluster
	return t
}

// spelledOut is the target{} of a native alert.
func (c clues) spelledOut(f *findings) incident.Target {
	if c.given == nil {
		return incident.Target{}
	}
	if t := c.given.object(c.namespace, f); !t.IsZero() {
		return t
	}
	if t := hostTarget(c.given.Host, f); !t.IsZero() {
		t.Service = c.given.Service
		return t
	}
	return c.serviceTarget(c.given.Service)
}

// expected looks for the kind that the alert's name speaks of.
func (c clues) expected(f *findings) incident.Target {
	if c.about == kindHost {
		if t := c.machine(f); !t.IsZero() {
			return t
		}
		return c.instance(f)
	}
	for _, o := range objectLabels {
		if o.kind == c.about {
			return c.labelled(o, f)
		}
	}
	return incident.Target{}
}

// object is the first Kubernetes object that a label names.
func (c clues) object(f *findings) incident.Target {
	for _, o := range objectLabels {
		if o.kind == "Pod" && c.exportersPod() {
			continue
		}
		if t := c.labelled(o, f); !t.IsZero() {
			return t
		}
	}
	return incident.Target{}
}

// exportersPod says whether the pod label is the exporter's, not the patient's.
func (c clues) exportersPod() bool {
	return c.exporter() && strings.Contains(c.labels["pod"], c.labels["job"])
}

// labelled is the object that one label names, if Kubernetes could know it.
func (c clues) labelled(o objectLabel, f *findings) incident.Target {
	name := c.labels[o.label]
	if name == "" {
		return incident.Target{}
	}
	t := incident.Target{Kind: o.kind, Name: name}
	if o.namespaced {
		t.Namespace = cmp.Or(c.namespace, c.labels["namespace"])
	}
	if !f.possible(t, o.namespaced) {
		return incident.Target{}
	}
	if container := c.labels["container"]; o.kind == "Pod" && validLabel(container) && !c.exportersOwn(container) {
		t.Container = container
	}
	return t
}

func (c clues) exportersOwn(container string) bool {
	return c.exporter() && strings.Contains(container, c.labels["job"])
}

// possible says whether Kubernetes could hold such an object, with a note if not.
func (f *findings) possible(t incident.Target, namespaced bool) bool {
	switch {
	case !validSubdomain(t.Name):
		f.note("%q is no name of a Kubernetes %s: not taken as the target", clip(t.Name, quoted), t.Kind)
	case namespaced && t.Namespace == "":
		f.note("%s %q has no namespace: not taken as the target", t.Kind, clip(t.Name, quoted))
	case t.Namespace != "" && !validLabel(t.Namespace):
		f.note("%q is no Kubernetes namespace: %s %q is not taken as the target", clip(t.Namespace, quoted), t.Kind, t.Name)
	default:
		return true
	}
	return false
}

// machine is the host that a field or a label names.
func (c clues) machine(f *findings) incident.Target {
	return hostTarget(cmp.Or(c.host, f.name(c.labels, hostLabels...)), f)
}

func (c clues) bareService(f *findings) incident.Target {
	if c.service == "" && c.exporter() {
		return incident.Target{}
	}
	return c.serviceTarget(cmp.Or(c.service, f.name(c.labels, serviceLabels...)))
}

// instance is the scraped machine. It is a guess, so a service comes before it.
func (c clues) instance(f *findings) incident.Target {
	if machine, known := exporters[c.labels["job"]]; known && !machine {
		return incident.Target{}
	}
	return hostTarget(hostOf(c.labels["instance"]), f)
}

func (c clues) job(f *findings) incident.Target {
	if c.exporter() {
		return incident.Target{}
	}
	return c.serviceTarget(f.name(c.labels, "job"))
}

// space is the namespace alone, as for quotas.
func (c clues) space(*findings) incident.Target {
	namespace := cmp.Or(c.namespace, c.labels["namespace"])
	if !validLabel(namespace) {
		return incident.Target{}
	}
	return incident.Target{Kind: "Namespace", Name: namespace}
}

func hostTarget(host string, f *findings) incident.Target {
	switch {
	case host == "":
	case len(host) > maxName || !validHost(host):
		f.note("%q is no name of a host: not taken as the target", clip(host, quoted))
	default:
		return incident.Target{Kind: kindHost, Host: host}
	}
	return incident.Target{}
}

func (c clues) serviceTarget(service string) incident.Target {
	t := incident.Target{Kind: kindService, Service: service}
	if namespace := cmp.Or(c.namespace, c.labels["namespace"]); validLabel(namespace) {
		t.Namespace = namespace
	}
	return t
}
