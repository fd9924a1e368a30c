package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/policy"
)

// demote takes promotions back at once, in the transaction that says that a repair
// failed, or did not help.
const demote = `with demoted as (
		update promotions p set state = 'demoted', at = $4, decided_by = 'salve',
			reason = n.action || ' failed or did not help against ' || n.cause || ' in ' || n.scope
		from (select distinct * from unnest($1::text[], $2::text[], $3::text[]) as u(cause, action, scope)) n
		where p.state = 'promoted' and p.cause = n.cause and p.action = n.action and p.scope = n.scope
		returning p.id, p.reason)
	insert into audit (at, operation, actor, object, reason) select $4, 'promotion.demoted', 'salve', id::text, reason from demoted`

// bad are the repairs of a record that ended badly.
func (w *record) bad() []incident.Repair {
	return slices.DeleteFunc(slices.Clone(w.repairs), func(r incident.Repair) bool { return !r.Outcome.Bad() })
}

func (w *record) badArgs() []any {
	var causes, actions, scopes []string
	for _, r := range w.bad() {
		causes, actions, scopes = append(causes, r.Cause), append(actions, r.Action), append(scopes, plain(r.Scope()))
	}
	return []any{causes, actions, scopes, w.now}
}

// trackRecords counts what helped and what did not, since the last time a human or
// a failure said no, for what nothing is proposed of yet.
const trackRecords = `select r.cause, r.action, r.scope,
		count(*) filter (where r.outcome = 'verified'), count(*) filter (where r.outcome in ('failed','ineffective'))
	from repairs r
	where r.began_at > greatest($1, (select max(at) from promotions p where p.cause = r.cause and p.action = r.action and p.scope = r.scope))
		and not exists (select from promotions p where p.cause = r.cause and p.action = r.action and p.scope = r.scope and p.state in ('proposed','promoted'))
	group by r.cause, r.action, r.scope having count(*) >= $2`

// ProposePromotions asks for a human's yes to what has helped again and again.
func (s *Store) ProposePromotions(ctx context.Context) error {
	p, now := s.policy(), s.now()
	set := p.Settings().Autonomy
	rows, err := s.pool.Query(ctx, trackRecords, now.Add(-set.Within), set.AtLeast)
	if err != nil {
		return translate("count what helped", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[policy.TrackRecord])
	if err != nil {
		return translate("count what helped", err)
	}
	for _, r := range records {
		reason, ok := p.Proposes(r)
		if !ok {
			continue
		}
		if err := s.propose(ctx, r, reason); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) propose(ctx context.Context, r policy.TrackRecord, reason string) error {
	return s.inTx(ctx, "propose a promotion", func(tx pgx.Tx) error {
		id := s.ids()
		tag, err := tx.Exec(ctx, `insert into promotions (id, cause, action, scope, state, helped, failed, reason, at)
			values ($1, $2, $3, $4, 'proposed', $5, $6, $7, $8) on conflict (cause, action, scope) where state in ('proposed','promoted') do nothing`,
			[16]byte(id), r.Cause, r.Action, r.Scope, r.Helped, r.Failed, reason, s.now())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "promotion.proposed", Actor: "salve", Object: id.String(), Reason: reason})
	})
}

const promotionColumns = `id, cause, action, scope, state, helped, failed, reason, at, decided_by`

func scanPromotion(row pgx.CollectableRow) (p incident.Promotion, err error) {
	err = row.Scan((*[16]byte)(&p.ID), &p.Cause, &p.Action, &p.Scope, &p.State, &p.Helped, &p.Failed, &p.Reason, &p.At, &p.DecidedBy)
	p.At = p.At.UTC()
	return p, err
}

// Promotions lists those that wait for a human first, then those in force, then
// the last ones that are not.
func (s *Store) Promotions(ctx context.Context) ([]incident.Promotion, error) {
	rows, err := s.pool.Query(ctx, `select `+promotionColumns+` from promotions
		order by array_position(array['proposed','promoted'], state), at desc limit 200`)
	if err != nil {
		return nil, translate("list promotions", err)
	}
	all, err := pgx.CollectRows(rows, scanPromotion)
	return all, translate("list promotions", err)
}

// DecidePromotion takes a human's word on one that is proposed, or takes one back.
func (s *Store) DecidePromotion(ctx context.Context, named, state, by, reason string) (incident.Promotion, error) {
	var p incident.Promotion
	id, err := incident.ParseID(named)
	if err != nil {
		return p, fault.Missing("promotion", named)
	}
	err = s.inTx(ctx, "decide promotion "+named, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockGuards); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select `+promotionColumns+` from promotions where id = $1 for update`, [16]byte(id))
		if err != nil {
			return err
		}
		p, err = pgx.CollectExactlyOneRow(rows, scanPromotion)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return fault.Missing("promotion", named)
		case err != nil:
			return err
		case p.State != incident.Proposed && !(p.State == incident.Promoted && state == incident.PromotionRejected):
			return fault.Refused("not_awaiting", "the promotion is %s: there is nothing to decide", p.State)
		}
		p.State, p.DecidedBy, p.At = state, by, s.now()
		if reason != "" {
			p.Reason = fmt.Sprintf("%s; %s: %s", p.Reason, by, plain(reason))
		}
		if _, err := tx.Exec(ctx, `update promotions set state = $2, decided_by = $3, at = $4, reason = $5 where id = $1`,
			[16]byte(id), p.State, p.DecidedBy, p.At, p.Reason); err != nil {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "promotion." + state, Actor: by, Object: named, Reason: p.Reason})
	})
	return p, err
}
