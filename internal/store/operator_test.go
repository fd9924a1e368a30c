package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/store"
)

// Whoever was told that Salve is paused must not see a change claimed after
// that: setting the mode waits for claims under way, and a claim that comes
// later sees the new mode.
func TestNoClaimAfterThePauseWasAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.Live, Reason: "test", By: "ines"}, false))
	r := w.takeOne(w.firing("api-1"))
	ill := w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), "c"), "c", incident.ResultSucceeded, w.outOfMemory("api-1"))
	restart := intentOf(t, ill.Intents, "k8s.pod.restart")

	// A claim that has read the mode and not yet committed.
	claiming, err := w.sql.Begin(t.Context())
	w.must(err)
	var mode string
	w.must(claiming.QueryRow(t.Context(), store.HoldAutomation).Scan(&mode))
	paused := make(chan error, 1)
	go func() {
		paused <- w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.Paused, Reason: "stop", By: "ines"}, false)
	}()
	w.waitForLock(t)
	select {
	case err := <-paused:
		t.Fatalf("the pause was acknowledged (%v) while a claim was under way", err)
	default:
	}
	w.must(claiming.Rollback(t.Context()))
	w.must(<-paused)
	if _, err := w.main.Claim(t.Context(), restart.ID.String(), grantOf("t", "e")); err == nil || !strings.Contains(err.Error(), "paused") {
		t.Errorf("%v, want the claim refused by the mode", err)
	}
}

// waitForLock returns once some backend of this database waits for a row.
func (w *world) waitForLock(t testing.TB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.url)
	w.must(err)
	defer conn.Close(t.Context())
	for {
		var waiting bool
		w.must(conn.QueryRow(t.Context(), `select exists (select 1 from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waiting))
		if waiting {
			return
		}
	}
}

// A database that answers and takes no writes is not ready: every alert would be
// refused.
func TestReadOnlyDatabaseIsNotReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.main.Ping(t.Context()))
	execSQL(t, w.url, `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`)
	r := w.replica()
	if err := r.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "takes no writes") {
		t.Errorf("%v, want it said that no writes are taken", err)
	}
}
