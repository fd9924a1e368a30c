package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/handlers"
	"salve/internal/identity"
)

func TestBadBodies(t *testing.T) {
	e := newEdge(t, nil)
	tests := map[string]struct {
		body   string
		header string
		status int
		detail string
	}{
		"empty":               {" ", "", 400, "empty"},
		"cut off":             {`{"severity":"crit`, "", 400, "cut off at byte 17"},
		"cut off in an array": {`[{"severity":"high"},`, "", 400, "cut off at byte 21"},
		"not JSON":            {`severity=high`, "", 400, "wrong at byte 0"},
		"two values":          {`{} {}`, "", 400, "after the end of the JSON value, at byte 3"},
		"nested deep":         {strings.Repeat("[", 65) + strings.Repeat("]", 65), "", 400, "deeper than 64 levels, at byte 64"},
		"nested very deep":    {strings.Repeat(`{"a":`, 1<<20), "", 400, "deeper than 64 levels"},
		"not UTF-8":           {"{\"message\":\"caf\xe9\"}", "", 400, "not UTF-8 (first at byte 15)"},
		"UTF-16":              {"\xff\xfe{\x00}\x00", "", 400, "not UTF-8 (first at byte 0)"},
		"a form":              {`{}`, "Content-Type: application/x-www-form-urlencoded", 415, "send application/json"},
		"no type":             {`{}`, "Content-Type: ", 415, "send application/json"},
		"another charset":     {`{}`, "Content-Type: application/json; charset=latin1", 415, "in UTF-8"},
		"compressed":          {`{}`, "Content-Encoding: gzip", 415, "as it is"},
		"too large":           {strings.Repeat(" ", alertsLimit+1), "", 413, "over 16 MiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			headers := []string{"X-Request-Id: r1"}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			got := e.as("events:write", "POST", "/v1/alerts", test.body, headers...)
			if p := got.problem(t); got.status != test.status || !strings.Contains(p.Detail, test.detail) || p.Instance != "r1" {
				t.Errorf("got %d %+v, want %d …%s…", got.status, p, test.status, test.detail)
			}
		})
	}
}

func TestChunkedBodyIsBoundedToo(t *testing.T) {
	e := newEdge(t, nil)
	for path, limit := range map[string]int{"/v1/alerts/alertmanager": alertsLimit, "/v1/intents/INT-1/claim": bodyLimit} {
		chunked := struct{ io.Reader }{bytes.NewReader(bytes.Repeat([]byte(" "), limit+1))}
		r, err := nethttp.NewRequest("POST", e.url+path, chunked)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer scope:events:write intents:execute")
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = -1
		if got := e.do(r); got.status != 413 {
			t.Errorf("%s: got %+v", path, got)
		}
	}
}

func TestClaimedLengthIsRefusedUnread(t *testing.T) {
	e := newEdge(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer scope:events:write\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", alertsLimit+1)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(status, " 413 ") {
		t.Errorf("got %q, %v", status, err)
	}
}

func TestGoodMediaTypes(t *testing.T) {
	e := newEdge(t, nil)
	e.client = nethttp.DefaultClient // the document names the plain type only
	for _, mediaType := range []string{"application/json", "application/json; charset=UTF-8", "application/cloudevents+json"} {
		if got := e.as("events:write", "POST", "/v1/alerts", `{"severity":"high"}`, "Content-Type: "+mediaType); got.status != 200 {
			t.Errorf("%s: %d %s", mediaType, got.status, got.body)
		}
	}
}

func TestIntakeGetsWhatWasSent(t *testing.T) {
	var seen handlers.IntakeRequest
	var caller identity.Caller
	e := newEdge(t, func(o *Options) {
		o.UseCases.Intake = func(_ context.Context, c identity.Caller, req handlers.IntakeRequest) (handlers.Answer, error) {
			seen, caller = req, c
			return handlers.Answer{Status: handlers.StatusHealthy}, nil
		}
	})
	large := `{"severity":"high","message":"` + strings.Repeat("x", 3*firstBodyBytes) + `"}`
	tests := map[string]struct {
		path, body string
		headers    []string
		want       handlers.IntakeRequest
	}{
		"native":      {"/v1/alerts", `{"severity":"high"}`, nil, handlers.IntakeRequest{Source: "native", Route: "/v1/alerts", Body: []byte(`{"severity":"high"}`)}},
		"a long body": {"/v1/alerts", large, nil, handlers.IntakeRequest{Source: "native", Route: "/v1/alerts", Body: []byte(large)}},
		"a source": {"/v1/alerts/alertmanager?cluster=prod%20eu", `{"alerts":[]}`, []string{"Idempotency-Key: k-1"},
			handlers.IntakeRequest{Source: "alertmanager", Cluster: "prod eu", Route: "/v1/alerts/alertmanager", IdempotencyKey: "k-1", Body: []byte(`{"alerts":[]}`)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			if got := e.as("events:write", "POST", test.path, test.body, test.headers...); got.status != 200 {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(test.want, seen); diff != "" || caller.Subject != "n8n" {
				t.Errorf("caller %+v\n%s", caller, diff)
			}
		})
	}
}

func TestBadParameters(t *testing.T) {
	e := newEdge(t, nil)
	tests := map[string]struct {
		scope, method, path string
		headers             []string
		pointer, detail     string
	}{
		"key too long":          {"events:write", "POST", "/v1/alerts", []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, "", "Idempotency-Key"},
		"key not ASCII":         {"events:write", "POST", "/v1/alerts", []string{"Idempotency-Key: clé"}, "", "Idempotency-Key"},
		"cluster too long":      {"events:write", "POST", "/v1/alerts?cluster=" + strings.Repeat("c", 600), nil, "/cluster", "512 bytes"},
		"control character":     {"events:write", "POST", "/v1/alerts?cluster=a%00b", nil, "/cluster", "control characters"},
		"limit is a word":       {"read", "GET", "/v1/intents?limit=many", nil, "/limit", "whole number"},
		"limit too high":        {"read", "GET", "/v1/intents?limit=201", nil, "/limit", "at most 200"},
		"limit negative":        {"read", "GET", "/v1/incidents?limit=-1", nil, "/limit", "at least 0"},
		"cursor too long":       {"read", "GET", "/v1/incidents?cursor=" + strings.Repeat("c", 201), nil, "/cursor", "at most 200"},
		"id too long":           {"read", "GET", "/v1/intents/" + strings.Repeat("a", 65), nil, "/id", "at most 64"},
		"id with a line break":  {"read", "GET", "/v1/intents/a%0Ab", nil, "/id", "control characters"},
		"id not UTF-8":          {"read", "GET", "/v1/intents/%ff", nil, "/id", "UTF-8"},
		"execution id too long": {"intents:execute", "POST", "/v1/executions/" + strings.Repeat("7", 201) + "/crashed", nil, "/execution_id", "at most 200"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			body := ""
			if test.scope == "events:write" {
				body = `{"severity":"high"}`
			}
			got := e.as(test.scope, test.method, test.path, body, test.headers...)
			p := got.problem(t)
			said := p.Detail
			if test.pointer != "" && len(p.Errors) == 1 && p.Errors[0].Pointer == test.pointer {
				said = p.Errors[0].Detail
			}
			if got.status != 422 || !strings.Contains(said, test.detail) {
				t.Errorf("got %d %+v", got.status, p)
			}
		})
	}
}

func TestEscapedPathParameter(t *testing.T) {
	var seen string
	e := newEdge(t, func(o *Options) {
		o.UseCases.ShowIntent = func(_ context.Context, _ identity.Caller, req handlers.ByID) (handlers.IntentView, error) {
			seen = req.ID
			return anIntent(), nil
		}
	})
	e.client = nethttp.DefaultClient // the contract's router takes the slash for a separator
	e.as("read", "GET", "/v1/intents/a%2Fb%20c", "")
	if seen != "a/b c" {
		t.Errorf("got %q", seen)
	}
}

func TestFieldsAreCheckedByName(t *testing.T) {
	e := newEdge(t, nil)
	long := strings.Repeat("x", 201)
	tests := map[string]struct {
		scope, method, path, body string
		pointer, detail           string
	}{
		"missing":             {"intents:execute", "POST", "/v1/intents/INT-1/claim", `{}`, "/worker", "is required"},
		"too long":            {"intents:execute", "POST", "/v1/intents/INT-1/claim", `{"worker":"` + long + `"}`, "/worker", "at most 200 characters"},
		"wrong type":          {"intents:execute", "POST", "/v1/intents/INT-1/claim", `{"worker":7}`, "/worker", "must be a string, not number"},
		"an array":            {"intents:execute", "POST", "/v1/intents/INT-1/claim", `[]`, "", "must be an object, not array"},
		"not one of":          {"intents:execute", "POST", "/v1/intents/INT-1/result", `{"lease_token":"t","status":"done"}`, "/status", "one of: succeeded, failed, skipped"},
		"not a time":          {"intents:execute", "POST", "/v1/intents/INT-1/result", `{"lease_token":"t","status":"failed","started_at":"noon"}`, "/started_at", "RFC 3339"},
		"unknown member":      {"intents:decide", "POST", "/v1/intents/INT-1/approve", `{"overide":["budget"]}`, "/overide", "check its spelling"},
		"too many items":      {"intents:decide", "POST", "/v1/intents/INT-1/approve", `{"override":[` + strings.Repeat(`"a",`, 20) + `"a"]}`, "/override", "at most 20 items"},
		"an item too long":    {"intents:decide", "POST", "/v1/intents/INT-1/reject", `{"override":["a","` + long + `"]}`, "/override/1", "at most 64 characters"},
		"an item's type":      {"intents:decide", "POST", "/v1/intents/INT-1/abort", `{"override":[1]}`, "/override", "must be a string"},
		"unknown mode":        {"admin", "PUT", "/v1/automation", `{"mode":"on","reason":"r"}`, "/mode", "one of: paused, dry_run, live"},
		"mode without reason": {"admin", "PUT", "/v1/automation", `{"mode":"live"}`, "/reason", "is required"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := e.as(test.scope, test.method, test.path, test.body)
			p := got.problem(t)
			if got.status != 422 || len(p.Errors) != 1 || p.Errors[0].Pointer != test.pointer || !strings.Contains(p.Errors[0].Detail, test.detail) {
				t.Errorf("got %d %+v", got.status, p)
			}
		})
	}
}

func TestExecutorMayAddMembers(t *testing.T) {
	e := newEdge(t, nil)
	for path, body := range map[string]string{
		"/v1/intents/INT-1/claim":  `{"worker":"n8n","version":"2"}`,
		"/v1/intents/INT-1/result": `{"lease_token":"t","status":"succeeded","node":"HTTP"}`,
	} {
		if got := e.as("intents:execute", "POST", path, body); got.status != 200 {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

func TestManyLargeBodiesAreOverload(t *testing.T) {
	waiting, release := make(chan struct{}), make(chan struct{})
	e := newEdge(t, func(o *Options) {
		o.MaxBodyBytes = 100_000
		o.UseCases.Intake = func(context.Context, identity.Caller, handlers.IntakeRequest) (handlers.Answer, error) {
			waiting <- struct{}{}
			<-release
			return handlers.Answer{Status: handlers.StatusHealthy}, nil
		}
	})
	body := fmt.Sprintf(`{"severity":"high","message":%q}`, strings.Repeat("x", 70_000))
	first := make(chan reply)
	go func() { first <- e.as("events:write", "POST", "/v1/alerts", body) }()
	<-waiting
	got := e.as("events:write", "POST", "/v1/alerts", body)
	if p := got.problem(t); got.status != 503 || got.header.Get("Retry-After") != "1" || p.Type != "/problems/overloaded" {
		t.Errorf("got %+v", got)
	}
	// What decides and reports is small, and gets through.
	if got := e.as("intents:execute", "POST", "/v1/intents/INT-1/result", `{"lease_token":"t","status":"succeeded"}`); got.status != 200 {
		t.Errorf("a result while large bodies wait: %+v", got)
	}
	close(release)
	if got := <-first; got.status != 200 {
		t.Errorf("the first one: %+v", got)
	}
	if left := e.server.bodyBudget.Load(); left != 0 {
		t.Errorf("%d bytes are still reserved", left)
	}
}

func TestSlowBodyIsGivenUp(t *testing.T) {
	if readTimeout <= 55*time.Second || writeTimeout <= readTimeout {
		t.Error("a read deadline within the longest poll would end its context")
	}
}
