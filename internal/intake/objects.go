package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// scope says whether an object of a kind has a namespace.
type scope int

const (
	inNamespace scope = iota
	inCluster
	inEither // it may be left out: whoever reports it does not always know
)

// objectLabel is a label that names a Kubernetes object.
type objectLabel struct {
	kind, label string
	also        string // another name for the label, where the alert is known to be about this kind
	scope       scope
	askedFor    bool // the label means this only where the alert is known to be about this kind
}

// objectLabels is in order of preference: the nearest to the trouble first.
var objectLabels = []objectLabel{
	{kind: "Pod", label: "pod", also: "pod_name"},
	{kind: "Deployment", label: "deployment"},
	{kind: "StatefulSet", label: "statefulset"},
	{kind: "DaemonSet", label: "daemonset"},
	{kind: "ReplicaSet", label: "replicaset"},
	{kind: "CronJob", label: "cronjob"},
	{kind: "Job", label: "job_name", also: "exported_job"},
	{kind: "HorizontalPodAutoscaler", label: "horizontalpodautoscaler", also: "hpa"},
	{kind: "PodDisruptionBudget", label: "poddisruptionbudget"},
	{kind: "PersistentVolumeClaim", label: "persistentvolumeclaim"},
	{kind: "ResourceQuota", label: "resourcequota"},
	{kind: "ScaledObject", label: "scaledObject", also: "scaledobject"},
	{kind: "Node", label: "node", also: "kubernetes_node", scope: inCluster},

	{kind: "ScaledJob", label: "scaledJob", also: "scaledObject", askedFor: true},
	{kind: "PersistentVolume", label: "persistentvolume", scope: inCluster, askedFor: true},
	{kind: "Certificate", label: "name", askedFor: true},
	{kind: "Application", label: "name", scope: inEither, askedFor: true},
	{kind: "Schedule", label: "schedule", scope: inEither, askedFor: true},
	{kind: "Cluster", label: "cnpg_cluster", scope: inEither, askedFor: true},
	{kind: "APIService", label: "name", scope: inCluster, askedFor: true},
}

// objectOf is the label for a kind.
func objectOf(kind string) (objectLabel, bool) {
	for _, o := range objectLabels {
		if o.kind == kind {
			return o, true
		}
	}
	return objectLabel{}, false
}

// object is the first Kubernetes object that a label names.
func (c clues) object(f *findings) incident.Target {
	for _, o := range objectLabels {
		if o.askedFor || o.kind == "Node" && c.exportersNode() {
			continue
		}
		if t := c.labelled(o, c.value(o), f); !t.IsZero() {
			return t
		}
	}
	return incident.Target{}
}

// exportersNode says whether the node label may be where the exporter runs:
// the prometheus chart's scrape jobs put it on everything.
func (c clues) exportersNode() bool {
	return c.exporter() && strings.HasPrefix(c.labels["job"], "kubernetes-")
}

// wanted is the object of the kind that the alert is known to be about. A pod
// may then be kube-state-metrics' own: that is a pod like any other.
func (c clues) wanted(o objectLabel, f *findings) incident.Target {
	name := c.value(o)
	if o.kind == "Pod" && c.certain && c.tells == ofObjects && !c.exported {
		name = c.labels["pod"]
	}
	if name == "" && o.also != "" {
		name = c.labels[o.also]
	}
	return c.labelled(o, name, f)
}

// value is what a label says of the patient.
func (c clues) value(o objectLabel) string {
	switch {
	case o.kind == "Node":
		return cmp.Or(c.labels["exported_node"], c.labels["node"])
	case o.kind != "Pod":
		return c.labels[o.label]
	case c.exported:
		return c.labels["exported_pod"]
	case c.exportersPod():
		return ""
	}
	return c.labels["pod"]
}

// labelled is the object that a label names, if Kubernetes could know it.
func (c clues) labelled(o objectLabel, name string, f *findings) incident.Target {
	if name == "" {
		return incident.Target{}
	}
	t := incident.Target{Kind: o.kind, Name: name}
	if o.scope != inCluster {
		t.Namespace = c.space()
	}
	if o.askedFor && o.scope != inCluster {
		// Whoever tells of such an object has its namespace as a label, too. Where it
		// was not pushed aside, honorLabels let it win.
		t.Namespace = cmp.Or(t.Namespace, c.labels["namespace"])
	}
	if !f.possible(t, o.scope == inNamespace) {
		return incident.Target{}
	}
	if o.kind == "Pod" {
		t.Container = c.container()
	}
	return t
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
