package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

// Peek reads what is known of the incident that holds a key, and how guards
// stand, without a lock: for whoever only wants to know what would follow. Where
// nothing is open under the key, it is a new incident under the given id.
func (s *Store) Peek(ctx context.Context, key string, id incident.ID) (triage.Facts, error) {
	var f triage.Facts
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select `+incidentColumns+` from incidents where key = $1 and state <> 'resolved'`, key)
		if err != nil {
			return err
		}
		open, err := pgx.CollectRows(rows, scanIncident)
		if err != nil {
			return err
		}
		mode, err := automation(tx.QueryRow(ctx, readAutomation))
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		facts, g, err := s.facts(ctx, tx, open, mode, s.now(), true)
		if err != nil {
			return err
		}
		f = triage.Facts{New: true, Incident: incident.Incident{ID: id, Key: key}, Automation: mode, Guards: g.state}
		for _, known := range facts {
			f = *known
		}
		return nil
	})
	if err != nil {
		return f, translate(fmt.Sprintf("read what is known under %.200s", key), err)
	}
	return f, nil
}
