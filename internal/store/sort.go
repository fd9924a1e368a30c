package store

import (
	"slices"

	"salve/internal/incident"
	"salve/internal/triage"
)

// group is what a batch brings to one incident.
type group struct {
	facts      triage.Facts
	arrivals   []triage.Arrival
	deliveries []*delivery
	outcome    triage.Outcome
	live       []incident.Intent
}

// sorted is a batch by incident, in order of arrival.
type sorted struct {
	groups []*group
	byID   map[incident.ID]*group
	home   map[incident.Episode]incident.ID // where an episode is after the batch
	strays []*delivery                      // they change no incident
}

func (s *Store) sort(batch []*delivery, k known, l locks, facts map[incident.ID]*triage.Facts) (*sorted, error) {
	events := make([]incident.Event, len(batch))
	for i, d := range batch {
		events[i] = d.event
	}
	out := &sorted{byID: map[incident.ID]*group{}, home: map[incident.Episode]incident.ID{}}
	for i, a := range triage.Assign(events, l.standing(k), s.ids) {
		d := batch[i]
		if !a.Class.Change {
			d.receipt = repeated(a.Class, a.Incident, k.intents[a.Incident])
			out.strays = append(out.strays, d)
			continue
		}
		g, err := out.group(a, d, &l, facts)
		if err != nil {
			return nil, err
		}
		if d.event.Status == incident.Resolved && !a.New && !g.holds(d.event.Episode, out.home) {
			return nil, errRace
		}
		g.arrivals = append(g.arrivals, triage.Arrival{Event: d.event})
		g.deliveries = append(g.deliveries, d)
		out.home[d.event.Episode] = a.Incident
	}
	for _, g := range out.groups {
		if !slices.ContainsFunc(g.arrivals, triage.NeedsEvidence) {
			g.facts.Evidence = nil // it was read for another incident of the batch
		}
	}
	return out, nil
}

// group finds or begins the group of an incident.
func (o *sorted) group(a triage.Assignment, d *delivery, l *locks, facts map[incident.ID]*triage.Facts) (*group, error) {
	if g := o.byID[a.Incident]; g != nil {
		return g, nil
	}
	f := facts[a.Incident]
	if a.New {
		f = l.opening(a.Incident, d.event.Key())
	}
	if f == nil {
		return nil, errRace // it became known after the read and before the lock
	}
	g := &group{facts: *f}
	o.byID[a.Incident] = g
	o.groups = append(o.groups, g)
	return g, nil
}

// opening is how many incidents the batch opens.
func (o *sorted) opening() int {
	n := 0
	for _, g := range o.groups {
		if g.facts.New {
			n++
		}
	}
	return n
}

// opening is what is known of an incident before its first event: its names.
func (l *locks) opening(id incident.ID, key string) *triage.Facts {
	i := incident.Incident{ID: id, Key: key, Number: l.numbers[0]}
	i.ShortID = incident.IncidentNumber(i.Number)
	l.numbers = l.numbers[1:]
	return &triage.Facts{New: true, Incident: i, Automation: l.mode}
}

// holds says whether an alert that is to be resolved is there under lock: it may
// have moved to another incident after the read.
func (g *group) holds(e incident.Episode, home map[incident.Episode]incident.ID) bool {
	if home[e] == g.facts.Incident.ID {
		return true
	}
	return slices.ContainsFunc(g.facts.Alerts, func(a incident.Alert) bool { return a.Episode == e })
}

// standing is what the core must know to give each delivery its incident.
func (l locks) standing(k known) triage.Known {
	open := make(map[string]incident.ID, len(l.incidents))
	best := make(map[string]incident.Incident, len(l.incidents))
	for _, i := range l.incidents {
		b, taken := best[i.Key]
		if l.mayTake(i) && (!taken || i.Open() || !b.Open() && i.ResolvedAt.After(b.ResolvedAt)) {
			best[i.Key], open[i.Key] = i, i.ID
		}
	}
	back := make(map[incident.ID]incident.ID, len(l.incidents))
	for _, i := range l.incidents {
		if id, ok := open[i.Key]; ok {
			back[i.ID] = id
		}
	}
	return triage.Known{Alerts: k.alerts, Open: open, Back: back}
}

// mayTake says whether an alert that fires may join the incident: it is open, or
// it reopens.
func (l locks) mayTake(i incident.Incident) bool {
	return i.Open() || i.MergedInto == nil && i.ResolvedAt.After(l.since)
}

// own are the alerts of a group that are still its own at the end of the batch:
// one statement may not write a row twice.
func (o *sorted) own(g *group) []incident.Alert {
	return slices.DeleteFunc(slices.Clone(g.outcome.Alerts), func(a incident.Alert) bool {
		home, placed := o.home[a.Episode]
		return placed && home != g.outcome.Incident.ID
	})
}

// stray keeps what belongs to no incident, and remembers a resolution of
// something that was never seen firing: a late firing of that episode is stale.
func (w *record) stray(d *delivery, o *sorted, k known) {
	if d.receipt.Taken.Outcome != incident.Suppressed {
		return
	}
	w.events = append(w.events, eventRow{d.event, incident.Suppressed, d.receipt.IncidentID})
	e := d.event
	if _, placed := o.home[e.Episode]; placed || k.stored(e.Episode) || e.Status != incident.Resolved {
		return
	}
	o.home[e.Episode] = incident.ID{}
	w.newAlerts = append(w.newAlerts, incident.Alert{
		Episode: e.Episode, Status: incident.Resolved, Name: e.Name, Source: e.Source,
		Subject: e.Subject, Fingerprint: e.Fingerprint, StartsAt: e.StartsAt, EndsAt: e.EndsAt,
	})
}

// stored says whether an episode has a row.
func (k known) stored(e incident.Episode) bool {
	_, ok := k.alerts[e]
	return ok
}
