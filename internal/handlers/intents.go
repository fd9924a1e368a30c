package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/redact"
	"salve/internal/store"
	"salve/internal/trail"
	"salve/internal/triage"
)

// IntentStore keeps intents. A name is an id or a short id; what does not exist
// is a NotFound fault, what the state does not allow a Conflict with its reason.
type IntentStore interface {
	Claim(ctx context.Context, name string, grant triage.LeaseGrant) (incident.Intent, error)
	Report(ctx context.Context, name, leaseToken string, e incident.Event, res incident.Result) (store.Receipt, error)
	Hear(ctx context.Context, name string, word triage.Word) (incident.Intent, error)
	Crashed(ctx context.Context, subject, execution string) ([]incident.ID, error)
	Intent(ctx context.Context, name string) (incident.Intent, error)
	Intents(ctx context.Context, l store.List) ([]incident.Intent, error)
}

// Intents are the doors of the executor and of the people who decide.
type Intents struct {
	Store IntentStore
	Now   func() time.Time
	IDs   incident.IDs
}

// Claim gives the lease of one intent and, only now, what to execute.
func (h *Intents) Claim(ctx context.Context, caller identity.Caller, req ClaimRequest) (ClaimResponse, error) {
	token := make([]byte, 32)
	if _, err := rand.Read(token); err != nil {
		return ClaimResponse{}, fmt.Errorf("make lease token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(token)
	hash := sha256.Sum256([]byte(text))
	in, err := h.Store.Claim(ctx, req.ID, triage.LeaseGrant{
		Subject: caller.Subject, Worker: redact.Text(req.Worker), ExecutionID: redact.Text(req.ExecutionID), Hash: hash[:],
	})
	if err != nil {
		return ClaimResponse{}, err
	}
	trail.Intent(ctx, in.ID)
	trail.Incident(ctx, in.IncidentID)
	return ClaimResponse{Lease: Lease{Token: text, ExpiresAt: in.LeaseExpires}, Execute: in.Execute}, nil
}

// Result takes the callback of an execution and answers with what is ready next.
func (h *Intents) Result(ctx context.Context, caller identity.Caller, req ResultRequest) (Answer, error) {
	e, res, err := h.result(caller, req)
	if err != nil {
		return Answer{}, err
	}
	receipt, err := h.Store.Report(ctx, req.ID, req.LeaseToken, e, res)
	if err != nil {
		return Answer{}, err
	}
	trail.Incident(ctx, receipt.IncidentID)
	result := ItemResult{
		EventID: &e.ID, Outcome: receipt.Taken.Outcome, IncidentID: &receipt.IncidentID,
		Diagnosis: receipt.DiagnosisJSON, Decision: receipt.DecisionJSON, Reasons: receipt.Taken.Reasons,
	}
	b := newAnswer(1)
	if err := b.add(result, receipt); err != nil {
		return Answer{}, err
	}
	return b.done(), nil
}

// result redacts what came from n8n too: its errors can carry bearer tokens.
func (h *Intents) result(caller identity.Caller, req ResultRequest) (incident.Event, incident.Result, error) {
	output, err := redact.JSON(notNull(req.Output))
	if err != nil {
		return incident.Event{}, incident.Result{}, fault.New(fault.Invalid, "output: %v", err)
	}
	evidence, err := redact.JSON(notNull(req.Evidence))
	if err != nil {
		return incident.Event{}, incident.Result{}, fault.New(fault.Invalid, "evidence: %v", err)
	}
	now := h.Now()
	e := incident.Event{
		ID: h.IDs(), Kind: incident.ResultEvent, Source: "result", Subject: caller.Subject, MayExecute: caller.Allows(identity.IntentsExecute),
		ReceivedAt: now, Evidence: evidence,
	}
	res := incident.Result{
		Status: req.Status, Output: output, Error: redact.Text(req.Error),
		StartedAt: req.StartedAt, FinishedAt: req.FinishedAt, ExecutionID: redact.Text(req.ExecutionID), ReceivedAt: now,
	}
	return e, res, nil
}

func notNull(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// Approve says yes to exactly the plan that was seen.
func (h *Intents) Approve(ctx context.Context, caller identity.Caller, req DecideRequest) (IntentView, error) {
	if req.PlanHash == "" {
		return IntentView{}, missingField("/plan_hash", "approve must carry the plan_hash that was seen")
	}
	return h.hear(ctx, caller, "approve", req)
}

// Reject says no to a plan that waits for a human.
func (h *Intents) Reject(ctx context.Context, caller identity.Caller, req DecideRequest) (IntentView, error) {
	return h.hear(ctx, caller, "reject", req)
}

// Abort stops an intent that was not claimed yet.
func (h *Intents) Abort(ctx context.Context, caller identity.Caller, req DecideRequest) (IntentView, error) {
	return h.hear(ctx, caller, "abort", req)
}

func (h *Intents) hear(ctx context.Context, caller identity.Caller, kind string, req DecideRequest) (IntentView, error) {
	if len(req.Override) > 0 && kind != "approve" {
		return IntentView{}, missingField("/override", "only a yes overrides guards; leave it out")
	}
	in, err := h.Store.Hear(ctx, req.ID, triage.Word{
		Kind: kind, Subject: caller.Subject, PlanHash: req.PlanHash, Reason: redact.Text(req.Reason),
		Override: req.Override, Groups: caller.Groups, Admin: caller.Allows(identity.Admin),
	})
	if err != nil {
		return IntentView{}, err
	}
	trail.Intent(ctx, in.ID)
	trail.Incident(ctx, in.IncidentID)
	return View(in)
}

func missingField(pointer, detail string) *fault.Fault {
	f := fault.New(fault.Invalid, "%s", detail)
	f.Fields = []fault.Field{{Pointer: pointer, Detail: detail}}
	return f
}

// Crashed ends the leases of an execution that n8n reports dead.
func (h *Intents) Crashed(ctx context.Context, caller identity.Caller, req CrashedRequest) (CrashedResponse, error) {
	lost, err := h.Store.Crashed(ctx, caller.Subject, redact.Text(req.ExecutionID)) // as the claim kept it
	for _, id := range lost {
		trail.Intent(ctx, id)
	}
	return CrashedResponse{Lost: lost}, err
}

// Show gives one intent.
func (h *Intents) Show(ctx context.Context, _ identity.Caller, req ByID) (IntentView, error) {
	in, err := h.Store.Intent(ctx, req.ID)
	if err != nil {
		return IntentView{}, err
	}
	return View(in)
}

// List gives a page of intents, newest first.
func (h *Intents) List(ctx context.Context, _ identity.Caller, req ListRequest) (Page[IntentView], error) {
	l, err := listOf(req, incident.IntentStates())
	if err != nil {
		return Page[IntentView]{}, err
	}
	list, err := h.Store.Intents(ctx, l)
	if err != nil {
		return Page[IntentView]{}, err
	}
	page := Page[IntentView]{Items: make([]IntentView, 0, len(list))}
	for _, in := range list {
		v, err := View(in)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, v)
	}
	if len(list) == l.Limit {
		page.Next = list[len(list)-1].ID.String()
	}
	return page, nil
}
