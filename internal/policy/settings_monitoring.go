package policy

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Monitoring says how old the word of a source may be, what services must keep,
// and how long that must have been missed or kept before it counts.
type Monitoring struct {
	StaleAfter int                      // intervals
	Sources    map[string]time.Duration // how often a source reports
	OpenAfter  time.Duration            // missed for so long: an incident
	ClearAfter time.Duration            // kept for so long: it is over
	Urgent     Urgent
	Objectives Objectives
	Services   map[string]Objectives // what is other than Objectives; none is zero there
	Heartbeat  time.Duration         // n8n's heartbeat silent for so long: an incident
}

// Objectives are what a service must keep. Zero says nothing of it.
type Objectives struct {
	Availability float64       // per cent at least
	ErrorRate    float64       // per cent at most
	P99Latency   time.Duration // at most
}

// Urgent is what is told at once, however long it has lasted.
type Urgent struct {
	ErrorRate float64  // per cent, more than which is urgent
	Services  []string // names and patterns: the key APIs
}

func defaultMonitoring() Monitoring {
	return Monitoring{
		StaleAfter: 2, Sources: map[string]time.Duration{}, OpenAfter: 10 * time.Minute, ClearAfter: 30 * time.Minute,
		Urgent:     Urgent{ErrorRate: 10, Services: []string{"*"}},
		Objectives: Objectives{Availability: 99.9, ErrorRate: 1, P99Latency: time.Second},
		Services:   map[string]Objectives{},
		Heartbeat:  3 * time.Minute,
	}
}

// Of are the objectives of one service.
func (m Monitoring) Of(service string) Objectives {
	o, own := m.Objectives, m.Services[service]
	if own.Availability != 0 {
		o.Availability = own.Availability
	}
	if own.ErrorRate != 0 {
		o.ErrorRate = own.ErrorRate
	}
	if own.P99Latency != 0 {
		o.P99Latency = own.P99Latency
	}
	return o
}

// Key says whether a service is one whose errors are told at once.
func (m Monitoring) Key(service string) bool { return listed(m.Urgent.Services, service) }

// Metrics are the objectives as an aggregate's metrics are measured.
func (o Objectives) Metrics() incident.Metrics {
	return incident.Metrics{
		incident.Availability: o.Availability, incident.ErrorRate: o.ErrorRate,
		incident.P99Latency: float64(o.P99Latency) / float64(time.Millisecond),
	}
}

func (m *Monitoring) fields(r *reader) []field {
	return []field{
		r.integerField("stale_after", 1, 100, &m.StaleAfter),
		r.durationField("open_after", time.Minute, day, &m.OpenAfter),
		r.durationField("clear_after", time.Minute, day, &m.ClearAfter),
		r.durationField("heartbeat", 2*time.Minute, day, &m.Heartbeat),
		{"urgent", func(n ast.Node) { r.mapping(n, "urgent", m.Urgent.fields(r)) }},
		{"objectives", func(n ast.Node) { r.mapping(n, "objectives", m.Objectives.fields(r)) }},
		{"services", func(n ast.Node) { m.servicesField(r, n) }},
		{"sources", func(n ast.Node) {
			m.Sources = map[string]time.Duration{}
			for _, kv := range r.pairs(n, "sources") {
				name := keyOf(kv)
				if !wordShape.MatchString(name) {
					r.fail(kv.Key, "sources: %q cannot be; the name of a source, like alertmanager, would be right", clip(name))
				}
				var every time.Duration
				r.duration(kv.Value, name, 10*time.Second, day, &every)
				m.Sources[name] = every
			}
		}},
	}
}

func (m *Monitoring) servicesField(r *reader, n ast.Node) {
	m.Services = map[string]Objectives{}
	for _, kv := range r.pairs(n, "services") {
		name := keyOf(kv)
		if !wordShape.MatchString(name) {
			r.fail(kv.Key, "services: %q cannot be; the name of a service, as aggregates give it, would be right", clip(name))
		}
		var o Objectives
		r.mapping(kv.Value, name, o.fields(r))
		m.Services[name] = o
	}
}

func (o *Objectives) fields(r *reader) []field {
	return []field{
		r.percentField("availability", &o.Availability),
		r.percentField("error_rate", &o.ErrorRate),
		r.durationField("p99_latency", time.Millisecond, time.Hour, &o.P99Latency),
	}
}

func (u *Urgent) fields(r *reader) []field {
	return []field{
		r.percentField("error_rate", &u.ErrorRate),
		{"services", func(n ast.Node) { r.patterns(n, "services", &u.Services) }},
	}
}

// percentField reads per cent, which may have decimals: 99.95.
func (r *reader) percentField(name string, into *float64) field {
	return field{name, func(n ast.Node) {
		v, ok := numberOf(n)
		switch {
		case !ok:
			r.wrongType(n, name, "a number")
		case v <= 0 || v > 100:
			r.fail(n, "%s is %v; per cent, more than 0 and at most 100, would be right", name, v)
		default:
			*into = v
		}
	}}
}

func numberOf(n ast.Node) (float64, bool) {
	if f, ok := n.(*ast.FloatNode); ok {
		return f.Value, true
	}
	i, ok := integerOf(n)
	return float64(i), ok
}
