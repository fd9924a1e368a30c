package http

import (
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/handlers"
	"salve/internal/identity"
)

// slowServer serves on a port of its own; its claim waits to be released.
type slowServer struct {
	url     string
	stop    context.CancelFunc
	stopped chan error
	waiting chan struct{}
	release chan struct{}
}

func startSlow(t *testing.T, grace time.Duration) *slowServer {
	t.Helper()
	s := &slowServer{stopped: make(chan error, 1), waiting: make(chan struct{}), release: make(chan struct{})}
	uses := calmUseCases()
	uses.Automation = func(ctx context.Context, _ identity.Caller, _ None) (handlers.AutomationView, error) {
		close(s.waiting)
		select {
		case <-s.release:
		case <-ctx.Done():
		}
		return handlers.AutomationView{At: testNow}, ctx.Err()
	}
	server, err := New(Options{UseCases: uses, Verifier: tokens{}, Metrics: nethttp.NotFoundHandler(), Logger: zerolog.Nop(), Grace: grace})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s.url, s.stop = "http://"+listener.Addr().String(), cancel
	go func() { s.stopped <- server.Serve(ctx, listener) }()
	return s
}

func (s *slowServer) get(path string) (int, error) {
	r, err := nethttp.NewRequest("GET", s.url+path, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer scope:read")
	resp, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func TestServeLetsRequestsFinish(t *testing.T) {
	s := startSlow(t, time.Minute)
	status := make(chan int)
	go func() {
		got, _ := s.get("/v1/automation")
		status <- got
	}()
	<-s.waiting
	s.stop()
	select {
	case err := <-s.stopped:
		t.Fatalf("stopped before the request was done: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(s.release)
	if got := <-status; got != 200 {
		t.Errorf("status %d", got)
	}
	if err := <-s.stopped; err != nil {
		t.Error(err)
	}
	if _, err := s.get("/healthz"); err == nil {
		t.Error("it still listens")
	}
}

func TestServeCutsOffAfterGrace(t *testing.T) {
	s := startSlow(t, time.Millisecond)
	failed := make(chan error)
	go func() {
		_, err := s.get("/v1/automation")
		failed <- err
	}()
	<-s.waiting
	s.stop()
	if err := <-s.stopped; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off after 1ms") {
		t.Errorf("got %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	e := newEdge(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.server.Serve(context.Background(), listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestReady(t *testing.T) {
	var broken error
	e := newEdge(t, func(o *Options) {
		o.Ready = []Check{
			{Name: "policy", Probe: func(context.Context) error { return nil }, Detail: func() string { return "an old one" }},
			{Name: "database", Probe: func(context.Context) error { return broken }},
		}
	})
	if got := e.as("", "GET", "/readyz", ""); got.status != 200 || !strings.Contains(got.body, `{"name":"policy","ok":true,"detail":"an old one"},{"name":"database","ok":true}`) {
		t.Errorf("ready: %+v", got)
	}
	broken = errors.New("dial 10.0.0.7: refused")
	got := e.as("", "GET", "/readyz", "")
	if got.status != 503 || !strings.Contains(got.body, `{"name":"database","ok":false}`) || strings.Contains(got.body, "10.0.0.7") {
		t.Errorf("not ready: %+v", got)
	}
	if lines := e.logs.lines(t); !strings.Contains(lines[1]["error"].(string), "database: dial 10.0.0.7: refused") {
		t.Errorf("log %v", lines[1])
	}
}
