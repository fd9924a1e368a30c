package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// The objectives of SPEC section 3.
const (
	availabilityPercent = 99.9
	errorRatePercent    = 1
	latencyMillis       = 1000
	saturatedPercent    = 90
)

var sloRules = []row[aggregate]{
	{Rule{
		Name: "slo-error-rate", Cause: "slo.error_rate", Confidence: strong,
		When:     "more than 1 % of the requests of the window failed",
		Quotes:   "the metric and its window; what else the aggregate shows: a deployment in the window, saturation, a dependency, more load",
		Explains: []string{"slo.availability"},
	}, sloErrorRate},
	{Rule{
		Name: "slo-availability", Cause: "slo.availability", Confidence: strong,
		When:   "less than 99.9 % available in the window",
		Quotes: "the metric and its window; what else the aggregate shows",
	}, sloAvailability},
	{Rule{
		Name: "slo-latency", Cause: "slo.latency", Confidence: strong,
		When:   "the 99th percentile of the latency is over 1000 ms",
		Quotes: "the metric and its window; what else the aggregate shows",
	}, sloLatency},
}

// aggregate is what monitoring says of one service in one window.
type aggregate struct {
	x *examination
	evidence.Aggregate
	metrics map[string]float64 // by name, in percent and milliseconds
}

func (x *examination) aggregates() []aggregate {
	var out []aggregate
	t := x.q.Target
	for _, a := range x.ev.Aggregates {
		if t.Service != "" && a.Service != "" && a.Service != t.Service {
			continue
		}
		out = append(out, aggregate{x, a, readMetrics(a.Metrics)})
	}
	return out
}

func (a aggregate) place() place {
	p := a.x.factPlace("Aggregate", "", a.Service, 1)
	if p.subject.Service == "" {
		p.subject.Service = a.Service
	}
	if p.subject.Name == "" && p.subject.Host == "" {
		p.subject.Kind = "Service"
	}
	return p
}

// metricNames are the ways in which senders name a metric, and what turns its
// value into percent or milliseconds. A share is written as 0.02 or as 2.
var metricNames = []struct {
	metric string
	names  []string
	scale  func(name string, v float64) float64
}{
	{"availability", []string{"availability", "availabilitypercent", "uptime", "uptimepercent", "successrate"}, percent},
	{"error_rate", []string{"errorrate", "errorratepercent", "errorpercent", "errorratio"}, errorPercent},
	{"p99", []string{"p99latency", "p99latencyms", "p99", "p99ms", "latencyp99", "latencyp99ms", "p99latencymillis", "p99latencyseconds", "latencyp99seconds"}, millis},
	{"cpu", []string{"cpu", "cpupercent", "cpuutilization", "cpuusage", "cpuusagepercent"}, percent},
	{"memory", []string{"memory", "memorypercent", "memoryutilization", "memoryusage", "memoryusagepercent"}, percent},
	{"rps", []string{"rps", "requestrate", "requestspersecond", "requestsrate", "qps", "throughput"}, plainly},
	{"baseline_rps", []string{"baselinerps", "baselinerequestrate", "usualrps", "normalrps"}, plainly},
	{"dependency_errors", []string{"dependencyerrorrate", "dependencyerrors", "upstreamerrorrate", "dependencyerrorratepercent"}, errorPercent},
}

func plainly(_ string, v float64) float64 { return v }

func percent(_ string, v float64) float64 {
	if v >= 0 && v <= 1 {
		return v * 100
	}
	return v
}

// errorPercent reads a rate below 1 as a share unless its name says percent: an
// error rate of 0.5 % and one of 50 % must not be mixed up, so the milder reading
// of an unnamed number is not taken where it hides half of all requests failing.
func errorPercent(name string, v float64) float64 {
	if strings.Contains(name, "percent") {
		return v
	}
	return percent(name, v)
}

func millis(name string, v float64) float64 {
	if strings.HasSuffix(name, "seconds") || v > 0 && v < 20 && !strings.HasSuffix(name, "ms") && !strings.HasSuffix(name, "millis") {
		return v * 1000
	}
	return v
}

func readMetrics(raw map[string]evidence.Number) map[string]float64 {
	out := map[string]float64{}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		name := strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(key))
		for _, m := range metricNames {
			if raw[key].Known && slices.Contains(m.names, name) {
				if _, had := out[m.metric]; !had {
					out[m.metric] = m.scale(name, raw[key].Value)
				}
			}
		}
	}
	return out
}

func (a aggregate) title() string { return orElse(a.Service, "the service") }

func (a aggregate) quote(metric string, v float64, unit string) string {
	window := ""
	if !a.Window.Start.IsZero() {
		window = fmt.Sprintf(" from %s to %s", a.Window.Start.Format("15:04Z"), a.Window.End.Format("15:04Z"))
	}
	return fmt.Sprintf("aggregate of %s%s: %s=%s%s", a.title(), window, metric, evidence.Of(v), unit)
}

func sloErrorRate(a aggregate) (finding, bool) {
	v, ok := a.metrics["error_rate"]
	if !ok || v <= errorRatePercent {
		return finding{}, false
	}
	return a.breach(fmt.Sprintf("%s %% of the requests to %s fail", evidence.Of(v), a.title()),
		fmt.Sprintf("the error rate is %s %%, at most %d %% is allowed", evidence.Of(v), errorRatePercent), a.quote("error_rate", v, "%")), true
}

func sloAvailability(a aggregate) (finding, bool) {
	v, ok := a.metrics["availability"]
	if !ok || v >= availabilityPercent {
		return finding{}, false
	}
	return a.breach(fmt.Sprintf("%s is available for %s %% of the time", a.title(), evidence.Of(v)),
		fmt.Sprintf("availability is %s %%, the objective is %.1f %%", evidence.Of(v), availabilityPercent), a.quote("availability", v, "%")), true
}

func sloLatency(a aggregate) (finding, bool) {
	v, ok := a.metrics["p99"]
	if !ok || v <= latencyMillis {
		return finding{}, false
	}
	return a.breach(fmt.Sprintf("%s answers slowly", a.title()),
		fmt.Sprintf("the 99th percentile is %s ms, at most %d ms is allowed", evidence.Of(v), latencyMillis), a.quote("p99_latency", v, "ms")), true
}

// breach adds the likely reason, where the aggregate shows one. Where no source
// can be believed the finding is unsure, and says so.
func (a aggregate) breach(symptom, because, quote string) finding {
	f := finding{symptom: symptom, because: because, quotes: []string{quote}}
	for _, likely := range []func(aggregate) (string, string){aggregate.deployed, aggregate.dependency, aggregate.saturated, aggregate.surge} {
		if why, quoted := likely(a); why != "" {
			f.because += "; likely because " + why
			f.quotes = append(f.quotes, quoted)
			break
		}
	}
	if len(f.quotes) == 1 {
		f.missing = append(f.missing, "what changed: deployments in the window, saturation, dependencies, request rate")
	}
	good, bad := a.sources()
	if len(bad) > 0 {
		f.missing = append(f.missing, "what these sources would say: "+strings.Join(bad, ", "))
	}
	if len(a.Sources) > 0 && good == 0 {
		f.confidence = slight
	} else if good == 1 {
		f.confidence = likely
	}
	return f
}

// sources counts those that can be believed, and names the others.
func (a aggregate) sources() (good int, bad []string) {
	for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
		if s := a.Sources[name]; s.OK && s.Error == "" {
			good++
		} else {
			bad = append(bad, name+" ("+orElse(s.Error, "not ok")+")")
		}
	}
	return good, bad
}

func (a aggregate) deployed() (why, quoted string) {
	for _, d := range a.Deployments {
		within := a.Window.Start.IsZero() || d.At.IsZero() || !d.At.Before(a.Window.Start.Add(-deployReach)) && !d.At.After(a.Window.End.Time)
		if (d.Service == "" || a.Service == "" || d.Service == a.Service) && within {
			what := strings.TrimSpace(d.Service + " " + d.Version)
			return "of the deployment of " + orElse(what, "a new version"), fmt.Sprintf("deployment %s at %s, status %s", what, d.At.Format("15:04Z"), orElse(d.Status, "?"))
		}
	}
	return "", ""
}

func (a aggregate) saturated() (why, quoted string) {
	for _, m := range []string{"cpu", "memory"} {
		if v, ok := a.metrics[m]; ok && v > saturatedPercent {
			return fmt.Sprintf("%s is saturated (%s %%)", m, evidence.Of(v)), a.quote(m, v, "%")
		}
	}
	return "", ""
}

func (a aggregate) dependency() (why, quoted string) {
	if v, ok := a.metrics["dependency_errors"]; ok && v > errorRatePercent {
		return fmt.Sprintf("a dependency fails (%s %% of the calls to it)", evidence.Of(v)), a.quote("dependency_error_rate", v, "%")
	}
	return "", ""
}

// surgeFactor is how much more load than usual counts as a surge.
const surgeFactor = 2

func (a aggregate) surge() (why, quoted string) {
	now, ok := a.metrics["rps"]
	usual, known := a.metrics["baseline_rps"]
	if ok && known && usual > 0 && now > surgeFactor*usual {
		return fmt.Sprintf("of more load than usual (%s requests/s instead of %s)", evidence.Of(now), evidence.Of(usual)), a.quote("request_rate", now, "/s")
	}
	return "", ""
}

func aggregateWell(a aggregate) (string, bool) {
	if len(a.metrics) == 0 {
		return a.title() + ": no metric that is known", false
	}
	good, bad := a.sources()
	if len(bad) > 0 && good == 0 {
		return a.title() + ": no source could be read", false
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(a.metrics)) {
		parts = append(parts, name+"="+evidence.Of(a.metrics[name]).String())
	}
	return a.title() + ": " + strings.Join(parts, " "), true
}
