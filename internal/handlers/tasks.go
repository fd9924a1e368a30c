package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/checklist"
	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/outlook"
	"salve/internal/schedule"
	"salve/internal/store"
)

// TaskStore keeps when tasks ran, and what they look at.
type TaskStore interface {
	BeginTask(ctx context.Context, task string, period time.Time, by string, byHand, again bool) (store.TaskRun, bool, error)
	EndTask(ctx context.Context, run store.TaskRun, succeeded bool, summary string) (store.TaskRun, error)
	LastTaskRuns(ctx context.Context, tasks []string) (map[string]store.TaskRun, error)
	CheckRuns(ctx context.Context) ([]store.CheckRun, error)
	WantChecks(ctx context.Context, checks []checklist.Check) error
	MeasuredSince(ctx context.Context, since time.Time, after store.Measured, limit int) ([]store.Measured, error)
	SeriesOf(ctx context.Context, m store.Measured, since time.Time) ([]outlook.Series, error)
	Alert(ctx context.Context, e incident.Episode) (incident.Alert, bool, error)
	Forget(ctx context.Context, listed []string) (store.Forgotten, error)
	EnsurePartitions(ctx context.Context) error
}

// Tasks are what Salve does by the clock. Each runs once a period, on whichever replica
// hears the heartbeat first, or when somebody asks.
type Tasks struct {
	Taker     Taker
	Store     TaskStore
	Reports   *Reports
	Checklist func() *checklist.Checklist
	Now       func() time.Time
	IDs       incident.IDs
}

// TaskRequest asks for one task. A period in which it succeeded is not run again
// unless the request says so.
type TaskRequest struct {
	Name  string `json:"-" validate:"max=64"`
	Again bool   `json:"again"`
}

// TaskView is one task and how it stands.
type TaskView struct {
	Name      schedule.Name `json:"name"`
	Says      string        `json:"says"`
	When      string        `json:"when"`
	NextRun   time.Time     `json:"next_run"`
	LastRun   *time.Time    `json:"last_run"`    // when it began
	LastState string        `json:"last_status"` // never, running, succeeded, failed
	Summary   string        `json:"last_summary"`
	By        string        `json:"last_run_by,omitempty"`
}

// TaskAnswer is what came of a run, or of the one that was there already.
type TaskAnswer struct {
	TaskView
	Period   time.Time       `json:"period"`   // when the period began
	Repeated bool            `json:"repeated"` // it had run in this period, or runs: nothing was done
	Trends   []outlook.Trend `json:"trends,omitempty"`
	Report   any             `json:"report,omitempty"`
	Results  []ItemResult    `json:"results"`
	Intents  []IntentView    `json:"intents"`
}

// outcome is what a task did.
type outcome struct {
	summary string
	trends  []outlook.Trend
	report  any
	events  []incident.Event // alerts that begin or are over
}

// Run runs one task for its present period.
func (h *Tasks) Run(ctx context.Context, caller identity.Caller, req TaskRequest) (TaskAnswer, error) {
	task, known := schedule.Find(req.Name)
	if !known {
		return TaskAnswer{}, fault.New(fault.NotFound, "there is no task %q; there are %s", req.Name, strings.Join(schedule.Names(), ", "))
	}
	return h.run(ctx, caller, task, occasion{byHand: true, again: req.Again, steady: true})
}

// List shows all tasks.
func (h *Tasks) List(ctx context.Context, _ identity.Caller) (Items[TaskView], error) {
	runs, err := h.Store.LastTaskRuns(ctx, schedule.Names())
	if err != nil {
		return Items[TaskView]{}, err
	}
	var views []TaskView
	for _, t := range schedule.All() {
		views = append(views, h.view(t, runs[string(t.Name)]))
	}
	return Items[TaskView]{Items: views}, nil
}

// RunDue runs what is due and was not taken by another replica. One task's trouble
// keeps none of the others.
func (h *Tasks) RunDue(ctx context.Context) error {
	runs, err := h.Store.LastTaskRuns(ctx, schedule.Names())
	if err != nil {
		return err
	}
	var failed []error
	for _, t := range schedule.All() {
		last := runs[string(t.Name)]
		if last.Period.Equal(t.Period(h.local())) && last.Succeeded {
			continue
		}
		_, err := h.run(ctx, identity.Caller{Subject: "salve"}, t, occasion{steady: h.Now().Sub(last.StartedAt) < steadyFor})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (h *Tasks) local() time.Time { return h.Reports.local(h.Now()) }

// occasion says how a run came about.
type occasion struct {
	byHand bool
	again  bool // though it succeeded in this period
	steady bool // the clock has ticked lately: what did not happen was missed
}

// steadyFor is how long ago a task of the clock may have run for the clock to tick.
const steadyFor = 20 * time.Minute

func (h *Tasks) run(ctx context.Context, caller identity.Caller, t schedule.Task, why occasion) (TaskAnswer, error) {
	run, mine, err := h.Store.BeginTask(ctx, string(t.Name), t.Period(h.local()), caller.Subject, why.byHand, why.again)
	if err != nil {
		return TaskAnswer{}, err
	}
	answer := TaskAnswer{Period: run.Period, Repeated: !mine, Results: []ItemResult{}, Intents: []IntentView{}}
	if !mine {
		answer.TaskView = h.view(t, run)
		return answer, nil
	}
	did, err := h.work(ctx, t, why)
	if err == nil {
		err = h.tell(ctx, caller, did.events, &answer)
	}
	// What came of it is written down even when the caller is gone.
	ending := context.WithoutCancel(ctx)
	if err != nil {
		_, endErr := h.Store.EndTask(ending, run, false, err.Error())
		return TaskAnswer{}, errors.Join(fmt.Errorf("task %s: %w", t.Name, err), endErr)
	}
	run, err = h.Store.EndTask(ending, run, true, did.summary)
	answer.TaskView, answer.Trends, answer.Report = h.view(t, run), did.trends, did.report
	return answer, err
}

func (h *Tasks) view(t schedule.Task, run store.TaskRun) TaskView {
	v := TaskView{Name: t.Name, Says: t.Says, When: t.When, NextRun: t.Next(h.local()).UTC(), LastState: "never", Summary: run.Summary, By: run.By}
	switch {
	case run.StartedAt.IsZero():
		return v
	case run.EndedAt.IsZero():
		v.LastState = "running"
	case run.Succeeded:
		v.LastState = "succeeded"
	default:
		v.LastState = "failed"
	}
	v.LastRun = &run.StartedAt
	return v
}

// tell takes the alerts of a task through the door of all alerts.
func (h *Tasks) tell(ctx context.Context, caller identity.Caller, events []incident.Event, answer *TaskAnswer) error {
	receipts, err := tell(ctx, h.Taker, caller, events)
	if err != nil {
		return err
	}
	b := newAnswer(len(receipts))
	for i, r := range receipts {
		trailOf(ctx, r)
		result := ItemResult{EventID: &events[i].ID, Outcome: r.Taken.Outcome, Reasons: append([]string{events[i].Message}, r.Taken.Reasons...), Diagnosis: r.DiagnosisJSON, Decision: r.DecisionJSON}
		if !r.IncidentID.IsZero() {
			result.IncidentID = &r.IncidentID
		}
		if err := b.add(result, r); err != nil {
			return err
		}
	}
	answer.Results, answer.Intents = b.answer.Results, b.answer.Intents
	return nil
}

// work is where each task is done.
func (h *Tasks) work(ctx context.Context, t schedule.Task, why occasion) (outcome, error) {
	switch t.Name {
	case schedule.CriticalChecks:
		return h.checks(ctx, why.steady, why.byHand, checklist.Pods, checklist.Services, checklist.HTTP)
	case schedule.FullChecks:
		return h.checks(ctx, why.steady, why.byHand, checklist.Kinds()...)
	case schedule.BackupVerification:
		return h.checks(ctx, why.steady, true, checklist.Backups)
	case schedule.ResourceTrends:
		return h.trends(ctx, func(m store.Measured) bool { return m.Target.Host != "" })
	case schedule.CapacityPlanning:
		return h.trends(ctx, func(m store.Measured) bool { return m.Target.Host == "" })
	case schedule.DailyAudit:
		day := h.local().AddDate(0, 0, -1).Format(time.DateOnly)
		r, err := h.Reports.Day(ctx, identity.Caller{}, PeriodRequest{Name: day})
		return outcome{summary: fmt.Sprintf("%s: %d entries", day, len(r.Lines)), report: r}, err
	case schedule.WeeklyReport:
		year, week := h.local().AddDate(0, 0, -7).ISOWeek()
		name := fmt.Sprintf("%d-W%02d", year, week)
		r, err := h.Reports.Week(ctx, identity.Caller{}, PeriodRequest{Name: name})
		return outcome{summary: "the report of " + name, report: r}, err
	case schedule.MorningBriefing:
		r, err := h.Reports.Briefing(ctx, identity.Caller{})
		return outcome{summary: "the briefing of " + h.local().Format(time.DateOnly), report: r}, err
	case schedule.Cleanup:
		return h.cleanup(ctx)
	default:
		return outcome{}, fmt.Errorf("task %s has no work", t.Name)
	}
}

// checks looks for checks that should have run and did not; ask makes those of some
// kinds due. Where the clock stood still until now, they are given time first.
func (h *Tasks) checks(ctx context.Context, steady, ask bool, kinds ...checklist.Kind) (outcome, error) {
	runs, err := h.Store.CheckRuns(ctx)
	if err != nil {
		return outcome{}, err
	}
	ran := make(map[string]time.Time, len(runs))
	for _, r := range runs {
		ran[r.Name] = r.RanAt
	}
	watched := h.Checklist().Checks()
	var asked []checklist.Check
	for _, c := range watched {
		if slices.Contains(kinds, c.Kind) && !c.ByItself() {
			asked = append(asked, c)
		}
	}
	e, overdue := checklist.Missed(watched, ran, h.Now(), h.IDs)
	out := outcome{summary: fmt.Sprintf("%d on the checklist, %d overdue", len(watched), overdue)}
	known, is, err := h.Store.Alert(ctx, e.Episode)
	if err != nil {
		return outcome{}, err
	}
	firing := is && known.Status == incident.Firing
	if firing && e.Status == incident.Resolved || !firing && e.Status == incident.Firing && steady {
		out.events = []incident.Event{e}
	}
	if ask && len(asked) > 0 {
		out.summary += fmt.Sprintf("; asked for now: %d", len(asked))
		err = h.Store.WantChecks(ctx, asked)
	}
	return out, err
}

// The samples that trends are made of, and how long a target is looked at after the
// last of it was heard.
const (
	trendsBack   = 15 * 24 * time.Hour
	targetsKnown = trendsBack
	targetsAtOne = 200
	mostTrends   = 500 // in one answer
)

// trends looks where every series of some targets is going.
func (h *Tasks) trends(ctx context.Context, of func(store.Measured) bool) (outcome, error) {
	var out outcome
	counts := map[outlook.State]int{}
	var after store.Measured
	for {
		list, err := h.Store.MeasuredSince(ctx, h.Now().Add(-targetsKnown), after, targetsAtOne)
		if err != nil {
			return out, err
		}
		for _, m := range list {
			if after = m; !of(m) {
				continue
			}
			v, err := h.outlook(ctx, m)
			if err != nil {
				return out, err
			}
			for _, t := range v.Trends {
				counts[t.State]++
				if len(out.trends) < mostTrends {
					out.trends = append(out.trends, t)
				}
			}
			out.events = append(out.events, v.Events...)
		}
		if len(list) < targetsAtOne {
			break
		}
	}
	slices.SortStableFunc(out.trends, func(a, b outlook.Trend) int { return a.State.Rank() - b.State.Rank() })
	out.summary = fmt.Sprintf("%d rising, %d watched, %d calm, %d with too little data, %d stale",
		counts[outlook.Rising], counts[outlook.Watched], counts[outlook.Calm], counts[outlook.TooLittle], counts[outlook.Stale])
	return out, nil
}

func (h *Tasks) outlook(ctx context.Context, m store.Measured) (outlook.Verdict, error) {
	series, err := h.Store.SeriesOf(ctx, m, h.Now().Add(-trendsBack))
	if err != nil || len(series) == 0 {
		return outlook.Verdict{}, err
	}
	c := outlook.Case{Series: series, On: map[string]incident.Alert{}, Now: h.Now()}
	for _, cause := range outlook.Causes() {
		a, known, err := h.Store.Alert(ctx, outlook.Episode(series[0].Key, cause))
		if err != nil {
			return outlook.Verdict{}, err
		}
		if known && a.Status == incident.Firing {
			c.On[cause] = a
		}
	}
	return outlook.Judge(c, h.IDs)
}

// cleanup forgets what is kept no longer. The record and the incidents stay.
func (h *Tasks) cleanup(ctx context.Context) (outcome, error) {
	var listed []string
	for _, c := range h.Checklist().Checks() {
		listed = append(listed, c.Name)
	}
	f, err := h.Store.Forget(ctx, listed)
	if err == nil {
		err = h.Store.EnsurePartitions(ctx) // which drops those of old samples
	}
	return outcome{summary: fmt.Sprintf("forgot %d runs of tasks, %d windows of services, %d idle checks and %d months of events", f.TaskRuns, f.Windows, f.Checks, f.EventMonths)}, err
}
