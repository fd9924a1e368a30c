// Package schedule says when Salve's own tasks are due (SPEC section 5). It is pure: a
// task runs once a period, and the period follows from the time alone, so that all
// replicas agree.
package schedule

import (
	"slices"
	"time"
)

// Name is the name of a task.
type Name string

// The tasks.
const (
	CriticalChecks     Name = "critical-checks"
	FullChecks         Name = "full-checks"
	ResourceTrends     Name = "resource-trends"
	CapacityPlanning   Name = "capacity-planning"
	DailyAudit         Name = "daily-audit"
	BackupVerification Name = "backup-verification"
	Cleanup            Name = "cleanup"
	WeeklyReport       Name = "weekly-report"
	MorningBriefing    Name = "morning-briefing"
)

// Task is one of them and when it is due.
type Task struct {
	Name Name
	Says string // what it does
	When string // in words
	last func(now time.Time) time.Time
}

// Period is the start of the period that a moment lies in: the last moment at which
// the task was due. now is in policy's timezone.
func (t Task) Period(now time.Time) time.Time { return t.last(now) }

// Next is when the task is due again.
func (t Task) Next(now time.Time) time.Time {
	period := t.last(now)
	// Periods are at most a week long, and a day of summer time is 25 hours.
	for next := now.Truncate(time.Minute); ; next = next.Add(time.Minute) {
		if got := t.last(next); got.After(period) {
			return got
		}
	}
}

// All are the tasks in the order in which they run when several are due.
func All() []Task {
	return []Task{
		{CriticalChecks, "looks for checks that should have run and did not; by hand it asks for those of pods, services and URLs", "every 5 minutes", every(5 * time.Minute)},
		{FullChecks, "looks for checks that should have run and did not; by hand it asks for all", "every 15 minutes", every(15 * time.Minute)},
		{ResourceTrends, "looks where disks, CPU and memory of hosts are going", "every hour", every(time.Hour)},
		{CapacityPlanning, "looks where CPU and memory of workloads and services are going", "every 6 hours", every(6 * time.Hour)},
		{DailyAudit, "writes the record of the day before", "daily at 01:00", daily(1)},
		{BackupVerification, "asks for all checks of backups now", "daily at 02:00", daily(2)},
		{Cleanup, "forgets what is kept no longer", "Sundays at 03:00", weekly(time.Sunday, 3)},
		{WeeklyReport, "writes the report of the week before", "Mondays at 08:00", weekly(time.Monday, 8)},
		{MorningBriefing, "writes what a new day begins with", "daily at 07:00", daily(7)},
	}
}

// Find gives the task of a name.
func Find(name string) (Task, bool) {
	all := All()
	i := slices.IndexFunc(all, func(t Task) bool { return string(t.Name) == name })
	if i < 0 {
		return Task{}, false
	}
	return all[i], true
}

// Names lists all tasks by name.
func Names() []string {
	var names []string
	for _, t := range All() {
		names = append(names, string(t.Name))
	}
	return names
}

func every(d time.Duration) func(time.Time) time.Time {
	return func(now time.Time) time.Time { return now.UTC().Truncate(d) }
}

func daily(hour int) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		at := clock(now, 0, hour)
		if at.After(now) {
			at = clock(now, -1, hour)
		}
		return at
	}
}

func weekly(day time.Weekday, hour int) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		back := (int(now.Weekday()) - int(day) + 7) % 7
		at := clock(now, -back, hour)
		if at.After(now) {
			at = clock(now, -back-7, hour)
		}
		return at
	}
}

// clock is an hour of a day near now, on now's calendar.
func clock(now time.Time, days, hour int) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+days, hour, 0, 0, 0, now.Location())
}
