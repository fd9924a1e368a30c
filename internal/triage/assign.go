package triage

import "salve/internal/incident"

// Known is what is stored about the alerts and open incidents that a batch touches.
type Known struct {
	Alerts map[incident.Episode]incident.Alert
	Open   map[string]incident.ID // key → the incident that holds it, or that would reopen
	// Back says for the incident of a known alert which incident the alert belongs
	// to when it fires again: its own, whatever that is called by now, or the one
	// that took over its key. Where there is none, the alert's own key counts.
	Back map[incident.ID]incident.ID
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
	opened := batchOpened{byKey: map[string]incident.ID{}, ids: map[incident.ID]bool{}}
	for i, e := range events {
		known, ok := seen[e.Episode]
		if !ok {
			known, ok = k.Alerts[e.Episode]
		}
		a := Assignment{Class: Classify(e, pointer(known, ok)), Incident: known.IncidentID}
		if a.Class.Change && e.Status == incident.Firing {
			a.Incident, a.New = k.holder(e, known, opened, ids)
		}
		if !ok || a.Class.Change {
			seen[e.Episode] = incident.Alert{Episode: e.Episode, Status: e.Status, Subject: e.Subject, IncidentID: a.Incident}
		}
		out[i] = a
	}
	return out
}

// batchOpened are the incidents that a batch opens.
type batchOpened struct {
	byKey map[string]incident.ID
	ids   map[incident.ID]bool
}

func (k Known) holder(e incident.Event, known incident.Alert, opened batchOpened, ids incident.IDs) (incident.ID, bool) {
	if id, ok := k.Back[known.IncidentID]; ok {
		return id, false
	}
	if opened.ids[known.IncidentID] {
		return known.IncidentID, true
	}
	if id, ok := k.Open[e.Key()]; ok {
		return id, false
	}
	id, ok := opened.byKey[e.Key()]
	if !ok {
		id = ids()
		opened.byKey[e.Key()], opened.ids[id] = id, true
	}
	return id, true
}

func pointer(a incident.Alert, ok bool) *incident.Alert {
	if !ok {
		return nil
	}
	return &a
}
