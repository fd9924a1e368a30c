package triage

import (
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/policy"
)

// run takes one incident as far as it can go with what arrived.
func (r *round) run() Outcome {
	r.openIncident()
	r.takeAlerts()
	r.takeResults()
	r.takeUnasked()
	r.boundEvidence()
	r.goOn()
	return r.outcome()
}

// goOn takes an incident as far as it can go by itself, in the order in which
// each round looks at it.
func (r *round) goOn() {
	for _, step := range steps {
		step(r)
	}
}

var steps = []func(*round){
	(*round).lookAnew, // after a storm
	(*round).settle,   // the clock: leases, windows, expiry, what waits for its turn
	(*round).diagnose,
	(*round).recheck,
	(*round).verify,
	(*round).resolveWithAlerts,
	(*round).decide,
	(*round).settle, // what was just planned may already have its turn
	(*round).moveState,
	(*round).tell,
}

// round is the working copy of one incident during one Run.
type round struct {
	policy *policy.Policy
	set    policy.Settings
	now    time.Time
	ids    incident.IDs
	by     string // who made this round happen, where it was not a sender

	facts    Facts
	world    policy.GuardState // with this round's repairs and breakers
	arrivals []Arrival
	held     held // evidence that is stored with the incident, and what was taken of the arrivals'
	inc      incident.Incident
	alerts   map[incident.Episode]incident.Alert
	intents  []incident.Intent // with this round's moves and new ones

	current    evidence.Evidence // what the diagnosis may rest on
	knowledge  evidence.Evidence // also what is older: for building requests only
	trusted    bool
	gathered   bool   // the evidence was decoded in this round
	looked     bool   // current is new in this round
	moves      int    // transitions so far, so that settle knows when nothing moves any more
	anew       bool   // it is looked at anew after a storm
	acted      bool   // an intent ended in this round, a new alert fired: decide anew
	ending     string // why the incident ends, in this round
	escalating string // why nothing is left to do
	blocked    string // which guard stopped a change at its claim, in this round

	out Outcome
}

func newRound(p *policy.Policy, f Facts, arrivals []Arrival, now time.Time, ids incident.IDs) *round {
	r := &round{
		policy: p, set: p.Settings(), now: now, ids: ids,
		facts: f, world: f.Guards, arrivals: arrivals, held: holding(p.Settings(), f.Evidence), inc: f.Incident,
		alerts:  make(map[incident.Episode]incident.Alert, len(f.Alerts)+1),
		intents: append([]incident.Intent(nil), f.Intents...),
	}
	for _, a := range f.Alerts {
		r.alerts[a.Episode] = a
	}
	r.out.Diagnosis, r.out.Decision = f.Diagnosis, f.Decision
	r.out.Taken = make([]Taken, len(arrivals))
	return r
}

func (r *round) outcome() Outcome {
	r.out.Changed = r.facts.New || !sameIncident(r.inc, r.facts.Incident)
	if r.out.Changed {
		r.inc.UpdatedAt = r.now
	}
	r.out.Incident, r.out.guards = r.inc, r.world
	stored := len(r.facts.Intents)
	for i := range r.intents {
		r.intents[i].WakeAt = r.wakeAt(r.intents[i])
	}
	r.out.Moves = moved(r.facts.Intents, r.intents)
	r.out.Intents = r.intents[stored:]
	r.out.All = r.intents
	return r.out
}

func sameIncident(a, b incident.Incident) bool {
	return a.Key == b.Key && a.State == b.State && a.Severity == b.Severity && a.Target == b.Target &&
		a.Cause == b.Cause && a.Summary == b.Summary && a.Resolution == b.Resolution &&
		a.Family == b.Family && a.DryRun == b.DryRun && a.Rounds == b.Rounds && a.Rung == b.Rung && a.Recurrence == b.Recurrence && a.Repeats == b.Repeats &&
		a.VerifyBy.Equal(b.VerifyBy) && a.LookAt.Equal(b.LookAt) && a.HealthyAt.Equal(b.HealthyAt) && a.ResolvedAt.Equal(b.ResolvedAt)
}

// openIncident gives a new incident its shape from the first alert.
func (r *round) openIncident() {
	if !r.facts.New || len(r.arrivals) == 0 {
		return
	}
	e := r.arrivals[0].Event
	r.inc = incident.Incident{
		ID: r.facts.Incident.ID, Number: r.facts.Incident.Number, ShortID: r.facts.Incident.ShortID,
		Key: r.facts.Incident.Key, State: incident.StateOpen,
		Severity: e.Severity, Target: e.Target, Family: e.Family, Hypothesis: e.Hypothesis, Cause: incident.CauseUnknown,
		Service: e.Service, Title: title(e), OpenedAt: r.now, BeganAt: r.now, DryRun: e.DryRun, Labels: e.Labels,
	}
	r.audit("incident.opened", incident.ID{}, r.inc.Target.String(), r.inc.Title)
}

func title(e incident.Event) string {
	switch {
	case e.Name != "" && e.Message != "":
		return clip(e.Name+": "+e.Message, 300)
	case e.Name != "":
		return clip(e.Name, 300)
	default:
		return clip(e.Message, 300)
	}
}

// clip shortens to n bytes at a character's edge.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

func (r *round) audit(operation string, intent incident.ID, object, reason string) {
	r.out.Audit = append(r.out.Audit, incident.AuditEntry{
		Operation: operation, Actor: r.actor(), IncidentID: r.inc.ID, IntentID: intent,
		Object: object, Reason: reason,
	})
}

// actor is who made this round happen: the sender, or salve's own clock.
func (r *round) actor() string {
	if len(r.arrivals) > 0 && r.arrivals[0].Event.Subject != "" {
		return r.arrivals[0].Event.Subject
	}
	if r.by != "" {
		return r.by
	}
	return "salve"
}

// move applies a transition to the i-th intent and records why. What the
// transition table does not allow does not happen.
func (r *round) move(i int, t incident.Transition, reason string) bool {
	in := &r.intents[i]
	if t.Apply(in) != nil {
		return false
	}
	r.moves++
	// That a look or a message may begin at once is no news; its claim is.
	if stored := i < len(r.facts.Intents); stored || in.Effect == incident.Change {
		r.audit("intent."+t.Name, in.ID, in.Action+" "+in.Target.String(), reason)
	}
	r.acted = r.acted || callsForDecision(*in)
	return true
}

// callsForDecision says whether this end of an intent is news: an urgent change
// that ended, or a look that is over, with or without evidence.
func callsForDecision(in incident.Intent) bool {
	switch in.Effect {
	case incident.Change:
		return in.State.Terminal() && !in.Independent
	case incident.Observe:
		return in.State.Terminal() && in.State != incident.Superseded
	default:
		return false
	}
}

// find returns the index of an intent, or -1.
func (r *round) find(id incident.ID) int {
	for i := range r.intents {
		if r.intents[i].ID == id {
			return i
		}
	}
	return -1
}
