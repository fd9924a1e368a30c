package store_test

import (
	"sync"
	"testing"
	"time"

	"salve/internal/checklist"
	"salve/internal/store"
)

func (w *world) due(r *replica, checks []checklist.Check) []string {
	w.t.Helper()
	list, err := r.OfferChecks(w.t.Context(), checks, 10)
	w.must(err)
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func (w *world) ran(c checklist.Check, st checklist.State) {
	w.t.Helper()
	w.must(w.main.KeepCheck(w.t.Context(), c.Name, c.Kind, st))
}

func (w *world) wantDue(when string, checks []checklist.Check, want ...string) {
	w.t.Helper()
	got := w.due(w.main, checks)
	if len(got) != len(want) {
		w.t.Fatalf("%s: due are %v, want %v", when, got, want)
	}
	for _, name := range want {
		found := false
		for _, g := range got {
			found = found || g == name
		}
		if !found {
			w.t.Errorf("%s: due are %v, want %v", when, got, want)
		}
	}
}

// A check is due at once where it never ran, and then once in its interval; where
// nothing is heard of it, somebody else is asked after two minutes.
func TestChecksAreDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	often, seldom := checklist.Check{Name: "often", Kind: checklist.Disk, Every: 10 * time.Minute}, checklist.Check{Name: "seldom", Kind: checklist.Disk, Every: time.Hour}
	checks := []checklist.Check{often, seldom}
	w.now.pass(seldom.Next(w.now.Now()).Sub(w.now.Now())) // the beginning of an hour of it
	w.wantDue("at first", checks, "often", "seldom")
	w.wantDue("at once again", checks)
	w.now.pass(119 * time.Second)
	w.wantDue("nothing was heard for less than two minutes", checks)
	w.ran(seldom, checklist.State{Status: checklist.Healthy, Observed: w.now.Now()})
	w.now.pass(2 * time.Second)
	w.wantDue("nothing was heard of one", checks, "often")
	w.ran(often, checklist.State{Status: checklist.Healthy, Observed: w.now.Now()})
	w.now.pass(often.Next(w.now.Now()).Sub(w.now.Now()) - time.Second)
	w.wantDue("before its moment", checks)
	w.now.pass(time.Second)
	w.wantDue("at its moment", checks, "often")
}

// Many heartbeats at once share what is due: none is given twice.
func TestDueChecksAreShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var checks []checklist.Check
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		checks = append(checks, checklist.Check{Name: name, Kind: checklist.Disk, Every: time.Hour})
	}
	var mu sync.Mutex
	given := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		r := w.replica()
		all.Go(func() {
			for _, name := range w.due(r, checks) {
				mu.Lock()
				given[name]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, c := range checks {
		if given[c.Name] != 1 {
			t.Errorf("check %s was given %d times", c.Name, given[c.Name])
		}
	}
}

// What is kept is what the newest result said, whichever is written last.
func TestKeepCheckKeepsTheNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, now := checklist.Check{Name: "c", Kind: checklist.Disk, Every: time.Hour}, w.now.Now()
	if r, err := w.main.CheckRun(t.Context(), "c"); err != nil || r.Status != checklist.Never || !r.RanAt.IsZero() {
		t.Errorf("before: %+v, %v", r, err)
	}
	w.due(w.main, []checklist.Check{c})
	firing := []checklist.Finding{{Fingerprint: "f", Cause: "host.disk_full"}}
	w.ran(c, checklist.State{Status: checklist.Unhealthy, Finding: "full", Observed: now, Firing: firing})
	w.ran(c, checklist.State{Status: checklist.Healthy, Observed: now.Add(-time.Second)})
	var runs []store.CheckRun
	runs, err := w.main.CheckRuns(t.Context())
	w.must(err)
	if len(runs) != 1 || runs[0].Status != checklist.Unhealthy || len(runs[0].Firing) != 1 || runs[0].OfferedAt.IsZero() {
		t.Errorf("kept %+v", runs)
	}
}
