package triage_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/triage"
)

// machine does at random what senders, executors, people and the clock do.
type machine struct {
	*world
	stopped map[incident.ID]bool // aborted or rejected before any claim

	budgetOverridden int
	started          bool
}

func (m *machine) anyAlert(t *rapid.T) {
	e := firing(fmt.Sprintf("Alert%d", rapid.IntRange(0, 2).Draw(t, "alert")), pod)
	e.StartsAt = night.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "episode")) * time.Hour)
	e.Episode[9] = byte(e.StartsAt.Hour())
	e.OpenEnded = rapid.Bool().Draw(t, "open ended")
	e.Subject = rapid.SampledFrom([]string{"n8n", "somebody"}).Draw(t, "subject")
	if rapid.IntRange(0, 3).Draw(t, "with evidence") == 0 {
		e.Evidence = raw(m.look(t))
	}
	if m.started && rapid.Bool().Draw(t, "resolved") {
		e = resolved(e)
	}
	m.started = true
	m.alert(e)
}

func (m *machine) look(t *rapid.T) string {
	switch rapid.IntRange(0, 4).Draw(t, "look") {
	case 0:
		return m.ill()
	case 1, 2:
		return m.well()
	case 3:
		return m.seen("600Mi", 24, freshPod, illPod)
	default:
		return `{"pods":"nonsense"}`
	}
}

func (m *machine) pick(t *rapid.T) (incident.Intent, bool) {
	if len(m.facts.Intents) == 0 {
		return incident.Intent{}, false
	}
	last := len(m.facts.Intents) - 1
	return m.facts.Intents[last-rapid.IntRange(0, min(last, 8)).Draw(t, "intent")], true
}

func (m *machine) anyClaim(t *rapid.T) {
	in, ok := m.pick(t)
	if !ok || m.claimID(in.ID) != nil {
		return
	}
	if m.stopped[in.ID] {
		t.Fatalf("%s was claimed after a human stopped it", in.Action)
	}
	if in.Effect != incident.Change {
		return
	}
	if m.facts.Automation != incident.Live {
		t.Fatalf("%s was claimed while automation is %s", in.Action, m.facts.Automation)
	}
	if _, overridden := in.Overridden()[policy.GuardFreeze]; len(m.facts.Guards.Freezes) > 0 && !overridden {
		t.Fatalf("%s was claimed in a freeze", in.Action)
	}
	spent := 0
	for _, r := range m.facts.Guards.Repairs {
		if m.now.Sub(r.BeganAt) < time.Hour {
			spent++
		}
	}
	if _, overridden := in.Overridden()[policy.GuardBudget]; spent > 3+m.budgetOverridden && !overridden {
		t.Fatalf("%s was claimed, and %d rungs were begun within an hour", in.Action, spent)
	} else if overridden {
		m.budgetOverridden++
	}
}

// anyFreeze begins a freeze of everything, or takes it back.
func (m *machine) anyFreeze(t *rapid.T) {
	if m.facts.Guards.Freezes != nil {
		m.facts.Guards.Freezes = nil
		return
	}
	m.facts.Guards.Freezes = []incident.Freeze{{Reason: "r", By: "ines", StartsAt: m.now.Add(-time.Hour), EndsAt: m.now.Add(90 * 24 * time.Hour)}}
}

// anyOverride is an administrator's yes that overrides guards.
func (m *machine) anyOverride(t *rapid.T) {
	in, ok := m.pick(t)
	if !ok {
		return
	}
	all := []string{policy.GuardFreeze, policy.GuardBudget, policy.GuardCooldown, policy.GuardIneffective, policy.GuardBreaker, policy.GuardMode}
	o, _ := triage.Hear(m.policy, m.read(), in.ID, triage.Word{
		Kind: "approve", Subject: "root", PlanHash: in.PlanHash, Reason: "it burns", Admin: true,
		Override: all[:rapid.IntRange(0, len(all)).Draw(t, "override")],
	}, m.now, m.id)
	m.store(o)
}

func (m *machine) anyResult(t *rapid.T) {
	in, ok := m.pick(t)
	if !ok {
		return
	}
	evidence := ""
	if in.Effect == incident.Observe {
		evidence = m.look(t)
	}
	m.resultOf(in, rapid.SampledFrom([]incident.ResultStatus{
		incident.ResultSucceeded, incident.ResultSucceeded, incident.ResultFailed, incident.ResultSkipped,
	}).Draw(t, "status"), evidence)
}

func (m *machine) anyWord(t *rapid.T) {
	in, ok := m.pick(t)
	if !ok {
		return
	}
	m.hear(rapid.SampledFrom([]string{"approve", "approve", "reject", "abort"}).Draw(t, "word"), in, in.PlanHash)
}

// anyEvidence comes unasked; it never brings back what is resolved.
func (m *machine) anyEvidence(t *rapid.T) {
	before := m.facts.Incident
	m.world.look(rapid.SampledFrom([]string{"n8n", "somebody"}).Draw(t, "subject"), m.look(t))
	if !before.Open() && (m.facts.Incident.Open() || m.last.Judged) {
		t.Fatalf("evidence moved a resolved incident: it is %s, judged %t", m.facts.Incident.State, m.last.Judged)
	}
}

func (m *machine) anyCrash(t *rapid.T) {
	if in, ok := m.pick(t); ok {
		m.store(triage.Crash(m.policy, m.read(), in.ID, "n8n", m.now, m.id))
	}
}

func (m *machine) anyTime(t *rapid.T) {
	m.advance(rapid.SampledFrom([]time.Duration{time.Second, 31 * time.Second, 3 * time.Minute, 11 * time.Minute, 31 * time.Minute}).Draw(t, "time"))
}

func (m *machine) anyMode(t *rapid.T) {
	m.facts.Automation = rapid.SampledFrom([]incident.Automation{
		incident.Live, incident.Live, incident.Paused, incident.DryRunAll,
	}).Draw(t, "mode")
}

// check is what is always true.
func (m *machine) check(t *rapid.T) {
	if !m.started {
		return
	}
	urgent := map[int]bool{}
	for _, in := range m.facts.Intents {
		if in.State == incident.Aborted || in.State == incident.RejectedState {
			m.stopped[in.ID] = true
		}
		if in.Effect != incident.Change || in.Independent || in.State.Terminal() {
			continue
		}
		urgent[in.Rung] = true
		if !m.facts.Incident.Open() && in.State != incident.Running {
			t.Fatalf("the incident is resolved, and %s is %s", in.Action, in.State)
		}
	}
	if len(urgent) > 1 {
		t.Fatalf("urgent rungs %v are live at once:\n%s", urgent, strings.Join(states(m.facts.Intents), "\n"))
	}
	m.checkAttended(t)
}

// checkAttended: an open incident has something live, is to be woken, or people were called.
func (m *machine) checkAttended(t *rapid.T) {
	_, awake := m.wake()
	called := slices.ContainsFunc(m.facts.Intents, func(in incident.Intent) bool {
		return in.Effect == incident.Tell && !in.CreatedAt.Before(m.facts.Incident.BeganAt)
	})
	if m.facts.Incident.Open() && !awake && !called {
		t.Fatalf("the incident is %s, nothing is live and nobody was called:\n%s", m.facts.Incident.State, strings.Join(states(m.facts.Intents), "\n"))
	}
	onlyPeople := m.facts.Incident.State == incident.StateEscalated || m.facts.Incident.State == incident.StateOpen
	if onlyPeople && !called {
		t.Fatalf("the incident is %s and nobody was called:\n%s", m.facts.Incident.State, strings.Join(states(m.facts.Intents), "\n"))
	}
}

func TestNothingGoesWrongWhateverHappens(t *testing.T) {
	policies := map[string]string{"default": string(policy.Default()), "hold": holdPolicy(t), "approve": approvePolicy(t)}
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{world: newWorld(t, policies[rapid.SampledFrom([]string{"approve", "default", "hold"}).Draw(t, "policy")]), stopped: map[incident.ID]bool{}}
		m.facts.Automation = incident.Live
		m.anyAlert(t)
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "alert": m.anyAlert, "claim": m.anyClaim, "claim again": m.anyClaim, "result": m.anyResult, "result again": m.anyResult,
			"word": m.anyWord, "evidence": m.anyEvidence, "crash": m.anyCrash, "time": m.anyTime, "mode": m.anyMode, "freeze": m.anyFreeze, "override": m.anyOverride,
		})
	})
}

// A delivery that is known already changes nothing but its count.
func TestDuplicatesChangeNothing(t *testing.T) {
	for name, w := range map[string]*world{"diagnosed": diagnosed(t), "watched": watched(t), "repaired": repaired(t)} {
		t.Run(name, func(t *testing.T) {
			before, _ := json.Marshal(w.facts.Intents)
			incidentBefore := w.facts.Incident
			w.alert(crash)
			after, _ := json.Marshal(w.facts.Intents)
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Error(diff)
			}
			incidentBefore.Repeats++
			incidentBefore.UpdatedAt = w.facts.Incident.UpdatedAt
			if diff := cmp.Diff(incidentBefore, w.facts.Incident); diff != "" {
				t.Error(diff)
			}
			if w.last.Taken[0].Outcome != incident.Duplicate || len(w.last.Audit) > 0 {
				t.Errorf("taken as %+v, audit %v", w.last.Taken[0], w.last.Audit)
			}
		})
	}
}

// The same deliveries go to the same incidents, however they are cut into batches.
func TestAssignIsTheSameForAnyBatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []incident.Event
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			e := incident.Event{Kind: incident.AlertEvent, Status: incident.Firing, Subject: "n8n", Family: "pod", Target: pod}
			e.Episode[0] = byte(rapid.IntRange(0, 3).Draw(t, "episode"))
			e.Target.Name = fmt.Sprint("pod-", e.Episode[0]/2)
			e.OpenEnded = rapid.Bool().Draw(t, "open ended")
			if rapid.Bool().Draw(t, "resolved") {
				e.Status = incident.Resolved
			}
			events = append(events, e)
		}
		whole := assigned(events, len(events))
		size := rapid.IntRange(1, len(events)).Draw(t, "batch")
		if diff := cmp.Diff(whole, assigned(events, size)); diff != "" {
			t.Fatalf("batches of %d (-one batch +cut):\n%s", size, diff)
		}
	})
}

// assigned cuts events into batches and keeps in between what a store would.
func assigned(events []incident.Event, size int) []string {
	k := triage.Known{Alerts: map[incident.Episode]incident.Alert{}, Open: map[string]incident.ID{}}
	var next byte
	var out []string
	for batch := range slices.Chunk(events, size) {
		got := triage.Assign(batch, k, func() incident.ID { next++; return incident.ID{next} })
		for i, a := range got {
			e := batch[i]
			out = append(out, fmt.Sprint(a.Class.Outcome, a.Class.Change, a.Incident[0]))
			if _, known := k.Alerts[e.Episode]; !known || a.Class.Change {
				k.Alerts[e.Episode] = incident.Alert{Episode: e.Episode, Status: e.Status, Subject: e.Subject, IncidentID: a.Incident}
			}
			if a.Class.Change && !a.Incident.IsZero() {
				k.Open[e.Key()] = a.Incident
			}
		}
	}
	return out
}

// One batch or many: the same alerts end in the same incident and intents.
func TestBeginningAndEndInOneBatch(t *testing.T) {
	ill := crash
	ill.Evidence = raw(newWorld(t).ill())
	events := []incident.Event{ill, resolved(crash), firing("KubePodNotReady", pod)}
	whole, cut := newWorld(t), newWorld(t)
	whole.alert(events...)
	for _, e := range events {
		cut.alert(e)
	}
	if diff := cmp.Diff(states(cut.facts.Intents), states(whole.facts.Intents)); diff != "" {
		t.Errorf("intents (-cut +one batch):\n%s", diff)
	}
	opts := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "ID" }, cmp.Ignore())
	if diff := cmp.Diff(cut.facts.Incident, whole.facts.Incident, opts); diff != "" {
		t.Errorf("incident (-cut +one batch):\n%s", diff)
	}
}

// What happens to a new alert without evidence: the everyday path of a storm.
func BenchmarkNewAlert(b *testing.B) {
	w := newWorld(b)
	e := crash
	e.ReceivedAt = night
	f := triage.Facts{New: true, Automation: incident.Live}
	f.Incident.ID, f.Incident.Key = incident.ID{1}, e.Key()
	arrivals := []triage.Arrival{{Event: e}}
	b.ReportAllocs()
	for b.Loop() {
		triage.Run(w.policy, f, arrivals, night, w.id)
	}
}
