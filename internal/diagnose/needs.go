package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"salve/internal/incident"
)

// The collect actions: what can be asked for. The catalogue of remedies says how
// each is fetched.
const (
	CollectPod         = "collect.pod"         // a pod or controller, its owners, pods and events
	CollectLogs        = "collect.logs"        // current and previous log of one container
	CollectWorkload    = "collect.workload"    // a controller with its ReplicaSets, autoscaler, budgets, quotas and claims
	CollectNode        = "collect.node"        // a node and its events
	CollectGitOps      = "collect.gitops"      // the Argo CD or Flux object
	CollectDisk        = "collect.disk"        // df, du and core dumps of a host
	CollectService     = "collect.service"     // systemctl show of a unit
	CollectCertificate = "collect.certificate" // the certificate as served or issued, and its renewal
	CollectBackup      = "collect.backup"      // the standing of a backup
	CollectDatabase    = "collect.database"    // connections, members and lag
	CollectUsage       = "collect.usage"       // CPU and memory in use
)

// need is what would decide a question of one family that nothing is known about.
type need struct {
	family  string
	missing string // in words; %s is the target
	action  string // "" where nobody can be asked: the evidence comes by itself
}

var needs = []need{
	{"workload", "the object of %s with its ReplicaSets, pods, autoscaler, disruption budgets and quotas, and their events", CollectWorkload},
	{"deploy", "the Argo CD or Flux object of %s, and the Deployments that it manages", CollectGitOps},
	{"node", "the node object of %s with its conditions, and its events", CollectNode},
	{"host", "df -P, df -Pi, the biggest directories and core dumps of %s", CollectDisk},
	{"service", "systemctl show of the unit on %s", CollectService},
	{"cert", "the certificate of %s as it is served, and how its last renewal ended", CollectCertificate},
	{"backup", "when the backup of %s last succeeded, and how its last run ended", CollectBackup},
	{"db", "connections in use, members and replication lag of %s", CollectDatabase},
	{"resource", "the CPU and memory in use by %s", CollectUsage},
	{"trend", "the usage of %s over the last days", CollectUsage},
	{"slo", "the aggregate of %s: availability, error rate and latency with their sources (POST /v1/monitoring)", ""},
	{"security", "the findings of a security audit of %s (POST /v1/checks)", ""},
}

// needOf is what a question of this family about this target needs.
func needOf(t incident.Target, family string) (need, bool) {
	switch t.Kind {
	case "Node":
		family = "node"
	case "HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "PersistentVolumeClaim", "Namespace":
		family = "workload"
	case "Application", "Kustomization", "HelmRelease":
		family = "deploy"
	case "Certificate":
		family = "cert"
	}
	for _, n := range needs {
		if n.family == family {
			return n, true
		}
	}
	return need{}, false
}

// ofPods are the collections that look at more of a pod or controller than itself.
var ofPods = []string{CollectWorkload, CollectUsage}

// Asks is what is asked for where nothing is known about a question of this
// family: in words, and the collect actions. A pod's log is asked for where its
// status does not say why its program ends or is not ready.
func Asks(family string) (words string, actions []string) {
	switch family {
	case "pod", "job":
		return "the pod JSON, its owners and events; the log of the container that ends or is not ready", []string{CollectPod, CollectLogs}
	}
	for _, n := range needs {
		if n.family == family && n.action != "" {
			return strings.ReplaceAll(n.missing, "%s", "it"), []string{n.action}
		}
		if n.family == family {
			return strings.ReplaceAll(n.missing, "%s", "it"), nil
		}
	}
	return "", nil
}

// Look is the collection that shows how a target fares, given what was suspected
// or found: "" where none can.
func Look(t incident.Target, family string) string {
	n, _ := needOf(t, family)
	if t.Host == "" && isPodKind(t.Kind) && t.Kind != "Namespace" && t.Name != "" && !slices.Contains(ofPods, n.action) {
		n.action = CollectPod
	}
	if !reachable(n.action, t) {
		return ""
	}
	return n.action
}

// reachable says whether a target names enough for a collection to be carried out.
func reachable(action string, t incident.Target) bool {
	named := t.Namespace != "" && t.Name != ""
	switch action {
	case CollectPod, CollectLogs:
		return named
	case CollectWorkload:
		return named || t.Kind == "Namespace" && t.Name != ""
	case CollectGitOps:
		return named && t.Kind != ""
	case CollectNode:
		return t.Kind == "Node" && t.Name != ""
	case CollectCertificate:
		return t.Host != "" || named && t.Kind == "Certificate"
	case CollectUsage:
		return t.Host != "" || named && isPodKind(t.Kind) || t.Kind == "Node" && t.Name != ""
	case CollectDisk, CollectService, CollectBackup, CollectDatabase:
		return t.Host != ""
	default:
		return false
	}
}

// nothing answers where there is no evidence about what the question is about.
func (x *examination) nothing() incident.Diagnosis {
	t := x.q.Target
	d := unknown("the evidence holds nothing that would name a cause")
	what := t.String()
	n, known := needOf(t, x.q.Family)
	switch {
	case what == "":
		d.Missing = []string{"what shows the trouble: the pod's JSON and events, or what df, systemctl or openssl say"}
	case known:
		d.Missing = []string{strings.ReplaceAll(n.missing, "%s", what)}
	default:
		d.Missing = []string{"evidence about " + what}
	}
	if what != "" {
		d.Summary = "nothing is known about " + what + " that would name a cause"
		d.Chain = []string{d.Summary}
	}
	if x.open() {
		d.Missing = append(d.Missing, "the Kubernetes object or host it is about: namespace, kind and name, or host")
	}
	d.Subject = t
	if action := Look(t, x.q.Family); action != "" {
		d.Wants = append(d.Wants, incident.Want{Action: action, Target: x.onCluster(t)})
	}
	return d
}

// onCluster gives a Kubernetes target its cluster.
func (x *examination) onCluster(t incident.Target) incident.Target {
	if t.Host == "" {
		t.Cluster = cmp.Or(t.Cluster, x.cluster)
	}
	return t
}
