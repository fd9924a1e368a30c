package incident

import (
	"fmt"
	"time"
)

// State is where an incident stands.
type State string

// The states of an incident.
const (
	StateOpen             State = "open"
	StateDiagnosing       State = "diagnosing"
	StateAwaitingApproval State = "awaiting_approval"
	StateRepairing        State = "repairing"
	StateVerifying        State = "verifying"
	StateResolved         State = "resolved"
	StateEscalated        State = "escalated"
)

// States lists every state once.
func States() []State {
	return []State{
		StateOpen, StateDiagnosing, StateAwaitingApproval, StateRepairing,
		StateVerifying, StateResolved, StateEscalated,
	}
}

// Incident is what is wrong with one target for one family of causes, from
// first event to resolution.
type Incident struct {
	ID         ID        `json:"id"`
	Number     int64     `json:"-"`
	ShortID    string    `json:"short_id"`
	Key        string    `json:"key"`
	State      State     `json:"state"`
	Severity   Severity  `json:"severity"`
	Target     Target    `json:"target"`
	Family     string    `json:"family"`
	Hypothesis string    `json:"hypothesis,omitempty"` // the first one: a cause, where the alert says more than a family
	Cause      string    `json:"cause"`
	Service    string    `json:"service,omitempty"`
	Title      string    `json:"title"`   // the alert that opened it
	Summary    string    `json:"summary"` // the diagnosis in one sentence
	Resolution string    `json:"resolution,omitempty"`
	OpenedAt   time.Time `json:"opened_at"`
	BeganAt    time.Time `json:"began_at"` // this stretch: opened, or last reopened
	UpdatedAt  time.Time `json:"updated_at"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
	MergedInto *ID       `json:"merged_into,omitempty"`
	Rounds     int       `json:"evidence_rounds"`
	Rung       int       `json:"rung"`        // the highest rung tried
	Recurrence int       `json:"recurrences"` // how often it came back within policy's time
	Repeats    int64     `json:"repeats"`     // repeat deliveries counted
	DryRun     bool      `json:"dry_run,omitempty"`
	Labels     Labels    `json:"labels,omitempty"`       // of the alert that opened it
	VerifyBy   time.Time `json:"verify_by,omitzero"`     // while verifying: when watching ends
	HealthyAt  time.Time `json:"healthy_since,omitzero"` // while verifying: first look that saw health
	LookAt     time.Time `json:"look_at,omitzero"`       // after a storm: when it is diagnosed anew
}

// Labels are a sender's labels: data, never instructions.
type Labels map[string]string

// Open says whether the incident still holds its key.
func (i Incident) Open() bool { return i.State != StateResolved }

var stateMoves = map[State][]State{
	StateOpen:             {StateDiagnosing, StateAwaitingApproval, StateRepairing, StateVerifying, StateEscalated, StateResolved},
	StateDiagnosing:       {StateOpen, StateAwaitingApproval, StateRepairing, StateVerifying, StateEscalated, StateResolved},
	StateAwaitingApproval: {StateDiagnosing, StateRepairing, StateVerifying, StateEscalated, StateResolved},
	StateRepairing:        {StateDiagnosing, StateAwaitingApproval, StateVerifying, StateEscalated, StateResolved},
	StateVerifying:        {StateDiagnosing, StateAwaitingApproval, StateRepairing, StateEscalated, StateResolved},
	StateEscalated:        {StateDiagnosing, StateAwaitingApproval, StateRepairing, StateVerifying, StateResolved},
	StateResolved:         {StateOpen, StateDiagnosing, StateAwaitingApproval, StateRepairing, StateEscalated},
}

// StateMoves gives the states that may follow one state; staying is always allowed.
func StateMoves(from State) []State { return stateMoves[from] }

// MoveTo changes the incident's state, or says why it cannot be changed.
func (i *Incident) MoveTo(to State) error {
	if i.State == to {
		return nil
	}
	for _, s := range stateMoves[i.State] {
		if s == to {
			i.State = to
			return nil
		}
	}
	return fmt.Errorf("incident %s is %s: it cannot become %s", i.ID, i.State, to)
}
