package incident

import "strings"

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

// Causes lists every cause that a diagnosis may name, family by family; unknown
// and healthy are not among them.
func Causes() []string {
	var all []string
	for _, f := range families {
		for _, c := range strings.Fields(f.causes) {
			all = append(all, f.family+"."+c)
		}
	}
	return all
}

// Families lists the families of causes.
func Families() []string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = f.family
	}
	return names
}

// words says of each family and each cause which of the two it is.
var words = func() map[string]bool {
	all := map[string]bool{}
	for _, family := range Families() {
		all[family] = false
	}
	for _, cause := range Causes() {
		all[cause] = true
	}
	return all
}()

// IsFamily says whether word is a family of causes.
func IsFamily(word string) bool { cause, known := words[word]; return known && !cause }

// IsCause says whether word is a cause of the list, and so something that a
// hypothesis can be. Unknown and healthy are none.
func IsCause(word string) bool { return words[word] }
