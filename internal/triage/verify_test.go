package triage_test

import (
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/triage"
)

// watched is a world whose repair was just done.
func watched(t *testing.T) *world {
	t.Helper()
	w := diagnosed(t)
	w.run("k8s.pod.restart", "")
	w.advance(time.Second)
	w.wantState(incident.StateVerifying)
	return w
}

func TestVerification(t *testing.T) {
	cases := []struct {
		name     string
		then     func(w *world)
		want     incident.State
		messages []string
	}{
		{"still ill: no rung is left", func(w *world) {
			w.run("collect.pod", w.ill())
		}, incident.StateAwaitingApproval, []string{"#alerts wanted: So far: "}},
		{"one healthy look is not enough", func(w *world) {
			w.run("collect.pod", w.well())
		}, incident.StateVerifying, nil},
		{"an untrusted sender's evidence is no look", func(w *world) {
			w.run("collect.pod", w.well())
			w.advance(3 * time.Minute)
			e := firing("KubePodNotReady", pod)
			e.Subject, e.Evidence = "somebody", raw(w.well())
			w.alert(e)
		}, incident.StateVerifying, nil},
		{"nobody looks: inconclusive", func(w *world) {
			w.advance(11 * time.Minute)
		}, incident.StateAwaitingApproval, []string{"#alerts wanted: So far: inconclusive"}},
		{"looks that fail are tried again until the window closes", func(w *world) {
			for range 25 {
				w.claim("collect.pod")
				w.result("collect.pod", incident.ResultFailed, "")
				if w.advance(31 * time.Second); w.facts.Incident.State != incident.StateVerifying {
					return
				}
			}
		}, incident.StateAwaitingApproval, []string{"#alerts wanted: So far: inconclusive"}},
		{"the alert resolves because its pod is gone: that is no health", func(w *world) {
			w.alert(resolved(crash))
		}, incident.StateVerifying, nil},
		{"the alert resolves and the owner's pods are well", func(w *world) {
			w.alert(resolved(crash))
			w.run("collect.pod", w.well())
		}, incident.StateResolved, []string{"#devops resolved: Wanted: a yes or no."}},
		{"the alert resolves and the owner's pods are ill", func(w *world) {
			w.alert(resolved(crash))
			w.run("collect.pod", w.ill())
		}, incident.StateAwaitingApproval, []string{"#alerts wanted: So far: "}},
		{"a second alert meanwhile does not repair twice", func(w *world) {
			w.alert(firing("KubePodNotReady", pod))
		}, incident.StateVerifying, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := watched(t)
			c.then(w)
			w.wantState(c.want)
			w.wantMessages(c.messages...)
		})
	}
}

// What a sender that nobody trusts shows leads to a look, moves no incident and
// is no part of a plan.
func TestUntrustedEvidence(t *testing.T) {
	w := newWorld(t)
	e := crash
	e.Subject, e.Evidence = "somebody", raw(w.seen("64Gi", 99, illPod))
	w.alert(e)
	w.wantLive("collect.pod ready")
	w.wantVerdict(incident.VerdictCollect, "trusted")
	if got := w.facts.Incident.Target; got != pod {
		t.Errorf("the incident moved to %+v", got)
	}
	w.advance(time.Second)
	w.run("collect.pod", w.ill())
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting")
	if in := w.find("k8s.deployment.resources", incident.Waiting); in.Target.Generation != 23 {
		t.Errorf("the plan rests on generation %d", in.Target.Generation)
	}
}

func TestRestartFails(t *testing.T) {
	w := diagnosed(t)
	w.claim("k8s.pod.restart")
	w.result("k8s.pod.restart", incident.ResultFailed, "")
	w.wantState(incident.StateAwaitingApproval)
	w.wantMessages("#alerts wanted: So far: ")
	w.wantVerdict(incident.VerdictEscalate, "no rung is left; tried were k8s.pod.restart (rung 1, failed)")
}

// The lasting change alone holds the incident: when it ended well, that is watched.
func TestLastingChangeAloneIsWatched(t *testing.T) {
	w := watched(t)
	w.run("collect.pod", w.ill())
	w.approve(w.find("k8s.deployment.resources", incident.AwaitingApproval))
	w.run("k8s.deployment.resources", "")
	w.wantState(incident.StateVerifying)
	w.find("collect.pod", incident.Ready)
}

func TestLastingChangeRejectedAloneEscalates(t *testing.T) {
	w := watched(t)
	w.run("collect.pod", w.ill())
	w.hear("reject", w.find("k8s.deployment.resources", incident.AwaitingApproval), "")
	w.wantState(incident.StateEscalated)
}

func TestAskingIsBounded(t *testing.T) {
	t.Run("by time, when nobody fetches", func(t *testing.T) {
		w := newWorld(t)
		w.alert(crash)
		w.advance(11 * time.Minute)
		w.wantState(incident.StateEscalated)
		w.wantMessages("#alerts escalated: Wanted: a human.")
	})
	t.Run("by rounds, when fetching fails", func(t *testing.T) {
		w := newWorld(t)
		w.alert(crash)
		for w.facts.Incident.State == incident.StateDiagnosing && w.now.Sub(night) < time.Hour {
			if live := w.live(); len(live) == 1 && live[0] == "collect.pod ready" {
				w.claim("collect.pod")
				w.result("collect.pod", incident.ResultFailed, "")
			}
			w.advance(10 * time.Second)
		}
		w.wantState(incident.StateEscalated)
		if n := w.facts.Incident.Rounds; n > 3 {
			t.Errorf("%d rounds", n)
		}
	})
	t.Run("a message that nobody carries stays alive", func(t *testing.T) {
		w := newWorld(t)
		w.alert(crash)
		w.advance(2 * time.Hour)
		w.wantLive("notify.slack ready")
	})
}

// An answer that is still on its way is awaited, however many rounds are used up.
func TestLastRoundIsAwaited(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	w.facts.Incident.Rounds = 3
	w.alert(firing("KubePodNotReady", pod))
	w.wantState(incident.StateDiagnosing)
	w.run("collect.pod", w.ill())
	w.wantState(incident.StateRepairing)
}

func TestReopened(t *testing.T) {
	w := repaired(t)
	again := crash
	again.Episode[5], again.StartsAt = 7, w.now
	w.advance(6 * time.Minute)
	w.alert(again)
	w.wantState(incident.StateDiagnosing)
	if got := w.facts.Incident.Recurrence; got != 1 {
		t.Errorf("%d recurrences", got)
	}
	w.run("collect.pod", w.seen("512Mi", 23, aPod{name: freshPod.name, uid: freshPod.uid, oom: true}))
	w.wantVerdict(incident.VerdictEscalate, "no rung is left; tried were k8s.pod.restart (rung 1, succeeded)")
}

func TestDryRunRequestOnAKnownIncidentIsKept(t *testing.T) {
	w := diagnosed(t)
	e := firing("KubePodNotReady", pod)
	e.DryRun = true
	w.alert(e)
	if !w.last.Changed || !w.facts.Incident.DryRun {
		t.Errorf("changed %t, dry run %t", w.last.Changed, w.facts.Incident.DryRun)
	}
	w.claimID(w.find("k8s.pod.restart", incident.Ready).ID)
	w.wantRefused("guard", "dry run")
}

func TestMerge(t *testing.T) {
	merged := func(t *testing.T, into *world) (*world, triage.Survivor) {
		t.Helper()
		w := newWorld(t)
		w.serial = 1000
		w.facts.Incident.ID = w.id()
		w.now = into.now
		e := firing("KubePodNotReady9", incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-zzzz1"})
		e.Severity = incident.Critical
		w.alert(e)
		in := w.claim("collect.pod")
		in = w.find("collect.pod", incident.Running)
		res := incident.Result{IntentID: in.ID, Status: incident.ResultSucceeded, ReceivedAt: w.now}
		a := triage.Arrival{Event: incident.Event{Kind: incident.ResultEvent, Subject: "n8n", ReceivedAt: w.now, Evidence: raw(w.ill())}, Result: &res}
		from, s := triage.Merge(w.policy, w.read(), into.read(), []triage.Arrival{a}, w.now, w.id)
		w.store(from)
		return w, s
	}
	t.Run("into one that repairs", func(t *testing.T) {
		into := diagnosed(t)
		from, s := merged(t, into)
		from.wantState(incident.StateResolved)
		if got := *from.facts.Incident.MergedInto; got != into.facts.Incident.ID {
			t.Errorf("merged into %s", got)
		}
		into.facts = s.Facts
		into.store(s.Outcome)
		into.wantState(incident.StateRepairing)
		into.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting")
		if got := into.facts.Incident.Severity; got != incident.Critical {
			t.Errorf("the survivor is %s", got)
		}
	})
	t.Run("into one that was resolved: it comes back", func(t *testing.T) {
		into := repaired(t)
		into.now = into.now.Add(time.Minute)
		_, s := merged(t, into)
		if got := s.Outcome.Incident; got.State == incident.StateResolved || got.Recurrence != 1 {
			t.Errorf("the survivor is %s with %d recurrences", got.State, got.Recurrence)
		}
	})
}

// Also where it is newer than what is trusted.
func TestUntrustedEvidenceIsNoPartOfAPlan(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	w.claim("collect.pod")
	look := w.ill()
	w.advance(2 * time.Second)
	e := firing("KubePodNotReady", pod)
	e.Subject, e.Evidence = "somebody", raw(w.seen("64Gi", 99, illPod))
	w.alert(e)
	w.advance(time.Second)
	w.result("collect.pod", incident.ResultSucceeded, look)
	if in := w.find("k8s.deployment.resources", incident.Waiting); in.Target.Generation != 23 {
		t.Errorf("the plan rests on generation %d", in.Target.Generation)
	}
}

// Verified, and the alert fires on: for the time of its look-back that is
// nothing, afterwards somebody must look again.
func TestStillFiringAfterTheLookBack(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.run("k8s.pod.restart", "")
	for range 5 {
		w.advance(5 * time.Second)
		w.run("collect.pod", w.well())
		w.advance(31 * time.Second)
	}
	w.wantState(incident.StateResolved)
	w.advance(5 * time.Minute)
	w.alert(crash)
	w.wantState(incident.StateResolved)
	w.advance(6 * time.Minute)
	w.alert(crash)
	w.wantState(incident.StateDiagnosing)
	if got := w.facts.Incident.Recurrence; got != 1 {
		t.Errorf("%d recurrences, want one", got)
	}
}
