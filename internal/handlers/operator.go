package handlers

import (
	"context"
	"time"

	"salve/internal/identity"
	"salve/internal/policy"
	"salve/internal/redact"
	"salve/internal/store"
)

// OperatorStore keeps what operators set and verify.
type OperatorStore interface {
	Automation(ctx context.Context) (store.Automation, error)
	SetAutomation(ctx context.Context, a store.Automation, first bool) error
	VerifyAudit(ctx context.Context) (store.Verification, error)
}

// Operator are the doors of whoever runs Salve.
type Operator struct {
	Store  OperatorStore
	Policy func() *policy.Policy
	Now    func() time.Time
}

// Automation shows the mode of the whole service.
func (h *Operator) Automation(ctx context.Context, _ identity.Caller) (AutomationView, error) {
	a, err := h.Store.Automation(ctx)
	return AutomationView(a), err
}

// SetAutomation changes it; the change is audited in the same transaction.
func (h *Operator) SetAutomation(ctx context.Context, caller identity.Caller, req AutomationRequest) (AutomationView, error) {
	err := h.Store.SetAutomation(ctx, store.Automation{Mode: req.Mode, Reason: redact.Text(req.Reason), By: caller.Subject}, false)
	if err != nil {
		return AutomationView{}, err
	}
	return h.Automation(ctx, caller)
}

// ShowPolicy gives the policy in force.
func (h *Operator) ShowPolicy(context.Context, identity.Caller) (PolicyView, error) {
	p := h.Policy()
	return PolicyView{Version: p.Version(), Source: string(p.Source())}, nil
}

// VerifyAudit reads the whole audit chain again.
func (h *Operator) VerifyAudit(ctx context.Context, _ identity.Caller) (AuditVerification, error) {
	v, err := h.Store.VerifyAudit(ctx)
	return AuditVerification{
		OK: v.Broken == "", Rows: v.Rows, SealedUpTo: v.SealedUpTo, Unsealed: v.Unsealed,
		Head: v.HeadHex(), CheckedAt: h.Now(), Broken: v.Broken,
	}, err
}
