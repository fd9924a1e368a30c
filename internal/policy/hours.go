package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Hours are a stretch of some days of the week, in policy's time zone. One that
// ends before it begins ends on the next day.
type Hours struct {
	Days     []time.Weekday // on which it begins; empty: every day
	From, To int            // minutes after midnight
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// stretch is the occurrence that begins on a day; none where the day is not one of its.
func (h Hours) stretch(day time.Time) (from, to time.Time, ok bool) {
	if len(h.Days) > 0 && !slices.Contains(h.Days, day.Weekday()) {
		return from, to, false
	}
	at := func(plus, minutes int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day()+plus, minutes/60, minutes%60, 0, 0, day.Location())
	}
	from, to = at(0, h.From), at(0, h.To)
	if h.To <= h.From {
		to = at(1, h.To)
	}
	return from, to, true
}

// next is the occurrence that is on at a moment, or else the next one.
func (h Hours) next(now time.Time, zone *time.Location) (from, to time.Time) {
	for i := -1; i <= 7; i++ {
		local := now.In(zone)
		day := time.Date(local.Year(), local.Month(), local.Day()+i, 12, 0, 0, 0, zone)
		if from, to, ok := h.stretch(day); ok && now.Before(to) {
			return from, to
		}
	}
	return time.Time{}, time.Time{} // not reached: within a week each day comes
}

// on says until when it is on at a moment; zero where it is not.
func (h Hours) on(now time.Time, zone *time.Location) time.Time {
	if from, to := h.next(now, zone); !now.Before(from) {
		return to
	}
	return time.Time{}
}

func (s Settings) zone() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC // Load refused it already
	}
	return zone
}

// QuietHours are when nobody is awake to see an abort window.
type QuietHours struct {
	Hours
	Set  bool
	Wait bool // a hold waits for their end, instead of asking for a yes
}

// quiet says until when it is quiet; zero where it is not.
func (s Settings) quiet(now time.Time) time.Time {
	if !s.QuietHours.Set {
		return time.Time{}
	}
	return s.QuietHours.on(now, s.zone())
}

// window is the maintenance window that is on, or the next one.
func (s Settings) window(now time.Time) (from, to time.Time) {
	for _, h := range s.Maintenance {
		f, t := h.next(now, s.zone())
		if from.IsZero() || f.Before(from) {
			from, to = f, t
		}
	}
	return from, to
}

var clockShape = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

func (h *Hours) fields(r *reader) []field {
	clock := func(name string, into *int) field {
		return field{name, func(n ast.Node) {
			if s, ok := r.matching(n, name, clockShape, "a time of day in quotes like \"22:00\""); ok {
				hours, _ := strconv.Atoi(s[:2])
				minutes, _ := strconv.Atoi(s[3:])
				*into = hours*60 + minutes
			}
		}}
	}
	return []field{
		clock("from", &h.From), clock("to", &h.To),
		{"days", func(n ast.Node) {
			h.Days = nil
			r.texts(n, "days", func(item ast.Node, s string) {
				at := slices.Index(weekdays, strings.ToLower(s))
				if at < 0 {
					r.fail(item, "days: %q is not known; known are %s", clip(s), strings.Join(weekdays, ", "))
					return
				}
				h.Days = append(h.Days, time.Weekday(at))
			})
		}},
	}
}

// bounded wants both ends of some hours, and that they are apart.
func (r *reader) bounded(n ast.Node, what string, h Hours) {
	switch {
	case !hasKey(n, "from") || !hasKey(n, "to"):
		r.fail(n, "%s needs from and to, like {from: \"22:00\", to: \"07:00\"}", what)
	case h.From == h.To:
		r.fail(n, "%s: from and to are the same moment; the whole day is {from: \"00:00\", to: \"23:59\"}", what)
	}
}

func (s *Settings) hourFields(r *reader) []field {
	return []field{
		{"quiet_hours", func(n ast.Node) {
			if s.QuietHours.Set = len(entries(n)) > 0; !s.QuietHours.Set && r.isMapping(n, "quiet_hours") {
				return
			}
			r.mapping(n, "quiet_hours", append(s.QuietHours.fields(r), field{"hold", func(n ast.Node) {
				word, _ := oneOf(r, n, "hold", quietApprove, quietWait)
				s.QuietHours.Wait = word == quietWait
			}}))
			if r.isMapping(n, "quiet_hours") {
				r.bounded(n, "quiet_hours", s.QuietHours.Hours)
			}
		}},
		{"maintenance", func(n ast.Node) {
			s.Maintenance = nil
			for _, item := range r.listOf(n, "maintenance", 0, 50) {
				var h Hours
				r.mapping(item, "a maintenance window", h.fields(r))
				if r.isMapping(item, "a maintenance window") {
					r.bounded(item, "a maintenance window", h)
				}
				s.Maintenance = append(s.Maintenance, h)
			}
		}},
		{"onboarding", func(n ast.Node) { r.mapping(n, "onboarding", s.Onboarding.fields(r)) }},
	}
}

type quietWord string

const (
	quietApprove quietWord = "approve"
	quietWait    quietWord = "wait"
)

// Onboarding keeps a new service at level 1 for a while: people get to know it first.
type Onboarding struct {
	Days     int
	Services map[string]time.Time // since when each is there
}

// until says until when a service is new; zero where it is not.
func (o Onboarding) until(service string, now time.Time) time.Time {
	since, known := o.Services[service]
	if end := since.AddDate(0, 0, o.Days); known && now.Before(end) {
		return end
	}
	return time.Time{}
}

func (o *Onboarding) fields(r *reader) []field {
	return []field{
		r.integerField("days", 0, 365, &o.Days),
		{"services", func(n ast.Node) {
			o.Services = map[string]time.Time{}
			for _, kv := range r.pairs(n, "services") {
				s, ok := r.text(kv.Value, keyOf(kv))
				if !ok {
					continue
				}
				since, err := time.Parse(time.DateOnly, s)
				if err != nil {
					r.fail(kv.Value, "%s: %q is no date; 2026-11-20 would be right", keyOf(kv), clip(s))
				}
				o.Services[keyOf(kv)] = since
			}
		}},
	}
}

// atNight is a rung as it is in quiet hours: a window that nobody is awake to see
// is no consent.
func (d *decider) atNight(r *rule, g *rung) *rung {
	until := d.policy.settings.quiet(d.facts.Now)
	if until.IsZero() || !g.holds() {
		return g
	}
	if !d.policy.settings.QuietHours.Wait {
		d.say(fmt.Sprintf("it is quiet until %s, and nobody may see an abort window: a human must say yes", until.UTC().Format(time.RFC3339)))
		return g.careful(incident.Approve, r.window)
	}
	d.say(fmt.Sprintf("it is quiet until %s, and nobody may see an abort window: it waits until then", until.UTC().Format(time.RFC3339)))
	later := *g
	later.steps = slices.Clone(g.steps)
	for i := range later.steps {
		if later.effects[i] == incident.Change {
			later.steps[i].NotBefore = until
		}
	}
	return &later
}

// inWindow puts the changes of a rule that can wait into the next maintenance window.
func (d *decider) inWindow(r *rule, g *rung) {
	if !r.inWindow {
		return
	}
	from, to := d.policy.settings.window(d.facts.Now)
	d.say(fmt.Sprintf("it can wait for the maintenance window from %s to %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)))
	for i := range d.out.Steps {
		if s := &d.out.Steps[i]; g.effects[i] == incident.Change {
			s.NotBefore, s.NotAfter = later(s.NotBefore, from), to
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
