package store

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// errNobody says that no open incident is about a target.
var errNobody = errors.New("no incident is open for this target")

// TakeEvidence takes evidence that nobody asked for: about the incident that is
// named, or where about is empty, about the event's target. What no open incident
// takes is kept and diagnosed by itself, and opens none. It is durable when this
// returns.
func (s *Store) TakeEvidence(ctx context.Context, about string, e incident.Event) (Receipt, error) {
	var r Receipt
	var err error
	if about == "" {
		r, err = s.evidenceOnTarget(ctx, e)
	} else {
		find := func(tx pgx.Tx) (incident.ID, reading, error) {
			id, err := heirOf(ctx, tx, about)
			return id, withEvidence, err
		}
		r, err = s.evidenceFor(ctx, "evidence about "+about, e, find, named(e))
	}
	if err == nil {
		s.watch.Outcome(r.Taken.Outcome, 1)
	}
	return r, err
}

// findHeir follows an incident to the one that it was merged into at last.
const findHeir = `with recursive heir as (
		select id, merged_into from incidents where id = $1 or number = $2
		union select i.id, i.merged_into from incidents i join heir h on i.id = h.merged_into
	) select id from heir where merged_into is null`

func heirOf(ctx context.Context, tx pgx.Tx, about string) (id incident.ID, err error) {
	n, err := parseName(about, "INC-")
	if err != nil {
		return id, err
	}
	err = tx.QueryRow(ctx, findHeir, n.id, n.number).Scan((*[16]byte)(&id))
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.Missing("incident", about)
	}
	return id, err
}

// named says whether the incident that was named, and is locked now, takes what
// its sender may have said to be of another cluster: pods of the same name live in many.
func named(e incident.Event) func(incident.Incident) error {
	return func(i incident.Incident) error {
		sent, is := e.Target.Cluster, i.Target.Cluster
		switch {
		case i.MergedInto != nil:
			return errRace // it was merged before the lock was ours
		case sent == "" || is == "" || sent == is:
			return nil
		}
		f := fault.New(fault.Invalid, "The evidence was not taken: the incident is of another cluster.")
		f.Fields = []fault.Field{{Pointer: "/cluster", Detail: "is " + sent + ", but the incident is of " + is + "; name the incident that is meant"}}
		return f
	}
}

// evidenceOnTarget gives evidence to the open incident that it belongs to.
func (s *Store) evidenceOnTarget(ctx context.Context, e incident.Event) (Receipt, error) {
	var sight triage.Sight
	if err := guarded(func() error { sight = triage.See(e); return nil }); err != nil {
		return Receipt{}, translate("look at evidence", err)
	}
	keys := sight.Keys()
	find := func(tx pgx.Tx) (incident.ID, reading, error) {
		id, err := homeOf(ctx, tx, sight, keys)
		return id, withEvidence, err
	}
	stillHome := func(i incident.Incident) error {
		if !i.Open() || !slices.Contains(keys, i.Key) {
			return errRace
		}
		return nil
	}
	r, err := s.evidenceFor(ctx, "evidence about "+e.Target.String(), e, find, stillHome)
	if errors.Is(err, errNobody) {
		return s.keepAlone(ctx, e, sight)
	}
	return r, err
}

const openByKey = `select ` + incidentColumns + ` from incidents where key = any($1::text[]) and state <> 'resolved'`

func homeOf(ctx context.Context, tx pgx.Tx, sight triage.Sight, keys []string) (incident.ID, error) {
	rows, err := tx.Query(ctx, openByKey, keys)
	if err != nil {
		return incident.ID{}, err
	}
	open, err := pgx.CollectRows(rows, scanIncident)
	if err != nil {
		return incident.ID{}, err
	}
	id, found := sight.Home(open)
	if !found {
		return id, errNobody
	}
	return id, nil
}

// evidenceFor lets one incident, under lock and if it may, take a piece of evidence.
func (s *Store) evidenceFor(ctx context.Context, operation string, e incident.Event, find func(pgx.Tx) (incident.ID, reading, error), may func(incident.Incident) error) (Receipt, error) {
	var alone *triage.Sight
	w, err := s.withLock(ctx, operation, find, func(w *working) (err error) {
		if err := may(w.facts.Incident); err != nil {
			return err
		}
		w.record.offers = e.MayExecute
		alone, err = s.takeUnasked(ctx, w, e)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	r := w.receipt()
	switch {
	case alone != nil:
		r.State = "" // that the incident is resolved says nothing about what was sent
		r.show(*alone)
	case r.Taken.Outcome == incident.Accepted && w.after.Diagnosis.Cause != "":
		r.Diagnosis, r.Decision = &w.after.Diagnosis, &w.after.Decision
		r.DiagnosisJSON, r.DecisionJSON = w.record.judgedOf(&w.after)
	}
	return r, nil
}

// takeUnasked runs the core on one piece of evidence. What an incident keeps and
// does not use is looked at by itself.
func (s *Store) takeUnasked(ctx context.Context, w *working, e incident.Event) (*triage.Sight, error) {
	e.ReceivedAt, e.IncidentID = w.record.now, w.facts.Incident.ID
	arrivals := []triage.Arrival{{Event: e}}
	if err := s.follow(ctx, w, triage.Run(s.policy(), *w.facts, arrivals, w.record.now, s.ids), arrivals); err != nil {
		return nil, err
	}
	outcome := w.after.Taken[0].Outcome
	if outcome != incident.Rejected {
		w.record.events = append(w.record.events, eventRow{e, outcome, w.after.Incident.ID})
	}
	if outcome != incident.Suppressed {
		return nil, nil
	}
	e.Target, e.Family = w.facts.Incident.Target, w.facts.Incident.Family
	sight := triage.See(e)
	return &sight, nil
}

// show answers with what evidence shows by itself.
func (r *Receipt) show(s triage.Sight) {
	r.Diagnosis, r.DiagnosisJSON = &s.Diagnosis, []byte(jsonText(s.Diagnosis))
	r.Decision, r.DecisionJSON = nil, nil
	r.Taken.Reasons = append(r.Taken.Reasons, s.Reasons...)
}

// keepAlone keeps evidence about a target of which no incident is open.
func (s *Store) keepAlone(ctx context.Context, e incident.Event, sight triage.Sight) (Receipt, error) {
	if why := triage.TooMuch(s.policy().Settings(), e); why != "" {
		return Receipt{Taken: triage.Taken{Outcome: incident.Rejected, Reasons: []string{why}}}, nil
	}
	r := Receipt{Taken: triage.Taken{Outcome: incident.Suppressed, Reasons: []string{
		errNobody.Error() + ": the evidence is kept and nothing is done about it; an alert opens one",
	}}}
	r.show(sight)
	err := s.inTx(ctx, "keep evidence", func(tx pgx.Tx) error {
		now := s.now()
		e := e
		e.ReceivedAt = now
		alone := &record{now: now, events: []eventRow{{e, incident.Suppressed, incident.ID{}}}}
		return alone.write(ctx, tx)
	})
	return r, err
}
