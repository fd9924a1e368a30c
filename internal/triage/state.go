package triage

import "salve/internal/incident"

// moveState derives where the incident stands from what is live around it.
func (r *round) moveState() {
	if !r.inc.Open() {
		return
	}
	_ = r.inc.MoveTo(r.state()) // the table allows every state below from every open one
}

func (r *round) state() incident.State {
	live := r.liveChanges()
	switch {
	case live[incident.AwaitingApproval] || live[incident.Rechecking]:
		return incident.StateAwaitingApproval
	case len(live) > 0 && !(len(live) == 1 && live[incident.Blocked]):
		return incident.StateRepairing
	case r.escalating != "" || len(live) > 0:
		return incident.StateEscalated
	case r.watching():
		return incident.StateVerifying
	case r.liveCollect():
		return incident.StateDiagnosing
	case r.inc.State == incident.StateEscalated || r.inc.State == incident.StateAwaitingApproval:
		return incident.StateEscalated // it stays with the people who were called
	default:
		return incident.StateOpen
	}
}

// liveChanges are the states of changes that hold the incident: urgent ones not
// ended, and lasting ones only while nothing else goes on.
func (r *round) liveChanges() map[incident.IntentState]bool {
	urgent, lasting := map[incident.IntentState]bool{}, map[incident.IntentState]bool{}
	for _, in := range r.intents {
		switch {
		case in.Effect != incident.Change || in.State.Terminal():
		case in.Independent:
			lasting[in.State] = true
		default:
			urgent[in.State] = true
		}
	}
	if len(urgent) == 0 && !r.watching() && !r.liveCollect() {
		return lasting
	}
	return urgent
}
