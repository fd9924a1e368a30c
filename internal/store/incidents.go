package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

const incidentColumns = `id, number, key, state, severity, target, family, cause, service, title, summary, resolution,
	opened_at, began_at, updated_at, resolved_at, merged_into, rounds, rung, recurrences, repeats, dry_run, labels,
	verify_by, healthy_at, hypothesis, look_at`

func scanIncident(row pgx.CollectableRow) (incident.Incident, error) {
	var i incident.Incident
	var target, labels []byte
	var merged *[16]byte
	var resolved, verify, healthy, look *time.Time
	err := row.Scan((*[16]byte)(&i.ID), &i.Number, &i.Key, &i.State, &i.Severity, &target, &i.Family, &i.Cause,
		&i.Service, &i.Title, &i.Summary, &i.Resolution, &i.OpenedAt, &i.BeganAt, &i.UpdatedAt, &resolved, &merged,
		&i.Rounds, &i.Rung, &i.Recurrence, &i.Repeats, &i.DryRun, &labels, &verify, &healthy, &i.Hypothesis, &look)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(target, &i.Target); err != nil {
		return i, fmt.Errorf("target of incident %s: %w", i.ID, err)
	}
	if err := json.Unmarshal(labels, &i.Labels); err != nil {
		return i, fmt.Errorf("labels of incident %s: %w", i.ID, err)
	}
	i.ShortID = incident.IncidentNumber(i.Number)
	i.OpenedAt, i.BeganAt, i.UpdatedAt = i.OpenedAt.UTC(), i.BeganAt.UTC(), i.UpdatedAt.UTC()
	i.ResolvedAt, i.VerifyBy, i.HealthyAt = orZero(resolved), orZero(verify), orZero(healthy)
	i.LookAt = orZero(look)
	i.MergedInto = (*incident.ID)(merged)
	return i, nil
}

// incidentRows are incidents as columns, for statements that take any number at once.
type incidentRows struct {
	ids                            [][16]byte
	keys, states, severities       []string
	targets, labels                []string
	families, causes, services     []string
	hypotheses                     []string
	titles, summaries, resolutions []string
	opened, began, updated         []time.Time
	resolved, verify, healthy      []*time.Time
	look                           []*time.Time
	merged                         []*[16]byte
	rounds, rungs, recurrences     []int32
	dry                            []bool
	numbers                        []int64
}

func incidentColumnsOf(list []incident.Incident) incidentRows {
	var r incidentRows
	for _, i := range list {
		r.ids = append(r.ids, i.ID)
		r.keys, r.states, r.severities = append(r.keys, i.Key), append(r.states, string(i.State)), append(r.severities, string(i.Severity))
		r.targets, r.labels = append(r.targets, jsonText(i.Target)), append(r.labels, labelsText(i.Labels))
		r.families, r.causes, r.services = append(r.families, i.Family), append(r.causes, i.Cause), append(r.services, i.Service)
		r.hypotheses = append(r.hypotheses, i.Hypothesis)
		r.titles, r.summaries, r.resolutions = append(r.titles, plain(i.Title)), append(r.summaries, plain(i.Summary)), append(r.resolutions, plain(i.Resolution))
		r.opened, r.began, r.updated = append(r.opened, i.OpenedAt), append(r.began, i.BeganAt), append(r.updated, i.UpdatedAt)
		r.resolved, r.verify, r.healthy = append(r.resolved, orNull(i.ResolvedAt)), append(r.verify, orNull(i.VerifyBy)), append(r.healthy, orNull(i.HealthyAt))
		r.look = append(r.look, orNull(i.LookAt))
		r.merged = append(r.merged, (*[16]byte)(i.MergedInto))
		r.rounds, r.rungs, r.recurrences = append(r.rounds, int32(i.Rounds)), append(r.rungs, int32(i.Rung)), append(r.recurrences, int32(i.Recurrence))
		r.dry, r.numbers = append(r.dry, i.DryRun), append(r.numbers, i.Number)
	}
	return r
}

func (r incidentRows) args() []any {
	return []any{r.ids, r.keys, r.states, r.severities, r.targets, r.labels, r.families, r.causes, r.services, r.titles,
		r.summaries, r.resolutions, r.opened, r.began, r.updated, r.resolved, r.merged, r.rounds, r.rungs, r.recurrences,
		r.dry, r.verify, r.healthy, r.numbers, r.hypotheses, r.look}
}

const incidentArrays = `unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
	$16::timestamptz[], $17::uuid[], $18::int[], $19::int[], $20::int[], $21::boolean[], $22::timestamptz[], $23::timestamptz[], $24::bigint[], $25::text[], $26::timestamptz[])
	as n(id, key, state, severity, target, labels, family, cause, service, title, summary, resolution, opened_at, began_at,
	updated_at, resolved_at, merged_into, rounds, rung, recurrences, dry_run, verify_by, healthy_at, number, hypothesis, look_at)`

// insertIncidents opens incidents. The key's unique index refuses a second open one.
const insertIncidents = `insert into incidents (number, id, key, state, severity, target, labels, family, cause, service, title, summary,
	resolution, opened_at, began_at, updated_at, resolved_at, merged_into, rounds, rung, recurrences, dry_run, verify_by, healthy_at, hypothesis)
	select number, id, key, state, severity, target::json, labels::json, family, cause, service, title, summary, resolution, opened_at,
	began_at, updated_at, resolved_at, merged_into, rounds, rung, recurrences, dry_run, verify_by, healthy_at, hypothesis
	from ` + incidentArrays + ` order by key`

// noneToReopen refuses to open an incident whose key another replica held and
// gave up since the facts were read: it would have to be reopened instead.
const noneToReopen = `select must_be(count(*), 0) from incidents
	where key = any($1::text[]) and state = 'resolved' and resolved_at > $2 and merged_into is null`

func (w *record) openedArgs() []any {
	keys := make([]string, len(w.opened))
	for i := range w.opened {
		keys[i] = w.opened[i].Key
	}
	return []any{keys, w.since}
}

// updateIncidents writes what may change. Repeats are counted apart: see countRepeats.
const updateIncidents = `with done as (update incidents i set key = n.key, state = n.state, severity = n.severity, target = n.target::json,
	family = n.family, cause = n.cause, summary = n.summary, resolution = n.resolution, began_at = n.began_at,
	updated_at = n.updated_at, resolved_at = n.resolved_at, merged_into = n.merged_into, rounds = n.rounds, rung = n.rung,
	recurrences = n.recurrences, dry_run = n.dry_run, verify_by = n.verify_by, healthy_at = n.healthy_at, look_at = n.look_at
	from ` + incidentArrays + ` where i.id = n.id returning 1) select must_be(count(*), cardinality($1)) from done`

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// jsonText renders what the store itself made; such values always marshal.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return string(b)
}

func labelsText(l incident.Labels) string {
	if len(l) == 0 {
		return "{}"
	}
	return jsonText(l)
}

func rawText(raw json.RawMessage) *string {
	if len(raw) == 0 {
		return nil
	}
	s := string(raw)
	return &s
}

func uuids(ids []incident.ID) [][16]byte {
	out := make([][16]byte, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}
