package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxBody bounds what the stand-in reads of one request.
const maxBody = 1 << 20

// Request is one request as it arrived, and what was answered.
type Request struct {
	At          time.Time
	Method      string
	Path        string
	Query       string
	ContentType string
	Authorized  bool
	Body        []byte
	Status      int
}

// Failure makes requests fail. The first one that matches is used.
type Failure struct {
	Method string        // empty: every method
	Path   string        // matches when the request's path contains it
	Status int           // the status to answer
	Delay  time.Duration // waits this long, or until the caller has gone
	Times  int           // how often; 0: always
}

// Server is the stand-in, serving Kubernetes and Slack on one loopback port.
type Server struct {
	URL string

	kubeToken, slackToken string
	http                  *http.Server

	mu       sync.Mutex
	world    *world
	messages int
	requests []Request
	failures []Failure
	arrived  chan struct{} // closed and replaced whenever a request was recorded
}

// Start serves on a free loopback port until Close. The tokens are what callers
// must send.
func Start(kubeToken, slackToken string, now func() time.Time) (*Server, error) {
	w, err := newWorld(now)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stand-in: %w", err)
	}
	s := &Server{
		URL: "http://" + ln.Addr().String(), kubeToken: kubeToken, slackToken: slackToken,
		world: w, arrived: make(chan struct{}),
	}
	s.http = &http.Server{Handler: s.recorded(s.routes()), ReadHeaderTimeout: 10 * time.Second}
	go s.http.Serve(ln) //nolint:errcheck // ends with Close
	return s, nil
}

// Close stops serving; requests that hang are cut off.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stand-in: close: %w", err)
	}
	return nil
}

// Fail adds a failure; Heal forgets all of them.
func (s *Server) Fail(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, f)
}

// Heal forgets all failures.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = nil
}

// Requests gives what was recorded so far, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Matching gives the recorded requests with this method whose path contains part.
func (s *Server) Matching(method, part string) []Request {
	var out []Request
	for _, r := range s.Requests() {
		if r.Method == method && strings.Contains(r.Path, part) {
			out = append(out, r)
		}
	}
	return out
}

// Await returns the matching requests as soon as there are n of them.
func (s *Server) Await(ctx context.Context, n int, method, part string) ([]Request, error) {
	for {
		s.mu.Lock()
		arrived := s.arrived
		s.mu.Unlock()
		got := s.Matching(method, part)
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return got, fmt.Errorf("waiting for %d × %s …%s…, saw %d: %w", n, method, part, len(got), ctx.Err())
		}
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	s.kubernetesRoutes(mux)
	mux.HandleFunc("POST /api/chat.postMessage", s.postMessage)
	mux.HandleFunc("POST /commands/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }) // a response_url
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeStatus(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	})
	return mux
}

// recorded keeps every request and plays the failures.
func (s *Server) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeStatus(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := Request{
			At: s.world.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			ContentType: r.Header.Get("Content-Type"), Authorized: s.authorized(r), Body: body,
		}
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		if f, ok := s.failure(r); ok {
			f.play(sw, r)
		} else {
			next.ServeHTTP(sw, r)
		}
		rec.Status = sw.status
		s.record(rec)
	})
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

func (s *Server) authorized(r *http.Request) bool {
	token := s.kubeToken
	if strings.HasPrefix(r.URL.Path, "/api/chat.") {
		token = s.slackToken
	}
	return r.Header.Get("Authorization") == "Bearer "+token
}

// failure takes the first failure that matches, once less.
func (s *Server) failure(r *http.Request) (Failure, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.failures {
		if (f.Method != "" && f.Method != r.Method) || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.Times == 1 {
			s.failures = append(s.failures[:i], s.failures[i+1:]...)
		} else if f.Times > 1 {
			s.failures[i].Times--
		}
		return f, true
	}
	return Failure{}, false
}

func (f Failure) play(w http.ResponseWriter, r *http.Request) {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	writeStatus(w, f.Status, strings.ReplaceAll(http.StatusText(f.Status), " ", ""), "the stand-in was told to fail")
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone: nobody is left to tell
}
