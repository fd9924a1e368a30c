package checklist

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/intake"
)

// HeartbeatSource is the name under which it is noted when n8n's heartbeat was heard.
const HeartbeatSource = "heartbeat"

const (
	heartbeatAlert = "HeartbeatMissing"
	missedAlert    = "ChecksMissed"
)

// Heartbeat is the alert that n8n's heartbeat is silent, or that it is back: nobody runs
// checks or executes intents meanwhile. An installation that never had one misses none.
func Heartbeat(heard, now time.Time, limit time.Duration, ids incident.IDs) incident.Event {
	e := watching(heartbeatAlert, "n8n's heartbeat is back", now, ids)
	if age := now.Sub(heard); !heard.IsZero() && age > limit {
		e.Status, e.Message = incident.Firing, fmt.Sprintf("n8n's heartbeat is silent for %s: no check is run and no intent is executed", age.Round(time.Second))
		return e
	}
	e.EndsAt = now
	return e
}

// mostNamed bounds the checks that one message names.
const mostNamed = 10

// Missed is the alert that checks should have run and did not, or that all do; and how
// many did not. ran says when each ran last: one that never did is not missed yet.
func Missed(checks []Check, ran map[string]time.Time, now time.Time, ids incident.IDs) (incident.Event, int) {
	e := watching(missedAlert, "all checks run as they should", now, ids)
	var names []string
	for _, c := range checks {
		if at := ran[c.Name]; !at.IsZero() && c.Overdue(at, now) {
			names = append(names, fmt.Sprintf("%s (last %s ago, every %s)", c.Name, short(now.Sub(at)), short(c.Every)))
		}
	}
	if len(names) == 0 {
		e.EndsAt = now
		return e, 0
	}
	named, more := names[:min(len(names), mostNamed)], ""
	if n := len(names) - len(named); n > 0 {
		more = fmt.Sprintf(", and %d more", n)
	}
	e.Status, e.Severity = incident.Firing, incident.Warning
	e.Message = "nobody looks any more: checks did not run: " + strings.Join(named, ", ") + more
	return e, len(names)
}

func short(d time.Duration) string { return strings.TrimSuffix(d.Round(time.Minute).String(), "0s") }

// watching is an alert of Salve's own about who runs checks and intents: over, until
// it is found otherwise.
func watching(name, over string, now time.Time, ids incident.IDs) incident.Event {
	fingerprint := intake.Fingerprint("salve", "", name)
	return incident.Event{
		ID: ids(), Kind: incident.AlertEvent, Source: "salve", Subject: "salve", ReceivedAt: now,
		Episode: intake.Episode("salve", "", fingerprint), OpenEnded: true, Status: incident.Resolved, Fingerprint: fingerprint,
		Name: name, Severity: incident.High, Service: "n8n", Message: over,
		Target: incident.Target{Kind: "Service", Service: "n8n"}, Family: "slo", Hypothesis: "slo.availability",
		Labels: map[string]string{"alertname": name},
	}
}
