package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

// Kept is what is known of a service once an aggregate of it is stored.
type Kept struct {
	New      bool                 // this window was not known
	History  []incident.Aggregate // windows of the last day, the newest last
	Alerts   map[incident.Episode]incident.Alert
	Incident incident.ID    // of the alerts that fire; zero: none is open
	State    incident.State // of that incident
	Intents  []incident.Intent
}

// The windows that are read, and how long they are kept.
const (
	windowsBack = 24 * time.Hour
	maxWindows  = 300
	keepWindows = 8 * 24 * time.Hour
)

const insertWindow = `insert into monitoring_windows (cluster, service, subject, ended_at, doc) values ($1, $2, $3, $4, $5)
	on conflict do nothing`

const readWindows = `select doc from (
		select doc, ended_at from monitoring_windows where cluster = $1 and service = $2 and subject = $3 and ended_at > $4
		order by ended_at desc limit $5) newest order by ended_at`

const dropWindows = `delete from monitoring_windows where cluster = $1 and service = $2 and subject = $3 and ended_at < $4`

const openIncident = `select id, state from incidents where id = any($1::uuid[]) and state <> 'resolved' order by id desc limit 1`

// KeepAggregate stores one window, once, and gives what is known of its service:
// the windows before, and those alerts that episodes says they could have brought.
// It notes heard, when sources were heard of, as far as policy watches them. All of
// it is durable when this returns.
func (s *Store) KeepAggregate(ctx context.Context, a incident.Aggregate, heard map[string]time.Time, episodes func([]incident.Aggregate) []incident.Episode) (Kept, error) {
	var k Kept
	err := s.inTx(ctx, "keep aggregate of "+a.Service, func(tx pgx.Tx) (err error) {
		if err := s.keepHeard(ctx, tx, heard); err != nil {
			return err
		}
		cluster, service, subject := plain(a.Target.Cluster), plain(a.Service), plain(a.Subject)
		tag, err := tx.Exec(ctx, insertWindow, cluster, service, subject, a.Window.End, jsonText(a))
		if err != nil {
			return err
		}
		k.New = tag.RowsAffected() == 1
		if _, err := tx.Exec(ctx, dropWindows, cluster, service, subject, s.now().Add(-keepWindows)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, readWindows, cluster, service, subject, s.now().Add(-windowsBack), maxWindows)
		if err != nil {
			return err
		}
		if k.History, err = pgx.CollectRows(rows, scanWindow); err != nil {
			return err
		}
		if len(k.History) == 0 {
			k.History = []incident.Aggregate{a} // it is older than what is looked back at
		}
		return k.readAlerts(ctx, tx, episodes(k.History))
	})
	return k, err
}

func scanWindow(row pgx.CollectableRow) (a incident.Aggregate, err error) {
	var doc []byte
	if err := row.Scan(&doc); err != nil {
		return a, err
	}
	return a, json.Unmarshal(doc, &a)
}

// readAlerts reads the alerts with these episodes, and the open incident of those that fire.
func (k *Kept) readAlerts(ctx context.Context, tx pgx.Tx, episodes []incident.Episode) error {
	keys := make([][]byte, 0, len(episodes))
	for _, e := range episodes {
		keys = append(keys, e[:])
	}
	rows, err := tx.Query(ctx, readAlerts, keys)
	if err != nil {
		return err
	}
	alerts, err := pgx.CollectRows(rows, scanAlert)
	if err != nil {
		return err
	}
	k.Alerts = make(map[incident.Episode]incident.Alert, len(alerts))
	var ids []incident.ID
	for _, a := range alerts {
		k.Alerts[a.Episode] = a
		if a.Status == incident.Firing && !slices.Contains(ids, a.IncidentID) {
			ids = append(ids, a.IncidentID)
		}
	}
	err = tx.QueryRow(ctx, openIncident, uuids(ids)).Scan((*[16]byte)(&k.Incident), &k.State)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the open incident: %w", err)
	}
	rows, err = tx.Query(ctx, readLiveIntents, uuids([]incident.ID{k.Incident}), liveStates())
	if err != nil {
		return err
	}
	k.Intents, err = pgx.CollectRows(rows, scanShownIntent)
	return err
}

const readLiveIntents = `select id, number, incident_id, action, effect, mode, state, not_before, doc from intents
	where incident_id = any($1::uuid[]) and state = any($2::text[]) order by incident_id, id`

const noteSource = `insert into sources (name, seen_at) values ($1, $2)
	on conflict (name) do update set seen_at = greatest(sources.seen_at, excluded.seen_at)`

// keepHeard notes at once when sources were heard of: the same request may be
// decided by it.
func (s *Store) keepHeard(ctx context.Context, tx pgx.Tx, heard map[string]time.Time) error {
	watched := s.policy().Settings().Monitoring.Sources
	names := make([]string, 0, len(heard))
	for name := range heard {
		if _, ok := watched[name]; ok {
			names = append(names, name)
		}
	}
	slices.Sort(names) // who writes several locks them in one order
	for _, name := range names {
		if _, err := tx.Exec(ctx, noteSource, plain(name), heard[name]); err != nil {
			return err
		}
	}
	return nil
}
