package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Intent is one thing n8n may do. It is immutable but for its state: a changed
// plan is a new intent.
type Intent struct {
	ID           ID              `json:"id"`
	ShortID      string          `json:"short_id,omitempty"`
	IncidentID   ID              `json:"incident_id,omitzero"`
	Action       string          `json:"action"`
	Effect       Effect          `json:"effect"`
	Target       Target          `json:"target"`
	Params       json.RawMessage `json:"params"`
	Mode         Mode            `json:"mode"`
	State        IntentState     `json:"state,omitempty"`
	Risk         Risk            `json:"risk"`
	Summary      string          `json:"summary"`
	Reason       string          `json:"reason"`
	After        []ID            `json:"after"`
	AnnouncedBy  *ID             `json:"announced_by"`
	NotBefore    time.Time       `json:"not_before,omitzero"`
	ExpiresAt    time.Time       `json:"expires_at"`
	ClaimPath    string          `json:"claim_path"`
	ResultPath   string          `json:"result_path"`
	Precondition json.RawMessage `json:"precondition"`
	Rollback     json.RawMessage `json:"rollback"`
	Verify       json.RawMessage `json:"verify"`
	PlanHash     string          `json:"plan_hash"`
	Traceparent  string          `json:"traceparent"`

	Doc         json.RawMessage `json:"-"` // see Document; kept where it was read or made already
	Execute     json.RawMessage `json:"-"` // handed out by a claim only
	Timeout     time.Duration   `json:"-"` // execute.timeout_seconds; the lease lasts this and 60 s
	Rule        string          `json:"-"` // of policy, that brought it
	Rung        int             `json:"-"`
	Independent bool            `json:"-"`
	OnFailure   bool            `json:"-"` // see Step
	From        time.Time       `json:"-"` // never before this, whoever says yes: a window begins then
	Window      time.Duration   `json:"-"` // hold: from the announcement's delivery
	Attempt     int             `json:"-"` // observe and tell are issued anew when lost or failed
	CreatedAt   time.Time       `json:"-"`
	StepParams  map[string]any  `json:"-"` // what policy said, to make the plan again on fresh evidence
	WakeAt      time.Time       `json:"-"` // when the clock alone may have to move it
	Policy      string          `json:"-"` // version that allowed it; a change is wanted under that one only
	EvidenceAt  time.Time       `json:"-"` // when the trusted evidence it rests on was observed; zero: none

	ApprovedBy   string     `json:"-"` // set once enough humans said yes to this plan hash
	Approvals    []Approval `json:"-"` // each yes to this plan hash, in order
	Undoes       ID         `json:"-"` // the change that this one takes back, once that has ended
	ClaimedBy    string     `json:"-"` // subject of the lease
	Worker       string     `json:"-"`
	ExecutionID  string     `json:"-"`
	LeaseHash    []byte     `json:"-"` // SHA-256 of the lease token; the token itself is never stored
	LeaseExpires time.Time  `json:"-"`
}

// Approval is one human's yes to one plan.
type Approval struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason,omitempty"`
	Override []string  `json:"override,omitempty"` // the guards that may not stop it
}

// Overridden gives the guards that humans overrode for this intent, and who did:
// none before enough of them said yes.
func (in Intent) Overridden() map[string]string {
	by := map[string]string{}
	if in.ApprovedBy == "" {
		return by
	}
	for _, a := range in.Approvals {
		for _, guard := range a.Override {
			by[guard] = a.By
		}
	}
	return by
}

// ResultStatus is the executor's word.
type ResultStatus string

// The statuses of a result.
const (
	ResultSucceeded ResultStatus = "succeeded"
	ResultFailed    ResultStatus = "failed"
	ResultSkipped   ResultStatus = "skipped"
)

// Result is what came back from an execution.
type Result struct {
	IntentID    ID              `json:"intent_id"`
	Status      ResultStatus    `json:"status"`
	Output      json.RawMessage `json:"output,omitempty"`
	Error       string          `json:"error,omitempty"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	FinishedAt  time.Time       `json:"finished_at,omitzero"`
	ExecutionID string          `json:"execution_id,omitempty"`
	ReceivedAt  time.Time       `json:"received_at"`
	Flag        string          `json:"flag,omitempty"` // late, contradicting; empty for the one that counts
}

// Document is the intent's JSON without what may change or the database gives:
// short_id, incident_id, state and not_before. It is made once and stays.
func (in Intent) Document() (json.RawMessage, error) {
	if in.Doc != nil {
		return in.Doc, nil
	}
	in.ShortID, in.State, in.IncidentID, in.NotBefore = "", "", ID{}, time.Time{}
	doc, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("document of intent %s: %w", in.ID, err)
	}
	return doc, nil
}

// Paths fills in the paths an executor calls. They are paths, never addresses,
// so that no token is ever sent to a place that came with data.
func (in *Intent) Paths() {
	id := in.ID.String()
	in.ClaimPath = "/v1/intents/" + id + "/claim"
	in.ResultPath = "/v1/intents/" + id + "/result"
}

// PlanHash binds an approval to what it approved: SHA-256 over the canonical
// JSON of action, target with UID and generation (pods: UID alone), parameters,
// and what execute will hold.
func PlanHash(action string, target Target, params, execute json.RawMessage) (string, error) {
	if target.Kind == "Pod" {
		target.Generation = 0
	}
	named, err := json.Marshal(target)
	if err != nil {
		return "", fmt.Errorf("plan hash of %s: %w", action, err)
	}
	plan := appendQuoted(make([]byte, 0, 1024), action)
	for _, part := range []json.RawMessage{named, params, execute} {
		plan = append(plan, '\n')
		if plan, err = appendCanonical(plan, part); err != nil {
			return "", fmt.Errorf("plan hash of %s: %w", action, err)
		}
	}
	sum := sha256.Sum256(plan)
	return hex.EncodeToString(sum[:]), nil
}

// TraceParent is the W3C trace context of one intent: one trace an incident.
func TraceParent(incident, intent ID) string {
	return "00-" + hex.EncodeToString(incident[:]) + "-" + hex.EncodeToString(intent[8:]) + "-01"
}
