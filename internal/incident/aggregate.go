package incident

import "time"

// Aggregate is what monitoring says of one service in one window: what n8n
// merges from its sources. Availability and the rates of errors are per cent,
// latencies milliseconds.
type Aggregate struct {
	Target      Target                     `json:"target"` // the service, or the object that serves it
	Service     string                     `json:"service"`
	Window      Window                     `json:"window"`
	Metrics     Metrics                    `json:"metrics"`
	Sources     map[string]AggregateSource `json:"sources"`
	Deployments []Rollout                  `json:"deployments,omitempty"`
	Alerts      []string                   `json:"alerts,omitempty"` // names of those that fire elsewhere
	Subject     string                     `json:"subject"`          // who sent it
	ReceivedAt  time.Time                  `json:"received_at"`
}

// Window is the stretch of time that an aggregate is about.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Length is how long a window is.
func (w Window) Length() time.Duration { return w.End.Sub(w.Start) }

// Metrics are measured values by name.
type Metrics map[string]float64

// The metrics that have an objective.
const (
	Availability = "availability" // per cent
	ErrorRate    = "error_rate"   // per cent
	P99Latency   = "p99_latency"  // milliseconds
)

// AggregateSource is one monitoring system's part in an aggregate.
type AggregateSource struct {
	OK      bool      `json:"ok"`
	AsOf    time.Time `json:"as_of,omitzero"`    // of its newest sample
	Error   string    `json:"error,omitempty"`   // why it could not be asked
	Metrics Metrics   `json:"metrics,omitempty"` // what it measured itself, where it measures
}

// Rollout is one deployment that monitoring knows of.
type Rollout struct {
	Service string    `json:"service,omitempty"`
	Version string    `json:"version,omitempty"`
	At      time.Time `json:"at"`
	Status  string    `json:"status,omitempty"`
}
