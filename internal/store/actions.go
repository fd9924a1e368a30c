package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// Claim gives the lease of one intent, or says why not. Either way it is on
// record when this returns.
func (s *Store) Claim(ctx context.Context, name string, grant triage.LeaseGrant) (incident.Intent, error) {
	grant.Worker, grant.ExecutionID = plain(grant.Worker), plain(grant.ExecutionID)
	return s.ask(ctx, "claim intent", name, claimReading, func(w *working, id incident.ID) (triage.Outcome, *triage.Refusal) {
		return triage.Claim(s.policy(), *w.facts, id, grant, w.record.now, s.ids)
	})
}

// Hear takes a human's word on one intent.
func (s *Store) Hear(ctx context.Context, name string, word triage.Word) (incident.Intent, error) {
	word.Reason = plain(word.Reason)
	return s.ask(ctx, word.Kind+" intent", name, alwaysEvidence, func(w *working, id incident.ID) (triage.Outcome, *triage.Refusal) {
		return triage.Hear(s.policy(), *w.facts, id, word, w.record.now, s.ids)
	})
}

// HearOn takes a human's word on an incident, and gives it as it then stands.
func (s *Store) HearOn(ctx context.Context, named string, word triage.Word) (incident.Incident, error) {
	word.Reason = plain(word.Reason)
	n, err := parseName(named, "INC-")
	if err != nil {
		return incident.Incident{}, err
	}
	var refused *triage.Refusal
	find := func(tx pgx.Tx) (id incident.ID, how reading, err error) {
		err = tx.QueryRow(ctx, `select id from incidents where id = $1 or number = $2`, n.id, n.number).Scan((*[16]byte)(&id))
		if errors.Is(err, pgx.ErrNoRows) {
			err = fault.Missing("incident", named)
		}
		return id, withEvidence, err
	}
	w, err := s.withLock(ctx, word.Kind+" incident "+named, find, func(w *working) error {
		var o triage.Outcome
		o, refused = triage.HearOn(s.policy(), *w.facts, word, w.record.now, s.ids)
		return s.follow(ctx, w, o, nil)
	})
	switch {
	case err != nil:
		return incident.Incident{}, err
	case refused != nil:
		return incident.Incident{}, conflict(refused)
	}
	return w.after.Incident, nil
}

// ask puts a question about one intent to the core and keeps the answer, which
// is the intent as it then stands or a refusal.
func (s *Store) ask(ctx context.Context, operation, name string, how func(incident.Effect) reading, question func(*working, incident.ID) (triage.Outcome, *triage.Refusal)) (incident.Intent, error) {
	var refused *triage.Refusal
	w, id, err := s.withIntent(ctx, operation, name, how, func(w *working, id incident.ID) error {
		var o triage.Outcome
		o, refused = question(w, id)
		if refused != nil {
			w.record.stops = triage.Stopping(refused.Guards)
		}
		return s.follow(ctx, w, o, nil)
	})
	switch {
	case err != nil:
		return incident.Intent{}, err
	case refused != nil:
		return incident.Intent{}, conflict(refused)
	}
	return find(w.after.All, id), nil
}

func alwaysEvidence(incident.Effect) reading { return withEvidence }

// claimReading leaves stored evidence alone where no guard would want a new look.
func claimReading(e incident.Effect) reading {
	if e == incident.Change {
		return forChange
	}
	return plainly
}

func conflict(r *triage.Refusal) *fault.Fault {
	f := fault.Refused(r.Reason, "%s", r.Detail)
	f.RetryAfter = r.RetryAfter
	f.Extra = map[string]any{}
	if len(r.Guards) > 0 {
		f.Extra["guards"] = r.Guards
	}
	if r.Rollback != nil {
		f.Extra["rollback_intent"] = r.Rollback
	}
	if r.RetryAfter > 0 {
		f.Extra["retry_after"] = r.RetryAfter.Seconds()
	}
	return f
}

// Report takes the result of one execution. The first terminal one counts;
// repeats are answered alike; late or contradicting ones are kept, flagged, and
// never obeyed. Without the lease there is no result.
func (s *Store) Report(ctx context.Context, name, leaseToken string, e incident.Event, res incident.Result) (Receipt, error) {
	res.Error, res.ExecutionID = plain(res.Error), plain(res.ExecutionID)
	hash := sha256.Sum256([]byte(leaseToken))
	var taken *triage.Taken
	w, _, err := s.withIntent(ctx, "result of intent", name, alwaysEvidence, func(w *working, id incident.ID) (err error) {
		in := find(w.facts.Intents, id)
		if subtle.ConstantTimeCompare(in.LeaseHash, hash[:]) != 1 || in.ClaimedBy != e.Subject {
			return fault.Refused("no_lease", "this lease token does not hold the lease of the intent; claim it first, and report once")
		}
		res, e := res, e
		e.IntentID, res.IntentID = id, id
		e.ReceivedAt, res.ReceivedAt = w.record.now, w.record.now
		w.record.offers = e.MayExecute
		taken, err = s.takeResult(ctx, w, in, e, res)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	receipt := w.receipt()
	if taken != nil {
		receipt.Taken = *taken
	}
	return receipt, nil
}

// takeResult lets a result count, or says why it does not. The lease decides, not
// whether the clock's tick came by since it ended.
func (s *Store) takeResult(ctx context.Context, w *working, in incident.Intent, e incident.Event, res incident.Result) (*triage.Taken, error) {
	switch {
	case in.State != incident.Running:
		w.after = triage.Outcome{Incident: w.facts.Incident, All: w.facts.Intents}
		return s.lateResult(w, in, res), nil
	case w.record.now.After(in.LeaseExpires):
		if err := s.follow(ctx, w, triage.Run(s.policy(), *w.facts, nil, w.record.now, s.ids), nil); err != nil {
			return nil, err
		}
		return s.lateResult(w, find(w.after.All, in.ID), res), nil
	default:
		return nil, s.terminalResult(ctx, w, e, res)
	}
}

func find(list []incident.Intent, id incident.ID) incident.Intent {
	for _, in := range list {
		if in.ID == id {
			return in
		}
	}
	return incident.Intent{}
}

// terminalResult is the result that counts.
func (s *Store) terminalResult(ctx context.Context, w *working, e incident.Event, res incident.Result) error {
	e.IncidentID = w.facts.Incident.ID
	arrivals := []triage.Arrival{{Event: e, Result: &res}}
	o := triage.Run(s.policy(), *w.facts, arrivals, w.record.now, s.ids)
	if err := s.follow(ctx, w, o, arrivals); err != nil {
		return err
	}
	w.record.events = append(w.record.events, eventRow{w.after.Taken[0].Kept(e), incident.Accepted, w.after.Incident.ID})
	w.record.results = append(w.record.results, resultRow{e.ID, w.after.Incident.ID, res})
	return nil
}

// lateResult keeps what came too late or says something else, and obeys nothing.
func (s *Store) lateResult(w *working, in incident.Intent, res incident.Result) *triage.Taken {
	res.Flag = "late"
	for _, first := range w.facts.Results {
		if first.IntentID != in.ID {
			continue
		}
		if first.Status == res.Status {
			return &triage.Taken{Outcome: incident.Duplicate, Reasons: []string{"this result is known already"}}
		}
		res.Flag = "contradicting"
	}
	why := fmt.Sprintf("a %s result says %s; the intent is %s and stays so", res.Flag, res.Status, in.State)
	w.record.results = append(w.record.results, resultRow{s.ids(), w.after.Incident.ID, res})
	w.record.audit = append(w.record.audit, incident.AuditEntry{
		Operation: "result." + res.Flag, Actor: in.ClaimedBy, IncidentID: w.after.Incident.ID, IntentID: in.ID,
		Object: in.Action + " " + in.Target.String(), Reason: why,
	})
	return &triage.Taken{Outcome: incident.Suppressed, Reasons: []string{why}}
}

// receipt tells what the incident looks like now.
func (w *working) receipt() Receipt {
	r := Receipt{
		Taken: triage.Taken{Outcome: incident.Accepted, Reasons: []string{}}, IncidentID: w.after.Incident.ID,
		State: w.after.Incident.State, Intents: liveIntents(w.after.All, w.record.numbers),
	}
	if len(w.after.Taken) > 0 {
		r.Taken = w.after.Taken[0]
	}
	if w.after.Judged {
		r.Diagnosis, r.Decision = &w.after.Diagnosis, &w.after.Decision
		r.DiagnosisJSON, r.DecisionJSON = w.record.judgedOf(&w.after)
	}
	return r
}

// Crashed ends the leases that one execution of the caller holds: n8n's error
// workflow knows only the execution's id.
func (s *Store) Crashed(ctx context.Context, subject, execution string) ([]incident.ID, error) {
	rows, err := s.pool.Query(ctx, `select id from intents
		where state = 'running' and execution_id = $1 and claimed_by = $2 order by id`, plain(execution), subject)
	if err != nil {
		return nil, translate("find intents of execution "+execution, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return nil, translate("find intents of execution "+execution, err)
	}
	lost := []incident.ID{}
	for _, raw := range ids {
		_, id, err := s.withIntent(ctx, "lose intent", incident.ID(raw).String(), alwaysEvidence, func(w *working, id incident.ID) error {
			return s.follow(ctx, w, triage.Crash(s.policy(), *w.facts, id, subject, w.record.now, s.ids), nil)
		})
		if err != nil {
			return lost, err
		}
		lost = append(lost, id)
	}
	return lost, nil
}
