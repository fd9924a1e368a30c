package triage_test

import (
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

// Salve's clock decides at the claim: nothing runs inside the abort window, nor
// in the seconds for clicks that are under way.
func TestNoClaimInsideTheAbortWindow(t *testing.T) {
	for _, at := range []time.Duration{time.Second, 29 * time.Second, 34 * time.Second} {
		w := diagnosed(t, holdPolicy(t))
		w.run("notify.slack", "")
		w.advance(at)
		w.claimID(w.find("k8s.pod.restart", incident.Holding).ID)
		w.wantRefused("too_early", "may be claimed in")
	}
}

// A look that began before says what it saw, whatever somebody else sent later.
func TestUntrustedEvidenceIsNotMixedIn(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	w.claim("collect.pod")
	ill := w.ill()
	w.advance(2 * time.Second)
	e := firing("KubePodNotReady", pod)
	e.Subject, e.Evidence = "somebody", []byte(w.well())
	w.alert(e)
	w.result("collect.pod", incident.ResultSucceeded, ill)
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting")
}

// Pods of the same name live in many clusters.
func TestEvidenceOfAnotherClusterIsNotUsed(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	other := strings.Replace(w.ill(), `"cluster":"default"`, `"cluster":"dev"`, 1)
	w.run("collect.pod", other)
	if reasons := strings.Join(w.last.Taken[0].Reasons, "; "); !strings.Contains(reasons, "dev is not the cluster of the target") {
		t.Errorf("the answer says %q", reasons)
	}
	if got := w.facts.Incident.Cause; got != incident.CauseUnknown {
		t.Errorf("the cause is %s, want it unknown", got)
	}
}

// A change is wanted under the policy that allowed it. Under another one it is
// decided anew, and a stricter one binds what was ready already.
func TestAnotherPolicyTakesBackWhatWasReady(t *testing.T) {
	w := diagnosed(t)
	ready := w.find("k8s.pod.restart", incident.Ready)
	strict, err := policy.Load("strict.yaml", []byte("rules:\n  - name: only-tell\n    cause: pod.*\n    level: 1\n"), remedy.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	w.policy = strict
	w.claimID(ready.ID)
	w.wantRefused("superseded", "policy changed")
	w.wantState(incident.StateEscalated)
	w.wantVerdict(incident.VerdictTell, "only-tell")
	for _, in := range w.facts.Intents {
		if in.Effect == incident.Change && in.State == incident.Ready {
			t.Errorf("%s is ready under a policy that only tells", in.Action)
		}
	}
}

// Who may send alerts must not be able to stop the repair of somebody else's
// incident by asking for a dry run; and a dry run ends with its stretch.
func TestDryRunIsTheSendersOwn(t *testing.T) {
	w := diagnosed(t)
	e := firing("KubePodNotReady", pod)
	e.Subject, e.DryRun = "somebody", true
	w.alert(e)
	if w.facts.Incident.DryRun {
		t.Error("a stranger made it a dry run")
	}
	w.claim("k8s.pod.restart")

	own := newWorld(t)
	dry := crash
	dry.DryRun = true
	own.alert(dry)
	end := dry
	end.Status = incident.Resolved
	own.alert(end)
	own.wantState(incident.StateResolved)
	own.advance(time.Hour)
	again := firing("KubePodCrashLooping again", pod)
	own.alert(again)
	if got := own.facts.Incident; got.DryRun || got.Recurrence != 1 {
		t.Errorf("dry run %t after %d recurrences", got.DryRun, got.Recurrence)
	}
}
