package store_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/store"
)

// untilWaiting returns when so many of the store's transactions wait for a lock.
func (w *world) untilWaiting(n int64) {
	w.t.Helper()
	for w.count(`select count(*) from pg_stat_activity
		where datname = current_database() and application_name = 'salve' and wait_event_type = 'Lock'`) < n {
	}
}

// between is a replica on which do happens once, right after the stage.
func (w *world) between(stage string, do func()) *replica {
	w.t.Helper()
	var once atomic.Bool
	return w.replica(func(o *store.Options) {
		o.Observe.Stage = func(s string, _ time.Duration) {
			if s == stage && once.CompareAndSwap(false, true) {
				do()
			}
		}
	})
}

// A resolution finds its alert although the alert moved to another incident after
// it was looked up.
func TestAlertMovesBeforeTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))
	w.done(w.claim(a.Intents[0], "a"), "a", incident.ResultSucceeded, w.outOfMemory("api-1"))
	collect := w.claim(b.Intents[0], "b")
	r := w.between("read", func() { w.done(collect, "b", incident.ResultSucceeded, w.outOfMemory("api-2")) })
	got := w.takeAt(r, w.resolved("api-2"))[0]
	if got.Err != nil || got.Taken.Outcome != incident.Accepted || got.IncidentID != a.IncidentID {
		t.Errorf("%s %v in %s (%v), want it accepted in the holder %s", got.Taken.Outcome, got.Taken.Reasons, got.IncidentID, got.Err, a.IncidentID)
	}
	if n := w.count("select count(*) from alerts where status = 'firing'"); n != 1 {
		t.Errorf("%d alerts fire, want one", n)
	}
}

// A result finds its intent although the intent moved to another incident while
// the result waited for the lock.
func TestIntentMovesBeforeTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("a")), w.takeOne(w.firing("b"))
	in := w.claim(b.Intents[0], "t")
	merge, err := w.sql.Begin(t.Context())
	w.must(err)
	defer func() { _ = merge.Rollback(t.Context()) }()
	_, err = merge.Exec(t.Context(), "select from incidents where id = $1 for update", [16]byte(b.IncidentID))
	w.must(err)
	type answer struct {
		r   store.Receipt
		err error
	}
	answers := make(chan answer)
	go func() {
		r, err := w.report(in, "t", incident.ResultSucceeded, nil)
		answers <- answer{r, err}
	}()
	w.untilWaiting(1)
	_, err = merge.Exec(t.Context(), "update intents set incident_id = $1 where id = $2", [16]byte(a.IncidentID), [16]byte(in.ID))
	w.must(err)
	w.must(merge.Commit(t.Context()))
	if got := <-answers; got.err != nil || got.r.Taken.Outcome != incident.Accepted || got.r.IncidentID != a.IncidentID {
		t.Errorf("%s in %s (%v), want it accepted where the intent is now, %s", got.r.Taken.Outcome, got.r.IncidentID, got.err, a.IncidentID)
	}
}

// Facts that were stale when they were to be written are read again: what another
// hand did in between is never overwritten.
func TestStaleFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.takeOne(w.firing("a")).Intents[0]
	r := w.between("triage", func() {
		if _, err := w.sql.Exec(t.Context(), "update intents set state = 'expired' where id = $1", [16]byte(in.ID)); err != nil {
			panic(err)
		}
	})
	if got := w.takeAt(r, w.resolved("a"))[0]; got.Err != nil || got.State != incident.StateResolved {
		t.Fatalf("%+v, want the incident resolved", got)
	}
	if got := w.state(in); got != incident.Expired {
		t.Errorf("the intent is %s: the write went over what had changed", got)
	}
	if n := w.count("select count(*) from audit where operation = 'incident.resolved'"); n != 1 {
		t.Errorf("%d resolutions on record: the try that failed left something", n)
	}
}

func TestWritesCheckTheirRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for sql, want := range map[string]string{
		"select must_be(1, 2)": "1 of 2 rows: the facts were stale (SQLSTATE 40001)",
		"select must_be(2, 2)": "",
	} {
		_, err := w.sql.Exec(t.Context(), sql)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", sql, err, want)
		}
	}
	in := w.claim(w.takeOne(w.firing("a")).Intents[0], "t")
	w.done(in, "t", incident.ResultSucceeded, nil)
	_, err := w.sql.Exec(t.Context(), `insert into results select gen_random_uuid(), intent_id, incident_id, received_at, status, '', doc from results`)
	if err == nil || !strings.Contains(err.Error(), "results_terminal") {
		t.Errorf("a second terminal result: %v, want it refused", err)
	}
}

// Two incidents that came to share a key, both resolved: what fires again, in one
// call, reopens the last one.
func TestTwoResolvedUnderOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.takeOne(w.firing("api-1", openEnded)).IncidentID
	w.takeOne(w.resolved("api-1", openEnded))
	w.now.pass(time.Minute)
	last := w.takeOne(w.firing("api-2", openEnded)).IncidentID
	w.takeOne(w.resolved("api-2", openEnded))
	key := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Deployment", Name: "api"}.Key("pod")
	if _, err := w.sql.Exec(t.Context(), "update incidents set key = $1 where id = any($2)", key, [][16]byte{first, last}); err != nil {
		t.Fatal(err)
	}
	for i, r := range w.take(w.firing("api-1", openEnded), w.firing("api-2", openEnded), w.firing("api-3", showing(w.outOfMemory("api-3")))) {
		if r.Err != nil || r.Taken.Outcome != incident.Accepted || r.IncidentID != last {
			t.Errorf("item %d: %v in %s (%v), want it accepted in the one resolved last, %s", i, r.Taken, r.IncidentID, r.Err, last)
		}
	}
	if n := w.count("select count(*) from incidents where state <> 'resolved'"); n != 1 {
		t.Errorf("%d incidents are open, want one", n)
	}
	if n := w.count("select count(*) from alerts a join incidents i on i.id = a.incident_id where a.status = 'firing' and i.state <> 'resolved'"); n != 3 {
		t.Errorf("%d alerts fire in it, want 3", n)
	}
}

// A repair that did not last: another pod of the same owner falls ill after the
// incident was resolved. The owner's incident comes back, and what was tried is
// not simply done again.
func TestWhatDidNotLastComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ill := func(pod string) store.Receipt {
		r := w.takeOne(w.firing(pod, openEnded))
		return w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), pod), pod, incident.ResultSucceeded, w.outOfMemory(pod))
	}
	first := ill("api-1")
	restart := intentOf(t, first.Intents, "k8s.pod.restart")
	w.done(w.claim(restart, "r"), "r", incident.ResultSucceeded, nil)
	if _, err := w.sql.Exec(t.Context(), "update incidents set healthy_at = began_at where id = $1", [16]byte(first.IncidentID)); err != nil {
		t.Fatal(err)
	}
	if got := w.takeOne(w.resolved("api-1", openEnded)); got.State != incident.StateResolved {
		t.Fatalf("the incident is %s, want it resolved", got.State)
	}
	w.now.pass(time.Hour)
	second := ill("api-2")
	if second.IncidentID != first.IncidentID {
		t.Fatalf("the second pod is in %s, want the owner's incident %s", second.IncidentID, first.IncidentID)
	}
	if in := w.story(first.IncidentID).Incident; in.Recurrence != 1 || in.State != incident.StateEscalated {
		t.Errorf("%s with %d recurrences, want it escalated with one", in.State, in.Recurrence)
	}
	if n := w.count("select count(*) from intents where action = 'k8s.pod.restart'"); n != 1 {
		t.Errorf("%d restarts were planned, want the first alone", n)
	}
}

// An alert that goes on firing after its incident was resolved: for a while that
// is the sender's look-back, afterwards it is news.
func TestAlertThatNeverStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.takeOne(w.firing("api-1"))
	again := func() store.Receipt { return w.takeOne(w.firing("api-1")) }
	for _, sql := range []string{
		"update incidents set state = 'resolved', resolved_at = $2 where id = $1",
		"update alerts set quiet_until = $2::timestamptz + interval '10 minutes' where incident_id = $1",
	} {
		if _, err := w.sql.Exec(t.Context(), sql, [16]byte(first.IncidentID), w.now.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got := again(); got.Taken.Outcome != incident.Duplicate {
		t.Fatalf("within the look-back: %v, want a duplicate", got.Taken)
	}
	w.now.pass(11 * time.Minute)
	if got := again(); got.Taken.Outcome != incident.Accepted || got.IncidentID != first.IncidentID {
		t.Errorf("after the look-back: %v in %s, want it accepted in %s", got.Taken, got.IncidentID, first.IncidentID)
	}
	if in := w.story(first.IncidentID).Incident; !in.Open() || in.Recurrence != 1 {
		t.Errorf("%s with %d recurrences, want it open again with one", in.State, in.Recurrence)
	}
	if got := again(); got.Taken.Outcome != incident.Duplicate {
		t.Errorf("the next repeat: %v, want a duplicate", got.Taken)
	}
}

// An incident that another replica opened and resolved in between is reopened; a
// second one is not opened beside it.
func TestOpenedAndResolvedInBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var other store.Receipt
	r := w.between("triage", func() { other = w.take(w.firing("a", named("other")), w.resolved("a", named("other")))[0] })
	got := w.takeAt(r, w.firing("a"))[0]
	if got.Err != nil || got.IncidentID != other.IncidentID || got.State == incident.StateResolved {
		t.Errorf("%+v, want %s reopened", got, other.IncidentID)
	}
	checkOne(t, w, w.firing("a").Key(), incident.StateDiagnosing, 1)
}

// Who merges waits for an older holder without holding the lock of its own
// incident: all locks are taken in the order of ids, so that nobody deadlocks.
func TestMergeLocksInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))
	w.done(w.claim(a.Intents[0], "a"), "a", incident.ResultSucceeded, w.outOfMemory("api-1"))
	in := w.claim(b.Intents[0], "b")
	batch, err := w.sql.Begin(t.Context())
	w.must(err)
	defer func() { _ = batch.Rollback(t.Context()) }()
	lock := "select from incidents where id = $1 for update nowait"
	_, err = batch.Exec(t.Context(), lock, [16]byte(a.IncidentID))
	w.must(err)
	done := make(chan error)
	go func() {
		_, err := w.report(in, "b", incident.ResultSucceeded, w.outOfMemory("api-2"))
		done <- err
	}()
	w.untilWaiting(1)
	if _, err = batch.Exec(t.Context(), lock, [16]byte(b.IncidentID)); err != nil {
		t.Errorf("the newer incident is locked while the older one is waited for: %v", err)
	}
	_ = batch.Rollback(t.Context())
	w.must(<-done)
}
