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
	var last incident.ID
	for _, pod := range []string{"api-1", "api-2"} {
		r := w.takeOne(w.firing(pod, openEnded))
		last = r.IncidentID
		w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), pod), pod, incident.ResultSucceeded, w.outOfMemory(pod))
		w.takeOne(w.resolved(pod, openEnded))
		w.now.pass(time.Minute)
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
