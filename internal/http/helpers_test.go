package http

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/handlers"
	"salve/internal/http/httpcheck"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/report"
	"salve/internal/slack"
)

var testNow = time.Date(2026, 3, 1, 3, 15, 0, 0, time.UTC)

// tokens is a Verifier: the token "scope:a b" has the scopes a and b.
type tokens struct{}

func (tokens) Verify(token string) (identity.Caller, error) {
	if token == "" {
		return identity.Caller{}, &identity.Refusal{Reason: identity.Missing, Detail: "no token"}
	}
	scopes, ok := strings.CutPrefix(token, "scope:")
	if !ok {
		return identity.Caller{}, &identity.Refusal{Reason: identity.Expired, Detail: "the token expired"}
	}
	set, err := identity.ParseScopes(scopes)
	return identity.Caller{Subject: "n8n", Scopes: set}, err
}

// edge is a running server with use cases of a test's own.
type edge struct {
	t      *testing.T
	server *Server
	url    string
	client *nethttp.Client
	logs   *lockedBuffer

	mu   sync.Mutex
	seen []Observation
}

func (e *edge) observe(o Observation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, o)
}

func (e *edge) lastSeen() Observation {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[len(e.seen)-1]
}

func newEdge(t *testing.T, change func(*Options)) *edge {
	t.Helper()
	e := &edge{t: t, logs: &lockedBuffer{}}
	options := Options{
		UseCases: calmUseCases(), Verifier: tokens{}, Logger: zerolog.New(e.logs),
		Metrics: nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			_, _ = io.WriteString(w, "up 1\n")
		}),
		Observe: e.observe,
	}
	if change != nil {
		change(&options)
	}
	server, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(server)
	t.Cleanup(running.Close)
	e.server, e.url, e.client = server, running.URL, httpcheck.Client(t, OpenAPI())
	return e
}

// calmUseCases answer with the least that is right.
func calmUseCases() UseCases {
	return UseCases{
		Intake:        answering[handlers.IntakeRequest](handlers.Answer{Status: handlers.StatusHealthy}),
		Evidence:      answering[handlers.IntakeRequest](handlers.Answer{Status: handlers.StatusHealthy}),
		Capacity:      answering[handlers.IntakeRequest](handlers.Answer{Status: handlers.StatusHealthy, Capacity: &handlers.CapacityAnswer{}}),
		Checks:        answering[handlers.IntakeRequest](handlers.Answer{Status: handlers.StatusHealthy}),
		ListChecks:    answering[None](handlers.CheckList{Items: []handlers.CheckView{}}),
		Monitoring:    answering[handlers.IntakeRequest](handlers.Answer{Status: handlers.StatusHealthy}),
		Tasks:         answering[None](handlers.Items[handlers.TaskView]{Items: []handlers.TaskView{}}),
		RunTask:       answering[handlers.TaskRequest](handlers.TaskAnswer{TaskView: handlers.TaskView{Name: "cleanup", LastState: "succeeded", LastRun: &testNow}, Results: []handlers.ItemResult{}, Intents: []handlers.IntentView{}}),
		ListIntents:   answering[handlers.ListRequest](handlers.Page[handlers.IntentView]{Items: []handlers.IntentView{}}),
		ShowIntent:    answering[handlers.ByID](anIntent()),
		Claim:         answering[handlers.ClaimRequest](handlers.ClaimResponse{Lease: handlers.Lease{Token: "t", ExpiresAt: testNow}, Execute: json.RawMessage(`{"timeout_seconds":60}`)}),
		Result:        answering[handlers.ResultRequest](handlers.Answer{Status: handlers.StatusHealthy}),
		Approve:       answering[handlers.DecideRequest](anIntent()),
		Reject:        answering[handlers.DecideRequest](anIntent()),
		Abort:         answering[handlers.DecideRequest](anIntent()),
		Crashed:       answering[handlers.CrashedRequest](handlers.CrashedResponse{Lost: []incident.ID{}}),
		Heartbeat:     answering[handlers.HeartbeatRequest](handlers.HeartbeatResponse{Status: handlers.HeartbeatOK, Intents: []handlers.IntentView{}, ActiveIssues: []handlers.Issue{}}),
		ListIncidents: answering[handlers.ListRequest](handlers.Page[incident.Incident]{Items: []incident.Incident{anIncident()}}),
		ShowIncident:  answering[handlers.ByID](handlers.IncidentView{Incident: anIncident()}),
		Automation:    answering[None](handlers.AutomationView{Mode: incident.DryRunAll, At: testNow}),
		SetAutomation: answering[handlers.AutomationRequest](handlers.AutomationView{Mode: incident.Live, At: testNow}),
		Decisions:     answering[handlers.DecisionsRequest](handlers.Page[handlers.RecordView]{Items: []handlers.RecordView{}}),
		Ack:           answering[handlers.NoteRequest](anIncident()),
		Resolve:       answering[handlers.NoteRequest](anIncident()),
		Report:        answering[handlers.ByID](report.Of(report.Case{Incident: anIncident()})),
		Day:           answering[handlers.PeriodRequest](report.Day{Date: "2026-03-01", Lines: []report.Line{}}),
		Week:          answering[handlers.PeriodRequest](report.OfWeek(report.Figures{From: testNow, To: testNow})),
		Briefing:      answering[None](report.OfMorning(report.Morning{At: testNow, Since: testNow})),
		SlackCommand:  answering[handlers.SlackRequest](slack.Help()),
		SlackClick:    answering[handlers.SlackRequest](slack.Help()),
		SlackEvent:    answering[handlers.SlackRequest](slack.Message{}),
		Freezes:       answering[None](handlers.Items[handlers.FreezeView]{Items: []handlers.FreezeView{aFreeze()}}),
		AddFreeze:     answering[handlers.FreezeRequest](aFreeze()),
		EndFreeze:     answering[handlers.ByID](aFreeze()),
		Breakers:      answering[None](handlers.Items[handlers.BreakerView]{Items: []handlers.BreakerView{aBreaker()}}),
		ResetBreaker:  answering[handlers.ResetRequest](aBreaker()),
		Promotions:    answering[None](handlers.Items[incident.Promotion]{Items: []incident.Promotion{aPromotion}}),
		Promote:       answering[handlers.ResetRequest](aPromotion),
		RejectPromote: answering[handlers.ResetRequest](aPromotion),
		Policy:        answering[None](handlers.PolicyView{Version: "v", Source: "rules: []"}),
		Simulate:      answering[handlers.SimulateRequest](handlers.Simulation{Incident: anIncident(), Intents: []incident.Intent{}}),
		VerifyAudit:   answering[None](handlers.AuditVerification{OK: true, CheckedAt: testNow}),
	}
}

func answering[Req, Resp any](resp Resp) UseCase[Req, Resp] {
	return func(context.Context, identity.Caller, Req) (Resp, error) { return resp, nil }
}

func failing[Req, Resp any](err error) UseCase[Req, Resp] {
	return func(context.Context, identity.Caller, Req) (resp Resp, _ error) { return resp, err }
}

func testID(n byte) incident.ID { return incident.NewID(testNow, [10]byte{9: n}) }

func anIncident() incident.Incident {
	return incident.Incident{ID: testID(1), ShortID: "INC-1", State: incident.StateOpen, Severity: incident.High, OpenedAt: testNow, UpdatedAt: testNow}
}

func anIntent() handlers.IntentView {
	in := incident.Intent{
		ID: testID(2), ShortID: "INT-2", IncidentID: testID(1), Action: "k8s.pod.restart", Effect: incident.Change,
		Mode: incident.Auto, State: incident.Ready, Risk: incident.RiskLow, NotBefore: testNow, ExpiresAt: testNow,
	}
	in.Paths()
	view, err := handlers.View(in)
	if err != nil {
		panic(err)
	}
	return view
}

type reply struct {
	status int
	header nethttp.Header
	body   string
}

// problem is what a problem document says.
type problem struct {
	Type, Title, Detail, Instance, Reason string
	Status                                int
	RetryAfter                            int    `json:"retry_after"`
	RequiredScope                         string `json:"required_scope"`
	Errors                                []struct{ Pointer, Detail string }
}

func (r reply) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("%q is no problem: %v", r.body, err)
	}
	return p
}

// as sends a request with the given scopes; each header is "Name: value".
func (e *edge) as(scopes, method, path, body string, headers ...string) reply {
	e.t.Helper()
	r, err := nethttp.NewRequest(method, e.url+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	if scopes != "" {
		r.Header.Set("Authorization", "Bearer scope:"+scopes)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return e.do(r)
}

func (e *edge) do(r *nethttp.Request) reply {
	e.t.Helper()
	resp, err := e.client.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines gives the log so far, one map a line.
func (l *lockedBuffer) lines(t *testing.T) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []map[string]any
	for line := range strings.Lines(l.b.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

func aFreeze() handlers.FreezeView {
	return handlers.FreezeView{Freeze: incident.Freeze{ID: incident.ID{1}, Reason: "r", By: "ines", StartsAt: testNow, EndsAt: testNow, At: testNow}}
}

func aBreaker() handlers.BreakerView {
	return handlers.BreakerView{Breaker: incident.Breaker{ID: incident.ID{1}, Scope: "target a", Reason: "r", OpenedAt: testNow}, Open: true}
}

var aPromotion = incident.Promotion{ID: incident.ID{1}, Cause: "c", Action: "a", Scope: "s", State: incident.Proposed, Reason: "r", At: testNow}
