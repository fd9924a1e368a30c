// Package httpcheck holds every HTTP exchange of a test against the OpenAPI
// document: what the server answers must always be in the document, and what
// it accepts must be too. It is for tests only.
package httpcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Schemas are checked by a general validator; beyond this it takes longer than
// the test it serves.
const maxCheckedBytes = 1 << 20

// Transport is a RoundTripper that fails the test on an exchange that breaks
// the document.
type Transport struct {
	t      testing.TB
	router routers.Router
	base   http.RoundTripper
}

// Client gives a client whose every exchange is checked against the document.
func Client(t testing.TB, document []byte) *http.Client {
	t.Helper()
	router, err := load(document)
	if err != nil {
		t.Fatalf("openapi document: %v", err)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: &Transport{t, router, base}}
}

func load(document []byte) (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	router, err := legacy.NewRouter(doc)
	return &literalFirst{router, doc.Paths}, err
}

// literalFirst tells /a from /a/, which the router below takes for the same.
type literalFirst struct {
	routers.Router
	paths *openapi3.Paths
}

// FindRoute gives the operation of a path that is in the document as it stands.
func (l *literalFirst) FindRoute(r *http.Request) (*routers.Route, map[string]string, error) {
	found, params, err := l.Router.FindRoute(r)
	item := l.paths.Value(r.URL.Path)
	if err != nil || item == nil || item.GetOperation(r.Method) == nil {
		return found, params, err
	}
	literal := *found
	literal.Path, literal.PathItem, literal.Operation = r.URL.Path, item, item.GetOperation(r.Method)
	return &literal, params, nil
}

// RoundTrip sends the request and checks what came of it.
func (c *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Helper()
	sent, err := take(&r.Body)
	if err != nil {
		return nil, err
	}
	resp, err := c.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := take(&resp.Body)
	if err != nil {
		return nil, err
	}
	if err := c.check(r, sent, resp, got); err != nil {
		c.t.Errorf("%s %s → %d breaks the OpenAPI document: %v\nsent: %s\ngot:  %s", r.Method, r.URL.Path, resp.StatusCode, err, head(sent), head(got))
	}
	return resp, nil
}

// take reads a body and puts it back.
func take(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(*body)
	if err := errors.Join(err, (*body).Close()); err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(data))
	return data, nil
}

func (c *Transport) check(r *http.Request, sent []byte, resp *http.Response, got []byte) error {
	if resp.Header.Get("X-Request-Id") == "" {
		return errors.New("no X-Request-Id")
	}
	head := r.Method == http.MethodHead
	if head && len(got) > 0 {
		return errors.New("an answer to HEAD has a body")
	}
	copied := r.Clone(context.Background())
	if head { // is documented with GET
		copied.Method = http.MethodGet
	}
	copied.Body = io.NopCloser(bytes.NewReader(sent))
	match, params, err := c.router.FindRoute(copied)
	if err != nil {
		return checkUnmatched(head, resp, got)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: match,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			ExcludeResponseBody:   head || !isJSON(resp.Header),
		},
	}
	if accepted(resp, got) && len(sent) <= maxCheckedBytes {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("accepted request: %w", err)
		}
	}
	return checkResponse(input, resp, got)
}

func checkResponse(input *openapi3filter.RequestValidationInput, resp *http.Response, got []byte) error {
	if err := checkMediaType(input.Route.Operation, resp); err != nil || len(got) > maxCheckedBytes {
		return err
	}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Options: input.Options,
	}
	response.SetBodyBytes(got)
	return openapi3filter.ValidateResponse(context.Background(), response)
}

// checkMediaType makes up for bodies whose content is not checked.
func checkMediaType(op *openapi3.Operation, resp *http.Response) error {
	declared := op.Responses.Status(resp.StatusCode)
	if declared == nil {
		declared = op.Responses.Default()
	}
	if declared == nil || declared.Value.Content.Get(resp.Header.Get("Content-Type")) == nil {
		return fmt.Errorf("content type %q is not declared for this status", resp.Header.Get("Content-Type"))
	}
	return nil
}

// accepted says whether the server took all of it. A batch of which some items
// were rejected need not be as the document says.
func accepted(resp *http.Response, got []byte) bool {
	if resp.StatusCode >= 300 {
		return false
	}
	var answer struct {
		Results []struct{ Outcome string }
	}
	_ = json.Unmarshal(got, &answer) // what is no answer rejects nothing
	for _, result := range answer.Results {
		if result.Outcome == "rejected" {
			return false
		}
	}
	return true
}

// checkUnmatched wants a problem where the document has no such path or method.
func checkUnmatched(head bool, resp *http.Response, got []byte) error {
	if head {
		got = []byte(`{"type": "/problems/"}`) // not shown to HEAD
	}
	var problem struct{ Type string }
	if err := json.Unmarshal(got, &problem); err != nil {
		return fmt.Errorf("no problem document: %w", err)
	}
	switch {
	case resp.StatusCode < 400:
		return errors.New("the path or method is not in the document")
	case !isJSON(resp.Header) || !strings.HasPrefix(problem.Type, "/problems/"):
		return errors.New("no problem document")
	case resp.StatusCode == http.StatusMethodNotAllowed && resp.Header.Get("Allow") == "":
		return errors.New("no Allow header")
	}
	return nil
}

func isJSON(header http.Header) bool {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return mediaType == "application/json" || mediaType == "application/problem+json"
}

func head(data []byte) string {
	const limit = 2000
	if len(data) > limit {
		return string(data[:limit]) + "…"
	}
	return string(data)
}
