package intake

import (
	"cmp"
	"strings"
)

// clues is what an alert says about what it is about, whatever its source.
type clues struct {
	cluster, namespace, host, service string
	given                             *givenTarget
	labels                            map[string]string

	about    string  // what the alert's name speaks of
	certain  bool    // the alert is known by its exact name, and so its labels are
	fallback string  // when nothing at all is named
	tells    telling // what the metrics of the scraped one tell of
	exported bool    // pod, namespace, service … are the scraped one's; the metric's own are called exported_pod …
}

// read completes the clues with what the alert's name says, and with whose its
// labels are.
func (c clues) read(a alert, fallback string) clues {
	c.about, c.certain, c.fallback = a.about, a.name != "" && !a.words, fallback
	c.tells = tellingOf(c.labels)
	c.exported = c.labels["exported_namespace"]+c.labels["exported_pod"] != ""
	return c
}

// exporter says whether the labels of the scrape are not the patient's.
func (c clues) exporter() bool { return c.tells != ofItself && c.tells != ofBeside }

// exportersPod says whether the pod label is the exporter's, not the patient's.
func (c clues) exportersPod() bool {
	switch c.tells {
	case ofItself, ofBeside, ofNode:
		return false
	case ofObjects:
		return exporterIn(c.labels["pod"]) == ofObjects || exporterIn(c.labels["container"]) == ofObjects || rbacProxy(c.labels["container"])
	}
	return true
}

// rbacProxy is the container in front of kube-prometheus' own exporters.
func rbacProxy(container string) bool { return strings.HasPrefix(container, "kube-rbac-proxy") }

// space is the patient's namespace, as far as it is known to be the patient's.
func (c clues) space() string {
	exported := c.labels["exported_namespace"]
	switch {
	case c.namespace != "":
		return c.namespace
	case c.exported:
		return exported
	case c.elsewhere():
		return ""
	}
	return c.labels["namespace"]
}

// elsewhere says whether pod and namespace are never the patient's: no metric
// of such an exporter has labels of these names.
func (c clues) elsewhere() bool {
	switch c.tells {
	case ofMachine, ofProbed, ofOthers, ofNeighbour:
		return true
	}
	return false
}

// container is the patient's, if the labels name one.
func (c clues) container() string {
	container := c.labels["container"]
	if c.exported {
		container = c.labels["exported_container"]
	}
	switch {
	case c.tells == ofBeside, c.exporter() && exporterIn(container) == c.tells, !validLabel(container):
		return ""
	case container == "metrics" && c.tells == ofItself && c.labels["job"] != "":
		return "" // how charts call an exporter beside a database
	}
	return container
}

var serviceLabels = []string{"exported_service", "service", "app", "app_kubernetes_io_name", "sloth_service"}

// serviceName is the service an alert belongs to: service, then app, then
// app_kubernetes_io_name, then job; none of an exporter's own.
func (c clues) serviceName(f *findings) string {
	if c.service != "" {
		return c.service
	}
	return cmp.Or(c.labelledService(f), c.jobName(f))
}

func (c clues) labelledService(f *findings) string {
	for _, label := range serviceLabels {
		if label == "service" && (c.exported || c.exporter()) || label == "exported_service" && c.tells == ofOthers {
			continue
		}
		if name := f.name(c.labels, label); name != "" && (!c.exporter() || exporterIn(name) == ofItself) {
			return name
		}
	}
	return ""
}

func (c clues) jobName(f *findings) string {
	if name := f.name(c.labels, "exported_job"); name != "" || c.exported || c.exporter() {
		return name
	}
	return f.name(c.labels, "job")
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
