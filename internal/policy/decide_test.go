package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

var now = time.Date(2026, 11, 20, 3, 15, 0, 0, time.UTC)

// crash is an incident of the given cause with everything in favour of a repair.
func crash(cause string) Facts {
	pod := incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: "api-7d9f-x7k2m"}
	return Facts{
		Incident: incident.Incident{
			Severity: incident.High, Target: pod, State: incident.StateDiagnosing,
			OpenedAt: now.Add(-2 * time.Minute), BeganAt: now.Add(-2 * time.Minute), Rounds: 1,
		},
		Diagnosis: incident.Diagnosis{
			Cause: cause, Subject: pod,
			Owner: incident.Target{Namespace: "production", Kind: "Deployment", Name: "api"},
		},
		Labels:     map[string]string{"env": "prod"},
		Automation: incident.Live, Trusted: true, ObservedAt: now.Add(-time.Minute), Now: now,
		Repair: incident.Repair{Target: "the target", Cluster: "default", Namespace: "production", Service: "api", Cause: cause},
		Blast: func(incident.Step) incident.Blast {
			return incident.Blast{Unavailable: 1, Replicas: 3, Ready: 2, Known: true}
		},
	}
}

func with(f Facts, change func(*Facts)) Facts {
	change(&f)
	return f
}

func tried(f Facts, done ...Tried) Facts {
	f.Tried = done
	return f
}

const climbing = `
rules:
  - name: gold
    cause: pod.liveness_failed
    if: target.labels["tier"] == "gold"
    level: 2
    ladder: [{steps: [{action: k8s.pod.restart}]}]
  - name: night
    cause: pod.liveness_failed
    if: now.getHours() >= 22
    level: 1
  - name: crashed
    cause: pod.*
    level: 3
    ladder:
      - steps: [{action: k8s.pod.restart}]
      - if: diagnosis.owner.kind == "Deployment"
        steps:
          - action: collect.pod
          - action: k8s.deployment.rollback
          - action: k8s.deployment.resources
            mode: approve
      - steps: [{action: notify.slack}]
  - name: watched
    cause: job.*
    dry_run: true
    hold: {window: 2m}
    level: 3
    risk: high
    ladder: [{steps: [{action: k8s.pod.restart}]}]
  - name: careful
    cause: node.not_ready
    if: target.labels["tier"] == "gold"
    level: 3
    risk: high
    ladder: [{steps: [{action: k8s.pod.restart}]}]
  - name: careless
    cause: node.*
    level: 4
    ladder: [{steps: [{action: k8s.pod.restart}, {action: notify.slack}]}]
  - name: silent
    cause: cert.expiring
    if: target.labels["tier"] == "gold"
    level: 1
  - name: loud
    cause: cert.*
    level: 4
    ladder: [{steps: [{action: k8s.pod.restart}, {action: notify.slack}]}]
`

var restartFailed = Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Failed}

func TestDecide(t *testing.T) {
	gold := func(f *Facts) { f.Labels = map[string]string{"tier": "gold"} }
	cases := []struct {
		name    string
		facts   Facts
		verdict incident.Verdict
		rule    string
		rung    int
		reason  string // the last one
	}{
		{"healthy", crash(incident.CauseHealthy), incident.VerdictNothing, "", 0, "nothing is wrong"},
		{"a repair", crash("pod.evicted"), incident.VerdictRepair, "crashed", 1, "rung 1: it may run now"},
		{"first rule that holds", with(crash("pod.liveness_failed"), gold), incident.VerdictApprove, "gold", 1,
			"rung 1: a human must say yes first"},
		{"a time of day", with(with(crash("pod.liveness_failed"), gold), func(f *Facts) {
			f.Labels["tier"] = "tin"
			f.Now, f.ObservedAt = now.Add(20*time.Hour), now.Add(20*time.Hour)
		}), incident.VerdictTell, "night", 0, "level 1: people are told, nothing is changed"},
		{"no rule", crash("backup.failed"), incident.VerdictTell, "", 0, "no rule applies to backup.failed: people are told"},
		{"a cause nobody knows", crash("pod.new_kind"), incident.VerdictTell, "", 0, "no rule applies to pod.new_kind: people are told"},
		{"unknown is in no wildcard", crash(incident.CauseUnknown), incident.VerdictTell, "", 0, "no rule applies to unknown: people are told"},
		{"second rung, held because it is risky", tried(crash("pod.evicted"), restartFailed),
			incident.VerdictHold, "crashed", 2, "rung 2: it runs after a window unless somebody aborts it"},
		{"a rung whose condition does not hold is left out", tried(with(crash("pod.evicted"), func(f *Facts) {
			f.Diagnosis.Owner.Kind = "DaemonSet"
		}), restartFailed), incident.VerdictTell, "crashed", 3, "rung 3 tells and changes nothing"},
		{"a rung that helped nobody is not tried again", tried(crash("pod.evicted"),
			Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Succeeded}), incident.VerdictHold, "crashed", 2,
			"rung 2: it runs after a window unless somebody aborts it"},
		{"nothing is left", tried(crash("pod.evicted"), restartFailed,
			Tried{Action: "notify.slack", Rung: 3, State: incident.Succeeded}), incident.VerdictEscalate, "crashed", 0,
			"no rung is left; tried were k8s.pod.restart (rung 1, failed), notify.slack (rung 3, succeeded)"},
		{"what was shown was not tried", tried(crash("pod.evicted"),
			Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Shown}), incident.VerdictRepair, "crashed", 1, "rung 1: it may run now"},
		{"what was superseded was not tried", tried(crash("pod.evicted"),
			Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Superseded}), incident.VerdictRepair, "crashed", 1, "rung 1: it may run now"},
		{"what expired was tried", tried(crash("pod.evicted"),
			Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Expired}), incident.VerdictHold, "crashed", 2,
			"rung 2: it runs after a window unless somebody aborts it"},
		{"under way", tried(crash("pod.evicted"), Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Running}),
			incident.VerdictWait, "crashed", 0, "k8s.pod.restart of rung 1 is running: its end is awaited"},
		{"an independent step is not awaited", tried(crash("pod.evicted"), restartFailed,
			Tried{Action: "k8s.deployment.resources", Rung: 1, State: incident.AwaitingApproval, Independent: true}),
			incident.VerdictHold, "crashed", 2, "rung 2: it runs after a window unless somebody aborts it"},
		{"a human's no", tried(crash("pod.evicted"), Tried{Action: "k8s.pod.restart", Rung: 1, State: incident.Aborted}),
			incident.VerdictEscalate, "crashed", 0, "k8s.pod.restart of rung 1 was aborted by a human"},
		{"a no to an independent step ends only that", tried(crash("pod.evicted"), restartFailed,
			Tried{Action: "k8s.deployment.resources", Rung: 1, State: incident.RejectedState, Independent: true}),
			incident.VerdictHold, "crashed", 2, "rung 2: it runs after a window unless somebody aborts it"},
		{"a rule in dry run", crash("job.backoff_exceeded"), incident.VerdictDryRun, "watched", 1,
			"shown only; guard mode: rule watched is a dry run"},
	}
	p := load(t, climbing)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := p.Decide(c.facts)
			got := []any{d.Verdict, d.Rule, d.Rung, d.Reasons[len(d.Reasons)-1]}
			if diff := cmp.Diff([]any{c.verdict, c.rule, c.rung, c.reason}, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s\n%s", diff, strings.Join(d.Reasons, "\n"))
			}
			if d.PolicyVersion != p.Version() || d.Guards == nil {
				t.Errorf("version %q, guards %v", d.PolicyVersion, d.Guards)
			}
		})
	}
}

func TestUnknownAsksWithinBounds(t *testing.T) {
	unknown := crash(incident.CauseUnknown)
	unknown.Diagnosis.Wants = []incident.Want{{Action: "collect.pod"}}
	cases := []struct {
		name    string
		facts   Facts
		verdict incident.Verdict
		reason  string
	}{
		{"asks", unknown, incident.VerdictCollect, "the cause is not known yet: evidence round 2 of 3"},
		{"no cause at all", with(unknown, func(f *Facts) { f.Diagnosis.Cause = "" }), incident.VerdictCollect,
			"the cause is not known yet: evidence round 2 of 3"},
		{"three rounds", with(unknown, func(f *Facts) { f.Incident.Rounds = 3 }), incident.VerdictTell,
			"level 1: people are told, nothing is changed"},
		{"ten minutes", with(unknown, func(f *Facts) { f.Incident.BeganAt = now.Add(-11 * time.Minute) }), incident.VerdictTell,
			"level 1: people are told, nothing is changed"},
		{"a new stretch has its own ten minutes", with(unknown, func(f *Facts) { f.Incident.OpenedAt = now.Add(-time.Hour) }),
			incident.VerdictCollect, "the cause is not known yet: evidence round 2 of 3"},
		{"nothing to ask for", with(unknown, func(f *Facts) { f.Diagnosis.Wants = nil }), incident.VerdictTell,
			"level 1: people are told, nothing is changed"},
	}
	p := load(t, defaultSource)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := p.Decide(c.facts)
			if got := d.Reasons[len(d.Reasons)-1]; d.Verdict != c.verdict || got != c.reason {
				t.Errorf("%s: %s; want %s: %s", d.Verdict, got, c.verdict, c.reason)
			}
		})
	}
}

// An error in a condition leaves its rule out; the rule that decides instead
// must not do more than the one left out would have.
func TestAConditionThatFailsMakesNothingBolder(t *testing.T) {
	p := load(t, climbing)
	const failed = `does not apply: its condition (target.labels["tier"] == "gold") failed: no such key: tier`
	cases := []struct {
		cause   string
		verdict incident.Verdict
		modes   []incident.Mode
		window  time.Duration
		reasons []string
	}{
		{"pod.liveness_failed", incident.VerdictApprove, []incident.Mode{incident.Approve}, 0, []string{
			"rule gold " + failed, "rule night does not apply: now.getHours() >= 22 does not hold",
			"rule crashed applies to pod.liveness_failed: level 3",
			"rule gold could not be read, so nothing bolder than approve", "rung 1: a human must say yes first"}},
		{"node.not_ready", incident.VerdictHold, []incident.Mode{incident.Hold, incident.Auto}, 30 * time.Second, []string{
			"rule careful " + failed, "rule careless applies to node.not_ready: level 4",
			"rule careful could not be read, so nothing bolder than hold",
			"rung 1: it runs after a window unless somebody aborts it"}},
		{"cert.expiring", incident.VerdictTell, []incident.Mode{incident.Auto}, 0, []string{
			"rule silent " + failed, "rule loud applies to cert.expiring: level 4",
			"rule silent could not be read, so nothing bolder than telling", "rung 1 tells and changes nothing"}},
	}
	for _, c := range cases {
		t.Run(c.cause, func(t *testing.T) {
			d := p.Decide(crash(c.cause))
			var modes []incident.Mode
			for _, s := range d.Steps {
				modes = append(modes, s.Mode)
			}
			got := []any{d.Verdict, modes, d.Steps[0].Window, d.Reasons}
			if diff := cmp.Diff([]any{c.verdict, c.modes, c.window, c.reasons}, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStepsOfARung(t *testing.T) {
	p := load(t, climbing)
	d := p.Decide(tried(crash("pod.evicted"), restartFailed))
	want := []incident.Step{
		{Action: "collect.pod", Mode: incident.Auto},
		{Action: "k8s.deployment.rollback", Mode: incident.Hold, Window: 30 * time.Second},
		{Action: "k8s.deployment.resources", Mode: incident.Approve},
	}
	if diff := cmp.Diff(want, d.Steps); diff != "" || d.Risk != incident.RiskHigh || d.Level != 3 {
		t.Errorf("risk %s, level %d, steps (-want +got):\n%s", d.Risk, d.Level, diff)
	}
	if w := p.Decide(crash("job.deadline_exceeded")).Steps[0].Window; w != 2*time.Minute {
		t.Errorf("the rule's own window is %s", w)
	}
	d.Steps[0].Action = "changed"
	if again := p.Decide(tried(crash("pod.evicted"), restartFailed)); again.Steps[0].Action != "collect.pod" {
		t.Error("a caller changed the policy")
	}
}

func TestOneHoldHoldsTheWholeRung(t *testing.T) {
	p := load(t, inRule("    ladder: [{steps: [{action: k8s.pod.restart}, {action: k8s.pod.restart, mode: hold}]}]"))
	d := p.Decide(crash("pod.liveness_failed"))
	if d.Verdict != incident.VerdictHold || d.Steps[0].Mode != incident.Hold || d.Steps[0].Window != 30*time.Second {
		t.Errorf("%s with %+v: a change would run before the window", d.Verdict, d.Steps)
	}
}

// A verdict names what stands before the first change.
func TestVerdictIsThatOfTheFirstChange(t *testing.T) {
	p := load(t, inRule("    ladder: [{steps: [{action: k8s.pod.restart, mode: approve}, {action: k8s.pod.restart}]}]"))
	if d := p.Decide(crash("pod.liveness_failed")); d.Verdict != incident.VerdictApprove {
		t.Errorf("%s, though nothing happens before a human's yes", d.Verdict)
	}
}

func TestConditionsSeeTheFacts(t *testing.T) {
	f := crash("pod.liveness_failed")
	f.Severity = incident.Critical
	f.Annotations = map[string]string{"runbook": "r"}
	f.Incident.Recurrence, f.Incident.Service = 2, "api"
	f.Diagnosis.Alternatives = []incident.Alternative{{Cause: "pod.evicted"}}
	f.Tried = []Tried{{Action: "k8s.pod.restart", Rung: 0, State: incident.Failed}}
	for _, condition := range []string{
		`incident.severity == "critical" && incident.service == "api" && incident.recurrences == 2`,
		`incident.age == duration("2m") && incident.opened_at < now`,
		`target.cluster == "default" && target.namespace == "production" && target.kind == "Pod"`,
		`target.environment == "prod" && target.labels.env == "prod" && "runbook" in target.annotations`,
		`target.labels[?"tier"].orValue("") == "" && !has(target.labels.tier)`,
		`diagnosis.cause == "pod.liveness_failed" && diagnosis.owner.kind == "Deployment" && diagnosis.owner.name == "api"`,
		`diagnosis.alternatives == ["pod.evicted"] && diagnosis.evidence.size() == 0`,
		`history.failures == 1 && history.tried.exists(t, t.action == "k8s.pod.restart" && t.state == "failed" && t.rung == 0)`,
		`now.getHours("Asia/Tokyo") == 12`,
	} {
		p := load(t, inRule("    if: '"+condition+"'", goodLadder))
		if d := p.Decide(f); d.Rule != "crashed" {
			t.Errorf("%s: %v", condition, d.Reasons)
		}
	}
}

func TestAnExpensiveConditionFails(t *testing.T) {
	p := load(t, inRule("    if: diagnosis.evidence.all(a, diagnosis.evidence.all(b, diagnosis.evidence.all(c, a + b + c != '')))", goodLadder))
	f := crash("pod.liveness_failed")
	for range 500 {
		f.Diagnosis.Evidence = append(f.Diagnosis.Evidence, "x")
	}
	d := p.Decide(f)
	if d.Verdict != incident.VerdictTell || !strings.Contains(d.Reasons[0], "cost limit exceeded") {
		t.Errorf("%s: %v", d.Verdict, d.Reasons)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := load(b, defaultSource)
	unknown := crash(incident.CauseUnknown)
	unknown.Diagnosis.Wants = []incident.Want{{Action: "collect.pod"}}
	conditions := load(b, climbing)
	for _, c := range []struct {
		name   string
		policy *Policy
		facts  Facts
	}{
		{"unknown", p, unknown}, {"oom", p, crash("pod.oom_killed")}, {"told", p, crash("pod.image_not_found")},
		{"two conditions", conditions, crash("pod.liveness_failed")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.policy.Decide(c.facts)
			}
		})
	}
}
