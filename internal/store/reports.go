package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

// Recorded is a row of the record with the intent it is about, where it is about one.
type Recorded struct {
	AuditRow
	Incident int64 // its number; 0: none
	Intent   *incident.Intent
}

// Record gives the rows of the record within a time, oldest first, limit at most.
func (s *Store) Record(ctx context.Context, from, to time.Time, limit int) ([]Recorded, error) {
	rows, err := s.pool.Query(ctx, `select a.at, a.operation, a.actor, a.object, a.reason, a.intent_id, coalesce(i.number, 0)
		from audit a left join incidents i on i.id = a.incident_id where a.at >= $1 and a.at < $2 order by a.seq limit $3`, from, to, limit)
	if err != nil {
		return nil, translate("read record", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Recorded, err error) {
		var intent *[16]byte
		err = row.Scan(&r.At, &r.Operation, &r.Actor, &r.Object, &r.Reason, &intent, &r.Incident)
		r.IntentID = (*incident.ID)(intent)
		return r, err
	})
	if err != nil {
		return nil, translate("read record", err)
	}
	var ids []incident.ID
	for _, r := range list {
		if r.IntentID != nil {
			ids = append(ids, *r.IntentID)
		}
	}
	intents, err := s.intentsBy(ctx, `id = any($1)`, uuids(ids))
	byID := make(map[incident.ID]*incident.Intent, len(intents))
	for i := range intents {
		byID[intents[i].ID] = &intents[i]
	}
	for i, r := range list {
		if r.IntentID != nil {
			list[i].Intent = byID[*r.IntentID]
		}
	}
	return list, err
}

func (s *Store) intentsBy(ctx context.Context, where string, args ...any) ([]incident.Intent, error) {
	rows, err := s.pool.Query(ctx, `select `+intentColumns+` from intents where `+where, args...)
	if err != nil {
		return nil, translate("read intents", err)
	}
	list, err := pgx.CollectRows(rows, scanIntent)
	return list, translate("read intents", err)
}

// ChangesIssued are the changes that were issued within a time, newest first.
func (s *Store) ChangesIssued(ctx context.Context, from, to time.Time, limit int) ([]incident.Intent, error) {
	return s.intentsBy(ctx, `effect = 'change' and created_at >= $1 and created_at < $2 order by created_at desc limit $3`, from, to, limit)
}

// IncidentsOf are those that opened, or were resolved, within a time, newest first.
func (s *Store) IncidentsOf(ctx context.Context, from, to time.Time, limit int) ([]incident.Incident, error) {
	rows, err := s.pool.Query(ctx, `select `+incidentColumns+` from incidents
		where opened_at >= $1 and opened_at < $2 or resolved_at >= $1 and resolved_at < $2 order by id desc limit $3`, from, to, limit)
	if err != nil {
		return nil, translate("list incidents of a time", err)
	}
	list, err := pgx.CollectRows(rows, scanIncident)
	return list, translate("list incidents of a time", err)
}

// RepairsBegun are those that began within a time, newest first.
func (s *Store) RepairsBegun(ctx context.Context, from, to time.Time, limit int) ([]incident.Repair, error) {
	return s.repairsBy(ctx, `began_at >= $1 and began_at < $2 order by began_at desc limit $3`, from, to, limit)
}

// RepairsAgainst are the newest repairs of one cause by other incidents.
func (s *Store) RepairsAgainst(ctx context.Context, cause string, but incident.ID, limit int) ([]incident.Repair, error) {
	return s.repairsBy(ctx, `cause = $1 and incident_id <> $2 order by began_at desc limit $3`, cause, [16]byte(but), limit)
}

func (s *Store) repairsBy(ctx context.Context, where string, args ...any) ([]incident.Repair, error) {
	rows, err := s.pool.Query(ctx, `select doc from repairs where `+where, args...)
	if err != nil {
		return nil, translate("read repairs", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r incident.Repair, err error) {
		var doc []byte
		if err := row.Scan(&doc); err != nil {
			return r, err
		}
		return r, json.Unmarshal(doc, &r)
	})
	return list, translate("read repairs", err)
}

// SameCause are the newest incidents with a cause, but for one.
func (s *Store) SameCause(ctx context.Context, cause string, but incident.ID, limit int) ([]incident.Incident, error) {
	rows, err := s.pool.Query(ctx, `select `+incidentColumns+` from incidents where cause = $1 and id <> $2 and merged_into is null order by id desc limit $3`, cause, [16]byte(but), limit)
	if err != nil {
		return nil, translate("list incidents of cause "+cause, err)
	}
	list, err := pgx.CollectRows(rows, scanIncident)
	return list, translate("list incidents of cause "+cause, err)
}

// HumanWords counts what people said within a time.
func (s *Store) HumanWords(ctx context.Context, operations []string, from, to time.Time) (n int, err error) {
	err = s.pool.QueryRow(ctx, `select count(*) from audit where operation = any($1) and actor <> 'salve' and at >= $2 and at < $3`, operations, from, to).Scan(&n)
	return n, translate("count what people said", err)
}
