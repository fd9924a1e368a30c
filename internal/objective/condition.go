package objective

import (
	"fmt"
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// condition is one thing that can be amiss with a service.
type condition struct {
	alert    string // the name under which people know it
	cause    string // the first hypothesis
	severity incident.Severity
	metric   string
	atOnce   bool // it counts from the first window that shows it
	missed   func(m policy.Monitoring, service string, v float64) bool
	words    func(m policy.Monitoring, service string, v float64) string
}

// conditions are all there are, the worst first.
func conditions() []condition {
	return []condition{
		{
			"ErrorRateUrgent", "slo.error_rate", incident.Critical, incident.ErrorRate, true,
			func(m policy.Monitoring, service string, v float64) bool {
				return m.Key(service) && v > m.Urgent.ErrorRate
			},
			func(m policy.Monitoring, service string, v float64) string {
				return fmt.Sprintf("%s %% of the requests to %s fail, more than the %s %% that are told at once", amount(v), service, amount(m.Urgent.ErrorRate))
			},
		},
		{
			"ErrorRateHigh", "slo.error_rate", incident.High, incident.ErrorRate, false,
			func(m policy.Monitoring, service string, v float64) bool { return v > m.Of(service).ErrorRate },
			func(m policy.Monitoring, service string, v float64) string {
				return fmt.Sprintf("%s %% of the requests to %s fail, more than the %s %% of its objective", amount(v), service, amount(m.Of(service).ErrorRate))
			},
		},
		{
			"AvailabilityLow", "slo.availability", incident.High, incident.Availability, false,
			func(m policy.Monitoring, service string, v float64) bool { return v < m.Of(service).Availability },
			func(m policy.Monitoring, service string, v float64) string {
				return fmt.Sprintf("%s is available for %s %%, less than the %s %% of its objective", service, amount(v), amount(m.Of(service).Availability))
			},
		},
		{
			"LatencyHigh", "slo.latency", incident.Warning, incident.P99Latency, false,
			func(m policy.Monitoring, service string, v float64) bool {
				return v > milliseconds(m.Of(service).P99Latency)
			},
			func(m policy.Monitoring, service string, v float64) string {
				return fmt.Sprintf("the 99th percentile of %s is %s ms, more than the %s ms of its objective", service, amount(v), amount(milliseconds(m.Of(service).P99Latency)))
			},
		},
	}
}

// blind is told where nobody can say how a service fares.
var blind = condition{alert: "MonitoringBlind", cause: "", severity: incident.High}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func amount(v float64) string { return fmt.Sprintf("%.6g", v) }

// reading is what one window says of one condition.
type reading int

const (
	unknown reading = iota // nobody who is believed measured it
	kept
	missed
)

// read says what a window says of a condition, and which sources say so themselves.
func (c condition) read(m policy.Monitoring, a incident.Aggregate) (reading, []string) {
	v, measured := value(a.Metrics, c.metric)
	seen := witnesses(m, a, c.metric)
	if !measured || len(seen) == 0 {
		return unknown, nil
	}
	if !c.missed(m, a.Service, v) {
		return kept, nil
	}
	return missed, slices.DeleteFunc(seen, func(name string) bool {
		own, says := value(a.Sources[name].Metrics, c.metric)
		return says && !c.missed(m, a.Service, own)
	})
}

// value is a metric as it was measured, or the error rate by what was counted.
func value(m incident.Metrics, metric string) (float64, bool) {
	if v, ok := m[metric]; ok || metric != incident.ErrorRate {
		return v, ok
	}
	requests, failed := m["requests_total"], 0.0
	failed, counted := m["errors_total"]
	if !counted || requests <= 0 {
		return 0, false
	}
	return 100 * failed / requests, true
}

// held says whether a condition that the newest window shows has lasted: for as
// long as policy says, within twice that time, so that what comes and goes counts.
func (c condition) held(m policy.Monitoring, history []incident.Aggregate) (time.Duration, bool) {
	end := history[len(history)-1].Window.End
	from := end.Add(-2 * m.OpenAfter)
	var total time.Duration
	for _, a := range history {
		if says, _ := c.read(m, a); says == missed && a.Window.End.After(from) {
			start := latest(a.Window.Start, from)
			total += a.Window.End.Sub(start)
			from = a.Window.End // windows that overlap count once
		} else if a.Window.End.After(from) {
			from = latest(from, a.Window.Start)
		}
	}
	return total, total >= m.OpenAfter
}

// cleared says whether a condition has been kept, from the newest window backwards,
// for as long as policy says. What nobody saw counts neither way.
func (c condition) cleared(m policy.Monitoring, history []incident.Aggregate) bool {
	var total time.Duration
	until := history[len(history)-1].Window.End
	for _, a := range slices.Backward(history) {
		says, _ := c.read(m, a)
		if says == missed {
			break
		}
		if end := earliest(a.Window.End, until); says == kept && end.After(a.Window.Start) {
			total += end.Sub(a.Window.Start)
			until = a.Window.Start
		}
	}
	return total >= m.ClearAfter
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
