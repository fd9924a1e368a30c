package triage

import (
	"cmp"
	"slices"
	"strings"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// takeUnasked takes evidence that nobody asked for. What is resolved keeps it
// and stays resolved: an alert brings an incident back, evidence does not.
func (r *round) takeUnasked() {
	for i, a := range r.arrivals {
		switch {
		case a.Event.Kind != incident.EvidenceEvent:
		case r.inc.Open():
			r.out.Taken[i] = Taken{Outcome: incident.Accepted, Reasons: []string{"taken"}}
		default:
			r.out.Taken[i] = Taken{Outcome: incident.Suppressed, Reasons: []string{
				"the incident is resolved: the evidence is kept with it and does not reopen it; an alert that fires does",
			}}
		}
	}
}

// Sight is evidence looked at by itself: what it shows of its target, and which
// open incidents it may belong to.
type Sight struct {
	Diagnosis incident.Diagnosis
	Reasons   []string // what of it could not be used

	family string
	near   []incident.Target // the target and what owns it
	kin    []incident.Target // what else counts as the same owner: its pods
}

// See looks at one piece of evidence about the event's target.
func See(e incident.Event) Sight {
	ev, problems := evidence.Parse(e.Evidence, e.ReceivedAt)
	s := Sight{Reasons: complaints(ev, problems, e.Target), near: []incident.Target{e.Target}}
	if elsewhere(ev, e.Target) {
		ev = evidence.Evidence{ObservedAt: ev.ObservedAt}
	}
	s.Diagnosis = diagnose.Diagnose(ev, diagnose.Question{Target: e.Target, Family: e.Family})
	if s.Diagnosis.Decided() && s.Diagnosis.Cause != incident.CauseHealthy {
		s.family = incident.Family(s.Diagnosis.Cause)
	}
	owners, kin := diagnose.Kin(ev, e.Target)
	s.near, s.kin = append(s.near, owners...), kin
	if owner := s.Diagnosis.Owner; owner.Name != "" {
		s.near = append(s.near, owner)
	}
	return s
}

// complaints name what of the evidence is not used, and why.
func complaints(ev evidence.Evidence, problems []evidence.Problem, about incident.Target) []string {
	var list []string
	if elsewhere(ev, about) {
		list = append(list, "evidence/cluster: "+ev.Cluster+" is not the cluster of the target, "+about.Cluster+"; the evidence is kept and not used")
	}
	for _, p := range problems {
		list = append(list, "evidence"+p.Pointer+": "+p.Detail)
	}
	return list
}

// Keys are the keys of every incident that the evidence may belong to.
func (s Sight) Keys() []string {
	var keys []string
	for _, t := range slices.Concat(s.near, s.kin) {
		for _, family := range append(incident.Families(), incident.CauseUnknown) {
			keys = append(keys, t.Key(family))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Home picks from the open incidents that hold one of the keys: one whose family
// fits what the evidence shows, then the nearest, then the newest.
func (s Sight) Home(open []incident.Incident) (incident.ID, bool) {
	if len(open) == 0 {
		return incident.ID{}, false
	}
	best := slices.MinFunc(open, func(a, b incident.Incident) int {
		return cmp.Or(
			cmp.Compare(s.misfit(a), s.misfit(b)), cmp.Compare(s.distance(a), s.distance(b)),
			b.OpenedAt.Compare(a.OpenedAt), strings.Compare(b.ID.String(), a.ID.String()))
	})
	return best.ID, true
}

func (s Sight) misfit(i incident.Incident) int {
	if i.Family == s.family {
		return 0
	}
	return 1
}

// distance is 0 for the target itself and its owners, 1 for its kin.
func (s Sight) distance(i incident.Incident) int {
	for _, t := range s.near {
		if t.Key(i.Family) == i.Key {
			return 0
		}
	}
	return 1
}
