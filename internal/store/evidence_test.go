package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/store"
)

// unasked is evidence about an object of the production namespace.
func (w *world) unasked(kind, name string, evidence json.RawMessage, change ...func(*incident.Event)) incident.Event {
	e := incident.Event{
		ID: w.id(), Kind: incident.EvidenceEvent, Source: "evidence", Subject: "n8n", ReceivedAt: w.now.Now(), Evidence: evidence,
		Target: incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: kind, Name: name}, Family: "pod",
		Payload: json.RawMessage(`{"from":"a script"}`),
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

func (w *world) look(about string, e incident.Event) store.Receipt {
	w.t.Helper()
	r, err := w.main.TakeEvidence(w.t.Context(), about, e)
	w.must(err)
	return r
}

// kept are the events that are stored, as kind, outcome, whether with an incident
// and with evidence.
func (w *world) kept(kind incident.EventKind) []string {
	w.t.Helper()
	rows, err := w.sql.Query(w.t.Context(), `select outcome, incident_id is not null, evidence is not null from events where kind = $1 order by id`, kind)
	w.must(err)
	var list []string
	var outcome string
	var placed, shown bool
	for rows.Next() {
		w.must(rows.Scan(&outcome, &placed, &shown))
		list = append(list, fmt.Sprintf("%s placed=%t evidence=%t", outcome, placed, shown))
	}
	w.must(rows.Err())
	return list
}

func actions(list []incident.Intent) []string {
	var out []string
	for _, in := range list {
		out = append(out, in.Action+" "+string(in.State))
	}
	return out
}

// What a sender that policy trusts shows is obeyed; what anybody else shows leads
// to a look. It does not matter how the incident is found.
func TestUnaskedEvidence(t *testing.T) {
	t.Parallel()
	repair := []string{"collect.pod ready", "k8s.pod.restart ready", "k8s.deployment.resources waiting"}
	collect := []string{"collect.pod ready"}
	ways := []struct {
		name  string
		about string
		kind  string
		of    string
	}{
		{"by its number", "INC-1", "Pod", "api-1"},
		{"by the pod", "", "Pod", "api-1"},
		{"by its owner", "", "Deployment", "api"},
	}
	senders := []struct {
		subject string
		verdict incident.Verdict
		state   incident.State
		intents []string
		key     string
	}{
		{"n8n", incident.VerdictRepair, incident.StateRepairing, repair, "prod-eu/production/Deployment/api/pod"},
		{"somebody", incident.VerdictCollect, incident.StateDiagnosing, collect, "prod-eu/production/Pod/api-1/pod"},
	}
	for _, way := range ways {
		for _, s := range senders {
			t.Run(way.name+" from "+s.subject, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				opened := w.takeOne(w.firing("api-1", from(s.subject)))
				w.now.pass(time.Second)
				r := w.look(way.about, w.unasked(way.kind, way.of, w.outOfMemory("api-1"), from(s.subject)))
				if r.IncidentID != opened.IncidentID || r.Taken.Outcome != incident.Accepted || r.State != s.state {
					t.Errorf("%s in %s, which is %s", r.Taken.Outcome, r.IncidentID, r.State)
				}
				if r.Diagnosis.Cause != "pod.oom_killed" || r.Decision.Verdict != s.verdict {
					t.Errorf("%s, %s: %v", r.Diagnosis.Cause, r.Decision.Verdict, r.Decision.Reasons)
				}
				if diff := cmp.Diff(s.intents, actions(r.Intents)); diff != "" {
					t.Errorf("intents (-want +got):\n%s", diff)
				}
				st := w.story(r.IncidentID)
				if st.Incident.Key != s.key || len(st.Judged) != 2 {
					t.Errorf("key %s, %d decisions", st.Incident.Key, len(st.Judged))
				}
				if diff := cmp.Diff([]string{"accepted placed=true evidence=true"}, w.kept(incident.EvidenceEvent)); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// The answer has the diagnosis also where it is the one that was known.
func TestUnaskedEvidenceThatIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, id := w.repairing()
	r := w.look(id.String(), w.unasked("Pod", "api-1", w.outOfMemory("api-1")))
	if r.Diagnosis == nil || r.Diagnosis.Cause != "pod.oom_killed" || !bytes.Contains(r.DiagnosisJSON, []byte("pod.oom_killed")) || len(r.DecisionJSON) == 0 {
		t.Errorf("diagnosis %s, decision %s", r.DiagnosisJSON, r.DecisionJSON)
	}
}

// Evidence alone opens nothing: it has no severity and no end.
func TestUnaskedEvidenceOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeOne(w.firing("billing-1"))
	e := w.unasked("Pod", "api-1", w.outOfMemory("api-1"))
	e.Evidence = bytes.Replace(e.Evidence, []byte(`"pods":[`), []byte(`"pods":[7,`), 1)
	r := w.look("", e)
	want := []string{
		"no incident is open for this target: the evidence is kept and nothing is done about it; an alert opens one",
		"evidence/pods/0: an object was expected, this is a number",
	}
	if diff := cmp.Diff(want, r.Taken.Reasons); diff != "" || r.Taken.Outcome != incident.Suppressed {
		t.Errorf("%s, reasons (-want +got):\n%s", r.Taken.Outcome, diff)
	}
	if !r.IncidentID.IsZero() || r.State != "" || len(r.Intents) > 0 || r.Decision != nil || r.Diagnosis.Cause != "pod.oom_killed" {
		t.Errorf("receipt %+v", r)
	}
	if diff := cmp.Diff([]string{"suppressed placed=false evidence=true"}, w.kept(incident.EvidenceEvent)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n := w.count("select count(*) from incidents"); n != 1 {
		t.Errorf("%d incidents, want the one of the alert", n)
	}
}

// A resolved incident keeps evidence and stays resolved; a merged one hands it on.
func TestUnaskedEvidenceAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))
	w.done(w.claim(a.Intents[0], "a"), "a", incident.ResultSucceeded, w.outOfMemory("api-1"))
	w.done(w.claim(b.Intents[0], "b"), "b", incident.ResultSucceeded, w.outOfMemory("api-2"))
	if m := w.story(b.IncidentID).Incident.MergedInto; m == nil || *m != a.IncidentID {
		t.Fatalf("the second is merged into %v", m)
	}
	if r := w.look("INC-2", w.unasked("Pod", "api-2", w.outOfMemory("api-2"))); r.IncidentID != a.IncidentID || r.Taken.Outcome != incident.Accepted {
		t.Errorf("about the merged one: %s in %s, want it in %s", r.Taken.Outcome, r.IncidentID, a.IncidentID)
	}
	w.take(w.resolved("api-1"), w.resolved("api-2"))
	if s := w.story(a.IncidentID).Incident.State; s != incident.StateResolved {
		t.Fatalf("the first is %s", s)
	}
	for _, about := range []string{"INC-1", "INC-2", b.IncidentID.String()} {
		r := w.look(about, w.unasked("Pod", "api-1", w.outOfMemory("api-1")))
		if r.Taken.Outcome != incident.Suppressed || r.IncidentID != a.IncidentID || r.State != "" || r.Decision != nil || r.Diagnosis.Cause != "pod.oom_killed" {
			t.Errorf("%s: %+v", about, r)
		}
		if !strings.Contains(r.Taken.Reasons[0], "does not reopen it") {
			t.Errorf("%s: %q", about, r.Taken.Reasons)
		}
	}
	st := w.story(a.IncidentID)
	if st.Incident.State != incident.StateResolved || st.Incident.Recurrence != 0 || len(st.Events) == 0 {
		t.Errorf("it is %s with %d recurrences", st.Incident.State, st.Incident.Recurrence)
	}
	if got := w.kept(incident.EvidenceEvent); len(got) != 4 || got[3] != "suppressed placed=true evidence=true" {
		t.Errorf("events %v", got)
	}
	// By its target nothing is open any more.
	if r := w.look("", w.unasked("Deployment", "api", w.outOfMemory("api-1"))); r.Taken.Outcome != incident.Suppressed || !r.IncidentID.IsZero() {
		t.Errorf("by target: %s in %s", r.Taken.Outcome, r.IncidentID)
	}
}

// Evidence that shows the owner merges its incident into the one that holds the key.
func TestUnaskedEvidenceMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.takeOne(w.firing("api-1")), w.takeOne(w.firing("api-2"))
	w.look("INC-2", w.unasked("Pod", "api-2", w.outOfMemory("api-2")))
	r := w.look("INC-1", w.unasked("Pod", "api-1", w.outOfMemory("api-1")))
	if r.IncidentID != second.IncidentID {
		t.Errorf("it is in %s, want the holder %s", r.IncidentID, second.IncidentID)
	}
	if got := w.story(first.IncidentID).Incident; got.MergedInto == nil || *got.MergedInto != second.IncidentID {
		t.Errorf("the first is %s, merged into %v", got.State, got.MergedInto)
	}
	if n := w.count("select count(*) from events where kind = 'evidence' and incident_id = $1", [16]byte(second.IncidentID)); n != 2 {
		t.Errorf("%d pieces are with the holder, want both", n)
	}
}

func TestUnaskedEvidenceAboutNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeOne(w.firing("api-1"))
	nobody := w.id().String()
	for about, want := range map[string]string{
		"INC-2": "there is no incident INC-2", nobody: "there is no incident " + nobody, "INT-1": "is neither an id nor", "' or 1=1 --": "is neither",
	} {
		_, err := w.main.TakeEvidence(t.Context(), about, w.unasked("Pod", "api-1", w.outOfMemory("api-1")))
		if f := fault.As(err); f.Kind != fault.NotFound || !strings.Contains(f.Detail, want) {
			t.Errorf("%s: %v, want %s", about, err, want)
		}
	}
	_, err := w.main.TakeEvidence(t.Context(), "INC-1", w.unasked("Pod", "api-1", w.outOfMemory("api-1"), func(e *incident.Event) {
		e.Target = incident.Target{Cluster: "dev"}
	}))
	want := []fault.Field{{Pointer: "/cluster", Detail: "is dev, but the incident is of prod-eu; name the incident that is meant"}}
	if diff := cmp.Diff(want, fault.As(err).Fields); diff != "" || fault.As(err).Kind != fault.Invalid {
		t.Errorf("another cluster: %v (-want +got):\n%s", err, diff)
	}
	if got := w.kept(incident.EvidenceEvent); len(got) != 0 {
		t.Errorf("kept all the same: %v", got)
	}
}

// bounded is a world whose incidents take so many bytes of evidence.
func bounded(t *testing.T, bytes int) *world {
	t.Helper()
	text := strings.Replace(string(policy.Default()), "max_bytes: 5MiB", fmt.Sprintf("max_bytes: %d", bytes), 1)
	p, err := policy.Load("bounded", []byte(text), remedy.Catalogue{})
	if err != nil || p.Settings().Evidence.MaxBytes != int64(bytes) {
		t.Fatalf("policy: %v", err)
	}
	w := newWorld(t)
	w.main = w.replica(func(o *store.Options) { o.Policy = func() *policy.Policy { return p } })
	return w
}

func big(n int) json.RawMessage {
	return json.RawMessage(`{"logs":[{"text":"` + strings.Repeat("x", n) + `"}]}`)
}

// What is over the bound is not stored, whichever way it comes; an alert and a
// result count without it.
func TestEvidenceOverTheBoundIsNotStored(t *testing.T) {
	t.Parallel()
	w := bounded(t, 4000)
	r := w.takeOne(w.firing("api-1", showing(big(4000))))
	if r.Taken.Outcome != incident.Accepted || !r.Taken.OverBound {
		t.Errorf("alert: %+v", r.Taken)
	}
	in := w.claim(intentOf(t, r.Intents, "collect.pod"), "c")
	got := w.done(in, "c", incident.ResultSucceeded, big(4000))
	if got.Taken.Outcome != incident.Accepted || !got.Taken.OverBound || w.state(in) != incident.Succeeded {
		t.Errorf("result: %+v, the intent is %s", got.Taken, w.state(in))
	}
	for _, about := range []string{"INC-1", ""} {
		if got := w.look(about, w.unasked("Pod", "api-1", big(4000))); got.Taken.Outcome != incident.Rejected || got.IncidentID != r.IncidentID {
			t.Errorf("about %q: %+v", about, got)
		}
	}
	if got := w.look("", w.unasked("Pod", "nobody", big(4000))); got.Taken.Outcome != incident.Rejected || !got.IncidentID.IsZero() {
		t.Errorf("of which none is open: %+v", got)
	}
	all := slices.Concat(w.kept(incident.AlertEvent), w.kept(incident.ResultEvent), w.kept(incident.EvidenceEvent))
	want := []string{"accepted placed=true evidence=false", "accepted placed=true evidence=false"}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// Evidence that no incident takes does not place an alert either.
func TestEvidenceOverTheBoundPlacesNoAlert(t *testing.T) {
	t.Parallel()
	w := bounded(t, 1024)
	r := w.takeOne(w.firing("api-1", showing(w.outOfMemory("api-1"))))
	if got := w.story(r.IncidentID).Incident.Key; got != "prod-eu/production/Pod/api-1/pod" {
		t.Errorf("key %s", got)
	}
}

// What anybody sends, and however much of it, pushes nothing out that is trusted.
func TestTrustedEvidenceKeepsItsRoom(t *testing.T) {
	t.Parallel()
	w := bounded(t, 6000)
	opened := w.takeOne(w.firing("api-1"))
	in := w.claim(intentOf(t, opened.Intents, "collect.pod"), "c")
	w.done(in, "c", incident.ResultSucceeded, w.outOfMemory("api-1"))
	// As much as fits, and more than that as what nobody measured: a late delivery.
	for _, id := range []incident.ID{w.id(), w.id()} {
		_, err := w.sql.Exec(t.Context(), `insert into events (id, received_at, kind, source, subject, outcome, incident_id, evidence)
			values ($1, $2, 'alert', 's', 'somebody', 'suppressed', $3, $4)`, [16]byte(id), w.now.Now(), [16]byte(opened.IncidentID), string(big(5900)))
		w.must(err)
	}
	w.now.pass(time.Second)
	r := w.look("INC-1", w.unasked("Pod", "api-1", json.RawMessage(`{"events":[]}`)))
	if r.Diagnosis == nil || r.Diagnosis.Cause != "pod.oom_killed" {
		t.Errorf("what was trusted is forgotten: %+v", r.Diagnosis)
	}
}

// Alerts, results and evidence about the pods of one owner at once, on two
// replicas: nothing deadlocks, nothing is lost, one incident holds the key.
func TestUnaskedEvidenceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.replica()
	const pods = 4
	for i := range pods {
		w.takeOne(w.firing(fmt.Sprintf("api-%d", i)))
	}
	var all errgroup.Group
	for i := range 24 {
		r := []*replica{w.main, second}[i%2]
		pod := fmt.Sprintf("api-%d", i%pods)
		about := []string{"", fmt.Sprintf("INC-%d", 1+i%pods)}[i/2%2]
		all.Go(func() error {
			got, err := r.TakeEvidence(t.Context(), about, w.unasked("Pod", pod, w.outOfMemory(pod)))
			if err == nil && got.Taken.Outcome != incident.Accepted {
				err = fmt.Errorf("%s about %q: %+v", pod, about, got.Taken)
			}
			return err
		})
		all.Go(func() error {
			got, err := r.Take(t.Context(), []incident.Event{w.firing(pod, named(fmt.Sprintf("fp-%d", i)))})
			if err == nil {
				err = got[0].Err
			}
			return err
		})
	}
	w.must(all.Wait())
	if n := w.count("select count(*) from events where kind = 'evidence' and outcome = 'accepted'"); n != 24 {
		t.Errorf("%d pieces are kept, want 24", n)
	}
	if n := w.count("select count(*) from incidents where state <> 'resolved' and key = 'prod-eu/production/Deployment/api/pod'"); n != 1 {
		t.Errorf("%d open incidents hold the owner's key", n)
	}
	if n := w.count(`select count(*) from intents where action = 'k8s.pod.restart' and state not in ('superseded')`); n != 1 {
		t.Errorf("%d restarts are wanted, want one: one live rung a target", n)
	}
}

// The incident ends, or is merged, after it was found and before the lock.
func TestUnaskedEvidenceLosesItsIncident(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, about, end string
		outcome          incident.Outcome
		home             int // number of the incident it goes to; 0: none
	}{
		{"by target, and it ends", "", "state = 'resolved', resolved_at = now()", incident.Suppressed, 0},
		{"by number, and it ends", "INC-1", "state = 'resolved', resolved_at = now()", incident.Suppressed, 1},
		{"by number, and it is merged", "INC-1",
			"state = 'resolved', resolved_at = now(), merged_into = (select id from incidents where number = 2)", incident.Accepted, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.takeOne(w.firing("api-1"))
			w.takeOne(w.firing("billing-1"))
			hold, err := w.sql.Begin(t.Context())
			w.must(err)
			_, err = hold.Exec(t.Context(), "select 1 from incidents where number = 1 for update")
			w.must(err)
			var got store.Receipt
			var all errgroup.Group
			all.Go(func() (err error) {
				got, err = w.main.TakeEvidence(t.Context(), c.about, w.unasked("Pod", "api-1", json.RawMessage(`{"events":[]}`)))
				return err
			})
			w.untilWaiting(1)
			_, err = hold.Exec(t.Context(), "update incidents set "+c.end+" where number = 1")
			w.must(err)
			w.must(hold.Commit(t.Context()))
			w.must(all.Wait())
			n := w.count("select coalesce((select number from incidents where id = $1), 0)", [16]byte(got.IncidentID))
			if got.Taken.Outcome != c.outcome || n != int64(c.home) {
				t.Errorf("%s in INC-%d", got.Taken.Outcome, n)
			}
		})
	}
}
