package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// aggregate is what monitoring says of one service in one window.
type aggregate struct {
	x *examination
	evidence.Aggregate
	metrics measures
}

func (x *examination) aggregates() []aggregate {
	var out []aggregate
	for _, a := range x.ev.Aggregates[:min(len(x.ev.Aggregates), maxThings)] {
		out = append(out, aggregate{x, a, readMetrics(a.Metrics)})
	}
	for _, u := range x.ev.Usages[:min(len(x.ev.Usages), maxThings)] {
		if m := readMetrics(u.Measured); m.objectives() && x.concernsHost(u.Host) {
			out = append(out, aggregate{x, evidence.Aggregate{Service: orElse(u.Service, u.Name), Metrics: u.Measured}, m})
		}
	}
	t := x.q.Target
	return slices.DeleteFunc(out, func(a aggregate) bool {
		return t.Service != "" && a.Service != "" && a.Service != t.Service
	})
}

// objectives says whether something was measured that has an objective.
func (m measures) objectives() bool {
	for _, metric := range []string{"availability", "error_rate", "p99", "p95", "p90", "p50"} {
		if _, ok := m.of[metric]; ok {
			return true
		}
	}
	return len(m.unread) > 0
}

func (a aggregate) place() place {
	p := a.x.factPlace("Aggregate", "", a.Service, 1)
	if p.subject.Service == "" {
		p.subject.Service = a.Service
	}
	if p.subject.Name == "" && p.subject.Host == "" {
		p.subject.Kind = "Service"
	}
	if isController(p.subject.Kind) && p.subject.Name != "" {
		p.owner = p.subject
	}
	return p
}

func (a aggregate) title() string { return orElse(a.Service, "the service") }

func (a aggregate) quote(metric string) string {
	window := ""
	if !a.Window.Start.IsZero() {
		window = fmt.Sprintf(" from %s to %s", a.Window.Start.Format("15:04Z"), a.Window.End.Format("15:04Z"))
	}
	r := a.metrics.of[metric]
	return fmt.Sprintf("metrics of %s%s: %s=%s", a.title(), window, r.key, a.Metrics[r.key])
}

// objective is what the service must keep, where the aggregate says it, else what
// every service must.
func (a aggregate) objective(metric string, usual float64) float64 {
	if n := a.Objectives[metric]; n.Known && n.Value > 0 {
		return n.Value
	}
	return usual
}

func sloErrorRate(a aggregate) (finding, bool) {
	r, ok := a.metrics.of["error_rate"]
	most := a.objective("error_rate", errorRatePercent)
	if !ok || r.value <= most {
		return finding{}, false
	}
	return a.breach(r, fmt.Sprintf("%s %% of the requests to %s fail", amount(r.value), a.title()), fmt.Sprintf("more than the %s %% of its objective", amount(most)), "error_rate"), true
}

func sloAvailability(a aggregate) (finding, bool) {
	r, ok := a.metrics.of["availability"]
	least := a.objective("availability", availabilityPercent)
	if !ok || r.value >= least {
		return finding{}, false
	}
	return a.breach(r, fmt.Sprintf("%s is available for %s %%", a.title(), amount(r.value)), fmt.Sprintf("less than the %s %% of its objective", amount(least)), "availability"), true
}

// sloLatency takes the 99th percentile, or a lower one: it is at least as slow.
func sloLatency(a aggregate) (finding, bool) {
	most := a.objective("p99_latency", latencyMillis)
	for _, metric := range []string{"p99", "p95", "p90", "p50"} {
		r, ok := a.metrics.of[metric]
		if !ok || r.value <= most {
			continue
		}
		return a.breach(r, fmt.Sprintf("%s answers slowly: %s is %s ms", a.title(), metric, amount(r.value)), fmt.Sprintf("more than the %s ms of its objective", amount(most)), metric), true
	}
	return finding{}, false
}

// breach adds the likely reason, where the aggregate shows one. Where no source
// can be believed the finding is unsure, and says so.
func (a aggregate) breach(r measured, symptom, because, metric string) finding {
	f := finding{symptom: symptom, because: because, quotes: []string{a.quote(metric)}}
	for _, why := range likelyReasons {
		if reason, quoted := why.look(a); reason != "" {
			f.because += "; likely because " + reason
			f.quotes, f.likely = append(f.quotes, quoted), why.likely
			break
		}
	}
	switch f.likely {
	case "":
		f.missing = append(f.missing, "what changed: deployments in the window, saturation, dependencies, request rate")
	case incident.LikelyDeployment:
		a.wantsRelease(&f)
	}
	good, bad := a.sources()
	if len(bad) > 0 {
		f.missing = append(f.missing, "what these sources would say: "+strings.Join(bad, ", "))
	}
	switch {
	case len(a.Sources) > 0 && good == 0:
		f.confidence = slight
	case r.unsure:
		f.confidence = fair
		f.missing = append(f.missing, "the unit of "+r.key+": it is not in its name")
	case good == 1:
		f.confidence = likely
	}
	return f
}

// likelyReasons are tried in this order; the first that shows is told.
var likelyReasons = []struct {
	likely string
	look   func(aggregate) (why, quoted string)
}{
	{incident.LikelyDeployment, aggregate.deployed},
	{incident.LikelyDependency, aggregate.dependency},
	{incident.LikelySaturation, aggregate.saturated},
	{incident.LikelySurge, aggregate.surge},
}

// wantsRelease asks for what a way back would be made of: the Deployment that
// serves, with its revisions.
func (a aggregate) wantsRelease(f *finding) {
	t := a.x.q.Target
	switch {
	case t.Kind != "Deployment" || t.Name == "":
		f.missing = append(f.missing, "which Deployment serves "+a.title()+": the aggregate names none as its target, so no way back can be proposed")
	case !a.x.shows(t):
		f.missing = append(f.missing, "the Deployment "+t.Namespace+"/"+t.Name+" with its ReplicaSets: what it would go back to")
		f.wants = append(f.wants, CollectWorkload)
	}
}

// shows says whether the evidence holds a Deployment with one of its ReplicaSets.
func (x *examination) shows(t incident.Target) bool {
	for i := range x.ev.Deployments {
		d := &x.ev.Deployments[i]
		if !samePlace(&d.ObjectMeta, t.Namespace, t.Name) {
			continue
		}
		for j := range x.ev.ReplicaSets {
			if ref := metav1.GetControllerOfNoCopy(&x.ev.ReplicaSets[j]); ref != nil && ref.Kind == t.Kind && ref.Name == d.Name && x.ev.ReplicaSets[j].Namespace == d.Namespace {
				return true
			}
		}
	}
	return false
}

// sources counts those that can be believed, and names the others.
func (a aggregate) sources() (good int, bad []string) {
	for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
		s := a.Sources[name]
		old := !s.AsOf.IsZero() && !a.Window.Start.IsZero() && s.AsOf.Before(a.Window.Start.Time)
		switch {
		case !s.OK || s.Error != "":
			bad = append(bad, name+" ("+orElse(s.Error, "not ok")+")")
		case old:
			bad = append(bad, name+" (nothing since "+rfc3339(s.AsOf)+")")
		default:
			good++
		}
	}
	return good, bad
}

// deployed finds the newest deployment that may be the reason.
func (a aggregate) deployed() (why, quoted string) {
	var newest evidence.Rollout
	for _, d := range a.Deployments[:min(len(a.Deployments), maxThings)] {
		other := d.Service != "" && a.Service != "" && d.Service != a.Service
		if other || !a.within(d) || !newest.At.IsZero() && newest.At.After(d.At.Time) {
			continue
		}
		newest = d
	}
	if newest == (evidence.Rollout{}) {
		return "", ""
	}
	what := orElse(strings.TrimSpace(newest.Service+" "+newest.Version), "a new version")
	when := ""
	if !newest.At.IsZero() {
		when = " at " + newest.At.Format("15:04Z")
	}
	return "of the deployment of " + what + when, fmt.Sprintf("deployment of %s%s: status=%s", what, when, orElse(newest.Status, "?"))
}

// within says whether a deployment fell into the window, or shortly before it.
func (a aggregate) within(d evidence.Rollout) bool {
	if a.Window.Start.IsZero() || d.At.IsZero() {
		return !d.At.IsZero() || d.Version != ""
	}
	return !d.At.Before(a.Window.Start.Add(-deployReach)) && (a.Window.End.IsZero() || !d.At.After(a.Window.End.Time))
}

func (a aggregate) saturated() (why, quoted string) {
	for _, m := range []string{"cpu", "memory"} {
		if r, ok := a.metrics.of[m]; ok && r.value > saturatedPercent {
			return fmt.Sprintf("its %s is saturated (%s %%)", m, amount(r.value)), a.quote(m)
		}
	}
	return "", ""
}

func (a aggregate) dependency() (why, quoted string) {
	if r, ok := a.metrics.of["dependency_errors"]; ok && r.value > errorRatePercent && !r.unsure {
		return fmt.Sprintf("a dependency fails (%s %% of the calls to it)", amount(r.value)), a.quote("dependency_errors")
	}
	return "", ""
}

func (a aggregate) surge() (why, quoted string) {
	now, ok := a.metrics.of["rps"]
	usual, known := a.metrics.of["baseline_rps"]
	if ok && known && usual.value > 0 && now.value > surgeFactor*usual.value {
		return fmt.Sprintf("of more load than usual (%s requests/s instead of %s)", amount(now.value), amount(usual.value)), a.quote("rps")
	}
	return "", ""
}

func aggregateWell(a aggregate) (string, bool) {
	if len(a.metrics.unread) > 0 {
		return a.title() + ": " + strings.Join(a.metrics.unread, "; "), false
	}
	good, bad := a.sources()
	if len(bad) > 0 && (good == 0 || !a.metrics.objectives()) {
		return a.title() + ": no source can be believed: " + strings.Join(bad, ", "), false
	}
	if !a.metrics.objectives() {
		return a.title() + ": nothing was measured that has an objective", false
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(a.metrics.of)) {
		r := a.metrics.of[name]
		parts = append(parts, r.key+"="+a.Metrics[r.key].String())
	}
	return a.title() + ": " + strings.Join(parts, " "), true
}
