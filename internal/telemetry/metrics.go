// Package telemetry is what Salve shows of itself: metrics for Prometheus.
//
// Names and labels are a contract with dashboards and alerting rules. Labels
// are bounded: causes, actions, outcomes and states are closed lists; names of
// pods, services and senders never become labels.
package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/store"
)

// Metrics are the series of one process.
type Metrics struct {
	registry *prometheus.Registry

	issues    *prometheus.CounterVec
	repairs   *prometheus.CounterVec
	durations *prometheus.HistogramVec

	stages     *prometheus.HistogramVec
	batches    prometheus.Histogram
	deliveries *prometheus.CounterVec
	decisions  *prometheus.CounterVec
	intents    *prometheus.CounterVec
	claims     *prometheus.CounterVec
	guards     *prometheus.CounterVec
	reloads    *prometheus.CounterVec
	refused    prometheus.Gauge
	requests   *prometheus.HistogramVec
	refusals   *prometheus.CounterVec
}

// Stages of ingest take from microseconds to a second.
var stageBuckets = prometheus.ExponentialBuckets(0.00002, 2.5, 13)

// New makes the series that exist from the start.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		issues:   counter("agent_issues_detected_total", "Causes found, by cause and severity.", "issue_type", "severity"),
		repairs: counter("agent_repairs_total", "Changes that were executed, by action and whether the executor reported success.",
			"repair_type", "success"),
		durations: histogram("agent_repair_duration_seconds", "How long executors took for a change.",
			prometheus.ExponentialBuckets(0.1, 2.5, 11), "repair_type"),
		stages: histogram("salve_ingest_seconds", "Where the time of intake goes, a batch.", stageBuckets, "stage"),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "salve_ingest_batch_size", Help: "Deliveries one transaction took.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		deliveries: counter("salve_deliveries_total", "Delivered items, by outcome.", "outcome"),
		decisions:  counter("salve_decisions_total", "Decisions, by verdict.", "verdict"),
		intents:    counter("salve_intents_total", "Intents that reached a state, by action.", "action", "state"),
		claims:     counter("salve_claims_refused_total", "Claims that were refused.", "action"),
		guards:     counter("salve_guard_stops_total", "Changes that a guard stopped, at a decision or at a claim.", "guard", "at"),
		reloads:    counter("salve_policy_reloads_total", "Times the policy file was read again, by outcome.", "outcome"),
		refused: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "salve_policy_refused", Help: "1 while the policy file is refused and an older one is in force.",
		}),
		requests: histogram("salve_http_request_seconds", "Requests, by route and status.",
			prometheus.ExponentialBuckets(0.0005, 2.5, 11), "method", "route", "status"),
		refusals: counter("salve_auth_refusals_total", "Tokens that were refused, by reason.", "reason"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "salve_build_info", Help: "Always 1; the label says what runs.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.issues, m.repairs, m.durations, m.stages, m.batches, m.deliveries, m.decisions, m.intents,
		m.claims, m.guards, m.reloads, m.refused, m.requests, m.refusals, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.presentFromTheStart()
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// presentFromTheStart makes the series that dashboards divide by: a rate of a
// series that does not exist yet is no zero.
func (m *Metrics) presentFromTheStart() {
	for _, action := range (remedy.Catalogue{}).Actions() {
		if effect, _, ok := (remedy.Catalogue{}).Effect(action); !ok || effect != incident.Change {
			continue
		}
		m.repairs.WithLabelValues(action, "true")
		m.repairs.WithLabelValues(action, "false")
		m.durations.WithLabelValues(action)
	}
	for _, cause := range policy.Causes() {
		for _, severity := range incident.Severities() {
			m.issues.WithLabelValues(cause, string(severity))
		}
	}
	m.reloads.WithLabelValues("good")
	m.reloads.WithLabelValues("refused")
	for _, guard := range policy.GuardNames() {
		m.guards.WithLabelValues(guard, "decision")
		m.guards.WithLabelValues(guard, "claim")
	}
	for _, o := range []incident.Outcome{incident.Accepted, incident.Duplicate, incident.Suppressed, incident.Rejected} {
		m.deliveries.WithLabelValues(string(o))
	}
}

// Handler serves the series.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request counts one request at the edge.
func (m *Metrics) Request(method, route string, status int, took time.Duration, refusal string) {
	m.requests.WithLabelValues(known(method), route, strconv.Itoa(status)).Observe(took.Seconds())
	if refusal != "" {
		m.refusals.WithLabelValues(refusal).Inc()
	}
}

// known keeps the label bounded: a caller may send any word as its method.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut:
		return method
	}
	return "other"
}

// Observer is what the store tells.
func (m *Metrics) Observer() store.Observer {
	return store.Observer{
		Stage:     func(stage string, d time.Duration) { m.stages.WithLabelValues(stage).Observe(d.Seconds()) },
		Batch:     func(n int) { m.batches.Observe(float64(n)) },
		Outcome:   func(o incident.Outcome, n int) { m.deliveries.WithLabelValues(string(o)).Add(float64(n)) },
		Committed: m.committed,
	}
}

func (m *Metrics) committed(c store.Committed) {
	for _, j := range c.Judged {
		m.decisions.WithLabelValues(string(j.Verdict)).Inc()
		if j.NewCause {
			m.issues.WithLabelValues(j.Cause, string(j.Severity)).Inc()
		}
	}
	for _, in := range c.Intents {
		m.intents.WithLabelValues(in.Action, string(in.State)).Inc()
		if in.Effect == incident.Change && (in.State == incident.Succeeded || in.State == incident.Failed || in.State == incident.Lost) {
			m.repairs.WithLabelValues(in.Action, strconv.FormatBool(in.State == incident.Succeeded)).Inc()
		}
	}
	for action, took := range c.Took {
		m.durations.WithLabelValues(action).Observe(took.Seconds())
	}
	for _, action := range c.Refused {
		m.claims.WithLabelValues(action).Inc()
	}
	for _, s := range c.Stopped {
		m.guards.WithLabelValues(s.Guard, s.At).Inc()
	}
}

// PolicyReloaded counts a policy file that was read again and is good.
func (m *Metrics) PolicyReloaded() {
	m.reloads.WithLabelValues("good").Inc()
	m.refused.Set(0)
}

// PolicyRefused counts one that is not.
func (m *Metrics) PolicyRefused() {
	m.reloads.WithLabelValues("refused").Inc()
	m.refused.Set(1)
}

// standing asks the database at each scrape what stops changes right now.
type standing struct {
	read                     func(context.Context) (store.Standing, error)
	freezes, breakers, storm *prometheus.Desc
}

// WatchStanding adds the gauges of what stops changes.
func (m *Metrics) WatchStanding(read func(context.Context) (store.Standing, error)) {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	m.registry.MustRegister(standing{read,
		desc("salve_freezes_on", "Freezes that are on."),
		desc("salve_breakers_open", "Breakers that wait for a human to reset them."),
		desc("salve_storm", "1 while there are too many new incidents at once."),
	})
}

func (s standing) Describe(ch chan<- *prometheus.Desc) {
	ch <- s.freezes
	ch <- s.breakers
	ch <- s.storm
}

func (s standing) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	now, err := s.read(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(s.storm, err)
		return
	}
	storm := 0.0
	if now.Storm {
		storm = 1
	}
	for desc, value := range map[*prometheus.Desc]float64{s.freezes: float64(now.Freezes), s.breakers: float64(now.Breakers), s.storm: storm} {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
}

// activeIssues asks the database at each scrape: the truth is there, not here.
type activeIssues struct {
	count func(context.Context) (map[incident.Severity]int64, error)
	desc  *prometheus.Desc
}

// WatchActive adds the gauge of open incidents.
func (m *Metrics) WatchActive(count func(context.Context) (map[incident.Severity]int64, error)) {
	m.registry.MustRegister(activeIssues{count, prometheus.NewDesc("agent_active_issues", "Open incidents, by severity.", []string{"severity"}, nil)})
}

func (a activeIssues) Describe(ch chan<- *prometheus.Desc) { ch <- a.desc }

func (a activeIssues) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	counts, err := a.count(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(a.desc, err)
		return
	}
	for _, s := range incident.Severities() {
		ch <- prometheus.MustNewConstMetric(a.desc, prometheus.GaugeValue, float64(counts[s]), string(s))
	}
}
