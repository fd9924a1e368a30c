package outlook

import (
	"encoding/json"
	"math"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/intake"
)

// Episode is the one alert of a cause that a source has of a target.
func Episode(k Key, cause string) incident.Episode {
	return intake.Episode(k.Source, k.Target.Cluster, fingerprint(k, cause))
}

func fingerprint(k Key, cause string) string {
	t := k.Target
	return intake.Fingerprint(k.Source, t.Cluster, "outlook", cause, k.Subject, t.Namespace, t.Kind, t.Name, t.Host, t.Service)
}

// Causes are what series may begin.
func Causes() []string {
	all := make([]string, len(causes))
	for i, c := range causes {
		all[i] = c.cause
	}
	return all
}

func (c Case) event(known incident.Alert, alert, cause string, k Key, status incident.AlertStatus, why string, ids incident.IDs) incident.Event {
	e := incident.Event{
		ID: ids(), Kind: incident.AlertEvent, Source: k.Source, Subject: k.Subject, ReceivedAt: c.Now, StartsAt: c.Now,
		Episode: Episode(k, cause), OpenEnded: true, Status: status, Fingerprint: fingerprint(k, cause),
		Name: alert, Severity: incident.Warning, Service: k.Target.Service, Message: why, Target: k.Target, Family: "trend", Hypothesis: cause,
		Labels: map[string]string{"alertname": alert, "source": k.Source, "lookback": "1h"},
	}
	if !known.StartsAt.IsZero() {
		e.StartsAt = known.StartsAt
	}
	if status == incident.Resolved {
		e.EndsAt, e.Hypothesis = c.Now, ""
	}
	return e
}

// evidence is the target's use up to a moment: the series, and beside memory what else
// there is, since more load needs more memory.
func (c Case) evidence(s Series, at time.Time) evidence.Evidence {
	u := usageOf(s.Target)
	for _, other := range c.Series {
		if other.Metric == s.Metric && other.About == s.About || s.Metric == Memory && other.Metric != Memory && other.Metric != Disk {
			u.Series = append(u.Series, points(other, at))
		}
	}
	return evidence.Evidence{ObservedAt: at, Cluster: s.Target.Cluster, Usages: []evidence.Usage{u}}
}

func usageOf(t incident.Target) evidence.Usage {
	return evidence.Usage{Host: t.Host, Namespace: t.Namespace, Kind: t.Kind, Name: t.Name, Service: t.Service}
}

func points(s Series, until time.Time) evidence.Series {
	one := evidence.Series{Metric: s.Metric, About: s.About}
	if s.Metric == Disk || s.Metric == CPU || s.Metric == Memory {
		one.Limit = evidence.Of(100)
	}
	for _, p := range s.Samples {
		if !p.At.After(until) {
			one.Points = append(one.Points, evidence.Point{T: evidence.Time{Time: p.At}, Value: evidence.Of(p.Value)})
		}
	}
	return one
}

// shown is a usage as an alert carries it.
type shown struct {
	ObservedAt time.Time `json:"observedAt"`
	Cluster    string    `json:"cluster,omitempty"`
	Usage      struct {
		Host      string        `json:"host,omitempty"`
		Namespace string        `json:"namespace,omitempty"`
		Kind      string        `json:"kind,omitempty"`
		Name      string        `json:"name,omitempty"`
		Series    []shownSeries `json:"series"`
	} `json:"usage"`
}

type shownSeries struct {
	Metric string       `json:"metric"`
	About  string       `json:"about,omitempty"`
	Limit  float64      `json:"limit,omitempty"`
	Points [][2]float64 `json:"points"` // Unix seconds and value
}

// show is what an alert brings along: every series of the target, as the rules read it.
func (c Case) show() (json.RawMessage, error) {
	t := c.Series[0].Target
	var doc shown
	doc.ObservedAt, doc.Cluster = c.Now, t.Cluster
	doc.Usage.Host, doc.Usage.Namespace, doc.Usage.Kind, doc.Usage.Name = t.Host, t.Namespace, t.Kind, t.Name
	for _, s := range c.Series {
		one := shownSeries{Metric: s.Metric, About: s.About, Points: make([][2]float64, len(s.Samples))}
		if s.Metric == Disk || s.Metric == CPU || s.Metric == Memory {
			one.Limit = 100
		}
		for i, p := range s.Samples {
			one.Points[i] = [2]float64{float64(p.At.Unix()), math.Round(p.Value*1000) / 1000}
		}
		doc.Usage.Series = append(doc.Usage.Series, one)
	}
	return json.Marshal(doc)
}
