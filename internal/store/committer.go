package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// Committer takes deliveries and makes them durable, many at a time.
//
// Batching is natural: there is no timer. Whatever queued up while the last
// batch was under way is the next batch, so one caller waits for one commit and
// a storm shares them. One reader looks up what is known and answers repeats at
// once: they are durable already. What is left goes to the one writer: two of
// them cut the same work into smaller batches, and took more of the processor for
// fewer alerts (make bench).
type Committer struct {
	store   *Store
	queue   chan *request // to the reader
	work    chan *request // to the writer
	limit   int           // deliveries one read or one transaction takes
	waiting atomic.Int64  // deliveries taken and not yet answered
	workers sync.WaitGroup
}

// request is one call's deliveries; all of them are answered together.
type request struct {
	deliveries []*delivery
	queued     time.Time
	left       int // deliveries that no transaction has ended yet
	answered   chan struct{}
}

const (
	queueLength = 4096  // calls that may wait; beyond it callers are told to come back
	maxWaiting  = 20000 // deliveries that may wait; one call alone may be larger
	workLength  = 256   // calls between the reader and the writer
	batchLimit  = 512   // deliveries a transaction
)

// NewCommitter makes a committer; Start makes it work.
func NewCommitter(s *Store) *Committer {
	return &Committer{
		store: s, queue: make(chan *request, queueLength), work: make(chan *request, workLength), limit: batchLimit,
	}
}

// Start begins to commit; it does not block.
func (c *Committer) Start() {
	c.workers.Go(func() {
		defer close(c.work)
		for first := range c.queue {
			c.sift(c.drain(c.queue, first))
		}
	})
	c.workers.Go(func() {
		for first := range c.work {
			c.commitAll(c.drain(c.work, first))
		}
	})
}

// Stop commits what is queued and returns. Nothing may be taken any more.
func (c *Committer) Stop() {
	close(c.queue)
	c.workers.Wait()
}

// Take makes events durable and says what became of each. It returns only after
// the commit. A full queue is an Overloaded fault at once: nothing was taken.
func (c *Committer) Take(ctx context.Context, events []incident.Event) ([]Receipt, error) {
	if len(events) == 0 {
		return nil, nil
	}
	n := int64(len(events))
	if before := c.waiting.Add(n) - n; before > 0 && before+n > maxWaiting {
		c.waiting.Add(-n)
		return nil, overloaded()
	}
	r := &request{queued: time.Now(), answered: make(chan struct{})}
	for _, e := range events {
		e.ReceivedAt = e.ReceivedAt.UTC().Truncate(time.Microsecond)
		r.deliveries = append(r.deliveries, &delivery{event: c.located(e)})
	}
	select {
	case c.queue <- r:
	default:
		c.waiting.Add(-n)
		return nil, overloaded()
	}
	select {
	case <-r.answered:
		return r.receipts(), nil
	case <-ctx.Done():
		return nil, ctx.Err() // what was queued is committed all the same; a repeat is harmless
	}
}

func overloaded() error {
	return &fault.Fault{
		Kind: fault.Overloaded, Detail: "too many deliveries are waiting; nothing was taken, send it again",
		RetryAfter: time.Second,
	}
}

// answer releases the caller.
func (c *Committer) answer(r *request) {
	c.waiting.Add(-int64(len(r.deliveries)))
	close(r.answered)
}

// located lets an alert that brings evidence join the incident of the owner that
// the evidence shows. Should the core panic on it, the commit will find the
// poisonous item; here it must not take the good ones with it. Evidence that no
// incident takes places none.
func (c *Committer) located(e incident.Event) (out incident.Event) {
	out = e
	if len(e.Evidence) == 0 || triage.TooMuch(c.store.policy().Settings(), e) != "" {
		return e
	}
	defer func() {
		if recover() != nil {
			out = e
		}
	}()
	return triage.Locate(e)
}

func (r *request) receipts() []Receipt {
	out := make([]Receipt, len(r.deliveries))
	for i, d := range r.deliveries {
		out[i] = d.receipt
	}
	return out
}

// drain takes what is waiting, up to the limit of one transaction.
func (c *Committer) drain(from <-chan *request, first *request) []*request {
	batch, n := []*request{first}, len(first.deliveries)
	for n < c.limit {
		select {
		case r, ok := <-from:
			if !ok {
				return batch
			}
			batch, n = append(batch, r), n+len(r.deliveries)
		default:
			return batch
		}
	}
	return batch
}

// sift answers the calls that hold repeats only, and passes the others on with
// what was found. A read that fails passes everything on: the writer reads
// again and reports.
func (c *Committer) sift(requests []*request) {
	var all []*delivery
	for _, r := range requests {
		c.store.watch.Stage("queue", time.Since(r.queued))
		r.left = len(r.deliveries)
		all = append(all, r.deliveries...)
	}
	for part := range slices.Chunk(all, c.limit) {
		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		_ = guarded(func() error { return c.store.lookUp(ctx, part) })
		cancel()
	}
	repeats := 0
	for _, r := range requests {
		if c.store.onlyRepeats(r.deliveries) {
			c.store.heard(r.deliveries)
			repeats += len(r.deliveries)
			c.answer(r)
			continue
		}
		c.work <- r
	}
	if repeats > 0 {
		c.store.watch.Batch(repeats)
		c.store.watch.Outcome(incident.Duplicate, repeats)
	}
}

// commitAll commits requests and answers each as soon as its last delivery is
// through. A request larger than the limit takes several transactions, each of
// which stands by itself.
func (c *Committer) commitAll(requests []*request) {
	var all []*delivery
	for _, r := range requests {
		all = append(all, r.deliveries...)
	}
	waiting := requests
	for part := range slices.Chunk(all, c.limit) {
		c.commit(part)
		waiting = c.through(waiting, len(part))
		all = all[len(part):]
		lookAgain(all)
	}
}

// lookAgain makes deliveries be looked up anew: what was found before is stale
// once an earlier part of the same call may have been committed.
func lookAgain(deliveries []*delivery) {
	for _, d := range deliveries {
		d.found = nil
	}
}

// through releases the calls that are through after n further deliveries.
func (c *Committer) through(waiting []*request, n int) []*request {
	for len(waiting) > 0 {
		through := min(n, waiting[0].left)
		waiting[0].left -= through
		n -= through
		if waiting[0].left > 0 {
			break
		}
		c.answer(waiting[0])
		waiting = waiting[1:]
	}
	return waiting
}

// commitTimeout bounds one transaction, so that a database that hangs becomes a
// 503 and not a queue without end.
const commitTimeout = 20 * time.Second

// commit makes one batch durable. A poisonous item is found by halving, and
// alone fails; for any other error nothing was taken and the caller sends again.
func (c *Committer) commit(batch []*delivery) {
	c.store.watch.Batch(len(batch))
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	err := c.store.ingest(ctx, batch)
	cancel()
	if err != nil && poisonous(err) && len(batch) > 1 {
		half := len(batch) / 2
		lookAgain(batch)
		c.commit(batch[:half])
		c.commit(batch[half:])
		return
	}
	if err != nil {
		for _, d := range batch {
			d.receipt = Receipt{Err: translate("commit event "+d.event.ID.String(), err)}
		}
		return
	}
	c.store.heard(batch)
	for _, d := range batch {
		c.store.watch.Outcome(d.receipt.Taken.Outcome, 1)
	}
}
