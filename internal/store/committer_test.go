package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/postgres"
	"salve/internal/store"
)

// A poisonous item alone fails; its neighbours are taken.
func TestPoisonAloneFails(t *testing.T) {
	t.Parallel()
	long := make([]byte, 4000)
	_, _ = rand.Read(long)
	tests := map[string]func(*incident.Event){
		"NUL in a text":            func(e *incident.Event) { e.Name = "a\x00b" },
		"NUL in the key":           func(e *incident.Event) { e.Target.Name = "a\x00b" },
		"not UTF-8":                func(e *incident.Event) { e.Subject = "a\xffb" },
		"payload is no JSON":       func(e *incident.Event) { e.Payload = json.RawMessage(`{"a":`) },
		"payload nests too deep":   func(e *incident.Event) { e.Payload = json.RawMessage(strings.Repeat("[", 200_000)) },
		"key too long to index":    func(e *incident.Event) { e.Target.Name = hex.EncodeToString(long) },
		"kind that does not exist": func(e *incident.Event) { e.Severity = "grave" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			events := make([]incident.Event, 100)
			for i := range events {
				events[i] = w.firing(fmt.Sprintf("pod-%d", i))
			}
			spoil(&events[61])
			for i, r := range w.take(events...) {
				f := fault.As(r.Err)
				switch {
				case i != 61 && (r.Err != nil || r.Taken.Outcome != incident.Accepted):
					t.Fatalf("neighbour %d: %+v", i, r)
				case i == 61 && (r.Err == nil || f.Kind != fault.Internal):
					t.Fatalf("the poisonous item: %v; want an internal fault", r.Err)
				case i == 61 && (f.Detail != "" || strings.Count(f.Error(), events[61].ID.String()) != 1):
					t.Errorf("fault %q: want no detail for the caller, and the event named once for the log", f.Error())
				}
			}
			if n := w.count("select count(*) from incidents"); n != 99 {
				t.Errorf("%d incidents, want 99", n)
			}
		})
	}
}

// A core that panics takes neither the process nor what it does not choke on.
func TestPanicIsBisected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var size atomic.Int64
	r := w.replica(func(o *store.Options) {
		o.Observe.Batch = func(n int) { size.Store(int64(n)) }
		o.IDs = func() incident.ID {
			if size.Load() > 1 {
				panic("more than one is too many for me")
			}
			return w.id()
		}
	})
	events := make([]incident.Event, 20)
	for i := range events {
		events[i] = w.firing(fmt.Sprintf("pod-%d", i))
	}
	for i, got := range w.takeAt(r, events...) {
		if got.Err != nil || got.Taken.Outcome != incident.Accepted {
			t.Errorf("item %d: %+v", i, got)
		}
	}
	if n := w.count("select count(*) from incidents"); n != 20 {
		t.Errorf("%d incidents, want 20", n)
	}
}

func TestPanicOfOneIsInternal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ill atomic.Bool
	ill.Store(true)
	r := w.replica(func(o *store.Options) {
		o.IDs = func() incident.ID {
			if ill.Load() {
				panic("ill")
			}
			return w.id()
		}
	})
	got := w.takeAt(r, w.firing("a"))[0]
	if f := fault.As(got.Err); got.Err == nil || f.Kind != fault.Internal || !strings.Contains(f.Error(), "panic: ill") {
		t.Fatalf("%v: want an internal fault that names the panic for the log", got.Err)
	}
	ill.Store(false)
	if got := w.takeAt(r, w.firing("a"))[0]; got.Err != nil || got.Taken.Outcome != incident.Accepted {
		t.Errorf("sent again: %+v, want it accepted as if for the first time", got)
	}
}

// What waits is bounded in deliveries too: few calls can hold many.
func TestTooManyDeliveriesAreOverloaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := store.NewCommitter(w.main.Store)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	many := make([]incident.Event, 15000)
	if _, err := c.Take(gone, many); !errors.Is(err, context.Canceled) {
		t.Fatalf("first: %v, want its caller gone while it waits", err)
	}
	if _, err := c.Take(t.Context(), many); fault.As(err).Kind != fault.Overloaded {
		t.Errorf("second: %v, want overload", err)
	}
	if _, err := c.Take(gone, many[:5000]); !errors.Is(err, context.Canceled) {
		t.Errorf("what fits: %v, want it to wait", err)
	}
}

func TestFullQueueIsOverloaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := store.NewCommitter(w.main.Store)
	c.Queue(1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Take(gone, []incident.Event{w.firing("a")}); !errors.Is(err, context.Canceled) {
		t.Fatalf("first: %v, want its caller gone while it waits", err)
	}
	_, err := c.Take(t.Context(), []incident.Event{w.firing("b")})
	if f := fault.As(err); f.Kind != fault.Overloaded || f.RetryAfter <= 0 {
		t.Errorf("second: %v, want overloaded at once, with a time to come back", err)
	}
	c.Start()
	c.Stop()
	if n := w.count("select count(*) from alerts"); n != 1 {
		t.Errorf("%d alerts: what was queued is committed all the same, what was refused is not", n)
	}
}

// unavailable checks that every receipt tells the sender to come back, and tells
// nothing of the database's own words.
func unavailable(t *testing.T, receipts []store.Receipt) {
	t.Helper()
	for i, r := range receipts {
		f := fault.As(r.Err)
		if r.Err == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
			t.Fatalf("item %d: %v, want unavailable", i, r.Err)
		}
		for _, word := range []string{"SQLSTATE", "FATAL", "ERROR", "connect", "pq", "socket"} {
			if strings.Contains(f.Detail, word) {
				t.Errorf("the detail tells the caller %q: %s", word, f.Detail)
			}
		}
	}
}

func TestConnectionKilledInMidBatch(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"read", "lock", "triage"} {
		t.Run("after "+stage, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var once atomic.Bool
			r := w.replica(func(o *store.Options) {
				o.Observe.Stage = func(s string, _ time.Duration) {
					if s == stage && once.CompareAndSwap(false, true) {
						_, err := w.sql.Exec(context.Background(), `select pg_terminate_backend(pid, 5000) from pg_stat_activity
							where datname = current_database() and application_name = 'salve'`)
						if err != nil {
							panic(err)
						}
					}
				}
			})
			events := []incident.Event{w.firing("a"), w.firing("b"), w.firing("c")}
			unavailable(t, w.takeAt(r, events...))
			for _, table := range []string{"incidents", "alerts", "events", "intents", "decisions"} {
				if n := w.count("select count(*) from " + table); n != 0 {
					t.Errorf("%d %s are half written", n, table)
				}
			}
			for i, got := range w.takeAt(r, events...) {
				if got.Err != nil || got.Taken.Outcome != incident.Accepted {
					t.Errorf("item %d sent again: %+v", i, got)
				}
			}
		})
	}
}

func TestServerRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func() *postgres.Server {
		server, err := postgres.Start(t.Context(), postgres.Options{DataDir: dir, FastForTests: true})
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	server := start()
	defer func() { _ = server.Stop(context.Background()) }()
	if err := store.Migrate(t.Context(), server.URL()); err != nil {
		t.Fatal(err)
	}
	w := worldAt(t, server.URL())
	w.takeOne(w.firing("a"))
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	unavailable(t, w.take(w.firing("a"), w.firing("b")))
	if _, err := w.main.Claim(t.Context(), "INT-1", grantOf("t", "e")); fault.As(err).Kind != fault.Unavailable {
		t.Errorf("claim while the database is away: %v", err)
	}
	server = start()
	got := outcomes(w.take(w.firing("a"), w.firing("b")))
	if got[0] != known || got[1] != began {
		t.Errorf("after the restart: %q, want what was acknowledged to be known and the other accepted", got)
	}
	w.main.Close()
}

// With a single connection nothing may wait for a second one while it holds the first.
func TestOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	small := worldAt(t, w.url+"&pool_max_conns=1")
	var all errgroup.Group
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 20 {
		all.Go(func() error {
			pod := fmt.Sprintf("pod-%d", i%5)
			receipts, err := small.main.Take(ctx, []incident.Event{small.firing(pod), small.firing(pod, named(pod+"-2"))})
			if err != nil {
				return err
			}
			if receipts[0].Err != nil {
				return receipts[0].Err
			}
			if _, err := small.main.Claim(ctx, receipts[0].Intents[0].ID.String(), grantOf("t", "e")); err != nil && fault.As(err).Kind != fault.Conflict {
				return err
			}
			_, err = small.main.Tick(ctx, 10)
			return errors.Join(err, small.main.FlushRepeats(ctx))
		})
	}
	w.must(all.Wait())
}
