package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/triage"
)

// SimulateRequest is one alert that is not one.
type SimulateRequest struct {
	Alert      json.RawMessage     `json:"alert" validate:"required"`
	Policy     string              `json:"policy" validate:"max=1048576"`
	Automation incident.Automation `json:"automation" validate:"omitempty,oneof=paused dry_run live"`
	Now        time.Time           `json:"now"`
}

// Simulation is what would follow.
type Simulation struct {
	Incident  incident.Incident  `json:"incident"`
	Diagnosis incident.Diagnosis `json:"diagnosis"`
	Decision  incident.Decision  `json:"decision"`
	incident.Record
	Intents []incident.Intent `json:"intents"`
}

// Peeker tells what is known of the incident under a key.
type Peeker interface {
	Peek(ctx context.Context, key string, id incident.ID) (triage.Facts, error)
}

// Simulate says what would follow from one alert. Nothing is written.
type Simulate struct {
	Store  Peeker
	Policy func() *policy.Policy
	Now    func() time.Time
	IDs    incident.IDs
}

// Run takes the alert as far as it would go.
func (h *Simulate) Run(ctx context.Context, _ identity.Caller, req SimulateRequest) (Simulation, error) {
	p, err := h.policy(req.Policy)
	if err != nil {
		return Simulation{}, err
	}
	now := h.Now()
	if !req.Now.IsZero() {
		now = req.Now.UTC()
	}
	e, err := h.event(req.Alert, p, now)
	if err != nil {
		return Simulation{}, err
	}
	f, err := h.Store.Peek(ctx, e.Key(), h.IDs())
	if err != nil {
		return Simulation{}, err
	}
	if req.Automation != "" {
		f.Automation = req.Automation
	}
	o := triage.Run(p, f, []triage.Arrival{{Event: e}}, now, h.IDs)
	return Simulation{o.Incident, o.Diagnosis, o.Decision, o.Decision.Record, append([]incident.Intent{}, o.Intents...)}, nil
}

// policy is the one to try: a text that is not one says where and why.
func (h *Simulate) policy(text string) (*policy.Policy, error) {
	if text == "" {
		return h.Policy(), nil
	}
	p, err := policy.Load("policy", []byte(text), remedy.Catalogue{})
	if err == nil {
		return p, nil
	}
	f := fault.New(fault.Invalid, "the policy is not good; errors name line and column")
	var all policy.Errors
	if errors.As(err, &all) {
		for _, one := range all {
			f.Fields = append(f.Fields, fault.Field{Pointer: "/policy", Detail: one.Error()})
		}
	}
	return nil, f
}

// event reads the one alert, as if its evidence came from a sender that policy trusts.
func (h *Simulate) event(body []byte, p *policy.Policy, now time.Time) (incident.Event, error) {
	set := p.Settings()
	subject := "simulation"
	if len(set.TrustedEvidence) > 0 {
		subject = set.TrustedEvidence[0]
	}
	parsed, err := intake.Native().Parse(intake.Input{Body: body, DefaultCluster: set.DefaultCluster, Subject: subject, ReceivedAt: now, IDs: h.IDs})
	if err != nil {
		return incident.Event{}, malformed(err)
	}
	switch {
	case len(parsed.Items) != 1:
		return incident.Event{}, missingField("/alert", "one alert is simulated at a time")
	case len(parsed.Items[0].Rejected) > 0:
		f := fault.New(fault.Invalid, "the alert is not as it must be")
		for _, problem := range parsed.Items[0].Rejected {
			f.Fields = append(f.Fields, fault.Field{Pointer: "/alert" + problem.Pointer, Detail: problem.Detail})
		}
		return incident.Event{}, f
	}
	e := parsed.Items[0].Event
	if err := redacted(&e); err != nil {
		return e, err
	}
	return triage.Locate(e), nil
}
