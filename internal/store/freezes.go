package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/policy"
)

// Freezes lists the freezes that are on or will be, oldest first. Those that are
// over are put away on the way.
func (s *Store) Freezes(ctx context.Context) ([]incident.Freeze, error) {
	rows, err := s.pool.Query(ctx, `select doc from freezes where ended_at is null order by id`)
	if err != nil {
		return nil, translate("list freezes", err)
	}
	all, err := pgx.CollectRows(rows, scanFreeze)
	if err != nil {
		return nil, translate("list freezes", err)
	}
	now := s.now()
	return slices.DeleteFunc(all, func(f incident.Freeze) bool { return policy.Over(f, now) }), nil
}

func scanFreeze(row pgx.CollectableRow) (f incident.Freeze, err error) {
	var doc []byte
	if err := row.Scan(&doc); err != nil {
		return f, err
	}
	return f, json.Unmarshal(doc, &f)
}

// AddFreeze keeps a freeze; every claim after this returns sees it.
func (s *Store) AddFreeze(ctx context.Context, f incident.Freeze) (incident.Freeze, error) {
	f.ID, f.At, f.Reason = s.ids(), s.now(), plain(f.Reason)
	f.StartsAt, f.EndsAt = f.StartsAt.UTC().Truncate(time.Microsecond), f.EndsAt.UTC().Truncate(time.Microsecond)
	err := s.inTx(ctx, "add freeze", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockGuards); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into freezes (id, doc) values ($1, $2)`, [16]byte(f.ID), jsonText(f)); err != nil {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{
			Operation: "freeze.added", Actor: f.By, Object: f.ID.String(), Reason: f.Reason, Detail: json.RawMessage(jsonText(f)),
		})
	})
	return f, err
}

// EndFreeze takes a freeze back.
func (s *Store) EndFreeze(ctx context.Context, named, by string) (incident.Freeze, error) {
	var f incident.Freeze
	id, err := incident.ParseID(named)
	if err != nil {
		return f, fault.Missing("freeze", named)
	}
	err = s.inTx(ctx, "end freeze "+named, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `update freezes set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null returning doc`,
			[16]byte(id), s.now(), by)
		if err != nil {
			return err
		}
		f, err = pgx.CollectExactlyOneRow(rows, scanFreeze)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.Missing("freeze", named)
		}
		if err != nil {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "freeze.ended", Actor: by, Object: named, Reason: f.Reason})
	})
	return f, err
}

// PutAwayFreezes ends the freezes that will never stop anything again.
func (s *Store) PutAwayFreezes(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `select doc from freezes where ended_at is null`)
	if err != nil {
		return translate("put freezes away", err)
	}
	all, err := pgx.CollectRows(rows, scanFreeze)
	if err != nil {
		return translate("put freezes away", err)
	}
	var over [][16]byte
	for _, f := range all {
		if policy.Over(f, s.now()) {
			over = append(over, f.ID)
		}
	}
	if len(over) == 0 {
		return nil
	}
	_, err = s.pool.Exec(ctx, `update freezes set ended_at = $2, ended_by = 'salve' where id = any($1::uuid[]) and ended_at is null`, over, s.now())
	return translate("put freezes away", err)
}

const breakerColumns = `id, scope, reason, opened_at, reset_at, reset_by, note`

func scanBreaker(row pgx.CollectableRow) (b incident.Breaker, err error) {
	var reset *time.Time
	err = row.Scan((*[16]byte)(&b.ID), &b.Scope, &b.Reason, &b.OpenedAt, &reset, &b.ResetBy, &b.Note)
	b.OpenedAt, b.ResetAt = b.OpenedAt.UTC(), orZero(reset)
	return b, err
}

// Breakers lists those that are open, then the last ones that were reset.
func (s *Store) Breakers(ctx context.Context) ([]incident.Breaker, error) {
	rows, err := s.pool.Query(ctx, `select `+breakerColumns+` from breakers order by reset_at desc nulls first, opened_at desc limit 200`)
	if err != nil {
		return nil, translate("list breakers", err)
	}
	all, err := pgx.CollectRows(rows, scanBreaker)
	return all, translate("list breakers", err)
}

// ResetBreaker lets repairs go on; what failed before counts no more. A breaker
// that was reset already is given as it is.
func (s *Store) ResetBreaker(ctx context.Context, named, by, note string) (incident.Breaker, error) {
	var b incident.Breaker
	id, err := incident.ParseID(named)
	if err != nil {
		return b, fault.Missing("breaker", named)
	}
	err = s.inTx(ctx, "reset breaker "+named, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockGuards); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update breakers set reset_at = $2, reset_by = $3, note = $4 where id = $1 and reset_at is null`,
			[16]byte(id), s.now(), by, plain(note))
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select `+breakerColumns+` from breakers where id = $1`, [16]byte(id))
		if err != nil {
			return err
		}
		if b, err = pgx.CollectExactlyOneRow(rows, scanBreaker); errors.Is(err, pgx.ErrNoRows) {
			return fault.Missing("breaker", named)
		}
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "breaker.reset", Actor: by, Object: b.Scope, Reason: note})
	})
	return b, err
}

// Standing counts what stops changes right now, for those who watch.
type Standing struct {
	Freezes, Breakers int
	Storm             bool
}

// Standing reads it.
func (s *Store) Standing(ctx context.Context) (st Standing, err error) {
	err = s.pool.QueryRow(ctx, `select (select count(*) from breakers where reset_at is null),
		exists (select from storms where ended_at is null)`).Scan(&st.Breakers, &st.Storm)
	if err != nil {
		return st, translate("count what stops changes", err)
	}
	freezes, err := s.Freezes(ctx)
	for _, f := range freezes {
		if policy.Frozen(f, s.now()) {
			st.Freezes++
		}
	}
	return st, err
}

// heard notes when sources were heard of, those only that policy watches; it is
// written with the next flush.
func (s *Store) heard(batch []*delivery) {
	watched := s.policy().Settings().Monitoring.Sources
	if len(watched) == 0 {
		return
	}
	s.repeatsMu.Lock()
	defer s.repeatsMu.Unlock()
	for _, d := range batch {
		if _, ok := watched[d.event.Source]; ok && d.receipt.Err == nil && d.event.ReceivedAt.After(s.seen[d.event.Source]) {
			s.seen[d.event.Source] = d.event.ReceivedAt
		}
	}
}

// FlushHeard writes when sources were heard of.
func (s *Store) FlushHeard(ctx context.Context) error {
	s.repeatsMu.Lock()
	seen := s.seen
	s.seen = map[string]time.Time{}
	s.repeatsMu.Unlock()
	for name, at := range seen {
		_, err := s.pool.Exec(ctx, noteSource, plain(name), at)
		if err != nil {
			return fmt.Errorf("note source %s: %w", name, translate("write sources", err))
		}
	}
	return nil
}
