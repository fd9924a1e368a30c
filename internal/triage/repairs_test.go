package triage_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/triage"
)

// outcomes are how the repairs ended that were written down.
func (w *world) outcomes() string {
	var words []string
	for _, r := range w.facts.Guards.Repairs {
		words = append(words, r.Action+" "+string(r.Outcome))
	}
	return strings.Join(words, ", ")
}

const trippy = "breaker: {failures: 1}\nverification: {window: 1m, look_every: 10s, healthy_for: 20s}\n"

func TestHowRepairsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		do       func(w *world)
		outcome  string
		breakers int
	}{
		"under way": {func(w *world) { w.claim("k8s.pod.restart") }, "", 0},
		"failed": {func(w *world) {
			w.claim("k8s.pod.restart")
			w.result("k8s.pod.restart", incident.ResultFailed, "")
		}, "failed", 2},
		"skipped": {func(w *world) {
			w.claim("k8s.pod.restart")
			w.result("k8s.pod.restart", incident.ResultSkipped, "")
		}, "skipped", 0},
		"verified": {func(w *world) {
			w.run("k8s.pod.restart", "")
			for range 4 {
				w.advance(11 * time.Second)
				if slices.Contains(w.live(), "collect.pod ready") {
					w.run("collect.pod", w.well())
				}
			}
			w.wantState(incident.StateResolved)
		}, "verified", 0},
		"ineffective": {func(w *world) {
			w.run("k8s.pod.restart", "")
			w.now = w.now.Add(time.Second)
			w.run("collect.pod", w.ill())
		}, "ineffective", 2},
		"inconclusive": {func(w *world) {
			w.run("k8s.pod.restart", "")
			w.advance(2 * time.Minute)
		}, "inconclusive", 0},
		"the alert resolved while it was watched": {func(w *world) {
			w.run("k8s.pod.restart", "")
			w.now = w.now.Add(time.Second)
			w.run("collect.pod", w.well())
			w.alert(resolved(crash))
			w.wantState(incident.StateResolved)
		}, "verified", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := diagnosed(t, trippy+restartRule)
			c.do(w)
			if want := "k8s.pod.restart " + c.outcome; w.outcomes() != want || len(w.facts.Guards.Breakers) != c.breakers {
				t.Errorf("%s with %d breakers, want %s with %d", w.outcomes(), len(w.facts.Guards.Breakers), want, c.breakers)
			}
		})
	}
}

// A rung is one repair however many steps it has, and counts for the owner.
func TestARungIsOneRepair(t *testing.T) {
	w := diagnosed(t, strings.Replace(restartRule, "[{action: k8s.pod.restart}]", "[{action: k8s.pod.restart}, {action: k8s.deployment.restart}]", 1))
	w.run("k8s.pod.restart", "")
	w.claim("k8s.deployment.restart")
	r := w.facts.Guards.Repairs
	if len(r) != 1 || r[0].Action != "k8s.pod.restart" || r[0].Target != "default/production/Deployment/api-gateway/" || r[0].Namespace != "production" || r[0].Cause != "pod.oom_killed" {
		t.Errorf("%+v", r)
	}
}

// What a guard stops waits for the guard, however long; then it is decided anew.
func TestBlockedDoesNotExpire(t *testing.T) {
	w := newWorld(t, restartRule)
	w.facts.Guards.Freezes = []incident.Freeze{{Reason: "r", By: "ines", StartsAt: night, EndsAt: night.Add(time.Hour)}}
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.wantVerdict(incident.VerdictBlocked, "guard freeze: frozen until")
	w.advance(50 * time.Minute)
	w.find("k8s.pod.restart", incident.Blocked)
	w.claimID(w.find("k8s.pod.restart", incident.Blocked).ID)
	w.wantRefused("guard", "freeze")
	w.advance(15 * time.Minute)
	w.find("k8s.pod.restart", incident.Superseded)
	w.wantVerdict(incident.VerdictCollect, "")
}

// On a blocked intent a yes must override every guard that stops it.
func TestAYesOnWhatIsBlocked(t *testing.T) {
	w := newWorld(t, "budgets: {total: 0}\n"+restartRule)
	w.facts.Guards.Storm = incident.Storm{}
	w.facts.Guards.Freezes = []incident.Freeze{{Reason: "r", By: "ines", StartsAt: night, EndsAt: night.Add(time.Hour)}}
	w.alert(crash)
	w.run("collect.pod", w.ill())
	in := w.find("k8s.pod.restart", incident.Blocked)
	say := func(override ...string) {
		var o triage.Outcome
		o, w.said = triage.Hear(w.policy, w.read(), in.ID, triage.Word{
			Kind: "approve", Subject: "root", PlanHash: in.PlanHash, Reason: "it burns", Admin: true, Override: override,
		}, w.now, w.id)
		w.store(o)
	}
	say()
	w.wantRefused("guard", "freeze")
	say(policy.GuardFreeze)
	w.wantRefused("guard", "budget")
	say(policy.GuardFreeze, policy.GuardMode)
	w.wantRefused("no_override", "cannot be overridden")
	say(policy.GuardFreeze, policy.GuardBudget)
	if w.said != nil {
		t.Fatalf("%+v", w.said)
	}
	w.claim("k8s.pod.restart")
}

// One of too many tells nobody and asks for little; afterwards it is as if it had just come.
func TestOneOfAStorm(t *testing.T) {
	w := newWorld(t, restartRule)
	storm := incident.Storm{ID: incident.ID{7}, BeganAt: night, Collects: 3}
	w.facts.Guards.Storm = storm
	w.alert(crash)
	w.wantLive()
	w.wantState(incident.StateOpen)
	w.wantVerdict(incident.VerdictWait, "too many new incidents at once: 3 looks were asked for already")
	w.wantMessages()

	storm.Collects = 2
	w.facts.Guards.Storm = storm
	other := firing("KubePodNotReady", pod)
	w.alert(other)
	w.wantLive("collect.pod ready")
	w.run("collect.pod", w.ill())
	w.wantVerdict(incident.VerdictBlocked, "guard storm")
	if in := w.find("k8s.pod.restart", incident.Blocked); in.Mode != incident.Approve {
		t.Errorf("levels are not lowered: %s", in.Mode)
	}
	w.wantMessages()

	ended := newWorld(t, restartRule)
	ended.facts.Guards.Storm = incident.Storm{ID: incident.ID{7}, BeganAt: night, Collects: 3}
	ended.alert(crash)
	ended.now = ended.now.Add(20 * time.Minute)
	ended.facts.Guards.Storm, ended.facts.Incident.LookAt = incident.Storm{}, ended.now
	ended.tick()
	ended.wantLive("collect.pod ready")
	if !ended.facts.Incident.LookAt.IsZero() || !ended.facts.Incident.BeganAt.Equal(ended.now) {
		t.Errorf("%+v", ended.facts.Incident)
	}
}

// stalled is a release that does not come up, with Argo CD following Git.
func stalled(t *testing.T) *world {
	t.Helper()
	evidence, err := os.ReadFile("testdata/stalled.json")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "rules: [{name: r, cause: workload.rollout_stalled, level: 3, risk: low, ladder: [{steps: [{action: k8s.deployment.rollback}]}]}]\n")
	w.alert(firing("KubeDeploymentRolloutStuck", incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway"}))
	w.look("n8n", string(evidence))
	return w
}

// What was suspended for a rollback is resumed at once where it failed, by a yes
// where it went well, and not at all where nothing was suspended.
func TestGitIsFollowedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		suspend, rollback incident.ResultStatus
		resume            incident.IntentState
	}{
		"it went well":               {incident.ResultSucceeded, incident.ResultSucceeded, incident.AwaitingApproval},
		"the rollback failed":        {incident.ResultSucceeded, incident.ResultFailed, incident.Ready},
		"nothing could be suspended": {incident.ResultFailed, "", incident.Superseded},
	} {
		t.Run(name, func(t *testing.T) {
			w := stalled(t)
			w.claim("gitops.suspend")
			w.result("gitops.suspend", c.suspend, "")
			if c.rollback != "" {
				w.claim("k8s.deployment.rollback")
				w.result("k8s.deployment.rollback", c.rollback, "")
			} else {
				w.find("k8s.deployment.rollback", incident.Superseded)
			}
			w.find("gitops.resume", c.resume)
		})
	}
	w := stalled(t)
	w.run("gitops.suspend", "")
	w.hear("abort", w.find("k8s.deployment.rollback", incident.Ready), "")
	w.find("gitops.resume", incident.Ready)
}

// Steps that do not wait for each other are all awaited before anything is judged.
func TestTheWholeRungIsAwaited(t *testing.T) {
	const disk = `{"disk":{"host":"web-01","filesystems":[{"filesystem":"/dev/sda1","mount":"/","usePercent":87,"sizeBytes":107374182400,"usedBytes":93415538688,"availBytes":13958643712}],"top":[{"path":"/var/log","bytes":48318382080}]}}`
	w := newWorld(t, "inventory: {hosts: [web-01]}\nrules: [{name: r, cause: host.disk_full, level: 3, ladder: [{steps: [{action: host.logs.clean}, {action: host.logs.compress, independent: true}]}]}]\n")
	e := firing("HostDiskFull", incident.Target{Kind: "Host", Host: "web-01", Name: "web-01"})
	e.Target.Name, e.Family = "", "host"
	e.Episode = incident.Episode{9}
	w.alert(e)
	w.look("n8n", disk)
	w.claim("host.logs.clean")
	w.result("host.logs.clean", incident.ResultFailed, "")
	w.wantVerdict(incident.VerdictWait, "the end of what is under way is awaited")
	w.claim("host.logs.compress")
	if w.facts.Incident.State == incident.StateVerifying {
		t.Error("it is watched before the rung is through")
	}
	w.result("host.logs.compress", incident.ResultSucceeded, "")
	w.wantState(incident.StateVerifying)
}

// What was to be resumed and was not is said; a new policy does not forget it.
func TestGitIsNotForgotten(t *testing.T) {
	w := stalled(t)
	w.run("gitops.suspend", "")
	w.run("k8s.deployment.rollback", "")
	w.find("gitops.resume", incident.AwaitingApproval)
	w.now = w.now.Add(time.Minute)
	other := newWorld(t, "rules: []\n")
	w.policy = other.policy
	in := w.find("gitops.resume", incident.AwaitingApproval)
	w.approve(in)
	w.claim("gitops.resume")
	w.result("gitops.resume", incident.ResultFailed, "")
	if m := w.messages(); !strings.Contains(m[len(m)-1], "Git is still not followed") {
		t.Errorf("%q", m)
	}
	late := stalled(t)
	late.run("gitops.suspend", "")
	late.run("k8s.deployment.rollback", "")
	late.advance(40 * time.Minute)
	late.find("gitops.resume", incident.Expired)
	if m := strings.Join(late.messages(), "\n"); !strings.Contains(m, "Git is still not followed") {
		t.Errorf("%q", m)
	}
}

// A yes does not open a window before its time.
func TestAYesWaitsForItsWindow(t *testing.T) {
	w := diagnosed(t, "maintenance: [{from: \"04:00\", to: \"05:00\"}]\n"+rule("when: window", 2))
	in := w.find("k8s.pod.restart", incident.AwaitingApproval)
	if !in.NotBefore.Equal(night.Add(45 * time.Minute)) {
		t.Fatalf("not before %s", in.NotBefore)
	}
	w.approve(in)
	w.claimID(in.ID)
	w.wantRefused("too_early", "")
	w.advance(46 * time.Minute)
	w.claimID(in.ID)
	w.wantRefused("guard", "blast_radius") // nothing is known of it any more: it is looked at first
	w.tick()
	w.run("collect.pod", w.ill())
	w.claim("k8s.pod.restart")
}

// Who said yes may override later what stops it then; that is still one person.
func TestAYesAndThenAnOverride(t *testing.T) {
	w := diagnosed(t, "budgets: {total: 0}\n"+strings.Replace(askRule, "level: 2", "level: 2, quorum: 2", 1))
	in := newest(w, "k8s.pod.restart")
	say := func(who string, override ...string) {
		var o triage.Outcome
		o, w.said = triage.Hear(w.policy, w.read(), in.ID, triage.Word{Kind: "approve", Subject: who, PlanHash: in.PlanHash, Override: override}, w.now, w.id)
		w.store(o)
	}
	say("bob", policy.GuardBudget)
	say("bob", policy.GuardBudget)
	if got := newest(w, "k8s.pod.restart").State; got != incident.Blocked {
		t.Fatalf("one person is two: %s", got)
	}
	say("ines", policy.GuardBudget)
	w.claim("k8s.pod.restart")
}

// Somebody in Slack and with a token of their own is one person, where policy says so.
func TestOnePersonIsNoQuorum(t *testing.T) {
	w := diagnosed(t, "slack: {decide: [U0BOB], people: {U0BOB: bob}}\n"+strings.Replace(askRule, "level: 2", "level: 2, quorum: 2, approvers: [bob, ines]", 1))
	in := newest(w, "k8s.pod.restart")
	say := func(who string) {
		var o triage.Outcome
		o, w.said = triage.Hear(w.policy, w.read(), in.ID, triage.Word{Kind: "approve", Subject: who, PlanHash: in.PlanHash}, w.now, w.id)
		w.store(o)
	}
	say("slack:U0BOB")
	if w.said != nil {
		t.Fatalf("bob says yes in Slack: %+v", w.said)
	}
	if say("bob"); w.said == nil || w.said.Reason != "already_approved" {
		t.Errorf("and again with a token: %+v, want already_approved", w.said)
	}
	if got := newest(w, "k8s.pod.restart").State; got != incident.AwaitingApproval {
		t.Fatalf("one person is two: %s", got)
	}
	say("ines")
	w.claim("k8s.pod.restart")
}
