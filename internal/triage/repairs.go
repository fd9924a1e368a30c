package triage

import (
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/remedy"
)

// begin writes down that a rung was begun: its first claim spends, and what
// belongs to the rung rides on it.
func (r *round) begin(in incident.Intent) {
	for _, known := range r.world.Repairs {
		if known.IncidentID == r.inc.ID && known.Rung == in.Rung && !known.BeganAt.Before(r.inc.BeganAt) {
			return
		}
	}
	rep := r.repair()
	rep.ID, rep.IntentID, rep.Rung, rep.Action, rep.BeganAt = r.ids(), in.ID, in.Rung, in.Action, r.now
	r.keepRepair(rep)
}

// repair is what a repair of this incident is written down as. A pod counts as
// its owner.
func (r *round) repair() incident.Repair {
	t := r.owner()
	return incident.Repair{
		IncidentID: r.inc.ID, Cause: r.inc.Cause, Target: t.Key(""),
		Cluster: t.Cluster, Namespace: t.Namespace, Service: r.inc.Service,
	}
}

// owner is what the incident's target counts as: the top controller, where it is known.
func (r *round) owner() incident.Target {
	t, d := r.inc.Target, r.out.Diagnosis
	if t.Host == "" && !isController(t.Kind) && d.Owner.Name != "" {
		owner := d.Owner
		owner.Cluster = t.Cluster
		return owner
	}
	return t
}

// keepRepair writes a repair down anew, for this round's guards as well.
func (r *round) keepRepair(rep incident.Repair) {
	r.world.Repairs = replaceRepair(slices.Clone(r.world.Repairs), rep)
	r.out.Repairs = replaceRepair(r.out.Repairs, rep)
}

func replaceRepair(list []incident.Repair, rep incident.Repair) []incident.Repair {
	for i := range list {
		if list[i].ID == rep.ID {
			list[i] = rep
			return list
		}
	}
	return append(list, rep)
}

// endRepairs says how the repairs of this incident that are not judged yet ended.
func (r *round) endRepairs(how func(incident.Repair) incident.RepairOutcome) {
	for _, rep := range slices.Clone(r.world.Repairs) {
		if rep.IncidentID != r.inc.ID || rep.Outcome != "" {
			continue
		}
		if rep.Outcome = how(rep); rep.Outcome == "" {
			continue
		}
		rep.EndedAt = r.now
		r.keepRepair(rep)
		r.audit("repair."+string(rep.Outcome), rep.IntentID, r.inc.Target.String(), rep.Action+" against "+rep.Cause+" is "+string(rep.Outcome))
		r.trip(rep)
	}
}

// trip opens the breakers that one more bad end is too much for.
func (r *round) trip(rep incident.Repair) {
	if !rep.Outcome.Bad() {
		return
	}
	for _, b := range r.set.Trips(r.world, rep, r.now) {
		b.ID = r.ids()
		r.world.Breakers = append(slices.Clip(r.world.Breakers), b)
		r.out.Breakers = append(r.out.Breakers, b)
		r.audit("breaker.opened", rep.IntentID, b.Scope, b.Reason)
	}
}

// all ends every repair alike.
func all(o incident.RepairOutcome) func(incident.Repair) incident.RepairOutcome {
	return func(incident.Repair) incident.RepairOutcome { return o }
}

// helped is how repairs end with their incident: health was seen, and what had
// been done by then may have brought it. What still runs is judged by its result.
func (r *round) helped(rep incident.Repair) incident.RepairOutcome {
	switch rung := r.rungOf(rep); {
	case rung[incident.Running] > 0:
		return ""
	case rung[incident.Succeeded] > 0:
		return incident.RepairVerified
	}
	return incident.RepairInconclusive
}

// failedStep is what the failure of one step means for its rung: an urgent one
// fails it, what is independent only when nothing else of the rung went well or
// may still go well.
func (r *round) failedStep(in incident.Intent, skipped bool) func(incident.Repair) incident.RepairOutcome {
	return func(rep incident.Repair) incident.RepairOutcome {
		rung := r.rungOf(rep)
		hope := rung[incident.Succeeded] + rung[incident.Running] + rung[incident.Ready] + rung[incident.Waiting]
		switch {
		case rep.Rung != in.Rung || in.Independent && hope > 0:
			return ""
		case skipped:
			return incident.RepairSkipped
		}
		return incident.RepairFailed
	}
}

// rungOf counts the changes of a repair's rung by their states.
func (r *round) rungOf(rep incident.Repair) map[incident.IntentState]int {
	states := map[incident.IntentState]int{}
	for _, in := range r.intents {
		if in.Effect == incident.Change && in.Rung == rep.Rung && r.ofThisStretch(in) {
			states[in.State]++
		}
	}
	return states
}

// endLate judges what ended only after its incident was resolved.
func (r *round) endLate(done bool) {
	switch {
	case r.inc.Open():
	case done:
		r.endRepairs(all(incident.RepairInconclusive))
	default:
		r.endRepairs(all(incident.RepairFailed))
	}
}

// blast is what a change makes worse while it runs, as far as evidence shows.
func (r *round) blast(d incident.Diagnosis, action string, target incident.Target, params map[string]any) incident.Blast {
	req := r.request(d, action, target, params)
	if !r.gathered {
		req.Evidence = knowledge(r.decoded(r.facts.Evidence)) // this round does not look at it otherwise
	}
	return remedy.Blast(req)
}

// sources are those of the alerts that fire, each once.
func (r *round) sources() []string {
	var names []string
	for _, a := range r.alerts {
		if a.Status == incident.Firing {
			names = append(names, a.Source)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// verificationWindow is how long a repair is watched: policy's time, or the
// alert's own look-back and five minutes, where the alert says that it is longer.
func (r *round) verificationWindow() time.Duration {
	window := r.policy.Verification(r.ruleOfLastRepair())
	if back, err := time.ParseDuration(r.inc.Labels["lookback"]); err == nil && back > 0 {
		window = max(window, min(back, maxLookBack)+5*time.Minute)
	}
	return window
}

func (r *round) ruleOfLastRepair() string {
	if at := r.lastRepair(); at >= 0 {
		return r.intents[at].Rule
	}
	return ""
}

// maxLookBack bounds what an alert may say of itself.
const maxLookBack = 24 * time.Hour
