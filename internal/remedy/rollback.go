package remedy

import (
	"encoding/json"
	"fmt"
	"time"

	"salve/internal/incident"
)

// Rollback makes the intent that takes a change back, from what the change itself
// says of its rollback. The caller fills in what Build leaves to it. A change that
// cannot be taken back is a *Refusal.
func Rollback(done incident.Intent) (incident.Intent, error) {
	var back struct {
		Action  string          `json:"action"`
		Summary string          `json:"summary"`
		Params  json.RawMessage `json:"params"`
		Execute json.RawMessage `json:"execute"`
	}
	if err := json.Unmarshal(done.Rollback, &back); err != nil || back.Action == "" {
		return incident.Intent{}, &Refusal{done.Action, "it cannot be taken back"}
	}
	row, err := find(back.Action)
	if err != nil {
		return incident.Intent{}, &Refusal{back.Action, err.Error()}
	}
	var bounds struct {
		TimeoutSeconds int `json:"timeout_seconds"`
	}
	if err := json.Unmarshal(back.Execute, &bounds); err != nil || bounds.TimeoutSeconds < 1 {
		return incident.Intent{}, fmt.Errorf("rollback of %s: its execute names no timeout_seconds", done.Action)
	}
	target := done.Target
	target.Generation = 0 // the change itself made another one
	return plan{
		target: target, summary: back.Summary, timeout: time.Duration(bounds.TimeoutSeconds) * time.Second,
		params: back.Params, execute: back.Execute, verify: done.Verify,
	}.intent(row.Entry)
}
