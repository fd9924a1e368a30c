package diagnose

import (
	"fmt"
	"strings"

	"salve/internal/evidence"
)

const (
	backupMaxAge   = 26 // hours, where nothing says how often: a daily one and some
	retentionSoon  = 3  // days (SPEC section 5)
	neverSucceeded = "never"
)

var backupRules = []row[backup]{
	{Rule{
		Name: "backup-failed", Cause: "backup.failed", Confidence: 0.95,
		When:     "the last run failed, or only in part succeeded, or runs failed since the last success",
		Quotes:   "status, message and errors of the last run; the last success",
		Explains: []string{"backup.stale"},
	}, backupFailed},
	{Rule{
		Name: "backup-stale", Cause: "backup.stale", Confidence: 0.95,
		When:   "the last success is older than the schedule allows (26 hours where it says nothing), or there never was one",
		Quotes: "the last success, its age and how old it may be",
	}, backupStale},
	{Rule{
		Name: "backup-retention", Cause: "backup.retention_expiring", Confidence: 0.95,
		When:   "the last good backup is kept for less than 3 days more",
		Quotes: "the days left",
	}, backupRetention},
}

// backup is one backup job.
type backup struct {
	x *examination
	evidence.Backup
}

func (x *examination) backups() []backup {
	var out []backup
	for _, b := range x.ev.Backups {
		if x.concernsHost(b.Host) {
			out = append(out, backup{x, b})
		}
	}
	return out
}

func (b backup) place() place { return b.x.factPlace("Backup", b.Host, b.Tool+"/"+b.Name, 1) }

func (b backup) title() string { return strings.TrimSpace("backup " + orElse(b.Name, b.Tool)) }

func (b backup) quote() string {
	last := neverSucceeded
	if !b.LastSuccess.IsZero() {
		last = b.LastSuccess.Format("2006-01-02T15:04Z")
	}
	return fmt.Sprintf("%s: status=%s phase=%s errors=%s lastSuccess=%s ageHours=%s maxAgeHours=%s", b.title(), b.Status, b.Phase, b.Errors, last, b.AgeHours, b.MaxAgeHours)
}

// word is a status or phase without the ways in which tools write it.
func word(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

var (
	backupFailures  = map[string]bool{"failed": true, "failure": true, "error": true, "partiallyfailed": true, "failedvalidation": true, "partial": true, "incomplete": true, "fatal": true, "corrupt": true, "walarchivingfailing": true}
	backupSuccesses = map[string]bool{"": true, "ok": true, "success": true, "succeeded": true, "completed": true, "complete": true, "successful": true, "running": true, "inprogress": true, "new": true, "enabled": true, "pending": true, "started": true, "finalizing": true, "waitingforpluginoperations": true}
)

func (b backup) failed() bool {
	if backupFailures[word(b.Status)] || backupFailures[word(b.Phase)] {
		return true
	}
	if b.Errors.Known && b.Errors.Value > 0 || b.FailedSinceLastSuccess.Known && b.FailedSinceLastSuccess.Value > 0 {
		return true
	}
	for _, c := range b.Conditions {
		if c.Status == "False" && (c.Type == "Ready" || c.Type == "Complete" || c.Type == "Succeeded" || c.Type == "ContinuousArchiving") || c.Status == "True" && c.Type == "Failed" {
			return true
		}
	}
	return false
}

func backupFailed(b backup) (finding, bool) {
	if !b.failed() {
		return finding{}, false
	}
	f := finding{symptom: b.title() + " failed", because: "its last run ended with " + orElse(b.Status, orElse(b.Phase, "an error")), quotes: []string{b.quote()}}
	if b.Message != "" {
		f.because += ": " + firstLineOf(b.Message)
		f.quotes = append(f.quotes, b.title()+": "+b.Message)
	} else {
		f.missing = []string{"the log of the last run of " + b.title()}
	}
	for _, c := range b.Conditions {
		if c.Message != "" && (c.Status == "False" || c.Type == "Failed") {
			f.quotes = append(f.quotes, fmt.Sprintf("condition %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return f, true
}

// age is how many hours ago the last success was.
func (b backup) age() (float64, bool) {
	if b.AgeHours.Known {
		return b.AgeHours.Value, true
	}
	at := b.CheckedAt.Time
	if at.IsZero() {
		at = b.x.ev.ObservedAt
	}
	if b.LastSuccess.IsZero() || at.IsZero() {
		return 0, false
	}
	return at.Sub(b.LastSuccess.Time).Hours(), true
}

func (b backup) mayBe() float64 {
	if b.MaxAgeHours.Known && b.MaxAgeHours.Value > 0 {
		return b.MaxAgeHours.Value
	}
	return backupMaxAge
}

func backupStale(b backup) (finding, bool) {
	age, known := b.age()
	never := !known && !b.LastAttempt.IsZero() && !b.failed() && !backupSuccesses[word(b.Status)]
	if !never && (!known || age <= b.mayBe()) {
		return finding{}, false
	}
	f := finding{symptom: b.title() + " is too old", quotes: []string{b.quote()},
		because: fmt.Sprintf("the last success is %.0f hours old, at most %.0f are allowed", age, b.mayBe())}
	if never {
		f.because = "it never succeeded"
	}
	if b.Paused {
		f.because += "; its schedule is paused"
		f.quotes = append(f.quotes, b.title()+": paused=true")
	}
	if !b.MaxAgeHours.Known {
		f.confidence = likely
		f.missing = append(f.missing, "how old "+b.title()+" may be (maxAgeHours)")
	}
	return f, true
}

func backupRetention(b backup) (finding, bool) {
	if !b.RetentionDaysLeft.Known || b.RetentionDaysLeft.Value >= retentionSoon {
		return finding{}, false
	}
	return finding{
		symptom: fmt.Sprintf("%s is kept for %s days more", b.title(), b.RetentionDaysLeft),
		because: fmt.Sprintf("its retention ends in %s days, less than %d", b.RetentionDaysLeft, retentionSoon),
		quotes:  []string{b.quote() + " retentionDaysLeft=" + b.RetentionDaysLeft.String()},
	}, true
}

func backupWell(b backup) (string, bool) {
	age, known := b.age()
	if !known {
		return b.title() + ": " + orElse(b.Status, orElse(b.Phase, "no status")), b.Status+b.Phase != "" && backupSuccesses[word(b.Status)] && backupSuccesses[word(b.Phase)]
	}
	return fmt.Sprintf("%s: last success %.0f hours ago", b.title(), age), true
}
