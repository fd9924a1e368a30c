package triage

import "salve/internal/incident"

// Known is what is stored about the alerts and open incidents that a batch touches.
type Known struct {
	Alerts map[incident.Episode]incident.Alert
	Open   map[string]incident.ID // key → the incident that holds it, or that would reopen
}

// Assignment says where one delivery of a batch belongs.
type Assignment struct {
	Class    Class
	Incident incident.ID // zero: none
	New      bool        // the incident is opened by this batch
}

// Assign gives every alert of a batch, in order of arrival, to its incident. The
// answer is the same however the same deliveries are cut into batches.
func Assign(events []incident.Event, k Known, ids incident.IDs) []Assignment {
	out := make([]Assignment, len(events))
	seen := make(map[incident.Episode]incident.Alert, len(events))
	opened := map[string]incident.ID{}
	for i, e := range events {
		known, ok := seen[e.Episode]
		if !ok {
			known, ok = k.Alerts[e.Episode]
		}
		a := Assignment{Class: Classify(e, pointer(known, ok)), Incident: known.IncidentID}
		if a.Class.Change && e.Status == incident.Firing {
			a.Incident, a.New = holder(e.Key(), k.Open, opened, ids)
		}
		if !ok || a.Class.Change {
			seen[e.Episode] = incident.Alert{Episode: e.Episode, Status: e.Status, Subject: e.Subject, IncidentID: a.Incident}
		}
		out[i] = a
	}
	return out
}

func holder(key string, open, opened map[string]incident.ID, ids incident.IDs) (incident.ID, bool) {
	if id, ok := open[key]; ok {
		return id, false
	}
	id, ok := opened[key]
	if !ok {
		id = ids()
		opened[key] = id
	}
	return id, true
}

func pointer(a incident.Alert, ok bool) *incident.Alert {
	if !ok {
		return nil
	}
	return &a
}
