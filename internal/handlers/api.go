package handlers

import (
	"encoding/json"
	"time"

	"salve/internal/fault"
	"salve/internal/incident"
)

// IntakeRequest is one POST to an intake door. The body is the sender's own.
type IntakeRequest struct {
	Source         string // of alerts: native, alertmanager, …
	Cluster        string // ?cluster=
	Body           []byte
	IdempotencyKey string // header Idempotency-Key, may be empty
	Route          string // scope of the idempotency key
}

// Status is the answer in one word, for n8n to branch on.
type Status string

// The statuses of an answer, calmest first.
const (
	StatusHealthy          Status = "healthy"
	StatusDuplicate        Status = "duplicate"
	StatusSuppressed       Status = "suppressed"
	StatusDiagnosing       Status = "diagnosing"
	StatusRepairing        Status = "repairing"
	StatusAwaitingApproval Status = "awaiting_approval"
	StatusEscalated        Status = "escalated"
)

// Answer is what every door that takes events gives back.
// It renders itself: on the hot path most of it is stored JSON already.
type Answer struct {
	Status  Status
	Results []ItemResult
	Intents []IntentView
	Raw     []byte // set when an Idempotency-Key is answered again word for word

	Capacity *CapacityAnswer // of POST /v1/capacity alone: its members stand in front
}

// ItemResult is what became of one item.
type ItemResult struct {
	EventID    *incident.ID     `json:"event_id"`
	Outcome    incident.Outcome `json:"outcome"`
	IncidentID *incident.ID     `json:"incident_id"`
	Diagnosis  json.RawMessage  `json:"diagnosis"` // null where nothing was decided
	Decision   json.RawMessage  `json:"decision"`
	Reasons    []string         `json:"reasons"`
	Errors     []fault.Field    `json:"errors,omitempty"`
}

// IntentView is an intent as it is shown: what may change, and its document.
type IntentView struct {
	ID         incident.ID
	ShortID    string
	IncidentID incident.ID
	State      incident.IntentState
	NotBefore  time.Time
	Doc        json.RawMessage // see incident.Intent.Document
}

// Page is one page of a list, newest first.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // cursor of the next page
}

// ListRequest asks for a page.
type ListRequest struct {
	State  string `validate:"omitempty,max=200"` // one state or several with commas; incidents also: open, all
	Cursor string `validate:"omitempty,max=200"`
	Limit  int    `validate:"min=0,max=200"` // 0 means 50
}

// ByID names one thing: a UUID or a short id (INC-1042, INT-2077).
type ByID struct {
	ID string `validate:"required,max=64"`
}

// ClaimRequest asks for the lease of one intent.
type ClaimRequest struct {
	ID          string `json:"-"`
	Worker      string `json:"worker" validate:"required,max=200"`
	ExecutionID string `json:"execution_id" validate:"max=200"`
}

// ClaimResponse is the right to execute, and only now what to execute.
type ClaimResponse struct {
	Lease   Lease           `json:"lease"`
	Execute json.RawMessage `json:"execute"`
}

// Lease is fenced by its token: no lease, no result.
type Lease struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ResultRequest is the callback of an execution.
type ResultRequest struct {
	ID          string                `json:"-"`
	LeaseToken  string                `json:"lease_token" validate:"required,max=200"`
	Status      incident.ResultStatus `json:"status" validate:"required,oneof=succeeded failed skipped"`
	Output      json.RawMessage       `json:"output"`
	Error       string                `json:"error" validate:"max=65536"`
	StartedAt   time.Time             `json:"started_at"`
	FinishedAt  time.Time             `json:"finished_at"`
	ExecutionID string                `json:"execution_id" validate:"max=200"`
	Evidence    json.RawMessage       `json:"evidence"`
}

// DecideRequest is a human's word on one intent: approve, reject or abort.
type DecideRequest struct {
	ID       string   `json:"-"`
	PlanHash string   `json:"plan_hash" validate:"max=200"` // approve must carry the hash it saw
	Reason   string   `json:"reason" validate:"max=2000"`
	Override []string `json:"override" validate:"max=20,dive,max=64"`
}

// NoteRequest is a human's word on one incident: ack or resolve.
type NoteRequest struct {
	ID     string `json:"-"`
	Reason string `json:"reason" validate:"max=2000"`
}

// HeartbeatRequest is a tick of n8n's clock.
type HeartbeatRequest struct {
	Wait int `json:"wait" validate:"min=0,max=55"` // seconds to wait for something to be ready; 0: answer at once
	Max  int `json:"max" validate:"min=0,max=100"` // intents, or checks, at most; 0 means 10
}

// HeartbeatStatus says in one word whether anything needs attention.
type HeartbeatStatus string

// The statuses of a heartbeat.
const (
	HeartbeatOK        HeartbeatStatus = "HEARTBEAT_OK"
	HeartbeatAttention HeartbeatStatus = "ATTENTION"
)

// HeartbeatResponse is what is to be done now, and what is wrong.
type HeartbeatResponse struct {
	Status       HeartbeatStatus `json:"status"`
	Intents      []IntentView    `json:"intents"`       // ready and not offered in the last 30 s
	Checks       []DueCheck      `json:"checks"`        // due, and nobody was asked yet
	ActiveIssues []Issue         `json:"active_issues"` // open incidents, newest first, 50 at most
}

// Issue is an open incident, in short.
type Issue struct {
	IncidentID incident.ID       `json:"incident_id"`
	ShortID    string            `json:"short_id"`
	State      incident.State    `json:"state"`
	Severity   incident.Severity `json:"severity"`
	Cause      string            `json:"cause"`
	Summary    string            `json:"summary"`
	OpenedAt   time.Time         `json:"opened_at"`
}

// CrashedRequest comes from n8n's error workflow, which knows only this id.
type CrashedRequest struct {
	ExecutionID string `json:"-" validate:"required,max=200"`
}

// CrashedResponse lists the intents whose leases were lost.
type CrashedResponse struct {
	Lost []incident.ID `json:"lost"`
}

// AutomationView is the mode of the whole service.
type AutomationView struct {
	Mode   incident.Automation `json:"mode"`
	Reason string              `json:"reason"`
	By     string              `json:"by"`
	At     time.Time           `json:"at"`
}

// AutomationRequest sets it.
type AutomationRequest struct {
	Mode   incident.Automation `json:"mode" validate:"required,oneof=paused dry_run live"`
	Reason string              `json:"reason" validate:"required,max=2000"`
}

// FreezeRequest stops changes for a time.
type FreezeRequest struct {
	Reason   string          `json:"reason" validate:"required,max=2000"`
	StartsAt time.Time       `json:"starts_at"` // none: now
	EndsAt   time.Time       `json:"ends_at" validate:"required"`
	Match    *incident.Match `json:"match"` // none: everything
	RRule    string          `json:"rrule" validate:"max=500"`
	Timezone string          `json:"timezone" validate:"max=64"`
}

// FreezeView is a freeze and whether it is on.
type FreezeView struct {
	incident.Freeze
	On bool `json:"on"`
}

// Items are all there are: lists that are short by nature have no pages.
type Items[T any] struct {
	Items []T `json:"items"`
}

// BreakerView is a breaker and whether it is open.
type BreakerView struct {
	incident.Breaker
	Open bool `json:"open"`
}

// ResetRequest lets repairs go on.
type ResetRequest struct {
	ID     string `json:"-" validate:"required,max=64"`
	Reason string `json:"reason" validate:"required,max=2000"`
}

// IncidentView is one incident with its whole story, in order.
type IncidentView struct {
	incident.Incident
	Alerts    []incident.Alert  `json:"alerts"`
	Events    []EventView       `json:"events"`
	Diagnoses []DiagnosisView   `json:"diagnoses"`
	Decisions []DecisionView    `json:"decisions"`
	Intents   []json.RawMessage `json:"intents"`
	Results   []incident.Result `json:"results"`
	Story     []StoryLine       `json:"story"`
}

// EventView is one event as it is shown.
type EventView struct {
	ID         incident.ID        `json:"id"`
	Kind       incident.EventKind `json:"kind"`
	Source     string             `json:"source"`
	Subject    string             `json:"subject"`
	ReceivedAt time.Time          `json:"received_at"`
	Outcome    incident.Outcome   `json:"outcome"`
	Payload    json.RawMessage    `json:"payload,omitempty"`
	Evidence   json.RawMessage    `json:"evidence,omitempty"`
}

// DiagnosisView is one diagnosis with its time.
type DiagnosisView struct {
	ID incident.ID `json:"id"`
	At time.Time   `json:"at"`
	incident.Diagnosis
}

// DecisionView is one decision with its time.
type DecisionView struct {
	ID incident.ID `json:"id"`
	At time.Time   `json:"at"`
	incident.Decision
}

// DecisionsRequest asks for a page of one incident's decisions.
type DecisionsRequest struct {
	ID   string `validate:"required,max=64"`
	Page ListRequest
}

// RecordView is one decision with the full why and why not.
type RecordView struct {
	ID        incident.ID        `json:"id"`
	At        time.Time          `json:"at"`
	Diagnosis incident.Diagnosis `json:"diagnosis"`
	incident.Decision
	incident.Record
}

// StoryLine is one audit row of the incident.
type StoryLine struct {
	At        time.Time    `json:"at"`
	Operation string       `json:"operation"`
	Actor     string       `json:"actor"`
	IntentID  *incident.ID `json:"intent_id"`
	Object    string       `json:"object"`
	Reason    string       `json:"reason"`
}

// AuditVerification says how far the audit chain holds.
type AuditVerification struct {
	OK         bool      `json:"ok"`
	Rows       int64     `json:"rows"`
	SealedUpTo int64     `json:"sealed_up_to"` // sequence number of the last sealed row
	Unsealed   int64     `json:"unsealed"`     // rows that an open transaction may still precede
	Head       string    `json:"head"`         // hash of the last sealed row, hex
	CheckedAt  time.Time `json:"checked_at"`
	Broken     string    `json:"broken,omitempty"` // where it does not hold, in words
}

// PolicyView is the policy in force.
type PolicyView struct {
	Version string `json:"version"`
	Source  string `json:"source"`
}
