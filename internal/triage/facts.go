package triage

import (
	"encoding/json"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Facts is all that is known of one incident before something arrives.
// The store reads it under lock.
type Facts struct {
	New        bool // nothing is stored yet; Incident holds its id and key only
	Incident   incident.Incident
	Alerts     []incident.Alert
	Intents    []incident.Intent // live and ended ones, oldest first
	Results    []incident.Result // terminal ones of those intents
	Diagnosis  incident.Diagnosis
	Decision   incident.Decision
	Evidence   []Piece // oldest first; see NeedsEvidence
	Automation incident.Automation
	Guards     policy.GuardState
}

// Piece is one evidence{} as it came.
type Piece struct {
	Raw        json.RawMessage
	Subject    string
	Leased     bool // it came as a result, through a lease
	ReceivedAt time.Time
}

// Arrival is one thing that happened to an incident: an event, and for a result
// the result itself. The clock's tick is a Run without arrivals.
type Arrival struct {
	Event  incident.Event
	Result *incident.Result
}

// Outcome is what follows. The store writes it in one transaction.
type Outcome struct {
	Incident  incident.Incident
	Alerts    []incident.Alert // new or changed
	Taken     []Taken          // one per arrival, in order
	Judged    bool             // Diagnosis or Decision changed and is to be written
	Diagnosis incident.Diagnosis
	Decision  incident.Decision
	Intents   []incident.Intent // new ones
	Moves     []Move            // of stored ones
	All       []incident.Intent // all of the incident's, as they now stand
	Audit     []incident.AuditEntry
	Repairs   []incident.Repair  // begun, or judged
	Breakers  []incident.Breaker // that open
	Changed   bool               // the incident's own row changed
	Collects  int                // looks asked for while there is a storm

	guards policy.GuardState // as it stands after this round
}

// Taken is what became of one arrival.
type Taken struct {
	Outcome   incident.Outcome
	Reasons   []string
	OverBound bool // its evidence is more than its incident takes: see Kept
}

// Move is one stored intent in its new state. The store applies it as
// compare-and-swap on From.
type Move struct {
	From   incident.IntentState
	Intent incident.Intent
}

// NeedsEvidence says whether Run will look at stored evidence for this arrival:
// only new evidence and the end of an intent make it look again.
func NeedsEvidence(a Arrival) bool { return len(a.Event.Evidence) > 0 || a.Result != nil }
