package store_test

import (
	"sync"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/objective"
	"salve/internal/store"
)

func (w *world) window(service, subject string, end time.Time) incident.Aggregate {
	return incident.Aggregate{
		Target: incident.Target{Cluster: "prod", Kind: "Service", Service: service}, Service: service, Subject: subject, ReceivedAt: w.now.Now(),
		Window:  incident.Window{Start: end.Add(-15 * time.Minute), End: end},
		Metrics: incident.Metrics{incident.ErrorRate: 2}, Sources: map[string]incident.AggregateSource{"prometheus": {OK: true, AsOf: end}},
	}
}

func (w *world) keep(r *replica, a incident.Aggregate) store.Kept {
	w.t.Helper()
	k, err := r.KeepAggregate(w.t.Context(), a, objective.Heard(a), objective.Episodes)
	w.must(err)
	return k
}

// Windows are kept once, in the order of their ends, of one service and one sender, and
// as far back as is looked; what is old is dropped.
func TestKeepAggregate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.now.Now().Truncate(time.Minute)
	if k := w.keep(w.main, w.window("shop", "n8n", now)); !k.New || len(k.History) != 1 || !k.Incident.IsZero() {
		t.Errorf("the first: %+v", k)
	}
	if k := w.keep(w.main, w.window("shop", "n8n", now)); k.New || len(k.History) != 1 {
		t.Errorf("the same again: %+v", k)
	}
	w.keep(w.main, w.window("shop", "stranger", now))
	w.keep(w.main, w.window("cart", "n8n", now))
	k := w.keep(w.main, w.window("shop", "n8n", now.Add(-15*time.Minute)))
	if !k.New || len(k.History) != 2 || !k.History[1].Window.End.Equal(now) {
		t.Errorf("one that comes late: %+v", k.History)
	}
	w.now.pass(9 * 24 * time.Hour)
	k = w.keep(w.main, w.window("shop", "n8n", w.now.Now().Truncate(time.Minute)))
	var left int
	w.must(w.sql.QueryRow(t.Context(), `select count(*) from monitoring_windows where service = 'shop' and subject = 'n8n'`).Scan(&left))
	if len(k.History) != 1 || left != 1 {
		t.Errorf("after nine days %d windows are read and %d are kept", len(k.History), left)
	}
}

// An alert that a window brought is found again, with its incident.
func TestKeepAggregateFindsItsAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.window("shop", "n8n", w.now.Now().Truncate(time.Minute))
	k := w.keep(w.main, a)
	episode := objective.Episodes(k.History)[0]
	receipts, err := w.main.Take(t.Context(), []incident.Event{{
		ID: w.id(), Kind: incident.AlertEvent, Source: "prometheus", Subject: "n8n", ReceivedAt: w.now.Now(), Episode: episode, OpenEnded: true, Status: incident.Firing,
		Fingerprint: "f", Name: "ErrorRateHigh", Severity: incident.High, Service: "shop", Target: a.Target, Family: "slo", Hypothesis: "slo.error_rate",
	}})
	w.must(err)
	k = w.keep(w.main, a)
	if k.Incident != receipts[0].IncidentID || k.Alerts[episode].Status != incident.Firing || k.State == "" {
		t.Errorf("found %+v, want incident %s", k, receipts[0].IncidentID)
	}
	if found, known, err := w.main.Alert(t.Context(), episode); err != nil || !known || found.IncidentID != receipts[0].IncidentID {
		t.Errorf("the alert by itself: %+v, %v, %v", found, known, err)
	}
	if _, known, err := w.main.Alert(t.Context(), incident.Episode{1}); err != nil || known {
		t.Errorf("an alert that nobody sent: %v, %v", known, err)
	}
}

// The same window at once is kept once.
func TestKeepAggregateAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.window("shop", "n8n", w.now.Now().Truncate(time.Minute))
	var all sync.WaitGroup
	var mu sync.Mutex
	fresh := 0
	for range 6 {
		r := w.replica()
		all.Go(func() {
			k, err := r.KeepAggregate(t.Context(), a, nil, objective.Episodes)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if k.New {
				fresh++
			}
		})
	}
	all.Wait()
	if fresh != 1 {
		t.Errorf("%d senders were told that the window is new", fresh)
	}
}

// When a heartbeat was heard, and that it is silent, is known to all replicas.
func TestWatchHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	watch := func(want string) []incident.Event {
		t.Helper()
		news, err := w.replica().WatchHeartbeat(t.Context())
		w.must(err)
		got := ""
		for _, e := range news {
			got += string(e.Status)
		}
		if got != want {
			t.Errorf("the news is %q, want %q", got, want)
		}
		return news
	}
	w.now.pass(time.Hour)
	watch("") // there never was one
	w.must(w.main.NoteHeartbeat(t.Context()))
	w.now.pass(3 * time.Minute)
	watch("") // three minutes are allowed
	w.now.pass(time.Second)
	_, err := w.main.Take(t.Context(), watch("firing"))
	w.must(err)
	watch("") // it was told
	w.must(w.main.NoteHeartbeat(t.Context()))
	_, err = w.main.Take(t.Context(), watch("resolved"))
	w.must(err)
	watch("")
}
