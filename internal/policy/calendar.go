package policy

import (
	"fmt"
	"time"

	"github.com/teambition/rrule-go"

	"salve/internal/incident"
)

const (
	maxRRule    = 500             // characters
	maxFreeze   = 90 * day        // one stretch
	lookAhead   = 5 * 366 * day   // the next occurrence must come within it
	maxLifetime = 20 * 366 * day  // what recurs without an end is reckoned this far
	minFreeze   = time.Minute     // shorter is a slip of the pen
	maxPast     = 5 * time.Minute // a freeze that is over already stops nothing
)

// FieldError is what is wrong with one member of what a person sent.
type FieldError struct {
	Field  string // starts_at, match/namespace
	Detail string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// CheckFreeze says what is wrong with a freeze, and what would be right, as a
// *FieldError.
func CheckFreeze(f incident.Freeze, now time.Time) error {
	length := f.EndsAt.Sub(f.StartsAt)
	switch {
	case f.StartsAt.IsZero() || f.EndsAt.IsZero():
		return wrong("ends_at", "starts_at and ends_at must both be given")
	case length < minFreeze:
		return wrong("ends_at", "must be at least %s after starts_at", formatDuration(minFreeze))
	case length > maxFreeze:
		return wrong("ends_at", "the freeze would last %s, and may last %s; several freezes, or automation paused, would be right",
			formatDuration(length.Round(day)), formatDuration(maxFreeze))
	case f.RRule == "" && f.EndsAt.Before(now.Add(-maxPast)):
		return wrong("ends_at", "it is in the past")
	case f.Match != nil && *f.Match == (incident.Match{}):
		return wrong("match", "it is empty; leave it out to freeze everything, or name a cluster, namespace, kind, name, host, service, environment or action")
	}
	if err := checkPatterns(f.Match); err != nil {
		return err
	}
	rule, err := recurrence(f)
	switch {
	case err != nil:
		return err
	case rule == nil:
		return nil
	}
	from := now.Add(-length)
	if from.Before(f.StartsAt) {
		from = f.StartsAt
	}
	next := rule.After(from, true)
	switch {
	case next.IsZero() || next.Sub(from) > lookAhead:
		return wrong("rrule", "it never comes again within five years")
	}
	if after := rule.After(next, false); !after.IsZero() && after.Sub(next) < length {
		return wrong("rrule", "it comes again after %s, before the one of %s is over; one long freeze would be right", after.Sub(next), length)
	}
	return nil
}

func checkPatterns(m *incident.Match) error {
	if m == nil {
		return nil
	}
	for _, part := range matchParts(m) {
		if part.want != "" && (len(part.want) > 253 || part.want[0] == '!' || !patternShape.MatchString(part.want)) {
			return wrong("match/"+part.name, "%q cannot be; a name, or a pattern like \"team-*\" would be right", clip(part.want))
		}
	}
	return nil
}

// recurrence reads the rule of a freeze that comes again; nil where it comes once.
// Rules are RFC 5545; occurrences keep the hour of their time zone over changes of
// its clock.
func recurrence(f incident.Freeze) (*rrule.RRule, error) {
	if f.RRule == "" && f.Timezone == "" {
		return nil, nil
	}
	zone := time.UTC
	if f.Timezone != "" {
		var err error
		if zone, err = time.LoadLocation(f.Timezone); err != nil || f.Timezone == "Local" {
			return nil, wrong("timezone", "%q is not known; a name like UTC or Europe/Amsterdam would be right", clip(f.Timezone))
		}
	}
	if f.RRule == "" {
		return nil, nil
	}
	if len(f.RRule) > maxRRule {
		return nil, wrong("rrule", "it is longer than %d characters", maxRRule)
	}
	option, err := rrule.StrToROptionInLocation(f.RRule, zone)
	if err != nil {
		return nil, wrong("rrule", "%v; FREQ=WEEKLY;BYDAY=FR would be right", err)
	}
	switch {
	case !option.Dtstart.IsZero():
		return nil, wrong("rrule", "leave DTSTART out; it begins at starts_at")
	case option.Freq != rrule.YEARLY && option.Freq != rrule.MONTHLY && option.Freq != rrule.WEEKLY && option.Freq != rrule.DAILY:
		return nil, wrong("rrule", "FREQ must be YEARLY, MONTHLY, WEEKLY or DAILY")
	case max(1, len(option.Byhour))*max(1, len(option.Byminute))*max(1, len(option.Bysecond)) > 4:
		return nil, wrong("rrule", "BYHOUR, BYMINUTE and BYSECOND make more than 4 beginnings a day; a longer freeze would be right")
	case option.Interval > 366 || option.Count > 10000:
		return nil, wrong("rrule", "INTERVAL may be 366 and COUNT 10000 at most")
	}
	option.Dtstart = f.StartsAt.In(zone)
	if end := f.StartsAt.Add(maxLifetime); option.Until.IsZero() || option.Until.After(end) {
		option.Until = end // a rule that never comes true is not looked for to the end of time
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, wrong("rrule", "%v; FREQ=WEEKLY;BYDAY=FR would be right", err)
	}
	return rule, nil
}

// frozenUntil says until when a freeze stops changes at a moment; zero where it
// does not. A rule that cannot be read any more stops everything: it was meant to.
func frozenUntil(f incident.Freeze, now time.Time) time.Time {
	length := f.EndsAt.Sub(f.StartsAt)
	began := f.StartsAt
	rule, err := recurrence(f)
	switch {
	case err != nil:
		return now.Add(day)
	case rule != nil:
		if began = rule.Before(now, true); began.IsZero() {
			return time.Time{}
		}
	}
	if end := began.Add(length); !now.Before(began) && now.Before(end) {
		return end
	}
	return time.Time{}
}

// Frozen says whether a freeze is on at a moment.
func Frozen(f incident.Freeze, now time.Time) bool { return !frozenUntil(f, now).IsZero() }

// Over says whether a freeze will never stop anything again.
func Over(f incident.Freeze, now time.Time) bool {
	rule, err := recurrence(f)
	if err != nil || !frozenUntil(f, now).IsZero() {
		return false
	}
	if rule == nil {
		return !now.Before(f.EndsAt)
	}
	return rule.After(now, true).IsZero()
}

type matchPart struct{ name, want string }

// matchParts are a match's members.
func matchParts(m *incident.Match) []matchPart {
	return []matchPart{
		{name: "cluster", want: m.Cluster}, {name: "namespace", want: m.Namespace}, {name: "kind", want: m.Kind},
		{name: "name", want: m.Name}, {name: "host", want: m.Host}, {name: "service", want: m.Service},
		{name: "environment", want: m.Environment}, {name: "action", want: m.Action},
	}
}

// concerns says whether a freeze is about a change: any one of its targets will do.
func concerns(m *incident.Match, f *GuardFacts) bool {
	if m == nil {
		return true
	}
	for _, t := range f.Targets {
		have := [...]string{t.Cluster, t.Namespace, t.Kind, t.Name, t.Host, f.Repair.Service, f.Environment, f.Action}
		matches := true
		for i, part := range matchParts(m) {
			matches = matches && (part.want == "" || globMatch(part.want, have[i]))
		}
		if matches {
			return true
		}
	}
	return false
}
