package triage_test

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/triage"
)

var night = time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC)

// reporter is what *testing.T and *rapid.T share.
type reporter interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// world is one incident with the cluster it is about: what a store, an executor
// and a clock would do around the pure core.
type world struct {
	t      reporter
	policy *policy.Policy
	now    time.Time
	facts  triage.Facts
	last   triage.Outcome
	said   *triage.Refusal
	serial uint32
}

func newWorld(t reporter, policyText ...string) *world {
	t.Helper()
	src := policy.Default()
	if len(policyText) > 0 {
		src = []byte(policyText[0])
	}
	p, err := policy.Load("policy.yaml", src, remedy.Catalogue{})
	if err != nil {
		t.Fatalf("policy: %v", err)
	}
	w := &world{t: t, policy: p, now: night}
	w.facts = triage.Facts{New: true, Automation: incident.Live}
	w.facts.Incident.ID = w.id()
	return w
}

func (w *world) id() incident.ID {
	w.serial++
	return incident.NewID(night, [10]byte{7: byte(w.serial >> 16), 8: byte(w.serial >> 8), 9: byte(w.serial)})
}

// store takes an outcome as the store would: compare-and-swap, evidence kept.
func (w *world) store(o triage.Outcome, arrivals ...triage.Arrival) {
	w.t.Helper()
	w.last = o
	before := slices.Clone(w.facts.Intents)
	for _, m := range o.Moves {
		i := slices.IndexFunc(before, func(in incident.Intent) bool { return in.ID == m.Intent.ID })
		if i < 0 {
			w.t.Fatalf("moved %s %s, which is not stored", m.Intent.Action, m.Intent.ID)
		}
		if before[i].State != m.From {
			w.t.Fatalf("%s moves from %s but is %s", m.Intent.Action, m.From, before[i].State)
		}
		if m.From.Terminal() {
			w.t.Fatalf("%s left the terminal state %s for %s", m.Intent.Action, m.From, m.Intent.State)
		}
		before[i] = m.Intent
	}
	w.facts.Intents = append(before, o.Intents...)
	if diff := cmp.Diff(states(w.facts.Intents), states(o.All)); diff != "" {
		w.t.Fatalf("what is stored and All differ:\n%s", diff)
	}
	w.facts.New, w.facts.Incident = false, o.Incident
	for _, a := range o.Alerts {
		w.facts.Alerts = slices.DeleteFunc(w.facts.Alerts, func(b incident.Alert) bool { return a.Episode == b.Episode })
		w.facts.Alerts = append(w.facts.Alerts, a)
	}
	for _, rep := range o.Repairs {
		w.facts.Guards.Repairs = slices.DeleteFunc(slices.Clone(w.facts.Guards.Repairs), func(b incident.Repair) bool { return b.ID == rep.ID })
		w.facts.Guards.Repairs = append(w.facts.Guards.Repairs, rep)
	}
	w.facts.Guards.Breakers = append(w.facts.Guards.Breakers, o.Breakers...)
	if o.Judged {
		w.facts.Diagnosis, w.facts.Decision = o.Diagnosis, o.Decision
	}
	for i, a := range arrivals {
		if a.Result != nil {
			w.facts.Results = append(w.facts.Results, *a.Result)
		}
		if kept := o.Taken[i].Kept(a.Event); len(kept.Evidence) > 0 && o.Taken[i].Outcome != incident.Rejected && o.Taken[i].Outcome != incident.Duplicate {
			w.facts.Evidence = append(w.facts.Evidence, triage.Piece{
				Raw: a.Event.Evidence, Subject: a.Event.Subject, Leased: a.Result != nil, ReceivedAt: a.Event.ReceivedAt,
			})
		}
	}
}

// read is what the store reads: evidence of the last ten minutes.
func (w *world) read() triage.Facts {
	f := w.facts
	f.Evidence = slices.DeleteFunc(slices.Clone(f.Evidence), func(p triage.Piece) bool {
		return w.now.Sub(p.ReceivedAt) >= w.policy.Settings().Evidence.MaxDuration
	})
	return f
}

func (w *world) arrive(arrivals ...triage.Arrival) {
	w.t.Helper()
	if len(w.facts.Incident.Key) == 0 {
		w.facts.Incident.Key = arrivals[0].Event.Key()
	}
	w.store(triage.Run(w.policy, w.read(), arrivals, w.now, w.id), arrivals...)
}

func (w *world) alert(events ...incident.Event) {
	w.t.Helper()
	var arrivals []triage.Arrival
	for _, e := range events {
		e.ReceivedAt = w.now
		arrivals = append(arrivals, triage.Arrival{Event: e})
	}
	w.arrive(arrivals...)
}

// look sends evidence that nobody asked for.
func (w *world) look(subject, evidence string) triage.Taken {
	w.t.Helper()
	w.arrive(triage.Arrival{Event: incident.Event{
		ID: w.id(), Kind: incident.EvidenceEvent, Source: "evidence", Subject: subject, ReceivedAt: w.now,
		Target: w.facts.Incident.Target, Evidence: raw(evidence),
	}})
	return w.last.Taken[0]
}

// tick lets the clock run its round.
func (w *world) tick() {
	w.t.Helper()
	w.store(triage.Run(w.policy, w.read(), nil, w.now, w.id))
}

// advance lets time pass and wakes whatever is due on its way, as the store does.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); ; {
		due, any := w.wake()
		if !any || due.After(end) {
			w.now = end
			return
		}
		if due.After(w.now) {
			w.now = due
		}
		w.now = w.now.Add(time.Millisecond)
		w.tick()
		if again, any := w.wake(); any && again.Before(w.now) {
			w.t.Fatalf("at %s the clock is to wake the incident again at %s: that never ends; live are\n%s", w.now, again, strings.Join(w.live(), "\n"))
		}
	}
}

func (w *world) wake() (time.Time, bool) {
	var first time.Time
	for _, in := range w.facts.Intents {
		if !in.State.Terminal() && (first.IsZero() || in.WakeAt.Before(first)) {
			first = in.WakeAt
		}
	}
	if v := w.facts.Incident.VerifyBy; !v.IsZero() && (first.IsZero() || v.Before(first)) {
		first = v
	}
	return first, !first.IsZero()
}

// find gives the newest intent of an action in a state.
func (w *world) find(action string, state incident.IntentState) incident.Intent {
	w.t.Helper()
	for _, in := range slices.Backward(w.facts.Intents) {
		if in.Action == action && in.State == state {
			return in
		}
	}
	w.t.Fatalf("there is no %s %s; there are\n%s", state, action, strings.Join(states(w.facts.Intents), "\n"))
	return incident.Intent{}
}

func (w *world) claimID(id incident.ID) *triage.Refusal {
	w.t.Helper()
	var o triage.Outcome
	o, w.said = triage.Claim(w.policy, w.read(), id, triage.LeaseGrant{Subject: "n8n", Worker: "w", ExecutionID: "e", Hash: []byte("h")}, w.now, w.id)
	w.store(o)
	return w.said
}

func (w *world) claim(action string) incident.Intent {
	w.t.Helper()
	in := w.find(action, incident.Ready)
	if no := w.claimID(in.ID); no != nil {
		w.t.Fatalf("claim of %s refused: %s, %s", action, no.Reason, no.Detail)
	}
	return in
}

// result reports on the newest running intent of an action.
func (w *world) result(action string, status incident.ResultStatus, evidence string) {
	w.t.Helper()
	w.resultOf(w.find(action, incident.Running), status, evidence)
}

func (w *world) resultOf(in incident.Intent, status incident.ResultStatus, evidence string) {
	w.t.Helper()
	res := incident.Result{IntentID: in.ID, Status: status, ReceivedAt: w.now, FinishedAt: w.now}
	e := incident.Event{ID: w.id(), Kind: incident.ResultEvent, Subject: "n8n", ReceivedAt: w.now, Evidence: raw(evidence), IntentID: in.ID}
	w.arrive(triage.Arrival{Event: e, Result: &res})
}

// run claims and reports in one go.
func (w *world) run(action, evidence string) {
	w.t.Helper()
	w.claim(action)
	w.result(action, incident.ResultSucceeded, evidence)
}

func (w *world) hear(kind string, in incident.Intent, hash string) {
	w.t.Helper()
	var o triage.Outcome
	o, w.said = triage.Hear(w.policy, w.read(), in.ID, triage.Word{Kind: kind, Subject: "alice", PlanHash: hash, Reason: "because"}, w.now, w.id)
	w.store(o)
}

func (w *world) approve(in incident.Intent) {
	w.t.Helper()
	if w.hear("approve", in, in.PlanHash); w.said != nil {
		w.t.Fatalf("approve refused: %+v", *w.said)
	}
}

func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// states are intents as a reader thinks of them: action, state.
func states(intents []incident.Intent) []string {
	var out []string
	for _, in := range intents {
		out = append(out, in.Action+" "+string(in.State))
	}
	return out
}

// live leaves out what has ended.
func (w *world) live() []string {
	return states(slices.DeleteFunc(slices.Clone(w.facts.Intents), func(in incident.Intent) bool { return in.State.Terminal() }))
}

func (w *world) wantLive(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.live()); diff != "" {
		w.t.Errorf("live intents (-want +got):\n%s", diff)
	}
}

func (w *world) wantState(want incident.State) {
	w.t.Helper()
	if got := w.facts.Incident.State; got != want {
		w.t.Errorf("the incident is %s, want %s; intents:\n%s\ndecision: %+v", got, want, strings.Join(states(w.facts.Intents), "\n"), w.last.Decision)
	}
}

func (w *world) wantVerdict(want incident.Verdict, reason string) {
	w.t.Helper()
	d := w.last.Decision
	if d.Verdict != want || !strings.Contains(strings.Join(d.Reasons, "; "), reason) {
		w.t.Errorf("verdict %s because %q, want %s because of %q", d.Verdict, d.Reasons, want, reason)
	}
}

func (w *world) wantRefused(want, detail string) {
	w.t.Helper()
	if w.said == nil || w.said.Reason != want || !strings.Contains(w.said.Detail, detail) {
		w.t.Errorf("refused with %+v, want %s because of %q", w.said, want, detail)
	}
}

// messages are the channel and the last lines of what people are told.
func (w *world) messages() []string {
	var out []string
	for _, in := range w.facts.Intents {
		if in.Effect != incident.Tell || in.Action == "notify.sms" {
			continue
		}
		var p struct{ Channel, Text string }
		if err := json.Unmarshal(in.Params, &p); err != nil {
			w.t.Fatalf("params: %v", err)
		}
		out = append(out, p.Channel+" "+in.Reason+": "+asked(p.Text))
	}
	return out
}

// asked is a message without what happened and what was done; where that is all,
// its first line.
func asked(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines[2:] {
		if !strings.HasPrefix(line, "Done:") && !strings.HasPrefix(line, "• ") {
			return strings.Join(lines[2+i:], "\n")
		}
	}
	return lines[0]
}

func (w *world) wantMessages(want ...string) {
	w.t.Helper()
	got := w.messages()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		w.t.Errorf("messages are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
