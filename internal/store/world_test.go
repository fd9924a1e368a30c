package store_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/store"
	"salve/internal/store/storetest"
	"salve/internal/triage"
)

// world is one database with a clock that only the test moves.
type world struct {
	t    testing.TB
	url  string
	sql  *pgxpool.Pool // looks from outside
	now  *fakeClock
	main *replica
}

// replica is one Salve: a store with its committer.
type replica struct {
	*store.Store
	*store.Committer
}

type fakeClock struct {
	mu   sync.Mutex
	at   time.Time
	last time.Time // of the ids
}

func (c *fakeClock) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last = c.last.Add(time.Millisecond); c.last.Before(c.at) {
		c.last = c.at
	}
	return c.last
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return worldAt(t, storetest.New(t))
}

func worldAt(t testing.TB, url string) *world {
	t.Helper()
	w := &world{t: t, url: url, sql: openPool(t, url), now: &fakeClock{at: time.Date(2026, 11, 23, 3, 15, 0, 123456789, time.UTC)}}
	w.main = w.replica()
	w.must(w.main.SetAutomation(t.Context(), store.Automation{Mode: incident.Live, Reason: "test", By: "test"}, false))
	return w
}

// replica opens one more Salve on the same database.
func (w *world) replica(change ...func(*store.Options)) *replica {
	w.t.Helper()
	o := store.Options{Policy: defaultPolicy(w.t), IDs: w.id, Now: w.now.Now}
	for _, c := range change {
		c(&o)
	}
	s, err := store.Open(w.t.Context(), w.url, o)
	w.must(err)
	r := &replica{s, store.NewCommitter(s)}
	r.Start()
	w.t.Cleanup(func() { r.Stop(); r.Close() })
	return r
}

var parsedPolicy = sync.OnceValues(func() (*policy.Policy, error) {
	calm := strings.Replace(string(policy.Default()), "incidents: 20 ", "incidents: 100000 ", 1) // storms have tests of their own
	return policy.Load("default", []byte(calm), remedy.Catalogue{})
})

func defaultPolicy(t testing.TB) func() *policy.Policy {
	t.Helper()
	p, err := parsedPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return func() *policy.Policy { return p }
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// id gives ids in order, as one process does.
func (w *world) id() incident.ID {
	var entropy [10]byte
	_, _ = rand.Read(entropy[:])
	return incident.NewID(w.now.next(), entropy)
}

// take delivers events in one call to the main replica.
func (w *world) take(events ...incident.Event) []store.Receipt {
	w.t.Helper()
	return w.takeAt(w.main, events...)
}

func (w *world) takeAt(r *replica, events ...incident.Event) []store.Receipt {
	w.t.Helper()
	receipts, err := r.Take(w.t.Context(), events)
	w.must(err)
	if len(receipts) != len(events) {
		w.t.Fatalf("%d receipts for %d events", len(receipts), len(events))
	}
	return receipts
}

// takeOne delivers one event that must be taken without an error.
func (w *world) takeOne(e incident.Event) store.Receipt {
	w.t.Helper()
	r := w.take(e)[0]
	w.must(r.Err)
	return r
}

func (w *world) story(id incident.ID) store.Story {
	w.t.Helper()
	st, err := w.main.Story(w.t.Context(), id.String())
	w.must(err)
	return st
}

// count asks one number of the database.
func (w *world) count(sql string, args ...any) int64 {
	w.t.Helper()
	var n int64
	w.must(w.sql.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// firing is an alert on a pod; its episode is the name with the start time.
func (w *world) firing(pod string, change ...func(*incident.Event)) incident.Event {
	e := incident.Event{
		ID: w.id(), Kind: incident.AlertEvent, Source: "alertmanager", Subject: "n8n", ReceivedAt: w.now.Now(),
		Status: incident.Firing, Fingerprint: "fp-" + pod, StartsAt: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC),
		Name: "KubePodCrashLooping", Severity: incident.Critical, Message: "it crashes",
		Target: incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Pod", Name: pod}, Family: "pod",
		Labels: map[string]string{"pod": pod}, Payload: json.RawMessage(`{"alert": "` + pod + `"}`),
	}
	for _, c := range change {
		c(&e)
	}
	e.Episode = sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", e.Source, e.Fingerprint, e.StartsAt))
	return e
}

func (w *world) resolved(pod string, change ...func(*incident.Event)) incident.Event {
	return w.firing(pod, append([]func(*incident.Event){func(e *incident.Event) {
		e.Status, e.EndsAt = incident.Resolved, w.now.Now()
	}}, change...)...)
}

// What an alert may be beside the usual.

func openEnded(e *incident.Event) { e.StartsAt, e.OpenEnded = time.Time{}, true }

func named(fingerprint string) func(*incident.Event) {
	return func(e *incident.Event) { e.Fingerprint = fingerprint }
}

func from(subject string) func(*incident.Event) {
	return func(e *incident.Event) { e.Subject = subject }
}

func started(at time.Time) func(*incident.Event) {
	return func(e *incident.Event) { e.StartsAt = at }
}

func showing(evidence json.RawMessage) func(*incident.Event) {
	return func(e *incident.Event) { e.Evidence = evidence }
}

// outOfMemory is evidence of one pod of the Deployment api that was killed for
// want of memory.
func (w *world) outOfMemory(pod string, deployment ...string) json.RawMessage {
	owner := append(deployment, "api")[0]
	at := func(d time.Duration) string { return w.now.Now().Add(-d).Format(time.RFC3339Nano) }
	ref := func(kind, name, uid string) string {
		return fmt.Sprintf(`"ownerReferences":[{"apiVersion":"apps/v1","kind":%q,"name":%q,"uid":%q,"controller":true}]`, kind, name, uid)
	}
	return json.RawMessage(strings.NewReplacer("\n", "", "\t", "", "OWNER", owner).Replace(fmt.Sprintf(`{"observedAt":%q,"cluster":"prod-eu",
	"pods":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"production","uid":"uid-%s","creationTimestamp":%q,
		"labels":{"app":"OWNER","pod-template-hash":"7d9f"},%s},
	"spec":{"nodeName":"node-1","containers":[{"name":"app","image":"registry.example.com/api:1","resources":{"limits":{"memory":"512Mi"}}}]},
	"status":{"phase":"Running","startTime":%q,"containerStatuses":[{"name":"app","ready":false,"started":false,"restartCount":7,
		"image":"registry.example.com/api:1","imageID":"","state":{"waiting":{"reason":"CrashLoopBackOff"}},
		"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":%q,"finishedAt":%q}}}]}}],
	"replicaSets":[{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"OWNER-7d9f","namespace":"production","uid":"rs-1","generation":1,%s},
		"spec":{"replicas":2,"selector":{"matchLabels":{"app":"OWNER","pod-template-hash":"7d9f"}}},"status":{"replicas":2}}],
	"deployments":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"OWNER","namespace":"production","uid":"dep-1","generation":24},
		"spec":{"replicas":2,"selector":{"matchLabels":{"app":"OWNER"}},"template":{"metadata":{"labels":{"app":"OWNER"}},"spec":{"containers":[
			{"name":"app","image":"registry.example.com/api:1","resources":{"limits":{"memory":"512Mi"}}}]}}},"status":{"replicas":2}}]}`,
		at(0), pod, pod, at(time.Hour), ref("ReplicaSet", "OWNER-7d9f", "rs-1"), at(time.Hour), at(2*time.Minute), at(time.Minute),
		ref("Deployment", "OWNER", "dep-1"))))
}

// intentOf finds the one live intent of an action.
func intentOf(t testing.TB, list []incident.Intent, action string) incident.Intent {
	t.Helper()
	var found []incident.Intent
	for _, in := range list {
		if in.Action == action && !in.State.Terminal() {
			found = append(found, in)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d live intents of %s, want one, among %s", len(found), action, describe(list))
	}
	return found[0]
}

func describe(list []incident.Intent) string {
	var b strings.Builder
	for _, in := range list {
		fmt.Fprintf(&b, "[%s %s %s %s] ", in.ShortID, in.Action, in.Target, in.State)
	}
	return b.String()
}

// token is a lease token with its hash.
func grantOf(token, execution string) triage.LeaseGrant {
	hash := sha256.Sum256([]byte(token))
	return triage.LeaseGrant{Subject: "n8n", Worker: "worker-1", ExecutionID: execution, Hash: hash[:]}
}

func (w *world) claim(in incident.Intent, token string) incident.Intent {
	w.t.Helper()
	got, err := w.main.Claim(w.t.Context(), in.ID.String(), grantOf(token, "exec-"+token))
	w.must(err)
	return got
}

func (w *world) resultEvent(evidence json.RawMessage) incident.Event {
	return incident.Event{
		ID: w.id(), Kind: incident.ResultEvent, Source: "result", Subject: "n8n", ReceivedAt: w.now.Now(), Evidence: evidence,
	}
}

func (w *world) report(in incident.Intent, token string, status incident.ResultStatus, evidence json.RawMessage) (store.Receipt, error) {
	res := incident.Result{Status: status, StartedAt: w.now.Now(), FinishedAt: w.now.Now(), ReceivedAt: w.now.Now()}
	return w.main.Report(context.WithoutCancel(w.t.Context()), in.ID.String(), token, w.resultEvent(evidence), res)
}

// done reports a result that must be taken.
func (w *world) done(in incident.Intent, token string, status incident.ResultStatus, evidence json.RawMessage) store.Receipt {
	w.t.Helper()
	r, err := w.report(in, token, status, evidence)
	w.must(err)
	return r
}
