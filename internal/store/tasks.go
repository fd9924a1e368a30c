package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/checklist"
	"salve/internal/incident"
)

// TaskRun is one run of a scheduled task.
type TaskRun struct {
	Task      string
	Period    time.Time // when the period began that it is for
	StartedAt time.Time
	EndedAt   time.Time // zero: under way
	Succeeded bool
	By        string
	Summary   string // what came of it, or why it failed
}

// A run whose replica is gone is taken over, and one that failed is tried again.
const (
	taskLostAfter  = 5 * time.Minute
	taskRetryAfter = time.Minute
)

const taskColumns = `task, period, started_at, ended_at, coalesce(succeeded, false), run_by, summary`

// beginTask takes a period that nobody has taken. What failed or was lost is taken
// again; what succeeded only when it is asked for.
const beginTask = `insert into task_runs as t (task, period, started_at, run_by, summary) values ($1, $2, $3, $4, '')
	on conflict (task, period) do update set started_at = excluded.started_at, ended_at = null, succeeded = null, run_by = excluded.run_by, summary = ''
	where t.ended_at is null and t.started_at <= $5
		or t.ended_at is not null and (not t.succeeded and (t.ended_at <= $6 or $7) or $8)
	returning ` + taskColumns

// BeginTask takes one period of a task: mine says whether the caller is to run it; else
// the run that there is is given. Where a person asks, what failed runs at once, and
// with again what succeeded, too; that is in the record.
func (s *Store) BeginTask(ctx context.Context, task string, period time.Time, by string, byHand, again bool) (run TaskRun, mine bool, err error) {
	now := s.now()
	name := "begin task " + task
	err = s.inTx(ctx, name, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, beginTask, task, period, now, by, now.Add(-taskLostAfter), now.Add(-taskRetryAfter), byHand, again)
		if err != nil {
			return err
		}
		run, err = pgx.CollectExactlyOneRow(rows, scanTask)
		if mine = err == nil; !mine && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if mine && byHand {
			return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "task.run", Actor: by, Object: task, Reason: "asked for by hand"})
		}
		return nil
	})
	if err != nil || mine {
		return run, mine, err
	}
	rows, err := s.pool.Query(ctx, `select `+taskColumns+` from task_runs where task = $1 and period = $2`, task, period)
	if err != nil {
		return run, false, translate(name, err)
	}
	run, err = pgx.CollectExactlyOneRow(rows, scanTask)
	return run, false, translate(name, err)
}

func scanTask(row pgx.CollectableRow) (r TaskRun, err error) {
	var ended *time.Time
	err = row.Scan(&r.Task, &r.Period, &r.StartedAt, &ended, &r.Succeeded, &r.By, &r.Summary)
	r.Period, r.StartedAt = r.Period.UTC(), r.StartedAt.UTC()
	if ended != nil {
		r.EndedAt = ended.UTC()
	}
	return r, err
}

// EndTask writes down what came of a run, unless another replica has taken it over.
func (s *Store) EndTask(ctx context.Context, run TaskRun, succeeded bool, summary string) (TaskRun, error) {
	run.EndedAt, run.Succeeded, run.Summary = s.now(), succeeded, plain(summary)
	_, err := s.pool.Exec(ctx, `update task_runs set ended_at = $4, succeeded = $5, summary = $6 where task = $1 and period = $2 and started_at = $3 and ended_at is null`,
		run.Task, run.Period, run.StartedAt, run.EndedAt, succeeded, run.Summary)
	return run, translate("end task "+run.Task, err)
}

// LastTaskRuns gives the newest run of each task that ever ran.
func (s *Store) LastTaskRuns(ctx context.Context, tasks []string) (map[string]TaskRun, error) {
	rows, err := s.pool.Query(ctx, `select last.* from unnest($1::text[]) as n (name) cross join lateral (
		select `+taskColumns+` from task_runs where task = n.name order by period desc limit 1) last`, tasks)
	if err != nil {
		return nil, translate("list tasks", err)
	}
	list, err := pgx.CollectRows(rows, scanTask)
	if err != nil {
		return nil, translate("list tasks", err)
	}
	byTask := make(map[string]TaskRun, len(list))
	for _, r := range list {
		byTask[r.Task] = r
	}
	return byTask, nil
}

// Forgotten counts what clean-up removed.
type Forgotten struct{ TaskRuns, Windows, Checks, EventMonths int64 }

// How long is kept what nobody looks at any more.
const (
	keepTaskRuns   = 60 * 24 * time.Hour
	keepIdleChecks = 90 * 24 * time.Hour
	keepEvents     = 400 * 24 * time.Hour // what incidents were told, by the month; they themselves and the record stay
)

// Forget removes runs of tasks, windows of services that nobody measures, checks that
// did not run for a long time and are not on the checklist, and what incidents were
// told more than a year ago.
func (s *Store) Forget(ctx context.Context, listed []string) (f Forgotten, err error) {
	now := s.now()
	for _, one := range []struct {
		n    *int64
		sql  string
		args []any
	}{
		{&f.TaskRuns, `delete from task_runs where period < $1`, []any{now.Add(-keepTaskRuns)}},
		{&f.Windows, `delete from monitoring_windows where ended_at < $1`, []any{now.Add(-keepWindows)}},
		{&f.Checks, `delete from checks where coalesce(ran_at, offered_at) < $1 and not name = any($2::text[])`, []any{now.Add(-keepIdleChecks), listed}},
	} {
		tag, err := s.pool.Exec(ctx, one.sql, one.args...)
		if err != nil {
			return f, translate("forget what is old", err)
		}
		*one.n = tag.RowsAffected()
	}
	err = s.inTx(ctx, "forget old events", func(tx pgx.Tx) (err error) {
		f.EventMonths, err = span{"events", keepEvents, "200601", firstOfMonth, nextMonth}.forget(ctx, tx, now)
		return err
	})
	return f, err
}

// WantChecks makes checks due now, before their time. One that is wanted already and has
// not run since is not asked for again: whoever asks often gets no more runs.
func (s *Store) WantChecks(ctx context.Context, checks []checklist.Check) error {
	for _, c := range checks {
		_, err := s.pool.Exec(ctx, `insert into checks (name, kind, wanted_at) values ($1, $2, $3)
			on conflict (name) do update set kind = excluded.kind, wanted_at = excluded.wanted_at
			where checks.wanted_at is null or checks.wanted_at <= checks.ran_at`, c.Name, string(c.Kind), s.now())
		if err != nil {
			return translate("ask for check "+c.Name, err)
		}
	}
	return nil
}
