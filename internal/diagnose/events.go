package diagnose

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// eventTime is when an event was last seen, whichever API wrote it.
func eventTime(e *corev1.Event) time.Time {
	at := e.LastTimestamp.Time
	candidates := []time.Time{e.EventTime.Time, e.FirstTimestamp.Time}
	if e.Series != nil {
		candidates = append(candidates, e.Series.LastObservedTime.Time)
	}
	for _, t := range candidates {
		if t.After(at) {
			at = t
		}
	}
	if at.IsZero() {
		at = e.CreationTimestamp.Time
	}
	return at
}

func eventCount(e *corev1.Event) int32 {
	n := max(e.Count, 1)
	if e.Series != nil {
		n = max(n, e.Series.Count)
	}
	return n
}

// takeEvents gives the container those of its pod's events that are about it.
func (c *container) takeEvents() {
	for _, e := range c.pod.events {
		if c.concerns(e) {
			c.events = append(c.events, e)
		}
	}
}

// concerns reads the event's field path, which kubelet sets. Without one it
// takes what the message names, and what leaves only this container.
func (c *container) concerns(e *corev1.Event) bool {
	if path := e.InvolvedObject.FieldPath; path != "" {
		return strings.HasSuffix(path, "{"+c.name+"}")
	}
	if len(c.containers) == 1 {
		return true
	}
	if named := namedContainer(e.Message); named != "" {
		return named == c.name
	}
	if kind := probeOf(e); kind != "" {
		return c.probe(kind) != nil
	}
	return strings.Contains(e.Message, `"`+c.spec.Image+`"`)
}

// namedContainer is app in "Container app failed liveness probe, will be
// restarted" and in "Back-off restarting failed container app in pod …".
func namedContainer(message string) string {
	for _, before := range []string{"Container ", "Stopping container ", "Created container ", "Started container "} {
		rest, ok := strings.CutPrefix(message, before)
		if ok && !strings.HasPrefix(rest, "image ") {
			return firstWord(rest)
		}
	}
	if _, rest, ok := strings.Cut(message, "restarting failed container "); ok {
		return firstWord(rest)
	}
	return ""
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return strings.Trim(word, `"',:`)
}

// The probes, in the words of kubelet's events.
const (
	liveness  = "liveness"
	readiness = "readiness"
	startup   = "startup"
)

// probeOf says which probe an Unhealthy event tells of. Only the beginning of
// the message counts: its rest is what the program itself answered.
func probeOf(e *corev1.Event) string {
	if e.Reason != "Unhealthy" && e.Reason != "ProbeWarning" {
		return ""
	}
	for _, kind := range []string{liveness, readiness, startup} {
		rest, ok := cutFold(e.Message, kind+" probe ")
		if ok && (strings.HasPrefix(rest, "failed") || strings.HasPrefix(rest, "errored")) {
			return kind
		}
	}
	return ""
}

// probeKill says which probe a Killing event tells of: "Container app failed
// liveness probe, will be restarted".
func probeKill(e *corev1.Event) string {
	if e.Reason != "Killing" {
		return ""
	}
	for _, kind := range []string{liveness, startup} {
		if strings.Contains(e.Message, "failed "+kind+" probe") {
			return kind
		}
	}
	return ""
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func (c container) probe(kind string) *corev1.Probe {
	switch kind {
	case liveness:
		return c.spec.LivenessProbe
	case readiness:
		return c.spec.ReadinessProbe
	default:
		return c.spec.StartupProbe
	}
}

// probeWindow is how long kubelet takes from the start of a container until a
// probe that never succeeds has failed for good.
func (c container) probeWindow(kind string) time.Duration {
	p := c.probe(kind)
	if p == nil {
		return 0
	}
	period, threshold := p.PeriodSeconds, p.FailureThreshold
	if period <= 0 {
		period = 10
	}
	if threshold <= 0 {
		threshold = 3
	}
	seconds := int64(max(p.InitialDelaySeconds, 0)) + int64(period)*int64(threshold)
	return time.Duration(min(seconds, 86_400)) * time.Second
}

// runningFor is how long the container has been running; 0 when it is not, or
// when nobody knows.
func (c container) runningFor() time.Duration {
	run := c.status.State.Running
	if run == nil || run.StartedAt.IsZero() || c.now.Before(run.StartedAt.Time) {
		return 0
	}
	return c.now.Sub(run.StartedAt.Time)
}

// last gives the newest event that is like that.
func (c container) last(like func(*corev1.Event) bool) (*corev1.Event, bool) {
	for i := len(c.events) - 1; i >= 0; i-- {
		if like(c.events[i]) {
			return c.events[i], true
		}
	}
	return nil, false
}
