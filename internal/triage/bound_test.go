package triage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/triage"
)

// boundTo is the default policy with another bound.
func boundTo(t *testing.T, bytes int) string {
	t.Helper()
	return with(t, "max_bytes: 5MiB", fmt.Sprintf("max_bytes: %d", bytes))
}

// padded is evidence of exactly n bytes that shows nothing.
func padded(n int) string {
	const frame = `{"logs":[{"text":""}]}`
	return `{"logs":[{"text":"` + strings.Repeat("x", n-len(frame)) + `"}]}`
}

func over(bytes, have, bound int) string {
	return fmt.Sprintf("evidence: %d bytes beside the %d that are there are over the %d that one incident takes in 10m0s; they are neither used nor kept", bytes, have, bound)
}

func TestEvidenceIsBounded(t *testing.T) {
	const bound = 10_000
	accepted := func(reasons ...string) triage.Taken {
		return triage.Taken{Outcome: incident.Accepted, Reasons: reasons}
	}
	rejected := func(why string) triage.Taken {
		return triage.Taken{Outcome: incident.Rejected, Reasons: []string{why}, OverBound: true}
	}
	cases := []struct {
		name  string
		looks func(w *world) triage.Taken // the last one
		want  triage.Taken
		kept  int // pieces that the incident holds afterwards
	}{
		{"to the byte", func(w *world) triage.Taken { return w.look("n8n", padded(bound)) }, accepted("taken"), 1},
		{"one byte more", func(w *world) triage.Taken { return w.look("n8n", padded(bound+1)) }, rejected(over(bound+1, 0, bound)), 0},
		{"together", func(w *world) triage.Taken {
			w.look("n8n", padded(6_000))
			return w.look("n8n", padded(4_001))
		}, rejected(over(4_001, 6_000, bound)), 1},
		{"a smaller one still fits after one that did not", func(w *world) triage.Taken {
			w.look("n8n", padded(6_000))
			w.look("n8n", padded(9_000))
			return w.look("n8n", padded(4_000))
		}, accepted("taken"), 2},
		{"what anybody sent takes no room from what is trusted", func(w *world) triage.Taken {
			w.look("somebody", padded(bound))
			return w.look("n8n", padded(bound))
		}, accepted("taken"), 2},
		{"what is trusted takes room from what anybody sends", func(w *world) triage.Taken {
			w.look("n8n", padded(6_000))
			return w.look("somebody", padded(4_001))
		}, rejected(over(4_001, 6_000, bound)), 1},
		{"time makes room", func(w *world) triage.Taken {
			w.look("n8n", padded(bound))
			w.advance(10 * time.Minute)
			return w.look("n8n", padded(bound))
		}, accepted("taken"), 2},
		{"with an alert: it counts without", func(w *world) triage.Taken {
			e := firing("KubePodNotReady", pod)
			e.Evidence = raw(padded(bound + 1))
			w.alert(e)
			if len(w.facts.Alerts) != 2 {
				w.t.Errorf("%d alerts", len(w.facts.Alerts))
			}
			return w.last.Taken[0]
		}, triage.Taken{Outcome: incident.Accepted, Reasons: []string{"the alert began to fire", over(bound+1, 0, bound)}, OverBound: true}, 0},
		{"with alerts of one batch", func(w *world) triage.Taken {
			first, second := firing("KubePodNotReady1", pod), firing("KubePodNotReady2", pod)
			first.Evidence, second.Evidence = raw(padded(6_000)), raw(padded(6_000))
			w.alert(first, second)
			return w.last.Taken[1]
		}, triage.Taken{Outcome: incident.Accepted, Reasons: []string{"the alert began to fire", over(6_000, 6_000, bound)}, OverBound: true}, 1},
		{"with alerts of one batch that are taken one by one", func(w *world) triage.Taken {
			first, second := firing("KubePodNotReady1", pod), resolved(crash)
			first.Evidence, second.Evidence = raw(padded(6_000)), raw(padded(6_000))
			w.alert(first, second)
			return w.last.Taken[1]
		}, triage.Taken{Outcome: incident.Accepted, Reasons: []string{"the alert resolved", over(6_000, 6_000, bound)}, OverBound: true}, 1},
		{"what was refused takes no room from what is taken after it", func(w *world) triage.Taken {
			first, second := firing("KubePodNotReady1", pod), resolved(crash)
			first.Evidence, second.Evidence = raw(padded(bound+1)), raw(padded(bound))
			w.alert(first, second)
			return w.last.Taken[1]
		}, accepted("the alert resolved"), 1},
		{"with a result: it counts without", func(w *world) triage.Taken {
			w.claim("collect.pod")
			in := w.find("collect.pod", incident.Running)
			w.result("collect.pod", incident.ResultSucceeded, padded(bound+1))
			if got := w.facts.Intents[0]; got.ID != in.ID || got.State != incident.Succeeded {
				w.t.Errorf("%s is %s", got.Action, got.State)
			}
			return w.last.Taken[0]
		}, triage.Taken{Outcome: incident.Accepted, Reasons: []string{"taken", over(bound+1, 0, bound)}, OverBound: true}, 0},
		{"a repeat is not kept and takes no room", func(w *world) triage.Taken {
			again, fresh := crash, firing("KubePodNotReady", pod)
			again.Evidence, fresh.Evidence = raw(padded(bound)), raw(padded(bound))
			w.alert(again, fresh)
			if got := w.last.Taken[0]; got.Outcome != incident.Duplicate || got.OverBound {
				w.t.Errorf("the repeat is %+v", got)
			}
			return w.last.Taken[1]
		}, accepted("the alert began to fire"), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, boundTo(t, bound))
			w.alert(crash)
			if diff := cmp.Diff(c.want, c.looks(w)); diff != "" {
				t.Errorf("taken (-want +got):\n%s", diff)
			}
			if len(w.facts.Evidence) != c.kept {
				t.Errorf("%d pieces are kept, want %d", len(w.facts.Evidence), c.kept)
			}
		})
	}
}

// What is over the bound is not looked at either.
func TestEvidenceOverTheBoundIsNotUsed(t *testing.T) {
	w := newWorld(t, boundTo(t, 1500))
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.wantState(incident.StateDiagnosing)
	if w.facts.Incident.Cause != incident.CauseUnknown || w.last.Diagnosis.Cause != incident.CauseUnknown {
		t.Errorf("it is %s", w.last.Diagnosis.Cause)
	}
	w.wantLive("collect.pod ready") // the next round
}

// Each look reads every piece again, so there may not be any number of them.
func TestPiecesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	for i := range triage.MaxPieces {
		w.facts.Evidence = append(w.facts.Evidence, triage.Piece{Raw: raw(`{"events":[]}`), Subject: "somebody", ReceivedAt: w.now.Add(time.Duration(i))})
	}
	why := fmt.Sprintf("evidence: an incident takes %d pieces in 10m0s; this one is neither used nor kept", triage.MaxPieces)
	want := triage.Taken{Outcome: incident.Rejected, Reasons: []string{why}, OverBound: true}
	if diff := cmp.Diff(want, w.look("somebody", `{"events":[]}`)); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	if got := w.look("n8n", w.ill()); got.Outcome != incident.Accepted {
		t.Errorf("what is trusted: %+v", got)
	}
	w.wantState(incident.StateRepairing)
}

// What the merged incident held stays stored with it: the survivor has its own room.
func TestSurvivorHasItsOwnRoom(t *testing.T) {
	w := newWorld(t, boundTo(t, 10_000))
	w.alert(crash)
	w.look("n8n", padded(6_000))
	into := newWorld(t, boundTo(t, 10_000))
	into.serial = 1000
	into.facts.Incident.ID = into.id()
	into.alert(firing("KubePodNotReady", freshTarget))
	into.look("n8n", padded(6_000))
	arrive := func(n int) triage.Taken {
		e := incident.Event{Kind: incident.EvidenceEvent, Subject: "n8n", ReceivedAt: w.now, Evidence: raw(padded(n))}
		_, s := triage.Merge(w.policy, w.read(), into.read(), []triage.Arrival{{Event: e}}, w.now, w.id)
		return s.Outcome.Taken[0]
	}
	if got := arrive(4_000); got.Outcome != incident.Accepted {
		t.Errorf("what fits beside its own: %+v", got)
	}
	if got := arrive(4_001); got.Outcome != incident.Rejected {
		t.Errorf("what does not: %+v", got)
	}
}

var freshTarget = incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: freshPod.name}
