package handlers

import (
	"context"
	"errors"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/redact"
)

// GuardStore keeps what people set to stop changes, or let them go on.
type GuardStore interface {
	Freezes(ctx context.Context) ([]incident.Freeze, error)
	AddFreeze(ctx context.Context, f incident.Freeze) (incident.Freeze, error)
	EndFreeze(ctx context.Context, id, by string) (incident.Freeze, error)
	Breakers(ctx context.Context) ([]incident.Breaker, error)
	ResetBreaker(ctx context.Context, id, by, reason string) (incident.Breaker, error)
	Promotions(ctx context.Context) ([]incident.Promotion, error)
	DecidePromotion(ctx context.Context, id, state, by, reason string) (incident.Promotion, error)
}

// Guards are the doors of freezes and breakers.
type Guards struct {
	Store GuardStore
	Now   func() time.Time
}

// Freezes lists what stops changes by the calendar, now or later.
func (h *Guards) Freezes(ctx context.Context, _ identity.Caller) (Items[FreezeView], error) {
	all, err := h.Store.Freezes(ctx)
	list := Items[FreezeView]{Items: make([]FreezeView, len(all))}
	for i, f := range all {
		list.Items[i] = h.view(f)
	}
	return list, err
}

func (h *Guards) view(f incident.Freeze) FreezeView { return FreezeView{f, policy.Frozen(f, h.Now())} }

// AddFreeze stops changes for a time, once or again and again.
func (h *Guards) AddFreeze(ctx context.Context, caller identity.Caller, req FreezeRequest) (FreezeView, error) {
	f := incident.Freeze{
		Reason: redact.Text(req.Reason), StartsAt: req.StartsAt.UTC(), EndsAt: req.EndsAt.UTC(), Match: req.Match,
		RRule: req.RRule, Timezone: req.Timezone, By: caller.Subject,
	}
	if req.StartsAt.IsZero() {
		f.StartsAt = h.Now()
	}
	if err := policy.CheckFreeze(f, h.Now()); err != nil {
		if field, ok := errors.AsType[*policy.FieldError](err); ok {
			return FreezeView{}, missingField("/"+field.Field, field.Detail)
		}
		return FreezeView{}, fault.New(fault.Invalid, "%v", err)
	}
	f, err := h.Store.AddFreeze(ctx, f)
	return h.view(f), err
}

// EndFreeze takes one back; what it stopped is looked at again.
func (h *Guards) EndFreeze(ctx context.Context, caller identity.Caller, req ByID) (FreezeView, error) {
	f, err := h.Store.EndFreeze(ctx, req.ID, caller.Subject)
	return FreezeView{Freeze: f}, err
}

// Breakers lists what stops repairs that kept failing.
func (h *Guards) Breakers(ctx context.Context, _ identity.Caller) (Items[BreakerView], error) {
	all, err := h.Store.Breakers(ctx)
	list := Items[BreakerView]{Items: make([]BreakerView, len(all))}
	for i, b := range all {
		list.Items[i] = BreakerView{b, b.Open()}
	}
	return list, err
}

// ResetBreaker lets repairs go on.
func (h *Guards) ResetBreaker(ctx context.Context, caller identity.Caller, req ResetRequest) (BreakerView, error) {
	b, err := h.Store.ResetBreaker(ctx, req.ID, caller.Subject, redact.Text(req.Reason))
	return BreakerView{b, b.Open()}, err
}

// Promotions lists what might be done without asking, and what is.
func (h *Guards) Promotions(ctx context.Context, _ identity.Caller) (Items[incident.Promotion], error) {
	all, err := h.Store.Promotions(ctx)
	return Items[incident.Promotion]{Items: append([]incident.Promotion{}, all...)}, err
}

// Promote lets a remedy be done without a yes, one level up.
func (h *Guards) Promote(ctx context.Context, caller identity.Caller, req ResetRequest) (incident.Promotion, error) {
	return h.Store.DecidePromotion(ctx, req.ID, incident.Promoted, caller.Subject, redact.Text(req.Reason))
}

// RejectPromotion leaves it as it is, or takes a promotion back.
func (h *Guards) RejectPromotion(ctx context.Context, caller identity.Caller, req ResetRequest) (incident.Promotion, error) {
	return h.Store.DecidePromotion(ctx, req.ID, incident.PromotionRejected, caller.Subject, redact.Text(req.Reason))
}
