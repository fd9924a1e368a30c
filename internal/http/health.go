package http

import (
	"context"
	"errors"
	"fmt"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
)

const readyTimeout = 2 * time.Second

// Check is one thing that must be well before requests are sent here.
type Check struct {
	Name   string
	Probe  func(context.Context) error
	Detail func() string // what is worth knowing although it is well; nil: nothing. This door is open
}

type health struct {
	Status string        `json:"status"`
	Checks []checkResult `json:"checks,omitempty"`
}

// checkResult says that something is wrong, not what: this door is open, and
// the cause is in the log.
type checkResult struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

func (s *Server) healthz(x *exchange) error { return x.reply(health{Status: "ok"}) }

func (s *Server) readyz(x *exchange) error {
	ctx, cancel := context.WithTimeout(x.ctx, readyTimeout)
	defer cancel()
	results := make([]checkResult, len(s.ready))
	var failed []error
	for i, check := range s.ready {
		err := check.Probe(ctx)
		results[i] = checkResult{Name: check.Name, OK: err == nil}
		if check.Detail != nil {
			results[i].Detail = check.Detail()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", check.Name, err))
		}
	}
	if len(failed) > 0 {
		return &fault.Fault{
			Kind: fault.Unavailable, Detail: "Not every part is ready; checks says which.",
			Extra: map[string]any{"checks": results}, Err: errors.Join(failed...),
		}
	}
	return x.reply(health{"ready", results})
}

func (s *Server) metricsScope() identity.Scope {
	if s.metricsOpen {
		return open
	}
	return identity.Read
}

func (s *Server) metrics(x *exchange) error {
	s.metricsHandler.ServeHTTP(x, x.r)
	return nil
}
