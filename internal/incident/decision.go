package incident

import (
	"encoding/json"
	"time"
)

// Verdict is what policy said about a diagnosis.
type Verdict string

// The verdicts.
const (
	VerdictCollect  Verdict = "collect"  // evidence is asked for first
	VerdictTell     Verdict = "tell"     // level 1: people are told, nothing is changed
	VerdictApprove  Verdict = "approve"  // a human must say yes first
	VerdictHold     Verdict = "hold"     // runs after a window unless aborted
	VerdictRepair   Verdict = "repair"   // runs now
	VerdictDryRun   Verdict = "dry_run"  // would have been done, is only shown
	VerdictBlocked  Verdict = "blocked"  // a guard refuses
	VerdictEscalate Verdict = "escalate" // nothing is left that Salve may do
	VerdictWait     Verdict = "wait"     // something is already under way or being watched
	VerdictNothing  Verdict = "nothing"  // nothing is wrong
)

// Verdicts lists every verdict once.
func Verdicts() []Verdict {
	return []Verdict{
		VerdictCollect, VerdictTell, VerdictApprove, VerdictHold, VerdictRepair, VerdictDryRun, VerdictBlocked, VerdictEscalate, VerdictWait, VerdictNothing,
	}
}

// Decision is what policy said, and why.
type Decision struct {
	Verdict       Verdict   `json:"verdict"`
	Level         int       `json:"level,omitempty"` // 1 to 4; 0 when no rule applied
	Risk          Risk      `json:"risk,omitempty"`
	Rule          string    `json:"rule,omitempty"`
	Rung          int       `json:"rung,omitempty"` // 1 is the first
	Reasons       []string  `json:"reasons"`
	Guards        []Reading `json:"guards"`
	PolicyVersion string    `json:"policy_version"`
	Steps         []Step    `json:"-"` // what the rung holds, for the catalogue of remedies
	Record        Record    `json:"-"` // the full why and why not
}

// Record is what a decision rests on, for whoever asks afterwards.
type Record struct {
	Events []ID          `json:"events,omitempty"` // that led to it
	Rules  []RuleReading `json:"rules"`            // that name the cause, in the order in which they were tried
	Others int           `json:"other_rules"`      // rules that are about other causes
	Facts  DecisionFacts `json:"facts"`
}

// RuleReading is one rule's word on one decision.
type RuleReading struct {
	Rule    string `json:"rule"`
	Applies bool   `json:"applies"`
	Why     string `json:"why"`
}

// DecisionFacts are the facts that a policy may ask for.
type DecisionFacts struct {
	Severity   Severity   `json:"severity"`
	Cause      string     `json:"cause"`
	Confidence float64    `json:"confidence"`
	Target     Target     `json:"target"`
	Service    string     `json:"service,omitempty"`
	Labels     Labels     `json:"labels,omitempty"`
	Automation Automation `json:"automation"`
	DryRun     bool       `json:"dry_run,omitempty"`
	Trusted    bool       `json:"evidence_trusted"`
	ObservedAt time.Time  `json:"evidence_at,omitzero"`
	Rounds     int        `json:"evidence_rounds"`
	Tried      []string   `json:"tried,omitempty"`
	Storm      bool       `json:"storm,omitempty"`
	Now        time.Time  `json:"now"`
}

// Reading is one guard's word on one decision or claim.
type Reading struct {
	Guard   string `json:"guard"`
	Stops   bool   `json:"stops"`
	Reading string `json:"reading"` // in words, with the numbers
}

// Step is one action of a rung as policy wrote it.
type Step struct {
	Action      string
	Mode        Mode // auto, hold or approve
	Params      map[string]any
	Independent bool // its after is met by any end of what stands before it
	Window      time.Duration
	OnFailure   bool      // follows at once where what stands before it failed; else it asks
	NotBefore   time.Time // zero: at once
	NotAfter    time.Time // zero: as policy lets intents live
}

// AuditEntry is one row of the append-only record, written in the transaction
// it tells of.
type AuditEntry struct {
	Operation  string          `json:"operation"` // intent.claimed, incident.opened, automation.set
	Actor      string          `json:"actor"`     // a token's subject, or salve itself
	IncidentID ID              `json:"incident_id,omitzero"`
	IntentID   ID              `json:"intent_id,omitzero"`
	Object     string          `json:"object"`
	Reason     string          `json:"reason"`
	Detail     json.RawMessage `json:"detail,omitempty"`
}
