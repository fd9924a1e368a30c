package http

import (
	"fmt"
	nethttp "net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"salve/internal/identity"
)

func TestRoutesAreTheDocument(t *testing.T) {
	e := newEdge(t, nil)
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			documented = append(documented, fmt.Sprintf("%s %s [%s]", method, path, documentedScope(doc, op)))
		}
	}
	var served []string
	for _, rt := range e.server.routes() {
		served = append(served, fmt.Sprintf("%s %s [%s]", rt.method, rt.pattern, rt.scope))
	}
	slices.Sort(documented)
	slices.Sort(served)
	if diff := cmp.Diff(documented, served); diff != "" {
		t.Errorf("document (-) and routes (+) differ:\n%s", diff)
	}
}

func documentedScope(doc *openapi3.T, op *openapi3.Operation) string {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	for _, requirement := range security {
		return strings.Join(requirement["bearer"], " ")
	}
	return ""
}

// Every door opens with its own scope and with none of the others.
func TestEveryRouteNeedsItsScope(t *testing.T) {
	e := newEdge(t, nil)
	for _, rt := range e.server.routes() {
		if rt.scope == open {
			continue
		}
		t.Run(rt.method+" "+rt.pattern, func(t *testing.T) {
			e.t = t
			path := strings.NewReplacer("{id}", "INT-1", "{source}", "alertmanager", "{execution_id}", "7").Replace(rt.pattern)
			none := e.as("", rt.method, path, "")
			if p := none.problem(t); none.status != 401 || p.Reason != "missing" || none.header.Get("WWW-Authenticate") != `Bearer realm="salve"` {
				t.Errorf("without a token: %+v", none)
			}
			for _, scope := range identity.AllScopes() {
				got := e.as(string(scope), rt.method, path, "")
				if allowed := got.status != 403 && got.status != 401; allowed != (scope == rt.scope) {
					t.Errorf("scope %s: status %d", scope, got.status)
				}
				if got.status == 403 && got.problem(t).RequiredScope != string(rt.scope) {
					t.Errorf("the missing scope is not named: %s", got.body)
				}
			}
		})
	}
}

func TestRefusedToken(t *testing.T) {
	e := newEdge(t, nil)
	tests := map[string]struct{ authorization, reason, challenge string }{
		"expired":        {"Bearer old", "expired", `Bearer realm="salve", error="invalid_token"`},
		"any case":       {"bEARER old", "expired", `Bearer realm="salve", error="invalid_token"`},
		"another scheme": {"Basic dXNlcjpwYXNz", "missing", `Bearer realm="salve"`},
		"no scheme":      {"old", "missing", `Bearer realm="salve"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := e.as("", "GET", "/v1/policy", "", "Authorization: "+test.authorization)
			if got.status != 401 || got.problem(t).Reason != test.reason || got.header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("got %+v", got)
			}
			if last := e.lastSeen(); string(last.Refusal) != test.reason || last.Route != "/v1/policy" {
				t.Errorf("observed %+v", last)
			}
		})
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	e := newEdge(t, nil)
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/v1/nothing", 404, ""},
		{"GET", "/v1/intents/", 404, ""},
		{"GET", "/v1/intents/../policy", 404, ""},
		{"DELETE", "/v1/automation", 405, "GET, HEAD, PUT"},
		{"GET", "/v1/alerts", 405, "POST"},
		{"HEAD", "/v1/alerts", 405, "POST"},
		{"DELETE", "/docs", 405, "GET, HEAD"},
		{"BREW", "/v1/alerts", 405, "POST"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			e.t = t
			got := e.as("read", test.method, test.path, "")
			if got.status != test.status || got.header.Get("Allow") != test.allow {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// HEAD is GET without the body, to the caller, in the log and in the metrics.
func TestHeadIsGetWithoutBody(t *testing.T) {
	e := newEdge(t, nil)
	e.client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }
	for _, rt := range e.server.routes() {
		if rt.method != nethttp.MethodGet {
			continue
		}
		t.Run(rt.pattern, func(t *testing.T) {
			e.t = t
			path := strings.NewReplacer("{id}", "INT-1", "{kind}", "invalid").Replace(rt.pattern)
			for _, scope := range []string{string(rt.scope), "events:write"} {
				get, head := e.as(scope, "GET", path, ""), e.as(scope, "HEAD", path, "")
				for _, volatile := range []string{"Date", "X-Request-Id", "Content-Length"} {
					get.header.Del(volatile)
					head.header.Del(volatile)
				}
				if head.status != get.status || head.body != "" || !cmp.Equal(get.header, head.header) {
					t.Errorf("GET %+v\nHEAD %+v", get, head)
				}
				line := last(e.logs.lines(t))
				if line["method"] != "HEAD" || line["route"] != rt.pattern || line["bytes"] != 0.0 {
					t.Errorf("logged %v", line)
				}
				if seen := e.lastSeen(); seen.Method != "HEAD" || seen.Route != rt.pattern {
					t.Errorf("observed %+v", seen)
				}
			}
		})
	}
}

func last[T any](all []T) T { return all[len(all)-1] }

func TestMetricsMayBeOpen(t *testing.T) {
	closed, opened := newEdge(t, nil), newEdge(t, func(o *Options) { o.MetricsOpen = true })
	if got := closed.as("", "GET", "/metrics", ""); got.status != 401 {
		t.Errorf("closed: %d", got.status)
	}
	for _, got := range []reply{closed.as("read", "GET", "/metrics", ""), opened.as("", "GET", "/metrics", "")} {
		if got.status != 200 || got.body != "up 1\n" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := New(Options{UseCases: UseCases{Claim: calmUseCases().Claim}})
	for _, want := range []string{"use case Intake", "use case VerifyAudit", "verifier", "metrics handler"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "Claim") {
		t.Errorf("error %v names what is there", err)
	}
}
