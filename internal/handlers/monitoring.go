package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/objective"
	"salve/internal/outlook"
	"salve/internal/policy"
	"salve/internal/redact"
	"salve/internal/store"
)

// WindowStore keeps the windows of services; see store.KeepAggregate.
type WindowStore interface {
	EvidenceStore
	SampleStore
	KeepAggregate(ctx context.Context, a incident.Aggregate, heard map[string]time.Time, episodes func([]incident.Aggregate) []incident.Episode) (store.Kept, error)
}

// Monitoring is the door for what monitoring says of a service.
type Monitoring struct {
	Taker  Taker
	Store  WindowStore
	Once   *Once
	Policy func() *policy.Policy
	Now    func() time.Time
	IDs    incident.IDs
}

// Take takes one aggregate: the window is kept, what it begins or ends goes through
// the door of all alerts, and an incident that is open is shown what misses its objective.
func (h *Monitoring) Take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	return h.Once.answer(ctx, caller, req, h.take)
}

func (h *Monitoring) take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	merged, err := h.parse(caller, req)
	if err != nil {
		return Answer{}, err
	}
	set := h.Policy().Settings()
	var heard map[string]time.Time
	if slices.Contains(set.TrustedEvidence, caller.Subject) {
		heard = objective.Heard(merged.Aggregate) // nobody else may say that a source is awake
	}
	kept, err := h.Store.KeepAggregate(ctx, merged.Aggregate, heard, objective.Episodes)
	if err != nil {
		return Answer{}, err
	}
	verdict := objective.Judge(objective.Case{Monitoring: set.Monitoring, History: kept.History, Alerts: kept.Alerts, DryRun: merged.DryRun}, h.IDs)
	told := monitored{result: ItemResult{Outcome: incident.Accepted, Reasons: append(append([]string{}, verdict.Reasons...), merged.Notes...)}, kept: kept}
	if !kept.New {
		told.result.Outcome = incident.Duplicate
		told.result.Reasons = append(told.result.Reasons, "this window is known already")
	}
	if told.result.Reasons, err = keepSamples(ctx, h.Store, outlook.OfAggregate(merged.Aggregate), told.result.Reasons); err != nil {
		return Answer{}, err
	}
	if err := h.alerts(ctx, caller, verdict.Events, &told); err != nil {
		return Answer{}, err
	}
	if err := h.look(ctx, caller, merged, set, verdict, &told); err != nil {
		return Answer{}, err
	}
	return told.answer(ctx)
}

func (h *Monitoring) parse(caller identity.Caller, req IntakeRequest) (intake.Merged, error) {
	merged, err := intake.Aggregate(intake.Input{
		Body: req.Body, ClusterHint: req.Cluster, DefaultCluster: h.Policy().Settings().DefaultCluster,
		Subject: caller.Subject, ReceivedAt: h.Now(), IDs: h.IDs,
	})
	switch {
	case err != nil:
		return merged, malformed(err)
	case len(merged.Rejected) > 0:
		return merged, unfitting("aggregate", merged.Rejected)
	}
	redactAggregate(&merged.Aggregate)
	return merged, nil
}

// redactAggregate looks at every word in it that is a sender's own.
func redactAggregate(a *incident.Aggregate) {
	a.Service = redact.Text(a.Service)
	for name, s := range a.Sources {
		s.Error = redact.Text(s.Error)
		a.Sources[name] = s
	}
	for i := range a.Deployments {
		d := &a.Deployments[i]
		d.Service, d.Version, d.Status = redact.Text(d.Service), redact.Text(d.Version), redact.Text(d.Status)
	}
	for i := range a.Alerts {
		a.Alerts[i] = redact.Text(a.Alerts[i])
	}
}

// alerts takes what begins and what is over.
func (h *Monitoring) alerts(ctx context.Context, caller identity.Caller, events []incident.Event, told *monitored) error {
	receipts, err := tell(ctx, h.Taker, caller, events) // the window is kept: sent again, the same alerts follow from it
	for i, r := range receipts {
		told.took(events[i], r)
	}
	return err
}

// look shows a new window to the incident that is open, where no alert brought it
// along: one that misses an objective, and any while a repair is watched.
func (h *Monitoring) look(ctx context.Context, caller identity.Caller, merged intake.Merged, set policy.Settings, verdict objective.Verdict, told *monitored) error {
	k := told.kept
	newest := k.History[len(k.History)-1].Window.End.Equal(merged.Window.End)
	wanted := k.New && newest && (verdict.Missed || k.State == incident.StateVerifying)
	if !wanted || told.evidence || k.Incident.IsZero() {
		return nil
	}
	e := incident.Event{
		ID: merged.ID, Kind: incident.EvidenceEvent, Source: "monitoring", Subject: caller.Subject, ReceivedAt: merged.ReceivedAt,
		MayExecute: caller.Allows(identity.IntentsExecute), Target: merged.Target, Service: merged.Service, Family: "slo",
		Evidence: objective.Evidence(set.Monitoring, k.History),
	}
	if err := redacted(&e); err != nil {
		return err
	}
	r, err := h.Store.TakeEvidence(ctx, k.Incident.String(), e)
	if err != nil {
		return err
	}
	told.took(e, r)
	return nil
}

// monitored gathers what became of one aggregate.
type monitored struct {
	result   ItemResult
	kept     store.Kept
	last     store.Receipt // of the incident as it stands at last
	evidence bool          // the incident was shown this window
}

func (m *monitored) took(e incident.Event, r store.Receipt) {
	accepted := r.Taken.Outcome == incident.Accepted
	if accepted && m.result.EventID == nil {
		m.result.EventID = &e.ID
	}
	m.evidence = m.evidence || accepted && len(e.Evidence) > 0
	if accepted && r.State != incident.StateResolved {
		for _, why := range r.Taken.Reasons {
			if strings.HasPrefix(why, "evidence") {
				m.result.Reasons = append(m.result.Reasons, why)
			}
		}
	}
	if r.State != "" {
		m.last = r
		m.result.Diagnosis, m.result.Decision = r.DiagnosisJSON, r.DecisionJSON
	}
}

// answer says in one of three words how the service fares: something is wrong and
// Salve is at it, or people are needed; else it is healthy as far as is known.
func (m *monitored) answer(ctx context.Context) (Answer, error) {
	r := m.last
	if r.State == "" {
		r.IncidentID, r.State, r.Intents = m.kept.Incident, m.kept.State, m.kept.Intents
	}
	if !r.IncidentID.IsZero() {
		m.result.IncidentID = &r.IncidentID
	}
	trailOf(ctx, r)
	b := newAnswer(1)
	if err := b.add(m.result, r); err != nil {
		return Answer{}, err
	}
	b.answer.Status = fares(r.State)
	return b.answer, nil
}

func fares(s incident.State) Status {
	switch s {
	case "", incident.StateResolved:
		return StatusHealthy
	case incident.StateEscalated, incident.StateAwaitingApproval:
		return StatusEscalated
	default:
		return StatusRepairing
	}
}
