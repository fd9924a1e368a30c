package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

// Alert gives what is known of one episode, and whether anything is.
func (s *Store) Alert(ctx context.Context, e incident.Episode) (a incident.Alert, known bool, err error) {
	rows, err := s.pool.Query(ctx, readAlerts, [][]byte{e[:]})
	if err != nil {
		return a, false, translate("read alert", err)
	}
	a, err = pgx.CollectExactlyOneRow(rows, scanAlert)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, translate("read alert", err)
}
