package objective

import (
	"encoding/json"
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// shown is an aggregate as evidence: every metric with its unit in its name.
type shown struct {
	ObservedAt time.Time  `json:"observedAt"`
	Cluster    string     `json:"cluster"`
	Aggregate  shownParts `json:"aggregate"`
}

type shownParts struct {
	Service     string                 `json:"service"`
	Window      incident.Window        `json:"window"`
	Metrics     incident.Metrics       `json:"metrics"`
	Objectives  incident.Metrics       `json:"objectives"`
	Sources     map[string]shownSource `json:"sources"`
	Deployments []incident.Rollout     `json:"deployments,omitempty"`
	Alerts      []string               `json:"alerts,omitempty"`
}

type shownSource struct {
	OK    bool      `json:"ok"`
	AsOf  time.Time `json:"as_of,omitzero"`
	Error string    `json:"error,omitempty"`
}

// unitNames are the metrics whose unit is not in their name.
var unitNames = map[string]string{
	incident.Availability: "availability_percent", incident.ErrorRate: "error_rate_percent", incident.P99Latency: "p99_latency_ms",
	"p95_latency": "p95_latency_ms", "p90_latency": "p90_latency_ms", "p50_latency": "p50_latency_ms",
	"dependency_error_rate": "dependency_error_rate_percent", "request_rate": "rps", "baseline_request_rate": "baseline_rps",
}

// Evidence is the newest window as a diagnosis reads it, with what the windows
// before it add: the usual load, and deployments shortly before.
func Evidence(m policy.Monitoring, history []incident.Aggregate) json.RawMessage {
	a := history[len(history)-1]
	parts := shownParts{
		Service: a.Service, Window: a.Window, Metrics: incident.Metrics{}, Objectives: m.Of(a.Service).Metrics(),
		Sources: map[string]shownSource{}, Deployments: deployments(history), Alerts: a.Alerts,
	}
	for name, v := range a.Metrics {
		if with, ok := unitNames[name]; ok {
			name = with
		}
		parts.Metrics[name] = v
	}
	if usual, known := usualLoad(history); known {
		parts.Metrics["baseline_rps"] = usual
	}
	for name, s := range a.Sources {
		if !measures(a, s) {
			continue
		}
		why := doubt(m, a.Window, name, s)
		parts.Sources[name] = shownSource{OK: why == "", AsOf: s.AsOf, Error: why}
	}
	raw, err := json.Marshal(shown{ObservedAt: earliest(a.Window.End, a.ReceivedAt), Cluster: a.Target.Cluster, Aggregate: parts})
	if err != nil {
		return nil // numbers, words and times always can be written
	}
	return raw
}

// measures says whether a source has a say in the metrics: where sources tell what
// they measured, one that measures nothing and was asked has none.
func measures(a incident.Aggregate, s incident.AggregateSource) bool {
	if !s.OK || len(s.Metrics) > 0 {
		return true
	}
	for _, other := range a.Sources {
		if len(other.Metrics) > 0 {
			return false
		}
	}
	return true
}

// A usual load needs some windows behind it.
const fewestWindows = 4

// usualLoad is the median of the windows before, where the sender does not say it.
func usualLoad(history []incident.Aggregate) (float64, bool) {
	newest := history[len(history)-1]
	if _, said := newest.Metrics["baseline_request_rate"]; said {
		return 0, false
	}
	var loads []float64
	for _, a := range history[:len(history)-1] {
		if v, ok := a.Metrics["request_rate"]; ok {
			loads = append(loads, v)
		}
	}
	if len(loads) < fewestWindows {
		return 0, false
	}
	slices.Sort(loads)
	return (loads[(len(loads)-1)/2] + loads[len(loads)/2]) / 2, true
}

// deploymentReach is how long before a window a deployment may have been that is
// told of with it. Which of them may be the reason is the diagnosis' to say.
const deploymentReach = time.Hour

func deployments(history []incident.Aggregate) []incident.Rollout {
	from := history[len(history)-1].Window.Start.Add(-deploymentReach)
	var out []incident.Rollout
	for _, a := range history {
		for _, d := range a.Deployments {
			if d.At.After(from) && !slices.ContainsFunc(out, func(o incident.Rollout) bool {
				return o.Service == d.Service && o.Version == d.Version && o.At.Equal(d.At)
			}) {
				out = append(out, d)
			}
		}
	}
	return out
}
