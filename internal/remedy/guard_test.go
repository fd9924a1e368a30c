package remedy

import (
	"encoding/json"
	"testing"

	"salve/internal/incident"
)

// The guard sees a hole in every part of a plan, in a path that was escaped too,
// and lets a message quote one.
func TestRedactedPart(t *testing.T) {
	hole, escaped := json.RawMessage(`{"a":["x [redacted]"]}`), json.RawMessage(`{"path":"/api?labelSelector=token%3D%5Bredacted%5D"}`)
	for _, c := range []struct {
		in   incident.Intent
		want string
	}{
		{incident.Intent{Effect: incident.Change, Params: json.RawMessage(`{"a":"redacted"}`), Execute: json.RawMessage(`{}`)}, ""},
		{incident.Intent{Effect: incident.Tell, Params: hole, Execute: hole}, ""},
		{incident.Intent{Effect: incident.Change, Target: incident.Target{Name: "[redacted]"}}, "target"},
		{incident.Intent{Effect: incident.Change, Params: hole}, "params"},
		{incident.Intent{Effect: incident.Change, Precondition: hole}, "precondition"},
		{incident.Intent{Effect: incident.Change, Rollback: hole}, "rollback"},
		{incident.Intent{Effect: incident.Change, Verify: hole}, "verify"},
		{incident.Intent{Effect: incident.Observe, Execute: hole}, "execute"},
		{incident.Intent{Effect: incident.Observe, Execute: escaped}, "execute"},
	} {
		if got := redactedPart(c.in); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}
