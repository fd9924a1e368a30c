package http

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"salve/internal/fault"
	"salve/internal/handlers"
	"salve/internal/identity"
)

// faultKinds reads the kinds from their source, so that a new one cannot be
// forgotten here.
func faultKinds(t *testing.T) []fault.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []fault.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Kind" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, fault.Kind(value))
		}
		return true
	})
	if len(kinds) < 10 {
		t.Fatalf("only %v were found", kinds)
	}
	return kinds
}

func TestEveryKindIsAProblem(t *testing.T) {
	var next error
	e := newEdge(t, func(o *Options) {
		o.UseCases.Claim = func(context.Context, identity.Caller, handlers.ClaimRequest) (handlers.ClaimResponse, error) {
			return handlers.ClaimResponse{}, next
		}
	})
	for _, kind := range faultKinds(t) {
		t.Run(string(kind), func(t *testing.T) {
			e.t = t
			next = fmt.Errorf("claim INT-1: %w", &fault.Fault{Kind: kind, Detail: "What would be right.", Err: errors.New("secret cause")})
			got := e.as("intents:execute", "POST", "/v1/intents/INT-1/claim", `{"worker":"n8n"}`)
			p := got.problem(t)
			if p.Type != "/problems/"+string(kind) || p.Status != got.status || p.Detail != "What would be right." {
				t.Errorf("got %+v", got)
			}
			if strings.Contains(got.body, "secret cause") {
				t.Error("the cause leaked")
			}
			if (got.status == 503) != (got.header.Get("Retry-After") != "") || got.status == 429 {
				t.Errorf("status %d with Retry-After %q", got.status, got.header.Get("Retry-After"))
			}
			page := e.as("", "GET", p.Type, "")
			if page.status != 200 || !strings.Contains(page.body, p.Title) {
				t.Errorf("its page: %d", page.status)
			}
			lines := e.logs.lines(t)
			if said := lines[len(lines)-2]["error"]; !strings.Contains(fmt.Sprint(said), "claim INT-1: ") || !strings.Contains(fmt.Sprint(said), "secret cause") {
				t.Errorf("the log says %v", said)
			}
		})
	}
}

func TestWhatAProblemSays(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		want   problem
		header string // Retry-After
	}{
		"a conflict with its reason": {
			fault.Refused("already_claimed", "Somebody holds it."), 409,
			problem{Type: "/problems/conflict", Reason: "already_claimed", Detail: "Somebody holds it."}, ""},
		"too early, rounded up": {
			&fault.Fault{Kind: fault.Conflict, Reason: "too_early", Detail: "Its window is open.", RetryAfter: 1100 * time.Millisecond}, 409,
			problem{Type: "/problems/conflict", Reason: "too_early", Detail: "Its window is open.", RetryAfter: 2}, "2"},
		"any other error": {
			errors.New("pq: password authentication failed"), 500,
			problem{Type: "/problems/internal", Detail: "the request id"}, ""},
		"a deadline": {
			fmt.Errorf("claim: %w", context.DeadlineExceeded), 503,
			problem{Type: "/problems/unavailable", Detail: "too long", RetryAfter: 2}, "2"},
		"an unknown kind": {
			&fault.Fault{Kind: "odd", Detail: "odd"}, 500,
			problem{Type: "/problems/internal", Detail: "the request id"}, ""},
		"members that cannot be encoded": {
			&fault.Fault{Kind: fault.NotFound, Detail: "d", Extra: map[string]any{"x": func() {}}}, 404,
			problem{Type: "/problems/not-found"}, ""},
		"members that would overrule": {
			&fault.Fault{Kind: fault.NotFound, Detail: "d", Extra: map[string]any{"status": 200}}, 404,
			problem{Type: "/problems/not-found", Detail: "d"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := newEdge(t, func(o *Options) {
				o.UseCases.ShowIntent = failing[handlers.ByID, handlers.IntentView](test.err)
			})
			got := e.as("read", "GET", "/v1/intents/INT-1", "")
			p := got.problem(t)
			if got.status != test.status || p.Status != test.status || p.Type != test.want.Type || p.Reason != test.want.Reason ||
				p.RetryAfter != test.want.RetryAfter || !strings.Contains(p.Detail, test.want.Detail) {
				t.Errorf("got %d %+v", got.status, p)
			}
			if got.header.Get("Retry-After") != test.header || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

func TestPanicIsAProblem(t *testing.T) {
	e := newEdge(t, func(o *Options) {
		o.UseCases.ShowIntent = func(context.Context, identity.Caller, handlers.ByID) (handlers.IntentView, error) {
			panic("no such state")
		}
	})
	got := e.as("read", "GET", "/v1/intents/INT-1", "", "X-Request-Id: r-7")
	if p := got.problem(t); got.status != 500 || p.Instance != "r-7" || strings.Contains(got.body, "no such state") {
		t.Errorf("got %+v", got)
	}
	lines := e.logs.lines(t)
	if len(lines) != 1 || lines[0]["level"] != "error" || lines[0]["error"] != "internal: panic: no such state" ||
		!strings.Contains(fmt.Sprint(lines[0]["stack"]), "problem_test.go") {
		t.Errorf("log %v", lines)
	}
}
