package triage

import (
	"fmt"

	"salve/internal/incident"
)

// stormChild says whether this incident is one of too many: then people are told
// of the storm, once, and not of each.
func (r *round) stormChild() bool {
	return r.world.Storming() && !r.isStorm()
}

// isStorm says whether this incident is the storm itself.
func (r *round) isStorm() bool {
	t := r.inc.Target
	return t.Kind == incident.StormKind && t.Name == r.world.Storm.ID.String()
}

// asksTooMuch says whether enough looks were asked for already while there is a
// storm, for this hypothesis in this cluster.
func (r *round) asksTooMuch() bool {
	return r.stormChild() && r.world.Storm.Collects >= r.set.Storm.Collects
}

// stormWaits says that the incident waits for the storm to be over.
func (r *round) stormWaits() bool {
	return r.asksTooMuch() && !r.out.Diagnosis.Decided() && len(r.out.Diagnosis.Wants) > 0 && !r.liveCollect()
}

func (r *round) stormDecision() incident.Decision {
	return incident.Decision{
		Verdict: incident.VerdictWait, Rung: r.inc.Rung, Guards: []incident.Reading{}, PolicyVersion: r.policy.Version(),
		Reasons: []string{fmt.Sprintf("too many new incidents at once: %d looks were asked for already; it is diagnosed anew when the storm is over", r.world.Storm.Collects)},
	}
}

// lookAnew takes up an incident of a storm that is over, as if it had just come.
func (r *round) lookAnew() {
	if r.inc.LookAt.IsZero() || r.now.Before(r.inc.LookAt) || r.world.Storming() {
		return
	}
	r.inc.LookAt = zeroTime
	if !r.inc.Open() || r.liveRung() || r.watching() || r.stoppedByHuman() != "" {
		return
	}
	r.inc.BeganAt, r.inc.Rounds = r.now, 0
	r.acted, r.anew = true, true
	r.audit("incident.looked_at_anew", incident.ID{}, r.inc.Target.String(), "the storm of incidents is over")
}
