package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// Claim gives the lease of one intent, or says why not. Either way it is on
// record when this returns.
func (s *Store) Claim(ctx context.Context, name string, grant triage.LeaseGrant) (incident.Intent, error) {
	at, err := s.intentHome(ctx, name)
	if err != nil {
		return incident.Intent{}, err
	}
	id := at.intent
	var refused *triage.Refusal
	w, err := s.withIncident(ctx, "claim intent "+id.String(), at.incident, claimReading(at.effect), func(w *working) error {
		var o triage.Outcome
		o, refused = triage.Claim(s.policy(), *w.facts, id, grant, w.record.now, s.ids)
		return s.follow(ctx, w, o, nil)
	})
	switch {
	case err != nil:
		return incident.Intent{}, err
	case refused != nil:
		return incident.Intent{}, conflict(refused)
	}
	return w.intent(id), nil
}

// claimReading leaves stored evidence alone where no guard would want a new look.
func claimReading(e incident.Effect) reading {
	if e == incident.Change {
		return withEvidence
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
	if r.RetryAfter > 0 {
		f.Extra["retry_after"] = r.RetryAfter.Seconds()
	}
	return f
}

// intent gives one intent as it stands after the transaction.
func (w *working) intent(id incident.ID) incident.Intent {
	for _, in := range w.after.All {
		if in.ID == id {
			return in
		}
	}
	return incident.Intent{}
}

// Hear takes a human's word on one intent.
func (s *Store) Hear(ctx context.Context, name string, word triage.Word) (incident.Intent, error) {
	at, err := s.intentHome(ctx, name)
	if err != nil {
		return incident.Intent{}, err
	}
	id := at.intent
	var refused *triage.Refusal
	w, err := s.withIncident(ctx, word.Kind+" intent "+id.String(), at.incident, withEvidence, func(w *working) error {
		var o triage.Outcome
		o, refused = triage.Hear(s.policy(), *w.facts, id, word, w.record.now, s.ids)
		return s.follow(ctx, w, o, nil)
	})
	switch {
	case err != nil:
		return incident.Intent{}, err
	case refused != nil:
		return incident.Intent{}, conflict(refused)
	}
	return w.intent(id), nil
}

// Report takes the result of one execution. The first terminal one counts;
// repeats are answered alike; late or contradicting ones are kept, flagged, and
// never obeyed. Without the lease there is no result.
func (s *Store) Report(ctx context.Context, name, leaseToken string, e incident.Event, res incident.Result) (Receipt, error) {
	at, err := s.intentHome(ctx, name)
	if err != nil {
		return Receipt{}, err
	}
	id := at.intent
	res.IntentID, e.IntentID = id, id
	hash := sha256.Sum256([]byte(leaseToken))
	var receipt Receipt
	w, err := s.withIncident(ctx, "result of intent "+id.String(), at.incident, withEvidence, func(w *working) error {
		in := find(w.facts.Intents, id)
		if subtle.ConstantTimeCompare(in.LeaseHash, hash[:]) != 1 || in.ClaimedBy != e.Subject {
			return fault.Refused("no_lease", "this lease token does not hold the lease of the intent; claim it first, and report once")
		}
		e.IncidentID, res.ReceivedAt = w.facts.Incident.ID, w.record.now
		if in.State != incident.Running {
			receipt = s.lateResult(w, in, res)
			return nil
		}
		return s.terminalResult(ctx, w, e, res)
	})
	if err != nil {
		return Receipt{}, err
	}
	if receipt.Taken.Outcome == "" {
		receipt = w.receipt()
	}
	return receipt, nil
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
	arrivals := []triage.Arrival{{Event: e, Result: &res}}
	o := triage.Run(s.policy(), *w.facts, arrivals, w.record.now, s.ids)
	if err := s.follow(ctx, w, o, arrivals); err != nil {
		return err
	}
	w.record.events = append(w.record.events, eventRow{e, incident.Accepted, w.after.Incident.ID})
	w.record.results = append(w.record.results, resultRow{e.ID, w.after.Incident.ID, res})
	return nil
}

// lateResult keeps what came too late or says something else, and obeys nothing.
func (s *Store) lateResult(w *working, in incident.Intent, res incident.Result) Receipt {
	w.after = triage.Outcome{Incident: w.facts.Incident, All: w.facts.Intents}
	receipt := w.receipt()
	res.Flag = "late"
	for _, first := range w.facts.Results {
		if first.IntentID != in.ID {
			continue
		}
		if first.Status == res.Status {
			receipt.Taken = triage.Taken{Outcome: incident.Duplicate, Reasons: []string{"this result is known already"}}
			return receipt
		}
		res.Flag = "contradicting"
	}
	why := fmt.Sprintf("a %s result says %s; the intent is %s and stays so", res.Flag, res.Status, in.State)
	w.record.results = append(w.record.results, resultRow{s.ids(), w.facts.Incident.ID, res})
	w.record.audit = append(w.record.audit, incident.AuditEntry{
		Operation: "result." + res.Flag, Actor: in.ClaimedBy, IncidentID: w.facts.Incident.ID, IntentID: in.ID,
		Object: in.Action + " " + in.Target.String(), Reason: why,
	})
	receipt.Taken = triage.Taken{Outcome: incident.Suppressed, Reasons: []string{why}}
	return receipt
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
	}
	return r
}

// Crashed ends the leases that one execution of the caller holds: n8n's error
// workflow knows only the execution's id.
func (s *Store) Crashed(ctx context.Context, subject, execution string) ([]incident.ID, error) {
	rows, err := s.pool.Query(ctx, `select id, incident_id from intents
		where state = 'running' and execution_id = $1 and claimed_by = $2 order by id`, execution, subject)
	if err != nil {
		return nil, translate("find intents of execution "+execution, err)
	}
	pairs, err := collectPairs(rows)
	if err != nil {
		return nil, translate("find intents of execution "+execution, err)
	}
	lost := []incident.ID{}
	for _, p := range pairs {
		_, err := s.withIncident(ctx, "lose intent "+p[0].String(), p[1], withEvidence, func(w *working) error {
			o := triage.Crash(s.policy(), *w.facts, p[0], subject, w.record.now, s.ids)
			return s.follow(ctx, w, o, nil)
		})
		if err != nil {
			return lost, err
		}
		lost = append(lost, p[0])
	}
	return lost, nil
}
