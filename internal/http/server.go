package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	nethttp "net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"salve/internal/fault"
	"salve/internal/identity"
)

// The longest long poll is 55 s, and a read deadline that passes while a
// handler waits would end its context: so the time for reading is longer than
// that, and the time for answering longer still.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 75 * time.Second
	writeTimeout      = 90 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10

	defaultGrace        = 30 * time.Second
	defaultMaxBodyBytes = 256 << 20
)

// Options of a Server. UseCases, Verifier and Metrics are required.
type Options struct {
	UseCases    UseCases
	Verifier    Verifier
	Logger      zerolog.Logger
	Metrics     nethttp.Handler
	PublicURL   string // where people reach this server; named in the OpenAPI document
	MetricsOpen bool   // without a token; else the scope read is needed
	Ready       []Check
	Observe     func(Observation) // called after each request, for metrics; may be nil
	Grace       time.Duration     // how long Serve waits for requests in flight; zero: 30 s

	// MaxBodyBytes is what all bodies in flight may take together; zero: 256 MiB.
	MaxBodyBytes int64
}

// Observation is what metrics need to know about one request.
type Observation struct {
	Method  string
	Route   string // the pattern, never the path
	Status  int
	Took    time.Duration
	Refusal identity.Reason // why the token was refused; empty when it was not
}

// Server is the edge.
type Server struct {
	useCases       UseCases
	verifier       Verifier
	logger         zerolog.Logger
	metricsHandler nethttp.Handler
	metricsOpen    bool
	ready          []Check
	observe        func(Observation)
	grace          time.Duration
	maxBodyBytes   int64
	document       []byte

	validator  requestValidator
	pages      *pages
	mux        *chi.Mux
	buffers    sync.Pool
	bodyBudget atomic.Int64
}

// New builds the edge, or says what is missing.
func New(o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	pages, err := newPages()
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	s := &Server{
		useCases: o.UseCases, verifier: o.Verifier, logger: o.Logger,
		metricsHandler: o.Metrics, metricsOpen: o.MetricsOpen, ready: o.Ready,
		observe: o.Observe, grace: o.Grace, maxBodyBytes: o.MaxBodyBytes,
		document:  documentFor(o.PublicURL),
		validator: newRequestValidator(), pages: pages,
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	s.defaults()
	s.mux = s.install(s.routes())
	return s, nil
}

func (o Options) check() error {
	var missing []string
	uses := reflect.ValueOf(o.UseCases)
	for i := range uses.NumField() {
		if uses.Field(i).IsNil() {
			missing = append(missing, "use case "+uses.Type().Field(i).Name)
		}
	}
	if o.Verifier == nil {
		missing = append(missing, "verifier")
	}
	if o.Metrics == nil {
		missing = append(missing, "metrics handler")
	}
	if len(missing) > 0 {
		return fmt.Errorf("http server: missing %s", strings.Join(missing, ", "))
	}
	return nil
}

func (s *Server) defaults() {
	if s.observe == nil {
		s.observe = func(Observation) {}
	}
	if s.grace <= 0 {
		s.grace = defaultGrace
	}
	if s.maxBodyBytes <= 0 {
		s.maxBodyBytes = defaultMaxBodyBytes
	}
}

func (s *Server) install(routes []route) *chi.Mux {
	mux := chi.NewMux()
	for i := range routes {
		handler := s.handle(&routes[i])
		mux.Method(routes[i].method, routes[i].pattern, handler)
		if routes[i].method == nethttp.MethodGet {
			// net/http leaves the body out.
			mux.Method(nethttp.MethodHead, routes[i].pattern, handler)
		}
	}
	mux.NotFound(s.handle(&route{pattern: "unmatched", endpoint: notFound}))
	mux.MethodNotAllowed(s.handle(&route{pattern: "unmatched", endpoint: s.methodNotAllowed}))
	return mux
}

func notFound(x *exchange) error {
	return fault.New(fault.NotFound, "There is nothing at %s; /docs lists what there is.", clip(x.r.URL.Path))
}

func (s *Server) methodNotAllowed(x *exchange) error {
	var allowed []string
	for _, method := range []string{nethttp.MethodGet, nethttp.MethodHead, nethttp.MethodPost, nethttp.MethodPut, nethttp.MethodDelete} {
		if s.mux.Match(chi.NewRouteContext(), method, x.r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	x.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return fault.New(fault.MethodNotAllowed, "%s is not possible here; use %s.", clip(x.r.Method), strings.Join(allowed, " or "))
}

// ServeHTTP makes a Server a handler, for tests and for other servers.
func (s *Server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers on listener until ctx is done. Then it takes nothing new and
// waits for what is in flight; what is not done after the grace time is cut
// off, and that is an error.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &nethttp.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(s.logger.With().Str("from", "net/http").Logger(), "", 0),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("http server: %w", err)
	case <-ctx.Done():
	}
	return s.shutdown(server)
}

func (s *Server) shutdown(server *nethttp.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("http server: requests were cut off after %s: %w", s.grace, errors.Join(err, server.Close()))
	}
	return nil
}
