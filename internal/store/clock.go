package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

// dueIncidents are those that time alone may have to move. Any replica may take
// them: who locks first works, the others skip.
const dueIncidents = `select distinct incident_id from (
	(select incident_id from intents
		where state in ('waiting','awaiting_approval','rechecking','holding','blocked','ready','running') and wake_at <= $1
		order by wake_at limit $2)
	union all
	(select id from incidents where verify_by is not null and verify_by < $1 limit $2)
	union all
	(select id from incidents where look_at <= $1 limit $2)) due`

// Tick lets time pass for at most limit incidents: leases end, windows close,
// what nobody took expires, what waits for a moment gets its turn. It says how
// many incidents it looked at.
func (s *Store) Tick(ctx context.Context, limit int) (int, error) {
	rows, err := s.pool.Query(ctx, dueIncidents, s.now(), limit)
	if err != nil {
		return 0, translate("find due incidents", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return 0, translate("find due incidents", err)
	}
	var failed []error // one incident's trouble must not stop the clock of the others
	for _, id := range due {
		failed = append(failed, s.tickOne(ctx, id))
	}
	return len(due), errors.Join(failed...)
}

func (s *Store) tickOne(ctx context.Context, id incident.ID) error {
	_, err := s.withIncident(ctx, "let time pass for incident "+id.String(), id, ifFree, func(w *working) error {
		o := triage.Run(s.policy(), *w.facts, nil, w.record.now, s.ids)
		return s.follow(ctx, w, o, nil)
	})
	if errors.Is(err, errBusy) {
		return nil // another replica works on it right now
	}
	return err
}

// countRepeats counts a batch's duplicates, once it is known what became of it;
// the sums are written with the next flush.
func (s *Store) countRepeats(batch []*delivery) {
	s.repeatsMu.Lock()
	defer s.repeatsMu.Unlock()
	for _, d := range batch {
		if r := d.receipt; r.Taken.Outcome == incident.Duplicate && !r.IncidentID.IsZero() {
			s.repeats[r.IncidentID]++
		}
	}
}

// FlushRepeats writes the counted duplicates to their incidents.
func (s *Store) FlushRepeats(ctx context.Context) error {
	s.repeatsMu.Lock()
	counted := s.repeats
	s.repeats = map[incident.ID]int64{}
	s.repeatsMu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	var ids [][16]byte
	var counts []int64
	for id, n := range counted {
		ids, counts = append(ids, id), append(counts, n)
	}
	err := s.inTx(ctx, "count repeats", func(tx pgx.Tx) error {
		// Locked in the one order everybody uses.
		if _, err := tx.Exec(ctx, `select 1 from incidents where id = any($1::uuid[]) order by id for update`, ids); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update incidents i set repeats = repeats + n.count
			from unnest($1::uuid[], $2::bigint[]) as n(id, count) where i.id = n.id`, ids, counts)
		return err
	})
	if err != nil {
		s.repeatsMu.Lock()
		for id, n := range counted {
			s.repeats[id] += n
		}
		s.repeatsMu.Unlock()
	}
	return err
}

// EnsurePartitions makes the partitions of events of this month and the next, and those
// of samples; samples that are too old go. An event outside lands in the default
// partition: none is lost for want of one, and it moves when its partition is made.
func (s *Store) EnsurePartitions(ctx context.Context) error {
	now := s.now()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return s.inTx(ctx, "make partitions", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('salve partitions'))`); err != nil {
			return err
		}
		for i := range 2 {
			if err := makePartition(ctx, tx, month.AddDate(0, i, 0), month.AddDate(0, i+1, 0)); err != nil {
				return err
			}
		}
		return errors.Join(s.ensureSamples(ctx, tx), s.forgetSeries(ctx, tx))
	})
}

func makePartition(ctx context.Context, tx pgx.Tx, from, to time.Time) error {
	name := "events_" + from.Format("200601")
	var there bool
	if err := tx.QueryRow(ctx, `select to_regclass($1) is not null`, name).Scan(&there); err != nil || there {
		return err
	}
	day := time.DateOnly
	for _, sql := range []string{
		`create table ` + name + ` (like events including constraints)`,
		`with moved as (delete from events_default where received_at >= '` + from.Format(day) + `' and received_at < '` + to.Format(day) + `' returning *)
			insert into ` + name + ` select * from moved`,
		`alter table events attach partition ` + name + ` for values from ('` + from.Format(day) + `') to ('` + to.Format(day) + `')`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("partition %s: %w", name, err)
		}
	}
	return nil
}

// ForgetAnswers drops the answers kept for idempotency keys that are older than a day.
func (s *Store) ForgetAnswers(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `delete from idempotency where created_at <= $1`, s.now().Add(-keptFor))
	return translate("forget old answers", err)
}
