package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"salve/internal/incident"
)

func (w *world) offer(r *replica, limit int) []incident.Intent {
	w.t.Helper()
	list, err := r.Offer(w.t.Context(), limit)
	w.must(err)
	return list
}

// What is ready is offered once in 30 s, whoever asks; what was claimed, or has not
// its turn yet, or expired, is not.
func TestOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("a")), w.takeOne(w.firing("b"))
	first := w.offer(w.main, 1)
	if len(first) != 1 || first[0].ID != a.Intents[0].ID || first[0].Execute == nil {
		t.Fatalf("offered %s, want the oldest alone", describe(first))
	}
	if second := w.offer(w.replica(), 10); len(second) != 1 || second[0].ID != b.Intents[0].ID {
		t.Errorf("another replica offered %s, want the other one", describe(second))
	}
	w.now.pass(29 * time.Second)
	if again := w.offer(w.main, 10); len(again) != 0 {
		t.Errorf("offered %s again after 29 s", describe(again))
	}
	w.now.pass(2 * time.Second)
	if again := w.offer(w.main, 1); len(again) != 1 || again[0].ID != a.Intents[0].ID {
		t.Errorf("after 31 s offered %s, want the oldest", describe(again))
	}
	w.claim(a.Intents[0], "t")
	_, err := w.sql.Exec(t.Context(), `update intents set offered_at = null, not_before = $1 where id = $2`, w.now.Now().Add(time.Minute), [16]byte(b.Intents[0].ID))
	w.must(err)
	if early := w.offer(w.main, 10); len(early) != 0 {
		t.Errorf("offered %s: one is claimed, one has not its turn yet", describe(early))
	}
	_, err = w.sql.Exec(t.Context(), `update intents set not_before = created_at, expires_at = $1 where id = $2`, w.now.Now(), [16]byte(b.Intents[0].ID))
	w.must(err)
	if late := w.offer(w.main, 10); len(late) != 0 {
		t.Errorf("offered %s, which has expired", describe(late))
	}
}

// Many heartbeats at once share what is ready: none is given twice, none is lost.
func TestOffersAreShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[incident.ID]bool{}
	for i := range 20 {
		want[w.takeOne(w.firing(fmt.Sprintf("pod-%d", i))).Intents[0].ID] = true
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[incident.ID]int{}
	for range 8 {
		r := w.replica()
		all.Go(func() {
			for range 5 {
				list, err := r.Offer(t.Context(), 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, in := range list {
					got[in.ID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for id, n := range got {
		if n != 1 || !want[id] {
			t.Errorf("%s was offered %d times", id, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d of %d were offered", len(got), len(want))
	}
}

// What an answer names as ready is offered by it, where who is answered may execute.
func TestAnswersOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	executes := func(e *incident.Event) { e.MayExecute = true }
	n8n, sender := w.takeOne(w.firing("a", executes)), w.takeOne(w.firing("b"))
	if got := w.offer(w.main, 10); len(got) != 1 || got[0].ID != sender.Intents[0].ID {
		t.Errorf("offered %s, want what nobody who may execute was told of", describe(got))
	}
	e := w.resultEvent(w.outOfMemory("a"))
	e.MayExecute = true
	w.claim(n8n.Intents[0], "t")
	after, err := w.main.Report(t.Context(), n8n.Intents[0].ID.String(), "t", e, incident.Result{Status: incident.ResultSucceeded})
	w.must(err)
	restart := intentOf(t, after.Intents, "k8s.pod.restart")
	if got := w.offer(w.main, 10); restart.State != incident.Ready || len(got) != 0 {
		t.Errorf("offered %s, which the answer to the result had offered", describe(got))
	}
	w.now.pass(31 * time.Second)
	if got := w.offer(w.main, 10); intentOf(t, got, "k8s.pod.restart").ID != restart.ID {
		t.Errorf("offered %s, want what nobody took", describe(got))
	}
}
