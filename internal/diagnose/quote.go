package diagnose

import (
	"fmt"
	"salve/internal/redact"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
)

// title names the container for people: container app.
func (c container) title() string { return c.role + " " + clip(c.name, 63) }

// quote is one sentence of evidence: whose it is, and what stands there.
func (c container) quote(what string) string {
	return c.pod.quote(c.title() + ": " + what)
}

func (p *pod) quote(what string) string {
	return "pod " + clip(p.Namespace, 63) + "/" + clip(p.Name, 253) + ": " + oneLine(what)
}

func (c container) quoteDeath(d death) string {
	at := ""
	if !d.FinishedAt.IsZero() {
		at = ", finishedAt=" + d.FinishedAt.UTC().Format(time.RFC3339)
	}
	return c.quote(fmt.Sprintf("%s.reason=%s, exitCode=%d, restartCount=%d%s", d.field, d.Reason, d.ExitCode, c.status.RestartCount, at))
}

// quoteState quotes the present state.
func (c container) quoteState() string {
	s := c.status.State
	switch {
	case c.ghost: // what is inferred is no evidence
		return ""
	case s.Waiting != nil && s.Waiting.Message != "":
		return c.quote("state.waiting.reason=" + s.Waiting.Reason + ": " + s.Waiting.Message)
	case s.Waiting != nil:
		return c.quote(fmt.Sprintf("state.waiting.reason=%s, restartCount=%d", s.Waiting.Reason, c.status.RestartCount))
	case s.Terminated != nil:
		return c.quoteDeath(death{*s.Terminated, "state.terminated"})
	case s.Running != nil:
		return c.quote(fmt.Sprintf("state.running, ready=%t, restartCount=%d", c.status.Ready, c.status.RestartCount))
	default:
		return c.quote("no status")
	}
}

func quoteEvent(e *corev1.Event) string {
	seen := fmt.Sprintf("x%d", eventCount(e))
	if at := eventTime(e); !at.IsZero() {
		seen += ", last " + at.UTC().Format(time.RFC3339)
	}
	o := e.InvolvedObject
	return oneLine(fmt.Sprintf("event on %s %s: %s (%s): %s", strings.ToLower(clip(o.Kind, 63)), strings.TrimPrefix(clip(o.Namespace, 63)+"/"+clip(o.Name, 253), "/"), e.Reason, seen, e.Message))
}

// symptom is what people see of a container's trouble.
func (c container) symptom() string {
	s := c.status.State
	state := "is not ready"
	switch {
	case s.Waiting != nil:
		state = "is in " + clip(s.Waiting.Reason, 63)
	case s.Terminated != nil:
		state = "has ended"
	case s.Running != nil && c.status.RestartCount > 0:
		state = "keeps restarting"
	}
	restarts := ""
	if n := c.status.RestartCount; n > 0 {
		restarts = fmt.Sprintf(" (%d restarts)", n)
		if n == 1 {
			restarts = " (1 restart)"
		}
	}
	return "pod " + c.Namespace + "/" + c.Name + ": " + c.title() + " " + state + restarts
}

// longestQuote bounds one quote; the whole is in the stored evidence.
const longestQuote = 500

// oneLine makes hostile text fit for a line: no control characters, bounded, and
// without secrets even where the evidence was not redacted before.
func oneLine(s string) string {
	s = redact.Text(clip(s, 4*longestQuote))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return elide(strings.TrimSpace(s), longestQuote)
}

// elide leaves out the middle of what is too long: errors are wrapped from the
// left, and what they come from stands at the end.
func elide(s string, n int) string {
	if len(s) <= n {
		return s
	}
	head := n / 2
	return strings.ToValidUTF8(s[:head], "") + " … " + strings.ToValidUTF8(s[len(s)-(n-head):], "")
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
