package intake

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// Merged is one POST /v1/monitoring: what monitoring says of one service in one
// window, or the problems for which it was refused.
type Merged struct {
	incident.Aggregate
	ID       incident.ID
	DryRun   bool
	Rejected []Problem
	Notes    []string
}

type givenAggregate struct {
	Service     string         `json:"service"`
	Cluster     string         `json:"cluster"`
	Namespace   string         `json:"namespace"`
	Target      *givenTarget   `json:"target"`
	Window      jsontext.Value `json:"window"`
	Metrics     jsontext.Value `json:"metrics"`
	Sources     jsontext.Value `json:"sources"`
	Deployments jsontext.Value `json:"deployments"`
	Alerts      jsontext.Value `json:"alerts"`
	DryRun      bool           `json:"dry_run"`
}

// The bounds of an aggregate.
const (
	maxSources     = 32
	maxMetrics     = 128
	maxDeployments = 200
	shortestWindow = 10 * time.Second
	longestWindow  = 24 * time.Hour
	oldestWindow   = 7 * 24 * time.Hour
)

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Aggregate reads the body of POST /v1/monitoring. The error is a *BodyError.
func Aggregate(in Input) (Merged, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to || b.text[whole.from] != '{' {
		return Merged{}, b.wrongKind("the body is no object; send {service, window, metrics, sources}, one aggregate of one service")
	}
	raw, f := b.item(whole), &findings{notes: b.notes(whole)}
	g, ok := decode[givenAggregate](raw, f)
	if !ok {
		return Merged{Rejected: f.problems}, b.readable()
	}
	m := Merged{ID: in.IDs(), DryRun: g.DryRun, Aggregate: incident.Aggregate{Service: g.Service, Subject: in.Subject, ReceivedAt: in.ReceivedAt}}
	m.Target = g.about(in, f)
	m.Window = f.window(g.Window, in.ReceivedAt)
	m.Metrics = f.metrics("/metrics", g.Metrics)
	m.Sources = f.sources(g.Sources, in.ReceivedAt)
	m.Deployments = f.deployments(g.Deployments)
	m.Alerts = f.alertNames(g.Alerts)
	f.unknownMembers(raw)
	if len(f.problems) == 0 && len(m.Metrics) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(m.Sources)), func(s incident.AggregateSource) bool { return s.OK }) {
		f.refuse("/metrics", "are measured by nobody: no source is ok; leave them out where no source could be asked")
	}
	m.Rejected, m.Notes = f.problems, f.notes
	return m, nil
}

// about is the service, or the object that serves it where the sender names one.
func (g *givenAggregate) about(in Input, f *findings) incident.Target {
	if g.Service == "" {
		f.refuse("/service", "is missing; it is the name of the service that the aggregate is about")
	}
	f.checkName("/service", g.Service)
	f.checkName("/cluster", g.Cluster)
	f.checkName("/namespace", g.Namespace)
	g.Target.check(f)
	if given := g.Target.cluster(); g.Cluster != "" && given != "" && g.Cluster != given {
		f.refuse("/target/cluster", "%s, but cluster says %q", saw(given), clip(g.Cluster, quoted))
	}
	t := incident.Target{Kind: kindService}
	if validLabel(g.Namespace) {
		t.Namespace = g.Namespace
	}
	if g.Target.names() {
		notes := len(f.notes)
		t = clues{given: g.Target, namespace: g.Namespace}.spelledOut(f)
		for _, why := range f.notes[notes:] {
			f.refuse("/target", "%s", why)
		}
		f.notes = f.notes[:notes]
	}
	t.Service = g.Service
	t.Cluster = in.cluster(g.Cluster, g.Target.cluster())
	return t
}

func (f *findings) window(raw jsontext.Value, now time.Time) (w incident.Window) {
	members, ok := f.object("/window", raw, "{start, end}, two times")
	if !ok {
		return w
	}
	w.Start, w.End = f.requiredTime("/window/start", members["start"]), f.requiredTime("/window/end", members["end"])
	switch length := w.Length(); {
	case w.Start.IsZero() || w.End.IsZero():
	case length <= 0:
		f.refuse("/window/end", "is not after start")
	case length < shortestWindow || length > longestWindow:
		f.refuse("/window", "is %s long; %s to %s would be right", length, shortestWindow, longestWindow)
	case w.End.Sub(now) > maxAhead:
		f.refuse("/window/end", "%s is after now (%s); clocks may differ by %s", w.End.Format(time.RFC3339), now.UTC().Format(time.RFC3339), maxAhead)
	case now.Sub(w.End) > oldestWindow:
		f.refuse("/window/end", "is %s ago; what is older than %s says nothing about today", now.Sub(w.End).Round(time.Minute), oldestWindow)
	}
	return w
}

// requiredTime reads a time that must be there. Its fractions of a second are kept
// as far as Postgres keeps them.
func (f *findings) requiredTime(pointer string, raw jsontext.Value) time.Time {
	text, ok := f.word(pointer, raw)
	if ok && text == "" {
		f.refuse(pointer, "is missing; times are RFC 3339, like 2026-01-31T12:00:00Z")
	}
	return f.time(pointer, text).Truncate(time.Microsecond)
}

func (f *findings) sources(raw jsontext.Value, now time.Time) map[string]incident.AggregateSource {
	members, ok := f.object("/sources", raw, "an object with one member for each source, like prometheus: {ok, as_of, error}")
	switch {
	case !ok:
		return nil
	case len(members) == 0:
		f.refuse("/sources", "names none; say which source the metrics come from, or which could not be asked")
	case len(members) > maxSources:
		f.refuse("/sources", "holds %d sources; at most %d are taken", len(members), maxSources)
		return nil
	}
	out := make(map[string]incident.AggregateSource, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := "/sources/" + pointerEscape.Replace(clip(name, quoted))
		if !sourceName.MatchString(name) {
			f.refuse(at, "is no name of a source; lower case letters, digits, dots and dashes would be right, like prometheus")
			continue
		}
		out[name] = f.source(at, members[name], now)
	}
	return out
}

func (f *findings) source(at string, raw jsontext.Value, now time.Time) (s incident.AggregateSource) {
	members, ok := f.object(at, raw, "{ok, as_of, error}")
	if !ok {
		return s
	}
	switch members["ok"].Kind() {
	case 't', 'f':
		s.OK = members["ok"].Kind() == 't'
	default:
		f.refuse(at+"/ok", "must be true or false: whether this source could be asked")
	}
	s.Error, _ = f.word(at+"/error", members["error"])
	s.Error = clip(s.Error, maxLabelValue)
	text, _ := f.word(at+"/as_of", members["as_of"])
	s.AsOf = f.time(at+"/as_of", text)
	s.Metrics = f.ownMetrics(at+"/metrics", members["metrics"])
	switch {
	case s.OK && s.Error != "":
		f.refuse(at+"/ok", "is true beside an error; a source that answered in part is not ok")
	case s.OK && text == "":
		f.refuse(at+"/as_of", "is missing; it is the time of the newest sample, by which Salve knows whether the source is stale")
	case s.AsOf.Sub(now) > maxAhead:
		f.note("%s says that its newest sample is of %s, which is after now: it is not believed", at, s.AsOf.Format(time.RFC3339))
		s.OK, s.Error, s.AsOf = false, "its newest sample is from the future", time.Time{}
	}
	return s
}

func (f *findings) ownMetrics(at string, raw jsontext.Value) incident.Metrics {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return nil
	}
	return f.metrics(at, raw)
}

func (f *findings) deployments(raw jsontext.Value) []incident.Rollout {
	items := f.array("/deployments", raw, maxDeployments)
	out := make([]incident.Rollout, 0, len(items))
	for i, item := range items {
		at := fmt.Sprintf("/deployments/%d", i)
		members, ok := f.object(at, item, "{service, version, at, status}")
		if !ok {
			continue
		}
		var d incident.Rollout
		d.Service, _ = f.word(at+"/service", members["service"])
		d.Version, _ = f.word(at+"/version", members["version"])
		d.Status, _ = f.word(at+"/status", members["status"])
		d.Service, d.Version, d.Status = clip(d.Service, maxName), clip(d.Version, maxName), clip(d.Status, maxName)
		d.At = f.requiredTime(at+"/at", members["at"])
		out = append(out, d)
	}
	return out
}

func (f *findings) alertNames(raw jsontext.Value) []string {
	var out []string
	for i, item := range f.array("/alerts", raw, maxPairs) {
		at := fmt.Sprintf("/alerts/%d", i)
		name := item
		if item.Kind() == '{' {
			members, _ := f.object(at, item, "")
			name, at = members["name"], at+"/name"
		}
		if text, ok := f.word(at, name); ok && text == "" {
			f.refuse(at, "is missing; an alert is a name, or an object with one")
		} else if ok {
			out = append(out, clip(text, maxTitle))
		}
	}
	return out
}

// object reads the members of an object.
func (f *findings) object(at string, raw jsontext.Value, want string) (map[string]jsontext.Value, bool) {
	var members map[string]jsontext.Value
	switch {
	case len(raw) == 0 || raw.Kind() == 'n':
		f.refuse(at, "is missing; it is %s", want)
		return nil, false
	case raw.Kind() != '{':
		f.refuse(at, "must be an object, not %s", article(raw.Kind()))
		return nil, false
	}
	if err := json.Unmarshal(raw, &members); err != nil {
		f.refuse(at, "%v", err)
		return nil, false
	}
	return members, true
}

// array reads the items of an array that may be left out.
func (f *findings) array(at string, raw jsontext.Value, most int) []jsontext.Value {
	var items []jsontext.Value
	switch {
	case len(raw) == 0 || raw.Kind() == 'n':
		return nil
	case raw.Kind() != '[':
		f.refuse(at, "must be an array, not %s", article(raw.Kind()))
		return nil
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		f.refuse(at, "%v", err)
	}
	if len(items) > most {
		f.refuse(at, "holds %d entries; at most %d are taken", len(items), most)
		return nil
	}
	return items
}

// word reads a string that may be left out. It is not ok where something else stands there.
func (f *findings) word(at string, raw jsontext.Value) (text string, ok bool) {
	switch raw.Kind() {
	case '"':
		return text, json.Unmarshal(raw, &text) == nil
	case 'n', 0:
		return "", true
	}
	f.refuse(at, "must be a string, not %s", article(raw.Kind()))
	return "", false
}

var aggregateMembers = []string{"service", "cluster", "namespace", "target", "window", "metrics", "sources", "deployments", "alerts", "dry_run"}

// unknownMembers names what nobody here reads.
func (f *findings) unknownMembers(raw []byte) {
	var members map[string]jsontext.Value
	_ = json.Unmarshal(raw, &members)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(aggregateMembers, name) {
			f.note("/%s is not known here and was not read", pointerEscape.Replace(clip(name, quoted)))
		}
	}
}
