package handlers

import (
	"context"
	"strings"
	"time"

	"salve/internal/evidence"
	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
	"salve/internal/store"
	"salve/internal/trail"
)

// EvidenceStore takes evidence about an incident, by its id or short id, or where
// that is empty about the event's target. An incident that does not exist is a
// NotFound fault. It returns after the commit.
type EvidenceStore interface {
	TakeEvidence(ctx context.Context, about string, e incident.Event) (store.Receipt, error)
}

// Evidence is the door for evidence that nobody asked for.
type Evidence struct {
	Store  EvidenceStore
	Once   *Once
	Policy func() *policy.Policy
	Now    func() time.Time
	IDs    incident.IDs
}

// Take takes one piece of evidence and answers with what it makes of its incident.
func (h *Evidence) Take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	return h.Once.answer(ctx, caller, req, h.take)
}

func (h *Evidence) take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	given, err := h.parse(caller, req)
	if err != nil {
		return Answer{}, err
	}
	r, err := h.Store.TakeEvidence(ctx, given.Incident, given.Event)
	if err != nil {
		return Answer{}, err
	}
	result := evidenceResult(given, r)
	if r.Taken.Outcome == incident.Rejected {
		return Answer{}, allRejected([]ItemResult{result})
	}
	trailOf(ctx, r)
	b := newAnswer(1)
	if err := b.add(result, r); err != nil {
		return Answer{}, err
	}
	return b.done(), nil
}

// parse reads the body; secrets are redacted here, before anything is stored or logged.
func (h *Evidence) parse(caller identity.Caller, req IntakeRequest) (intake.Unasked, error) {
	given, err := intake.Evidence(intake.Input{
		Body: req.Body, ClusterHint: req.Cluster, DefaultCluster: h.Policy().Settings().DefaultCluster,
		Subject: caller.Subject, ReceivedAt: h.Now(), IDs: h.IDs,
	})
	switch {
	case err != nil:
		return given, malformed(err)
	case len(given.Rejected) > 0:
		return given, unfit(given.Rejected)
	case !evidence.Shows(given.Event.Evidence):
		return given, unfit([]intake.Problem{{
			Pointer: "/evidence", Detail: "holds nothing that is known here; known are " + strings.Join(evidence.Keys(), ", "),
		}})
	}
	given.Event.MayExecute = caller.Allows(identity.IntentsExecute)
	return given, redacted(&given.Event)
}

func unfit(problems []intake.Problem) error { return unfitting("evidence", problems) }

// unfitting names the fields for which something was not taken.
func unfitting(what string, problems []intake.Problem) error {
	f := fault.New(fault.Invalid, "The %s was not taken: fields are not as they must be.", what)
	for _, p := range problems {
		f.Fields = append(f.Fields, fault.Field{Pointer: p.Pointer, Detail: p.Detail})
	}
	return f
}

func evidenceResult(given intake.Unasked, r store.Receipt) ItemResult {
	result := ItemResult{
		Outcome: r.Taken.Outcome, Diagnosis: r.DiagnosisJSON, Decision: r.DecisionJSON,
		Reasons: append(r.Taken.Reasons, given.Notes...),
	}
	if !r.IncidentID.IsZero() {
		result.IncidentID = &r.IncidentID
	}
	if r.Taken.Outcome != incident.Rejected {
		result.EventID = &given.Event.ID
		return result
	}
	for _, why := range r.Taken.Reasons {
		result.Errors = append(result.Errors, fault.Field{Pointer: "/evidence", Detail: strings.TrimPrefix(why, "evidence: ")})
	}
	return result
}

// trailOf leaves on the request's log line what it touched.
func trailOf(ctx context.Context, r store.Receipt) {
	if !r.IncidentID.IsZero() {
		trail.Incident(ctx, r.IncidentID)
	}
	for _, in := range r.Intents {
		trail.Intent(ctx, in.ID)
	}
}
