package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
	"salve/internal/redact"
	"salve/internal/store"
	"salve/internal/trail"
)

// Taker makes events durable and says what became of each, in order. It returns
// after the commit. An Overloaded or Unavailable fault means nothing was taken.
type Taker interface {
	Take(ctx context.Context, events []incident.Event) ([]store.Receipt, error)
}

// Intake is the door for alerts.
type Intake struct {
	Taker   Taker
	Once    *Once
	Policy  func() *policy.Policy
	Now     func() time.Time
	IDs     incident.IDs
	Decoded func(took time.Duration) // told how long reading a body took
}

// Alerts takes one POST, item by item. One bad item never loses the good ones.
func (h *Intake) Alerts(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	return h.Once.answer(ctx, caller, req, h.take)
}

func (h *Intake) take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	items, err := h.parse(caller, req)
	if err != nil {
		return Answer{}, err
	}
	var events []incident.Event
	for i := range items {
		if wanted(items[i]) {
			events = append(events, items[i].Event)
		}
	}
	receipts, err := h.Taker.Take(ctx, events)
	if err != nil {
		return Answer{}, err
	}
	return h.answer(ctx, items, receipts)
}

func wanted(item intake.Item) bool { return len(item.Rejected) == 0 && item.Suppress == "" }

// parse reads the body as its source writes it; secrets are redacted here,
// before anything is stored or logged.
func (h *Intake) parse(caller identity.Caller, req IntakeRequest) ([]intake.Item, error) {
	source := intake.Native()
	if req.Source != source.Name {
		var err error
		if source, err = intake.Lookup(req.Source); err != nil {
			return nil, &fault.Fault{Kind: fault.NotFound, Detail: err.Error()}
		}
	}
	start := time.Now()
	defer func() { h.Decoded(time.Since(start)) }()
	parsed, err := source.Parse(intake.Input{
		Body: req.Body, ClusterHint: req.Cluster, DefaultCluster: h.Policy().Settings().DefaultCluster,
		Subject: caller.Subject, ReceivedAt: h.Now(), IDs: h.IDs,
	})
	if err != nil {
		return nil, malformed(err)
	}
	for i := range parsed.Items {
		parsed.Items[i].Event.MayExecute = caller.Allows(identity.IntentsExecute)
		if err := redacted(&parsed.Items[i].Event); err != nil {
			return nil, err
		}
	}
	return parsed.Items, nil
}

func malformed(err error) error {
	f := &fault.Fault{Kind: fault.Malformed, Detail: err.Error()}
	if body, ok := errors.AsType[*intake.BodyError](err); ok && body.Pointer != "" {
		f.Fields = []fault.Field{{Pointer: body.Pointer, Detail: body.Detail}}
	}
	return f
}

func redacted(e *incident.Event) (err error) {
	if e.Payload, err = redact.JSON(e.Payload); err != nil {
		return fmt.Errorf("redact payload of event %s: %w", e.ID, err)
	}
	if e.Evidence, err = redact.JSON(e.Evidence); err != nil {
		return fmt.Errorf("redact evidence of event %s: %w", e.ID, err)
	}
	e.Name, e.Service, e.Message = redact.Text(e.Name), redact.Text(e.Service), redact.Text(e.Message)
	e.Labels, e.Annotations = redact.Pairs(e.Labels), redact.Pairs(e.Annotations)
	return nil
}

// tell takes alerts that Salve makes itself of what was sent. One that cannot be taken
// fails them all: sent again, the same alerts follow.
func tell(ctx context.Context, to Taker, caller identity.Caller, events []incident.Event) ([]store.Receipt, error) {
	if len(events) == 0 {
		return nil, nil
	}
	for i := range events {
		events[i].MayExecute = caller.Allows(identity.IntentsExecute)
		if err := redacted(&events[i]); err != nil {
			return nil, err
		}
	}
	receipts, err := to.Take(ctx, events)
	if err != nil {
		return nil, err
	}
	for _, r := range receipts {
		if r.Err != nil {
			return nil, r.Err
		}
	}
	return receipts, nil
}

// answer joins what was refused here with what became of the rest.
func (h *Intake) answer(ctx context.Context, items []intake.Item, receipts []store.Receipt) (Answer, error) {
	b := newAnswer(len(items))
	refused := 0
	for i := range items {
		item := &items[i]
		switch {
		case len(item.Rejected) > 0:
			refused++
			_ = b.add(rejected(item.Rejected), store.Receipt{})
		case item.Suppress != "":
			_ = b.add(ItemResult{Outcome: incident.Suppressed, Reasons: []string{item.Suppress}}, store.Receipt{})
		default:
			r := receipts[0]
			receipts = receipts[1:]
			result, err := h.taken(ctx, item, r)
			if err != nil {
				return Answer{}, err
			}
			if result.Outcome == incident.Rejected {
				refused++
			}
			if err := b.add(result, r); err != nil {
				return Answer{}, err
			}
		}
	}
	if refused == len(items) && refused > 0 {
		return Answer{}, allRejected(b.answer.Results)
	}
	return b.done(), nil
}

func (h *Intake) taken(ctx context.Context, item *intake.Item, r store.Receipt) (ItemResult, error) {
	if r.Err != nil {
		if f := fault.As(r.Err); f.Kind != fault.Internal {
			return ItemResult{}, r.Err // nothing of it was taken: the sender sends again, and what was taken is a duplicate then
		}
		trail.Error(ctx, r.Err)
		return ItemResult{Outcome: incident.Rejected, Reasons: []string{"this item alone could not be stored; the log has the cause"}}, nil
	}
	id := item.Event.ID
	result := ItemResult{
		EventID: &id, Outcome: r.Taken.Outcome, Diagnosis: r.DiagnosisJSON, Decision: r.DecisionJSON,
		Reasons: append(r.Taken.Reasons, item.Notes...),
	}
	if r.Taken.Outcome == incident.Duplicate {
		result.EventID = nil // nothing new was kept
	}
	if !r.IncidentID.IsZero() {
		result.IncidentID = &r.IncidentID
	}
	trailOf(ctx, r)
	return result, nil
}

func rejected(problems []intake.Problem) ItemResult {
	r := ItemResult{Outcome: incident.Rejected, Reasons: []string{}}
	for _, p := range problems {
		r.Errors = append(r.Errors, fault.Field{Pointer: p.Pointer, Detail: p.Detail})
		r.Reasons = append(r.Reasons, strings.TrimPrefix(p.Pointer+": "+p.Detail, ": "))
	}
	return r
}

func allRejected(results []ItemResult) error {
	f := fault.New(fault.AllRejected, "every item was refused; nothing was taken")
	for _, r := range results {
		f.Fields = append(f.Fields, r.Errors...)
	}
	f.Extra = map[string]any{"results": results}
	return f
}
