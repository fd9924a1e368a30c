package triage_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/triage"
)

// conformity shows that one key of the policy's schema changes what Salve does:
// two policies that differ in that key alone, and a probe that tells them apart.
type conformity struct {
	base, other string
	probe       func(t *testing.T, text string) string
}

const (
	restartRule = "rules: [{name: r, cause: pod.oom_killed, level: 3, ladder: [{steps: [{action: k8s.pod.restart}]}]}]\n"
	askRule     = "rules: [{name: r, cause: pod.oom_killed, level: 2, ladder: [{steps: [{action: k8s.pod.restart}]}]}]\n"
	holdRule    = "rules: [{name: r, cause: pod.oom_killed, level: 3, risk: high, ladder: [{steps: [{action: k8s.pod.restart}]}]}]\n"
	tellRule    = "rules: [{name: r, cause: pod.oom_killed, level: 1}]\n"
)

// conformities has a case for every key. Where nothing else is said, the first text
// leaves the key out.
var conformities = map[string]conformity{
	"timezone":                          {restartHold(""), "timezone: Asia/Tokyo\n" + restartHold(""), decided},
	"default_cluster":                   {restartRule, "default_cluster: other\n" + restartRule, setting(func(s policy.Settings) any { return s.DefaultCluster })},
	"reports.manual_baseline":           {restartRule, "reports: {manual_baseline: 1h}\n" + restartRule, setting(func(s policy.Settings) any { return s.ManualBaseline })},
	"slack.decide":                      {restartRule, "slack: {decide: [U0123ABC]}\n" + restartRule, setting(func(s policy.Settings) any { return s.Slack.MayDecide("U0123ABC") })},
	"slack.admin":                       {restartRule, "slack: {admin: [U0123ABC]}\n" + restartRule, setting(func(s policy.Settings) any { return s.Slack.MayRule("U0123ABC") })},
	"trusted_evidence":                  {restartRule, "trusted_evidence: [else]\n" + restartRule, unasked},
	"evidence.rounds":                   {restartRule, "evidence: {rounds: 1}\n" + restartRule, looks},
	"evidence.max_duration":             {restartRule, "evidence: {max_duration: 10s}\n" + restartRule, looks},
	"evidence.max_bytes":                {restartRule, "evidence: {max_bytes: 1KiB}\n" + restartRule, unasked},
	"evidence.fresh_for":                {restartRule, "evidence: {fresh_for: 1m}\n" + restartRule, later(2*time.Minute, "")},
	"approval.expires_after":            {askRule, "approval: {expires_after: 1h}\n" + askRule, expiry},
	"approval.fresh_for":                {askRule, "approval: {fresh_for: 1m}\n" + askRule, approved(2 * time.Minute)},
	"approval.quorum":                   {askRule, "approval: {quorum: 2}\n" + askRule, approved(0)},
	"groups":                            {"groups: {sre: [bob]}\n" + rule(`approvers: ["group:sre"]`, 2), "groups: {sre: [alice]}\n" + rule(`approvers: ["group:sre"]`, 2), approved(0)},
	"quiet_hours.from":                  {quiet(`from: "04:00", to: "07:00"`), quiet(`from: "03:00", to: "07:00"`), decided},
	"quiet_hours.to":                    {quiet(`from: "01:00", to: "03:00"`), quiet(`from: "01:00", to: "04:00"`), decided},
	"quiet_hours.days":                  {quiet(`from: "01:00", to: "04:00"`), quiet(`from: "01:00", to: "04:00", days: [sun]`), decided},
	"quiet_hours.hold":                  {quiet(`from: "01:00", to: "04:00"`), quiet(`from: "01:00", to: "04:00", hold: wait`), decided},
	"maintenance.from":                  {maintenance(`from: "02:00", to: "05:00"`), maintenance(`from: "04:00", to: "05:00"`), starts},
	"maintenance.to":                    {maintenance(`from: "02:00", to: "05:00"`), maintenance(`from: "02:00", to: "03:00"`), starts},
	"maintenance.days":                  {maintenance(`from: "02:00", to: "05:00"`), maintenance(`from: "02:00", to: "05:00", days: [sat]`), starts},
	"onboarding.days":                   {"onboarding: {services: {shop: 2026-11-20}}\n" + restartRule, "onboarding: {days: 9, services: {shop: 2026-11-20}}\n" + restartRule, decidedFor("shop")},
	"onboarding.services":               {"onboarding: {days: 9}\n" + restartRule, "onboarding: {days: 9, services: {shop: 2026-11-20}}\n" + restartRule, decidedFor("shop")},
	"hold.window":                       {holdRule, "hold: {window: 1m}\n" + holdRule, announced(0)},
	"hold.transit_grace":                {holdRule, "hold: {transit_grace: 9s}\n" + holdRule, announced(0)},
	"hold.delivery_deadline":            {holdRule, "hold: {delivery_deadline: 9s}\n" + holdRule, later(20*time.Second, "k8s.pod.restart")},
	"intents.expire_after":              {restartRule, "intents: {expire_after: 1h}\n" + restartRule, expiry},
	"verification.window":               {restartRule, "verification: {window: 1h}\n" + restartRule, theWatch},
	"verification.look_every":           {restartRule, "verification: {look_every: 1m}\n" + restartRule, theWatch},
	"verification.healthy_for":          {restartRule, "verification: {healthy_for: 1m}\n" + restartRule, theWatch},
	"recurrence":                        {restartRule, "recurrence: 1m\n" + restartRule, guarded(policy.GuardIneffective, before(1, incident.RepairIneffective))},
	"lease.grace":                       {restartRule, "lease: {grace: 9s}\n" + restartRule, leased},
	"channels.sms":                      {tellRule, "channels: {sms: ops}\n" + tellRule, texts},
	"rules.channels.sms":                {tellRule, "rules: [{name: r, cause: pod.oom_killed, level: 1, channels: {sms: none}}]\n", texts},
	"channels.critical":                 {holdRule, "channels: {critical: \"#other\"}\n" + holdRule, messages},
	"channels.high":                     {tellRule, "channels: {high: \"#other\"}\n" + tellRule, told(incident.High)},
	"channels.warning":                  {tellRule, "channels: {warning: \"#other\"}\n" + tellRule, told(incident.Warning)},
	"channels.info":                     {tellRule, "channels: {info: \"#other\"}\n" + tellRule, told(incident.Info)},
	"channels.repaired":                 {restartRule, "channels: {repaired: \"#other\"}\n" + restartRule, repairedMessage},
	"inventory.clusters":                {restartRule, "inventory: {clusters: [other]}\n" + restartRule, decided},
	"inventory.namespaces":              {restartRule, "inventory: {namespaces: [other]}\n" + restartRule, decided},
	"inventory.hosts":                   {restartRule, "inventory: {hosts: [web-01]}\n" + restartRule, guardedTarget(incident.Target{Host: "web-01"})},
	"inventory.domains":                 {"inventory: {hosts: [web-01]}\n" + restartRule, "inventory: {hosts: [web-01], domains: [a.example.com]}\n" + restartRule, guardedTarget(incident.Target{Kind: "Certificate", Name: "a.example.com", Host: "web-01"})},
	"inventory.repositories":            {"", repository(""), inRepository},
	"inventory.repositories.repo":       {repository(""), repository("repo: acme/b"), inRepository},
	"inventory.repositories.base":       {repository(""), repository("base: prod"), inRepository},
	"inventory.repositories.clusters":   {repository(""), repository("clusters: [other]"), inRepository},
	"inventory.repositories.namespaces": {repository(""), repository("namespaces: [other]"), inRepository},
	"inventory.repositories.paths":      {repository(""), repository("paths: [other.yaml]"), inRepository},
	"budgets.window":                    {restartRule, "budgets: {window: 10m}\n" + restartRule, guarded(policy.GuardBudget, before(3, incident.RepairVerified))},
	"budgets.target":                    {restartRule, "budgets: {target: 9}\n" + restartRule, guarded(policy.GuardBudget, before(3, incident.RepairVerified))},
	"budgets.service":                   {restartRule, "budgets: {service: 0}\n" + restartRule, guarded(policy.GuardBudget, nil)},
	"budgets.namespace":                 {restartRule, "budgets: {namespace: 0}\n" + restartRule, guarded(policy.GuardBudget, nil)},
	"budgets.cluster":                   {restartRule, "budgets: {cluster: 0}\n" + restartRule, guarded(policy.GuardBudget, nil)},
	"budgets.total":                     {restartRule, "budgets: {total: 0}\n" + restartRule, guarded(policy.GuardBudget, nil)},
	"budgets.actions":                   {restartRule, "budgets: {actions: {k8s.pod.restart: 0}}\n" + restartRule, guarded(policy.GuardBudget, nil)},
	"cooldown":                          {restartRule, "cooldown: 1h\n" + restartRule, guarded(policy.GuardCooldown, before(1, incident.RepairVerified))},
	"breaker.failures":                  {restartRule, "breaker: {failures: 1}\n" + restartRule, guarded(policy.GuardBreaker, before(1, incident.RepairFailed))},
	"breaker.within":                    {"breaker: {failures: 1}\n" + restartRule, "breaker: {failures: 1, within: 5m}\n" + restartRule, guarded(policy.GuardBreaker, before(1, incident.RepairFailed))},
	"blast_radius.pods":                 {restartRule, "blast_radius: {pods: 3}\n" + restartRule, guarded(policy.GuardBlastRadius, nil)},
	"blast_radius.percent":              {restartRule, "blast_radius: {percent: 80}\n" + restartRule, guarded(policy.GuardBlastRadius, nil)},
	"storm.incidents":                   {restartRule, "storm: {incidents: 30}\n" + restartRule, setting(func(s policy.Settings) any { return s.Stormy(25) })},
	"storm.collects":                    {restartRule, "storm: {collects: 0}\n" + restartRule, inStorm},
	"monitoring.stale_after":            {"monitoring: {sources: {alertmanager: 5m}}\n" + restartRule, "monitoring: {stale_after: 9, sources: {alertmanager: 5m}}\n" + restartRule, guarded(policy.GuardBlindness, nil)},
	"monitoring.sources":                {restartRule, "monitoring: {sources: {alertmanager: 5m}}\n" + restartRule, guarded(policy.GuardBlindness, nil)},

	"autonomy.at_least":   {askRule, "autonomy: {at_least: 50}\n" + askRule, proposes(40, 0)},
	"autonomy.confidence": {askRule, "autonomy: {confidence: 95}\n" + askRule, proposes(40, 0)},
	"autonomy.ceiling":    {askRule, "autonomy: {ceiling: 2}\n" + askRule, proposes(40, 0)},

	"rules":                             {"rules: []\n", restartRule, decided},
	"rules.name":                        {restartRule, strings.Replace(restartRule, "name: r", "name: s", 1), decided},
	"rules.cause":                       {restartRule, strings.Replace(restartRule, "pod.oom_killed", "pod.evicted", 1), decided},
	"rules.if":                          {restartRule, rule(`if: target.namespace == "other"`, 3), decided},
	"rules.level":                       {restartRule, askRule, decided},
	"rules.risk":                        {restartRule, holdRule, decided},
	"rules.dry_run":                     {restartRule, rule("dry_run: true", 3), decided},
	"rules.hold.window":                 {holdRule, rule("risk: high, hold: {window: 1m}", 3), announced(0)},
	"rules.approvers":                   {askRule, rule("approvers: [bob]", 2), approved(0)},
	"rules.quorum":                      {askRule, rule("quorum: 2", 2), approved(0)},
	"rules.verification.window":         {restartRule, rule("verification: {window: 1h}", 3), theWatch},
	"rules.channels.critical":           {holdRule, rule(`risk: high, channels: {critical: "#other"}`, 3), messages},
	"rules.channels.high":               {tellRule, "rules: [{name: r, cause: pod.oom_killed, level: 1, channels: {high: \"#other\"}}]\n", told(incident.High)},
	"rules.channels.warning":            {tellRule, "rules: [{name: r, cause: pod.oom_killed, level: 1, channels: {warning: \"#other\"}}]\n", told(incident.Warning)},
	"rules.channels.info":               {tellRule, "rules: [{name: r, cause: pod.oom_killed, level: 1, channels: {info: \"#other\"}}]\n", told(incident.Info)},
	"rules.channels.repaired":           {restartRule, rule(`channels: {repaired: "#other"}`, 3), repairedMessage},
	"rules.guards.cooldown":             {restartRule, rule("guards: {cooldown: 1h}", 3), guarded(policy.GuardCooldown, before(1, incident.RepairVerified))},
	"rules.guards.budget":               {restartRule, rule("guards: {budget: 0}", 3), guarded(policy.GuardBudget, nil)},
	"rules.guards.blast_radius":         {"blast_radius: {pods: 2}\n" + restartRule, "blast_radius: {pods: 2}\n" + rule("guards: {blast_radius: {pods: 0}}", 3), guarded(policy.GuardBlastRadius, nil)},
	"rules.guards.blast_radius.pods":    {"blast_radius: {pods: 2}\n" + restartRule, "blast_radius: {pods: 2}\n" + rule("guards: {blast_radius: {pods: 1}}", 3), guarded(policy.GuardBlastRadius, nil)},
	"rules.guards.blast_radius.percent": {"blast_radius: {percent: 80}\n" + restartRule, "blast_radius: {percent: 80}\n" + rule("guards: {blast_radius: {percent: 10}}", 3), guarded(policy.GuardBlastRadius, nil)},
	"rules.when":                        {"maintenance: [{from: \"04:00\", to: \"05:00\"}]\n" + restartRule, "maintenance: [{from: \"04:00\", to: \"05:00\"}]\n" + rule("when: window", 3), starts},
	"rules.ladder":                      {tellRule, restartRule, decided},
	"rules.ladder.if":                   {restartRule, strings.Replace(restartRule, "{steps:", "{if: 'false', steps:", 1), decided},
	"rules.ladder.steps":                {restartRule, strings.Replace(restartRule, "[{action: k8s.pod.restart}]", "[{action: k8s.pod.restart}, {action: k8s.deployment.restart}]", 1), decided},
	"rules.ladder.steps.action":         {restartRule, strings.Replace(restartRule, "k8s.pod.restart", "k8s.deployment.restart", 1), decided},
	"rules.ladder.steps.mode":           {restartRule, strings.Replace(restartRule, "k8s.pod.restart", "k8s.pod.restart, mode: approve", 1), decided},
	"rules.ladder.steps.params":         {ladder("params: {memory_factor: 1.5}"), ladder("params: {memory_factor: 2}"), decided},
	"rules.ladder.steps.independent":    {restartRule, strings.Replace(restartRule, "k8s.pod.restart", "k8s.pod.restart, independent: true", 1), decided},
}

// elsewhere are keys whose effect needs a database: the tests that show it.
var elsewhere = map[string]string{
	"storm.within": "store: TestStorm", "storm.cooldown": "store: TestStorm", "storm.reopen": "store: TestStorm",
	"autonomy.within":       "store: TestPromotions",
	"monitoring.open_after": "objective: TestEverySettingIsRead", "monitoring.clear_after": "objective: TestEverySettingIsRead",
	"monitoring.urgent": "objective: TestEverySettingIsRead", "monitoring.objectives": "objective: TestEverySettingIsRead",
	"monitoring.heartbeat": "cmd/server: heartbeat-missing.txt", "monitoring.services": "objective: TestEverySettingIsRead",
	"scaling": "capacity: TestEverySettingIsRead", "scaling.target_cpu": "capacity: TestEverySettingIsRead", "scaling.tolerance": "capacity: TestEverySettingIsRead", "scaling.min_pods": "capacity: TestEverySettingIsRead",
	"scaling.max_pods": "capacity: TestEverySettingIsRead", "scaling.start_up": "capacity: TestEverySettingIsRead", "scaling.down_after": "capacity: TestEverySettingIsRead",
}

func rule(more string, level int) string {
	return fmt.Sprintf("rules: [{name: r, cause: pod.oom_killed, level: %d, %s, ladder: [{steps: [{action: k8s.pod.restart}]}]}]\n", level, more)
}

func restartHold(more string) string {
	return "quiet_hours: {from: \"01:00\", to: \"04:00\"" + more + "}\n" + holdRule
}

func quiet(hours string) string { return "quiet_hours: {" + hours + "}\n" + holdRule }

func maintenance(hours string) string {
	return "maintenance: [{" + hours + "}]\n" + rule("when: window", 3)
}

func ladder(more string) string {
	return "rules: [{name: r, cause: pod.oom_killed, level: 3, ladder: [{steps: [{action: k8s.deployment.resources, " + more + "}]}]}]\n"
}

// repository is an inventory with one, of which one key says something else.
func repository(other string) string {
	keys := map[string]string{"repo": "acme/a", "namespaces": "[production]", "paths": "[a.yaml]"}
	if name, value, found := strings.Cut(other, ": "); found {
		keys[name] = value
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		list = append(list, name+": "+keys[name])
	}
	return "inventory: {repositories: [{" + strings.Join(list, ", ") + "}]}\n" + strings.Repeat(restartRule, 0)
}

// withRules completes a text that says nothing of rules.
func withRules(text string) string {
	if strings.Contains(text, "rules:") {
		return text
	}
	return text + strings.Replace(restartRule, "k8s.pod.restart", "git.pull_request", 1)
}

func decided(t *testing.T, text string) string { return decidedFor("")(t, text) }

// decidedFor is the decision about a pod of a service.
func decidedFor(service string) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		w := newWorld(t, text)
		e := crash
		e.Service = service
		w.alert(e)
		w.run("collect.pod", w.ill())
		return inWords(w)
	}
}

func inWords(w *world) string {
	d := w.last.Decision
	var steps []string
	for _, s := range d.Steps {
		steps = append(steps, fmt.Sprint(s.Action, s.Mode, s.Params, s.Independent, s.Window))
	}
	return fmt.Sprint(d.Verdict, d.Rule, d.Level, d.Risk, d.Rung, steps, triage.Stopping(d.Guards), d.Reasons, w.live())
}

func setting(read func(policy.Settings) any) func(*testing.T, string) string {
	return func(t *testing.T, text string) string { return fmt.Sprint(read(newWorld(t, text).policy.Settings())) }
}

// unasked is what becomes of evidence that nobody asked for.
func unasked(t *testing.T, text string) string {
	w := newWorld(t, text)
	w.alert(crash)
	taken := w.look("n8n", w.ill())
	return fmt.Sprint(taken.Outcome, w.last.Decision.Verdict, w.live())
}

// looks are those that are asked for while nothing is found.
func looks(t *testing.T, text string) string {
	w := newWorld(t, text)
	w.alert(crash)
	for range 5 {
		if slices.Contains(w.live(), "collect.pod ready") {
			w.now = w.now.Add(30 * time.Second)
			if w.claimID(w.find("collect.pod", incident.Ready).ID) != nil {
				break
			}
			w.result("collect.pod", incident.ResultSucceeded, `{"events":[]}`)
		}
	}
	return fmt.Sprint(states(w.facts.Intents), w.last.Decision.Verdict)
}

// later is what a claim says after a while, or how an action stands then.
func later(after time.Duration, action string) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		w := diagnosed(t, text)
		w.advance(after)
		if action != "" {
			return fmt.Sprint(w.live())
		}
		return fmt.Sprint(w.claimID(w.find("k8s.pod.restart", incident.Ready).ID) == nil)
	}
}

func newest(w *world, action string) incident.Intent {
	for _, in := range slices.Backward(w.facts.Intents) {
		if in.Action == action {
			return in
		}
	}
	return incident.Intent{}
}

func expiry(t *testing.T, text string) string {
	return newest(diagnosed(t, text), "k8s.pod.restart").ExpiresAt.String()
}

func starts(t *testing.T, text string) string {
	in := newest(diagnosed(t, text), "k8s.pod.restart")
	return fmt.Sprint(in.NotBefore, in.ExpiresAt)
}

func approved(after time.Duration) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		w := diagnosed(t, text)
		w.now = w.now.Add(after)
		in := newest(w, "k8s.pod.restart")
		w.hear("approve", in, in.PlanHash)
		return fmt.Sprint(newest(w, "k8s.pod.restart").State, w.said != nil)
	}
}

func announced(time.Duration) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		w := diagnosed(t, text)
		w.run("notify.slack", "")
		return newest(w, "k8s.pod.restart").NotBefore.String()
	}
}

func theWatch(t *testing.T, text string) string {
	w := diagnosed(t, text)
	w.run("k8s.pod.restart", "")
	by := w.facts.Incident.VerifyBy
	w.now = w.now.Add(time.Second)
	w.run("collect.pod", w.well())
	next := newest(w, "collect.pod")
	return fmt.Sprint(by, next.NotBefore, string(newest(w, "k8s.pod.restart").Verify))
}

func leased(t *testing.T, text string) string {
	w := diagnosed(t, text)
	w.claim("k8s.pod.restart")
	return newest(w, "k8s.pod.restart").LeaseExpires.String()
}

func messages(t *testing.T, text string) string { return fmt.Sprint(diagnosed(t, text).messages()) }

func told(s incident.Severity) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		w := newWorld(t, text)
		e := crash
		e.Severity = s
		w.alert(e)
		w.run("collect.pod", w.ill())
		return fmt.Sprint(w.messages())
	}
}

// texts are whom n8n is to text, when something critical needs a human.
func texts(t *testing.T, text string) string {
	w := newWorld(t, text)
	e := crash
	e.Severity = incident.Critical
	w.alert(e)
	w.run("collect.pod", w.ill())
	var lists []string
	for _, in := range w.facts.Intents {
		if in.Action == "notify.sms" {
			lists = append(lists, string(in.Params))
		}
	}
	return fmt.Sprint(lists)
}

func repairedMessage(t *testing.T, text string) string {
	w := diagnosed(t, text)
	w.run("k8s.pod.restart", "")
	for range 8 {
		w.advance(31 * time.Second)
		if slices.Contains(w.live(), "collect.pod ready") {
			w.run("collect.pod", w.well())
		}
	}
	return fmt.Sprint(w.messages())
}

// before is a target that was repaired by other incidents, ten to twenty minutes ago.
func before(n int, outcome incident.RepairOutcome) func(*policy.GuardFacts) {
	return func(f *policy.GuardFacts) {
		for i := range n {
			r := f.Repair
			r.ID, r.IncidentID, r.Outcome = incident.ID{1, byte(i)}, incident.ID{2, byte(i)}, outcome
			r.BeganAt, r.EndedAt = f.Now.Add(-20*time.Minute), f.Now.Add(-15*time.Minute)
			f.State.Repairs = append(f.State.Repairs, r)
		}
	}
}

// guarded is one guard's reading of a change that takes two of five replicas away.
func guarded(guard string, change func(*policy.GuardFacts)) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		p := newWorld(t, text).policy
		f := policy.GuardFacts{
			Effect: incident.Change, Automation: incident.Live, Trusted: true, ObservedAt: night, Now: night, Rule: "r", Action: "k8s.pod.restart",
			Targets: []incident.Target{{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "a"}},
			Repair:  incident.Repair{Target: "t", Cluster: "prod", Namespace: "production", Service: "shop", Action: "k8s.pod.restart", Cause: "pod.oom_killed"},
			Blast:   incident.Blast{Unavailable: 2, Replicas: 5, Ready: 5, Known: true},
			State:   policy.GuardState{Seen: map[string]time.Time{"alertmanager": night.Add(-20 * time.Minute)}},
		}
		if change != nil {
			change(&f)
		}
		return reading(p, f, guard)
	}
}

func reading(p *policy.Policy, f policy.GuardFacts, guard string) string {
	for _, r := range p.Guard(f) {
		if r.Guard == guard {
			return fmt.Sprint(r.Stops)
		}
	}
	return "none"
}

func guardedTarget(target incident.Target) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		return reading(newWorld(t, text).policy, policy.GuardFacts{Effect: incident.Change, Targets: []incident.Target{target}, Now: night}, policy.GuardInventory)
	}
}

// inRepository is where the manifests of the workload are looked for.
func inRepository(t *testing.T, text string) string {
	w := diagnosed(t, withRules(text))
	return string(newest(w, "collect.files").Execute) + fmt.Sprint(w.live())
}

func proposes(helped, failed int) func(*testing.T, string) string {
	return func(t *testing.T, text string) string {
		_, ok := newWorld(t, text).policy.Proposes(policy.TrackRecord{Cause: "pod.oom_killed", Action: "k8s.pod.restart", Scope: "prod/shop", Helped: helped, Failed: failed})
		return fmt.Sprint(ok)
	}
}

func inStorm(t *testing.T, text string) string {
	w := newWorld(t, text)
	w.facts.Guards.Storm = incident.Storm{ID: incident.ID{7}, BeganAt: night}
	w.alert(crash)
	return fmt.Sprint(w.live(), w.facts.Incident.State)
}

func TestEveryKeyChangesBehaviour(t *testing.T) {
	for key, c := range conformities {
		t.Run(key, func(t *testing.T) {
			base, other := c.probe(t, withRules(c.base)), c.probe(t, withRules(c.other))
			if base == other {
				t.Errorf("%s changes nothing: %s", key, base)
			}
		})
	}
}

// The schema is asked for its keys: each mapping names them when it meets one that
// it does not know.
func TestEveryKeyHasACase(t *testing.T) {
	for _, at := range []struct{ path, text string }{
		{"", "%s: 1\nrules: []\n"}, {"evidence", "evidence: {%s: 1}\nrules: []\n"}, {"approval", "approval: {%s: 1}\nrules: []\n"},
		{"quiet_hours", "quiet_hours: {%s: 1}\nrules: []\n"}, {"maintenance", "maintenance: [{%s: 1}]\nrules: []\n"}, {"onboarding", "onboarding: {%s: 1}\nrules: []\n"},
		{"hold", "hold: {%s: 1}\nrules: []\n"}, {"intents", "intents: {%s: 1}\nrules: []\n"}, {"verification", "verification: {%s: 1}\nrules: []\n"},
		{"lease", "lease: {%s: 1}\nrules: []\n"}, {"channels", "channels: {%s: 1}\nrules: []\n"}, {"inventory", "inventory: {%s: 1}\nrules: []\n"},
		{"inventory.repositories", "inventory: {repositories: [{%s: 1}]}\nrules: []\n"}, {"budgets", "budgets: {%s: 1}\nrules: []\n"},
		{"breaker", "breaker: {%s: 1}\nrules: []\n"}, {"blast_radius", "blast_radius: {%s: 1}\nrules: []\n"}, {"storm", "storm: {%s: 1}\nrules: []\n"},
		{"monitoring", "monitoring: {%s: 1}\nrules: []\n"}, {"scaling", "scaling: {%s: 1}\nrules: []\n"}, {"autonomy", "autonomy: {%s: 1}\nrules: []\n"}, {"rules", "rules: [{%s: 1}]\n"}, {"rules.hold", "rules: [{hold: {%s: 1}}]\n"},
		{"rules.verification", "rules: [{verification: {%s: 1}}]\n"}, {"rules.channels", "rules: [{channels: {%s: 1}}]\n"}, {"rules.guards", "rules: [{guards: {%s: 1}}]\n"},
		{"rules.guards.blast_radius", "rules: [{guards: {blast_radius: {%s: 1}}}]\n"}, {"rules.ladder", "rules: [{level: 2, ladder: [{%s: 1}]}]\n"},
		{"rules.ladder.steps", "rules: [{level: 2, ladder: [{steps: [{%s: 1}]}]}]\n"},
	} {
		keys := keysOf(t, fmt.Sprintf(at.text, "no-such-key-at-all"))
		for _, key := range keys {
			path := strings.TrimPrefix(at.path+"."+key, ".")
			if _, found := conformities[path]; !found && elsewhere[path] == "" && !slices.ContainsFunc(slices.Collect(maps.Keys(conformities)), func(k string) bool { return strings.HasPrefix(k, path+".") }) {
				t.Errorf("no case shows what %s changes", path)
			}
		}
	}
}

var knownKeys = regexp.MustCompile(`has no key "no-such-key-at-all"; known are ([a-z_, ]+)`)

func keysOf(t *testing.T, text string) []string {
	t.Helper()
	_, err := policy.Load("p", []byte(text), remedy.Catalogue{})
	if err == nil {
		t.Fatalf("an unknown key was taken: %s", text)
	}
	found := knownKeys.FindStringSubmatch(err.Error())
	if found == nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Split(found[1], ", ")
}
