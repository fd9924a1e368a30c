package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// working is one incident under lock, in a transaction of its own.
type working struct {
	tx     pgx.Tx
	facts  *triage.Facts
	record *record
	after  triage.Outcome
	first  incident.ID // the holder of the key, where it was locked before this one
}

// reading says how an incident is locked and how much of it is read.
type reading struct {
	lock     string
	evidence bool
	guards   bool // a change may be claimed: guards are read one claim after the other
}

var (
	plainly      = reading{lockById, false, false}
	withEvidence = reading{lockById, true, false}
	ifFree       = reading{lockFree, true, false}
	forChange    = reading{lockById, true, true}
)

// errBusy says that an incident was to be taken only if nobody else had it.
var errBusy = errors.New("another transaction holds the incident")

const (
	lockById = `select ` + incidentColumns + ` from incidents where id = $1 for update`
	lockFree = lockById + ` skip locked`
	lockOnly = `select from incidents where id = $1 for update`
)

// withIncident locks one incident, lets do decide, and writes what follows. do
// may be called again when another transaction was faster.
func (s *Store) withIncident(ctx context.Context, operation string, id incident.ID, how reading, do func(*working) error) (*working, error) {
	return s.withLock(ctx, operation, func(pgx.Tx) (incident.ID, reading, error) { return id, how, nil }, do)
}

// withIntent does the same for the incident that an intent lives in. It is looked
// up in each try, because a merge moves intents.
func (s *Store) withIntent(ctx context.Context, operation, named string, how func(incident.Effect) reading, do func(*working, incident.ID) error) (*working, incident.ID, error) {
	n, err := parseName(named, "INT-")
	if err != nil {
		return nil, incident.ID{}, err
	}
	var id incident.ID
	find := func(tx pgx.Tx) (home incident.ID, r reading, err error) {
		var effect incident.Effect
		err = tx.QueryRow(ctx, `select id, incident_id, effect from intents where id = $1 or number = $2`, n.id, n.number).
			Scan((*[16]byte)(&id), (*[16]byte)(&home), &effect)
		if errors.Is(err, pgx.ErrNoRows) {
			err = fault.Missing("intent", named)
		}
		return home, how(effect), err
	}
	w, err := s.withLock(ctx, operation+" "+named, find, func(w *working) error {
		if !slices.ContainsFunc(w.facts.Intents, func(in incident.Intent) bool { return in.ID == id }) {
			return errRace // it moved before the lock was ours
		}
		return do(w, id)
	})
	return w, id, err
}

func (s *Store) withLock(ctx context.Context, operation string, find func(pgx.Tx) (incident.ID, reading, error), do func(*working) error) (*working, error) {
	var w *working
	var first incident.ID // a holder that the last try found it must lock before its own
	err := s.inTx(ctx, operation, func(tx pgx.Tx) error {
		id, how, err := find(tx)
		if err != nil {
			return err
		}
		if !first.IsZero() {
			if _, err := tx.Exec(ctx, lockOnly, [16]byte(first)); err != nil {
				return fmt.Errorf("lock incident %s: %w", first, err)
			}
		}
		facts, err := s.lockOne(ctx, tx, id, how)
		if err != nil {
			return err
		}
		w = &working{tx: tx, facts: facts, first: first, record: &record{now: s.now()}}
		err = guarded(func() error {
			if err := do(w); err != nil {
				return err
			}
			return w.record.write(ctx, tx)
		})
		first = w.first
		return err
	})
	if err == nil {
		s.committed(w.record)
	}
	return w, err
}

// guarded turns a panic of the pure core into an error of this incident alone.
func guarded(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	return do()
}

func (s *Store) lockOne(ctx context.Context, tx pgx.Tx, id incident.ID, how reading) (*triage.Facts, error) {
	rows, err := tx.Query(ctx, how.lock, [16]byte(id))
	if err != nil {
		return nil, fmt.Errorf("lock incident %s: %w", id, err)
	}
	locked, err := pgx.CollectRows(rows, scanIncident)
	if err != nil {
		return nil, fmt.Errorf("lock incident %s: %w", id, err)
	}
	if len(locked) == 0 && how == ifFree {
		return nil, errBusy
	}
	if len(locked) == 0 {
		return nil, fault.Missing("incident", id.String())
	}
	mode, err := automation(tx.QueryRow(ctx, holdAutomation))
	if err != nil {
		return nil, fmt.Errorf("read automation: %w", err)
	}
	if how.guards {
		if _, err := tx.Exec(ctx, lockGuards); err != nil {
			return nil, fmt.Errorf("lock guards: %w", err)
		}
	}
	facts, _, err := s.facts(ctx, tx, locked, mode, s.now(), how.evidence)
	return facts[id], err
}

// holderOf finds the incident that holds a key, or that would reopen under it
// because it was resolved not long ago.
const holderOf = `select id from incidents where key = $1 and id <> $2
	and (state <> 'resolved' or resolved_at > $3 and merged_into is null)
	order by state = 'resolved', resolved_at desc limit 1`

// follow writes an outcome. Where a diagnosis gave the incident a key that
// another one holds, that one survives and gets what arrived.
func (s *Store) follow(ctx context.Context, w *working, o triage.Outcome, arrivals []triage.Arrival) error {
	w.after = o
	if o.Incident.Key == w.facts.Incident.Key || !o.Incident.Open() {
		w.record.add(*w.facts, o, s.ids, known{}.stored)
		return nil
	}
	var holder [16]byte
	since := w.record.now.Add(-s.policy().Settings().Recurrence)
	err := w.tx.QueryRow(ctx, holderOf, o.Incident.Key, [16]byte(o.Incident.ID), since).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		w.record.add(*w.facts, o, s.ids, known{}.stored)
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the holder of %s: %w", o.Incident.Key, err)
	}
	return s.merge(ctx, w, holder, since, arrivals)
}

// merge hands an incident over to the one that holds its key: alerts and
// intents move, running ones keep their lease.
func (s *Store) merge(ctx context.Context, w *working, holder incident.ID, since time.Time, arrivals []triage.Arrival) error {
	// Incidents are locked in the order of their ids by everybody: where the holder
	// comes first, the transaction begins again and locks it first.
	if bytes.Compare(holder[:], w.facts.Incident.ID[:]) < 0 && w.first != holder {
		w.first = holder
		return errRace
	}
	into, err := s.lockOne(ctx, w.tx, holder, withEvidence)
	if err != nil {
		return err
	}
	if i := into.Incident; !i.Open() && (i.MergedInto != nil || !i.ResolvedAt.After(since)) {
		return errRace
	}
	from, survivor := triage.Merge(s.policy(), *w.facts, *into, arrivals, w.record.now, s.ids)
	moved := [16]byte(holder)
	for _, table := range []string{"intents", "results", "alerts"} {
		if _, err := w.tx.Exec(ctx, `update `+table+` set incident_id = $1 where incident_id = $2`, moved, [16]byte(from.Incident.ID)); err != nil {
			return fmt.Errorf("move %s to incident %s: %w", table, holder, err)
		}
	}
	if _, err := w.tx.Exec(ctx, moveRepairs, moved, [16]byte(from.Incident.ID), holder.String()); err != nil {
		return fmt.Errorf("move repairs to incident %s: %w", holder, err)
	}
	w.record.add(*w.facts, from, s.ids, known{}.stored)
	w.record.add(survivor.Facts, survivor.Outcome, s.ids, known{}.stored)
	w.after = survivor.Outcome
	return nil
}

// name is a thing named by its id or by what people say.
type name struct {
	id     *[16]byte
	number *int64
}

func parseName(s, prefix string) (name, error) {
	if digits, ok := strings.CutPrefix(strings.ToUpper(s), prefix); ok {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && n > 0 {
			return name{number: &n}, nil
		}
	}
	id, err := incident.ParseID(s)
	if err != nil {
		return name{}, fault.New(fault.NotFound, "%.64q is neither an id nor of the form %s123", s, prefix)
	}
	raw := [16]byte(id)
	return name{id: &raw}, nil
}
