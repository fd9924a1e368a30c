package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"salve/internal/capacity"
	"salve/internal/evidence"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/outlook"
	"salve/internal/policy"
	"salve/internal/redact"
	"salve/internal/store"
	"salve/internal/trend"
)

// CapacityStore knows which alert of a workload fires.
type CapacityStore interface {
	EvidenceStore
	SampleStore
	Alert(ctx context.Context, e incident.Episode) (incident.Alert, bool, error)
}

// Capacity is the door for what workloads use.
type Capacity struct {
	Taker  Taker
	Store  CapacityStore
	Once   *Once
	Policy func() *policy.Policy
	Now    func() time.Time
	IDs    incident.IDs
}

// CapacityAnswer is what is said of a workload's pods, in front of what every answer has.
type CapacityAnswer struct {
	ShouldScale     bool            `json:"should_scale"`
	Reason          string          `json:"reason"`
	CurrentPods     int             `json:"current_pods"`
	RecommendedPods int             `json:"recommended_pods"`
	Forecast        *trend.Forecast `json:"forecast"` // null where there was too little to make one of
}

// Take takes what one workload uses. Where it should have more pods, an alert goes
// through the door of all alerts, with what is recommended as evidence; where it should
// not, that alert is over.
func (h *Capacity) Take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	return h.Once.answer(ctx, caller, req, h.take)
}

func (h *Capacity) take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	u, err := h.parse(caller, req)
	if err != nil {
		return Answer{}, err
	}
	ev, problems := evidence.Parse(u.Evidence, u.ReceivedAt)
	v := capacity.Judge(capacity.Case{
		Policy: h.Policy().Settings().Scaling, Name: u.Target.Namespace + "/" + u.Target.Name, CPU: u.CPU, Memory: u.Memory, Pods: u.Pods,
		Series: u.Series, Min: u.Min, Max: u.Max, Owner: capacity.OwnerOf(ev, u.Target), Now: u.ReceivedAt,
	})
	result := ItemResult{Outcome: incident.Accepted, Reasons: append(append([]string{v.Reason}, v.Notes...), u.Notes...)}
	for _, p := range problems {
		result.Reasons = append(result.Reasons, "evidence"+p.Pointer+": "+p.Detail)
	}
	key := outlook.Key{Target: u.Target, Source: capacity.UsageSource, Subject: u.Subject}
	if result.Reasons, err = keepSamples(ctx, h.Store, outlook.OfUse(key, u.ReceivedAt, u.CPU, u.Memory), result.Reasons); err != nil {
		return Answer{}, err
	}
	r, err := h.tell(ctx, caller, u, v, &result)
	if err != nil {
		return Answer{}, err
	}
	trailOf(ctx, r)
	b := newAnswer(1)
	if err := b.add(result, r); err != nil {
		return Answer{}, err
	}
	answer := b.done()
	answer.Capacity = &CapacityAnswer{v.Scale, v.Reason, u.Pods, v.Recommended, v.Forecast}
	return answer, nil
}

func (h *Capacity) parse(caller identity.Caller, req IntakeRequest) (intake.Usage, error) {
	u, err := intake.Capacity(intake.Input{
		Body: req.Body, ClusterHint: req.Cluster, DefaultCluster: h.Policy().Settings().DefaultCluster,
		Subject: caller.Subject, ReceivedAt: h.Now(), IDs: h.IDs,
	})
	switch {
	case err != nil:
		return u, malformed(err)
	case len(u.Rejected) > 0:
		return u, unfitting("use", u.Rejected)
	}
	for i := range u.Notes {
		u.Notes[i] = redact.Text(u.Notes[i])
	}
	if u.Evidence, err = redact.JSON(u.Evidence); err != nil {
		return u, fmt.Errorf("redact evidence of %s: %w", u.Target, err)
	}
	return u, nil
}

// tell lets the alerts of a workload begin, go on, or end.
func (h *Capacity) tell(ctx context.Context, caller identity.Caller, u intake.Usage, v capacity.Verdict, result *ItemResult) (store.Receipt, error) {
	all, err := capacity.Events(u, v, h.IDs)
	if err != nil {
		return store.Receipt{}, err
	}
	var news []incident.Event
	var last store.Receipt
	for _, e := range all {
		known, is, err := h.Store.Alert(ctx, e.Episode)
		if err != nil {
			return last, err
		}
		firing := is && known.Status == incident.Firing
		switch {
		case e.Status == incident.Resolved && !firing:
		case e.Status == incident.Firing && firing && known.QuietUntil.IsZero():
			// Its episode is known, and would be a repeat: only what is new is shown.
			if e.Evidence == nil {
				continue
			}
			e.MayExecute = caller.Allows(identity.IntentsExecute)
			if err := redacted(&e); err != nil {
				return last, err
			}
			if last, err = h.Store.TakeEvidence(ctx, known.IncidentID.String(), unasked(e)); err != nil {
				return last, err
			}
			told(result, e, last)
		default:
			news = append(news, e)
		}
	}
	receipts, err := tell(ctx, h.Taker, caller, news)
	for i, r := range receipts {
		last = r
		told(result, news[i], r)
	}
	return last, err
}

// unasked is what an alert brings along, by itself.
func unasked(e incident.Event) incident.Event {
	return incident.Event{
		ID: e.ID, Kind: incident.EvidenceEvent, Source: e.Source, Subject: e.Subject, ReceivedAt: e.ReceivedAt, MayExecute: e.MayExecute,
		Target: e.Target, Service: e.Service, Family: e.Family, Evidence: e.Evidence,
	}
}

// told says what became of an event, and of the incident as it stands then.
func told(result *ItemResult, e incident.Event, r store.Receipt) {
	if r.Taken.Outcome == incident.Accepted && result.EventID == nil {
		result.EventID = &e.ID
	}
	if !r.IncidentID.IsZero() {
		result.IncidentID = &r.IncidentID
		result.Diagnosis, result.Decision = r.DiagnosisJSON, r.DecisionJSON
	}
}

// appendJSON writes the members of a capacity answer in front of the others.
func (c *CapacityAnswer) appendJSON(dst []byte) ([]byte, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return append(append(dst, raw[1:len(raw)-1]...), ','), nil
}
