package handlers

import (
	"salve/internal/incident"
	"salve/internal/store"
)

// View shows one intent.
func View(in incident.Intent) (IntentView, error) {
	doc, err := in.Document()
	return IntentView{ID: in.ID, ShortID: in.ShortID, IncidentID: in.IncidentID, State: in.State, NotBefore: in.NotBefore, Doc: doc}, err
}

// answerBuilder gathers what many receipts say into one answer.
type answerBuilder struct {
	answer Answer
	seen   map[incident.ID]bool
	states []incident.State
}

func newAnswer(n int) *answerBuilder {
	return &answerBuilder{
		answer: Answer{Results: make([]ItemResult, 0, n), Intents: []IntentView{}},
		seen:   map[incident.ID]bool{},
	}
}

func (b *answerBuilder) add(r ItemResult, receipt store.Receipt) error {
	b.answer.Results = append(b.answer.Results, r)
	return b.join(receipt)
}

// join adds the state and the intents of an incident that no item of its own names.
func (b *answerBuilder) join(receipt store.Receipt) error {
	if receipt.State != "" {
		b.states = append(b.states, receipt.State)
	}
	for _, in := range receipt.Intents {
		if b.seen[in.ID] {
			continue
		}
		b.seen[in.ID] = true
		v, err := View(in)
		if err != nil {
			return err
		}
		b.answer.Intents = append(b.answer.Intents, v)
	}
	return nil
}

// calmest first: an answer's status is the most pressing of its incidents'.
var pressing = []Status{
	StatusHealthy, StatusSuppressed, StatusDuplicate, StatusDiagnosing, StatusRepairing, StatusAwaitingApproval, StatusEscalated,
}

var statusOfState = map[incident.State]Status{
	incident.StateOpen:             StatusDiagnosing,
	incident.StateDiagnosing:       StatusDiagnosing,
	incident.StateAwaitingApproval: StatusAwaitingApproval,
	incident.StateRepairing:        StatusRepairing,
	incident.StateVerifying:        StatusRepairing,
	incident.StateResolved:         StatusHealthy,
	incident.StateEscalated:        StatusEscalated,
}

var statusOfOutcome = map[incident.Outcome]Status{
	incident.Duplicate:  StatusDuplicate,
	incident.Suppressed: StatusSuppressed,
}

func (b *answerBuilder) done() Answer {
	worst := StatusHealthy
	for _, s := range b.states {
		worst = worse(worst, statusOfState[s])
	}
	if len(b.states) == 0 {
		for _, r := range b.answer.Results {
			worst = worse(worst, statusOfOutcome[r.Outcome])
		}
	}
	b.answer.Status = worst
	return b.answer
}

func worse(a, b Status) Status {
	for i := len(pressing) - 1; i >= 0; i-- {
		if pressing[i] == a || pressing[i] == b {
			return pressing[i]
		}
	}
	return a
}
