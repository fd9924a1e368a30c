package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

// record is all that one transaction writes: slices, so that one event costs the
// same few statements as a thousand.
type record struct {
	now       time.Time
	offers    bool      // who is answered may execute: what becomes ready is offered
	since     time.Time // what was resolved after this reopens instead of being opened anew
	opened    []incident.Incident
	changed   []incident.Incident
	newAlerts []incident.Alert
	oldAlerts []incident.Alert
	events    []eventRow
	judged    []judgement
	intents   []incident.Intent
	moves     []triage.Move
	results   []resultRow
	audit     []incident.AuditEntry
	repairs   []incident.Repair
	breakers  []incident.Breaker
	storm     *stormNews
	stops     []string // guards that refused a claim

	numbers map[incident.ID]int64 // given by the database to what was issued
}

type eventRow struct {
	event    incident.Event
	outcome  incident.Outcome
	incident incident.ID
}

type judgement struct {
	id        incident.ID
	incident  incident.ID
	diagnosis string
	decision  string
	wants     *string
	record    string
	cause     string
	verdict   incident.Verdict
	policy    string
	severity  incident.Severity
	stops     []string // guards
	before    string   // the cause that was known before
}

type resultRow struct {
	id       incident.ID
	incident incident.ID
	result   incident.Result
}

// add takes one incident's outcome into the record. An alert may have a row
// though the incident did not have the alert: stored says so.
func (w *record) add(f triage.Facts, o triage.Outcome, ids incident.IDs, stored func(incident.Episode) bool) {
	switch {
	case f.New:
		w.open(o.Incident)
	case o.Changed:
		w.changed = append(w.changed, o.Incident)
	}
	known := make(map[incident.Episode]bool, len(f.Alerts))
	for _, a := range f.Alerts {
		known[a.Episode] = true
	}
	for _, a := range o.Alerts {
		if known[a.Episode] || stored(a.Episode) {
			w.oldAlerts = append(w.oldAlerts, a)
		} else {
			w.newAlerts = append(w.newAlerts, a)
		}
	}
	if o.Judged {
		w.judged = append(w.judged, judgement{
			id: ids(), incident: o.Incident.ID, diagnosis: jsonText(o.Diagnosis), decision: jsonText(o.Decision),
			wants: wantsText(o.Diagnosis.Wants), record: jsonText(o.Decision.Record),
			cause: o.Diagnosis.Cause, verdict: o.Decision.Verdict, policy: o.Decision.PolicyVersion,
			severity: o.Incident.Severity, before: f.Diagnosis.Cause, stops: triage.Stopping(o.Decision.Guards),
		})
	}
	documented(o.Intents)
	w.intents = append(w.intents, o.Intents...)
	w.moves = append(w.moves, o.Moves...)
	w.audit = append(w.audit, o.Audit...)
	w.repairs, w.breakers = append(w.repairs, o.Repairs...), append(w.breakers, o.Breakers...)
}

// wantsText keeps what could be collected: the next alert, which brings nothing
// to look at, must not make Salve forget that it waits for evidence.
func wantsText(wants []incident.Want) *string {
	if len(wants) == 0 {
		return nil
	}
	text := jsonText(wants)
	return &text
}

// judgedOf gives the JSON of an incident's diagnosis and decision, as written.
func (w *record) judgedOf(o *triage.Outcome) (diagnosis, decision json.RawMessage) {
	for i := range w.judged {
		if j := &w.judged[i]; j.incident == o.Incident.ID {
			return json.RawMessage(j.diagnosis), json.RawMessage(j.decision)
		}
	}
	return json.RawMessage(jsonText(o.Diagnosis)), json.RawMessage(jsonText(o.Decision))
}

// open adds a new incident. One that has ended already is born open all the same,
// so that the key's unique index makes whoever opens the same key at once wait,
// and then find it.
func (w *record) open(i incident.Incident) {
	if !i.Open() {
		w.changed = append(w.changed, i)
		i.State = incident.StateOpen
	}
	w.opened = append(w.opened, i)
}

// statement is one write with how its answer is checked.
type statement struct {
	name string
	sql  string
	args []any
	ids  bool // it returns the numbers that the database gave
}

// statements lists what there is to write, always in the same order of tables.
func (w *record) statements() []statement {
	var list []statement
	put := func(n int, name, sql string, args func() []any, ids bool) {
		if n > 0 {
			list = append(list, statement{name, sql, args(), ids})
		}
	}
	put(len(w.opened), "insert incidents", insertIncidents, func() []any { return incidentColumnsOf(w.opened).args() }, false)
	put(len(w.opened), "look for one to reopen", noneToReopen, w.openedArgs, false)
	put(len(w.changed), "update incidents", updateIncidents, func() []any { return incidentColumnsOf(w.changed).args() }, false)
	put(len(w.newAlerts), "insert alerts", insertAlerts, func() []any { return alertArgs(w.newAlerts) }, false)
	put(len(w.oldAlerts), "update alerts", updateAlerts, func() []any { return alertArgs(w.oldAlerts) }, false)
	put(len(w.events), "insert events", insertEvents, w.eventArgs, false)
	put(len(w.judged), "insert decisions", insertDecisions, w.decisionArgs, false)
	put(len(w.intents), "insert intents", insertIntents, func() []any { return append(intentArgs(w.intents), w.offeredAt()) }, true)
	put(len(w.moves), "update intents", moveIntents, func() []any { return append(moveArgs(w.moves), w.offeredAt()) }, false)
	put(len(w.results), "insert results", insertResults, w.resultArgs, false)
	put(len(w.repairs), "write repairs", upsertRepairs, w.repairArgs, false)
	put(len(w.bad()), "demote", demote, w.badArgs, false)
	put(len(w.breakers), "open breakers", insertBreakers, w.breakerArgs, false)
	if n := w.storm; n != nil {
		put(count(n.begins), "begin storm", insertStorm, func() []any { return []any{[16]byte(n.id), w.now} }, false)
		put(count(n.goesOn && !n.begins), "storm goes on", stormGoesOn, func() []any { return []any{[16]byte(n.id), w.now} }, false)
		put(len(n.collects), "count looks", countCollects, n.collectArgs, false)
	}
	put(len(w.audit), "insert audit", insertAudit, w.auditArgs, false)
	return list
}

// offeredAt is when what becomes ready by this write is offered; none: to nobody.
func (w *record) offeredAt() *time.Time {
	if w.offers {
		return &w.now
	}
	return nil
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// queue puts the writes into one round trip; done reads the answers.
func (w *record) queue(b *pgx.Batch) []statement {
	list := w.statements()
	for _, st := range list {
		b.Queue(st.sql, st.args...)
	}
	return list
}

// read takes each answer. That updates hit every row they name, Postgres itself
// checks (must_be), so that a commit in the same round trip cannot slip through.
func (w *record) read(br pgx.BatchResults, list []statement) error {
	w.numbers = map[incident.ID]int64{}
	for _, st := range list {
		if err := w.readOne(br, st); err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
		}
	}
	return nil
}

func (w *record) readOne(br pgx.BatchResults, st statement) error {
	if !st.ids {
		_, err := br.Exec()
		return err
	}
	rows, err := br.Query()
	if err != nil {
		return err
	}
	var id [16]byte
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&id, &number}, func() error {
		w.numbers[id] = number
		return nil
	})
	return err
}

// write sends the record inside an open transaction.
func (w *record) write(ctx context.Context, tx pgx.Tx) error {
	var b pgx.Batch
	list := w.queue(&b)
	if len(list) == 0 {
		return nil
	}
	br := tx.SendBatch(ctx, &b)
	err := w.read(br, list)
	if closeErr := br.Close(); err == nil {
		err = closeErr
	}
	return err
}

const insertAlerts = `insert into alerts (episode, incident_id, status, name, source, subject, fingerprint, starts_at, ends_at, quiet_until)
	select * from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
	$8::timestamptz[], $9::timestamptz[], $10::timestamptz[]) as n(episode, a, b, c, d, e, f, g, h, i) order by episode`

const updateAlerts = `with done as (update alerts a set incident_id = n.incident_id, status = n.status, subject = n.subject,
	starts_at = n.starts_at, ends_at = n.ends_at, quiet_until = n.quiet_until
	from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
	as n(episode, incident_id, status, name, source, subject, fingerprint, starts_at, ends_at, quiet_until) where a.episode = n.episode
	returning 1) select must_be(count(*), cardinality($1)) from done`

func alertArgs(list []incident.Alert) []any {
	var episodes [][]byte
	var incidents []*[16]byte
	var statuses, names, sources, subjects, fingerprints []string
	var starts, ends, quiet []*time.Time
	for _, a := range list {
		episodes, incidents = append(episodes, a.Episode[:]), append(incidents, idOrNull(a.IncidentID))
		statuses, names, sources = append(statuses, string(a.Status)), append(names, a.Name), append(sources, a.Source)
		subjects, fingerprints = append(subjects, a.Subject), append(fingerprints, a.Fingerprint)
		starts, ends = append(starts, orNull(a.StartsAt)), append(ends, orNull(a.EndsAt))
		quiet = append(quiet, orNull(a.QuietUntil))
	}
	return []any{episodes, incidents, statuses, names, sources, subjects, fingerprints, starts, ends, quiet}
}

const insertEvents = `insert into events (id, received_at, kind, source, subject, outcome, incident_id, intent_id, payload, evidence)
	select id, received_at, kind, source, subject, outcome, incident_id, intent_id, payload::json, evidence::json
	from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::text[], $10::text[])
	as n(id, received_at, kind, source, subject, outcome, incident_id, intent_id, payload, evidence)`

func (w *record) eventArgs() []any {
	var ids [][16]byte
	var received []time.Time
	var kinds, sources, subjects, outcomes []string
	var incidents, intents []*[16]byte
	var payloads, evidence []*string
	for _, e := range w.events {
		ids, received = append(ids, e.event.ID), append(received, e.event.ReceivedAt)
		kinds, sources = append(kinds, string(e.event.Kind)), append(sources, e.event.Source)
		subjects, outcomes = append(subjects, e.event.Subject), append(outcomes, string(e.outcome))
		incidents, intents = append(incidents, idOrNull(e.incident)), append(intents, idOrNull(e.event.IntentID))
		payloads, evidence = append(payloads, rawText(e.event.Payload)), append(evidence, rawText(e.event.Evidence))
	}
	return []any{ids, received, kinds, sources, subjects, outcomes, incidents, intents, payloads, evidence}
}

const insertDecisions = `insert into decisions (id, incident_id, at, verdict, cause, policy, diagnosis, decision, wants, record)
	select id, incident_id, $3, verdict, cause, policy, diagnosis::json, decision::json, wants::json, record::json
	from unnest($1::uuid[], $2::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
	as n(id, incident_id, verdict, cause, policy, diagnosis, decision, wants, record)`

func (w *record) decisionArgs() []any {
	var ids, incidents [][16]byte
	var verdicts, causes, policies, diagnoses, decisions, records []string
	var wants []*string
	for _, j := range w.judged {
		ids, incidents = append(ids, j.id), append(incidents, j.incident)
		verdicts, causes = append(verdicts, string(j.verdict)), append(causes, j.cause)
		policies, wants = append(policies, j.policy), append(wants, j.wants)
		records = append(records, j.record)
		diagnoses, decisions = append(diagnoses, j.diagnosis), append(decisions, j.decision)
	}
	return []any{ids, incidents, w.now, verdicts, causes, policies, diagnoses, decisions, wants, records}
}

const insertResults = `insert into results (id, intent_id, incident_id, received_at, status, flag, doc)
	select id, intent_id, incident_id, received_at, status, flag, doc::json
	from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
	as n(id, intent_id, incident_id, received_at, status, flag, doc)`

func (w *record) resultArgs() []any {
	var ids, intents, incidents [][16]byte
	var received []time.Time
	var statuses, flags, docs []string
	for _, r := range w.results {
		ids, intents, incidents = append(ids, r.id), append(intents, r.result.IntentID), append(incidents, r.incident)
		received, statuses = append(received, r.result.ReceivedAt), append(statuses, string(r.result.Status))
		flags, docs = append(flags, r.result.Flag), append(docs, jsonText(r.result))
	}
	return []any{ids, intents, incidents, received, statuses, flags, docs}
}

const insertAudit = `insert into audit (at, operation, actor, incident_id, intent_id, object, reason, detail)
	select $1, operation, actor, incident_id, intent_id, object, reason, detail::json
	from unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[])
	as n(operation, actor, incident_id, intent_id, object, reason, detail)`

func (w *record) auditArgs() []any {
	var operations, actors, objects, reasons []string
	var incidents, intents []*[16]byte
	var details []*string
	for _, a := range w.audit {
		operations, actors = append(operations, a.Operation), append(actors, a.Actor)
		incidents, intents = append(incidents, idOrNull(a.IncidentID)), append(intents, idOrNull(a.IntentID))
		objects, reasons, details = append(objects, plain(a.Object)), append(reasons, plain(a.Reason)), append(details, rawText(a.Detail))
	}
	return []any{w.now, operations, actors, incidents, intents, objects, reasons, details}
}

func idOrNull(id incident.ID) *[16]byte {
	if id.IsZero() {
		return nil
	}
	raw := [16]byte(id)
	return &raw
}
