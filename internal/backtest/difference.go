package backtest

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/triage"
)

// hear keeps the boldest decision; of equals, the first.
func (a *Answer) hear(o triage.Outcome) {
	d := o.Decision
	if a.Verdict != "" && weight[d.Verdict] <= weight[a.Verdict] {
		return
	}
	*a = Answer{
		Verdict: d.Verdict, Rule: d.Rule, Reasons: d.Reasons, Stopped: triage.Stopping(d.Guards),
		Cause: o.Diagnosis.Cause, Target: o.Incident.Target.String(), At: o.Incident.UpdatedAt,
	}
	for _, s := range d.Steps {
		a.Actions = append(a.Actions, s.Action)
	}
}

// weight orders verdicts by how far Salve goes by itself.
var weight = map[incident.Verdict]int{
	incident.VerdictWait: 1, incident.VerdictCollect: 2, incident.VerdictNothing: 3, incident.VerdictTell: 4, incident.VerdictEscalate: 4,
	incident.VerdictDryRun: 5, incident.VerdictBlocked: 6, incident.VerdictApprove: 7, incident.VerdictHold: 8, incident.VerdictRepair: 9,
}

func (a Answer) automatic() bool {
	return a.Verdict == incident.VerdictRepair || a.Verdict == incident.VerdictHold
}

// Kind says what sort of difference there is.
type Kind string

// The kinds of differences, the ones that matter most first.
const (
	NewlyAutomatic    Kind = "newly automatic"
	NoLongerAutomatic Kind = "no longer automatic"
	NewlyBlocked      Kind = "newly blocked"
	Otherwise         Kind = "otherwise decided"
)

// Kinds lists them in that order.
func Kinds() []Kind { return []Kind{NewlyAutomatic, NoLongerAutomatic, NewlyBlocked, Otherwise} }

func kindOf(before, after Answer) (Kind, bool) {
	blocked := func(a Answer) bool { return a.Verdict == incident.VerdictBlocked }
	switch {
	case blocked(after) && !blocked(before):
		return NewlyBlocked, true
	case after.automatic() && !before.automatic():
		return NewlyAutomatic, true
	case before.automatic() && !after.automatic():
		return NoLongerAutomatic, true
	}
	same := before.Verdict == after.Verdict && slices.Equal(before.Actions, after.Actions) && slices.Equal(before.Stopped, after.Stopped)
	return Otherwise, !same
}

// Case is one incident about which the policies differ.
type Case struct {
	Kind     Kind   `json:"kind"`
	Incident string `json:"incident"`
	Before   Answer `json:"before"`
	After    Answer `json:"after"`
}

// Total counts the differences of one kind and cause.
type Total struct {
	Kind      Kind   `json:"kind"`
	Cause     string `json:"cause"`
	Guard     string `json:"guard,omitempty"` // that blocks, of what is newly blocked
	Incidents int    `json:"incidents"`
}

// Difference is what another policy would have decided otherwise.
type Difference struct {
	Events    int      `json:"events"`
	Incidents int      `json:"incidents"`
	Totals    []Total  `json:"totals"`
	Cases     []Case   `json:"-"`
	Unread    []string `json:"unread,omitempty"` // events that could not be read again; at most a few
	Skipped   int      `json:"skipped"`          // how many
}

const maxUnread = 10

// Compare takes events in the order in which they came through both policies.
func Compare(current, candidate *policy.Policy, freezes []incident.Freeze, events iter.Seq2[Stored, error]) (Difference, error) {
	before, after := newReplay(current, freezes), newReplay(candidate, freezes)
	var d Difference
	for e, err := range events {
		if err != nil {
			return d, err
		}
		d.Events++
		for _, r := range []*replay{before, after} {
			if err := r.take(e); err != nil {
				if d.Skipped++; d.Skipped <= maxUnread {
					d.Unread = append(d.Unread, err.Error())
				}
				break
			}
		}
	}
	d.Incidents = len(before.cases)
	for id, c := range before.cases {
		other := after.cases[id]
		if other == nil {
			continue
		}
		if kind, differs := kindOf(c.answer, other.answer); differs {
			d.Cases = append(d.Cases, Case{kind, c.facts.Incident.ShortID, c.answer, other.answer})
		}
	}
	slices.SortFunc(d.Cases, func(a, b Case) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), a.After.At.Compare(b.After.At), strings.Compare(a.Incident, b.Incident))
	})
	d.Totals = totals(d.Cases)
	return d, nil
}

func totals(cases []Case) []Total {
	list := []Total{}
	for _, c := range cases {
		t := Total{Kind: c.Kind, Cause: c.After.Cause}
		if c.Kind == NewlyBlocked {
			t.Guard = strings.Join(c.After.Stopped, ", ")
		}
		at := slices.IndexFunc(list, func(o Total) bool { return o.Kind == t.Kind && o.Cause == t.Cause && o.Guard == t.Guard })
		if at < 0 {
			at, list = len(list), append(list, t)
		}
		list[at].Incidents++
	}
	slices.SortStableFunc(list, func(a, b Total) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), cmp.Compare(b.Incidents, a.Incidents), strings.Compare(a.Cause, b.Cause))
	})
	return list
}
