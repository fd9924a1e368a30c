package incident

import "time"

// Freeze stops changes for a time: once, or again and again.
type Freeze struct {
	ID       ID        `json:"id"`
	Reason   string    `json:"reason"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`         // of the first occurrence, where there is an rrule
	Match    *Match    `json:"match,omitempty"` // nil: everything
	RRule    string    `json:"rrule,omitempty"` // RFC 5545, without DTSTART: that is StartsAt
	Timezone string    `json:"timezone,omitempty"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// Match says what a freeze is about: every member that is given must match. A
// value may hold * for any run of characters.
type Match struct {
	Cluster     string `json:"cluster,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Name        string `json:"name,omitempty"`
	Host        string `json:"host,omitempty"`
	Service     string `json:"service,omitempty"`
	Environment string `json:"environment,omitempty"`
	Action      string `json:"action,omitempty"`
}
