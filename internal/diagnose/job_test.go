package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// jobJSON is Job import with the given status members; more goes into its metadata.
func jobJSON(name, status string, more ...string) string {
	return fmt.Sprintf(`{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":%q,"namespace":"production","uid":"uid-%s","creationTimestamp":%q%s},
 "spec":{"backoffLimit":4,"parallelism":1,"completions":1},"status":{"startTime":%q%s}}`, name, name, ago(time.Hour), strings.Join(more, ""), ago(time.Hour), status)
}

const ofNightly = `,"ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"nightly","uid":"cron-1","controller":true}]`

func TestJobs(t *testing.T) {
	failed := func(reason string) string {
		return `,"failed":5,` + conditionsJSON(cond("Failed", "True", reason, "it is over"))
	}
	exits := jobPod("import-aaaaa", "Failed", 20*time.Minute, ended("Error", 1, 15*time.Minute))
	ofJob := func(job string) string { return strings.Replace(job, "uid-import", "job-1", 1) }
	oom := jobPod("import-aaaaa", "Failed", 20*time.Minute, ended("OOMKilled", 137, 15*time.Minute))
	later := strings.Replace(jobJSON("nightly-2", `,"succeeded":1,`+conditionsJSON(cond("Complete", "True", "", "")), ofNightly), ago(time.Hour), ago(time.Minute), 1)
	earlier := jobJSON("nightly-1", failed("BackoffLimitExceeded"), ofNightly)
	nightly := diagnose.Question{Family: "job", Target: incident.Target{Namespace: "production", Kind: "CronJob", Name: "nightly"}}
	gaveUp := note("Job", "import", "Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit", time.Minute)
	runDiseases(t, []diseaseCase{
		{name: "program failed", ask: about("Job", "import"), cause: "job.backoff_exceeded", container: "app", says: "backoffLimit=4, 5 failed", atLeast: 0.95, doc: sent([]string{exits}, nil, key("jobs", ofJob(jobJSON("import", failed("BackoffLimitExceeded")))))},
		{name: "pods ran out of memory", ask: about("Job", "import"), cause: "pod.oom_killed", container: "app", doc: sent([]string{oom}, nil, key("jobs", ofJob(jobJSON("import", failed("BackoffLimitExceeded")))))},
		{name: "out of time, program failed", ask: about("Job", "import"), cause: "job.deadline_exceeded", container: "app", doc: sent([]string{exits}, nil, key("jobs", ofJob(jobJSON("import", failed("DeadlineExceeded")))))},
		{name: "about to fail", ask: about("Job", "import"), cause: "job.backoff_exceeded", doc: sent(nil, nil, key("jobs", jobJSON("import", `,"failed":5,`+conditionsJSON(cond("FailureTarget", "True", "BackoffLimitExceeded", "x")))))},
		{name: "too many indexes", ask: about("Job", "import"), cause: "job.backoff_exceeded", doc: sent(nil, nil, key("jobs", jobJSON("import", failed("MaxFailedIndexesExceeded"))))},
		{name: "a reason that nobody knows", ask: about("Job", "import"), cause: "unknown", says: "SomethingNew", doc: sent(nil, nil, key("jobs", jobJSON("import", failed("SomethingNew"))))},
		{name: "as describe prints it: counts and an event", ask: about("Job", "import"), cause: "job.backoff_exceeded", says: "the failed pods", atMost: 0.85, doc: sent(nil, []string{gaveUp}, key("jobs", jobJSON("import", `,"failed":5`)))},
		{name: "the event of a Job that completed", ask: about("Job", "import"), cause: "healthy", doc: sent(nil, []string{gaveUp}, key("jobs", jobJSON("import", `,"succeeded":1,`+conditionsJSON(cond("Complete", "True", "", "")))))},
		{name: "another attempt is under way", ask: about("Job", "import"), cause: "healthy", says: "2 failed attempts", doc: sent(nil, nil, key("jobs", jobJSON("import", `,"active":1,"failed":2`)))},
		{name: "nothing is under way, and no verdict", ask: about("Job", "import"), cause: "unknown", says: "no verdict yet", doc: sent(nil, nil, key("jobs", jobJSON("import", `,"failed":2`)))},
		{name: "a later one succeeded", ask: nightly, cause: "healthy", says: "a later one succeeded", doc: sent(nil, nil, key("jobs", earlier, later))},
		{name: "an earlier one succeeded", ask: nightly, cause: "job.backoff_exceeded", doc: sent(nil, nil, key("jobs", earlier, strings.Replace(later, ago(time.Minute), ago(2*time.Hour), 1)))},
		{name: "a later one succeeded, but this is asked about", ask: about("Job", "nightly-1"), cause: "job.backoff_exceeded", doc: sent(nil, nil, key("jobs", earlier, later))},
		{name: "a CronJob that missed its time", ask: nightly, cause: "unknown", says: "too many missed", doc: sent(nil, []string{note("CronJob", "nightly", "Warning", "TooManyMissedTimes", "too many missed start times", time.Minute)})},
		{name: "and started one since", ask: nightly, cause: "unknown", says: "no evidence", doc: sent(nil, []string{note("CronJob", "nightly", "Warning", "TooManyMissedTimes", "too many missed start times", time.Hour), note("CronJob", "nightly", "Normal", "SuccessfulCreate", "Created job nightly-2", time.Minute)})},
		{name: "a CronJob whose last run did not succeed", ask: nightly, cause: "unknown", says: "did not succeed", doc: sent(nil, nil, key("cronJobs", `{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"nightly","namespace":"production"},"status":{"lastScheduleTime":"`+ago(time.Hour)+`","lastSuccessfulTime":"`+ago(25*time.Hour)+`"}}`))},
	})
}

func TestPodDeadline(t *testing.T) {
	late := pod{phase: "Failed", owner: "none", spec: `,"activeDeadlineSeconds":600,"restartPolicy":"Never"`, status: `,"reason":"DeadlineExceeded","message":"Pod was active on the node longer than the specified deadline"`, statuses: []string{st("app", false, 0, ended("Error", 143, time.Minute), "")}}
	running := late
	running.phase = "Running"
	runDiseases(t, []diseaseCase{
		{name: "failed", cause: "job.deadline_exceeded", says: "activeDeadlineSeconds of 600 s", atLeast: 0.95, doc: sent(one(late), nil)},
		{name: "not failed", cause: "unknown", container: "app", doc: sent(one(running), nil)},
	})
}
