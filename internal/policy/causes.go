package policy

import (
	"slices"
	"strings"

	"salve/internal/incident"
	"salve/internal/suggest"
)

// families is the closed list of causes, by family.
var families = [...]struct{ family, causes string }{
	{"pod", "oom_killed node_oom liveness_failed readiness_failed startup_probe_failed startup_failed " +
		"image_not_found image_auth_failed image_rate_limited registry_unreachable image_invalid_name image_wrong_platform " +
		"config_missing container_create_failed command_invalid volume_failed sandbox_failed evicted " +
		"dependency_unavailable permission_denied port_conflict " +
		"unschedulable.insufficient_resources unschedulable.taint unschedulable.affinity unschedulable.volume " +
		"unschedulable.too_many_pods unschedulable.gated"},
	{"workload", "rollout_stalled quota_exceeded admission_denied hpa_maxed hpa_metrics_missing pdb_blocked"},
	{"job", "backoff_exceeded deadline_exceeded"},
	{"deploy", "failed"},
	{"node", "not_ready disk_pressure memory_pressure pid_pressure network_unavailable"},
	{"host", "disk_full inodes_full"},
	{"service", "down"},
	{"cert", "expiring expired renewal_failed"},
	{"backup", "failed stale retention_expiring"},
	{"slo", "availability error_rate latency"},
	{"db", "primary_down connections_exhausted replication_lag"},
	{"resource", "cpu_saturated memory_saturated anomalous"},
	{"security", "privileged_container exposed_secret broad_access vulnerable_image"},
	{"trend", "disk_filling cpu_rising memory_leak"},
}

// Causes lists every cause a rule may name, unknown last. Healthy is not among
// them: nothing is done about health.
func Causes() []string {
	var all []string
	for _, f := range families {
		for _, c := range strings.Fields(f.causes) {
			all = append(all, f.family+"."+c)
		}
	}
	return append(all, incident.CauseUnknown)
}

// expandCause gives the causes that a rule's word stands for: itself, all below
// pod.* or pod.unschedulable.*, or all for *. Unknown is in none of the
// wildcards: whoever wants to act on what nobody could diagnose says so.
func expandCause(word string) []string {
	prefix, wild := strings.CutSuffix(word, "*")
	if !wild {
		if slices.Contains(Causes(), word) {
			return []string{word}
		}
		return nil
	}
	if prefix != "" && !strings.HasSuffix(prefix, ".") {
		return nil
	}
	var below []string
	for _, c := range Causes() {
		if c != incident.CauseUnknown && strings.HasPrefix(c, prefix) {
			below = append(below, c)
		}
	}
	return below
}

// causeHint says what would be right instead of a word that is no cause.
func causeHint(word string) string {
	words := append(Causes(), "pod.unschedulable.*", "*")
	kin := []string{incident.CauseUnknown}
	for _, f := range families {
		words, kin = append(words, f.family+".*"), append(kin, f.family+".*")
	}
	if near := suggest.Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	if family := expandCause(incident.Family(word) + ".*"); len(family) > 0 {
		kin = family
	}
	return "known are " + strings.Join(kin, ", ")
}
