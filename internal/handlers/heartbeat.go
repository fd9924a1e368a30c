package handlers

import (
	"context"
	"time"

	"salve/internal/checklist"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/store"
)

// HeartbeatStore knows what is ready, what is due and what is open.
type HeartbeatStore interface {
	NoteHeartbeat(ctx context.Context) error
	OfferChecks(ctx context.Context, checks []checklist.Check, limit int) ([]checklist.Check, error)
	Offer(ctx context.Context, limit int) ([]incident.Intent, error)
	Incidents(ctx context.Context, l store.List) ([]incident.Incident, error)
}

// Heartbeat is the door of n8n's clock.
type Heartbeat struct {
	Store     HeartbeatStore
	Checklist func() *checklist.Checklist
	Every     time.Duration   // between two looks of a long poll
	Stop      <-chan struct{} // closed when the program stops: no poll keeps it waiting
	Ticked    func()          // the clock ticks: tasks may be due; returns at once
}

const (
	defaultOffer = 10
	issuesShown  = 50
)

// Beat answers as soon as an intent is ready or a check is due, and otherwise when the
// wait is over. Waiting spends nothing: what is offered is marked at the moment of the
// answer.
func (h *Heartbeat) Beat(ctx context.Context, _ identity.Caller, req HeartbeatRequest) (HeartbeatResponse, error) {
	limit := req.Max
	if limit == 0 {
		limit = defaultOffer
	}
	if err := h.Store.NoteHeartbeat(ctx); err != nil {
		return HeartbeatResponse{}, err
	}
	h.Ticked()
	found, err := h.await(ctx, limit, time.Duration(req.Wait)*time.Second)
	if err != nil {
		return HeartbeatResponse{}, err
	}
	open, err := h.Store.Incidents(ctx, store.List{States: openStates(), Limit: issuesShown})
	if err != nil {
		return HeartbeatResponse{}, err
	}
	return beat(found, open)
}

// work is what an executor is asked to do.
type work struct {
	intents []incident.Intent
	checks  []checklist.Check
}

func (w work) none() bool { return len(w.intents)+len(w.checks) == 0 }

func (h *Heartbeat) await(ctx context.Context, limit int, wait time.Duration) (work, error) {
	over := time.After(wait)
	look := time.NewTicker(h.Every)
	defer look.Stop()
	for {
		found, err := h.offer(ctx, limit)
		if err != nil || !found.none() || wait == 0 {
			return found, err
		}
		select {
		case <-look.C:
		case <-over:
			return h.offer(ctx, limit)
		case <-h.Stop:
			return work{}, nil
		case <-ctx.Done():
			return work{}, ctx.Err()
		}
	}
}

// offer takes what is ready and what is due. Intents come first: that the checks
// cannot be read is no reason to lose what was offered.
func (h *Heartbeat) offer(ctx context.Context, limit int) (w work, err error) {
	if w.intents, err = h.Store.Offer(ctx, limit); err != nil || len(w.intents) > 0 {
		return w, err
	}
	w.checks, err = h.Store.OfferChecks(ctx, h.runnable(), limit)
	return w, err
}

// runnable are the checks that an executor can be asked to run.
func (h *Heartbeat) runnable() []checklist.Check {
	var out []checklist.Check
	for _, c := range h.Checklist().Checks() {
		if !c.ByItself() {
			out = append(out, c)
		}
	}
	return out
}

func beat(w work, open []incident.Incident) (HeartbeatResponse, error) {
	r := HeartbeatResponse{
		Status: HeartbeatOK, Intents: make([]IntentView, len(w.intents)), Checks: make([]DueCheck, len(w.checks)), ActiveIssues: make([]Issue, len(open)),
	}
	if len(w.intents)+len(open) > 0 {
		r.Status = HeartbeatAttention
	}
	for i, c := range w.checks {
		execute, err := c.Execute()
		if err != nil {
			return r, err
		}
		r.Checks[i] = DueCheck{c.Name, c.Kind, execute}
	}
	for i, in := range w.intents {
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
