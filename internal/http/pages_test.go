package http

import (
	"crypto/sha256"
	"encoding/base64"
	nethttp "net/http"
	"regexp"
	"strings"
	"testing"
)

func TestDocsPage(t *testing.T) {
	e := newEdge(t, nil)
	got := e.as("", "GET", "/docs", "")
	if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Fatalf("got %d %v", got.status, got.header)
	}
	words := strings.ReplaceAll(got.body, "<wbr>", "")
	for _, rt := range e.server.routes() {
		if !strings.Contains(words, `<span class="method `+rt.method+`">`+rt.method+`</span> `+rt.pattern) {
			t.Errorf("%s %s is not on the page", rt.method, rt.pattern)
		}
	}
	for _, want := range []string{"KubePodCrashLooping", "scope <code>intents:execute</code>", `href="#schema-Intent"`, "array of Intent", "required", "/v1/<wbr>executions/<wbr>{execution_id}/<wbr>crashed", `<tr class="example"><td colspan="3"><pre>`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(`id="([^"]*)"`).FindAllStringSubmatch(got.body, -1) {
		ids[id[1]] = true
	}
	for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got.body, -1) {
		if !ids[link[1]] {
			t.Errorf("the link to %q leads nowhere", link[1])
		}
	}
}

func TestAddressAloneLeadsToDocs(t *testing.T) {
	e := newEdge(t, nil)
	e.client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }
	for _, path := range []string{"/", "/docs/"} {
		got := e.as("", "GET", path, "")
		if got.status != 302 || got.header.Get("Location") != "/docs" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %+v", path, got)
		}
	}
}

// The pages need nothing from anywhere, and may load nothing.
func TestPagesAreSelfContained(t *testing.T) {
	e := newEdge(t, nil)
	for _, path := range []string{"/docs", "/problems/invalid"} {
		got := e.as("", "GET", path, "")
		for _, bad := range []string{"<script", "<link", "src=", "@import", "url(", "ZgotmplZ"} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		_, rest, _ := strings.Cut(got.body, "<style>")
		style, _, _ := strings.Cut(rest, "</style>")
		sum := sha256.Sum256([]byte(style))
		csp := got.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: %s does not allow the page's own style", path, csp)
		}
	}
}

func TestProblemPageOfNothing(t *testing.T) {
	e := newEdge(t, nil)
	if got := e.as("", "GET", "/problems/%3Cscript%3E", ""); got.status != 404 {
		t.Errorf("got %+v", got)
	}
}

func TestOpenAPIDocument(t *testing.T) {
	e := newEdge(t, nil)
	got := e.as("", "GET", "/openapi.yaml", "")
	if got.status != 200 || got.body != string(OpenAPI()) || got.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("got %d %v", got.status, got.header)
	}
}
