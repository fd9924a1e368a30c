package handlers

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/redact"
	"salve/internal/store"
	"salve/internal/trail"
	"salve/internal/triage"
)

// IncidentStore keeps incidents. What does not exist is a NotFound fault.
type IncidentStore interface {
	Incidents(ctx context.Context, l store.List) ([]incident.Incident, error)
	Story(ctx context.Context, name string) (store.Story, error)
	Decisions(ctx context.Context, name string, l store.List) ([]store.Judged, error)
	HearOn(ctx context.Context, name string, word triage.Word) (incident.Incident, error)
}

// Incidents are the doors for reading what happened, and for a human's word on it.
type Incidents struct{ Store IncidentStore }

// List gives a page of incidents, newest first.
func (h *Incidents) List(ctx context.Context, _ identity.Caller, req ListRequest) (Page[incident.Incident], error) {
	switch req.State {
	case "all":
		req.State = ""
	case "open":
		req.State = strings.Join(openStates(), ",")
	}
	l, err := listOf(req, incident.States())
	if err != nil {
		return Page[incident.Incident]{}, err
	}
	list, err := h.Store.Incidents(ctx, l)
	if err != nil {
		return Page[incident.Incident]{}, err
	}
	page := Page[incident.Incident]{Items: append([]incident.Incident{}, list...)}
	if len(list) == l.Limit {
		page.Next = list[len(list)-1].ID.String()
	}
	return page, nil
}

// Ack says that somebody has seen it. It is in the record; nothing else changes.
func (h *Incidents) Ack(ctx context.Context, caller identity.Caller, req NoteRequest) (incident.Incident, error) {
	return h.hear(ctx, caller, "ack", req)
}

// Resolve ends an incident that no alert ends.
func (h *Incidents) Resolve(ctx context.Context, caller identity.Caller, req NoteRequest) (incident.Incident, error) {
	return h.hear(ctx, caller, "resolve", req)
}

func (h *Incidents) hear(ctx context.Context, caller identity.Caller, kind string, req NoteRequest) (incident.Incident, error) {
	i, err := h.Store.HearOn(ctx, req.ID, triage.Word{Kind: kind, Subject: caller.Subject, Reason: redact.Text(req.Reason)})
	if err == nil {
		trail.Incident(ctx, i.ID)
	}
	return i, err
}

// Decisions gives a page of what was decided about one incident, and why, newest first.
func (h *Incidents) Decisions(ctx context.Context, _ identity.Caller, req DecisionsRequest) (Page[RecordView], error) {
	l, err := listOf[incident.State](req.Page, nil)
	if err != nil {
		return Page[RecordView]{}, err
	}
	list, err := h.Store.Decisions(ctx, req.ID, l)
	page := Page[RecordView]{Items: make([]RecordView, len(list))}
	for i, j := range list {
		page.Items[i] = RecordView{j.ID, j.At, j.Diagnosis, j.Decision, j.Decision.Record}
	}
	if len(list) == l.Limit {
		page.Next = list[len(list)-1].ID.String()
	}
	return page, err
}

// openStates are all that still hold their key: what people mean by open.
func openStates() []string {
	var states []string
	for _, s := range incident.States() {
		if s != incident.StateResolved {
			states = append(states, string(s))
		}
	}
	return states
}

const (
	defaultPage = 50
	maxPage     = 200
)

func listOf[S ~string](req ListRequest, known []S) (store.List, error) {
	l := store.List{Limit: req.Limit}
	if l.Limit == 0 {
		l.Limit = defaultPage
	}
	if l.Limit < 1 || l.Limit > maxPage {
		return l, missingField("/limit", "limit is 1 to 200")
	}
	if req.Cursor != "" {
		id, err := incident.ParseID(req.Cursor)
		if err != nil {
			return l, missingField("/cursor", "the cursor is what the page before gave as next")
		}
		l.After = id
	}
	return l, statesOf(req.State, known, &l.States)
}

func statesOf[S ~string](list string, known []S, into *[]string) error {
	if list == "" {
		return nil
	}
	for state := range strings.SplitSeq(list, ",") {
		if !slices.Contains(known, S(state)) {
			names := make([]string, len(known))
			for i, k := range known {
				names[i] = string(k)
			}
			f := fault.New(fault.Invalid, "there is no state %.40q; the states are %s", state, strings.Join(names, ", "))
			f.Fields = []fault.Field{{Pointer: "/state", Detail: f.Detail}}
			return f
		}
		*into = append(*into, state)
	}
	return nil
}

// Show gives one incident with its whole story, in order.
func (h *Incidents) Show(ctx context.Context, _ identity.Caller, req ByID) (IncidentView, error) {
	story, err := h.Store.Story(ctx, req.ID)
	if err != nil {
		return IncidentView{}, err
	}
	v := IncidentView{
		Incident: story.Incident, Alerts: append([]incident.Alert{}, story.Alerts...),
		Results: append([]incident.Result{}, story.Results...), Events: []EventView{},
		Diagnoses: []DiagnosisView{}, Decisions: []DecisionView{}, Intents: []json.RawMessage{}, Story: []StoryLine{},
	}
	for _, e := range story.Events {
		v.Events = append(v.Events, EventView(e))
	}
	v.judged(story.Judged)
	for _, a := range story.Audit {
		v.Story = append(v.Story, StoryLine{At: a.At, Operation: a.Operation, Actor: a.Actor, IntentID: a.IntentID, Object: a.Object, Reason: a.Reason})
	}
	for _, in := range story.Intents {
		doc, err := View(in)
		if err != nil {
			return v, err
		}
		raw, err := doc.MarshalJSON()
		if err != nil {
			return v, err
		}
		v.Intents = append(v.Intents, raw)
	}
	return v, nil
}

// judged splits what is stored together: a diagnosis that only repeats the one
// before it is shown once.
func (v *IncidentView) judged(list []store.Judged) {
	for i, j := range list {
		if i == 0 || !sameDiagnosis(list[i-1].Diagnosis, j.Diagnosis) {
			v.Diagnoses = append(v.Diagnoses, DiagnosisView{ID: j.ID, At: j.At, Diagnosis: j.Diagnosis})
		}
		v.Decisions = append(v.Decisions, DecisionView{ID: j.ID, At: j.At, Decision: j.Decision})
	}
}

func sameDiagnosis(a, b incident.Diagnosis) bool {
	return a.Cause == b.Cause && a.Summary == b.Summary && a.Confidence == b.Confidence && a.ObservedAt.Equal(b.ObservedAt)
}
