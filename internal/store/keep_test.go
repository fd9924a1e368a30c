package store_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"salve/internal/incident"
	"salve/internal/store"
)

func TestAnswersAreKeptForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := store.Answered{BodyHash: sha256.Sum256([]byte("1")), Answer: json.RawMessage(`{"n":1}`)}
	second := store.Answered{BodyHash: sha256.Sum256([]byte("2")), Answer: json.RawMessage(`{"n":2}`)}
	keep := func(a store.Answered) *store.Answered {
		t.Helper()
		got, err := w.main.KeepAnswer(t.Context(), "n8n", "/v1/alerts", "key", a)
		w.must(err)
		return got
	}
	if got, err := w.main.Answered(t.Context(), "n8n", "/v1/alerts", "key"); err != nil || got != nil {
		t.Fatalf("before: %v %v", got, err)
	}
	if diff := cmp.Diff(&first, keep(first)); diff != "" {
		t.Errorf("the first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&first, keep(second)); diff != "" {
		t.Errorf("the first one stands (-want +got):\n%s", diff)
	}
	for _, other := range [][3]string{{"other", "/v1/alerts", "key"}, {"n8n", "/v1/other", "key"}, {"n8n", "/v1/alerts", "other"}} {
		if got, err := w.main.Answered(t.Context(), other[0], other[1], other[2]); err != nil || got != nil {
			t.Errorf("%v has an answer: %v %v", other, got, err)
		}
	}
	w.now.pass(24*time.Hour - time.Microsecond)
	w.must(w.main.ForgetAnswers(t.Context()))
	if diff := cmp.Diff(&first, keep(second)); diff != "" {
		t.Errorf("until the day is over (-want +got):\n%s", diff)
	}
	// The day is over, and nothing has cleared it away yet.
	w.now.pass(time.Microsecond)
	if diff := cmp.Diff(&second, keep(second)); diff != "" {
		t.Errorf("a day later the key is free (-want +got):\n%s", diff)
	}
	w.now.pass(24 * time.Hour)
	w.must(w.main.ForgetAnswers(t.Context()))
	if n := w.count("select count(*) from idempotency"); n != 0 {
		t.Errorf("%d answers are kept for longer than a day", n)
	}
}

func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := make([]string, 16)
	var all errgroup.Group
	for i := range got {
		all.Go(func() error {
			a, err := w.main.KeepAnswer(t.Context(), "n8n", "r", "k", store.Answered{Answer: fmt.Appendf(nil, "%d", i)})
			if err == nil {
				got[i] = string(a.Answer)
			}
			return err
		})
	}
	w.must(all.Wait())
	for i := range got {
		if got[i] != got[0] {
			t.Fatalf("two first answers: %s and %s", got[0], got[i])
		}
	}
}

func TestAutomation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	execSQL(t, w.url, "delete from automation")
	if a, err := w.main.Automation(t.Context()); err != nil || a.Mode != incident.Paused {
		t.Errorf("never set: %+v %v, want paused", a, err)
	}
	var replicas errgroup.Group
	for range 4 {
		replicas.Go(func() error {
			return w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.DryRunAll, Reason: "first start", By: "salve"}, true)
		})
	}
	w.must(replicas.Wait())
	w.must(w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.Live, Reason: "ready", By: "amy"}, false))
	w.must(w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.Paused, Reason: "first start", By: "salve"}, true))
	a, err := w.main.Automation(t.Context())
	w.must(err)
	want := store.Automation{Mode: incident.Live, Reason: "ready", By: "amy", At: w.now.Now().Truncate(time.Microsecond)}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("automation (-want +got):\n%s", diff)
	}
	if n := w.count("select count(*) from audit where operation = 'automation.set' and actor <> 'test'"); n != 2 {
		t.Errorf("%d changes on record, want 2: the first and amy's", n)
	}
	if err := w.main.SetAutomation(t.Context(), store.Automation{Mode: "on"}, false); err == nil {
		t.Error("a mode that does not exist was set")
	}
}

func TestPolicyIsActivatedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	activate := func(version string) error {
		return w.main.ActivatePolicy(t.Context(), version, []byte("rules: []"), "salve")
	}
	// All of them have begun before the first one can look.
	hold, err := w.sql.Begin(t.Context())
	w.must(err)
	_, err = hold.Exec(t.Context(), "lock table policies in access exclusive mode")
	w.must(err)
	var replicas errgroup.Group
	for range 3 {
		replicas.Go(func() error { return activate("one") })
	}
	w.untilWaiting(3)
	w.must(hold.Commit(t.Context()))
	w.must(replicas.Wait())
	if n := w.count("select count(*) from audit where operation = 'policy.activated'"); n != 1 {
		t.Errorf("%d activations on record, want one", n)
	}
	for _, version := range []string{"one", "two", "two", "one"} {
		w.now.pass(time.Second)
		w.must(activate(version))
	}
	if n := w.count("select count(*) from audit where operation = 'policy.activated'"); n != 3 {
		t.Errorf("%d activations on record, want 3: one, two, and one again", n)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	partitionOf := func(e incident.Event) (name string) {
		t.Helper()
		w.must(w.sql.QueryRow(t.Context(), "select tableoid::regclass::text from events where id = $1", [16]byte(e.ID)).Scan(&name))
		return name
	}
	var ensure errgroup.Group
	for range 4 {
		ensure.Go(func() error { return w.main.EnsurePartitions(t.Context()) })
	}
	w.must(ensure.Wait())
	at := func(pod string, d time.Duration) incident.Event {
		e := w.firing(pod)
		e.ReceivedAt = e.ReceivedAt.Add(d)
		return e
	}
	const month = 30 * 24 * time.Hour
	now, next, old, later := at("now", 0), at("next", month), at("old", -3*month), at("later", 3*month)
	for _, r := range w.take(now, next, old, later) {
		w.must(r.Err)
	}
	for want, e := range map[string]incident.Event{"events_202611": now, "events_202612": next} {
		if got := partitionOf(e); got != want {
			t.Errorf("event of %s is in %s, want %s", e.ReceivedAt, got, want)
		}
	}
	for _, e := range []incident.Event{old, later} {
		if got := partitionOf(e); got != "events_default" {
			t.Errorf("event of %s is in %s, want the default partition", e.ReceivedAt, got)
		}
	}
	// The process slept: its month's partition is made after events came.
	w.now.pass(3 * month)
	w.must(w.main.EnsurePartitions(t.Context()))
	if got := partitionOf(later); got != "events_202702" {
		t.Errorf("the event is in %s, want it moved to events_202702", got)
	}
	if n := w.count("select count(*) from events"); n != 4 {
		t.Errorf("%d events, want all 4", n)
	}
}

func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []incident.ID
	for i := range 9 {
		w.now.pass(time.Millisecond)
		want = append([]incident.ID{w.takeOne(w.firing(fmt.Sprintf("pod-%d", i))).IncidentID}, want...)
	}
	var got []incident.ID
	var after incident.ID
	for page := 0; ; page++ {
		list, err := w.main.Incidents(t.Context(), store.List{After: after, Limit: 4})
		w.must(err)
		if len(list) == 0 {
			break
		}
		for _, i := range list {
			got = append(got, i.ID)
		}
		after = got[len(got)-1]
		// What comes in between changes no later page.
		w.now.pass(time.Millisecond)
		w.takeOne(w.firing(fmt.Sprintf("new-%d", page)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	list, err := w.main.Intents(t.Context(), store.List{States: []string{"running"}, Limit: 10})
	if err != nil || len(list) != 0 {
		t.Errorf("running: %d, %v; want none", len(list), err)
	}
	if list, err = w.main.Intents(t.Context(), store.List{States: []string{"ready"}, Limit: 5}); err != nil || len(list) != 5 {
		t.Errorf("ready: %d, %v; want a full page", len(list), err)
	}
}

// The story of an incident tells everything, each list in order.
func TestStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	restart, _, id := w.repairing()
	w.claim(restart, "r")
	w.now.pass(20 * time.Second)
	w.done(restart, "r", incident.ResultSucceeded, nil)
	w.takeOne(w.resolved("api-1"))
	st := w.story(id)
	var events, intents, judged, audit []string
	for _, e := range st.Events {
		events = append(events, fmt.Sprintf("%s %s %t", e.Kind, e.Outcome, e.Evidence != nil))
	}
	for _, in := range st.Intents {
		intents = append(intents, in.Action)
	}
	for _, j := range st.Judged {
		judged = append(judged, j.Diagnosis.Cause+" "+string(j.Decision.Verdict))
	}
	for _, a := range st.Audit {
		audit = append(audit, a.Operation)
	}
	if diff := cmp.Diff([]string{"alert accepted false", "result accepted true", "result accepted false", "alert accepted false"}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"collect.pod", "k8s.pod.restart", "k8s.deployment.resources"}, intents[:3]); diff != "" {
		t.Errorf("intents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unknown collect", "pod.oom_killed repair"}, judged[:2]); diff != "" {
		t.Errorf("judged (-want +got):\n%s", diff)
	}
	if audit[0] != "incident.opened" || len(st.Results) != 2 || len(st.Alerts) != 1 {
		t.Errorf("%d results, %d alerts, audit %v", len(st.Results), len(st.Alerts), audit)
	}
	if loc := st.Incident.OpenedAt.Location(); loc != time.UTC {
		t.Errorf("times are in %s, want UTC", loc)
	}
}

// The newest evidence of an incident is read, up to the bounds of bytes and
// pieces, and what is trusted apart from the rest; more stays where it is.
func TestEvidenceReadIsBounded(t *testing.T) {
	t.Parallel()
	w := bounded(t, 64<<20)
	big := fmt.Appendf(nil, `{"raw":[{"tool":"t","text":%q}]}`, strings.Repeat("x", 3<<20))
	for i, subject := range []string{"somebody", "n8n", "n8n", "n8n", "n8n", "somebody"} {
		w.now.pass(time.Second)
		w.takeOne(w.firing("a", named(fmt.Sprintf("fp-%d", i)), showing(big), from(subject)))
	}
	cases := []struct {
		bytes   int64
		trusted []string
		pieces  int
		want    int64
	}{
		{8 * int64(len(big)) / 4, []string{"n8n"}, 100, 4},
		{8 * int64(len(big)) / 4, nil, 100, 2},
		{64 << 20, []string{"n8n"}, 3, 5},
		{64 << 20, []string{"n8n"}, 100, 6},
	}
	for _, c := range cases {
		var n, bytes int64
		w.must(w.sql.QueryRow(t.Context(), store.ReadEvidence, [][16]byte{[16]byte(w.oneIncident())}, time.Time{}, c.bytes, c.trusted, c.pieces).Scan(&n, &bytes))
		if n != c.want || bytes != n*int64(len(big)) {
			t.Errorf("%+v: %d pieces of %d bytes are read", c, n, bytes)
		}
	}
}

func (w *world) oneIncident() (id incident.ID) {
	w.t.Helper()
	w.must(w.sql.QueryRow(w.t.Context(), "select id from incidents").Scan((*[16]byte)(&id)))
	return id
}
