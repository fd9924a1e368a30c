package triage_test

import (
	"testing"
	"time"

	"salve/internal/incident"
)

// Scenario 1 of the specification, in the pure core.
func TestPodOutOfMemory(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	w.wantLive("collect.pod ready")
	w.wantState(incident.StateDiagnosing)
	w.wantVerdict(incident.VerdictCollect, "does not decide")

	w.run("collect.pod", w.ill())
	w.wantLive("k8s.pod.restart ready", "k8s.deployment.resources waiting")
	w.wantState(incident.StateRepairing)
	w.wantVerdict(incident.VerdictRepair, "pod-out-of-memory")
	if got := w.facts.Incident.Key; got != owner {
		t.Errorf("the key is %s, want the owner's %s", got, owner)
	}

	w.advance(10 * time.Second)
	w.run("k8s.pod.restart", "")
	w.wantLive("k8s.deployment.resources awaiting_approval", "collect.pod ready")
	w.wantState(incident.StateVerifying)
	w.wantMessages()

	for range 5 {
		w.advance(5 * time.Second)
		w.run("collect.pod", w.well())
		w.advance(31 * time.Second)
	}
	w.wantState(incident.StateResolved)
	w.wantMessages("#devops resolved: Wanted: a yes or no.")
	w.wantLive("k8s.deployment.resources awaiting_approval", "notify.slack ready")
	if got := w.facts.Incident; got.Cause != "pod.oom_killed" || !got.VerifyBy.IsZero() {
		t.Errorf("the resolved incident is %+v", got)
	}
}

// The lasting change outlives the incident: a late yes looks again, finds the
// same plan although the diagnosis is health by now, and it runs.
func TestLastingChangeApprovedAfterTheEnd(t *testing.T) {
	w := repaired(t)
	w.advance(12 * time.Minute)
	raise := w.find("k8s.deployment.resources", incident.AwaitingApproval)
	w.approve(raise)
	w.wantLive("k8s.deployment.resources rechecking", "notify.slack ready", "collect.pod ready")

	w.run("collect.pod", w.well())
	w.wantState(incident.StateResolved)
	w.run("k8s.deployment.resources", "")
	w.wantMessages("#devops resolved", "#alerts done")
}

func TestLastingChangeOnOtherEvidenceAsksAnew(t *testing.T) {
	w := repaired(t)
	w.advance(12 * time.Minute)
	raise := w.find("k8s.deployment.resources", incident.AwaitingApproval)
	w.approve(raise)
	w.run("collect.pod", w.seen("600Mi", 24, freshPod))
	w.wantLive("notify.slack ready", "k8s.deployment.resources awaiting_approval", "notify.slack ready")
	if next := w.find("k8s.deployment.resources", incident.AwaitingApproval); next.PlanHash == raise.PlanHash || next.ApprovedBy != "" {
		t.Errorf("the new plan is %s approved by %q", next.PlanHash, next.ApprovedBy)
	}
}

func TestRecheckWithoutEvidenceAsksAgain(t *testing.T) {
	w := repaired(t)
	w.advance(12 * time.Minute)
	w.approve(w.find("k8s.deployment.resources", incident.AwaitingApproval))
	w.advance(3 * time.Minute)
	if got := w.find("k8s.deployment.resources", incident.AwaitingApproval); got.ApprovedBy != "" {
		t.Errorf("the yes of %s still stands", got.ApprovedBy)
	}
}

// repaired is the end of scenario 1.
func repaired(t *testing.T) *world {
	t.Helper()
	w := diagnosed(t)
	w.run("k8s.pod.restart", "")
	w.advance(time.Second)
	for range 5 {
		w.run("collect.pod", w.well())
		w.advance(31 * time.Second)
	}
	w.wantState(incident.StateResolved)
	return w
}
