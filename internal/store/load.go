package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

// lockIncidents locks incidents by id, those that took over the key of one that
// is resolved, and those that hold or would reopen one of the keys, in the one
// order everybody uses. What it returns was read under the lock; whether an
// incident is still open must be looked at again.
const lockIncidents = `select ` + incidentColumns + ` from incidents where id = any(array(
		select unnest($1::uuid[])
		union select h.id from incidents a join incidents h on h.key = a.key and h.state <> 'resolved'
			where a.id = any($1::uuid[]) and a.state = 'resolved'
		union select id from incidents where key = any($2::text[]) and state <> 'resolved'
		union (select distinct on (key) id from incidents
			where key = any($2::text[]) and state = 'resolved' and resolved_at > $3 and merged_into is null
			order by key, resolved_at desc)
	)) order by id for update`

const readAutomation = `select mode from automation`

// holdAutomation keeps the mode as it is until the transaction ends: who sets
// it waits for claims under way, and every claim after that sees the new one.
const holdAutomation = readAutomation + ` for share`

const readAlertsOf = `select episode, incident_id, status, name, source, subject, fingerprint, starts_at, ends_at, quiet_until
	from alerts where incident_id = any($1::uuid[])`

const readAlerts = `select episode, incident_id, status, name, source, subject, fingerprint, starts_at, ends_at, quiet_until
	from alerts where episode = any($1::bytea[])`

const readIntentsOf = `select ` + intentColumns + ` from intents where incident_id = any($1::uuid[]) order by incident_id, id`

const readResultsOf = `select incident_id, doc from results where incident_id = any($1::uuid[]) and flag = '' order by incident_id, id`

const readLastDecision = `select distinct on (incident_id) incident_id, diagnosis, decision, wants from decisions
	where incident_id = any($1::uuid[]) order by incident_id, id desc`

// readEvidence is bounded by time and by the size of one incident's evidence:
// the newest is kept, and what is cut off never leaves the database. What is
// trusted is measured by itself, so that nothing else can push it out.
const readEvidence = `select incident_id, received_at, subject, kind, evidence from (
		select id, incident_id, received_at, subject, kind, evidence,
			sum(octet_length(evidence::text)) over newest_first as bytes, row_number() over newest_first as pieces
		from events where incident_id = any($1::uuid[]) and evidence is not null and received_at > $2
		window newest_first as (partition by incident_id, kind = 'result' or subject = any($4::text[]) order by id desc)
	) newest where bytes <= $3 and pieces <= $5 order by incident_id, id`

func scanAlert(row pgx.CollectableRow) (incident.Alert, error) {
	var a incident.Alert
	var episode []byte
	var id *[16]byte
	var starts, ends, quiet *time.Time
	err := row.Scan(&episode, &id, &a.Status, &a.Name, &a.Source, &a.Subject, &a.Fingerprint, &starts, &ends, &quiet)
	copy(a.Episode[:], episode)
	if id != nil {
		a.IncidentID = *id
	}
	a.StartsAt, a.EndsAt, a.QuietUntil = orZero(starts), orZero(ends), orZero(quiet)
	return a, err
}

// batcher is a connection or transaction that takes many statements in one round trip.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// facts reads, for incidents that are locked already, everything triage may want,
// and what guards read beside any of them.
func (s *Store) facts(ctx context.Context, tx batcher, locked []incident.Incident, mode incident.Automation, now time.Time, evidence bool) (map[incident.ID]*triage.Facts, guards, error) {
	all := make(map[incident.ID]*triage.Facts, len(locked))
	ids := make([]incident.ID, 0, len(locked))
	for _, i := range locked {
		all[i.ID] = &triage.Facts{Incident: i, Automation: mode}
		ids = append(ids, i.ID)
	}
	set := s.policy().Settings()
	var b pgx.Batch
	s.queueGuards(&b, ids, now)
	b.Queue(readAlertsOf, uuids(ids))
	b.Queue(readIntentsOf, uuids(ids))
	b.Queue(readResultsOf, uuids(ids))
	b.Queue(readLastDecision, uuids(ids))
	if evidence {
		b.Queue(readEvidence, uuids(ids), now.Add(-set.Evidence.MaxDuration), set.Evidence.MaxBytes, set.TrustedEvidence, triage.MaxPieces)
	}
	br := tx.SendBatch(ctx, &b)
	g, err := scanGuards(br.QueryRow())
	if err == nil {
		err = collectFacts(br, all, evidence)
	}
	if closeErr := br.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, g, fmt.Errorf("read facts of %d incidents: %w", len(ids), err)
	}
	for _, f := range all {
		f.Guards = g.of(f.Incident.Target.Cluster, f.Incident.Hypothesis)
	}
	return all, g, nil
}

func collectFacts(br pgx.BatchResults, all map[incident.ID]*triage.Facts, evidence bool) error {
	alerts, err := collect(br, scanAlert)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		all[a.IncidentID].Alerts = append(all[a.IncidentID].Alerts, a)
	}
	intents, err := collect(br, scanIntent)
	if err != nil {
		return err
	}
	for _, in := range intents {
		all[in.IncidentID].Intents = append(all[in.IncidentID].Intents, in)
	}
	if err := collectResults(br, all); err != nil {
		return err
	}
	if err := collectDecisions(br, all); err != nil {
		return err
	}
	if !evidence {
		return nil
	}
	return collectEvidence(br, all)
}

func collect[T any](br pgx.BatchResults, scan func(pgx.CollectableRow) (T, error)) ([]T, error) {
	rows, err := br.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func collectResults(br pgx.BatchResults, all map[incident.ID]*triage.Facts) error {
	rows, err := br.Query()
	if err != nil {
		return err
	}
	var id [16]byte
	var doc []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &doc}, func() error {
		var r incident.Result
		if err := json.Unmarshal(doc, &r); err != nil {
			return err
		}
		f := all[id]
		f.Results = append(f.Results, r)
		return nil
	})
	return err
}

func collectDecisions(br pgx.BatchResults, all map[incident.ID]*triage.Facts) error {
	rows, err := br.Query()
	if err != nil {
		return err
	}
	var id [16]byte
	var diagnosis, decision, wants []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &diagnosis, &decision, &wants}, func() error {
		f := all[id]
		err := errors.Join(json.Unmarshal(diagnosis, &f.Diagnosis), json.Unmarshal(decision, &f.Decision))
		if wants != nil {
			err = errors.Join(err, json.Unmarshal(wants, &f.Diagnosis.Wants))
		}
		return err
	})
	return err
}

func collectEvidence(br pgx.BatchResults, all map[incident.ID]*triage.Facts) error {
	rows, err := br.Query()
	if err != nil {
		return err
	}
	var id [16]byte
	var p triage.Piece
	var kind incident.EventKind
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &p.ReceivedAt, &p.Subject, &kind, &raw}, func() error {
		f, piece := all[id], p
		piece.Raw, piece.Leased, piece.ReceivedAt = slices.Clone(raw), kind == incident.ResultEvent, p.ReceivedAt.UTC()
		f.Evidence = append(f.Evidence, piece)
		return nil
	})
	return err
}

// automation is the kill switch as it stands; a database without one is paused,
// because nothing may be changed by omission.
func automation(row pgx.Row) (incident.Automation, error) {
	mode := incident.Paused
	err := row.Scan(&mode)
	if err == pgx.ErrNoRows {
		return incident.Paused, nil
	}
	return mode, err
}
