package triage_test

import (
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/triage"
)

func TestClaimRefusals(t *testing.T) {
	cases := []struct {
		name           string
		before         func(w *world) incident.Intent
		reason, detail string
	}{
		{"its turn has not come, and it needs a yes", func(w *world) incident.Intent {
			return w.find("k8s.deployment.resources", incident.Waiting)
		}, "not_its_turn", "not ended yet"},
		{"no yes yet", func(w *world) incident.Intent {
			w.run("k8s.pod.restart", "")
			return w.find("k8s.deployment.resources", incident.AwaitingApproval)
		}, "approval_missing", "a human"},
		{"leased already", func(w *world) incident.Intent { return w.claim("k8s.pod.restart") }, "already_claimed", "holds the lease"},
		{"aborted", func(w *world) incident.Intent {
			in := w.find("k8s.pod.restart", incident.Ready)
			w.hear("abort", in, "")
			return in
		}, "aborted", "human"},
		{"superseded with the incident's end", func(w *world) incident.Intent {
			in := w.find("k8s.pod.restart", incident.Ready)
			w.alert(resolved(crash))
			return in
		}, "superseded", "no longer wanted"},
		{"nobody took it in time, and the clock did not come by yet", func(w *world) incident.Intent {
			w.now = w.now.Add(31 * time.Minute)
			return w.find("k8s.pod.restart", incident.Ready)
		}, "expired", "in time"},
		{"automation was paused meanwhile", func(w *world) incident.Intent {
			w.facts.Automation = incident.Paused
			return w.find("k8s.pod.restart", incident.Ready)
		}, "guard", "automation is paused"},
		{"the evidence became old", func(w *world) incident.Intent {
			w.now = w.now.Add(6 * time.Minute)
			return w.find("k8s.pod.restart", incident.Ready)
		}, "guard", "older than 5m"},
		{"it moved to another incident", func(w *world) incident.Intent {
			return incident.Intent{ID: incident.ID{9}}
		}, "superseded", "moved"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := diagnosed(t)
			w.claimID(c.before(w).ID)
			w.wantRefused(c.reason, c.detail)
		})
	}
}

// A guard that stops a change at its claim calls people, and lets it go when it clears.
func TestGuardAtClaim(t *testing.T) {
	w := diagnosed(t)
	in := w.find("k8s.pod.restart", incident.Ready)
	w.facts.Automation = incident.Paused
	w.claimID(in.ID)
	w.wantState(incident.StateEscalated)
	w.wantMessages("#alerts escalated: Wanted: a human. guard mode: automation is paused")
	w.advance(time.Minute)
	w.wantLive("k8s.pod.restart blocked", "k8s.deployment.resources waiting", "notify.slack ready")

	w.facts.Automation = incident.Live
	w.advance(time.Minute)
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting", "notify.slack ready")
	w.wantState(incident.StateRepairing)
}

func TestOldEvidenceIsLookedAtAgain(t *testing.T) {
	w := diagnosed(t)
	w.now = w.now.Add(6 * time.Minute)
	w.claimID(w.find("k8s.pod.restart", incident.Ready).ID)
	w.advance(time.Millisecond)
	w.wantLive("k8s.pod.restart rechecking", "k8s.deployment.resources waiting", "collect.pod ready")
	w.wantState(incident.StateRepairing)
	w.run("collect.pod", w.ill())
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting")
	w.claim("k8s.pod.restart")
}

// What a claim finds to be due for others is left to the clock, which also takes
// up what follows from it.
func TestClaimDoesNotSwallowOtherEnds(t *testing.T) {
	w := diagnosed(t)
	w.claim("k8s.pod.restart")
	w.alert(firing("KubePodNotReady2", incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: podName}))
	lease := w.find("k8s.pod.restart", incident.Running).LeaseExpires
	w.now = lease.Add(time.Second)
	w.claimID(w.find("k8s.deployment.resources", incident.Waiting).ID)
	w.wantRefused("not_its_turn", "")
	w.find("k8s.pod.restart", incident.Running)
	w.tick()
	w.wantState(incident.StateVerifying)
	w.find("collect.pod", incident.Ready)
}

func TestHold(t *testing.T) {
	cases := []struct {
		name  string
		after func(w *world)
		want  []string
	}{
		{"the window opens with the delivery", func(w *world) {
			w.run("notify.slack", "")
			w.advance(34 * time.Second)
		}, []string{"k8s.pod.restart holding", "k8s.deployment.resources waiting"}},
		{"and it may run 5 s after its end", func(w *world) {
			w.run("notify.slack", "")
			w.advance(36 * time.Second)
		}, []string{"k8s.pod.restart ready", "k8s.deployment.resources waiting"}},
		{"an abort counts at second 32", func(w *world) {
			w.run("notify.slack", "")
			w.advance(32 * time.Second)
			w.hear("abort", w.find("k8s.pod.restart", incident.Holding), "")
		}, []string{"notify.slack ready"}},
		{"undelivered: a human must say yes", func(w *world) {
			w.claim("notify.slack")
			w.advance(61 * time.Second)
		}, []string{"notify.slack running", "k8s.pod.restart awaiting_approval", "k8s.deployment.resources waiting", "notify.slack ready"}},
		{"delivered at the second try", func(w *world) {
			w.claim("notify.slack")
			w.result("notify.slack", incident.ResultFailed, "")
			w.advance(11 * time.Second)
			w.run("notify.slack", "")
			w.advance(5 * time.Second)
		}, []string{"k8s.pod.restart holding", "k8s.deployment.resources waiting"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := diagnosed(t, holdPolicy(t))
			w.wantVerdict(incident.VerdictHold, "window")
			c.after(w)
			w.wantLive(c.want...)
		})
	}
}

// A hold that was blocked when it was decided never had its window: when the
// guard clears it is announced first, not run.
func TestBlockedHoldIsDecidedAnew(t *testing.T) {
	w := newWorld(t, holdPolicy(t))
	w.facts.Automation = incident.Paused
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.wantState(incident.StateEscalated)
	w.wantVerdict(incident.VerdictBlocked, "automation is paused")
	blocked := w.find("k8s.pod.restart", incident.Blocked)

	w.facts.Automation = incident.Live
	w.claimID(blocked.ID)
	w.wantRefused("approval_missing", "window was never open")
	w.advance(31 * time.Second)
	w.find("k8s.pod.restart", incident.Superseded)
	fresh := w.find("k8s.pod.restart", incident.Waiting)
	if fresh.AnnouncedBy == nil {
		t.Errorf("the new intent is not announced: %+v", fresh)
	}
}

// A later step that was planned while a guard stopped the rung still waits its turn.
func TestBlockedRungKeepsItsOrder(t *testing.T) {
	w := newWorld(t)
	w.facts.Automation = incident.Paused
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.wantLive("k8s.pod.restart blocked", "k8s.deployment.resources waiting", "notify.slack ready")
	w.facts.Automation = incident.Live
	w.claimID(w.find("k8s.deployment.resources", incident.Waiting).ID)
	w.wantRefused("not_its_turn", "")
	w.advance(31 * time.Second)
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting", "notify.slack ready")
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	w.facts.Automation = incident.DryRunAll
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.wantState(incident.StateEscalated)
	w.wantVerdict(incident.VerdictDryRun, "shown only")
	w.wantMessages("#alerts escalated: Wanted: a human. dry run")
	w.claimID(w.find("k8s.pod.restart", incident.Shown).ID)
	w.wantRefused("guard", "dry run")

	w.alert(firing("KubePodNotReady", pod))
	w.wantMessages("#alerts escalated")
	if n := len(w.facts.Intents); n != 4 {
		t.Errorf("the same plan is shown again: %v", states(w.facts.Intents))
	}
	w.alert(resolved(crash), resolved(firing("KubePodNotReady", pod)))
	w.wantState(incident.StateResolved)
}

func TestHear(t *testing.T) {
	cases := []struct {
		name, kind, hash string
		state            incident.IntentState
		reason           string
		ends             incident.State
	}{
		{"yes", "approve", "the plan's", incident.Ready, "", incident.StateRepairing},
		{"yes to another plan", "approve", "abc", incident.AwaitingApproval, "plan_changed", incident.StateAwaitingApproval},
		{"yes to no plan", "approve", "", incident.AwaitingApproval, "plan_changed", incident.StateAwaitingApproval},
		{"no", "reject", "", incident.RejectedState, "", incident.StateEscalated},
		{"abort", "abort", "", incident.Aborted, "", incident.StateEscalated},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := diagnosed(t, approvePolicy(t))
			w.wantState(incident.StateAwaitingApproval)
			w.wantMessages("#alerts wanted: Wanted: a yes or no. Restart pod production/" + podName)
			in := w.find("k8s.pod.restart", incident.AwaitingApproval)
			if c.hash == "the plan's" {
				c.hash = in.PlanHash
			}
			w.hear(c.kind, in, c.hash)
			if c.reason == "" && w.said != nil || c.reason != "" && (w.said == nil || w.said.Reason != c.reason) {
				t.Errorf("refused with %+v, want %q", w.said, c.reason)
			}
			w.find("k8s.pod.restart", c.state)
			w.wantState(c.ends)
		})
	}
}

// After a human's no nothing else is tried, whatever arrives.
func TestNoIsNo(t *testing.T) {
	w := diagnosed(t)
	w.hear("abort", w.find("k8s.pod.restart", incident.Ready), "")
	w.wantMessages("#alerts escalated: Wanted: a human. k8s.pod.restart was aborted by a human")
	w.alert(firing("KubePodNotReady", pod))
	w.wantLive("notify.slack ready")
	w.wantState(incident.StateEscalated)
	w.hear("approve", w.find("k8s.pod.restart", incident.Aborted), "")
	w.wantRefused("too_late", "aborted already")
}

func TestCrash(t *testing.T) {
	t.Run("of a repair is looked at; undone, it is issued once more", func(t *testing.T) {
		w := diagnosed(t)
		in := w.claim("k8s.pod.restart")
		w.store(triage.Crash(w.policy, w.read(), in.ID, "n8n", w.now, w.id))
		w.wantState(incident.StateVerifying)
		w.advance(time.Second)
		w.run("collect.pod", w.ill())
		again := w.find("k8s.pod.restart", incident.Ready)
		if again.PlanHash != in.PlanHash || again.ID == in.ID || again.LeaseHash != nil {
			t.Errorf("issued anew: %+v", again)
		}
		w.claim("k8s.pod.restart")
		w.store(triage.Crash(w.policy, w.read(), again.ID, "n8n", w.now, w.id))
		w.advance(time.Second)
		w.run("collect.pod", w.ill())
		w.wantState(incident.StateAwaitingApproval)
		w.wantVerdict(incident.VerdictEscalate, "no rung is left")
	})
	t.Run("after the result changes nothing", func(t *testing.T) {
		w := newWorld(t)
		w.alert(crash)
		in := w.claim("collect.pod")
		w.result("collect.pod", incident.ResultSucceeded, w.ill())
		before := w.live()
		w.store(triage.Crash(w.policy, w.read(), in.ID, "n8n", w.now, w.id))
		w.wantLive(before...)
	})
	t.Run("result after the lease is not obeyed", func(t *testing.T) {
		w := newWorld(t)
		w.alert(crash)
		in := w.claim("collect.pod")
		w.advance(2 * time.Minute)
		before := w.live()
		w.resultOf(in, incident.ResultFailed, "")
		w.wantLive(before...)
	})
}
