package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

const intentColumns = `id, number, incident_id, state, doc, plan, evidence_at, approved_by, claimed_by, worker, execution_id,
	lease_hash, lease_expires, not_before, created_at, approvals`

// plan is what only Salve needs of an intent.
type plan struct {
	Execute     json.RawMessage `json:"execute"`
	Timeout     time.Duration   `json:"timeout_ns"`
	Rung        int             `json:"rung,omitempty"`
	Independent bool            `json:"independent,omitempty"`
	Window      time.Duration   `json:"window_ns,omitempty"`
	Attempt     int             `json:"attempt,omitempty"`
	StepParams  map[string]any  `json:"step_params,omitempty"`
	Policy      string          `json:"policy,omitempty"`
	Undoes      incident.ID     `json:"undoes,omitzero"`
	Rule        string          `json:"rule,omitempty"`
	OnFailure   bool            `json:"on_failure,omitempty"`
	From        time.Time       `json:"from,omitzero"`
}

func scanIntent(row pgx.CollectableRow) (incident.Intent, error) {
	var in incident.Intent
	var number int64
	var id, incidentID [16]byte
	var state incident.IntentState
	var doc, secret, approvals []byte
	var evidenceAt, leaseExpires *time.Time
	var m incident.Intent // the mutable members
	err := row.Scan(&id, &number, &incidentID, &state, &doc, &secret, &evidenceAt, &m.ApprovedBy, &m.ClaimedBy, &m.Worker,
		&m.ExecutionID, &m.LeaseHash, &leaseExpires, &m.NotBefore, &m.CreatedAt, &approvals)
	if err != nil {
		return in, err
	}
	var p plan
	if err := json.Unmarshal(doc, &in); err != nil {
		return in, fmt.Errorf("document of intent %s: %w", incident.ID(id), err)
	}
	if err := json.Unmarshal(secret, &p); err != nil {
		return in, fmt.Errorf("plan of intent %s: %w", incident.ID(id), err)
	}
	if err := json.Unmarshal(approvals, &in.Approvals); err != nil {
		return in, fmt.Errorf("approvals of intent %s: %w", incident.ID(id), err)
	}
	in.ID, in.IncidentID, in.State, in.ShortID = id, incidentID, state, incident.IntentNumber(number)
	in.Doc = doc
	in.Execute, in.Timeout, in.Rung, in.Independent, in.Window = p.Execute, p.Timeout, p.Rung, p.Independent, p.Window
	in.Attempt, in.StepParams, in.Policy, in.Undoes, in.Rule = p.Attempt, p.StepParams, p.Policy, p.Undoes, p.Rule
	in.OnFailure, in.From = p.OnFailure, p.From
	in.EvidenceAt, in.LeaseExpires = orZero(evidenceAt), orZero(leaseExpires)
	in.ApprovedBy, in.ClaimedBy, in.Worker, in.ExecutionID = m.ApprovedBy, m.ClaimedBy, m.Worker, m.ExecutionID
	in.LeaseHash, in.NotBefore, in.CreatedAt = m.LeaseHash, m.NotBefore.UTC(), m.CreatedAt.UTC()
	return in, nil
}

// scanShownIntent reads what is shown of an intent, without decoding anything.
func scanShownIntent(row pgx.CollectableRow) (incident.Intent, error) {
	var in incident.Intent
	var number int64
	err := row.Scan((*[16]byte)(&in.ID), &number, (*[16]byte)(&in.IncidentID), &in.Action, &in.Effect, &in.Mode, &in.State,
		&in.NotBefore, (*[]byte)(&in.Doc))
	in.ShortID = incident.IntentNumber(number)
	return in, err
}

// documented gives new intents their document, which is stored and shown alike.
func documented(list []incident.Intent) {
	for i := range list {
		doc, err := list[i].Document()
		if err != nil {
			panic(err) // what the core builds always marshals; as a panic it is one item's trouble
		}
		list[i].Doc = doc
	}
}

const insertIntents = `insert into intents (id, incident_id, action, effect, mode, state, rung, attempt, created_at, not_before,
	expires_at, wake_at, plan_hash, doc, plan, evidence_at, offered_at)
	select id, incident_id, action, effect, mode, state, rung, attempt, created_at, not_before, expires_at, wake_at, plan_hash,
	doc::json, plan::json, evidence_at, case state when 'ready' then $17::timestamptz end
	from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::timestamptz[],
	$10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::timestamptz[])
	as n(id, incident_id, action, effect, mode, state, rung, attempt, created_at, not_before, expires_at, wake_at, plan_hash, doc, plan, evidence_at)
	returning id, number`

func intentArgs(list []incident.Intent) []any {
	var ids, incidents [][16]byte
	var actions, effects, modes, states, hashes, docs, plans []string
	var rungs, attempts []int32
	var created, notBefore, expires, wake []time.Time
	var evidence []*time.Time
	for _, in := range list {
		ids, incidents = append(ids, in.ID), append(incidents, in.IncidentID)
		actions, effects = append(actions, in.Action), append(effects, string(in.Effect))
		modes, states = append(modes, string(in.Mode)), append(states, string(in.State))
		rungs, attempts = append(rungs, int32(in.Rung)), append(attempts, int32(in.Attempt))
		created, notBefore, expires = append(created, in.CreatedAt), append(notBefore, in.NotBefore), append(expires, in.ExpiresAt)
		wake = append(wake, in.WakeAt)
		hashes, docs, evidence = append(hashes, in.PlanHash), append(docs, string(in.Doc)), append(evidence, orNull(in.EvidenceAt))
		plans = append(plans, jsonText(plan{in.Execute, in.Timeout, in.Rung, in.Independent, in.Window, in.Attempt, in.StepParams, in.Policy, in.Undoes, in.Rule, in.OnFailure, in.From}))
	}
	return []any{ids, incidents, actions, effects, modes, states, rungs, attempts, created, notBefore, expires, wake, hashes, docs, plans, evidence}
}

// moveIntents is compare-and-swap: a row that is no longer in the state the
// facts showed is not touched, and then the whole transaction runs again.
const moveIntents = `with done as (update intents i set state = n.state, not_before = n.not_before, evidence_at = n.evidence_at,
	approved_by = n.approved_by, claimed_by = n.claimed_by, worker = n.worker, execution_id = n.execution_id,
	lease_hash = n.lease_hash, lease_expires = n.lease_expires, wake_at = n.wake_at, approvals = n.approvals::json,
	offered_at = case n.state when 'ready' then coalesce($14::timestamptz, i.offered_at) else i.offered_at end
	from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::bytea[], $11::timestamptz[], $12::timestamptz[], $13::text[])
	as n(id, was, state, not_before, evidence_at, approved_by, claimed_by, worker, execution_id, lease_hash, lease_expires, wake_at, approvals)
	where i.id = n.id and i.state = n.was returning 1) select must_be(count(*), cardinality($1)) from done`

func moveArgs(moves []triage.Move) []any {
	var ids [][16]byte
	var was, states, approved, claimed, workers, executions, approvals []string
	var notBefore, wake []time.Time
	var evidence, expires []*time.Time
	var hashes [][]byte
	for _, m := range moves {
		in := m.Intent
		ids, was, states = append(ids, in.ID), append(was, string(m.From)), append(states, string(in.State))
		notBefore, wake, evidence = append(notBefore, in.NotBefore), append(wake, in.WakeAt), append(evidence, orNull(in.EvidenceAt))
		approved, claimed, workers = append(approved, in.ApprovedBy), append(claimed, in.ClaimedBy), append(workers, in.Worker)
		approvals = append(approvals, approvalsText(in.Approvals))
		executions, hashes, expires = append(executions, in.ExecutionID), append(hashes, in.LeaseHash), append(expires, orNull(in.LeaseExpires))
	}
	return []any{ids, was, states, notBefore, evidence, approved, claimed, workers, executions, hashes, expires, wake, approvals}
}

func approvalsText(list []incident.Approval) string {
	if len(list) == 0 {
		return "[]"
	}
	return jsonText(list)
}
