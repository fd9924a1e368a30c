package http

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/trail"
)

const maxRequestIDBytes = 128

// exchange is one request on its way through the edge, and what its one log
// line will say. It is a ResponseWriter so that whatever writes is counted.
type exchange struct {
	server  *Server
	w       nethttp.ResponseWriter
	r       *nethttp.Request
	ctx     context.Context
	route   *route
	id      string
	started time.Time
	caller  identity.Caller
	touched trail.Trail

	reserved int64 // bytes of the budget for bodies
	status   int
	bytes    int64
	err      error
	stack    []byte
}

// handle carries a route from its first byte to its log line.
func (s *Server) handle(rt *route) nethttp.HandlerFunc {
	return func(w nethttp.ResponseWriter, r *nethttp.Request) {
		x := &exchange{server: s, w: w, r: r, route: rt, id: requestID(r), started: time.Now()}
		x.ctx = trail.With(r.Context(), &x.touched)
		header := w.Header()
		header.Set("X-Request-Id", x.id)
		header.Set("X-Content-Type-Options", "nosniff")
		defer x.finish()
		x.err = x.run()
	}
}

func (x *exchange) run() error {
	if x.route.scope != open {
		if err := x.authenticate(); err != nil {
			return err
		}
	}
	return x.route.endpoint(x)
}

// finish answers what is unanswered, and logs: once, whatever happened.
func (x *exchange) finish() {
	if cause := recover(); cause != nil {
		x.err = &fault.Fault{Kind: fault.Internal, Err: fmt.Errorf("panic: %v", cause)}
		x.stack = debug.Stack()
	}
	x.server.bodyBudget.Add(-x.reserved)
	if x.err != nil && x.status == 0 {
		x.writeProblem(x.err)
	}
	took := time.Since(x.started)
	x.log(took)
	x.server.observe(Observation{
		Method: x.r.Method, Route: x.route.pattern, Status: x.status, Took: took,
		Refusal: refusalReason(x.err),
	})
}

func (x *exchange) log(took time.Duration) {
	parts := x.touched.Errors()
	event := x.server.logger.WithLevel(x.level(len(parts) > 0))
	if event == nil {
		return
	}
	event.Str("request_id", x.id).
		Str("method", x.r.Method).
		Str("route", x.route.pattern).
		Int("status", x.status).
		Float64("duration_ms", float64(took.Microseconds())/1000).
		Int64("bytes", x.bytes)
	if x.caller.Subject != "" {
		event.Str("caller", x.caller.Subject)
	}
	logNames(event, "incident", x.touched.Incidents)
	logNames(event, "intent", x.touched.Intents)
	if x.err != nil {
		event.Err(x.err)
	}
	if errs := x.touched.Errors(); len(errs) > 0 {
		event.Errs("item_errors", errs)
	}
	if len(parts) > 0 {
		event.Errs("part_errors", parts)
	}
	if x.stack != nil {
		event.Bytes("stack", x.stack)
	}
	event.Msg("request")
}

func logNames(event *zerolog.Event, what string, read func() ([]string, int)) {
	ids, total := read()
	if total == 0 {
		return
	}
	event.Strs(what+"_ids", ids)
	if total > len(ids) {
		event.Int(what+"_count", total)
	}
}

// level is error for what somebody has to look at: a failure, or a part that
// failed within what was answered.
func (x *exchange) level(partFailed bool) zerolog.Level {
	switch {
	case x.status >= 500 || partFailed:
		return zerolog.ErrorLevel
	case x.route.quiet:
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// Header, Write and WriteHeader make an exchange a ResponseWriter.

func (x *exchange) Header() nethttp.Header { return x.w.Header() }

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.w.WriteHeader(status)
}

func (x *exchange) Write(data []byte) (int, error) {
	if x.status == 0 {
		x.status = nethttp.StatusOK
	}
	n, err := x.w.Write(data)
	if x.r.Method != nethttp.MethodHead { // of which nothing is sent
		x.bytes += int64(n)
	}
	return n, err
}

// Unwrap lets a ResponseController reach the connection.
func (x *exchange) Unwrap() nethttp.ResponseWriter { return x.w }

// requestID is the sender's X-Request-Id where it is fit for a log and a
// header, else a new one. It has to be unique, not secret.
func requestID(r *nethttp.Request) string {
	if id := r.Header.Get("X-Request-Id"); validRequestID(id) {
		return id
	}
	var raw [16]byte
	for i := range 2 {
		for n, j := rand.Uint64(), 0; j < 8; j++ {
			raw[8*i+j] = byte(n >> (8 * j))
		}
	}
	return hex.EncodeToString(raw[:])
}

func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDBytes {
		return false
	}
	for _, c := range []byte(id) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
