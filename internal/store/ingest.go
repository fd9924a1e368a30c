package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	Intents    []incident.Intent // live ones of the incident, at least what is shown of them
	Err        error

	DiagnosisJSON, DecisionJSON json.RawMessage // the two above, as they were written
}

// delivery is one event on its way through a batch.
type delivery struct {
	event   incident.Event
	found   *known // what the reader saw; nil: it could not look
	receipt Receipt
}

// lookUp finds what is known of the deliveries' episodes, before any lock.
func (s *Store) lookUp(ctx context.Context, batch []*delivery) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	k, err := s.readKnown(ctx, conn.Conn(), batch)
	if err != nil {
		return err
	}
	for _, d := range batch {
		d.found = &k
	}
	return nil
}

// ingest takes deliveries in one transaction. It begins with what the reader
// found; when that turns out to be stale it looks again.
func (s *Store) ingest(ctx context.Context, batch []*delivery) error {
	found := foundBy(batch)
	var err error
	for range maxTries {
		err = guarded(func() error { return s.ingestOnce(ctx, batch, found) })
		if !lostRace(err) {
			return err
		}
		found = nil
	}
	return err
}

func (s *Store) ingestOnce(ctx context.Context, batch []*delivery, found *known) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	if found == nil {
		k, err := s.readKnown(ctx, conn.Conn(), batch)
		if err != nil {
			return err
		}
		found = &k
		for _, d := range batch {
			d.found = found
		}
	}
	if s.onlyRepeats(batch) {
		return nil
	}
	return s.commitBatch(ctx, conn.Conn(), batch, *found)
}

// foundBy joins what the reader found for a batch that came in several reads;
// the later read wins. It is nil when some delivery was never looked up.
func foundBy(batch []*delivery) *known {
	first := batch[0].found
	joined, several := first, false
	for _, d := range batch {
		switch {
		case d.found == nil:
			return nil
		case d.found == joined || several && d.found == first:
			continue
		case !several:
			joined, several = &known{alerts: maps.Clone(first.alerts), intents: maps.Clone(first.intents)}, true
		}
		maps.Copy(joined.alerts, d.found.alerts)
		maps.Copy(joined.intents, d.found.intents)
		first = d.found
	}
	return joined
}

// known is what one read shows of a batch's episodes.
type known struct {
	alerts  map[incident.Episode]incident.Alert
	intents map[incident.ID][]incident.Intent
}

// A repeat is answered with what is shown of an intent, and no more is read.
// The states are an argument so that no partial index fits and the look-up goes
// by incident: how much is live elsewhere must not matter.
const readLiveIntentsOfAlerts = `select id, number, incident_id, action, effect, mode, state, not_before, doc from intents
	where incident_id = any(array(select incident_id from alerts where episode = any($1::bytea[])))
	and state = any($2::text[]) order by incident_id, id`

func liveStates() []string {
	var live []string
	for _, state := range incident.IntentStates() {
		if !state.Terminal() {
			live = append(live, string(state))
		}
	}
	return live
}

func (s *Store) readKnown(ctx context.Context, conn *pgx.Conn, batch []*delivery) (known, error) {
	start := time.Now()
	k, err := readKnown(ctx, conn, batch)
	if err != nil {
		return k, fmt.Errorf("read known alerts: %w", err)
	}
	s.watch.Stage("read", time.Since(start))
	return k, nil
}

func readKnown(ctx context.Context, conn *pgx.Conn, batch []*delivery) (known, error) {
	episodes := episodesOf(batch)
	var b pgx.Batch
	b.Queue(readAlerts, episodes)
	b.Queue(readLiveIntentsOfAlerts, episodes, liveStates())
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
	intents, err := collect(br, scanShownIntent)
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

// mayExecute says whether all who are answered may execute. In a mixed batch what
// becomes ready counts as offered to nobody: the heartbeat may offer it once more,
// and the second claim is refused.
func mayExecute(batch []*delivery) bool {
	return !slices.ContainsFunc(batch, func(d *delivery) bool { return !d.event.MayExecute })
}

// onlyRepeats answers deliveries that are all known already: they are durable, and
// nothing is written for them but a count.
func (s *Store) onlyRepeats(batch []*delivery) bool {
	for _, d := range batch {
		if d.found == nil {
			return false
		}
		a, ok := d.found.alerts[d.event.Episode]
		if !ok || triage.Classify(d.event, &a).Outcome != incident.Duplicate {
			return false
		}
	}
	for _, d := range batch {
		a := d.found.alerts[d.event.Episode]
		d.receipt = repeated(triage.Classify(d.event, &a), a.IncidentID, d.found.intents[a.IncidentID])
	}
	s.countRepeats(batch)
	return true
}

func repeated(class triage.Class, id incident.ID, live []incident.Intent) Receipt {
	return Receipt{
		Taken:      triage.Taken{Outcome: class.Outcome, Reasons: []string{class.Reason}},
		IncidentID: id, Intents: live,
	}
}

// commitBatch is the one transaction: lock, read, decide, write, commit. Locking
// and writing are a round trip each, whatever the batch's size.
func (s *Store) commitBatch(ctx context.Context, conn *pgx.Conn, batch []*delivery, k known) error {
	defer rollback(conn)
	l, err := s.lockFor(ctx, conn, batch, k)
	if err != nil {
		return err
	}
	sorted, record, err := s.triageBatch(ctx, conn, batch, k, l)
	if err != nil {
		return err
	}
	if err := s.finish(ctx, conn, record); err != nil {
		return err
	}
	s.answer(batch, sorted, record)
	return nil
}

// locks is what a batch found under lock.
type locks struct {
	now       time.Time // taken once the locks are held: time does not run backwards within an incident
	since     time.Time // what was resolved after this may come back
	incidents []incident.Incident
	mode      incident.Automation
	numbers   []int64 // for incidents that the batch may open; what is not used is a gap
}

// takeNumbers names incidents before they are written, so that their first
// message can say what people will call them.
const takeNumbers = `select nextval('incidents_number_seq') from generate_series(1, $1)`

// lockFor begins the transaction and locks what the batch touches, in one round trip.
func (s *Store) lockFor(ctx context.Context, conn *pgx.Conn, batch []*delivery, k known) (locks, error) {
	start := time.Now()
	l := locks{since: s.now().Add(-s.policy().Settings().Recurrence)}
	var ids []incident.ID
	var keys []string
	opening := 0
	for _, d := range batch {
		if a := k.alerts[d.event.Episode]; !a.IncidentID.IsZero() {
			ids = append(ids, a.IncidentID)
		}
		keys = append(keys, d.event.Key())
		if d.event.Status == incident.Firing {
			opening++
		}
	}
	var b pgx.Batch
	b.Queue("begin")
	b.Queue(lockIncidents, uuids(ids), keys, l.since)
	b.Queue(readAutomation)
	b.Queue(takeNumbers, opening)
	br := conn.SendBatch(ctx, &b)
	defer br.Close()
	if _, err := br.Exec(); err != nil {
		return l, fmt.Errorf("begin: %w", err)
	}
	var err error
	if l.incidents, err = collect(br, scanIncident); err != nil {
		return l, fmt.Errorf("lock incidents: %w", err)
	}
	if l.mode, err = automation(br.QueryRow()); err != nil {
		return l, fmt.Errorf("read automation: %w", err)
	}
	l.now = s.now()
	if l.numbers, err = collect(br, pgx.RowTo[int64]); err != nil {
		return l, fmt.Errorf("take numbers: %w", err)
	}
	s.watch.Stage("lock", time.Since(start))
	return l, nil
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
func (s *Store) triageBatch(ctx context.Context, tx batcher, batch []*delivery, k known, l locks) (*sorted, *record, error) {
	evidence := slices.ContainsFunc(batch, func(d *delivery) bool { return len(d.event.Evidence) > 0 })
	start := time.Now()
	facts, guards, err := s.facts(ctx, tx, l.incidents, l.mode, l.now, evidence)
	if err != nil {
		return nil, nil, err
	}
	s.watch.Stage("facts", time.Since(start))
	start = time.Now()
	sorted, err := s.sort(batch, k, l, facts)
	if err != nil {
		return nil, nil, err
	}
	record := &record{now: l.now, since: l.since, offers: mayExecute(batch)}
	record.storm = guards.watch(s.policy().Settings(), sorted.opening(), l.now, s.ids)
	for _, g := range sorted.groups {
		g.facts.Guards = guards.of(g.target().Cluster, g.hypothesis())
		if err := s.run(g, l.now); err != nil {
			return nil, nil, err
		}
		if record.storm != nil {
			record.storm.count(&guards, &g.outcome)
		}
		g.outcome.Alerts = sorted.own(g)
		record.add(g.facts, g.outcome, s.ids, k.stored)
		record.took(g)
	}
	for _, d := range sorted.strays {
		record.stray(d, sorted, k)
	}
	s.watch.Stage("triage", time.Since(start))
	return sorted, record, nil
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

func (g *group) hypothesis() string {
	if g.facts.New {
		return g.arrivals[0].Event.Hypothesis
	}
	return g.facts.Incident.Hypothesis
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
	err := record.read(br, list)
	if err == nil {
		_, err = br.Exec()
	}
	s.watch.Stage("write and commit", time.Since(start))
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
			w.events = append(w.events, eventRow{d.receipt.Taken.Kept(d.event), d.receipt.Taken.Outcome, g.outcome.Incident.ID})
		}
	}
}

// answer fills the receipts once everything is durable. Who sent again what came
// in the same batch gets what the batch made of it.
func (s *Store) answer(batch []*delivery, sorted *sorted, record *record) {
	for _, g := range sorted.groups {
		g.live = liveIntents(g.outcome.All, record.numbers)
		receipt := Receipt{IncidentID: g.outcome.Incident.ID, State: g.outcome.Incident.State, Intents: g.live}
		if g.outcome.Diagnosis.Cause != "" {
			receipt.Diagnosis, receipt.Decision = &g.outcome.Diagnosis, &g.outcome.Decision
			receipt.DiagnosisJSON, receipt.DecisionJSON = record.judgedOf(&g.outcome)
		}
		for i, d := range g.deliveries {
			d.receipt = receipt
			d.receipt.Taken = g.outcome.Taken[i]
		}
	}
	for _, d := range sorted.strays {
		if g := sorted.byID[d.receipt.IncidentID]; g != nil {
			d.receipt.State, d.receipt.Intents = g.outcome.Incident.State, g.live
		}
	}
	s.countRepeats(batch)
	s.committed(record)
}

// committed tells the observer what is now durable.
func (s *Store) committed(w *record) {
	c := Committed{Took: map[string]time.Duration{}}
	for _, j := range w.judged {
		c.Judged = append(c.Judged, JudgedCause{
			Cause: j.cause, NewCause: j.cause != j.before, Severity: j.severity, Verdict: j.verdict,
		})
	}
	for _, j := range w.judged {
		for _, guard := range j.stops {
			c.Stopped = append(c.Stopped, Stop{guard, "decision"})
		}
	}
	for _, guard := range w.stops {
		c.Stopped = append(c.Stopped, Stop{guard, "claim"})
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
