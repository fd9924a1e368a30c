package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Options are what the store needs beside its address.
type Options struct {
	Policy  func() *policy.Policy // the policy in force
	IDs     incident.IDs
	Now     func() time.Time
	Observe Observer
}

// Observer is told where time goes and what happened; the zero value listens to nothing.
type Observer struct {
	Stage     func(stage string, d time.Duration)
	Batch     func(deliveries int)
	Outcome   func(o incident.Outcome, n int)
	Committed func(Committed)
}

// Committed is what one transaction made true, for those who count.
type Committed struct {
	Judged  []JudgedCause
	Intents []incident.Intent        // new ones and those that changed state
	Took    map[string]time.Duration // changes that ended: action and how long the executor took
	Refused []string                 // actions whose claim was refused
	Stopped []Stop                   // what guards stopped
}

// Stop is one guard that stopped a change.
type Stop struct {
	Guard string
	At    string // decision, claim
}

// JudgedCause is one diagnosis and decision that was written.
type JudgedCause struct {
	Cause    string
	NewCause bool // it is not what was known before
	Severity incident.Severity
	Verdict  incident.Verdict
}

// Store is Salve's memory.
type Store struct {
	pool   *pgxpool.Pool
	policy func() *policy.Policy
	ids    incident.IDs
	now    func() time.Time
	watch  Observer

	repeatsMu sync.Mutex
	repeats   map[incident.ID]int64 // duplicates not yet counted on their incidents
	seen      map[string]time.Time  // sources heard of and not yet noted
}

// Open connects. The database must be migrated already.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	// Every statement here is written for an index. A plan that was made while the
	// tables were empty must not become a scan in the middle of a storm.
	for _, scan := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		config.ConnConfig.RuntimeParams[scan] = "off"
	}
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.RuntimeParams["application_name"] = "salve"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	// Times are as fine as Postgres keeps them, so that what was written compares
	// equal to what is read.
	now := func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) }
	return &Store{
		pool: pool, policy: o.Policy, ids: o.IDs, now: now, watch: o.Observe.orSilent(),
		repeats: map[incident.ID]int64{}, seen: map[string]time.Time{},
	}, nil
}

func (o Observer) orSilent() Observer {
	if o.Stage == nil {
		o.Stage = func(string, time.Duration) {}
	}
	if o.Batch == nil {
		o.Batch = func(int) {}
	}
	if o.Outcome == nil {
		o.Outcome = func(incident.Outcome, int) {}
	}
	if o.Committed == nil {
		o.Committed = func(Committed) {}
	}
	return o
}

// Close waits for connections in use and closes them.
func (s *Store) Close() { s.pool.Close() }

// Ping says whether the database answers and takes writes.
func (s *Store) Ping(ctx context.Context) error {
	var readOnly bool
	err := s.pool.QueryRow(ctx, `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'`).Scan(&readOnly)
	switch {
	case err != nil:
		return fmt.Errorf("ping database: %w", err)
	case readOnly:
		return errors.New("the database takes no writes: it is a standby or read-only")
	}
	return nil
}

// Migrations gives the schema version that is there and the one this program wants.
func (s *Store) Migrations(ctx context.Context) (have, want int64, err error) {
	return MigrationVersion(ctx, s.pool)
}

// maxTries bounds how often one transaction runs again after losing a race.
const maxTries = 8

// inTx runs do in one transaction and commits it. Transactions that lost a race
// (serialisation, deadlock, a unique index claimed by another) run again on
// fresh facts, so do may be called more than once.
func (s *Store) inTx(ctx context.Context, name string, do func(pgx.Tx) error) error {
	var err error
	for range maxTries {
		err = pgx.BeginFunc(ctx, s.pool, do)
		if !lostRace(err) {
			break
		}
	}
	return translate(name, err)
}
