package triage

import "salve/internal/incident"

// moveState derives where the incident stands from what is live around it.
func (r *round) moveState() {
	if !r.inc.Open() {
		return
	}
	if to := r.state(); r.inc.MoveTo(to) != nil {
		// The table takes an incident back to open only while nothing was done
		// about it. After that, nothing under way means that people are needed.
		_ = r.inc.MoveTo(incident.StateEscalated)
	}
}

func (r *round) state() incident.State {
	urgent, lasting := r.changes(false), r.changes(true)
	switch {
	case urgent.moving() || urgent[incident.AwaitingApproval] || urgent[incident.Blocked]:
		return urgent.state()
	case len(urgent) > 0:
		return lasting.state() // an urgent step waits for a lasting one
	case r.escalating != "" && lasting[incident.AwaitingApproval]:
		return incident.StateAwaitingApproval // the one call for people says both
	case r.escalating != "":
		return incident.StateEscalated
	case r.watching():
		return incident.StateVerifying
	case r.liveCollect():
		return incident.StateDiagnosing
	case r.stormWaits():
		return incident.StateOpen
	case len(lasting) > 0:
		return lasting.state()
	default:
		return incident.StateEscalated // nothing is under way: it is with the people who were called
	}
}

// standings are the states that some changes stand in.
type standings map[incident.IntentState]bool

// changes are the states of the changes that have not ended: lasting ones, or urgent.
func (r *round) changes(lasting bool) standings {
	states := standings{}
	for _, in := range r.intents {
		if in.Effect != incident.Change || in.Independent != lasting || in.State.Terminal() {
			continue
		}
		if in.State == incident.Waiting && len(in.After) == 0 {
			states[incident.Holding] = true // it waits for its announcement only
			continue
		}
		states[in.State] = true
	}
	return states
}

// moving says whether something goes on that needs nobody.
func (s standings) moving() bool {
	return s[incident.Ready] || s[incident.Running] || s[incident.Holding] || s[incident.Rechecking]
}

func (s standings) state() incident.State {
	switch {
	case s[incident.AwaitingApproval]:
		return incident.StateAwaitingApproval
	case s.moving():
		return incident.StateRepairing
	case s[incident.Blocked]:
		return incident.StateEscalated
	default:
		return incident.StateRepairing
	}
}
