package evidence

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"
)

var errNoRestic = errors.New("restic snapshots (also --json), restic check or restic backup is expected")

func isRestic(t table) bool { return t.has("ID", "Time", "Host") }

func looksLikeRestic(l look) bool {
	return l.any(func(line string) bool { return isRestic(tableOf(line)) }) ||
		l.starts("using temporary cache in", "create exclusive lock for repository", "check snapshots, trees and blobs", "no errors were found")
}

// readRestic reads the list of snapshots, the result of a check and that of a run.
func readRestic(r *reader, p printout) error {
	runs := resticJSON(p.text)
	rows(p.text, isRestic, func(row row) {
		if len(runs) >= maxItems {
			return
		}
		if at, ok := ParseTime(row.get("Time")); ok {
			paths := row.get("Paths")
			if paths == "" {
				paths = row.get("Directory")
			}
			runs = append(runs, backupRun{job: strings.TrimSpace(row.get("Host") + " " + firstWord(paths)), at: at, succeeded: true, phase: "Completed"})
		}
	})
	for _, b := range standing("restic", p.host, runs) {
		r.backup(b)
	}
	if len(runs) > 0 {
		return nil
	}
	return r.checked(p, "restic", errNoRestic, outcome{"no errors were found", true}, outcome{"Fatal:", false}, outcome{"error:", false}, outcome{"snapshot ", true})
}

func resticJSON(text string) (runs []backupRun) {
	var list []struct {
		Time     time.Time `json:"time"`
		Hostname string    `json:"hostname"`
		Paths    []string  `json:"paths"`
	}
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	for _, s := range list[:min(len(list), maxItems)] {
		if s.Time.IsZero() {
			continue
		}
		paths := ""
		if len(s.Paths) > 0 {
			paths = s.Paths[0]
		}
		runs = append(runs, backupRun{job: strings.TrimSpace(s.Hostname + " " + paths), at: s.Time.UTC(), succeeded: true, phase: "Completed"})
	}
	return runs
}

// outcome is how a line begins that tells how a check or run ended.
type outcome struct {
	line string
	well bool
}

// checked reads how a check or a run of a backup tool ended: what went wrong
// weighs more than what went well.
func (r *reader) checked(p printout, tool string, none error, outcomes ...outcome) error {
	b := Backup{Tool: tool, Host: p.host, Name: p.arg(1)}
	for line := range lines(p.text) {
		line = strings.TrimSpace(line)
		for _, o := range outcomes {
			switch {
			case !strings.HasPrefix(line, o.line) || b.Status == "Failed":
			case o.well:
				b.Status, b.Message = "Completed", line
			default:
				b.Status, b.Message = "Failed", line
			}
		}
	}
	if b.Status == "" {
		return none
	}
	b.Phase, b.LastAttempt = b.Status, Time{r.ev.ObservedAt}
	if b.Status == "Completed" && b.Name == "backup" {
		b.LastSuccess = b.LastAttempt
	}
	r.backup(b)
	return nil
}

var errNoPgBackRest = errors.New("pgbackrest info is expected: stanza:, status: and the backups' timestamps")

func looksLikePgBackRest(l look) bool { return l.starts("stanza: ") && l.starts("status: ") }

// readPgBackRest reads one Backup a stanza.
func readPgBackRest(r *reader, p printout) error {
	var b *Backup
	found := false
	end := func() {
		if b != nil {
			r.backup(*b)
			found = true
		}
	}
	for line := range lines(p.text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if key == "stanza" {
			end()
			b = &Backup{Tool: "pgbackrest", Host: p.host, Name: value}
		} else if b != nil {
			b.pgBackRest(key, value)
		}
	}
	end()
	if !found {
		return errNoPgBackRest
	}
	return nil
}

func (b *Backup) pgBackRest(key, value string) {
	switch {
	case key == "status":
		var why string
		b.Status, why = cutWord(value)
		b.Message = strings.Trim(why, "()")
	case key == "timestamp start/stop":
		_, stop, _ := strings.Cut(value, " / ")
		if at, ok := ParseTime(stop); ok && at.After(b.LastSuccess.Time) {
			b.LastSuccess, b.LastAttempt = Time{at}, Time{at}
		}
	case strings.HasPrefix(key, "error(s) detected during backup"):
		b.Message = key + ": " + value
	case strings.HasPrefix(key, "repo") && strings.HasPrefix(value, "backup set size: ") || key == "database size":
		_, last, _ := strings.Cut(value, "backup size: ")
		if n, ok := size(strings.TrimSuffix(last, ","), 1, 1024); ok && key != "database size" {
			b.SizeBytes = n
		}
	}
}

var errNoBorg = errors.New("borg list, borg info, borg check or borg create is expected")

// readBorg reads the list of archives, or how a check or a run ended.
func readBorg(r *reader, p printout) error {
	var runs []backupRun
	for line := range lines(p.text) {
		name, rest := cutWord(line)
		date, _, ok := strings.Cut(strings.TrimSpace(rest), " [")
		if _, after, has := strings.Cut(date, ", "); has {
			date = after
		}
		if !ok || len(runs) >= maxItems {
			continue
		}
		if at, is := ParseTime(date); is {
			runs = append(runs, backupRun{job: archiveOf(name), at: at, succeeded: true, phase: "Completed"})
		}
	}
	for _, b := range standing("borg", p.host, runs) {
		r.backup(b)
	}
	if len(runs) > 0 {
		return nil
	}
	return r.checked(p, "borg", errNoBorg, outcome{"Archive consistency check complete, no problems found.", true}, outcome{"Error", false},
		outcome{"terminating with error status", false}, outcome{"terminating with success status", true}, outcome{"Failed to create/acquire the lock", false},
		outcome{"Repository ", false})
}

// dated is the time that people append to the name of an archive.
var dated = regexp.MustCompile(`[-_:.]?20\d\d-?\d\d-?\d\d[-_:.T\d]*$`)

// archiveOf is the name of an archive without its time: what the archives of one
// job have in common.
func archiveOf(name string) string {
	if job := dated.ReplaceAllString(name, ""); job != "" {
		return job
	}
	return name
}
