package intake

import "strings"

// telling says what the metrics of one that is scraped tell of. It decides
// whose the labels pod, container, service, namespace and instance are: the
// patient's, or the exporter's. A change to an exporter instead of the patient
// is the worst of answers.
type telling int

const (
	ofItself    telling = iota // no exporter: an application's own metrics
	ofObjects                  // Kubernetes objects: pod and namespace are the object's where it has them
	ofNode                     // the kubelet: a node's objects, and instance is the node
	ofMachine                  // the machine at instance
	ofProbed                   // what it probes: instance is the address
	ofOthers                   // things that labels of their own name: certificates, applications
	ofNeighbour                // a program, mostly a database, that it looks at from elsewhere
	ofBeside                   // a program in its own pod: the scrape's labels are its patient's, but for the container
)

// exporters are by the names they are known under as a job.
var exporters = map[string]telling{
	"kube-state-metrics": ofObjects,
	"cadvisor":           ofNode,
	"node":               ofMachine,
	"blackbox":           ofProbed,
	"pushgateway":        ofOthers,
	"velero":             ofOthers,
	"keda-operator":      ofOthers,
}

// exporterWords are in the names of exporters; the first that fits counts.
var exporterWords = []struct {
	word  string
	tells telling
}{
	{"kube-state-metrics", ofObjects},
	{"kubelet", ofNode},
	{"cert-manager", ofOthers},
	{"argocd", ofOthers},
	{"argo-cd", ofOthers},
	{"blackbox", ofProbed},
}

// exporterKinds are by what stands before the word exporter.
var exporterKinds = []struct {
	word  string
	tells telling
}{
	{"node", ofMachine}, {"windows", ofMachine}, {"systemd", ofMachine}, {"process", ofMachine}, {"smartctl", ofMachine},
	{"blackbox", ofProbed}, {"ssl", ofProbed}, {"x509", ofOthers}, {"", ofNeighbour},
}

// exporterIn says what metrics of something with this name tell of.
func exporterIn(name string) telling {
	if tells, ok := exporters[name]; ok || name == "" {
		return tells
	}
	if at := strings.Index(name, "exporter"); at >= 0 {
		for _, kind := range exporterKinds {
			if strings.Contains(name[:at], kind.word) {
				return kind.tells
			}
		}
	}
	for _, known := range exporterWords {
		if strings.Contains(name, known.word) {
			return known.tells
		}
	}
	return ofItself
}

// scrapedNames are the labels that may name an exporter, beside its job. They
// count only where the alert still has its instance: without one a rule has
// summed up, and what it kept names the patient.
var scrapedNames = []string{"app_kubernetes_io_name", "container", "service"}

func tellingOf(labels map[string]string) telling {
	tells := exporterIn(labels["job"])
	if labels["instance"] != "" {
		for _, name := range scrapedNames {
			if tells == ofItself {
				tells = exporterIn(labels[name])
			}
		}
	}
	if pod := labels["pod"]; tells == ofNeighbour && pod != "" && exporterIn(pod) == ofItself {
		return ofBeside
	}
	return tells
}
