package http

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/fault"
	"salve/internal/handlers"
	"salve/internal/identity"
	"salve/internal/trail"
)

func TestOneLineARequest(t *testing.T) {
	e := newEdge(t, func(o *Options) {
		o.UseCases.Claim = func(ctx context.Context, _ identity.Caller, _ handlers.ClaimRequest) (handlers.ClaimResponse, error) {
			trail.Intent(ctx, testID(2))
			for i := range 25 {
				trail.Incident(ctx, testID(byte(i)))
			}
			return handlers.ClaimResponse{}, fault.Refused("guard", "The budget is spent.")
		}
	})
	got := e.as("intents:execute", "POST", "/v1/intents/INT-1/claim", `{"worker":"n8n"}`, "X-Request-Id: from-n8n.1")
	lines := e.logs.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	line := lines[0]
	if ids := line["incident_ids"].([]any); len(ids) != 20 {
		t.Errorf("%d incidents are named", len(ids))
	}
	if _, ok := line["duration_ms"].(float64); !ok {
		t.Errorf("duration %v", line["duration_ms"])
	}
	delete(line, "duration_ms")
	delete(line, "incident_ids")
	want := map[string]any{
		"level": "info", "message": "request", "request_id": "from-n8n.1", "method": "POST",
		"route": "/v1/intents/{id}/claim", "status": 409.0, "bytes": float64(len(got.body)), "caller": "n8n",
		"intent_ids": []any{testID(2).String()}, "incident_count": 25.0, "error": "conflict (guard): The budget is spent.",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}

func TestFailedPartIsLogged(t *testing.T) {
	e := newEdge(t, func(o *Options) {
		o.UseCases.Intake = func(ctx context.Context, _ identity.Caller, _ handlers.IntakeRequest) (handlers.Answer, error) {
			trail.Error(ctx, errors.New("store event 7: invalid byte sequence"))
			return handlers.Answer{Status: handlers.StatusHealthy}, nil
		}
	})
	e.as("events:write", "POST", "/v1/alerts", `{"severity":"high"}`)
	line := e.logs.lines(t)[0]
	if line["level"] != "error" || fmt.Sprint(line["part_errors"]) != "[store event 7: invalid byte sequence]" {
		t.Errorf("log %v", line)
	}
}

func TestProbesAreQuiet(t *testing.T) {
	e := newEdge(t, nil)
	e.as("", "GET", "/healthz", "")
	if lines := e.logs.lines(t); lines[0]["level"] != "debug" {
		t.Errorf("log %v", lines)
	}
}

func TestLogHoldsNoToken(t *testing.T) {
	e := newEdge(t, nil)
	e.as("", "GET", "/v1/policy?token=hush", "", "Authorization: Bearer hush")
	if said := fmt.Sprint(e.logs.lines(t)); strings.Contains(said, "hush") {
		t.Error(said)
	}
}

func TestRequestID(t *testing.T) {
	e := newEdge(t, nil)
	tests := map[string]struct {
		given string
		kept  bool
	}{
		"a UUID":            {"0190a5d0-ac96-774b-bcce-b302099a8057", true},
		"dots and dashes":   {"n8n_1.2-3", true},
		"none":              {"", false},
		"too long":          {strings.Repeat("a", 129), false},
		"spaces":            {"a b", false},
		"forged log fields": {`x","level":"error`, false},
		"not ASCII":         {"é", false},
	}
	made := map[string]bool{}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			var headers []string
			if test.given != "" {
				headers = []string{"X-Request-Id: " + test.given}
			}
			id := e.as("", "GET", "/v1/nothing", "", headers...).header.Get("X-Request-Id")
			if (id == test.given) != test.kept || !validRequestID(id) {
				t.Errorf("got %q", id)
			}
			if made[id] {
				t.Errorf("%q was made twice", id)
			}
			made[id] = true
		})
	}
}
