package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"salve/internal/incident"
	"salve/internal/store"
)

// outcomes are the outcomes of receipts, each with its reason.
func outcomes(receipts []store.Receipt) []string {
	var out []string
	for _, r := range receipts {
		if r.Err != nil {
			out = append(out, "error: "+r.Err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s", r.Taken.Outcome, r.Taken.Reasons[0]))
	}
	return out
}

const (
	began      = "accepted: the alert began to fire"
	again      = "accepted: the alert fires again"
	ended      = "accepted: the alert resolved"
	known      = "duplicate: this delivery is known already"
	tooLate    = "suppressed: this episode has ended already; a late delivery opens nothing"
	orphaned   = "suppressed: resolved, but nothing is open for this alert"
	byStranger = "suppressed: resolved by b, but it was sent firing by a; only the same sender resolves it"
)

// Each step is one call; what comes in one call may share a transaction.
func TestIngest(t *testing.T) {
	t.Parallel()
	type step struct {
		events []incident.Event
		want   []string
	}
	w := newWorld(t)
	tests := []struct {
		name  string
		steps []step
		state incident.State // of the one incident; empty: there is none
		back  int            // recurrences
	}{
		{name: "firing opens, a repeat changes nothing, resolved resolves", steps: []step{
			{[]incident.Event{w.firing("a")}, []string{began}},
			{[]incident.Event{w.firing("a")}, []string{known}},
			{[]incident.Event{w.resolved("a")}, []string{ended}},
			{[]incident.Event{w.resolved("a")}, []string{known}},
		}, state: incident.StateResolved},
		{name: "all of it in one call", steps: []step{
			{[]incident.Event{w.firing("b"), w.firing("b"), w.resolved("b"), w.firing("b"), w.resolved("b")}, []string{began, known, ended, tooLate, known}},
		}, state: incident.StateResolved},
		{name: "a late firing opens nothing", steps: []step{
			{[]incident.Event{w.firing("c")}, []string{began}},
			{[]incident.Event{w.resolved("c")}, []string{ended}},
			{[]incident.Event{w.firing("c")}, []string{tooLate}},
		}, state: incident.StateResolved},
		{name: "an orphan's resolution is remembered", steps: []step{
			{[]incident.Event{w.resolved("d")}, []string{orphaned}},
			{[]incident.Event{w.firing("d")}, []string{tooLate}},
			{[]incident.Event{w.resolved("d")}, []string{known}},
		}},
		{name: "an orphan's resolution in one call", steps: []step{
			{[]incident.Event{w.resolved("e"), w.resolved("e"), w.firing("e")}, []string{orphaned, known, tooLate}},
		}},
		{name: "without a start time it fires again and again", steps: []step{
			{[]incident.Event{w.firing("f", openEnded)}, []string{began}},
			{[]incident.Event{w.resolved("f", openEnded)}, []string{ended}},
			{[]incident.Event{w.firing("f", openEnded)}, []string{again}},
			{[]incident.Event{w.firing("f", openEnded)}, []string{known}},
		}, state: incident.StateDiagnosing, back: 1},
		{name: "without a start time, resolved first", steps: []step{
			{[]incident.Event{w.resolved("g", openEnded)}, []string{orphaned}},
			{[]incident.Event{w.firing("g", openEnded)}, []string{began}},
			{[]incident.Event{w.resolved("g", openEnded)}, []string{ended}},
		}, state: incident.StateResolved},
		{name: "without a start time, resolved first, in one call", steps: []step{
			{[]incident.Event{w.resolved("h", openEnded), w.firing("h", openEnded), w.resolved("h", openEnded), w.firing("h", openEnded)},
				[]string{orphaned, began, ended, again}},
		}, state: incident.StateDiagnosing, back: 1},
		{name: "an incident ends with the last of its alerts", steps: []step{
			{[]incident.Event{w.firing("i"), w.firing("i", named("other"))}, []string{began, began}},
			{[]incident.Event{w.resolved("i")}, []string{ended}},
		}, state: incident.StateDiagnosing},
		{name: "both of its alerts", steps: []step{
			{[]incident.Event{w.firing("j"), w.firing("j", named("another"))}, []string{began, began}},
			{[]incident.Event{w.resolved("j", named("another")), w.resolved("j")}, []string{ended, ended}},
		}, state: incident.StateResolved},
		{name: "only the sender resolves", steps: []step{
			{[]incident.Event{w.firing("k", from("a"))}, []string{began}},
			{[]incident.Event{w.resolved("k", from("b"))}, []string{byStranger}},
		}, state: incident.StateDiagnosing},
		{name: "a new episode reopens", steps: []step{
			{[]incident.Event{w.firing("l"), w.resolved("l")}, []string{began, ended}},
			{[]incident.Event{w.firing("l", started(w.now.Now().Add(time.Hour)))}, []string{began}},
		}, state: incident.StateDiagnosing, back: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i, s := range tt.steps {
				receipts, err := w.main.Take(t.Context(), s.events)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(s.want, outcomes(receipts)); diff != "" {
					t.Errorf("step %d (-want +got):\n%s", i+1, diff)
				}
			}
			e := tt.steps[0].events[0]
			checkOne(t, w, e.Key(), tt.state, tt.back)
		})
	}
}

// checkOne looks for the one incident that a key ever had.
func checkOne(t *testing.T, w *world, key string, state incident.State, back int) {
	t.Helper()
	rows, err := w.sql.Query(t.Context(), `select state || ' ' || recurrences from incidents where key = $1`, key)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got, want []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if state != "" {
		want = []string{fmt.Sprintf("%s %d", state, back)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("incidents of %s (-want +got):\n%s", key, diff)
	}
}

// What comes back after policy's recurrence is a new incident, even when the
// alert has no start time and so has its old episode.
func TestRecurrenceEnds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*incident.Event){
		"a new episode":        started(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)),
		"without a start time": openEnded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first := w.takeOne(w.firing("a", openEnded))
			w.takeOne(w.resolved("a", openEnded))
			w.now.pass(defaultPolicy(t)().Settings().Recurrence + time.Second)
			second := w.takeOne(w.firing("a", change))
			if second.Taken.Outcome != incident.Accepted || second.IncidentID == first.IncidentID {
				t.Errorf("%s into %s; want accepted into a new incident, not %s", second.Taken.Outcome, second.IncidentID, first.IncidentID)
			}
			if again := w.takeOne(w.resolved("a", change)); again.IncidentID != second.IncidentID || again.State != incident.StateResolved {
				t.Errorf("resolving it: %s of %s, want the new incident resolved", again.State, again.IncidentID)
			}
		})
	}
}

// The one to reopen is the one that was resolved last.
func TestTheLastOneReopens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeOne(w.firing("a", openEnded))
	w.takeOne(w.resolved("a", openEnded))
	w.now.pass(25 * time.Hour)
	second := w.takeOne(w.firing("a", named("second")))
	w.takeOne(w.resolved("a", named("second")))
	w.now.pass(time.Hour)
	for _, e := range []incident.Event{w.firing("a", openEnded), w.firing("a", named("third"))} {
		if r := w.takeOne(e); r.IncidentID != second.IncidentID {
			t.Errorf("%s went to %s, want the incident resolved last, %s", e.Fingerprint, r.IncidentID, second.IncidentID)
		}
	}
}

// An incident is renamed after its owner; an alert without a start time that
// fires again still belongs to it.
func TestFiringAgainAfterRekey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.takeOne(w.firing("api-1", openEnded))
	collect := w.claim(intentOf(t, first.Intents, "collect.pod"), "t")
	w.done(collect, "t", incident.ResultSucceeded, w.outOfMemory("api-1"))
	if key := w.story(first.IncidentID).Incident.Key; key != "prod-eu/production/Deployment/api/pod" {
		t.Fatalf("key is %s: the test wants an incident that was renamed", key)
	}
	w.takeOne(w.resolved("api-1", openEnded))
	again := w.takeOne(w.firing("api-1", openEnded))
	if again.IncidentID != first.IncidentID || again.State == incident.StateResolved {
		t.Errorf("it fires again in %s (%s), want %s reopened", again.IncidentID, again.State, first.IncidentID)
	}
}

func TestRepeatsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.takeOne(w.firing("a"))
	w.take(w.firing("a"), w.firing("a"))
	// In a batch that has news too, and one item of which fails, so that it runs
	// more than once.
	bad := w.firing("poison", func(e *incident.Event) { e.Name = "nul\x00" })
	w.take(w.firing("a"), w.firing("b"), bad)
	w.must(w.main.FlushRepeats(t.Context()))
	w.must(w.main.FlushRepeats(t.Context()))
	if got := w.story(first.IncidentID).Incident.Repeats; got != 3 {
		t.Errorf("%d repeats counted, want 3", got)
	}
}

func TestTenThousandAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := make([]incident.Event, 10_000)
	for i := range events {
		events[i] = w.firing(fmt.Sprintf("pod-%d", i))
	}
	for i, r := range w.take(events...) {
		if r.Err != nil || r.Taken.Outcome != incident.Accepted || len(r.Intents) == 0 {
			t.Fatalf("item %d: %+v", i, r)
		}
	}
	for table, want := range map[string]int64{"incidents": 10_000, "alerts": 10_000, "events": 10_000, "intents": 10_000} {
		if got := w.count("select count(*) from " + table); got != want {
			t.Errorf("%d %s, want %d", got, table, want)
		}
	}
}

// One delivery, sent a hundred times at once to two replicas.
func TestSameDeliveryAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	replicas := []*replica{w.main, w.replica()}
	got := make([]string, 100)
	var senders errgroup.Group
	for i := range got {
		senders.Go(func() error {
			receipts, err := replicas[i%2].Take(t.Context(), []incident.Event{w.firing("a")})
			if err == nil {
				got[i] = outcomes(receipts)[0]
			}
			return err
		})
	}
	w.must(senders.Wait())
	counts := map[string]int{}
	for _, o := range got {
		counts[o]++
	}
	if diff := cmp.Diff(map[string]int{began: 1, known: 99}, counts); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	for table, want := range map[string]int64{"incidents": 1, "intents": 1, "events": 1, "alerts": 1} {
		if got := w.count("select count(*) from " + table); got != want {
			t.Errorf("%d %s, want %d", got, table, want)
		}
	}
	for _, r := range replicas {
		w.must(r.FlushRepeats(t.Context()))
	}
	if got := w.count("select repeats from incidents"); got != 99 {
		t.Errorf("%d repeats, want 99", got)
	}
}

// Two replicas with several senders each work on few keys, in every order.
func TestReplicasOnTheSameKeys(t *testing.T) {
	t.Parallel()
	const keys, rounds, senders = 8, 8, 8
	w := newWorld(t)
	second := w.replica()
	second.Limit(3)
	replicas := []*replica{w.main, second}
	var all errgroup.Group
	for s := range senders {
		all.Go(func() error {
			for round := range rounds {
				var events []incident.Event
				for k := range keys {
					// Each sender has an alert of its own on every key, in an order of its own.
					pod, fp := fmt.Sprintf("pod-%d", (k*(2*s+1)+round)%keys), fmt.Sprintf("fp-%d", s)
					start := started(time.Unix(int64(round+1), 0))
					events = append(events, w.firing(pod, named(fp+pod), start))
					if round < rounds-1 {
						events = append(events, w.resolved(pod, named(fp+pod), start))
					}
				}
				receipts, err := replicas[(s+round)%2].Take(t.Context(), events)
				if err != nil {
					return err
				}
				for i, r := range receipts {
					if r.Err != nil || r.Taken.Outcome != incident.Accepted {
						return fmt.Errorf("sender %d round %d item %d: %+v", s, round, i, r)
					}
				}
			}
			return nil
		})
	}
	w.must(all.Wait())
	if open, total := w.count("select count(*) from incidents where state <> 'resolved'"), w.count("select count(*) from incidents"); open != keys || total != keys {
		t.Errorf("%d open of %d incidents, want %d", open, total, keys)
	}
	if n := w.count("select count(*) from alerts where status = 'firing'"); n != keys*senders {
		t.Errorf("%d alerts fire, want %d", n, keys*senders)
	}
	if n := w.count("select count(*) from events"); n != keys*senders*(2*rounds-1) {
		t.Errorf("%d events, want %d", n, keys*senders*(2*rounds-1))
	}
	if n := w.count("select count(*) from intents where state = 'ready'"); n != keys {
		t.Errorf("%d intents are ready, want one a key", n)
	}
}
