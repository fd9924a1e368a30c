package triage

import (
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Survivor is the incident that holds the key, with what it was handed and what
// follows for it.
type Survivor struct {
	Facts   Facts
	Outcome Outcome
}

// Merge hands an incident over to the one that holds the key its diagnosis gave
// it. The holder survives and takes what arrived; the other is resolved with
// merged_into. Alerts and intents move; running ones keep their lease and are
// awaited; unclaimed changes are superseded.
func Merge(p *policy.Policy, from, into Facts, arrivals []Arrival, now time.Time, ids incident.IDs) (Outcome, Survivor) {
	r := newRound(p, from, nil, now, ids)
	for i := range r.intents {
		if in := r.intents[i]; in.Effect == incident.Change && in.State.Unclaimed() {
			r.move(i, incident.Supersede, "the incident is merged into "+into.Incident.ID.String())
		}
	}
	_ = r.inc.MoveTo(incident.StateResolved)
	survivor := into.Incident.ID
	r.inc.MergedInto, r.inc.ResolvedAt = &survivor, now
	r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
	r.inc.Resolution = "merged into " + into.Incident.ID.String()
	r.audit("incident.merged", incident.ID{}, r.inc.Target.String(), r.inc.Resolution)
	merged := r.outcome()

	own := into.Evidence // what was handed over stays stored with the other incident
	into = handOver(from, into, merged.All)
	s := newRound(p, into, arrivals, now, ids)
	s.held = holding(s.set, own)
	s.inherit(from.Incident)
	return merged, Survivor{Facts: into, Outcome: s.run()}
}

// handOver gives what belongs to one incident to the other.
func handOver(from, into Facts, intents []incident.Intent) Facts {
	into.Alerts = slices.Clip(into.Alerts)
	for _, a := range from.Alerts {
		a.IncidentID = into.Incident.ID
		into.Alerts = append(into.Alerts, a)
	}
	into.Intents = slices.Clip(into.Intents)
	for _, in := range intents {
		in.IncidentID = into.Incident.ID
		into.Intents = append(into.Intents, in)
	}
	into.Results = slices.Concat(into.Results, from.Results)
	into.Guards.Repairs = slices.Clone(into.Guards.Repairs)
	for i := range into.Guards.Repairs {
		if rep := &into.Guards.Repairs[i]; rep.IncidentID == from.Incident.ID {
			rep.IncidentID = into.Incident.ID
		}
	}
	into.Evidence = slices.Concat(into.Evidence, from.Evidence)
	return into
}

// inherit makes the survivor at least as serious and as careful as what it took
// over. Where the survivor was resolved, what was handed over brings it back.
func (r *round) inherit(from incident.Incident) {
	r.inc.Severity = r.inc.Severity.Worse(from.Severity)
	r.reopen(from.DryRun)
	r.inc.DryRun = r.inc.DryRun || from.DryRun
}

// Crash ends the lease of one intent whose execution is known to have died.
func Crash(p *policy.Policy, f Facts, id incident.ID, by string, now time.Time, ids incident.IDs) Outcome {
	r := newRound(p, f, nil, now, ids)
	r.by = by
	if i := r.find(id); i >= 0 && r.intents[i].State == incident.Running {
		r.intents[i].LeaseExpires = now
		r.move(i, incident.Lose, "the execution crashed before it reported a result")
		r.again(i)
	}
	r.goOn()
	return r.outcome()
}
