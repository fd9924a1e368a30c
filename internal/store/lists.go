package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
)

// List asks for one page, newest first.
type List struct {
	States []string    // empty: all
	After  incident.ID // the last id of the page before; zero: from the newest
	Limit  int
}

// Incidents gives a page of incidents.
func (s *Store) Incidents(ctx context.Context, l List) ([]incident.Incident, error) {
	rows, err := s.pool.Query(ctx, `select `+incidentColumns+` from incidents
		where (cardinality($1::text[]) = 0 or state = any($1)) and ($2::uuid is null or id < $2) order by id desc limit $3`,
		nonNil(l.States), idOrNull(l.After), l.Limit)
	if err != nil {
		return nil, translate("list incidents", err)
	}
	list, err := pgx.CollectRows(rows, scanIncident)
	return list, translate("list incidents", err)
}

// Intents gives a page of intents.
func (s *Store) Intents(ctx context.Context, l List) ([]incident.Intent, error) {
	rows, err := s.pool.Query(ctx, `select `+intentColumns+` from intents
		where (cardinality($1::text[]) = 0 or state = any($1)) and ($2::uuid is null or id < $2) order by id desc limit $3`,
		nonNil(l.States), idOrNull(l.After), l.Limit)
	if err != nil {
		return nil, translate("list intents", err)
	}
	list, err := pgx.CollectRows(rows, scanIntent)
	return list, translate("list intents", err)
}

// Intent gives one intent by id or short id.
func (s *Store) Intent(ctx context.Context, named string) (incident.Intent, error) {
	n, err := parseName(named, "INT-")
	if err != nil {
		return incident.Intent{}, err
	}
	rows, err := s.pool.Query(ctx, `select `+intentColumns+` from intents where id = $1 or number = $2`, n.id, n.number)
	if err != nil {
		return incident.Intent{}, translate("read intent "+named, err)
	}
	in, err := pgx.CollectExactlyOneRow(rows, scanIntent)
	if errors.Is(err, pgx.ErrNoRows) {
		return in, fault.Missing("intent", named)
	}
	return in, translate("read intent "+named, err)
}

// Story is one incident with all that happened, each list in order.
type Story struct {
	Incident incident.Incident
	Alerts   []incident.Alert
	Events   []StoredEvent
	Judged   []Judged
	Intents  []incident.Intent
	Results  []incident.Result
	Audit    []AuditRow
}

// StoredEvent is an event as it was kept.
type StoredEvent struct {
	ID                incident.ID
	Kind              incident.EventKind
	Source, Subject   string
	ReceivedAt        time.Time
	Outcome           incident.Outcome
	Payload, Evidence json.RawMessage
}

// Judged is one diagnosis with its decision.
type Judged struct {
	ID        incident.ID
	At        time.Time
	Diagnosis incident.Diagnosis
	Decision  incident.Decision
}

// Decisions gives a page of what was decided about one incident, newest first,
// each with its record.
func (s *Store) Decisions(ctx context.Context, named string, l List) ([]Judged, error) {
	n, err := parseName(named, "INC-")
	if err != nil {
		return nil, err
	}
	var id [16]byte
	err = s.pool.QueryRow(ctx, `select id from incidents where id = $1 or number = $2`, n.id, n.number).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.Missing("incident", named)
	}
	if err != nil {
		return nil, translate("find incident "+named, err)
	}
	rows, err := s.pool.Query(ctx, `select id, at, diagnosis, decision, coalesce(record, '{}') from decisions
		where incident_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`, id, idOrNull(l.After), l.Limit)
	if err != nil {
		return nil, translate("list decisions of "+named, err)
	}
	list, err := pgx.CollectRows(rows, scanDecision)
	return list, translate("list decisions of "+named, err)
}

func scanDecision(row pgx.CollectableRow) (Judged, error) {
	var j Judged
	var diagnosis, decision, record []byte
	if err := row.Scan((*[16]byte)(&j.ID), &j.At, &diagnosis, &decision, &record); err != nil {
		return j, err
	}
	j.At = j.At.UTC()
	return j, errors.Join(json.Unmarshal(diagnosis, &j.Diagnosis), json.Unmarshal(decision, &j.Decision), json.Unmarshal(record, &j.Decision.Record))
}

// AuditRow is one line of the record.
type AuditRow struct {
	At                               time.Time
	Operation, Actor, Object, Reason string
	IntentID                         *incident.ID
}

// Story reads one incident whole, in one snapshot.
func (s *Store) Story(ctx context.Context, named string) (Story, error) {
	var st Story
	n, err := parseName(named, "INC-")
	if err != nil {
		return st, err
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select `+incidentColumns+` from incidents where id = $1 or number = $2`, n.id, n.number)
		if err != nil {
			return err
		}
		if st.Incident, err = pgx.CollectExactlyOneRow(rows, scanIncident); err != nil {
			return err
		}
		return st.read(ctx, tx)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return st, fault.Missing("incident", named)
	}
	return st, translate("read incident "+named, err)
}

func (st *Story) read(ctx context.Context, tx pgx.Tx) error {
	ids := uuids([]incident.ID{st.Incident.ID})
	var b pgx.Batch
	b.Queue(readAlertsOf, ids)
	b.Queue(`select id, kind, source, subject, received_at, outcome, payload, evidence from events where incident_id = any($1::uuid[]) order by id`, ids)
	b.Queue(`select id, at, diagnosis, decision from decisions where incident_id = any($1::uuid[]) order by id`, ids)
	b.Queue(readIntentsOf, ids)
	b.Queue(`select doc from results where incident_id = any($1::uuid[]) order by id`, ids)
	b.Queue(`select at, operation, actor, object, reason, intent_id from audit where incident_id = any($1::uuid[]) order by seq`, ids)
	br := tx.SendBatch(ctx, &b)
	defer br.Close()
	var err error
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	st.Alerts, err = collect(br, scanAlert)
	var e error
	st.Events, e = collect(br, scanEvent)
	keep(e)
	st.Judged, e = collect(br, scanJudged)
	keep(e)
	st.Intents, e = collect(br, scanIntent)
	keep(e)
	st.Results, e = collect(br, scanJSON[incident.Result])
	keep(e)
	st.Audit, e = collect(br, scanAudit)
	keep(e)
	return err
}

func scanEvent(row pgx.CollectableRow) (StoredEvent, error) {
	var e StoredEvent
	err := row.Scan((*[16]byte)(&e.ID), &e.Kind, &e.Source, &e.Subject, &e.ReceivedAt, &e.Outcome, (*[]byte)(&e.Payload), (*[]byte)(&e.Evidence))
	e.ReceivedAt = e.ReceivedAt.UTC()
	return e, err
}

func scanJudged(row pgx.CollectableRow) (Judged, error) {
	var j Judged
	var diagnosis, decision []byte
	if err := row.Scan((*[16]byte)(&j.ID), &j.At, &diagnosis, &decision); err != nil {
		return j, err
	}
	j.At = j.At.UTC()
	return j, errors.Join(json.Unmarshal(diagnosis, &j.Diagnosis), json.Unmarshal(decision, &j.Decision))
}

func scanJSON[T any](row pgx.CollectableRow) (T, error) {
	var v T
	var doc []byte
	if err := row.Scan(&doc); err != nil {
		return v, err
	}
	return v, json.Unmarshal(doc, &v)
}

func scanAudit(row pgx.CollectableRow) (AuditRow, error) {
	var a AuditRow
	var intent *[16]byte
	err := row.Scan(&a.At, &a.Operation, &a.Actor, &a.Object, &a.Reason, &intent)
	a.At, a.IntentID = a.At.UTC(), (*incident.ID)(intent)
	return a, err
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Active counts open incidents by severity.
func (s *Store) Active(ctx context.Context) (map[incident.Severity]int64, error) {
	rows, err := s.pool.Query(ctx, `select severity, count(*) from incidents where state <> 'resolved' group by severity`)
	if err != nil {
		return nil, translate("count open incidents", err)
	}
	counts := map[incident.Severity]int64{}
	var severity incident.Severity
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&severity, &n}, func() error {
		counts[severity] = n
		return nil
	})
	return counts, translate("count open incidents", err)
}
