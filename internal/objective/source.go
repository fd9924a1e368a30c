package objective

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// doubt says why a source is not believed about a window; empty where it is. What
// is older than policy's number of intervals is stale, and what is from before the
// window says nothing about it.
func doubt(m policy.Monitoring, w incident.Window, name string, s incident.AggregateSource) string {
	every, watched := m.Sources[name]
	if !watched {
		every = w.Length()
	}
	switch age := w.End.Sub(s.AsOf); {
	case !s.OK && s.Error != "":
		return s.Error
	case !s.OK:
		return "it is not ok"
	case age > time.Duration(m.StaleAfter)*every, s.AsOf.Before(w.Start):
		return fmt.Sprintf("stale: its newest sample was %s old at the end of the window", age.Round(time.Second))
	}
	return ""
}

// witnesses are the believed sources that measure a metric, in order. Where no
// source says what it measured itself, all that are believed count.
func witnesses(m policy.Monitoring, a incident.Aggregate, metric string) []string {
	var all, own []string
	says := false
	for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
		s := a.Sources[name]
		says = says || len(s.Metrics) > 0
		if doubt(m, a.Window, name, s) != "" {
			continue
		}
		all = append(all, name)
		if _, measured := value(s.Metrics, metric); measured {
			own = append(own, name)
		}
	}
	if says {
		return own
	}
	return all
}

// Heard are the sources that answered, with the time of which they speak: a stale
// one was not heard of since.
func Heard(a incident.Aggregate) map[string]time.Time {
	heard := map[string]time.Time{}
	for name, s := range a.Sources {
		if s.OK && !s.AsOf.IsZero() {
			heard[name] = earliest(s.AsOf, a.ReceivedAt)
		}
	}
	return heard
}

// isBlind says whether a window measures no objective that anybody may believe.
func isBlind(m policy.Monitoring, a incident.Aggregate) bool {
	return !slices.ContainsFunc(conditions(), func(c condition) bool {
		says, _ := c.read(m, a)
		return says != unknown
	})
}

// blindFor is how long nobody could say how the service fares, and whether that is
// longer than a source may be silent.
func blindFor(m policy.Monitoring, history []incident.Aggregate) (time.Duration, bool) {
	last := history[len(history)-1].Window
	from := last.End
	for _, a := range slices.Backward(history) {
		if !isBlind(m, a) {
			break
		}
		from = earliest(from, a.Window.Start)
	}
	lasted := last.End.Sub(from)
	return lasted, lasted >= time.Duration(m.StaleAfter)*last.Length()
}
