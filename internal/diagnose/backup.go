package diagnose

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"salve/internal/evidence"
)

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

func (b backup) title() string {
	name := orElse(b.Name, b.Tool)
	if b.Tool != "" && b.Tool != name {
		name += " (" + b.Tool + ")"
	}
	if b.Host != "" {
		name += " on " + b.Host
	}
	return strings.TrimSpace("backup " + name)
}

func (b backup) quote() string {
	line := b.title() + ":"
	for _, p := range []struct{ key, value string }{
		{"status", b.Status}, {"phase", b.Phase}, {"errors", known(b.Errors)}, {"failedSinceLastSuccess", known(b.FailedSinceLastSuccess)}, {"lastAttempt", rfc3339(b.LastAttempt)},
		{"lastSuccess", rfc3339(b.LastSuccess)}, {"ageHours", known(b.AgeHours)}, {"maxAgeHours", known(b.MaxAgeHours)}, {"schedule", b.Schedule}, {"cron", b.Cron},
	} {
		if p.value != "" {
			line += " " + p.key + "=" + p.value
		}
	}
	return line
}

// word is a status or phase without the ways in which tools write it.
func word(s string) string { return strings.ToLower(unpunctuated.Replace(s)) }

var unpunctuated = strings.NewReplacer("_", "", "-", "", " ", "")

var (
	backupFailures  = words("failed failure error errored partiallyfailed failedvalidation partial incomplete fatal corrupt aborted canceled cancelled timeout timedout warning completedwitherrors finalizingpartiallyfailed waitingforpluginoperationspartiallyfailed walarchivingfailing")
	backupSuccesses = words("ok success succeeded completed complete successful done finished healthy")
	backupRunning   = words("running inprogress new enabled pending started queued finalizing waitingforpluginoperations active scheduled")
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

func (b backup) says(list map[string]bool) bool { return list[word(b.Status)] || list[word(b.Phase)] }

// failed says whether the last run failed, and by what. A success after the
// attempt that is spoken of makes it good again.
func (b backup) failed() bool {
	if !b.LastAttempt.IsZero() && b.LastSuccess.After(b.LastAttempt.Time) && !b.says(backupRunning) {
		return false
	}
	failures := b.FailedSinceLastSuccess.Known && b.FailedSinceLastSuccess.Value > 0
	return b.says(backupFailures) || failures || b.Errors.Known && b.Errors.Value > 0 || b.failedCondition() != nil || b.holdsNothing()
}

// holdsNothing is for a run that calls itself a success and left nothing.
func (b backup) holdsNothing() bool {
	return b.says(backupSuccesses) && b.SizeBytes.Known && b.SizeBytes.Value == 0
}

func (b backup) failedCondition() *evidence.Condition {
	for i, c := range b.Conditions {
		ended := c.Type == "Ready" || c.Type == "Complete" || c.Type == "Succeeded" || c.Type == "ContinuousArchiving" || c.Type == "LastBackupSucceeded"
		if c.Status == "False" && ended && !strings.Contains(c.Reason, "Progress") || c.Status == "True" && c.Type == "Failed" {
			return &b.Conditions[i]
		}
	}
	return nil
}

func backupFailed(b backup) (finding, bool) {
	if !b.failed() {
		return finding{}, false
	}
	f := finding{symptom: b.title() + " failed", because: b.how(), quotes: []string{b.quote()}}
	if age, known := b.age(); known {
		f.symptom += fmt.Sprintf(", the last good one is %s old", hours(age))
	}
	if b.Message != "" {
		f.because += ": " + firstLineOf(b.Message)
		f.quotes = append(f.quotes, b.title()+": "+b.Message)
	} else {
		f.missing = []string{"the log of the last run of " + b.title()}
	}
	if c := b.failedCondition(); c != nil {
		f.quotes = append(f.quotes, fmt.Sprintf("condition %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	if b.holdsNothing() {
		f.confidence = fair
	}
	return f, true
}

func (b backup) how() string {
	switch c := b.failedCondition(); {
	case b.says(backupFailures):
		return "its last run ended as " + cmp.Or(b.firstOf(backupFailures), "failed")
	case b.Errors.Known && b.Errors.Value > 0:
		return b.Errors.String() + " errors in its last run"
	case b.FailedSinceLastSuccess.Value > 0:
		return b.FailedSinceLastSuccess.String() + " runs failed since its last success"
	case c != nil:
		return "its condition " + c.Type + " is " + c.Status + " (" + c.Reason + ")"
	}
	return "it ended well and is 0 bytes"
}

func (b backup) firstOf(list map[string]bool) string {
	for _, s := range []string{b.Status, b.Phase} {
		if list[word(s)] {
			return s
		}
	}
	return ""
}

// age is how many hours ago the last success was; where only the last attempt is
// known and it went well, that.
func (b backup) age() (float64, bool) {
	if b.AgeHours.Known {
		return b.AgeHours.Value, b.AgeHours.Value >= 0 && b.AgeHours.Value < longestAge
	}
	at, last := b.CheckedAt.Time, b.LastSuccess.Time
	if at.IsZero() {
		at = b.x.ev.ObservedAt
	}
	if last.IsZero() && b.says(backupSuccesses) {
		last = b.LastAttempt.Time
	}
	if last.IsZero() || at.IsZero() {
		return 0, false
	}
	age := at.Sub(last).Hours()
	return max(age, 0), age > -1 && age < longestAge
}

// mayBe is how old the last success may be, and whether anything says so.
func (b backup) mayBe() (hours float64, said bool) {
	if b.MaxAgeHours.Known && b.MaxAgeHours.Value > 0 {
		return b.MaxAgeHours.Value, true
	}
	period := b.period()
	if said = period > 0; !said {
		period = dailyHours
	}
	return math.Round(period + max(backupSlack, period*slackShare)), said
}

// scheduleWords are the periods that people write, in hours.
var scheduleWords = map[string]float64{
	"hourly": 1, "@hourly": 1, "daily": 24, "@daily": 24, "@midnight": 24, "nightly": 24, "everyday": 24, "weekly": 168, "@weekly": 168, "monthly": 744, "@monthly": 744,
	"yearly": 8784, "@yearly": 8784, "@annually": 8784,
}

// firesLooked is how many runs of a schedule are looked at for the longest pause.
const firesLooked = 40

// period is the longest pause in hours between two runs as planned; 0 when unknown.
func (b backup) period() float64 {
	for _, text := range []string{b.Cron, b.Schedule} {
		text = strings.TrimSpace(text)
		if h := scheduleWords[word(text)]; h > 0 {
			return h
		}
		plan, err := cron.ParseStandard(clip(text, 100))
		if err != nil {
			continue
		}
		longest, at := 0.0, b.x.ev.ObservedAt
		for range firesLooked {
			next := plan.Next(at)
			if next.IsZero() {
				break
			}
			if pause := next.Sub(at); at != b.x.ev.ObservedAt {
				longest = max(longest, pause.Hours())
			}
			at = next
		}
		return longest
	}
	return 0
}

// never says whether a run was tried and none ever succeeded.
func (b backup) never() bool {
	_, known := b.age()
	tried := !b.LastAttempt.IsZero() && !b.says(backupSuccesses) && !b.says(backupRunning)
	says := words("never none nobackup nobackups missing neverrun")
	return !known && b.LastSuccess.IsZero() && !b.AgeHours.Known && !b.failed() && (tried || b.says(says))
}

func backupStale(b backup) (finding, bool) {
	age, known := b.age()
	allowed, said := b.mayBe()
	if never := b.never(); !never && (!known || age <= allowed) {
		return finding{}, false
	}
	f := finding{
		symptom: b.title() + " is too old", grave: age, quotes: []string{b.quote()},
		because: fmt.Sprintf("the last success is %s old, and %s are allowed", hours(age), hours(allowed)),
	}
	if !known {
		f.symptom, f.because, said = "there is no good copy of "+b.title(), "it never succeeded", true
	}
	switch {
	case b.Paused:
		f.because += "; its schedule is paused"
		f.quotes = append(f.quotes, b.title()+": paused=true")
	case b.says(backupRunning) && b.says(words("running inprogress")):
		f.because += "; a run is under way"
	}
	if !said {
		f.confidence = likely
		f.missing = append(f.missing, "how old "+b.title()+" may be (maxAgeHours or cron)")
	}
	return f, true
}

func hours(h float64) string {
	switch {
	case h < 1:
		return fmt.Sprintf("%.0f minutes", h*60)
	case h < 1.5:
		return "1 hour"
	case h <= 240:
		return fmt.Sprintf("%.0f hours", h)
	}
	return fmt.Sprintf("%.0f days", h/24)
}

func backupRetention(b backup) (finding, bool) {
	left := b.RetentionDaysLeft
	if !left.Known || left.Value >= retentionSoon || left.Value < -longestAge/24 {
		return finding{}, false
	}
	f := finding{
		symptom: fmt.Sprintf("the last %s is kept for %s days more", b.title(), left), grave: -left.Value,
		because: fmt.Sprintf("its retention ends, and less than %d days are left", retentionSoon),
		quotes:  []string{b.quote() + " retentionDaysLeft=" + left.String()},
	}
	if left.Value <= 0 {
		f.symptom, f.because = "the last "+b.title()+" may be deleted at any time", "its retention has ended"
	}
	if b.Paused {
		f.because += ", and its schedule is paused: no newer one comes"
	}
	return f, true
}

func backupWell(b backup) (string, bool) {
	age, known := b.age()
	switch {
	case b.Paused:
		return b.title() + ": its schedule is paused, so no newer one comes; " + b.quote(), false
	case known && !b.failed():
		return fmt.Sprintf("%s: last success %s ago", b.title(), hours(age)), true
	case b.says(backupSuccesses) && b.LastSuccess.IsZero() && !b.AgeHours.Known:
		return b.title() + ": " + orElse(b.Status, b.Phase), true
	}
	return b.title() + ": nothing says when it last succeeded; " + b.quote(), false
}

// rfc3339 is a time as it is quoted.
func rfc3339(t evidence.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
