package diagnose

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// job is a Job or CronJob.
type job struct{ *workload }

func (w *workload) isJob() bool { return w.kind == "Job" || w.kind == "CronJob" }

func (x *examination) jobWorkload(j *batchv1.Job) *workload {
	s := j.Status
	return &workload{
		object: x.object("Job", &j.ObjectMeta), conditions: conditionsOf(s.Conditions, jobCondition),
		seen: s.StartTime != nil || len(s.Conditions) > 0 || s.Active > 0, current: true,
		paused: j.Spec.Suspend != nil && *j.Spec.Suspend,
		wanted: wants(j.Spec.Parallelism), has: s.Active + s.Succeeded, ready: s.Active,
		template: &j.Spec.Template, job: j,
	}
}

func (x *examination) cronWorkload(c *batchv1.CronJob) *workload {
	return &workload{
		object: x.object("CronJob", &c.ObjectMeta), seen: c.Status.LastScheduleTime != nil || len(c.Status.Active) > 0, current: true,
		paused: c.Spec.Suspend != nil && *c.Spec.Suspend, cron: c,
	}
}

func (x *examination) jobs() []job {
	var out []job
	for _, w := range x.works {
		if w.isJob() {
			out = append(out, job{w})
		}
	}
	return out
}

func (j job) place() place {
	p := j.workload.place()
	if j.failure().status != "" {
		p.acute = 2
	}
	return p
}

// failure is the condition by which the Job controller gave up, or is about to.
func (j job) failure() condition {
	for _, kind := range []string{"Failed", "FailureTarget"} {
		if c := j.find(kind); c.yes() {
			return c
		}
	}
	return condition{}
}

// complete says whether the Job succeeded; kubectl describe prints no conditions.
func (j job) complete() bool {
	return j.job != nil && (j.find("Complete").yes() || j.find("SuccessCriteriaMet").yes() || j.job.Status.CompletionTime != nil && !j.find("Failed").yes())
}

// reasonDeadline is what both a job and a pod say when their time was over.
const reasonDeadline = "DeadlineExceeded"

// attemptReasons are the reasons to give up after failed attempts.
var attemptReasons = []string{"BackoffLimitExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded", "FailedIndexes"}

// ownFault are the causes that say no more of a job's pods than that their program
// failed: that the job failed is what people see and act on.
var ownFault = []string{causeStartupFailed}

// podsFault are the others: where one of them holds, the job failed for it.
var podsFault = append(slices.DeleteFunc(append(slices.Clone(fromOutside), inTemplate...), func(c string) bool {
	return slices.Contains(ownFault, c)
}), "node.*")

// jobFailed finds a Job that its controller gave up for one of the reasons.
func jobFailed(reasons ...string) func(job) (finding, bool) {
	return func(j job) (finding, bool) {
		c, quote, sure := j.failure(), "", certain
		if c.status != "" {
			quote = j.quote(c.quote())
		} else if e, ok := j.lately(reasons, []string{"Completed"}); ok && len(j.conditions) == 0 && !j.complete() {
			c, quote, sure = condition{reason: e.Reason, message: e.Message}, quoteEvent(e), likely
		}
		if quote == "" || !slices.Contains(reasons, c.reason) || j.superseded() {
			return finding{}, false
		}
		f := finding{
			confidence: sure, symptom: j.title() + " failed", quotes: []string{quote},
			because: j.gaveUp(c), over: ownFault, from: podsFault,
		}
		if !slices.ContainsFunc(j.x.pods, func(p *pod) bool { return slices.Contains(p.within, j.key()) }) {
			f.missing = append(f.missing, "the failed pods of "+j.title()+" and their logs, which would say why")
			f.wants = append(f.wants, CollectPod)
		}
		return f, true
	}
}

// gaveUp says why in words: the limits are the spec's.
func (j job) gaveUp(c condition) string {
	why := c.message
	if why == "" {
		why = c.reason
	}
	if j.job == nil {
		return why
	}
	s, limit := j.job.Status, int32(6) // the API server's default
	if j.job.Spec.BackoffLimit != nil {
		limit = *j.job.Spec.BackoffLimit
	}
	if c.reason == reasonDeadline && j.job.Spec.ActiveDeadlineSeconds != nil {
		return fmt.Sprintf("%s (activeDeadlineSeconds=%d, %d failed, %d succeeded)", why, *j.job.Spec.ActiveDeadlineSeconds, s.Failed, s.Succeeded)
	}
	return fmt.Sprintf("%s (%s, backoffLimit=%d, %d failed, %d succeeded)", why, c.reason, limit, s.Failed, s.Succeeded)
}

// superseded says whether a later Job of the same CronJob succeeded: the failed
// one is history, unless it is what was asked about.
func (j job) superseded() bool {
	ref := metav1.GetControllerOfNoCopy(j.meta)
	if ref == nil || j.x.q.Target.Name == j.meta.Name {
		return false
	}
	return slices.ContainsFunc(j.x.works, func(o *workload) bool {
		other := metav1.GetControllerOfNoCopy(o.meta)
		return o.job != nil && other != nil && other.UID == ref.UID && other.Name == ref.Name && o.meta.Namespace == j.meta.Namespace &&
			o.find("Complete").yes() && j.meta.CreationTimestamp.Before(&o.meta.CreationTimestamp)
	})
}

// podDeadline finds a pod that was ended because its own time was over.
func podDeadline(p *pod) (finding, bool) {
	if p.Status.Reason != reasonDeadline || p.Status.Phase != corev1.PodFailed {
		return finding{}, false
	}
	limit := ""
	if s := p.Spec.ActiveDeadlineSeconds; s != nil {
		limit = fmt.Sprintf(" of %d s", *s)
	}
	return finding{
		confidence: 0.95, place: place{acute: 2},
		symptom: "pod " + p.Namespace + "/" + p.Name + " failed",
		quotes:  []string{p.quote("status.reason=" + p.Status.Reason + ": " + p.Status.Message)},
		because: "it was still at work when its activeDeadlineSeconds" + limit + " were over, and kubelet ended it",
		from:    podsFault,
	}, true
}

// missedReasons are the reasons of events by which a CronJob tells that it did
// not start a job in time.
var missedReasons = []string{"TooManyMissedTimes", "FailedNeedsStart", "MissSchedule", "UnparseableSchedule", "UnknownTimeZone", "InvalidSchedule"}

func wellJob(j job) (string, bool) {
	switch {
	case j.x.q.Target.Kind == "Pod":
		return "", true
	case j.paused:
		return j.quote("suspended"), true
	case j.cron != nil || j.kind == "CronJob":
		return j.wellCron()
	case j.job == nil:
		return "", true
	case j.complete():
		return j.quote(fmt.Sprintf("complete, %d succeeded", j.job.Status.Succeeded)), true
	case j.failure().status != "" && j.superseded():
		return j.quote("failed, and a later one succeeded"), true
	case j.failure().status != "":
		return j.quote(j.failure().quote()), false
	case j.job.Status.Active > 0:
		return j.quote(fmt.Sprintf("running, %d active, %d failed attempts", j.job.Status.Active, j.job.Status.Failed)), true
	case !j.seen:
		return "", true
	}
	return j.quote(fmt.Sprintf("nothing active, %d failed, %d succeeded, and no verdict yet", j.job.Status.Failed, j.job.Status.Succeeded)), false
}

func (j job) wellCron() (string, bool) {
	if e, ok := j.lately(missedReasons, []string{"SuccessfulCreate", "SawCompletedJob"}); ok {
		return quoteEvent(e), false
	}
	if j.cron == nil {
		return "", true
	}
	s := j.cron.Status
	switch {
	case s.LastScheduleTime == nil:
		return j.quote("not due yet"), true
	case len(s.Active) == 0 && s.LastSuccessfulTime != nil && s.LastSuccessfulTime.Before(s.LastScheduleTime) && !j.lastRunWell():
		return j.quote("the last run did not succeed: lastScheduleTime " + s.LastScheduleTime.UTC().String() + ", lastSuccessfulTime " + s.LastSuccessfulTime.UTC().String()), false
	}
	return j.quote(fmt.Sprintf("last scheduled %s, %d active", s.LastScheduleTime.UTC().Format("2006-01-02T15:04:05Z"), len(s.Active))), true
}

// lastRunWell says whether the evidence shows a job of the CronJob that is under
// way or complete since the last time it was due.
func (j job) lastRunWell() bool {
	return slices.ContainsFunc(j.x.works, func(o *workload) bool {
		ref := metav1.GetControllerOfNoCopy(o.meta)
		return o.job != nil && ref != nil && ref.Name == j.meta.Name && !o.meta.CreationTimestamp.Before(j.cron.Status.LastScheduleTime) &&
			(o.find("Complete").yes() || o.job.Status.Active > 0)
	})
}
