package handlers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/identity"
	"salve/internal/incident"
)

func testIntents(store IntentStore) *Intents {
	return &Intents{Store: store, Now: func() time.Time { return time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC) }, IDs: func() incident.ID { return incident.ID{1} }}
}

// n8n's errors quote the request that failed, headers and all.
func TestResultsAreRedacted(t *testing.T) {
	const token = "abcdefGHIJKL0123456789mnop"
	req := ResultRequest{
		Status:      incident.ResultFailed,
		Error:       "AxiosError: 401 - Authorization: Bearer " + token + "\n    at createError (/usr/lib/n8n/x.js:1:1)",
		ExecutionID: "exec?token=" + token,
		Output: json.RawMessage(`{"error":{"message":"401 - {\"message\":\"Unauthorized\"}","options":{"uri":"https://10.0.0.1:6443/api/v1/pods","headers":{"authorization":"Bearer ` + token + `","cookie":"sid=` + token + `","accept":"*/*"},
"auth":{"username":"n8n","password":"` + token + `"}},"headerParameters":[{"name":"X-Api-Key","value":"` + token + `"}],"code":"ERR_BAD_REQUEST"}}`),
		Evidence: json.RawMessage(`{"logs":[{"pod":"a","text":"GET /x Cookie: sid=` + token + `\nok"}],"raw":[{"tool":"kubectl describe","text":"    Environment:\n      KEY:  ` + token + `\n"}]}`),
	}
	e, res, err := testIntents(nil).result(identity.Caller{Subject: "n8n"}, req)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%s %s %+v %+v", res.Output, e.Evidence, e, res); strings.Contains(all, token) {
		t.Errorf("a secret is kept: %s", all)
	}
	want := incident.Result{
		Status: incident.ResultFailed, ReceivedAt: e.ReceivedAt, ExecutionID: "exec?token=[redacted]",
		Error: "AxiosError: 401 - Authorization: [redacted]\n    at createError (/usr/lib/n8n/x.js:1:1)",
		Output: json.RawMessage(`{"error":{"message":"401 - {\"message\":\"Unauthorized\"}","options":{"uri":"https://10.0.0.1:6443/api/v1/pods","headers":{"authorization":"[redacted]","cookie":"[redacted]","accept":"*/*"},` +
			`"auth":{"username":"n8n","password":"[redacted]"}},"headerParameters":[{"name":"X-Api-Key","value":"[redacted]"}],"code":"ERR_BAD_REQUEST"}}`),
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// Everything of an event that is stored is redacted, labels too: they live on in
// the incident.
func TestEventsAreRedacted(t *testing.T) {
	e := incident.Event{
		Name: "DBDown", Service: "app", Message: "login with password=hunter2 failed",
		Labels:      map[string]string{"pod": "api-gateway-7d9f5b8c6-x7k2m", "token": "hunter2"},
		Annotations: map[string]string{"runbook": "https://u:hunter2@wiki/x", "summary": "down"},
		Payload:     json.RawMessage(`{"labels":{"token":"hunter2"}}`),
		Evidence:    json.RawMessage(`{"pods":[{"spec":{"containers":[{"env":[{"name":"A","value":"hunter2"}]}]}}]}`),
	}
	if err := redacted(&e); err != nil {
		t.Fatal(err)
	}
	want := incident.Event{
		Name: "DBDown", Service: "app", Message: "login with password=[redacted] failed",
		Labels:      map[string]string{"pod": "api-gateway-7d9f5b8c6-x7k2m", "token": "[redacted]"},
		Annotations: map[string]string{"runbook": "https://[redacted]@wiki/x", "summary": "down"},
		Payload:     json.RawMessage(`{"labels":{"token":"[redacted]"}}`),
		Evidence:    json.RawMessage(`{"pods":[{"spec":{"containers":[{"env":[{"name":"A"}]}]}}]}`),
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
