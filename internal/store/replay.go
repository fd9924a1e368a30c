package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/backtest"
	"salve/internal/incident"
)

const readStored = `select e.id, e.received_at, e.kind, e.source, e.subject, e.incident_id, c.number, coalesce(c.target->>'cluster', ''),
	e.payload, e.evidence, coalesce(i.action, ''), i.doc->'target', coalesce(r.status, '')
	from events e join incidents c on c.id = e.incident_id
	left join intents i on i.id = e.intent_id
	left join results r on r.intent_id = e.intent_id and r.flag = ''
	where e.received_at >= $1 and e.outcome = 'accepted' order by e.id`

// Stored reads the events since a time, in the order in which they came. They are
// read as they are asked for: a month of them need not fit into memory.
func (s *Store) Stored(ctx context.Context, since time.Time) iter.Seq2[backtest.Stored, error] {
	return func(yield func(backtest.Stored, error) bool) {
		rows, err := s.pool.Query(ctx, readStored, since)
		if err != nil {
			yield(backtest.Stored{}, translate("read stored events", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanStored(rows)
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(backtest.Stored{}, translate("read stored events", err))
		}
	}
}

func scanStored(row pgx.CollectableRow) (backtest.Stored, error) {
	var e backtest.Stored
	var number int64
	var target []byte
	err := row.Scan((*[16]byte)(&e.ID), &e.ReceivedAt, &e.Kind, &e.Source, &e.Subject, (*[16]byte)(&e.Incident), &number, &e.Cluster,
		&e.Payload, &e.Evidence, &e.Action, &target, &e.Status)
	if err != nil {
		return e, fmt.Errorf("read stored event: %w", err)
	}
	e.ReceivedAt, e.Name = e.ReceivedAt.UTC(), incident.IncidentNumber(number)
	if target != nil {
		err = json.Unmarshal(target, &e.Target)
	}
	return e, err
}

// FreezesSince lists the freezes that were on at some time since then. One that
// was taken back ends then.
func (s *Store) FreezesSince(ctx context.Context, since time.Time) ([]incident.Freeze, error) {
	rows, err := s.pool.Query(ctx, `select doc, ended_at from freezes where ended_at is null or ended_at > $1 order by id`, since)
	if err != nil {
		return nil, translate("read freezes", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f incident.Freeze, err error) {
		var doc []byte
		var ended *time.Time
		if err := row.Scan(&doc, &ended); err != nil {
			return f, err
		}
		if err := json.Unmarshal(doc, &f); err != nil {
			return f, err
		}
		if f.RRule == "" && ended != nil && ended.Before(f.EndsAt) {
			f.EndsAt = ended.UTC()
		}
		return f, nil
	})
	return all, translate("read freezes", err)
}
