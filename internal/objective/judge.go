package objective

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
)

// Case is what is known of one service when an aggregate of it has come.
type Case struct {
	Monitoring policy.Monitoring
	History    []incident.Aggregate // of the service and sender, the newest last; never empty
	Alerts     map[incident.Episode]incident.Alert
	DryRun     bool
}

// Verdict is what follows.
type Verdict struct {
	Events  []incident.Event // alerts that begin, then alerts that are over
	Missed  bool             // the newest window misses an objective
	Reasons []string         // in words, of the newest window
}

// Judge says what follows from the windows. It looks at the newest one, whichever
// came last, so that the same windows give the same alerts in whatever order they come.
func Judge(c Case, ids incident.IDs) Verdict {
	j := judging{c, c.History[len(c.History)-1], ids, Verdict{}}
	j.doubts()
	for _, what := range conditions() {
		j.judge(what)
	}
	j.judgeBlindness()
	j.order()
	return j.verdict
}

// Episodes are those of every alert that these windows could have brought.
func Episodes(history []incident.Aggregate) []incident.Episode {
	var out []incident.Episode
	for _, what := range append(conditions(), blind) {
		for _, source := range sources(history) {
			out = append(out, episodeOf(what, source, history[len(history)-1]))
		}
	}
	return out
}

// sourceOfNone speaks where no source does.
const sourceOfNone = "monitoring"

func sources(history []incident.Aggregate) []string {
	names := map[string]bool{sourceOfNone: true}
	for _, a := range history {
		for name := range a.Sources {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func fingerprintOf(what condition, source string, a incident.Aggregate) string {
	return intake.Fingerprint(source, a.Target.Cluster, "monitoring", a.Subject, a.Service, what.alert)
}

func episodeOf(what condition, source string, a incident.Aggregate) incident.Episode {
	return intake.Episode(source, a.Target.Cluster, fingerprintOf(what, source, a))
}

type judging struct {
	Case
	newest  incident.Aggregate
	ids     incident.IDs
	verdict Verdict
}

// doubts names the sources that are not believed.
func (j *judging) doubts() {
	for _, name := range slices.Sorted(maps.Keys(j.newest.Sources)) {
		if why := doubt(j.Monitoring, j.newest.Window, name, j.newest.Sources[name]); why != "" {
			j.say("source %s is not believed: %s", name, why)
		}
	}
}

func (j *judging) say(format string, args ...any) {
	j.verdict.Reasons = append(j.verdict.Reasons, fmt.Sprintf(format, args...))
}

// judge lets one condition begin, go on or end. While it is on, the alerts are those
// of the sources that show it; where none does right now, they stay as they are.
func (j *judging) judge(what condition) {
	says, seenBy := what.read(j.Monitoring, j.newest)
	v, _ := value(j.newest.Metrics, what.metric)
	words := ""
	if says == missed {
		words, j.verdict.Missed = what.words(j.Monitoring, j.newest.Service, v), true
		if len(seenBy) == 0 {
			j.say("%s; no source says so itself", words)
			seenBy = []string{sourceOfNone} // told, and never enough to act on
		}
		j.disagreement(what, seenBy)
	}
	firing := j.firing(what)
	if len(firing) == 0 {
		lasted, held := what.held(j.Monitoring, j.History)
		switch {
		case says != missed:
			return
		case !what.atOnce && !held:
			j.say("%s: for %s, and %s would be an incident", words, lasted, j.Monitoring.OpenAfter)
			return
		}
	}
	switch {
	case len(firing) > 0 && what.cleared(j.Monitoring, j.History):
		j.end(what, firing, nil)
	case says == missed:
		j.begin(what, seenBy, words)
		j.end(what, firing, seenBy)
	case len(firing) > 0 && says == kept:
		j.say("%s is kept again, and over when it was for %s", what.metric, j.Monitoring.ClearAfter)
	}
}

// disagreement names the sources that were believed and say otherwise.
func (j *judging) disagreement(what condition, seenBy []string) {
	for _, name := range witnesses(j.Monitoring, j.newest, what.metric) {
		if v, says := value(j.newest.Sources[name].Metrics, what.metric); says && !slices.Contains(seenBy, name) {
			j.say("source %s disagrees: it measured %s=%s", name, what.metric, amount(v))
		}
	}
}

func (j *judging) judgeBlindness() {
	firing := j.firing(blind)
	now := isBlind(j.Monitoring, j.newest)
	lasted, tooLong := blindFor(j.Monitoring, j.History)
	words := fmt.Sprintf("nobody can say how %s fares: no source that is believed measured an objective for %s", j.newest.Service, lasted)
	switch {
	case !now:
		j.end(blind, firing, nil)
	case tooLong:
		j.begin(blind, []string{sourceOfNone}, words)
	default:
		j.say("%s", words)
	}
}

// firing are the sources whose alert of a condition is known to fire.
func (j *judging) firing(what condition) []string {
	var names []string
	for _, source := range sources(j.History) {
		if a, known := j.Alerts[episodeOf(what, source, j.newest)]; known && a.Status == incident.Firing {
			names = append(names, source)
		}
	}
	return names
}

// begin lets alerts fire that do not, and those again whose incident was resolved
// while they did: the sender still means it.
func (j *judging) begin(what condition, seenBy []string, words string) {
	for _, source := range seenBy {
		known, is := j.Alerts[episodeOf(what, source, j.newest)]
		if !is || known.Status != incident.Firing || !known.QuietUntil.IsZero() {
			j.verdict.Events = append(j.verdict.Events, j.event(what, source, incident.Firing, words))
		}
	}
}

func (j *judging) end(what condition, firing, seenBy []string) {
	for _, source := range firing {
		if !slices.Contains(seenBy, source) {
			j.verdict.Events = append(j.verdict.Events, j.event(what, source, incident.Resolved, what.alert+" of "+j.newest.Service+" is over"))
		}
	}
}

// order puts what begins before what ends, so that an incident does not end in
// between, and gives the first of what begins the evidence.
func (j *judging) order() {
	slices.SortStableFunc(j.verdict.Events, func(a, b incident.Event) int { return cmp.Compare(rank(a.Status), rank(b.Status)) })
	if len(j.verdict.Events) > 0 && j.verdict.Events[0].Status == incident.Firing {
		j.verdict.Events[0].Evidence = Evidence(j.Monitoring, j.History)
	}
}

func rank(s incident.AlertStatus) int {
	if s == incident.Firing {
		return 0
	}
	return 1
}

func (j *judging) event(what condition, source string, status incident.AlertStatus, words string) incident.Event {
	a := j.newest
	e := incident.Event{
		ID: j.ids(), Kind: incident.AlertEvent, Source: source, Subject: a.Subject, ReceivedAt: a.ReceivedAt,
		Episode: episodeOf(what, source, a), OpenEnded: true, Status: status, Fingerprint: fingerprintOf(what, source, a),
		Name: what.alert, Severity: what.severity, Service: a.Service, Message: words, Target: a.Target,
		Family: "slo", Hypothesis: what.cause, DryRun: j.DryRun,
		// The first window that begins after a repair is in by then.
		Labels: map[string]string{"alertname": what.alert, "service": a.Service, "lookback": lookBack(a.Window.Length())},
	}
	if status == incident.Resolved {
		e.EndsAt = a.Window.End
	}
	return e
}

func lookBack(window time.Duration) string {
	return (2 * window).String()
}
