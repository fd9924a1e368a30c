package policy

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

// The causes of the contract, in its own words.
const contract = `
pod oom_killed, node_oom, liveness_failed, readiness_failed, startup_probe_failed, startup_failed, image_not_found, image_auth_failed, image_rate_limited, registry_unreachable, image_invalid_name, image_wrong_platform, config_missing, container_create_failed, command_invalid, volume_failed, sandbox_failed, evicted, dependency_unavailable, permission_denied, port_conflict, unschedulable.insufficient_resources, unschedulable.taint, unschedulable.affinity, unschedulable.volume, unschedulable.too_many_pods, unschedulable.gated
workload rollout_stalled, quota_exceeded, admission_denied, hpa_maxed, hpa_metrics_missing, pdb_blocked
job backoff_exceeded, deadline_exceeded
deploy failed
node not_ready, disk_pressure, memory_pressure, pid_pressure, network_unavailable
host disk_full, inodes_full
service down
cert expiring, expired, renewal_failed
backup failed, stale, retention_expiring
slo availability, error_rate, latency
db primary_down, connections_exhausted, replication_lag
resource cpu_saturated, memory_saturated, anomalous
security privileged_container, exposed_secret, broad_access, vulnerable_image
trend disk_filling, cpu_rising, memory_leak`

func TestCausesAreThoseOfTheContract(t *testing.T) {
	var want []string
	for line := range strings.Lines(strings.TrimSpace(contract)) {
		family, names, _ := strings.Cut(strings.TrimSpace(line), " ")
		for name := range strings.SplitSeq(names, ", ") {
			want = append(want, family+"."+name)
		}
	}
	if diff := cmp.Diff(append(want, "unknown"), Causes()); diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
}

func TestWildcards(t *testing.T) {
	for word, want := range map[string]int{
		"*": len(Causes()) - 1, "pod.*": 27, "pod.unschedulable.*": 6, "deploy.*": 1,
		"pod.evicted": 1, "unknown": 1, "healthy": 0, "pod": 0, "pod*": 0, "pods.*": 0, "": 0,
	} {
		got := expandCause(word)
		if len(got) != want || word == "*" && slices.Contains(got, incident.CauseUnknown) {
			t.Errorf("%q stands for %d causes, want %d, and never for unknown", word, len(got), want)
		}
	}
}

func TestDefaultWritesEveryDefault(t *testing.T) {
	written, silent := load(t, defaultSource).Settings(), load(t, "rules: []").Settings()
	if diff := cmp.Diff(silent, written); diff != "" {
		t.Errorf("default.yaml (+) and what holds without it (-):\n%s", diff)
	}
	r := newReader("", nil)
	for _, f := range new(Settings).all(r, nil) {
		if !strings.Contains(defaultSource, "\n"+f.name+":") {
			t.Errorf("default.yaml does not show %s", f.name)
		}
	}
	file, err := os.ReadFile("default.yaml")
	if err != nil || string(file) != string(Default()) {
		t.Errorf("Default is not the file: %v", err)
	}
}

// The decisions of a fresh installation, once it is live.
func TestDefaultDecisions(t *testing.T) {
	restart := []incident.Step{{Action: "k8s.pod.restart", Mode: incident.Auto}}
	ask := []incident.Step{{Action: "k8s.pod.restart", Mode: incident.Approve}}
	rollback := []incident.Step{{Action: "k8s.deployment.rollback", Mode: incident.Hold, Window: 30 * time.Second}}
	cordon := []incident.Step{{Action: "k8s.node.cordon", Mode: incident.Approve}}
	oom := []incident.Step{restart[0], {
		Action: "git.pull_request", Mode: incident.Auto, Independent: true,
		Params: map[string]any{"memory_factor": 1.5, "memory_ceiling_factor": int64(4), "max_raises": int64(2), "take_ownership": true},
	}}
	special := map[string]struct {
		verdict incident.Verdict
		level   int
		rule    string
		steps   []incident.Step
	}{
		"pod.oom_killed":           {incident.VerdictRepair, 3, "pod-out-of-memory", oom},
		"pod.liveness_failed":      {incident.VerdictRepair, 3, "pod-crashed", restart},
		"pod.startup_failed":       {incident.VerdictRepair, 3, "pod-crashed", restart},
		"pod.readiness_failed":     {incident.VerdictApprove, 2, "pod-restart-may-help", ask},
		"pod.startup_probe_failed": {incident.VerdictApprove, 2, "pod-restart-may-help", ask},
		"pod.node_oom":             {incident.VerdictApprove, 2, "pod-restart-may-help", ask},
		"pod.sandbox_failed":       {incident.VerdictApprove, 2, "pod-restart-may-help", ask},
		"workload.rollout_stalled": {incident.VerdictHold, 3, "release-failed", rollback},
		"deploy.failed":            {incident.VerdictHold, 3, "release-failed", rollback},
		"db.connections_exhausted": {incident.VerdictRepair, 3, "connections-exhausted", []incident.Step{{Action: "k8s.deployment.restart", Mode: incident.Auto}}},
		"host.disk_full": {incident.VerdictRepair, 3, "disk-full", []incident.Step{
			{Action: "host.logs.clean", Mode: incident.Auto, Params: map[string]any{"older_than_days": int64(7)}},
			{Action: "host.logs.compress", Mode: incident.Auto, Independent: true, Params: map[string]any{"larger_than_mb": int64(100)}},
			{Action: "host.coredumps.delete", Mode: incident.Auto, Independent: true},
		}},
		"workload.hpa_maxed": {incident.VerdictRepair, 3, "autoscaler-at-its-end", []incident.Step{
			{Action: "git.pull_request", Mode: incident.Auto, Params: map[string]any{"autoscaler_max_factor": 1.5, "autoscaler_ceiling": int64(50)}},
		}},
		"node.not_ready":           {incident.VerdictApprove, 2, "node-not-ready", cordon},
		"node.network_unavailable": {incident.VerdictApprove, 2, "node-not-ready", cordon},
	}
	p := load(t, defaultSource)
	for _, cause := range Causes() {
		t.Run(cause, func(t *testing.T) {
			d := p.Decide(crash(cause))
			want, ok := special[cause]
			if !ok {
				want.verdict, want.level, want.rule = incident.VerdictTell, 1, "tell"
				switch {
				case cause == incident.CauseUnknown:
					want.rule = "not-understood"
				case incident.Family(cause) == "pod":
					want.rule = "pod-needs-a-human"
				}
			}
			got := []any{d.Verdict, d.Level, d.Rule, d.Steps}
			if diff := cmp.Diff([]any{want.verdict, want.level, want.rule, want.steps}, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if again := p.Decide(tried(crash(cause), restartFailed)); want.level > 1 && again.Verdict != incident.VerdictEscalate && again.Rung != 2 {
				t.Errorf("after a failed restart: %s", again.Verdict)
			}
		})
	}
}

func TestDefaultRulesForPeople(t *testing.T) {
	rules := load(t, defaultSource).Rules()
	want := RuleInfo{Name: "pod-crashed", Line: rules[1].Line, Causes: []string{"pod.liveness_failed", "pod.startup_failed"}, Level: 3,
		Rungs: []RungInfo{{Risk: incident.RiskLow, Steps: []incident.Step{{Action: "k8s.pod.restart", Mode: incident.Auto}}}}}
	if diff := cmp.Diff(want, rules[1]); diff != "" || rules[1].Line < 2 {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if got := load(t, climbing).Rules()[0].If; got != `target.labels["tier"] == "gold"` {
		t.Errorf("condition %q", got)
	}
}

// Every key of the file's top level is read: each changes what it is named for.
func TestEveryKeyIsRead(t *testing.T) {
	src := `
timezone: Europe/Amsterdam
default_cluster: prod-1
trusted_evidence: [n8n, checks]
evidence: {rounds: 4, max_duration: 20m, max_bytes: 512KiB, fresh_for: 2m}
approval: {expires_after: 1h, fresh_for: 1m, quorum: 2}
groups: {sre: [ines, "slack:U1"]}
quiet_hours: {from: "22:00", to: "07:30", days: [mon, sun], hold: wait}
maintenance: [{days: [sun], from: "02:00", to: "05:00"}]
onboarding: {days: 7, services: {shop: 2026-11-20}}
hold: {window: 1m, transit_grace: 10s, delivery_deadline: 2m}
intents: {expire_after: 1d}
verification: {window: 15m, look_every: 1m, healthy_for: 3m}
recurrence: 7d
lease: {grace: 90s}
channels: {critical: "#a", high: "#b", warning: "#c", info: "#d", repaired: "#e", sms: ops}
slack: {decide: [U0A], admin: [U0B]}
reports: {manual_baseline: 1h}
inventory: {clusters: prod-1, namespaces: [shop], hosts: ["web-*"], domains: ["*.example.com"],
  repositories: [{repo: acme/deploy, base: prod, clusters: [prod-1], namespaces: [shop], paths: ["apps/*.yaml"]}]}
budgets: {window: 2h, target: 4, service: 11, namespace: 21, cluster: 41, total: 61, actions: {k8s.pod.restart: 5}}
cooldown: 11m
breaker: {failures: 4, within: 2h}
blast_radius: {pods: 2, percent: 30}
autonomy: {at_least: 30, confidence: 95, ceiling: 4, within: 30d}
storm: {incidents: 21, within: 6m, cooldown: 12m, collects: 4, reopen: 11}
monitoring: {stale_after: 3, heartbeat: 5m, sources: {alertmanager: 1m}, open_after: 5m, clear_after: 1h, urgent: {error_rate: 20, services: ["pay-*"]},
  objectives: {availability: 99.5, error_rate: 2, p99_latency: 2s}, services: {shop: {error_rate: 0.5}}}
scaling: {target_cpu: 60, tolerance: 5, min_pods: 3, max_pods: 30, start_up: 10m, down_after: 1h}
rules: []
`
	want := Settings{
		Timezone: "Europe/Amsterdam", DefaultCluster: "prod-1", TrustedEvidence: []string{"n8n", "checks"},
		Evidence:           EvidenceSettings{Rounds: 4, MaxDuration: 20 * time.Minute, MaxBytes: 512 << 10, FreshFor: 2 * time.Minute},
		Approval:           ApprovalSettings{ExpiresAfter: time.Hour, FreshFor: time.Minute, Quorum: 2},
		Groups:             map[string][]string{"sre": {"ines", "slack:U1"}},
		QuietHours:         QuietHours{Hours: Hours{Days: []time.Weekday{time.Monday, time.Sunday}, From: 22 * 60, To: 7*60 + 30}, Set: true, Wait: true},
		Maintenance:        []Hours{{Days: []time.Weekday{time.Sunday}, From: 120, To: 300}},
		Onboarding:         Onboarding{Days: 7, Services: map[string]time.Time{"shop": time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}},
		Hold:               HoldSettings{Window: time.Minute, TransitGrace: 10 * time.Second, DeliveryDeadline: 2 * time.Minute},
		IntentExpiresAfter: day,
		Verification:       VerificationSettings{Window: 15 * time.Minute, LookEvery: time.Minute, HealthyFor: 3 * time.Minute},
		Recurrence:         7 * day, LeaseGrace: 90 * time.Second,
		Channels:       Channels{Critical: "#a", High: "#b", Warning: "#c", Info: "#d", Repaired: "#e", SMS: "ops"},
		ManualBaseline: time.Hour,
		Slack:          SlackPeople{Decide: []string{"U0A"}, Admin: []string{"U0B"}},
		Inventory: Inventory{Clusters: []string{"prod-1"}, Namespaces: []string{"shop"}, Hosts: []string{"web-*"}, Domains: []string{"*.example.com"},
			Repositories: []incident.Repository{{Repo: "acme/deploy", Base: "prod", Clusters: []string{"prod-1"}, Namespaces: []string{"shop"}, Paths: []string{"apps/*.yaml"}}}},
		Budgets: Budgets{Window: 2 * time.Hour, Target: 4, Service: 11, Namespace: 21, Cluster: 41, Total: 61,
			Actions: map[string]int{"k8s.pod.restart": 5}},
		Autonomy: Autonomy{AtLeast: 30, Confidence: 0.95, Ceiling: 4, Within: 30 * day},
		Cooldown: 11 * time.Minute, Breaker: BreakerSettings{Failures: 4, Within: 2 * time.Hour},
		BlastRadius: BlastRadius{Pods: 2, Percent: 30},
		Storm:       StormSettings{Incidents: 21, Within: 6 * time.Minute, CoolDown: 12 * time.Minute, Collects: 4, Reopen: 11},
		Scaling:     Scaling{TargetCPU: 60, Tolerance: 5, MinPods: 3, MaxPods: 30, StartUp: 10 * time.Minute, DownAfter: time.Hour},
		Monitoring: Monitoring{StaleAfter: 3, Heartbeat: 5 * time.Minute, Sources: map[string]time.Duration{"alertmanager": time.Minute}, OpenAfter: 5 * time.Minute, ClearAfter: time.Hour,
			Urgent:     Urgent{ErrorRate: 20, Services: []string{"pay-*"}},
			Objectives: Objectives{Availability: 99.5, ErrorRate: 2, P99Latency: 2 * time.Second},
			Services:   map[string]Objectives{"shop": {ErrorRate: 0.5}}},
	}
	p := load(t, src)
	if diff := cmp.Diff(want, p.Settings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	var channels []string
	for _, s := range incident.Severities() {
		channels = append(channels, p.Settings().Channels.For(s))
	}
	if !slices.Equal(channels, []string{"#a", "#b", "#c", "#d"}) {
		t.Errorf("channels by severity: %v", channels)
	}
}
