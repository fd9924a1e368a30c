package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/store"
	"salve/internal/triage"
)

// under is a world whose policy says something else than the default.
func under(t *testing.T, pairs ...string) *world {
	t.Helper()
	w := newWorld(t)
	text := strings.NewReplacer(append([]string{"incidents: 20 ", "incidents: 100000 "}, pairs...)...).Replace(string(policy.Default()))
	p, err := policy.Load("changed", []byte(text), remedy.Catalogue{})
	w.must(err)
	w.main = w.replica(func(o *store.Options) { o.Policy = func() *policy.Policy { return p } })
	return w
}

// A storm begins with too many within a time, goes on while there are, is over
// after its cool-down, and then a few incidents a minute are diagnosed anew.
func TestStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := string(policy.Default())
	for _, pair := range [][2]string{
		{"incidents: 20 ", "incidents: 3 "}, {"within: 5m\n", "within: 2m\n"}, {"cooldown: 10m            # so", "cooldown: 4m            # so"}, {"reopen: 10 ", "reopen: 2 "},
	} {
		if strings.Count(text, pair[0]) != 1 {
			t.Fatalf("the default policy holds %q %d times", pair[0], strings.Count(text, pair[0]))
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	p, err := policy.Load("stormy", []byte(text), remedy.Catalogue{})
	w.must(err)
	w.main = w.replica(func(o *store.Options) { o.Policy = func() *policy.Policy { return p } })
	news := func() (words []string) {
		events, err := w.main.WatchStorm(t.Context())
		w.must(err)
		for _, e := range events {
			words = append(words, string(e.Status))
			w.take(e)
			w.must(w.main.StormTold(t.Context(), e))
		}
		return words
	}
	storming := func(want bool) {
		t.Helper()
		st, err := w.main.Standing(t.Context())
		w.must(err)
		if st.Storm != want {
			t.Fatalf("storm %t, want %t", st.Storm, want)
		}
	}
	w.take(w.firing("a"), w.firing("b"))
	w.now.pass(3 * time.Minute)
	w.take(w.firing("c"), w.firing("d"))
	storming(false) // not within the time
	if n := news(); len(n) > 0 {
		t.Errorf("told of %v", n)
	}
	w.take(w.firing("e"))
	storming(true)
	if n := news(); fmt.Sprint(n) != "[firing]" {
		t.Errorf("told of %v", n)
	}
	if n := news(); len(n) > 0 {
		t.Errorf("told again of %v", n)
	}
	w.now.pass(3 * time.Minute)
	w.take(w.firing("f"), w.firing("g"), w.firing("h")) // there are too many still
	w.now.pass(3 * time.Minute)
	if n := news(); len(n) > 0 {
		t.Errorf("over before it cooled down: %v", n)
	}
	storming(true)
	w.now.pass(2 * time.Minute)
	if n := news(); fmt.Sprint(n) != "[resolved]" {
		t.Errorf("told of %v", n)
	}
	storming(false)
	if n := news(); len(n) > 0 {
		t.Errorf("told again of %v", n)
	}
	// e, f, g and h came while it lasted, and its own incident: two a minute.
	for minute, want := range []int64{2, 1, 0} {
		if n := w.count(`select count(*) from incidents where look_at = (select ended_at from storms) + $1 * interval '1 minute' and state <> 'resolved'`, minute); n < want {
			t.Errorf("minute %d: %d are looked at anew", minute, n)
		}
	}
	w.now.pass(10 * time.Second)
	_, err = w.main.Tick(t.Context(), 100)
	w.must(err)
	if n := w.count(`select count(*) from audit where operation = 'incident.looked_at_anew'`); n != 2 {
		t.Errorf("%d were looked at anew", n)
	}
}

// Whatever comes at once, no more rungs are begun than the budget allows.
func TestClaimsAtOnceSpendNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	w := under(t, "total: 60\n", "total: 3\n")
	other := w.replica(func(o *store.Options) { o.Policy = func() *policy.Policy { return policyOf(w) } })
	var restarts []incident.Intent
	for i := range 8 {
		pod := fmt.Sprintf("api-%d", i)
		r := w.takeOne(w.firing(pod))
		ill := w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), pod), pod, incident.ResultSucceeded, w.outOfMemory(pod, "deploy-"+pod))
		restarts = append(restarts, intentOf(t, ill.Intents, "k8s.pod.restart"))
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	won, stopped := 0, 0
	for i, in := range restarts {
		replica := w.main
		if i%2 == 1 {
			replica = other
		}
		wait.Go(func() {
			_, err := replica.Claim(t.Context(), in.ID.String(), triage.LeaseGrant{Subject: "n8n", Worker: "w", Hash: []byte{byte(i)}})
			mu.Lock()
			defer mu.Unlock()
			switch f := fault.As(err); {
			case err == nil:
				won++
			case f.Reason == "guard" && strings.HasPrefix(f.Detail, "budget"):
				stopped++
			default:
				t.Errorf("%v", err)
			}
		})
	}
	wait.Wait()
	if won != 3 || stopped != 5 {
		t.Errorf("%d won, %d were stopped; three may", won, stopped)
	}
	if n := w.count("select count(*) from repairs"); n != 3 {
		t.Errorf("%d are written down", n)
	}
}

func policyOf(w *world) *policy.Policy {
	text := strings.NewReplacer("incidents: 20 ", "incidents: 100000 ", "total: 60\n", "total: 3\n").Replace(string(policy.Default()))
	p, err := policy.Load("changed", []byte(text), remedy.Catalogue{})
	w.must(err)
	return p
}

// Whoever was told that a freeze is on must not see a change claimed after that.
func TestNoClaimAfterTheFreezeWasAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.takeOne(w.firing("api-1"))
	ill := w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), "c"), "c", incident.ResultSucceeded, w.outOfMemory("api-1"))
	restart := intentOf(t, ill.Intents, "k8s.pod.restart")
	claiming, err := w.sql.Begin(t.Context())
	w.must(err)
	_, err = claiming.Exec(t.Context(), store.LockGuards)
	w.must(err)
	frozen := make(chan error, 1)
	go func() {
		_, err := w.main.AddFreeze(t.Context(), incident.Freeze{Reason: "r", By: "ines", StartsAt: w.now.Now(), EndsAt: w.now.Now().Add(time.Hour)})
		frozen <- err
	}()
	w.waitForLock(t)
	select {
	case err := <-frozen:
		t.Fatalf("the freeze was acknowledged (%v) while a claim was under way", err)
	default:
	}
	w.must(claiming.Rollback(t.Context()))
	w.must(<-frozen)
	_, err = w.main.Claim(t.Context(), restart.ID.String(), triage.LeaseGrant{Subject: "n8n", Worker: "w", Hash: []byte{1}})
	if f := fault.As(err); err == nil || f.Reason != "guard" || !strings.HasPrefix(f.Detail, "freeze") {
		t.Errorf("claimed in a freeze: %v", err)
	}
}

func TestBreakersAndFreezesAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"nonsense", incident.ID{1}.String()} {
		if _, err := w.main.EndFreeze(t.Context(), name, "ines"); fault.As(err).Kind != fault.NotFound {
			t.Errorf("freeze %s: %v", name, err)
		}
		if _, err := w.main.ResetBreaker(t.Context(), name, "ines", "r"); fault.As(err).Kind != fault.NotFound {
			t.Errorf("breaker %s: %v", name, err)
		}
	}
	f, err := w.main.AddFreeze(t.Context(), incident.Freeze{Reason: "r\x00", By: "ines", StartsAt: w.now.Now(), EndsAt: w.now.Now().Add(time.Hour)})
	w.must(err)
	w.now.pass(2 * time.Hour)
	if all, err := w.main.Freezes(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("over, and listed: %v, %v", all, err)
	}
	w.must(w.main.PutAwayFreezes(t.Context()))
	if n := w.count("select count(*) from freezes where ended_by = 'salve' and id = $1", f.ID.String()); n != 1 {
		t.Errorf("over, and not put away")
	}
	if past, err := w.main.FreezesSince(t.Context(), w.now.Now().Add(-24*time.Hour)); err != nil || len(past) != 1 {
		t.Errorf("what was on: %v, %v", past, err)
	}
}

// What helped again and again is proposed once; a human promotes it; one failure
// takes it back, in the transaction that says so.
func TestPromotions(t *testing.T) {
	t.Parallel()
	w := under(t, "level: 3\n    risk: low\n", "level: 2\n    risk: low\n", "at_least: 20 ", "at_least: 5 ", "confidence: 90 ", "confidence: 50 ", "within: 90d", "within: 10d")
	history := func(n int, outcome string, ago time.Duration) {
		t.Helper()
		for range n {
			id := w.id()
			_, err := w.sql.Exec(t.Context(), `insert into repairs (id, incident_id, began_at, action, cause, target, scope, outcome, doc)
				values ($1, $1, $2, 'k8s.pod.restart', 'pod.oom_killed', 't', 'prod-eu/production', $3, '{}')`, id.String(), w.now.Now().Add(-ago), outcome)
			w.must(err)
		}
	}
	all := func() []incident.Promotion {
		t.Helper()
		w.must(w.main.ProposePromotions(t.Context()))
		list, err := w.main.Promotions(t.Context())
		w.must(err)
		return list
	}
	history(4, "verified", 24*time.Hour)
	history(6, "verified", 11*24*time.Hour) // too long ago to say anything
	if p := all(); len(p) > 0 {
		t.Fatalf("proposed too early: %+v", p)
	}
	history(4, "verified", 24*time.Hour)
	p := all()
	if len(p) != 1 || p[0].State != incident.Proposed || p[0].Helped != 8 || len(all()) != 1 {
		t.Fatalf("proposed: %+v", p)
	}
	if _, err := w.main.DecidePromotion(t.Context(), p[0].ID.String(), incident.Promoted, "ines", "eight of eight"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.main.DecidePromotion(t.Context(), p[0].ID.String(), incident.Promoted, "bob", ""); fault.As(err).Reason != "not_awaiting" {
		t.Errorf("twice: %v", err)
	}

	// What asked for a yes now runs by itself; it fails, and asks again.
	look := func(pod string) store.Receipt {
		r := w.takeOne(w.firing(pod))
		return w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), pod), pod, incident.ResultSucceeded, w.outOfMemory(pod, "deploy-"+pod))
	}
	restart := intentOf(t, look("api-1").Intents, "k8s.pod.restart")
	if restart.Mode != incident.Auto || restart.State != incident.Ready {
		t.Fatalf("promoted, and %s %s", restart.Mode, restart.State)
	}
	w.done(w.claim(restart, "lease"), "lease", incident.ResultFailed, nil)
	if p := all(); len(p) != 1 || p[0].State != incident.Demoted || w.count("select count(*) from audit where operation = 'promotion.demoted'") != 1 {
		t.Fatalf("after a failure: %+v", p)
	}
	if again := intentOf(t, look("api-2").Intents, "k8s.pod.restart"); again.Mode != incident.Approve {
		t.Errorf("demoted, and %s", again.Mode)
	}
}

// When a source that policy watches was heard of last is kept, repeats too; others
// are not. What is only wanted to be known writes nothing.
func TestSourcesAreNoted(t *testing.T) {
	t.Parallel()
	w := under(t, "sources: {} ", "sources: {alertmanager: 5m} ")
	e := w.firing("api-1", func(e *incident.Event) { e.Source = "alertmanager" })
	w.take(e)
	w.take(w.firing("api-2", func(e *incident.Event) { e.Source = "grafana" }))
	w.must(w.main.FlushHeard(t.Context()))
	first := w.now.Now()
	w.now.pass(4 * time.Minute)
	e.ReceivedAt = w.now.Now()
	w.take(e) // a repeat
	w.must(w.main.FlushHeard(t.Context()))
	rows := w.count("select count(*) from incidents")
	f, err := w.main.Peek(t.Context(), "no such key", incident.ID{1})
	w.must(err)
	seen := f.Guards.Seen["alertmanager"]
	if len(f.Guards.Seen) != 1 || !seen.After(first.Add(3*time.Minute)) || !f.New || f.Automation != incident.Live {
		t.Errorf("seen %v, facts %+v", f.Guards.Seen, f)
	}
	known, err := w.main.Peek(t.Context(), e.Key(), incident.ID{1})
	w.must(err)
	if known.New || len(known.Alerts) != 1 || w.count("select count(*) from incidents") != rows {
		t.Errorf("%+v", known)
	}
}

// An abort at the very moment of the claim: one of them counts, and whichever it is,
// the other one is told. What was aborted is never executed.
func TestAbortAtTheClaim(t *testing.T) {
	t.Parallel()
	w := under(t)
	for i := range 8 {
		pod := fmt.Sprintf("api-%d", i)
		r := w.takeOne(w.firing(pod))
		ill := w.done(w.claim(intentOf(t, r.Intents, "collect.pod"), pod), pod, incident.ResultSucceeded, w.outOfMemory(pod, "deploy-"+pod))
		restart := intentOf(t, ill.Intents, "k8s.pod.restart")
		var wait sync.WaitGroup
		var claimed, aborted error
		wait.Go(func() {
			_, claimed = w.main.Claim(t.Context(), restart.ID.String(), triage.LeaseGrant{Subject: "n8n", Worker: "w", Hash: []byte{byte(i)}})
		})
		wait.Go(func() {
			_, aborted = w.main.Hear(t.Context(), restart.ID.String(), triage.Word{Kind: "abort", Subject: "ines", Reason: "no"})
		})
		wait.Wait()
		state := w.state(restart)
		switch {
		case claimed == nil && aborted != nil:
			if fault.As(aborted).Reason != "too_late" || state != incident.Running {
				t.Errorf("claimed first: %v, %s", aborted, state)
			}
		case claimed != nil && aborted == nil:
			if fault.As(claimed).Reason != "aborted" || state != incident.Aborted {
				t.Errorf("aborted first: %v, %s", claimed, state)
			}
		default:
			t.Errorf("both: claim %v, abort %v, %s", claimed, aborted, state)
		}
	}
}
