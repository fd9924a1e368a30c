package incident

import (
	"encoding/json"
	"time"
)

// EventKind says what arrived.
type EventKind string

// The kinds of events.
const (
	AlertEvent    EventKind = "alert"
	EvidenceEvent EventKind = "evidence"
	ResultEvent   EventKind = "result"
)

// AlertStatus is the sender's word on one alert.
type AlertStatus string

// The two statuses an alert can have.
const (
	Firing   AlertStatus = "firing"
	Resolved AlertStatus = "resolved"
)

// Episode identifies one stretch of firing of one alert: SHA-256 over source,
// cluster, fingerprint and start time. Without a start time it is the alert's
// fingerprint, and the episode is whatever is open under it.
type Episode [32]byte

// Event is one thing that arrived, normalised and immutable.
type Event struct {
	ID         ID
	Kind       EventKind
	Source     string // alertmanager, native, …
	Subject    string // who sent it: the token's subject
	MayExecute bool   // who sent it may execute intents: what its answer names as ready is offered
	ReceivedAt time.Time

	Episode     Episode
	OpenEnded   bool // the sender gave no start time: the episode is the fingerprint's open one
	Status      AlertStatus
	Fingerprint string
	StartsAt    time.Time // zero when the sender gave none
	EndsAt      time.Time // zero while firing

	Name        string // alert name
	Severity    Severity
	Service     string
	Message     string
	Target      Target
	Family      string // first hypothesis: family of causes
	Hypothesis  string // first hypothesis: the cause, where more than the family is known
	Labels      map[string]string
	Annotations map[string]string
	DryRun      bool

	IncidentID ID              // set where the sender already knows it (evidence, results)
	IntentID   ID              // set on results
	Evidence   json.RawMessage // SPEC section 11, nil when none came
	Payload    json.RawMessage // what the sender sent for this item
}

// Key is the key of the incident this event belongs to when none is open for
// its episode.
func (e Event) Key() string { return e.Target.Key(e.Family) }

// Alert is the standing of one episode within its incident.
type Alert struct {
	Episode     Episode     `json:"-"`
	IncidentID  ID          `json:"incident_id"`
	Status      AlertStatus `json:"status"`
	Name        string      `json:"name"`
	Source      string      `json:"source"`
	Subject     string      `json:"subject"`
	Fingerprint string      `json:"fingerprint"`
	StartsAt    time.Time   `json:"starts_at,omitzero"`
	EndsAt      time.Time   `json:"ends_at,omitzero"`

	// QuietUntil is set where its incident was resolved while it still fired: until
	// then its repeats are taken for the sender's look-back, later ones are news.
	QuietUntil time.Time `json:"quiet_until,omitzero"`
}
