package objective_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/objective"
	"salve/internal/policy"
)

var night = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func defaults() policy.Monitoring {
	return policy.Monitoring{
		StaleAfter: 2, OpenAfter: 10 * time.Minute, ClearAfter: 30 * time.Minute,
		Urgent:     policy.Urgent{ErrorRate: 10, Services: []string{"shop"}},
		Objectives: policy.Objectives{Availability: 99.9, ErrorRate: 1, P99Latency: time.Second},
	}
}

// window is what two sources measured alike, in a window that ends some minutes after night.
func window(end, minutes int, metrics incident.Metrics) incident.Aggregate {
	to := night.Add(time.Duration(end) * time.Minute)
	source := incident.AggregateSource{OK: true, AsOf: to, Metrics: metrics}
	return incident.Aggregate{
		Target: incident.Target{Cluster: "prod", Kind: "Service", Service: "shop"}, Service: "shop", Subject: "n8n", ReceivedAt: to,
		Window:  incident.Window{Start: to.Add(-time.Duration(minutes) * time.Minute), End: to},
		Metrics: metrics, Sources: map[string]incident.AggregateSource{"prometheus": source, "datadog": source, "github": {OK: true, AsOf: to}},
	}
}

func errors(end, minutes int, rate float64) incident.Aggregate {
	return window(end, minutes, incident.Metrics{incident.ErrorRate: rate})
}

func with(a incident.Aggregate, name string, s incident.AggregateSource) incident.Aggregate {
	sources := map[string]incident.AggregateSource{name: s}
	for other, had := range a.Sources {
		if other != name {
			sources[other] = had
		}
	}
	a.Sources = sources
	return a
}

// service keeps windows and alerts as the store does.
type service struct {
	set     policy.Monitoring
	history []incident.Aggregate
	alerts  map[incident.Episode]incident.Alert
	last    objective.Verdict
	serial  byte
}

func (s *service) id() incident.ID {
	s.serial++
	return incident.NewID(night, [10]byte{9: s.serial})
}

// send gives the alerts that a window begins (+) and ends (-).
func (s *service) send(a incident.Aggregate) string {
	s.history = append(s.history, a)
	slices.SortFunc(s.history, func(a, b incident.Aggregate) int { return a.Window.End.Compare(b.Window.End) })
	s.last = objective.Judge(objective.Case{Monitoring: s.set, History: s.history, Alerts: s.alerts}, s.id)
	var said []string
	for _, e := range s.last.Events {
		if s.alerts == nil {
			s.alerts = map[incident.Episode]incident.Alert{}
		}
		s.alerts[e.Episode] = incident.Alert{Episode: e.Episode, Status: e.Status, Source: e.Source}
		if !slices.Contains(objective.Episodes(s.history), e.Episode) {
			panic("an alert that nobody would look for")
		}
		said = append(said, map[incident.AlertStatus]string{incident.Firing: "+", incident.Resolved: "-"}[e.Status]+e.Name+" by "+e.Source)
	}
	return strings.Join(said, ", ")
}

const (
	both = "+ErrorRateHigh by datadog, +ErrorRateHigh by prometheus"
	over = "-ErrorRateHigh by datadog, -ErrorRateHigh by prometheus"
)

type step struct {
	window incident.Aggregate
	want   string
}

func TestJudge(t *testing.T) {
	stale := func(a incident.Aggregate) incident.Aggregate {
		return with(a, "prometheus", incident.AggregateSource{OK: true, AsOf: a.Window.Start.Add(-time.Minute), Metrics: a.Metrics})
	}
	for name, steps := range map[string][]step{
		"a window of 15 minutes is long enough":     {{errors(15, 15, 2), both}, {errors(30, 15, 2), ""}},
		"the objective itself is kept":              {{errors(15, 15, 1), ""}},
		"one of 5 is not, two are":                  {{errors(5, 5, 2), ""}, {errors(10, 5, 2), both}},
		"two of four are, as what comes and goes":   {{errors(5, 5, 2), ""}, {errors(10, 5, 0), ""}, {errors(15, 5, 2), both}},
		"two of five are not":                       {{errors(5, 5, 2), ""}, {errors(10, 5, 0), ""}, {errors(15, 5, 0), ""}, {errors(20, 5, 0), ""}, {errors(25, 5, 2), ""}},
		"over when it was kept for half an hour":    {{errors(15, 15, 2), both}, {errors(30, 15, 0), ""}, {errors(45, 15, 0), over}},
		"what comes again begins the wait anew":     {{errors(15, 15, 2), both}, {errors(30, 15, 0), ""}, {errors(45, 15, 2), ""}, {errors(60, 15, 0), ""}, {errors(75, 15, 0), over}},
		"what nobody saw is no time that was kept":  {{errors(15, 15, 2), both}, {errors(30, 15, 0), ""}, {window(45, 15, nil), ""}, {errors(60, 15, 0), over}},
		"windows that overlap count once":           {{errors(5, 5, 2), ""}, {errors(6, 5, 2), ""}, {errors(7, 5, 2), ""}, {errors(10, 5, 2), both}},
		"a late window does not take back the news": {{errors(30, 15, 2), both}, {errors(15, 15, 0), ""}},
		"urgent at once, on a key API": {
			{errors(1, 1, 12), "+ErrorRateUrgent by datadog, +ErrorRateUrgent by prometheus"}, {errors(2, 1, 12), ""},
		},
		"10 % is not over 10 %": {{errors(1, 1, 10), ""}},
		"a stale source is no witness, and what it said before ends where another still sees it": {
			{errors(15, 15, 2), both}, {stale(errors(30, 15, 2)), "-ErrorRateHigh by prometheus"}, {errors(45, 15, 2), "+ErrorRateHigh by prometheus"},
		},
		"where nobody sees any more, what fires stays": {{errors(15, 15, 2), both}, {window(30, 15, nil), ""}},
		"who disagrees is no witness": {
			{with(errors(15, 15, 2), "prometheus", incident.AggregateSource{OK: true, AsOf: night.Add(15 * time.Minute), Metrics: incident.Metrics{incident.ErrorRate: 0.1}}), "+ErrorRateHigh by datadog"},
		},
		"every objective by itself": {
			{window(15, 15, incident.Metrics{incident.Availability: 99.89, incident.P99Latency: 1001}), "+AvailabilityLow by datadog, +AvailabilityLow by prometheus, +LatencyHigh by datadog, +LatencyHigh by prometheus"},
		},
		"counted": {{window(15, 15, incident.Metrics{"requests_total": 1000, "errors_total": 11}), both}},
		"nobody knows for two windows": {
			{window(15, 15, nil), ""}, {window(30, 15, nil), "+MonitoringBlind by monitoring"}, {errors(45, 15, 0), "-MonitoringBlind by monitoring"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := service{set: defaults()}
			for i, step := range steps {
				if got := s.send(step.window); got != step.want {
					t.Errorf("window %d: %q, want %q (%q)", i+1, got, step.want, s.last.Reasons)
				}
			}
		})
	}
}

// What of a window is an alert does not depend on the order in which windows come.
func TestOrderDoesNotMatter(t *testing.T) {
	windows := []incident.Aggregate{errors(5, 5, 2), errors(10, 5, 0), errors(15, 5, 2), errors(20, 5, 2)}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		s := service{set: defaults()}
		for _, i := range order {
			s.send(windows[i])
		}
		if len(s.alerts) != 2 {
			t.Errorf("in the order %v %d alerts fire, want two", order, len(s.alerts))
		}
	}
}

// Each setting changes what follows.
func TestEverySettingIsRead(t *testing.T) {
	judge := func(set policy.Monitoring, windows ...incident.Aggregate) string {
		s := service{set: set}
		said := ""
		for _, w := range windows {
			said += s.send(w) + "; "
		}
		return said
	}
	cleared := []incident.Aggregate{errors(15, 15, 2), errors(30, 15, 0), errors(45, 15, 0)}
	for name, c := range map[string]struct {
		change  func(*policy.Monitoring)
		windows []incident.Aggregate
	}{
		"open_after":      {func(m *policy.Monitoring) { m.OpenAfter = time.Hour }, cleared[:1]},
		"clear_after":     {func(m *policy.Monitoring) { m.ClearAfter = time.Hour }, cleared},
		"stale_after":     {func(m *policy.Monitoring) { m.StaleAfter = 3 }, []incident.Aggregate{window(15, 15, nil), window(30, 15, nil)}},
		"urgent rate":     {func(m *policy.Monitoring) { m.Urgent.ErrorRate = 20 }, []incident.Aggregate{errors(1, 1, 12)}},
		"urgent services": {func(m *policy.Monitoring) { m.Urgent.Services = []string{"other"} }, []incident.Aggregate{errors(1, 1, 12)}},
		"objectives":      {func(m *policy.Monitoring) { m.Objectives.ErrorRate = 3 }, cleared[:1]},
		"services":        {func(m *policy.Monitoring) { m.Services = map[string]policy.Objectives{"shop": {ErrorRate: 3}} }, cleared[:1]},
		"sources": {func(m *policy.Monitoring) { m.Sources = map[string]time.Duration{"prometheus": time.Minute} }, []incident.Aggregate{
			with(errors(15, 15, 2), "prometheus", incident.AggregateSource{OK: true, AsOf: night.Add(12 * time.Minute), Metrics: incident.Metrics{incident.ErrorRate: 2}})}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := defaults()
			c.change(&changed)
			if before, after := judge(defaults(), c.windows...), judge(changed, c.windows...); before == after {
				t.Errorf("it changes nothing: %s", before)
			}
		})
	}
}

// An incident that was resolved by what was seen while its alert fired: the sender still means it.
func TestFiresAgainAfterARepair(t *testing.T) {
	s := service{set: defaults()}
	s.send(errors(15, 15, 2))
	for key, a := range s.alerts {
		a.QuietUntil = night
		s.alerts[key] = a
	}
	if got := s.send(errors(30, 15, 2)); got != both {
		t.Errorf("%q, want %q", got, both)
	}
}

func TestEvidence(t *testing.T) {
	var history []incident.Aggregate
	for i := 1; i <= 5; i++ {
		history = append(history, window(15*i, 15, incident.Metrics{"request_rate": float64(100 * i), incident.ErrorRate: 0}))
	}
	history[4].Deployments = []incident.Rollout{{Service: "shop", Version: "v2", At: night.Add(50 * time.Minute)}}
	history[3].Deployments = []incident.Rollout{history[4].Deployments[0], {Service: "shop", Version: "v1", At: night.Add(-time.Hour)}}
	history[4] = with(history[4], "datadog", incident.AggregateSource{Error: "403"})
	var got struct {
		ObservedAt time.Time
		Cluster    string
		Aggregate  struct {
			Metrics, Objectives map[string]float64
			Sources             map[string]struct{ OK bool }
			Deployments         []struct{ Version string }
		}
	}
	if err := json.Unmarshal(objective.Evidence(defaults(), history), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"rps": 500, "baseline_rps": 250, "error_rate_percent": 0}, got.Aggregate.Metrics); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"availability": 99.9, "error_rate": 1, "p99_latency": 1000}, got.Aggregate.Objectives); diff != "" {
		t.Errorf("objectives (-want +got):\n%s", diff)
	}
	said := fmt.Sprintln(got.Aggregate.Sources, got.Aggregate.Deployments, got.Cluster, got.ObservedAt.Equal(night.Add(75*time.Minute)))
	if want := "map[datadog:{false} prometheus:{true}] [{v2}] prod true\n"; said != want {
		t.Errorf("%s, want %s", said, want)
	}
}
