package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/handlers"
	salvehttp "salve/internal/http"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/postgres"
	"salve/internal/store"
	"salve/internal/telemetry"
)

type serveCommand struct{ config }

// Run starts everything in order and stops it in reverse: the edge first, so
// that requests in flight finish; the clock; the committer, so that what was
// taken is durable; the store; the database last.
func (c serveCommand) Run(env *environment) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	s := &service{config: c.config, log: c.logger(env.stdout), metrics: telemetry.New(version()), ticks: make(chan struct{}, 1)}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, start := range []func(context.Context) error{
		s.loadPolicy, s.openKeys, s.openDatabase, s.openStore, s.startWork, s.openDoors,
	} {
		if err := start(env.ctx); err != nil {
			return err
		}
	}
	return s.serve(env.ctx)
}

// gcPercent lets the heap grow further between collections than Go's default.
// What lives long in Salve is small; nearly all memory dies with its request, so
// that collecting often costs a third of the processor in a storm and frees
// nothing more.
const gcPercent = 800

// memoryLimit is where collecting becomes eager again; GOMEMLIMIT sets another.
const memoryLimit = 1 << 30

// bodiesInFlight is what all bodies under way may take together; beyond it
// callers are told to come back.
const bodiesInFlight = 64 << 20

// service is the running program, built step by step.
type service struct {
	config   config
	log      zerolog.Logger
	metrics  *telemetry.Metrics
	policy   policyFile
	checks   checklistFile
	verifier *identity.Verifier
	database secret
	broken   <-chan struct{} // closed when the private database ends by itself
	store    *store.Store
	commits  *store.Committer
	edge     *salvehttp.Server
	listener net.Listener
	ids      idSource
	ticks    chan struct{} // of the heartbeat: tasks may be due

	cleanups []cleanup
}

type cleanup struct {
	name string
	do   func() error
}

func (s *service) onStop(name string, do func() error) {
	s.cleanups = append(s.cleanups, cleanup{name, do})
}

// stop undoes what was started, last first, whatever fails on the way.
func (s *service) stop() error {
	var all []error
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		if err := s.cleanups[i].do(); err != nil {
			all = append(all, fmt.Errorf("stop %s: %w", s.cleanups[i].name, err))
		}
	}
	s.cleanups = nil
	return errors.Join(all...)
}

func (s *service) loadPolicy(context.Context) error {
	s.policy.path = s.config.Policy
	s.checks.path = s.config.Checklist
	_, err := s.checks.load()
	return errors.Join(s.policy.load(), err)
}

func (s *service) policyInForce() *policy.Policy { return s.policy.current() }

func (s *service) openKeys(context.Context) error {
	ring, err := identity.OpenKeyring(s.config.Keys)
	if err != nil {
		return fmt.Errorf("SALVE_JWT_KEYS: %w", err)
	}
	s.verifier, err = identity.NewVerifier(ring, identity.Config{
		Audience: s.config.Audience, Issuer: s.config.Issuer, DenyFile: s.config.Deny,
	}, time.Now)
	return err
}

// openDatabase uses the given Postgres, or starts a private one.
func (s *service) openDatabase(ctx context.Context) error {
	s.database = s.config.Database
	if s.database == "" {
		private, err := postgres.Start(ctx, postgres.Options{DataDir: s.config.databaseDir(), Log: serverLog{s.log}})
		if err != nil {
			return fmt.Errorf("private database: %w", err)
		}
		s.onStop("private database", func() error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			return private.Stop(ctx)
		})
		s.database, s.broken = secret(private.URL()), private.Done()
	}
	if err := store.Migrate(ctx, string(s.database)); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", s.database.hide(err))
	}
	return nil
}

func (s *service) openStore(ctx context.Context) error {
	var err error
	s.store, err = store.Open(ctx, string(s.database), store.Options{
		Policy: s.policyInForce, IDs: s.ids.next, Now: now, Observe: s.metrics.Observer(),
	})
	if err != nil {
		return err
	}
	s.onStop("store", func() error { s.store.Close(); return nil })
	first := store.Automation{Mode: incident.Automation(s.config.Automation), Reason: "first start", By: "salve"}
	s.metrics.WatchActive(s.store.Active)
	s.metrics.WatchStanding(s.store.Standing)
	s.metrics.WatchHeartbeat(s.store.HeartbeatHeard, now)
	return errors.Join(
		s.store.EnsurePartitions(ctx),
		s.store.ActivatePolicy(ctx, s.policyInForce().Version(), s.policyInForce().Source(), "salve"),
		s.store.SetAutomation(ctx, first, true),
	)
}

// startWork starts what goes on beside requests.
func (s *service) startWork(context.Context) error {
	s.commits = store.NewCommitter(s.store)
	s.commits.Start()
	s.onStop("committer", func() error { s.commits.Stop(); return nil })
	loops := newLoops(s.log)
	loops.every(250*time.Millisecond, "let time pass", tickUntilDone(s.store))
	loops.every(time.Second, "count repeats", s.store.FlushRepeats)
	loops.every(time.Second, "note sources", s.store.FlushHeard)
	loops.every(time.Second, "watch storms", s.watchStorms)
	loops.every(time.Second, "watch the heartbeat", s.watchHeartbeat)
	repeat(loops, s.ticks, "run tasks", s.tasks().RunDue)
	loops.every(time.Second, "reload policy", func(ctx context.Context) error { return s.reloadPolicy(ctx, false) })
	loops.every(time.Second, "reload checklist", s.reloadChecklist)
	s.onHangup(loops.ctx)
	loops.every(time.Minute, "propose promotions", s.store.ProposePromotions)
	loops.every(time.Hour, "put freezes away", s.store.PutAwayFreezes)
	loops.every(time.Second, "seal audit", sealer(s.store))
	loops.every(time.Hour, "make partitions", s.store.EnsurePartitions)
	loops.every(time.Hour, "forget answers", s.store.ForgetAnswers)
	loops.every(5*time.Second, "reload keys", func(context.Context) error {
		changed, err := s.verifier.Reload()
		if changed {
			s.log.Info().Msg("keys reloaded")
		}
		return err
	})
	s.onStop("loops", func() error {
		loops.stop()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(s.store.FlushRepeats(ctx), s.store.FlushHeard(ctx))
	})
	return nil
}

// onHangup reads the policy again when a SIGHUP asks for it.
func (s *service) onHangup(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	go func() {
		defer signal.Stop(asked)
		for {
			select {
			case <-ctx.Done():
				return
			case <-asked:
				_ = s.reloadPolicy(ctx, true) // it is logged and shown
			}
		}
	}()
}

// watchStorms tells of storms through the door that every alert takes.
func (s *service) watchStorms(ctx context.Context) error {
	news, err := s.store.WatchStorm(ctx)
	if err != nil {
		return err
	}
	for _, e := range news {
		receipts, err := s.commits.Take(ctx, []incident.Event{e})
		if err == nil {
			err = receipts[0].Err
		}
		if err != nil {
			return fmt.Errorf("tell of storm %s: %w", e.Fingerprint, err)
		}
		if err := s.store.StormTold(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// watchHeartbeat tells of n8n's silence, likewise. With n8n gone nobody is told by it:
// Prometheus reads the age of the heartbeat for that.
func (s *service) watchHeartbeat(ctx context.Context) error {
	news, err := s.store.WatchHeartbeat(ctx)
	if err != nil || len(news) == 0 {
		return err
	}
	receipts, err := s.commits.Take(ctx, news)
	if err == nil {
		err = receipts[0].Err
	}
	return err
}

// openDoors wires the use cases to the edge and begins to listen.
func (s *service) openDoors(ctx context.Context) error {
	var err error
	s.edge, err = salvehttp.New(salvehttp.Options{
		UseCases: s.useCases(ctx.Done()), Verifier: s.verifier, Logger: s.log,
		Metrics: s.metrics.Handler(), MetricsOpen: s.config.Metrics == "open",
		PublicURL: s.config.PublicURL, MaxBodyBytes: bodiesInFlight,
		Ready: []salvehttp.Check{
			{Name: "database", Probe: s.store.Ping},
			{Name: "migrations", Probe: s.migrated},
			{Name: "policy", Probe: func(context.Context) error { return nil }, Detail: s.policy.detail},
		},
		Observe: func(o salvehttp.Observation) {
			s.metrics.Request(o.Method, o.Route, o.Status, o.Took, string(o.Refusal))
		},
	})
	if err != nil {
		return err
	}
	s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("SALVE_ADDR: %w; SALVE_ADDR=127.0.0.1:8081 chooses another port", err)
	}
	return nil
}

// useCases are the rooms behind the doors. No poll outlasts stop.
func (s *service) useCases(stop <-chan struct{}) salvehttp.UseCases {
	stage := s.metrics.Observer().Stage
	once := &handlers.Once{Answers: s.store}
	intake := &handlers.Intake{
		Taker: s.commits, Once: once, Policy: s.policyInForce, Now: now, IDs: s.ids.next,
		Decoded: func(took time.Duration) { stage("decode", took) },
	}
	evidence := &handlers.Evidence{Store: s.store, Once: once, Policy: s.policyInForce, Now: now, IDs: s.ids.next}
	monitoring := &handlers.Monitoring{Taker: s.commits, Store: s.store, Once: once, Policy: s.policyInForce, Now: now, IDs: s.ids.next}
	intents := &handlers.Intents{Store: s.store, Now: now, IDs: s.ids.next}
	incidents := &handlers.Incidents{Store: s.store}
	operator := &handlers.Operator{Store: s.store, Policy: s.policyInForce, Now: now}
	guards := &handlers.Guards{Store: s.store, Now: now}
	checks := &handlers.Checks{
		Taker: s.commits, Store: s.store, Once: once, Policy: s.policyInForce, Checklist: s.checks.current, Now: now, IDs: s.ids.next,
	}
	capacity := &handlers.Capacity{Taker: s.commits, Store: s.store, Once: once, Policy: s.policyInForce, Now: now, IDs: s.ids.next}
	heartbeat := &handlers.Heartbeat{Store: s.store, Checklist: s.checks.current, Every: 500 * time.Millisecond, Stop: stop, Ticked: s.tick}
	tasks := s.tasks()
	simulate := &handlers.Simulate{Store: s.store, Policy: s.policyInForce, Now: now, IDs: s.ids.next}
	reports := s.reports()
	relay := &handlers.Slack{Store: s.store, Incidents: incidents, Intents: intents, Guards: guards, Operator: operator, Policy: s.policyInForce, Now: now}
	return salvehttp.UseCases{
		Intake: intake.Alerts, Evidence: evidence.Take, Monitoring: monitoring.Take,
		Capacity: capacity.Take, Checks: checks.Take, ListChecks: plain(checks.List),
		Tasks: plain(tasks.List), RunTask: tasks.Run,
		Claim: intents.Claim, Result: intents.Result, Crashed: intents.Crashed, Heartbeat: heartbeat.Beat,
		Approve: intents.Approve, Reject: intents.Reject, Abort: intents.Abort,
		ListIntents: intents.List, ShowIntent: intents.Show,
		ListIncidents: incidents.List, ShowIncident: incidents.Show, Decisions: incidents.Decisions,
		Ack: incidents.Ack, Resolve: incidents.Resolve,
		Report: reports.Incident, Day: reports.Day, Week: reports.Week, Briefing: plain(reports.Briefing),
		SlackCommand: relay.Command, SlackClick: relay.Interaction, SlackEvent: relay.Event,
		Automation:    plain(operator.Automation),
		SetAutomation: operator.SetAutomation,
		Policy:        plain(operator.ShowPolicy), Simulate: simulate.Run,
		VerifyAudit: plain(operator.VerifyAudit),
		Freezes:     plain(guards.Freezes), AddFreeze: guards.AddFreeze, EndFreeze: guards.EndFreeze,
		Breakers: plain(guards.Breakers), ResetBreaker: guards.ResetBreaker,
		Promotions: plain(guards.Promotions), Promote: guards.Promote, RejectPromote: guards.RejectPromotion,
	}
}

func (s *service) reports() *handlers.Reports {
	return &handlers.Reports{Store: s.store, Policy: s.policyInForce, Now: now}
}

func (s *service) tasks() *handlers.Tasks {
	return &handlers.Tasks{
		Taker: s.commits, Store: s.store, Reports: s.reports(), Checklist: s.checks.current, Now: now, IDs: s.ids.next,
	}
}

// tick wakes the loop of the tasks, and waits for nothing.
func (s *service) tick() {
	select {
	case s.ticks <- struct{}{}:
	default:
	}
}

// plain fits a use case that takes nothing to the edge.
func plain[Resp any](use func(context.Context, identity.Caller) (Resp, error)) salvehttp.UseCase[salvehttp.None, Resp] {
	return func(ctx context.Context, caller identity.Caller, _ salvehttp.None) (Resp, error) {
		return use(ctx, caller)
	}
}

func (s *service) migrated(ctx context.Context) error {
	have, want, err := s.store.Migrations(ctx)
	if err == nil && have != want {
		err = fmt.Errorf("the schema is at version %d, this program wants %d", have, want)
	}
	return err
}

// serve answers until ctx ends, or the private database dies under it.
func (s *service) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.broken != nil {
		go func() {
			select {
			case <-s.broken:
				cancel(errors.New("the private database ended by itself; its log is above"))
			case <-ctx.Done():
			}
		}()
	}
	mode, err := s.store.Automation(ctx)
	if err != nil {
		return err
	}
	if err := s.writeAddress(); err != nil {
		return err
	}
	s.log.Info().Str("addr", s.listener.Addr().String()).Str("automation", string(mode.Mode)).
		Str("policy", s.policyInForce().Version()).Str("version", version()).Bool("private_database", s.broken != nil).Msg("salve is ready")
	err = s.edge.Serve(ctx, s.listener)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	s.log.Info().Msg("salve has stopped")
	return err
}

// writeAddress leaves the address where scripts find it when the system chose
// the port. Otherwise nothing is written: beside a database of its own Salve
// needs no disk.
func (s *service) writeAddress() error {
	if _, port, _ := net.SplitHostPort(s.config.Addr); port != "0" {
		return nil
	}
	if err := os.MkdirAll(s.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("SALVE_DATA_DIR: %w", err)
	}
	return os.WriteFile(filepath.Join(s.config.DataDir, "address"), []byte(s.listener.Addr().String()+"\n"), 0o644)
}

func now() time.Time { return time.Now().UTC() }

// serverLog passes the private database's own lines on.
type serverLog struct{ log zerolog.Logger }

func (l serverLog) Write(line []byte) (int, error) {
	l.log.Debug().Str("from", "postgres").Msg(string(line))
	return len(line), nil
}
