package handlers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"salve/internal/checklist"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/store"
)

// ready gives its intents from a moment on.
type ready struct {
	at    time.Time
	due   time.Time // of the checks; zero: never
	err   error
	limit int
	open  []incident.Incident
	asked store.List
}

func (r *ready) Offer(_ context.Context, limit int) ([]incident.Intent, error) {
	r.limit = limit
	if r.err != nil || r.at.IsZero() || time.Now().Before(r.at) {
		return nil, r.err
	}
	return []incident.Intent{{ID: incident.ID{15: 1}, State: incident.Ready}}, nil
}

func (r *ready) NoteHeartbeat(context.Context) error { return nil }

func (r *ready) OfferChecks(_ context.Context, checks []checklist.Check, _ int) ([]checklist.Check, error) {
	if r.due.IsZero() || time.Now().Before(r.due) {
		return nil, nil
	}
	return checks, nil
}

func (r *ready) Incidents(_ context.Context, l store.List) ([]incident.Incident, error) {
	r.asked = l
	return r.open, nil
}

func TestHeartbeatWaits(t *testing.T) {
	const never = time.Hour
	for name, c := range map[string]struct {
		wait, ready, stop, gone, took time.Duration
		err                           error
		offers                        int
	}{
		"at once, nothing":     {ready: never},
		"at once, something":   {offers: 1},
		"something waits":      {wait: 50 * time.Second, offers: 1},
		"it becomes ready":     {wait: 50 * time.Second, ready: 7 * time.Second, took: 7 * time.Second, offers: 1},
		"at the last moment":   {wait: 5 * time.Second, ready: 5 * time.Second, took: 5 * time.Second, offers: 1},
		"the wait is over":     {wait: 5 * time.Second, ready: never, took: 5 * time.Second},
		"the program stops":    {wait: 50 * time.Second, ready: never, stop: 1100 * time.Millisecond, took: 1100 * time.Millisecond},
		"the caller has left":  {wait: 50 * time.Second, ready: never, gone: 1100 * time.Millisecond, took: 1100 * time.Millisecond, err: context.Canceled},
		"the database is away": {wait: 50 * time.Second, err: errors.New("away")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				db := &ready{at: begin.Add(c.ready)}
				if c.gone == 0 {
					db.err = c.err
				}
				stop := make(chan struct{})
				if c.stop > 0 {
					time.AfterFunc(c.stop, func() { close(stop) })
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.gone > 0 {
					time.AfterFunc(c.gone, cancel)
				}
				h := &Heartbeat{Store: db, Checklist: someChecks(t), Every: 500 * time.Millisecond, Stop: stop, Ticked: func() {}}
				got, err := h.Beat(ctx, identity.Caller{}, HeartbeatRequest{Wait: int(c.wait / time.Second)})
				if !errors.Is(err, c.err) || len(got.Intents) != c.offers || time.Since(begin) != c.took {
					t.Errorf("%v, %d intents, after %s", err, len(got.Intents), time.Since(begin))
				}
			})
		})
	}
}

// HEARTBEAT_OK is said exactly when nothing needs attention.
func TestHeartbeatSaysWhatIsWrong(t *testing.T) {
	away := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		db   ready
		want HeartbeatStatus
	}{
		"nothing":     {ready{at: away}, HeartbeatOK},
		"an intent":   {ready{at: time.Now()}, HeartbeatAttention},
		"an incident": {ready{at: away, open: []incident.Incident{{State: incident.StateEscalated, ShortID: "INC-7"}}}, HeartbeatAttention},
	} {
		h := &Heartbeat{Store: &c.db, Checklist: someChecks(t), Every: time.Second, Ticked: func() {}}
		got, err := h.Beat(t.Context(), identity.Caller{}, HeartbeatRequest{})
		if err != nil || got.Status != c.want || len(got.ActiveIssues) != len(c.db.open) || c.db.limit != 10 {
			t.Errorf("%s: %v, %+v, limit %d", name, err, got, c.db.limit)
		}
		for _, s := range c.db.asked.States {
			if s == string(incident.StateResolved) {
				t.Errorf("%s: resolved incidents are no issues", name)
			}
		}
		if got.Intents == nil || got.ActiveIssues == nil {
			t.Errorf("%s: null instead of an empty list", name)
		}
	}
}

func someChecks(t *testing.T) func() *checklist.Checklist {
	t.Helper()
	list, err := checklist.Load("list", []byte(`checks:
  - {name: web-01-disk, kind: disk, host: web-01}
  - {name: nightly, kind: custom}
`))
	if err != nil {
		t.Fatal(err)
	}
	return func() *checklist.Checklist { return list }
}

// A check that is due ends the wait, and is none that needs attention. Those that
// run by themselves are not handed out.
func TestHeartbeatHandsOutChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h := &Heartbeat{Store: &ready{due: begin.Add(3 * time.Second)}, Checklist: someChecks(t), Every: 500 * time.Millisecond, Ticked: func() {}}
		got, err := h.Beat(t.Context(), identity.Caller{}, HeartbeatRequest{Wait: 20})
		if err != nil || got.Status != HeartbeatOK || time.Since(begin) != 3*time.Second {
			t.Fatalf("%+v, %v, after %s", got, err, time.Since(begin))
		}
		if len(got.Checks) != 1 || got.Checks[0].Name != "web-01-disk" || !strings.Contains(string(got.Checks[0].Execute), `"script":"disk-space"`) {
			t.Errorf("%+v", got.Checks)
		}
	})
}
