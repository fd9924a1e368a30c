package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/checklist"
	"salve/internal/incident"
)

// CheckRun is what is kept of one check.
type CheckRun struct {
	Name, Kind string
	OfferedAt  time.Time // zero: never handed out
	RanAt      time.Time // zero: no result yet
	checklist.State
}

// offeredCheckFor is how long a check that was handed out is waited for before
// another executor is asked.
const offeredCheckFor = 2 * time.Minute

// dueChecks are the checks of which nobody was asked, and nothing was heard, since
// they became due, or were wanted. Nothing is locked: most looks find none.
const dueChecks = `select name from unnest($1::text[], $2::timestamptz[]) as due (name, slot) left join checks using (name)
	where (ran_at is null or ran_at < greatest(slot, wanted_at)) and (offered_at is null or offered_at < greatest(slot, wanted_at) or offered_at <= $3)
	order by slot, name limit $4`

// offerCheck asks once: who comes second finds the condition gone.
const offerCheck = `insert into checks (name, kind, offered_at) values ($1, $2, $3)
	on conflict (name) do update set kind = excluded.kind, offered_at = excluded.offered_at
	where (checks.ran_at is null or checks.ran_at < greatest($4, checks.wanted_at))
		and (checks.offered_at is null or checks.offered_at < greatest($4, checks.wanted_at) or checks.offered_at <= $5)`

// OfferChecks gives those of the checks that are due and marks them as handed out:
// two callers are never given the same one, and one of which nothing is heard is given
// again after 2 min. At most limit, those that are due longest first.
func (s *Store) OfferChecks(ctx context.Context, checks []checklist.Check, limit int) ([]checklist.Check, error) {
	if len(checks) == 0 {
		return nil, nil
	}
	now := s.now()
	names, slots, byName := make([]string, len(checks)), make([]time.Time, len(checks)), make(map[string]checklist.Check, len(checks))
	for i, c := range checks {
		names[i], slots[i], byName[c.Name] = c.Name, c.Slot(now), c
	}
	stale := now.Add(-offeredCheckFor)
	rows, err := s.pool.Query(ctx, dueChecks, names, slots, stale, limit)
	if err != nil {
		return nil, translate("read due checks", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, translate("read due checks", err)
	}
	var offered []checklist.Check
	for _, name := range due {
		c := byName[name]
		tag, err := s.pool.Exec(ctx, offerCheck, c.Name, string(c.Kind), now, c.Slot(now), stale)
		if err != nil {
			return offered, translate("offer check "+c.Name, err)
		}
		if tag.RowsAffected() == 1 {
			offered = append(offered, c)
		}
	}
	return offered, nil
}

const checkColumns = `name, kind, offered_at, ran_at, doc`

func scanCheck(row pgx.CollectableRow) (CheckRun, error) {
	c := CheckRun{State: checklist.State{Status: checklist.Never}}
	var offered, ran *time.Time
	var doc []byte
	if err := row.Scan(&c.Name, &c.Kind, &offered, &ran, &doc); err != nil {
		return c, err
	}
	if offered != nil {
		c.OfferedAt = offered.UTC()
	}
	if ran == nil {
		return c, nil
	}
	c.RanAt = ran.UTC()
	return c, json.Unmarshal(doc, &c.State)
}

// CheckRuns gives what is kept of checks, by name: first those of the checklist, which
// nobody's can crowd out.
func (s *Store) CheckRuns(ctx context.Context) ([]CheckRun, error) {
	rows, err := s.pool.Query(ctx, `select `+checkColumns+` from checks order by name like '%@%', name limit 5000`)
	if err != nil {
		return nil, translate("list checks", err)
	}
	list, err := pgx.CollectRows(rows, scanCheck)
	return list, translate("list checks", err)
}

// CheckRun gives what is kept of one check; of one that is not known, that it never ran.
func (s *Store) CheckRun(ctx context.Context, name string) (CheckRun, error) {
	rows, err := s.pool.Query(ctx, `select `+checkColumns+` from checks where name = $1`, plain(name))
	if err != nil {
		return CheckRun{}, translate("read check "+name, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanCheck)
	if errors.Is(err, pgx.ErrNoRows) {
		return CheckRun{Name: name, State: checklist.State{Status: checklist.Never}}, nil
	}
	return c, translate("read check "+name, err)
}

// keepCheck keeps the newest of two results that were judged at once.
const keepCheck = `insert into checks (name, kind, ran_at, doc) values ($1, $2, $3, $4)
	on conflict (name) do update set kind = excluded.kind, ran_at = excluded.ran_at, doc = excluded.doc
	where checks.doc is null or (checks.doc->>'observed')::timestamptz <= $5`

// KeepCheck keeps how a check stands after a run, under its Key.
func (s *Store) KeepCheck(ctx context.Context, key string, kind checklist.Kind, st checklist.State) error {
	_, err := s.pool.Exec(ctx, keepCheck, plain(key), string(kind), s.now(), jsonText(st), st.Observed)
	return translate("keep check "+key, err)
}

// NoteHeartbeat notes that n8n's heartbeat was heard now.
func (s *Store) NoteHeartbeat(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, noteSource, checklist.HeartbeatSource, s.now())
	return translate("note the heartbeat", err)
}

// HeartbeatHeard is when n8n's heartbeat was last heard; zero: never.
func (s *Store) HeartbeatHeard(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := s.pool.QueryRow(ctx, `select seen_at from sources where name = $1`, checklist.HeartbeatSource).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	return at.UTC(), translate("read the heartbeat", err)
}

// WatchHeartbeat gives the alert that n8n's heartbeat is silent, or over, where that is
// news; nothing otherwise.
func (s *Store) WatchHeartbeat(ctx context.Context) ([]incident.Event, error) {
	heard, err := s.HeartbeatHeard(ctx)
	if err != nil || heard.IsZero() {
		return nil, err
	}
	e := checklist.Heartbeat(heard, s.now(), s.policy().Settings().Monitoring.Heartbeat, s.ids)
	known, is, err := s.Alert(ctx, e.Episode)
	if err != nil || (is && known.Status == incident.Firing) == (e.Status == incident.Firing) {
		return nil, err
	}
	return []incident.Event{e}, nil
}
