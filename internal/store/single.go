package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

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
}

// reading says how an incident is locked and how much of it is read.
type reading struct {
	lock     string
	evidence bool
}

var (
	plainly      = reading{lockById, false}
	withEvidence = reading{lockById, true}
	ifFree       = reading{lockFree, true}
)

// errBusy says that an incident was to be taken only if nobody else had it.
var errBusy = errors.New("another transaction holds the incident")

const (
	lockById = `select ` + incidentColumns + ` from incidents where id = $1 for update`
	lockFree = lockById + ` skip locked`
)

// withIncident locks one incident, lets do decide, and writes what follows. do
// may be called again when another transaction was faster.
func (s *Store) withIncident(ctx context.Context, name string, id incident.ID, how reading, do func(*working) error) (*working, error) {
	var w *working
	err := s.inTx(ctx, name, func(tx pgx.Tx) error {
		facts, err := s.lockOne(ctx, tx, id, how)
		if err != nil {
			return err
		}
		w = &working{tx: tx, facts: facts, record: &record{now: s.now()}}
		if err := guarded(func() error { return do(w) }); err != nil {
			return err
		}
		return w.record.write(ctx, tx)
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
	mode, err := automation(tx.QueryRow(ctx, readAutomation))
	if err != nil {
		return nil, fmt.Errorf("read automation: %w", err)
	}
	facts, err := s.facts(ctx, tx, locked, mode, how.evidence)
	return facts[id], err
}

// follow writes an outcome. Where a diagnosis gave the incident a key that
// another open incident holds, the holder survives and gets what arrived.
func (s *Store) follow(ctx context.Context, w *working, o triage.Outcome, arrivals []triage.Arrival) error {
	w.after = o
	if o.Incident.Key == w.facts.Incident.Key || !o.Incident.Open() {
		w.record.add(*w.facts, o, s.ids)
		return nil
	}
	var holder [16]byte
	err := w.tx.QueryRow(ctx, `select id from incidents where key = $1 and state <> 'resolved' and id <> $2`,
		o.Incident.Key, [16]byte(o.Incident.ID)).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		w.record.add(*w.facts, o, s.ids)
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the holder of %s: %w", o.Incident.Key, err)
	}
	return s.merge(ctx, w, holder, arrivals)
}

// merge hands an incident over to the one that holds its key: alerts and
// intents move, running ones keep their lease.
func (s *Store) merge(ctx context.Context, w *working, holder incident.ID, arrivals []triage.Arrival) error {
	into, err := s.lockOne(ctx, w.tx, holder, withEvidence)
	if err != nil {
		return err
	}
	if !into.Incident.Open() {
		return errRace
	}
	from, survivor := triage.Merge(s.policy(), *w.facts, *into, arrivals, w.record.now, s.ids)
	moved := [16]byte(holder)
	for _, table := range []string{"intents", "results", "alerts"} {
		if _, err := w.tx.Exec(ctx, `update `+table+` set incident_id = $1 where incident_id = $2`, moved, [16]byte(from.Incident.ID)); err != nil {
			return fmt.Errorf("move %s to incident %s: %w", table, holder, err)
		}
	}
	w.record.add(*w.facts, from, s.ids)
	w.record.add(survivor.Facts, survivor.Outcome, s.ids)
	w.after = survivor.Outcome
	return nil
}

// home is where an intent lives.
type home struct {
	intent, incident incident.ID
	effect           incident.Effect
}

// intentHome finds the incident of an intent, named by id or short id.
func (s *Store) intentHome(ctx context.Context, name string) (home, error) {
	var h home
	n, err := parseName(name, "INT-")
	if err != nil {
		return h, err
	}
	err = s.pool.QueryRow(ctx, `select id, incident_id, effect from intents where id = $1 or number = $2`, n.id, n.number).
		Scan((*[16]byte)(&h.intent), (*[16]byte)(&h.incident), &h.effect)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, fault.Missing("intent", name)
	}
	return h, translate("find intent "+name, err)
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
