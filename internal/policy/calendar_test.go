package policy

import (
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func between(from, to string) incident.Freeze {
	return incident.Freeze{Reason: "r", By: "alice", StartsAt: at(from), EndsAt: at(to)}
}

func TestCheckFreeze(t *testing.T) {
	good := between("2026-11-20T03:00:00Z", "2026-11-20T05:00:00Z")
	for _, c := range []struct {
		name   string
		change func(*incident.Freeze)
		want   string // empty: it is good
	}{
		{"once", func(*incident.Freeze) {}, ""},
		{"no end", func(f *incident.Freeze) { f.EndsAt = time.Time{} }, "starts_at and ends_at must both be given"},
		{"end before start", func(f *incident.Freeze) { f.EndsAt = f.StartsAt.Add(-time.Hour) }, "ends_at: must be at least 1m after starts_at"},
		{"a year", func(f *incident.Freeze) { f.EndsAt = f.StartsAt.AddDate(1, 0, 0) }, "would last 365d, and may last 90d"},
		{"over", func(f *incident.Freeze) { *f = between("2026-11-19T03:00:00Z", "2026-11-19T05:00:00Z") }, "ends_at: it is in the past"},
		{"over, but it comes again", func(f *incident.Freeze) {
			*f = between("2026-11-19T03:00:00Z", "2026-11-19T05:00:00Z")
			f.RRule = "FREQ=WEEKLY"
		}, ""},
		{"matching nothing in particular", func(f *incident.Freeze) { f.Match = &incident.Match{} }, "match: it is empty; leave it out to freeze everything"},
		{"matching what takes away", func(f *incident.Freeze) { f.Match = &incident.Match{Namespace: "!prod"} }, `match/namespace: "!prod" cannot be`},
		{"matching a pattern", func(f *incident.Freeze) { f.Match = &incident.Match{Namespace: "prod*", Environment: "prod"} }, ""},
		{"no zone", func(f *incident.Freeze) { f.Timezone = "Amsterdam" }, `timezone: "Amsterdam" is not known`},
		{"the replica's own zone", func(f *incident.Freeze) { f.Timezone = "Local" }, `timezone: "Local" is not known`},
		{"no rule", func(f *incident.Freeze) { f.RRule = "every friday" }, "FREQ=WEEKLY;BYDAY=FR would be right"},
		{"each second", func(f *incident.Freeze) { f.RRule = "FREQ=SECONDLY" }, "FREQ must be YEARLY, MONTHLY, WEEKLY or DAILY"},
		{"a start of its own", func(f *incident.Freeze) { f.RRule = "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY" }, "leave DTSTART out"},
		{"never", func(f *incident.Freeze) { f.RRule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" }, "it never comes again within five years"},
		{"longer than the day", func(f *incident.Freeze) { f.RRule, f.EndsAt = "FREQ=DAILY", f.StartsAt.Add(25*time.Hour) }, "before the one of 25h0m0s is over"},
		{"each minute", func(f *incident.Freeze) { f.RRule = "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2" }, "more than 4 beginnings a day"},
		{"a long rule", func(f *incident.Freeze) { f.RRule = "FREQ=DAILY;BYMONTHDAY=" + strings.Repeat("1,", 300) + "1" }, "it is longer than 500 characters"},
	} {
		f := good
		c.change(&f)
		err := CheckFreeze(f, at("2026-11-20T02:00:00Z"))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFrozenUntil(t *testing.T) {
	once := between("2026-11-20T22:00:00Z", "2026-11-21T06:00:00Z")
	friday := once
	friday.RRule = "FREQ=WEEKLY;BYDAY=FR"
	// 22:00 in Amsterdam is 21:00 UTC in winter and 20:00 in summer.
	local := between("2026-11-20T21:00:00Z", "2026-11-21T05:00:00Z")
	local.RRule, local.Timezone = "FREQ=WEEKLY;BYDAY=FR", "Europe/Amsterdam"
	ended := friday
	ended.RRule += ";COUNT=2"
	broken := once
	broken.RRule = "FREQ=NEVER"
	for _, c := range []struct {
		name   string
		freeze incident.Freeze
		at     string
		until  string // empty: not frozen
		over   bool
	}{
		{"before", once, "2026-11-20T21:59:59Z", "", false},
		{"its first moment", once, "2026-11-20T22:00:00Z", "2026-11-21T06:00:00Z", false},
		{"its last moment", once, "2026-11-21T05:59:59Z", "2026-11-21T06:00:00Z", false},
		{"its end", once, "2026-11-21T06:00:00Z", "", true},
		{"between two fridays", friday, "2026-11-26T23:00:00Z", "", false},
		{"the next friday night", friday, "2026-11-28T03:00:00Z", "2026-11-28T06:00:00Z", false},
		{"before the first", friday, "2026-11-13T23:00:00Z", "", false},
		{"winter", local, "2026-11-27T20:59:00Z", "", false},
		{"winter night", local, "2026-11-27T21:00:00Z", "2026-11-28T05:00:00Z", false},
		{"summer evening", local, "2027-07-02T20:00:00Z", "2027-07-03T04:00:00Z", false},
		{"the last of two", ended, "2026-11-28T03:00:00Z", "2026-11-28T06:00:00Z", false},
		{"after the last of two", ended, "2026-12-05T03:00:00Z", "", true},
		{"a rule that cannot be read was meant to stop", broken, "2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z", false},
	} {
		until := frozenUntil(c.freeze, at(c.at))
		if got := until; c.until == "" && !got.IsZero() || c.until != "" && !got.Equal(at(c.until)) {
			t.Errorf("%s: until %s, want %s", c.name, got, c.until)
		}
		if Over(c.freeze, at(c.at)) != c.over {
			t.Errorf("%s: over %t", c.name, !c.over)
		}
	}
}
