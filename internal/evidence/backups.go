package evidence

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// backupRun is one backup that a tool lists.
type backupRun struct {
	job       string // what it belongs to
	phase     string
	message   string
	errors    Number
	at        time.Time // when it began, or ended where only that is known
	expires   Number    // in days
	succeeded bool
	running   bool
	size      Number
}

// standing sums the runs of each job up: the last attempt, the last success, and
// what failed since.
func standing(tool, host string, runs []backupRun) []Backup {
	slices.SortStableFunc(runs, func(a, b backupRun) int { return cmp.Or(strings.Compare(a.job, b.job), b.at.Compare(a.at)) })
	var out []Backup
	for i, run := range runs {
		if i == 0 || runs[i-1].job != run.job {
			out = append(out, Backup{
				Tool: tool, Host: host, Name: run.job, Phase: run.phase, Status: run.phase, Message: run.message, Errors: run.errors,
				LastAttempt: Time{run.at}, FailedSinceLastSuccess: Of(0),
			})
		}
		out[len(out)-1].count(run)
	}
	return out
}

// count goes from the newest run to the oldest.
func (b *Backup) count(run backupRun) {
	switch {
	case !b.LastSuccess.IsZero():
	case run.succeeded:
		b.LastSuccess, b.RetentionDaysLeft, b.SizeBytes = Time{run.at}, run.expires, run.size
	case !run.running:
		b.FailedSinceLastSuccess.Value++
	}
}

var errNoVelero = errors.New("velero backup get, velero backup describe or velero schedule get (or -o json) is expected")

func isVeleroBackups(t table) bool { return t.has("NAME", "STATUS", "CREATED", "EXPIRES") }

func isVeleroSchedules(t table) bool { return t.has("NAME", "STATUS", "SCHEDULE", "LAST BACKUP") }

func isVelero(t table) bool { return isVeleroBackups(t) || isVeleroSchedules(t) }

func looksLikeVelero(l look) bool {
	return l.any(func(line string) bool { return isVelero(tableOf(line)) }) || l.starts("Phase:") && l.starts("Backup Format Version:", "Velero-Native Snapshot")
}

// readVelero reads the tables of backups and schedules, and describe.
func readVelero(r *reader, p printout) error {
	if isDocument(p.text) {
		return r.printedDocuments(p)
	}
	var runs []backupRun
	found := false
	rows(p.text, isVelero, func(row row) {
		if found = true; isVeleroSchedules(row.table) {
			r.backup(Backup{
				Tool: "velero", Name: row.get("NAME"), Status: row.get("STATUS"), Cron: row.get("SCHEDULE"), LastAttempt: Time{r.ago(row.get("LAST BACKUP")).Time},
				Paused: row.get("PAUSED") == "true",
			})
		} else if len(runs) < maxItems {
			runs = append(runs, veleroRun(row))
		}
	})
	if !found {
		run, ok := veleroDescribed(p.text)
		if !ok {
			return errNoVelero
		}
		runs = append(runs, run)
	}
	for _, b := range standing("velero", "", runs) {
		r.backup(b)
	}
	return nil
}

func veleroRun(row row) backupRun {
	at, _ := ParseTime(row.get("CREATED"))
	run := backupRun{job: scheduleOf(row.get("NAME")), errors: countOrNot(row.get("ERRORS")), at: at}
	if left, ok := age(row.get("EXPIRES")); ok {
		run.expires = Of(float64(left / (24 * time.Hour)))
	}
	run.phased(row.get("STATUS"))
	return run
}

// phased reads velero's phases, with or without spaces.
func (run *backupRun) phased(phase string) {
	run.phase = firstWord(phase)
	switch run.phase {
	case "Completed":
		run.succeeded = true
	case "New", "InProgress", "WaitingForPluginOperations", "Finalizing", "Queued", "ReadyToStart", "Deleting":
		run.running = true
	}
}

// scheduleOf is what stands before the time in the name of a scheduled backup:
// daily-20261123020003.
func scheduleOf(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i > 0 && len(name)-i == 15 && strings.Trim(name[i+1:], "0123456789") == "" {
		return name[:i]
	}
	return name
}

func veleroDescribed(text string) (backupRun, bool) {
	var run backupRun
	fields := map[string]string{}
	for line := range lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); ok && fields[key] == "" && len(fields) < maxSections {
			fields[key] = value
		}
		if schedule, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "Labels:"), "velero.io/schedule-name="); ok {
			run.job = schedule
		}
	}
	run.job = cmp.Or(run.job, scheduleOf(fields["Name"]))
	run.phased(fields["Phase"])
	run.at, _ = ParseTime(cmp.Or(orNothing(fields["Started"]), orNothing(fields["Completed"])))
	run.errors = countOrNot(fields["Errors"])
	if run.message = fields["Failure Reason"]; run.message == "" && run.errors.Value > 0 {
		run.message = fields["Validation errors"]
	}
	if at, ok := ParseTime(fields["Expiration"]); ok && !run.at.IsZero() {
		run.expires = Of(float64(at.Sub(run.at) / (24 * time.Hour)))
	}
	return run, fields["Name"] != "" && run.phase != ""
}

func (r *reader) backup(b Backup) {
	if len(r.ev.Backups) < maxItems {
		r.ev.Backups = append(r.ev.Backups, b)
	}
}
