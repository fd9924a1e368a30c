package handlers

import (
	"context"
	"time"

	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/store"
)

// HeartbeatStore knows what is ready and what is open.
type HeartbeatStore interface {
	Offer(ctx context.Context, limit int) ([]incident.Intent, error)
	Incidents(ctx context.Context, l store.List) ([]incident.Incident, error)
}

// Heartbeat is the door of n8n's clock.
type Heartbeat struct {
	Store HeartbeatStore
	Every time.Duration   // between two looks of a long poll
	Stop  <-chan struct{} // closed when the program stops: no poll keeps it waiting
}

const (
	defaultOffer = 10
	issuesShown  = 50
)

// Beat answers as soon as an intent is ready, and otherwise when the wait is over.
// Waiting spends nothing: what is offered is marked at the moment of the answer.
func (h *Heartbeat) Beat(ctx context.Context, _ identity.Caller, req HeartbeatRequest) (HeartbeatResponse, error) {
	limit := req.Max
	if limit == 0 {
		limit = defaultOffer
	}
	intents, err := h.await(ctx, limit, time.Duration(req.Wait)*time.Second)
	if err != nil {
		return HeartbeatResponse{}, err
	}
	open, err := h.Store.Incidents(ctx, store.List{States: openStates(), Limit: issuesShown})
	if err != nil {
		return HeartbeatResponse{}, err
	}
	return beat(intents, open)
}

func (h *Heartbeat) await(ctx context.Context, limit int, wait time.Duration) ([]incident.Intent, error) {
	over := time.After(wait)
	look := time.NewTicker(h.Every)
	defer look.Stop()
	for {
		intents, err := h.Store.Offer(ctx, limit)
		if err != nil || len(intents) > 0 || wait == 0 {
			return intents, err
		}
		select {
		case <-look.C:
		case <-over:
			return h.Store.Offer(ctx, limit)
		case <-h.Stop:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func beat(intents []incident.Intent, open []incident.Incident) (HeartbeatResponse, error) {
	r := HeartbeatResponse{Status: HeartbeatOK, Intents: make([]IntentView, len(intents)), ActiveIssues: make([]Issue, len(open))}
	if len(intents)+len(open) > 0 {
		r.Status = HeartbeatAttention
	}
	for i, in := range intents {
		var err error
		if r.Intents[i], err = View(in); err != nil {
			return r, err
		}
	}
	for i, inc := range open {
		r.ActiveIssues[i] = Issue{inc.ID, inc.ShortID, inc.State, inc.Severity, inc.Cause, inc.Summary, inc.OpenedAt}
	}
	return r, nil
}
