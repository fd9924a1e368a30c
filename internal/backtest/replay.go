package backtest

import (
	"crypto/sha256"
	"fmt"
	"time"

	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
	"salve/internal/triage"
)

// Stored is one event as the store keeps it, with what is known of its case.
type Stored struct {
	ID         incident.ID
	ReceivedAt time.Time
	Kind       incident.EventKind
	Source     string
	Subject    string
	Incident   incident.ID
	Name       string // INC-1042
	Cluster    string
	Payload    []byte
	Evidence   []byte

	// Of a result: what was executed, and how that ended.
	Action string
	Target incident.Target
	Status incident.ResultStatus
}

// replay is one policy's way through the events. What another policy would have
// done to the world is not known: what was executed then is taken to have had the
// same result, and what was not executed is not.
type replay struct {
	policy  *policy.Policy
	freezes []incident.Freeze
	cases   map[incident.ID]*course
	repairs []incident.Repair
	serial  uint64
}

// course is one incident on its way, and the boldest that was decided about it.
type course struct {
	facts  triage.Facts
	answer Answer
}

// Answer is what a policy had to say of one incident: the boldest decision.
type Answer struct {
	Verdict incident.Verdict `json:"verdict"`
	Rule    string           `json:"rule,omitempty"`
	Actions []string         `json:"actions,omitempty"`
	Reasons []string         `json:"reasons"`
	Stopped []string         `json:"stopped,omitempty"` // by guards
	Cause   string           `json:"cause"`
	Target  string           `json:"target"`
	At      time.Time        `json:"at"`
}

func newReplay(p *policy.Policy, freezes []incident.Freeze) *replay {
	return &replay{policy: p, freezes: freezes, cases: map[incident.ID]*course{}}
}

// ids are the same for the same event under each policy.
func (r *replay) ids(e Stored) incident.IDs {
	return func() incident.ID {
		r.serial++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", e.ID, r.serial))
		return incident.NewID(e.ReceivedAt, [10]byte(sum[:10]))
	}
}

// take brings one event to its incident.
func (r *replay) take(e Stored) error {
	c := r.cases[e.Incident]
	event, err := e.event(r.policy.Settings(), r.ids(e))
	if err != nil {
		return err
	}
	if c == nil {
		if event.Kind != incident.AlertEvent || event.Status != incident.Firing {
			return nil // its beginning lies before the time that is looked at
		}
		c = &course{facts: triage.Facts{New: true, Incident: incident.Incident{ID: e.Incident, ShortID: e.Name, Key: event.Key()}}}
		r.cases[e.Incident] = c
	}
	r.prepare(c, e)
	arrival := triage.Arrival{Event: event}
	if event.Kind == incident.ResultEvent {
		r.executed(c, e, &arrival)
	}
	arrivals := []triage.Arrival{arrival}
	r.follow(c, triage.Run(r.policy, c.facts, arrivals, e.ReceivedAt, r.ids(e)), arrivals)
	return nil
}

// prepare lets time pass up to an event.
func (r *replay) prepare(c *course, e Stored) {
	set := r.policy.Settings()
	c.facts.Automation = incident.Live
	for len(c.facts.Evidence) > 0 && e.ReceivedAt.Sub(c.facts.Evidence[0].ReceivedAt) >= set.Evidence.MaxDuration {
		c.facts.Evidence = c.facts.Evidence[1:]
	}
	since := e.ReceivedAt.Add(-max(set.LookBack(), set.Recurrence))
	for len(r.repairs) > 0 && r.repairs[0].BeganAt.Before(since) {
		r.repairs = r.repairs[1:]
	}
	c.facts.Guards = policy.GuardState{Repairs: r.repairs}
	for _, f := range r.freezes {
		if !f.At.After(e.ReceivedAt) {
			c.facts.Guards.Freezes = append(c.facts.Guards.Freezes, f)
		}
	}
	if !c.facts.New {
		r.follow(c, triage.Run(r.policy, c.facts, nil, e.ReceivedAt, r.ids(e)), nil)
	}
}

// follow takes an outcome as the store would.
func (r *replay) follow(c *course, o triage.Outcome, arrivals []triage.Arrival) {
	for _, rep := range o.Repairs {
		r.keep(rep)
	}
	if o.Judged {
		c.answer.hear(o)
	}
	c.facts = c.facts.After(o, arrivals)
	c.facts.Guards.Repairs = r.repairs
}

func (r *replay) keep(rep incident.Repair) {
	for i := range r.repairs {
		if r.repairs[i].ID == rep.ID {
			r.repairs[i] = rep
			return
		}
	}
	r.repairs = append(r.repairs, rep)
}

// executed finds what a result would be about under this policy: a live intent of
// the same action and target. Where there is none, what was seen then is looked
// at all the same, as evidence.
func (r *replay) executed(c *course, e Stored, a *triage.Arrival) {
	for _, in := range c.facts.Intents {
		if in.State.Terminal() || in.Action != e.Action || in.Target.Key("") != e.Target.Key("") {
			continue
		}
		if in.State == incident.AwaitingApproval {
			o, _ := triage.Hear(r.policy, c.facts, in.ID, triage.Word{
				Kind: "approve", Subject: "backtest", PlanHash: in.PlanHash, Reason: "it was executed then",
			}, e.ReceivedAt, r.ids(e))
			r.follow(c, o, nil)
		}
		o, refused := triage.Claim(r.policy, c.facts, in.ID, triage.LeaseGrant{Subject: e.Subject, Hash: []byte{1}}, e.ReceivedAt, r.ids(e))
		r.follow(c, o, nil)
		if refused == nil {
			a.Event.IntentID = in.ID
			a.Result = &incident.Result{IntentID: in.ID, Status: e.Status, FinishedAt: e.ReceivedAt, ReceivedAt: e.ReceivedAt}
			return
		}
	}
	a.Event.Kind = incident.EvidenceEvent
}

// event is the stored event as it came in then.
func (e Stored) event(set policy.Settings, ids incident.IDs) (incident.Event, error) {
	if e.Kind != incident.AlertEvent {
		return incident.Event{ID: e.ID, Kind: e.Kind, Source: e.Source, Subject: e.Subject, ReceivedAt: e.ReceivedAt, IncidentID: e.Incident, Evidence: e.Evidence}, nil
	}
	source, body := intake.Native(), e.Payload
	if e.Source == "alertmanager" {
		var err error
		if source, err = intake.Lookup(e.Source); err != nil {
			return incident.Event{}, err
		}
		body = fmt.Appendf(nil, `{"version":"4","alerts":[%s]}`, e.Payload)
	}
	parsed, err := source.Parse(intake.Input{
		Body: body, ClusterHint: e.Cluster, DefaultCluster: set.DefaultCluster, Subject: e.Subject, ReceivedAt: e.ReceivedAt, IDs: ids,
	})
	if err != nil || len(parsed.Items) != 1 || len(parsed.Items[0].Rejected) > 0 {
		return incident.Event{}, fmt.Errorf("event %s of %s cannot be read again: %w", e.ID, e.Name, cannotRead(err))
	}
	event := parsed.Items[0].Event
	event.ID, event.Evidence = e.ID, e.Evidence
	return triage.Locate(event), nil
}

func cannotRead(err error) error {
	if err == nil {
		return fmt.Errorf("it is not one good alert")
	}
	return err
}
