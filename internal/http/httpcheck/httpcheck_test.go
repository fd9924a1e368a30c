package httpcheck

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const document = `
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /things:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: [string, "null"]}}}}}
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}
        "409":
          description: no
          content: {application/problem+json: {schema: {type: object, required: [type]}}}
`

// recorder is a test that may fail without failing the test it is part of.
type recorder struct {
	testing.TB
	failed int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed++ }

func TestExchanges(t *testing.T) {
	tests := map[string]struct {
		path, sent string
		status     int
		mediaType  string
		got        string
		fine       bool
	}{
		"all is well":                  {"/things", `{"name":null}`, 200, "application/json", `{"id":1}`, true},
		"a refusal of a bad request":   {"/things", `{}`, 409, "application/problem+json", `{"type":"/problems/x"}`, true},
		"a bad request is accepted":    {"/things", `{}`, 200, "application/json", `{"id":1}`, false},
		"one bad item of a batch":      {"/things", `{}`, 200, "application/json", `{"id":1,"results":[{"outcome":"rejected"}]}`, true},
		"a member is missing":          {"/things", `{"name":"a"}`, 200, "application/json", `{}`, false},
		"a member has another type":    {"/things", `{"name":"a"}`, 200, "application/json", `{"id":"1"}`, false},
		"another media type":           {"/things", `{"name":"a"}`, 200, "text/plain", `{"id":1}`, false},
		"a status that is not there":   {"/things", `{"name":"a"}`, 418, "application/problem+json", `{"type":"/problems/x"}`, false},
		"an unknown path is a problem": {"/other", `{}`, 404, "application/problem+json", `{"type":"/problems/not-found"}`, true},
		"an unknown path is served":    {"/other", `{}`, 200, "application/json", `{"type":"/problems/not-found"}`, false},
		"an unknown path in text":      {"/other", `{}`, 404, "text/plain", `not found`, false},
		"405 without Allow":            {"/other", `{}`, 405, "application/problem+json", `{"type":"/problems/x"}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Request-Id", "r")
				w.Header().Set("Content-Type", test.mediaType)
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.got)
			}))
			defer server.Close()
			seen := &recorder{TB: t}
			resp, err := Client(seen, []byte(document)).Post(server.URL+test.path, "application/json", strings.NewReader(test.sent))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != test.got {
				t.Errorf("the body was not passed on: %q, %v", body, err)
			}
			if (seen.failed == 0) != test.fine {
				t.Errorf("%d complaints, want fine: %v", seen.failed, test.fine)
			}
		})
	}
}
