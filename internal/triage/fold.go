package triage

import (
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Run says what follows from what arrived. Arrivals are taken in order; the same
// facts, arrivals, time and ids always give the same outcome. Where an episode's
// end stands beside its beginning, each is taken by itself, so that it does not
// matter whether one batch brought both.
func Run(p *policy.Policy, f Facts, arrivals []Arrival, now time.Time, ids incident.IDs) Outcome {
	n := stretch(arrivals)
	o := newRound(p, f, arrivals[:n], now, ids).run()
	for done := n; done < len(arrivals); done += n {
		n = stretch(arrivals[done:])
		next := arrivals[done : done+n]
		o = o.then(f, newRound(p, f.After(o, arrivals[:done]), next, now, ids).run())
	}
	return o
}

// stretch is how many of the first arrivals are of one kind and status.
func stretch(arrivals []Arrival) int {
	for i := range arrivals {
		a, first := arrivals[i].Event, arrivals[0].Event
		if a.Kind != first.Kind || a.Status != first.Status {
			return i
		}
	}
	return len(arrivals)
}

// After is what is known once an outcome is stored.
func (f Facts) After(o Outcome, arrivals []Arrival) Facts {
	f.New, f.Incident, f.Intents, f.Guards = false, o.Incident, o.All, o.guards
	f.Alerts = slices.Clone(f.Alerts)
	for _, a := range o.Alerts {
		f.Alerts = replaceAlert(f.Alerts, a)
	}
	if o.Judged {
		f.Diagnosis, f.Decision = o.Diagnosis, o.Decision
	}
	f.Results, f.Evidence = slices.Clip(f.Results), slices.Clip(f.Evidence)
	for i, a := range arrivals {
		if a.Result != nil {
			f.Results = append(f.Results, *a.Result)
		}
		if len(a.Event.Evidence) > 0 && o.Taken[i].Outcome == incident.Accepted && !o.Taken[i].OverBound {
			f.Evidence = append(f.Evidence, pieceOf(a))
		}
	}
	return f
}

// then is the outcome of both, for the facts that the first began with.
func (o Outcome) then(f Facts, next Outcome) Outcome {
	next.Taken = append(o.Taken, next.Taken...)
	next.Audit = append(o.Audit, next.Audit...)
	next.Judged, next.Changed = o.Judged || next.Judged, o.Changed || next.Changed
	alerts := o.Alerts
	for _, a := range next.Alerts {
		alerts = replaceAlert(alerts, a)
	}
	next.Alerts = alerts
	repairs := o.Repairs
	for _, rep := range next.Repairs {
		repairs = replaceRepair(repairs, rep)
	}
	next.Repairs, next.Breakers = repairs, append(o.Breakers, next.Breakers...)
	next.Collects += o.Collects
	next.Moves, next.Intents = moved(f.Intents, next.All), next.All[len(f.Intents):]
	return next
}

// moved are the stored intents that stand elsewhere now. What is blocked is
// looked at again and again, and must say when.
func moved(stored, now []incident.Intent) []Move {
	var moves []Move
	for i, before := range stored {
		if after := now[i]; after.State != before.State || after.State == incident.Blocked || len(after.Approvals) != len(before.Approvals) {
			moves = append(moves, Move{From: before.State, Intent: after})
		}
	}
	return moves
}
