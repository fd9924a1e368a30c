package checklist

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/intake"
)

// Status is how a check stands after its last run.
type Status string

// The statuses of a check.
const (
	Never     Status = "never" // it has not run yet
	Healthy   Status = "healthy"
	Unhealthy Status = "unhealthy"
	Unknown   Status = "unknown" // it looked, and what it saw does not decide
	Broken    Status = "error"   // it could not look
)

// State is what is kept of a check between two runs.
type State struct {
	Status   Status    `json:"status"`
	Finding  string    `json:"finding"` // of the last run, in words
	Observed time.Time `json:"observed"`
	Firing   []Finding `json:"firing"` // what was found and is not over yet
}

// Finding is one thing that is wrong, told as an alert of the check.
type Finding struct {
	Fingerprint string            `json:"fingerprint"`
	Subject     string            `json:"subject"` // who said so: nobody else can say that it is over
	Cause       string            `json:"cause"`
	Family      string            `json:"family"`
	Severity    incident.Severity `json:"severity"`
	Summary     string            `json:"summary"`
	Target      incident.Target   `json:"target"`

	evidence json.RawMessage // what goes with its alert
}

// Case is one result, and what was known before.
type Case struct {
	Check  Check
	Result intake.CheckResult
	Before State
}

// Verdict is what follows: alerts that begin or go on, then those that are over.
type Verdict struct {
	State   State
	Stale   bool // a newer result is known: this one changes nothing
	Events  []incident.Event
	Reasons []string
	Seen    evidence.Evidence // what came, read
}

// Key is the name under which a check's state is kept. Where the checklist names the
// check and whoever runs it is trusted, that is its name. Others speak for themselves
// and for the place alone where they looked: two hosts may call their checks alike.
func (c Check) Key(own bool, subject string) string {
	if own {
		return c.Name
	}
	place := c.Host
	if place == "" {
		place = strings.Trim(strings.Join([]string{c.Cluster, c.Namespace, c.Object}, "/"), "/")
	}
	if c.Unit != "" {
		place += "/" + c.Unit
	}
	return c.Name + "@" + place + " by " + subject
}

// source is the name under which checks send alerts.
const source = "checks"

// Judge says what a result means. The same result twice gives the same alerts, so
// that a second delivery changes nothing.
func Judge(c Case, ids incident.IDs) Verdict {
	observed := c.Result.ObservedAt
	if observed.Before(c.Before.Observed) {
		return Verdict{State: c.Before, Stale: true, Reasons: []string{fmt.Sprintf(
			"a newer result of check %s is known, of %s: this one changes nothing", c.Check.Name, c.Before.Observed.Format(time.RFC3339))}}
	}
	l := look{check: c.Check, result: c.Result}
	l.see()
	v := Verdict{State: State{Status: l.status(), Finding: l.words(), Observed: observed, Firing: l.found}, Seen: l.seen}
	var over []Finding
	for _, f := range c.Before.Firing {
		switch {
		case slices.ContainsFunc(l.found, func(n Finding) bool { return n.Fingerprint == f.Fingerprint }):
		case l.sure() && f.Subject == c.Result.Subject:
			over = append(over, f)
		default:
			v.State.Firing = append(v.State.Firing, f) // nobody has seen that it is over
		}
	}
	v.Reasons = []string{fmt.Sprintf("check %s is %s: %s", c.Check.Name, v.State.Status, v.State.Finding)}
	for _, f := range l.found {
		e := c.event(f, incident.Firing, ids)
		e.Evidence = f.evidence
		v.Events = append(v.Events, e)
	}
	for _, f := range over {
		v.Events = append(v.Events, c.event(f, incident.Resolved, ids))
	}
	return v
}

// longestLookBack is how long at most a repair waits for the next run of the check.
const longestLookBack = 15 * time.Minute

func (c Case) event(f Finding, status incident.AlertStatus, ids incident.IDs) incident.Event {
	e := incident.Event{
		ID: ids(), Kind: incident.AlertEvent, Source: source, Subject: c.Result.Subject, ReceivedAt: c.Result.ReceivedAt,
		Episode: intake.Episode(source, f.Target.Cluster, f.Fingerprint), OpenEnded: true, Status: status, Fingerprint: f.Fingerprint,
		Name: c.Check.Name, Severity: f.Severity, Service: f.Target.Service, Message: f.Summary, Target: f.Target,
		Family: f.Family, DryRun: c.Result.DryRun,
		Labels: map[string]string{
			"alertname": c.Check.Name, "check_kind": string(c.Check.Kind), "lookback": min(max(c.Check.Every, time.Minute), longestLookBack).String(),
		},
	}
	if incident.IsCause(f.Cause) {
		e.Hypothesis = f.Cause
	}
	if status == incident.Resolved {
		e.EndsAt = c.Result.ObservedAt
		e.Message = "check " + c.Check.Name + " no longer finds it"
	}
	return e
}

// look is one result on its way to findings.
type look struct {
	check    Check
	result   intake.CheckResult
	ev       evidence.Evidence
	seen     evidence.Evidence // as it came
	evidence json.RawMessage   // what goes with the alerts
	found    []Finding
	well     []string // what was seen to be well, in words
	unsure   []string // what was seen and does not decide
}

// sure says whether what was not found is over.
func (l *look) sure() bool { return l.result.Status != intake.CheckError && len(l.unsure) == 0 }

func (l *look) status() Status {
	switch {
	case l.result.Status == intake.CheckError:
		return Broken
	case len(l.found) > 0:
		return Unhealthy
	case len(l.unsure) > 0:
		return Unknown
	default:
		return Healthy
	}
}

const longestWords = 500

// words are the worst thing that can be said of the run.
func (l *look) words() string {
	var text string
	switch {
	case l.result.Status == intake.CheckError:
		text = "could not look: " + cmp.Or(l.result.Message, "no reason was given")
	case len(l.found) > 0:
		text = l.found[0].Summary
		if more := len(l.found) - 1; more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
	case len(l.unsure) > 0:
		text = l.unsure[0]
	case len(l.well) == 1:
		text = l.well[0]
	default:
		text = cmp.Or(l.result.Message, "nothing is wrong")
	}
	if len(text) > longestWords {
		text = strings.ToValidUTF8(text[:longestWords], "") + "…"
	}
	return text
}

// see asks the evidence; where there is none, or it finds nothing, whoever ran the
// check is believed.
func (l *look) see() {
	if l.result.Status == intake.CheckError {
		return
	}
	l.ev, _ = evidence.Parse(l.result.Evidence, l.result.ObservedAt)
	l.ev.Cluster = cmp.Or(l.check.Cluster, l.ev.Cluster)
	l.seen = l.ev
	l.evidence = l.result.Evidence
	if l.result.Evidence != nil {
		l.examine()
	}
	if l.result.Status == intake.CheckFailed && len(l.found) == 0 {
		l.unsure = nil
		l.add(l.check.family(), l.hypothesis(), cmp.Or(l.result.Message, "check "+l.check.Name+" failed"), l.check.Target())
	}
	if l.result.Status == intake.CheckPassed && len(l.found) == 0 {
		l.unsure = nil
	}
	slices.SortStableFunc(l.found, worstFirst)
}

func worstFirst(a, b Finding) int {
	switch {
	case a.Severity == b.Severity:
		return 0
	case a.Severity.Worse(b.Severity) == a.Severity:
		return -1
	default:
		return 1
	}
}

// hypothesis is what a check that only says "failed" has found.
func (l *look) hypothesis() string {
	if l.check.Kind == HTTP {
		return "slo.availability"
	}
	return ""
}

func (c Check) family() string {
	k, _ := kindOf(c.Kind)
	return k.family
}

// examine asks one question of the evidence, or one for each pod or unit in it.
func (l *look) examine() {
	switch l.check.Kind {
	case Pods:
		l.pods()
	case Services:
		l.units()
	case SecurityAudit:
		l.audit()
	case Custom:
		l.ask(incident.Target{Host: l.check.Host})
	default:
		l.ask(l.check.Target())
	}
}

// units asks about each unit that was read. Where only the failed ones are listed
// and none is, nothing failed.
func (l *look) units() {
	var seen []string
	for _, s := range l.ev.Services {
		if s.Unit != "" && !slices.Contains(seen, s.Unit) {
			seen = append(seen, s.Unit)
			l.ask(incident.Target{Kind: "Host", Host: l.check.Host, Service: s.Unit})
		}
	}
	switch {
	case l.check.Unit != "" && !slices.Contains(seen, l.check.Unit):
		l.unsure = append(l.unsure, "unit "+l.check.Unit+" is not among what was read")
	case len(seen) == 0:
		l.well = append(l.well, "no unit of "+l.check.Host+" has failed")
	}
}

// ask asks what is wrong with a target, and notes the answer.
func (l *look) ask(t incident.Target) {
	d := diagnose.Diagnose(l.ev, diagnose.Question{Target: t, Family: l.check.family()})
	switch d.Cause {
	case incident.CauseHealthy:
		l.well = append(l.well, d.Summary)
	case incident.CauseUnknown, "":
		l.unsure = append(l.unsure, d.Summary)
	default:
		about := t
		if t.IsZero() {
			about = cmp.Or(d.Subject, l.check.Target())
		}
		l.addAbout(incident.Family(d.Cause), d.Cause, d.Summary, about, cmp.Or(d.Owner, about))
	}
}

func (l *look) add(family, cause, summary string, t incident.Target) {
	l.addAbout(family, cause, summary, t, t)
}

// addAbout adds a finding, once for what it is about: all pods of an owner that are
// ill of one family are one finding.
func (l *look) addAbout(family, cause, summary string, t, about incident.Target) {
	f := Finding{
		Fingerprint: intake.Fingerprint(source, about.Cluster, l.check.Name, l.result.Subject, about.Key(family)),
		Subject:     l.result.Subject, Cause: cause, Family: family, Severity: l.severity(cause), Summary: summary, Target: t, evidence: l.evidence,
	}
	if !slices.ContainsFunc(l.found, func(o Finding) bool { return o.Fingerprint == f.Fingerprint }) {
		l.found = append(l.found, f)
	}
}
