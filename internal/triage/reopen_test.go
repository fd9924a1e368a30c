package triage_test

import (
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
)

// What comes back within a second, while the first call for people is still on its
// way, is told anew: behind that call stands the word that it is over.
func TestWhatComesBackIsToldThoughTheLastCallIsUnderWay(t *testing.T) {
	w := newWorld(t, approvePolicy(t))
	w.alert(crash)
	w.run("collect.pod", w.ill())
	w.hear("abort", w.find("k8s.pod.restart", incident.AwaitingApproval), "")
	w.wantState(incident.StateEscalated)
	w.alert(resolved(crash))

	back := func(episode byte) incident.Event {
		e := crash
		e.StartsAt, e.Episode[9] = e.StartsAt.Add(time.Hour), episode
		return e
	}
	w.advance(11 * time.Minute)
	w.alert(back(1))
	w.run("collect.pod", w.ill())
	w.wantState(incident.StateEscalated)
	w.claimID(w.find("notify.slack", incident.Ready).ID)
	w.alert(resolved(back(1)))

	w.advance(time.Second)
	w.alert(back(2))
	w.wantState(incident.StateEscalated)
	told := w.messages()
	if last := told[len(told)-1]; !strings.Contains(last, " escalated: ") {
		t.Errorf("the last word is %q, though the incident is back:\n%s", last, strings.Join(told, "\n"))
	}
}
