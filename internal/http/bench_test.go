package http

import (
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/identity"
)

// BenchmarkIntake is the edge alone: a real token, a log line, no use case.
func BenchmarkIntake(b *testing.B) {
	verifier, token := realToken(b)
	server, err := New(Options{UseCases: calmUseCases(), Verifier: verifier, Logger: zerolog.New(io.Discard), Metrics: nethttp.NotFoundHandler()})
	if err != nil {
		b.Fatal(err)
	}
	body := `{"severity":"critical","service":"api-gateway","labels":{"alertname":"KubePodCrashLooping","pod":"api-gateway-7d9f5b8c6-x7k2m"},"message":"` + strings.Repeat("x", 400) + `"}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/v1/alerts", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if server.ServeHTTP(w, r); w.Code != nethttp.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

// realToken is the real verifier with a key and a token of its own.
func realToken(t testing.TB) (*identity.Verifier, string) {
	t.Helper()
	private, public, err := identity.Generate(identity.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ops.pub.pem"), public, 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := identity.OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := identity.NewVerifier(ring, identity.Config{Audience: identity.DefaultAudience}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	claims := identity.Claims{Subject: "n8n", Scopes: identity.Scopes(identity.EventsWrite), Audience: identity.DefaultAudience, TTL: time.Hour}
	token, err := identity.Sign(private, claims, time.Now(), "1")
	if err != nil {
		t.Fatal(err)
	}
	return verifier, token
}

func TestRealTokenOpensItsDoor(t *testing.T) {
	verifier, token := realToken(t)
	e := newEdge(t, func(o *Options) { o.Verifier = verifier })
	if got := e.as("", "POST", "/v1/alerts", `{"severity":"high"}`, "Authorization: Bearer "+token); got.status != 200 {
		t.Errorf("got %+v", got)
	}
	if got := e.as("", "GET", "/v1/policy", "", "Authorization: Bearer "+token); got.status != 403 {
		t.Errorf("got %+v", got)
	}
	if got := e.as("", "GET", "/v1/policy", "", "Authorization: Bearer "+token+"x"); got.status != 401 {
		t.Errorf("got %+v", got)
	}
}
