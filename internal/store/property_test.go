package store_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"salve/internal/incident"
)

// delivery is one line of a sender's stream, without the run it is played in.
type delivery struct {
	pod, alert string
	episode    int // its start time; -1: the sender gives none
	evidence   bool
	status     incident.AlertStatus
}

// event is the delivery as one run gets it: every run has pods of its own, so
// that all of them may share a database.
func (d delivery) event(w *world, run string) incident.Event {
	change := []func(*incident.Event){named(run + d.alert + d.pod)}
	if d.episode < 0 {
		change = append(change, openEnded)
	} else {
		change = append(change, started(time.Unix(int64(1000+d.episode), 0).UTC()))
	}
	if d.pod == "shop" { // nothing can be collected about it: people are told at once
		change = append(change, func(e *incident.Event) {
			e.Target, e.Family = incident.Target{Cluster: "prod-eu", Service: run + "shop"}, "service"
		})
	} else if d.evidence {
		change = append(change, showing(w.outOfMemory(run+d.pod, run+"api-"+d.pod)))
	}
	if d.status == incident.Resolved {
		return w.resolved(run+d.pod, change...)
	}
	return w.firing(run+d.pod, change...)
}

// drawStreams draws senders. What one sender says of an alert is a history: it
// fires and resolves, episode after episode. HA peers tell the same history, each
// in its own time; either may repeat itself. An alert that brings evidence leads
// to a repair at once; it fires to the end, because what was repaired before an
// alert came back rightly decides what is tried next.
func drawStreams(t *rapid.T) [][]delivery {
	var streams [][]delivery
	for a := range rapid.IntRange(1, 4).Draw(t, "alerts") {
		first := delivery{
			pod: rapid.SampledFrom([]string{"a", "b", "shop"}).Draw(t, "pod"), alert: fmt.Sprintf("alert%d", a),
			evidence: rapid.Bool().Draw(t, "evidence"), status: incident.Firing,
		}
		history := []delivery{first}
		if !first.evidence {
			history = drawHistory(t, first)
		}
		for range rapid.IntRange(1, 2).Draw(t, "peers") {
			var stream []delivery
			for _, d := range history {
				stream = append(stream, slices.Repeat([]delivery{d}, rapid.IntRange(1, 2).Draw(t, "times"))...)
			}
			streams = append(streams, stream)
		}
	}
	return streams
}

func drawHistory(t *rapid.T, first delivery) []delivery {
	ended := rapid.Bool().Draw(t, "without start times")
	var history []delivery
	for e := range rapid.IntRange(1, 3).Draw(t, "episodes") {
		begin := first
		if begin.episode = e; ended {
			begin.episode = -1
		}
		end := begin
		end.status = incident.Resolved
		history = append(history, begin, end)
	}
	if rapid.Bool().Draw(t, "still fires") {
		history = history[:len(history)-1]
	}
	return history
}

// interleave draws one order of all deliveries in which each stream keeps its own.
func interleave(t *rapid.T, streams [][]delivery) []delivery {
	left := slices.Clone(streams)
	var out []delivery
	for {
		left = slices.DeleteFunc(left, func(s []delivery) bool { return len(s) == 0 })
		if len(left) == 0 {
			return out
		}
		i := rapid.IntRange(0, len(left)-1).Draw(t, "next")
		out, left[i] = append(out, left[i][0]), left[i][1:]
	}
}

// ends tells how a run ended, without its name: what any interleaving and any
// batching of the same deliveries must agree on.
//
//   - Every key that ever had an incident has exactly one, open or resolved.
//   - Every alert belongs to the same key and stands the same.
//   - An open incident stands in the same state, with the same cause, target and
//     live intents: action, effect, target, mode, parameters and state.
//   - A resolved incident has no live intent that changes or looks.
//
// What may differ is what happened on the way, because it did happen differently.
// One run may see all alerts of a key resolved for a moment, resolve, and reopen
// (recurrences, and messages to people about it); in another the next alert began
// before the last one ended, or both came in one batch. Which alert came first
// gives the title. A message is live until somebody delivers it: an open incident
// must have the ones that call for people, but how often is not compared, nor that
// it was resolved before, nor what a resolved one leaves behind.
func ends(t testing.TB, w *world, run string) []string {
	t.Helper()
	var out []string
	add := func(sql string) {
		rows, err := w.sql.Query(t.Context(), sql, run)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.ReplaceAll(line, run, ""))
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
	add(`select 'incident ' || key || ' ' || case state when 'resolved' then 'resolved'
			else state || ' ' || cause || ' ' || severity || ' ' || (target::jsonb - 'uid')::text end
		from incidents where key like '%' || $1 || '%'`)
	add(`select 'alert ' || fingerprint || ' ' || coalesce(extract(epoch from starts_at)::text, '-') || ' ' || a.status || ' in ' || coalesce(i.key, 'none')
		from alerts a left join incidents i on i.id = a.incident_id where fingerprint like $1 || '%'`)
	add(`select distinct 'intent ' || i.key || ' ' || action || ' ' || effect || ' ' || (n.doc->'target')::text || ' ' || mode || ' ' || n.state || ' '
			|| case effect when 'tell' then (n.doc->>'reason') else (n.doc->'params')::text end
		from intents n join incidents i on i.id = n.incident_id
		where i.key like '%' || $1 || '%' and n.state in ('waiting','awaiting_approval','rechecking','holding','blocked','ready','running')
			and n.doc->>'reason' <> 'resolved' and (i.state <> 'resolved' or effect = 'observe' or effect = 'change' and not coalesce((n.plan->>'independent')::boolean, false))`)
	slices.Sort(out)
	return out
}

// Any interleaving and any batching of the same deliveries ends in the same
// incidents and intents.
func TestOrderAndBatchingDoNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.replica()
	limits := []int{1, 2, 3, 512}
	var runs atomic.Int64
	// Each check is some dozens of transactions; -rapid.checks asks for more of them.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("40")
	}
	rapid.Check(t, func(rt *rapid.T) {
		streams := drawStreams(rt)
		var want []string
		for i := range 3 {
			run := fmt.Sprintf("r%d-", runs.Add(1))
			order := interleave(rt, streams)
			limit := rapid.SampledFrom(limits).Draw(rt, "limit")
			play(rt, w, second, order, run, limit)
			got := ends(t, w, run)
			if i == 0 {
				want = got
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("order %v\nends otherwise (-first +this):\n%s", order, diff)
			}
		}
		// All senders at once, through both replicas.
		run := fmt.Sprintf("r%d-", runs.Add(1))
		storm(rt, w, second, streams, run)
		if diff := cmp.Diff(want, ends(t, w, run)); diff != "" {
			rt.Fatalf("all at once it ends otherwise (-first +this):\n%s", diff)
		}
	})
}

// play delivers in the given order, cut into calls, each to one of two replicas.
func play(rt *rapid.T, w *world, second *replica, order []delivery, run string, limit int) {
	for len(order) > 0 {
		n := rapid.IntRange(1, len(order)).Draw(rt, "call")
		events := make([]incident.Event, n)
		for i, d := range order[:n] {
			events[i] = d.event(w, run)
		}
		r := w.main
		if rapid.Bool().Draw(rt, "second replica") {
			r = second
		}
		r.Limit(limit)
		deliver(rt, w, r, events)
		order = order[n:]
	}
}

func deliver(rt *rapid.T, w *world, r *replica, events []incident.Event) {
	receipts, err := r.Take(w.t.Context(), events)
	if err != nil {
		rt.Fatal(err)
	}
	for i, got := range receipts {
		if got.Err != nil {
			rt.Fatalf("item %d: %v", i, got.Err)
		}
	}
}

func storm(rt *rapid.T, w *world, second *replica, streams [][]delivery, run string) {
	var senders errgroup.Group
	for i, stream := range streams {
		r := []*replica{w.main, second}[i%2]
		senders.Go(func() error {
			for _, d := range stream {
				receipts, err := r.Take(w.t.Context(), []incident.Event{d.event(w, run)})
				if err != nil {
					return err
				}
				if receipts[0].Err != nil {
					return receipts[0].Err
				}
			}
			return nil
		})
	}
	if err := senders.Wait(); err != nil {
		rt.Fatal(err)
	}
}
