package schedule

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t *testing.T, zone, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestPeriods(t *testing.T) {
	const berlin = "Europe/Berlin"
	for _, c := range []struct{ task, zone, now, period, next string }{
		{"critical-checks", "UTC", "2026-11-27 12:34", "2026-11-27 12:30", "2026-11-27 12:35"},
		{"full-checks", "UTC", "2026-11-27 12:34", "2026-11-27 12:30", "2026-11-27 12:45"},
		{"resource-trends", "UTC", "2026-11-27 12:34", "2026-11-27 12:00", "2026-11-27 13:00"},
		{"capacity-planning", "UTC", "2026-11-27 12:34", "2026-11-27 12:00", "2026-11-27 18:00"},
		{"daily-audit", berlin, "2026-11-27 00:59", "2026-11-26 01:00", "2026-11-27 01:00"},
		{"daily-audit", berlin, "2026-11-27 01:00", "2026-11-27 01:00", "2026-11-28 01:00"},
		{"backup-verification", berlin, "2026-03-29 03:30", "2026-03-29 02:00", "2026-03-30 02:00"}, // 02:00 is not on the clock that night
		{"backup-verification", berlin, "2026-10-25 12:00", "2026-10-25 02:00", "2026-10-26 02:00"}, // and twice on this one
		{"cleanup", "UTC", "2026-11-27 12:00", "2026-11-22 03:00", "2026-11-29 03:00"},
		{"cleanup", "UTC", "2026-11-29 02:00", "2026-11-22 03:00", "2026-11-29 03:00"},
		{"weekly-report", "UTC", "2026-11-30 08:00", "2026-11-30 08:00", "2026-12-07 08:00"},
		{"morning-briefing", "UTC", "2027-01-01 06:59", "2026-12-31 07:00", "2027-01-01 07:00"},
	} {
		task, known := Find(c.task)
		if !known {
			t.Fatalf("no task %s", c.task)
		}
		now := at(t, c.zone, c.now)
		if got, want := task.Period(now), at(t, c.zone, c.period); !got.Equal(want) {
			t.Errorf("%s at %s: period %s, want %s", c.task, c.now, got, want)
		}
		if got, want := task.Next(now), at(t, c.zone, c.next); !got.Equal(want) {
			t.Errorf("%s at %s: next %s, want %s", c.task, c.now, got, want)
		}
	}
	if _, known := Find("nightly"); known {
		t.Error("nightly is a task")
	}
}

// Replicas in different minutes of one period name the same one, and time never runs back.
func TestAPeriodIsOneMoment(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"}
	rapid.Check(t, func(r *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(r, "now"), 0).In(zone)
		for _, task := range All() {
			period, next := task.Period(now), task.Next(now)
			if period.After(now) || !next.After(now) || now.Sub(period) > 8*24*time.Hour {
				r.Fatalf("%s at %s: from %s to %s", task.Name, now, period, next)
			}
			if again := task.Period(next.Add(-time.Second)); !again.Equal(period) {
				r.Fatalf("%s: %s lies in the period of %s, and %s in that of %s", task.Name, now, period, next.Add(-time.Second), again)
			}
		}
	})
}
