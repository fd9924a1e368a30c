package backtest_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/backtest"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

var begin = time.Date(2026, 11, 1, 3, 15, 0, 0, time.UTC)

func load(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Load("policy.yaml", []byte(text), remedy.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rule is a policy of one rule for pods that ran out of memory.
func rule(level int, more string) string {
	if level == 1 {
		return fmt.Sprintf("%srules: [{name: oom, cause: pod.oom_killed, level: 1}]\n", more)
	}
	return fmt.Sprintf("%srules: [{name: oom, cause: pod.oom_killed, level: %d, ladder: [{steps: [{action: k8s.pod.restart}]}]}]\n", more, level)
}

const evidence = `{"pods":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"app-%[1]d-x","namespace":"shop","uid":"uid-%[1]d","labels":{"app":"app"},
 "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"app-%[1]d","uid":"rs","controller":true}]},
 "spec":{"containers":[{"name":"app","image":"a","resources":{"limits":{"memory":"512Mi"}}}]},
 "status":{"phase":"Running","containerStatuses":[{"name":"app","ready":false,"restartCount":7,"image":"a","imageID":"",
 "state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}}]}`

// story is n incidents, each with an alert, a look, and the restart that was done then.
func story(n int) []backtest.Stored {
	var events []backtest.Stored
	serial := uint32(0)
	add := func(at time.Time, e backtest.Stored) {
		serial++
		e.ID = incident.NewID(at, [10]byte{6: byte(serial >> 24), 7: byte(serial >> 16), 8: byte(serial >> 8), 9: byte(serial)})
		e.ReceivedAt, e.Subject = at, "n8n"
		events = append(events, e)
	}
	for i := range n {
		at := begin.Add(time.Duration(i) * 7 * time.Minute)
		home := incident.NewID(at, [10]byte{0: 1, 8: byte(i >> 8), 9: byte(i)})
		pod := incident.Target{Cluster: "prod", Namespace: "shop", Kind: "Pod", Name: fmt.Sprintf("app-%d-x", i)}
		name := incident.IncidentNumber(int64(i + 1))
		add(at, backtest.Stored{Kind: incident.AlertEvent, Source: "native", Incident: home, Name: name, Cluster: "prod",
			Payload: fmt.Appendf(nil, `{"severity":"warning","service":"s%d","message":"m","cluster":"prod","namespace":"shop","labels":{"alertname":"KubePodCrashLooping","pod":%q,"container":"app"}}`, i, pod.Name)})
		add(at.Add(10*time.Second), backtest.Stored{Kind: incident.ResultEvent, Source: "result", Incident: home, Name: name, Evidence: fmt.Appendf(nil, evidence, i),
			Action: "collect.pod", Target: pod, Status: incident.ResultSucceeded})
		add(at.Add(30*time.Second), backtest.Stored{Kind: incident.ResultEvent, Source: "result", Incident: home, Name: name,
			Action: "k8s.pod.restart", Target: pod, Status: incident.ResultSucceeded})
	}
	return events
}

func stream(events []backtest.Stored) iter.Seq2[backtest.Stored, error] {
	return func(yield func(backtest.Stored, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func compare(t testing.TB, current, candidate string, freezes []incident.Freeze, events []backtest.Stored) backtest.Difference {
	t.Helper()
	d, err := backtest.Compare(load(t, current), load(t, candidate), freezes, stream(events))
	if err != nil || d.Skipped > 0 {
		t.Fatalf("%v, skipped %v", err, d.Unread)
	}
	return d
}

func summary(d backtest.Difference) string {
	var words []string
	for _, total := range d.Totals {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", total.Incidents, total.Kind, total.Cause, total.Guard)))
	}
	return strings.Join(words, "; ")
}

func TestCompare(t *testing.T) {
	all := incident.Freeze{Reason: "r", By: "a", At: begin, StartsAt: begin, EndsAt: begin.Add(40 * 24 * time.Hour)}
	for _, c := range []struct {
		name               string
		current, candidate string
		freezes            []incident.Freeze
		want               string
	}{
		{"the same", rule(3, ""), rule(3, "# other\n"), nil, ""},
		{"lower", rule(3, ""), rule(2, ""), nil, "10 no longer automatic pod.oom_killed"},
		{"lowest", rule(2, ""), rule(1, ""), nil, "10 otherwise decided pod.oom_killed"},
		{"higher", rule(1, ""), rule(3, ""), nil, "10 newly automatic pod.oom_killed"},
		{"a window is automatic too", rule(3, ""), strings.Replace(rule(3, ""), "level: 3", "level: 3, risk: high", 1), nil, "10 otherwise decided pod.oom_killed"},
		{"a small budget", rule(3, ""), rule(3, "budgets: {total: 2}\n"), nil, "7 newly blocked pod.oom_killed budget"},
		{"no inventory", rule(3, ""), rule(3, "inventory: {namespaces: []}\n"), nil, "10 newly blocked pod.oom_killed inventory"},
		{"frozen under both", rule(3, ""), rule(4, ""), []incident.Freeze{all}, ""},
		{"frozen, and the other only tells", rule(1, ""), rule(3, ""), []incident.Freeze{all}, "10 newly blocked pod.oom_killed freeze"},
	} {
		if got := summary(compare(t, c.current, c.candidate, c.freezes, story(10))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestExamplesTellWhy(t *testing.T) {
	d := compare(t, rule(3, ""), rule(2, ""), nil, story(2))
	if len(d.Cases) != 2 || d.Cases[0].Incident != "INC-1" || d.Cases[0].Before.Verdict != incident.VerdictRepair ||
		!strings.Contains(strings.Join(d.Cases[0].After.Reasons, "; "), "rule oom applies to pod.oom_killed: level 2") {
		t.Errorf("%+v", d.Cases)
	}
	if d.Events != 6 || d.Incidents != 2 {
		t.Errorf("%d events, %d incidents", d.Events, d.Incidents)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	events := story(2)
	events[0].Payload = []byte(`{"severity":"loud"}`)
	d, err := backtest.Compare(load(t, rule(3, "")), load(t, rule(2, "")), nil, stream(events))
	if err != nil || d.Skipped != 1 || !strings.Contains(d.Unread[0], "INC-1 cannot be read again") || d.Incidents != 1 {
		t.Errorf("%v, %+v", err, d)
	}
	broken := func(yield func(backtest.Stored, error) bool) { yield(backtest.Stored{}, errors.New("gone")) }
	if _, err := backtest.Compare(load(t, rule(3, "")), load(t, rule(2, "")), nil, broken); err == nil {
		t.Error("a stream that broke off is a whole one")
	}
}

// A freeze, a lower level, a smaller budget: none makes anything newly automatic.
func TestMoreCareIsNeverNewlyAutomatic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(1, 4).Draw(t, "level")
		lower := rapid.IntRange(1, level).Draw(t, "lower")
		more := rapid.SampledFrom([]string{"", "budgets: {total: 1}\n", "inventory: {clusters: []}\n", "cooldown: 1d\n", "breaker: {failures: 1}\n"}).Draw(t, "more")
		events := story(rapid.IntRange(1, 6).Draw(t, "incidents"))
		for i := range events {
			if events[i].Action == "k8s.pod.restart" && rapid.Bool().Draw(t, "failed") {
				events[i].Status = incident.ResultFailed
			}
		}
		current, err := policy.Load("a", []byte(rule(level, "")), remedy.Catalogue{})
		if err != nil {
			t.Fatal(err)
		}
		candidate, err := policy.Load("b", []byte(rule(lower, more)), remedy.Catalogue{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := backtest.Compare(current, candidate, nil, stream(events))
		if err != nil {
			t.Fatal(err)
		}
		for _, total := range d.Totals {
			if total.Kind == backtest.NewlyAutomatic {
				t.Fatalf("%+v", d.Totals)
			}
		}
		same, err := backtest.Compare(candidate, candidate, nil, stream(events))
		if err != nil || len(same.Totals) > 0 {
			t.Fatalf("against itself: %v, %+v", err, same.Totals)
		}
	})
}

// Ten thousand stored events, through both policies.
func BenchmarkCompareTenThousand(b *testing.B) {
	events := story(3334)
	current, candidate := load(b, rule(3, "")), load(b, rule(2, ""))
	for b.Loop() {
		if _, err := backtest.Compare(current, candidate, nil, stream(events)); err != nil {
			b.Fatal(err)
		}
	}
}
