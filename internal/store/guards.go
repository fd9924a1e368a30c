package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/triage"
)

// lockGuards makes claims of changes one after the other: what one spends, the
// next one sees. Who adds a freeze takes it too, so that every claim after that
// sees the freeze. It is taken after the incidents' own locks.
const lockGuards = `select pg_advisory_xact_lock(hashtext('salve guards'))`

// readGuards is all that guards read beside an incident, in one row: what was
// begun since $2, the last of its kind since $3, and what is not judged yet;
// breakers that are open or were reset since $4; incidents opened since $5, up
// to $6 of them.
const readGuards = `select
	(select json_agg(doc) from freezes where ended_at is null),
	(select json_agg(doc) from (
		select doc from repairs where began_at > $2
		union all select doc from (select distinct on (target, action, cause) doc, began_at from repairs
			where began_at > $3 order by target, action, cause, began_at desc) last where began_at <= $2
		union all select doc from repairs where incident_id = any($1::uuid[]) and outcome = '' and began_at <= $3) known),
	(select json_agg(json_build_object('id', id, 'scope', scope, 'reason', reason, 'opened_at', opened_at,
		'reset_at', coalesce(reset_at, '0001-01-01Z'))) from breakers where reset_at is null or reset_at > $4),
	(select json_build_object('id', id, 'began_at', began_at, 'last_at', last_at,
		'collects', (select json_object_agg(cluster || '/' || hypothesis, n) from storm_collects where storm_id = id))
		from storms where ended_at is null),
	(select json_object_agg(name, seen_at) from sources),
	(select json_agg(json_build_object('cause', cause, 'action', action, 'scope', scope, 'decided_by', decided_by)) from promotions where state = 'promoted'),
	(select count(*) from (select from incidents where opened_at > $5 limit $6) recent)`

// guards is what guards read, before it is made one incident's own.
type guards struct {
	state    policy.GuardState
	collects map[string]int // of the storm, by cluster and hypothesis
	recent   int            // incidents opened not long ago
}

// queueGuards asks for the state of the guards, as part of a batch.
func (s *Store) queueGuards(b *pgx.Batch, ids []incident.ID, now time.Time) {
	set := s.policy().Settings()
	since := now.Add(-set.LookBack())
	b.Queue(readGuards, uuids(ids), since, earliest(since, now.Add(-set.Recurrence)), now.Add(-set.Breaker.Within),
		now.Add(-set.Storm.Within), set.Storm.Incidents)
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func scanGuards(row pgx.Row) (g guards, err error) {
	var freezes, repairs, breakers, storm, seen, promoted []byte
	if err := row.Scan(&freezes, &repairs, &breakers, &storm, &seen, &promoted, &g.recent); err != nil {
		return g, err
	}
	var on struct {
		ID       incident.ID
		BeganAt  time.Time `json:"began_at"`
		LastAt   time.Time `json:"last_at"`
		Collects map[string]int
	}
	for _, part := range []struct {
		raw  []byte
		into any
	}{{freezes, &g.state.Freezes}, {repairs, &g.state.Repairs}, {breakers, &g.state.Breakers}, {storm, &on}, {seen, &g.state.Seen}, {promoted, &g.state.Promoted}} {
		if part.raw == nil {
			continue
		}
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return g, fmt.Errorf("read guards: %w", err)
		}
	}
	g.state.Storm = incident.Storm{ID: on.ID, BeganAt: on.BeganAt, LastAt: on.LastAt}
	g.collects = on.Collects
	return g, nil
}

// of is the state as one incident's guards see it.
func (g *guards) of(cluster, hypothesis string) policy.GuardState {
	state := g.state
	state.Storm.Collects = g.collects[cluster+"/"+hypothesis]
	return state
}

const upsertRepairs = `insert into repairs (id, incident_id, began_at, action, cause, target, outcome, doc, scope)
	select id, incident_id, began_at, action, cause, target, outcome, doc::json, scope
	from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
	as n(id, incident_id, began_at, action, cause, target, outcome, doc, scope)
	on conflict (id) do update set incident_id = excluded.incident_id, outcome = excluded.outcome, doc = excluded.doc`

const moveRepairs = `update repairs set incident_id = $1, doc = jsonb_set(doc::jsonb, '{incident_id}', to_jsonb($3::text))::json where incident_id = $2`

func (w *record) repairArgs() []any {
	var ids, incidents [][16]byte
	var began []time.Time
	var actions, causes, targets, outcomes, docs, scopes []string
	for _, r := range w.repairs {
		ids, incidents, began = append(ids, r.ID), append(incidents, r.IncidentID), append(began, r.BeganAt)
		actions, causes, targets = append(actions, r.Action), append(causes, r.Cause), append(targets, plain(r.Target))
		scopes = append(scopes, plain(r.Scope()))
		outcomes, docs = append(outcomes, string(r.Outcome)), append(docs, jsonText(r))
	}
	return []any{ids, incidents, began, actions, causes, targets, outcomes, docs, scopes}
}

// A breaker that another transaction opened meanwhile is open all the same.
const insertBreakers = `insert into breakers (id, scope, reason, opened_at)
	select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as n(id, scope, reason, opened_at)
	on conflict (scope) where reset_at is null do nothing`

func (w *record) breakerArgs() []any {
	var ids [][16]byte
	var scopes, reasons []string
	var opened []time.Time
	for _, b := range w.breakers {
		ids, scopes = append(ids, b.ID), append(scopes, plain(b.Scope))
		reasons, opened = append(reasons, plain(b.Reason)), append(opened, b.OpenedAt)
	}
	return []any{ids, scopes, reasons, opened}
}

const insertStorm = `insert into storms (id, began_at, last_at) values ($1, $2, $2)`

const stormGoesOn = `update storms set last_at = $2 where id = $1 and last_at < $2`

const countCollects = `insert into storm_collects (storm_id, hypothesis, cluster, n)
	select $1::uuid, * from unnest($2::text[], $3::text[], $4::int[]) as n(hypothesis, cluster, n) order by 1, 2
	on conflict (storm_id, hypothesis, cluster) do update set n = storm_collects.n + excluded.n`

// stormNews is what a batch makes of a storm.
type stormNews struct {
	id       incident.ID
	begins   bool
	goesOn   bool // there were too many again
	collects map[[2]string]int
}

func (n *stormNews) collectArgs() []any {
	var hypotheses, clusters []string
	var counts []int32
	for key, count := range n.collects {
		hypotheses, clusters, counts = append(hypotheses, key[0]), append(clusters, key[1]), append(counts, int32(count))
	}
	return []any{[16]byte(n.id), hypotheses, clusters, counts}
}

// watch says whether the incidents that a batch opens make a storm, or keep one up.
func (g *guards) watch(set policy.Settings, opening int, now time.Time, ids incident.IDs) *stormNews {
	stormy := opening > 0 && set.Stormy(g.recent+opening)
	if !stormy && !g.state.Storming() {
		return nil
	}
	news := &stormNews{id: g.state.Storm.ID, goesOn: stormy, collects: map[[2]string]int{}}
	if !g.state.Storming() {
		news.id, news.begins = ids(), true
		g.state.Storm = incident.Storm{ID: news.id, BeganAt: now, LastAt: now}
	}
	return news
}

// count adds the looks that one incident of a batch asked for, for the next one.
func (n *stormNews) count(g *guards, o *triage.Outcome) {
	if o.Collects == 0 {
		return
	}
	hypothesis, cluster := o.Incident.Hypothesis, o.Incident.Target.Cluster
	n.collects[[2]string{hypothesis, cluster}] += o.Collects
	if g.collects == nil {
		g.collects = map[string]int{}
	}
	g.collects[cluster+"/"+hypothesis] += o.Collects
}

// WatchStorm ends a storm that has cooled down, and gives what is to be told of
// storms: they are told as alerts of Salve's own, through the same door as any.
func (s *Store) WatchStorm(ctx context.Context) ([]incident.Event, error) {
	var news []incident.Event
	err := s.inTx(ctx, "watch storms", func(tx pgx.Tx) error {
		set, now := s.policy().Settings(), s.now()
		rows, err := tx.Query(ctx, `select id, began_at, last_at, ended_at, told from storms where told <> 'ended' order by began_at for update`)
		if err != nil {
			return err
		}
		storms, err := pgx.CollectRows(rows, scanStorm)
		if err != nil {
			return err
		}
		news = nil
		for _, storm := range storms {
			if storm.EndedAt.IsZero() && now.Sub(storm.LastAt) >= set.Storm.CoolDown {
				if err := s.endStorm(ctx, tx, storm.Storm, set.Storm.Reopen); err != nil {
					return err
				}
				storm.EndedAt = now
			}
			if storm.told == "" {
				news = append(news, storm.event(incident.Firing, set, now, s.ids()))
			}
			if !storm.EndedAt.IsZero() {
				news = append(news, storm.event(incident.Resolved, set, now, s.ids()))
			}
		}
		return nil
	})
	return news, err
}

type storedStorm struct {
	incident.Storm
	told string
}

func scanStorm(row pgx.CollectableRow) (storedStorm, error) {
	var st storedStorm
	var ended *time.Time
	err := row.Scan((*[16]byte)(&st.ID), &st.BeganAt, &st.LastAt, &ended, &st.told)
	st.BeganAt, st.EndedAt = st.BeganAt.UTC(), orZero(ended)
	return st, err
}

// endStorm lets the incidents of a storm be diagnosed anew, a few a minute.
func (s *Store) endStorm(ctx context.Context, tx pgx.Tx, storm incident.Storm, perMinute int) error {
	now := s.now()
	if _, err := tx.Exec(ctx, `update storms set ended_at = $2 where id = $1`, [16]byte(storm.ID), now); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `update incidents i set look_at = $2::timestamptz + ((n - 1) / $3) * interval '1 minute'
		from (select id, row_number() over (order by id) as n from (
			select id from incidents where opened_at >= $1 and state <> 'resolved' order by id for update) children) c where i.id = c.id`,
		storm.BeganAt, now, perMinute)
	if err != nil {
		return err
	}
	return s.auditOnly(ctx, tx, incident.AuditEntry{
		Operation: "storm.ended", Actor: "salve", Object: storm.ID.String(),
		Reason: fmt.Sprintf("%d incidents are diagnosed anew, %d a minute", tag.RowsAffected(), perMinute),
	})
}

func (st storedStorm) event(status incident.AlertStatus, set policy.Settings, now time.Time, id incident.ID) incident.Event {
	e := incident.Event{
		ID: id, Kind: incident.AlertEvent, Source: "salve", Subject: "salve", ReceivedAt: now,
		Status: status, Fingerprint: st.ID.String(), StartsAt: st.BeganAt, Name: "IncidentStorm", Severity: incident.Critical,
		Message: fmt.Sprintf("%d or more new incidents within %s. Until it is over, a human must say yes to each change, and single incidents are not told.",
			set.Storm.Incidents, set.Storm.Within),
		Target: incident.Target{Kind: incident.StormKind, Name: st.ID.String()}, Family: incident.CauseUnknown,
		Payload: json.RawMessage(`{}`),
	}
	copy(e.Episode[:], st.ID[:])
	if status == incident.Resolved {
		e.EndsAt = st.EndedAt
	}
	return e
}

// StormTold says that what is to be told of a storm was taken.
func (s *Store) StormTold(ctx context.Context, e incident.Event) error {
	told := "began"
	if e.Status == incident.Resolved {
		told = "ended"
	}
	_, err := s.pool.Exec(ctx, `update storms set told = $2 where id::text = $1`, e.Fingerprint, told)
	return translate("note storm "+e.Fingerprint, err)
}
