package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

// offeredFor is how long the heartbeat leaves out what an executor was offered:
// time enough to claim it.
const offeredFor = 30 * time.Second

// offer takes what is ready and whose turn has come, the oldest first, and marks it.
// What another replica is offering at this moment, or is being claimed, is skipped.
const offer = `with due as (select id as due from intents
	where state = 'ready' and not_before <= $1 and expires_at > $1 and (offered_at is null or offered_at <= $2)
	order by not_before, id limit $3 for update skip locked)
	update intents set offered_at = $1 from due where id = due returning ` + intentColumns

// Offer gives at most limit intents that are ready and were not offered in the last
// 30 s, and marks them as offered. Two callers are never given the same one. What an
// answer offers is marked by the transaction that makes it ready: see record.offers.
func (s *Store) Offer(ctx context.Context, limit int) ([]incident.Intent, error) {
	now := s.now()
	rows, err := s.pool.Query(ctx, offer, now, now.Add(-offeredFor), limit)
	if err != nil {
		return nil, translate("offer intents", err)
	}
	list, err := pgx.CollectRows(rows, scanIntent)
	slices.SortFunc(list, func(a, b incident.Intent) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return list, translate("offer intents", err)
}
