package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/store"
	"salve/internal/triage"
)

// reason is what a refusal says to a machine, or how else a call ended.
func reason(err error) string {
	if err == nil {
		return "done"
	}
	f := fault.As(err)
	if f.Reason == "" {
		return string(f.Kind)
	}
	return f.Reason
}

// repairing brings an incident to the point where the restart of one pod is ready
// and a bigger limit waits for a yes.
func (w *world) repairing() (restart, limit incident.Intent, id incident.ID) {
	w.t.Helper()
	r := w.takeOne(w.firing("api-1"))
	w.claim(intentOf(w.t, r.Intents, "collect.pod"), "c")
	r = w.done(intentOf(w.t, r.Intents, "collect.pod"), "c", incident.ResultSucceeded, w.outOfMemory("api-1"))
	st := w.story(r.IncidentID)
	return intentOf(w.t, st.Intents, "k8s.pod.restart"), intentOf(w.t, st.Intents, "k8s.deployment.resources"), r.IncidentID
}

func (w *world) state(in incident.Intent) incident.IntentState {
	w.t.Helper()
	got, err := w.main.Intent(w.t.Context(), in.ID.String())
	w.must(err)
	return got.State
}

func TestTwoClaimsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.takeOne(w.firing("a")).Intents[0]
	replicas := []*replica{w.main, w.replica()}
	var mu sync.Mutex
	got := map[string]int{}
	var all errgroup.Group
	for i := range 10 {
		all.Go(func() error {
			_, err := replicas[i%2].Claim(t.Context(), in.ID.String(), grantOf("t", "e"))
			mu.Lock()
			defer mu.Unlock()
			got[reason(err)]++
			return nil
		})
	}
	w.must(all.Wait())
	if diff := cmp.Diff(map[string]int{"done": 1, "already_claimed": 9}, got); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if n := w.count("select count(*) from audit where operation = 'claim.refused'"); n != 9 {
		t.Errorf("%d refusals on record, want 9", n)
	}
}

func TestIntentsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.takeOne(w.firing("a")).Intents[0]
	if in.ShortID != "INT-1" {
		t.Fatalf("the first intent is %q, want INT-1", in.ShortID)
	}
	nobody := w.id().String()
	for name, want := range map[string]string{
		in.ID.String(): "", "INT-1": "", "int-1": "", nobody: "there is no intent " + nobody, "INT-2": "there is no intent INT-2",
		"INT-0": `"INT-0" is neither`, "INC-1": `"INC-1" is neither`, "' or 1=1 --": "is neither an id nor", "": "is neither",
	} {
		_, err := w.main.Intent(t.Context(), name)
		if want == "" && err != nil || want != "" && (fault.As(err).Kind != fault.NotFound || !strings.Contains(fault.As(err).Detail, want)) {
			t.Errorf("intent %q: %v, want %q", name, err, want)
		}
		if _, claimed := w.main.Claim(t.Context(), name, triage.LeaseGrant{}); want != "" && fault.As(claimed).Kind != fault.NotFound {
			t.Errorf("claim %q: %v, want not found", name, claimed)
		}
	}
	if st, err := w.main.Story(t.Context(), "INC-1"); err != nil || st.Incident.ShortID != "INC-1" {
		t.Errorf("INC-1: %+v, %v", st.Incident, err)
	}
	if _, err := w.main.Story(t.Context(), "INC-2"); fault.As(err).Kind != fault.NotFound {
		t.Errorf("INC-2: %v, want not found", err)
	}
}

// One execution's results, in order; each says what the caller is told and how
// the intent stands.
func TestResults(t *testing.T) {
	t.Parallel()
	ok, failed := incident.ResultSucceeded, incident.ResultFailed
	type result struct {
		token  string
		status incident.ResultStatus
		want   string
	}
	tests := []struct {
		name    string
		before  func(*world, incident.Intent)
		results []result
		state   incident.IntentState
		kept    []string // flags of the stored results, in order
	}{
		{"the first counts, a repeat is answered alike", nil,
			[]result{{"t", ok, "accepted"}, {"t", ok, "duplicate"}, {"t", ok, "duplicate"}}, incident.Succeeded, []string{""}},
		{"a contradicting one is kept and not obeyed", nil,
			[]result{{"t", ok, "accepted"}, {"t", failed, "suppressed"}, {"t", ok, "duplicate"}}, incident.Succeeded, []string{"", "contradicting"}},
		{"skipped is failed", nil, []result{{"t", incident.ResultSkipped, "accepted"}}, incident.Failed, []string{""}},
		{"a wrong token holds no lease", nil,
			[]result{{"other", ok, "no_lease"}, {"", ok, "no_lease"}, {"t", ok, "accepted"}, {"other", ok, "no_lease"}}, incident.Succeeded, []string{""}},
		{"after a crash it is late", func(w *world, in incident.Intent) {
			lost, err := w.main.Crashed(w.t.Context(), "n8n", "exec-t")
			if w.must(err); len(lost) != 1 || lost[0] != in.ID {
				w.t.Fatalf("lost %v, want %s", lost, in.ID)
			}
		}, []result{{"t", ok, "suppressed"}}, incident.Lost, []string{"late"}},
		{"after the lease's end, seen by the clock", func(w *world, in incident.Intent) {
			w.now.pass(in.Timeout + time.Hour)
			w.tick(1)
		}, []result{{"t", ok, "suppressed"}}, incident.Lost, []string{"late"}},
		{"after the lease's end, before the clock saw it", func(w *world, in incident.Intent) {
			w.now.pass(in.LeaseExpires.Sub(w.now.Now()) + time.Millisecond)
		}, []result{{"t", ok, "suppressed"}, {"t", failed, "suppressed"}}, incident.Lost, []string{"late", "late"}},
		{"in the last moment of the lease", func(w *world, in incident.Intent) {
			w.now.pass(in.LeaseExpires.Sub(w.now.Now()))
		}, []result{{"t", ok, "accepted"}}, incident.Succeeded, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := w.claim(w.takeOne(w.firing("a")).Intents[0], "t")
			if tt.before != nil {
				tt.before(&world{t: t, main: w.main, now: w.now}, in)
			}
			for i, res := range tt.results {
				r, err := w.report(in, res.token, res.status, nil)
				got := reason(err)
				if err == nil {
					got = string(r.Taken.Outcome)
				}
				if got != res.want {
					t.Errorf("result %d: %s %v (%v), want %s", i+1, got, r.Taken.Reasons, err, res.want)
				}
			}
			if got := w.state(in); got != tt.state {
				t.Errorf("the intent is %s, want %s", got, tt.state)
			}
			var kept []string
			for _, r := range w.story(in.IncidentID).Results {
				kept = append(kept, r.Flag)
			}
			if diff := cmp.Diff(tt.kept, kept); diff != "" {
				t.Errorf("kept results (-want +got):\n%s", diff)
			}
		})
	}
}

// tick lets time pass for what is due.
func (w *world) tick(due int) {
	w.t.Helper()
	n, err := w.main.Tick(w.t.Context(), 100)
	if w.must(err); n != due {
		w.t.Fatalf("%d incidents were due, want %d", n, due)
	}
}

func TestOnlyTheHolderReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.claim(w.takeOne(w.firing("a")).Intents[0], "t")
	e := w.resultEvent(nil)
	e.Subject = "somebody"
	_, err := w.main.Report(t.Context(), in.ID.String(), "t", e, incident.Result{Status: incident.ResultSucceeded})
	if reason(err) != "no_lease" {
		t.Errorf("somebody else's result: %v, want no_lease", err)
	}
	if lost, err := w.main.Crashed(t.Context(), "somebody", "exec-t"); err != nil || len(lost) != 0 {
		t.Errorf("somebody else's crash: %v %v, want nothing lost", lost, err)
	}
	if got := w.state(in); got != incident.Running {
		t.Errorf("the intent is %s, want it running", got)
	}
}

func TestResultsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.claim(w.takeOne(w.firing("a")).Intents[0], "t")
	var mu sync.Mutex
	got := map[incident.Outcome]int{}
	var all errgroup.Group
	for range 10 {
		all.Go(func() error {
			r, err := w.report(in, "t", incident.ResultSucceeded, w.outOfMemory("a"))
			mu.Lock()
			defer mu.Unlock()
			got[r.Taken.Outcome]++
			return err
		})
	}
	w.must(all.Wait())
	if diff := cmp.Diff(map[incident.Outcome]int{incident.Accepted: 1, incident.Duplicate: 9}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// What an executor says must not be lost over a character that Postgres has no
// room for.
func TestHostileTextFromTheExecutor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const hostile = "a\x00b\xff'; drop table intents; --{{.}}$(id)"
	in := w.takeOne(w.firing("a")).Intents[0]
	grant := grantOf("t", hostile)
	grant.Worker = hostile
	if _, err := w.main.Claim(t.Context(), in.ID.String(), grant); err != nil {
		t.Fatal(err)
	}
	if lost, err := w.main.Crashed(t.Context(), "nobody", hostile); err != nil || len(lost) != 0 {
		t.Errorf("crash: %v %v", lost, err)
	}
	evidence := []byte(`{"logs":[{"text":"panic: \u0000 out of \u0000 luck"}],"raw":[{"tool":"\u0000","text":"x"}]}`)
	r, err := w.main.Report(t.Context(), in.ID.String(), "t", w.resultEvent(evidence),
		incident.Result{Status: incident.ResultFailed, Error: hostile, ExecutionID: hostile, Output: []byte(`{"a":"\u0000"}`)})
	if err != nil || r.Taken.Outcome != incident.Accepted {
		t.Fatalf("result: %+v, %v", r, err)
	}
	if got := w.state(in); got != incident.Failed {
		t.Errorf("the intent is %s, want failed", got)
	}
	_, limit, _ := w.repairing()
	if _, err := w.main.Hear(t.Context(), limit.ID.String(), triage.Word{Kind: "abort", Subject: "amy", Reason: hostile}); err != nil {
		t.Errorf("abort: %v", err)
	}
}

func TestHumansWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	restart, limit, id := w.repairing()
	say := func(kind string, in incident.Intent, hash string) string {
		_, err := w.main.Hear(t.Context(), in.ID.String(), triage.Word{Kind: kind, Subject: "amy", PlanHash: hash, Reason: "because"})
		return reason(err)
	}
	w.claim(restart, "r")
	for _, kind := range []string{"approve", "reject", "abort"} {
		if got := say(kind, restart, restart.PlanHash); got != "too_late" {
			t.Errorf("%s after the claim: %s, want too_late", kind, got)
		}
	}
	w.done(restart, "r", incident.ResultSucceeded, nil)
	if got := say("approve", limit, strings.Repeat("0", 64)); got != "plan_changed" {
		t.Errorf("approve with the hash of another plan: %s", got)
	}
	if _, err := w.main.Claim(t.Context(), limit.ID.String(), grantOf("l", "e")); reason(err) != "approval_missing" {
		t.Errorf("claim without a yes: %v", err)
	}
	if got := say("approve", limit, limit.PlanHash); got != "done" {
		t.Errorf("approve: %s", got)
	}
	if got, _ := w.main.Intent(t.Context(), limit.ID.String()); got.ApprovedBy != "amy" {
		t.Errorf("approved by %q, want amy", got.ApprovedBy)
	}
	if n := w.count("select count(*) from audit where incident_id = $1 and actor = 'amy' and operation like 'intent.%_refused'", [16]byte(id)); n != 4 {
		t.Errorf("%d refused words on record, want 4", n)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, limit, _ := w.repairing()
	w.now.pass(limit.ExpiresAt.Sub(w.now.Now()) + time.Millisecond)
	w.tick(1)
	if got := w.state(limit); got != incident.Expired {
		t.Errorf("nobody said yes: %s, want expired", got)
	}
	if _, err := w.main.Claim(t.Context(), limit.ID.String(), grantOf("l", "e")); reason(err) != "expired" {
		t.Errorf("claim: %v, want expired", err)
	}
}

// One incident that the core chokes on does not stop the clock of the others,
// and two replicas may look at the clock at once.
func TestTickGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.take(w.firing("a"), w.firing("b"), w.firing("c"))
	execSQL(t, w.url, `update decisions set diagnosis = '[]' where incident_id = '`+r[0].IncidentID.String()+`'`)
	w.now.pass(24 * time.Hour)
	if _, err := w.main.Tick(t.Context(), 100); err == nil {
		t.Error("the trouble of one incident was not told")
	}
	var ticks errgroup.Group
	for _, r := range []*replica{w.main, w.replica()} {
		ticks.Go(func() error { _, _ = r.Tick(context.WithoutCancel(t.Context()), 100); return nil })
	}
	w.must(ticks.Wait())
	if n := w.count("select count(*) from intents where state = 'expired'"); n != 2 {
		t.Errorf("%d intents expired, want those of the other two", n)
	}
}

// Two pods of one Deployment fall over. Each has an incident of its own until the
// evidence shows that both belong to one owner.
func TestMerge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		first, other int // which one's evidence comes first: the older or the newer incident
	}{{"the older holds the key", 0, 1}, {"the newer holds the key", 1, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := []store.Receipt{w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))}
			collects := []incident.Intent{w.claim(r[0].Intents[0], "t0"), w.claim(r[1].Intents[0], "t1")}
			tokens, pods := []string{"t0", "t1"}, []string{"api-1", "api-2"}
			holder, gone := r[tt.first].IncidentID, r[tt.other].IncidentID

			w.done(collects[tt.first], tokens[tt.first], incident.ResultSucceeded, w.outOfMemory(pods[tt.first]))
			got := w.done(collects[tt.other], tokens[tt.other], incident.ResultSucceeded, w.outOfMemory(pods[tt.other]))
			if got.IncidentID != holder || got.Taken.Outcome != incident.Accepted {
				t.Errorf("the second result went to %s (%s), want the holder %s", got.IncidentID, got.Taken.Outcome, holder)
			}
			merged := w.story(gone)
			if i := merged.Incident; i.State != incident.StateResolved || i.MergedInto == nil || *i.MergedInto != holder {
				t.Errorf("the other is %s, merged into %v; want resolved into %s", i.State, i.MergedInto, holder)
			}
			if len(merged.Alerts)+len(merged.Intents)+len(merged.Results) != 0 {
				t.Errorf("it keeps %d alerts, %d intents, %d results; want them moved", len(merged.Alerts), len(merged.Intents), len(merged.Results))
			}
			st := w.story(holder)
			if len(st.Alerts) != 2 || len(st.Results) != 2 {
				t.Errorf("the holder has %d alerts and %d results, want both of each", len(st.Alerts), len(st.Results))
			}
			intentOf(t, st.Intents, "k8s.pod.restart") // one live rung a target

			// What is sent again finds its alert, and the last one resolves.
			for _, pod := range pods {
				if r := w.takeOne(w.firing(pod)); r.Taken.Outcome != incident.Duplicate || r.IncidentID != holder {
					t.Errorf("%s sent again: %s in %s", pod, r.Taken.Outcome, r.IncidentID)
				}
			}
			w.takeOne(w.resolved("api-1"))
			if r := w.takeOne(w.resolved("api-2")); r.IncidentID != holder || r.State != incident.StateResolved {
				t.Errorf("after the last alert %s is %s, want the holder resolved", r.IncidentID, r.State)
			}
		})
	}
}

// An intent that runs while its incident is merged keeps its lease, and its result
// is taken.
func TestMergeKeepsLeases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))
	first := w.claim(a.Intents[0], "a")
	w.done(first, "a", incident.ResultFailed, nil) // it is issued anew
	w.now.pass(11 * time.Second)
	w.tick(1)
	second := w.claim(intentOf(t, w.story(a.IncidentID).Intents, "collect.pod"), "a2")
	w.done(w.claim(b.Intents[0], "b"), "b", incident.ResultSucceeded, w.outOfMemory("api-2"))
	restart := w.claim(intentOf(t, w.story(b.IncidentID).Intents, "k8s.pod.restart"), "r")
	w.done(second, "a2", incident.ResultSucceeded, w.outOfMemory("api-1"))
	if got := w.state(restart); got != incident.Running {
		t.Fatalf("the restart is %s after the merge, want it running", got)
	}
	r := w.done(restart, "r", incident.ResultSucceeded, nil)
	if r.Taken.Outcome != incident.Accepted || w.state(restart) != incident.Succeeded {
		t.Errorf("its result is %s, the intent %s", r.Taken.Outcome, w.state(restart))
	}
	if r, err := w.report(second, "a2", incident.ResultSucceeded, nil); err != nil || r.Taken.Outcome != incident.Duplicate {
		t.Errorf("a repeat of a result from before the merge: %s, %v", r.Taken.Outcome, err)
	}
}

// Merges, claims, results and alerts of the same incidents from two replicas: no
// deadlock surfaces, one incident is left, and no result is lost.
func TestMergesAtOnce(t *testing.T) {
	t.Parallel()
	const pods = 12
	w := newWorld(t)
	replicas := []*replica{w.main, w.replica()}
	var collects []incident.Intent
	name := func(i int) string { return "api-" + string(rune('a'+i)) }
	for i := range pods {
		collects = append(collects, w.claim(w.takeOne(w.firing(name(i))).Intents[0], name(i)))
	}
	var all errgroup.Group
	for i, in := range collects {
		r := replicas[i%2]
		all.Go(func() error {
			got, err := r.Report(t.Context(), in.ID.String(), name(i), w.resultEvent(w.outOfMemory(name(i))), incident.Result{Status: incident.ResultSucceeded})
			if err == nil && got.Taken.Outcome != incident.Accepted {
				t.Errorf("result of %s: %s %v", name(i), got.Taken.Outcome, got.Taken.Reasons)
			}
			return err
		})
		all.Go(func() error {
			var events []incident.Event
			for j := range pods {
				events = append(events, w.firing(name((i+j)%pods), named("again-"+name(i)+name(j))))
			}
			receipts, err := r.Take(t.Context(), events)
			for _, got := range receipts {
				if got.Err != nil {
					return got.Err
				}
			}
			return err
		})
	}
	w.must(all.Wait())
	if n := w.count("select count(*) from incidents where state <> 'resolved' and key like '%Deployment/api/pod'"); n != 1 {
		t.Errorf("%d incidents hold the owner's key, want one", n)
	}
	if n := w.count("select count(*) from results where flag = ''"); n != pods {
		t.Errorf("%d results count, want %d", n, pods)
	}
	if n := w.count("select count(*) from alerts a join incidents i on i.id = a.incident_id where a.status = 'firing' and i.state = 'resolved'"); n != 0 {
		t.Errorf("%d alerts fire in resolved incidents, want them moved", n)
	}
	if n := w.count("select count(*) from alerts where status = 'firing'"); n != pods+pods*pods {
		t.Errorf("%d alerts fire, want %d", n, pods+pods*pods)
	}
}
