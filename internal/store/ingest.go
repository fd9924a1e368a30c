package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/triage"
)

// Receipt is what became of one delivered event.
type Receipt struct {
	Taken      triage.Taken
	IncidentID incident.ID
	State      incident.State // of the incident, where it was touched
	Diagnosis  *incident.Diagnosis
	Decision   *incident.Decision
	Intents    []incident.Intent // live ones of the incident
	Err        error
}

// delivery is one event on its way through a batch.
type delivery struct {
	event   incident.Event
	receipt Receipt
}

// ingest takes deliveries in one transaction. Deliveries that are durable
// already need none: a batch of duplicates is one read.
func (s *Store) ingest(ctx context.Context, batch []*delivery) error {
	var err error
	for range maxTries {
		if err = s.ingestOnce(ctx, batch); !lostRace(err) {
			return err
		}
	}
	return err
}

func (s *Store) ingestOnce(ctx context.Context, batch []*delivery) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	start := time.Now()
	known, err := readKnown(ctx, conn.Conn(), batch)
	if err != nil {
		return fmt.Errorf("read known alerts: %w", err)
	}
	s.watch.Stage("read", time.Since(start))
	if s.onlyRepeats(batch, known) {
		return nil
	}
	return s.commitBatch(ctx, conn.Conn(), batch, known)
}

// known is what one read shows of a batch's episodes.
type known struct {
	alerts  map[incident.Episode]incident.Alert
	intents map[incident.ID][]incident.Intent
}

const readLiveIntentsOfAlerts = `select ` + intentColumns + ` from intents
	where incident_id = any(array(select incident_id from alerts where episode = any($1::bytea[])))
	and state in ('waiting','awaiting_approval','rechecking','holding','blocked','ready','running') order by incident_id, id`

func readKnown(ctx context.Context, conn *pgx.Conn, batch []*delivery) (known, error) {
	episodes := episodesOf(batch)
	var b pgx.Batch
	b.Queue(readAlerts, episodes)
	b.Queue(readLiveIntentsOfAlerts, episodes)
	br := conn.SendBatch(ctx, &b)
	defer br.Close()
	k := known{alerts: map[incident.Episode]incident.Alert{}, intents: map[incident.ID][]incident.Intent{}}
	alerts, err := collect(br, scanAlert)
	if err != nil {
		return k, err
	}
	for _, a := range alerts {
		k.alerts[a.Episode] = a
	}
	intents, err := collect(br, scanIntent)
	for _, in := range intents {
		k.intents[in.IncidentID] = append(k.intents[in.IncidentID], in)
	}
	return k, err
}

func episodesOf(batch []*delivery) [][]byte {
	episodes := make([][]byte, 0, len(batch))
	for _, d := range batch {
		episodes = append(episodes, d.event.Episode[:])
	}
	slices.SortFunc(episodes, slices.Compare[[]byte])
	return slices.CompactFunc(episodes, slices.Equal[[]byte])
}

// onlyRepeats answers a batch in which every delivery is known already.
func (s *Store) onlyRepeats(batch []*delivery, k known) bool {
	for _, d := range batch {
		a, ok := k.alerts[d.event.Episode]
		if !ok || triage.Classify(d.event, &a).Outcome != incident.Duplicate {
			return false
		}
	}
	for _, d := range batch {
		a := k.alerts[d.event.Episode]
		d.receipt = s.repeated(triage.Classify(d.event, &a), a.IncidentID, k.intents[a.IncidentID])
	}
	return true
}

func (s *Store) repeated(class triage.Class, id incident.ID, live []incident.Intent) Receipt {
	if class.Outcome == incident.Duplicate {
		s.countRepeat(id)
	}
	return Receipt{
		Taken:      triage.Taken{Outcome: class.Outcome, Reasons: []string{class.Reason}},
		IncidentID: id, Intents: live,
	}
}

// group is what a batch brings to one incident.
type group struct {
	facts      triage.Facts
	arrivals   []triage.Arrival
	deliveries []*delivery
	outcome    triage.Outcome
}

// commitBatch is the one transaction: lock, read, decide, write, commit. Locking
// and writing are a round trip each, whatever the batch's size.
func (s *Store) commitBatch(ctx context.Context, conn *pgx.Conn, batch []*delivery, k known) error {
	locked, mode, err := s.lockFor(ctx, conn, batch, k)
	defer rollback(conn)
	if err != nil {
		return err
	}
	groups, record, err := s.triageBatch(ctx, conn, batch, k, locked, mode)
	if err != nil {
		return err
	}
	if err := s.finish(ctx, conn, record); err != nil {
		return err
	}
	s.answer(groups, record)
	return nil
}

// lockFor begins the transaction and locks what the batch touches, in one round trip.
func (s *Store) lockFor(ctx context.Context, conn *pgx.Conn, batch []*delivery, k known) ([]incident.Incident, incident.Automation, error) {
	start := time.Now()
	var ids []incident.ID
	for _, a := range k.alerts {
		if !a.IncidentID.IsZero() {
			ids = append(ids, a.IncidentID)
		}
	}
	var keys []string
	for _, d := range batch {
		keys = append(keys, d.event.Key())
	}
	var b pgx.Batch
	b.Queue("begin")
	b.Queue(lockIncidents, uuids(ids), keys, s.now().Add(-s.policy().Settings().Recurrence))
	b.Queue(readAutomation)
	br := conn.SendBatch(ctx, &b)
	defer br.Close()
	if _, err := br.Exec(); err != nil {
		return nil, "", fmt.Errorf("begin: %w", err)
	}
	locked, err := collect(br, scanIncident)
	if err != nil {
		return nil, "", fmt.Errorf("lock incidents: %w", err)
	}
	mode, err := automation(br.QueryRow())
	s.watch.Stage("lock", time.Since(start))
	return locked, mode, err
}

// rollback ends a transaction that was not committed; after a commit it does
// nothing. A connection that cannot even do that is closed, not reused.
func rollback(conn *pgx.Conn) {
	if conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		_ = conn.Close(ctx)
	}
}

// triageBatch is the middle: what follows from all that, without a write yet.
func (s *Store) triageBatch(ctx context.Context, tx batcher, batch []*delivery, k known, locked []incident.Incident, mode incident.Automation) ([]*group, *record, error) {
	evidence := slices.ContainsFunc(batch, func(d *delivery) bool { return len(d.event.Evidence) > 0 })
	start := time.Now()
	facts, err := s.facts(ctx, tx, locked, mode, evidence)
	if err != nil {
		return nil, nil, err
	}
	s.watch.Stage("facts", time.Since(start))
	start = time.Now()
	now := s.now()
	record := &record{now: now}
	groups, err := s.assign(batch, k, facts, locked, mode, record)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range groups {
		if err := s.run(g, now); err != nil {
			return nil, nil, err
		}
		record.add(g.facts, g.outcome, s.ids)
		record.took(g)
	}
	s.watch.Stage("triage", time.Since(start))
	return groups, record, nil
}

// assign sorts deliveries into groups, one an incident, in order of arrival.
func (s *Store) assign(batch []*delivery, k known, facts map[incident.ID]*triage.Facts, locked []incident.Incident, mode incident.Automation, record *record) ([]*group, error) {
	events := make([]incident.Event, len(batch))
	for i, d := range batch {
		events[i] = d.event
	}
	var groups []*group
	byID := map[incident.ID]*group{}
	for i, a := range triage.Assign(events, triage.Known{Alerts: k.alerts, Open: holders(locked)}, s.ids) {
		d := batch[i]
		if !a.Class.Change {
			d.receipt = s.repeated(a.Class, a.Incident, k.intents[a.Incident])
			record.orphan(d, k)
			continue
		}
		g := byID[a.Incident]
		if g == nil {
			f := facts[a.Incident]
			if a.New {
				f = &triage.Facts{New: true, Incident: incident.Incident{ID: a.Incident, Key: d.event.Key()}, Automation: mode}
			}
			if f == nil {
				return nil, errRace // it became known after the read and before the lock
			}
			g = &group{facts: *f}
			byID[a.Incident] = g
			groups = append(groups, g)
		}
		g.arrivals = append(g.arrivals, triage.Arrival{Event: d.event})
		g.deliveries = append(g.deliveries, d)
	}
	return groups, nil
}

// holders maps keys to the incident that is open under them, else to the one
// that would reopen.
func holders(locked []incident.Incident) map[string]incident.ID {
	open := make(map[string]incident.ID, len(locked))
	for _, i := range locked {
		if _, taken := open[i.Key]; i.MergedInto == nil && (i.Open() || !taken) {
			open[i.Key] = i.ID
		}
	}
	return open
}

// orphan records what belongs to no incident: a resolution of something that was
// never seen firing. It makes a late firing of the same episode stale.
func (w *record) orphan(d *delivery, k known) {
	if d.receipt.Taken.Outcome != incident.Suppressed {
		return
	}
	w.events = append(w.events, eventRow{d.event, incident.Suppressed, d.receipt.IncidentID})
	if _, isKnown := k.alerts[d.event.Episode]; isKnown || d.event.Status != incident.Resolved {
		return
	}
	for _, a := range w.newAlerts {
		if a.Episode == d.event.Episode {
			return
		}
	}
	w.newAlerts = append(w.newAlerts, incident.Alert{
		Episode: d.event.Episode, Status: incident.Resolved, Name: d.event.Name, Source: d.event.Source,
		Subject: d.event.Subject, Fingerprint: d.event.Fingerprint, StartsAt: d.event.StartsAt, EndsAt: d.event.EndsAt,
	})
}

// run calls the pure core; its panic is an error of this group alone.
func (s *Store) run(g *group, now time.Time) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	g.outcome = triage.Run(s.policy(), g.facts, g.arrivals, now, s.ids)
	// A batch holds locks for the keys it came with. An incident that turns out to
	// belong under another key moves there with its next result, in a transaction
	// of its own.
	if inc := &g.outcome.Incident; inc.Key != g.facts.Incident.Key {
		inc.Key, inc.Target, inc.Family = g.facts.Incident.Key, g.target(), g.family()
	}
	return nil
}

func (g *group) target() incident.Target {
	if g.facts.New {
		return g.arrivals[0].Event.Target
	}
	return g.facts.Incident.Target
}

func (g *group) family() string {
	if g.facts.New {
		return g.arrivals[0].Event.Family
	}
	return g.facts.Incident.Family
}

// finish writes and commits in one round trip. An error leaves nothing behind.
func (s *Store) finish(ctx context.Context, conn *pgx.Conn, record *record) error {
	start := time.Now()
	var b pgx.Batch
	list := record.queue(&b)
	b.Queue("commit")
	br := conn.SendBatch(ctx, &b)
	err := record.read(br, list, func(name string) {
		s.watch.Stage(name, time.Since(start))
		start = time.Now()
	})
	if err == nil {
		_, err = br.Exec()
		s.watch.Stage("commit", time.Since(start))
	}
	if closeErr := br.Close(); err == nil {
		err = closeErr
	}
	return err
}

// took keeps what arrived, as it arrived; repeats are only counted.
func (w *record) took(g *group) {
	for i, d := range g.deliveries {
		d.receipt.Taken, d.receipt.IncidentID = g.outcome.Taken[i], g.outcome.Incident.ID
		if d.receipt.Taken.Outcome != incident.Duplicate {
			w.events = append(w.events, eventRow{d.event, d.receipt.Taken.Outcome, g.outcome.Incident.ID})
		}
	}
}

// answer fills the receipts once everything is durable.
func (s *Store) answer(groups []*group, record *record) {
	for _, g := range groups {
		live := liveIntents(g.outcome.All, record.numbers)
		for i, d := range g.deliveries {
			d.receipt = Receipt{
				Taken: g.outcome.Taken[i], IncidentID: g.outcome.Incident.ID, State: g.outcome.Incident.State,
				Diagnosis: &g.outcome.Diagnosis, Decision: &g.outcome.Decision, Intents: live,
			}
		}
	}
	s.committed(record)
}

// committed tells the observer what is now durable.
func (s *Store) committed(w *record) {
	c := Committed{Took: map[string]time.Duration{}}
	for _, j := range w.judged {
		c.Judged = append(c.Judged, JudgedCause{
			Cause: j.diagnosis.Cause, NewCause: j.diagnosis.Cause != j.before, Severity: j.severity, Verdict: j.decision.Verdict,
		})
	}
	c.Intents = append(c.Intents, w.intents...)
	for _, m := range w.moves {
		c.Intents = append(c.Intents, m.Intent)
	}
	for _, r := range w.results {
		for _, in := range c.Intents {
			if in.ID == r.result.IntentID && in.Effect == incident.Change && !r.result.StartedAt.IsZero() {
				c.Took[in.Action] = max(0, r.result.FinishedAt.Sub(r.result.StartedAt))
			}
		}
	}
	for _, a := range w.audit {
		if action, _, ok := strings.Cut(a.Object, " "); ok && a.Operation == "claim.refused" {
			c.Refused = append(c.Refused, action)
		}
	}
	s.watch.Committed(c)
}

func liveIntents(all []incident.Intent, numbers map[incident.ID]int64) []incident.Intent {
	var live []incident.Intent
	for _, in := range all {
		if in.State.Terminal() {
			continue
		}
		if n, ok := numbers[in.ID]; ok {
			in.ShortID = incident.IntentNumber(n)
		}
		live = append(live, in)
	}
	return live
}
