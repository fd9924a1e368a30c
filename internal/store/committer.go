package store

import (
	"context"
	"sync"
	"time"

	"salve/internal/fault"
	"salve/internal/incident"
	"salve/internal/triage"
)

// Committer takes deliveries and makes them durable, many at a time.
//
// Batching is natural: there is no timer. Whatever queued up while the last
// batch committed is the next batch, so one caller waits for one commit and a
// storm shares them.
type Committer struct {
	store *Store
	queue chan *request
	limit int // deliveries one transaction takes
	lanes sync.WaitGroup
}

// request is one call's deliveries; all of them are answered together.
type request struct {
	deliveries []*delivery
	queued     time.Time
	answered   chan struct{}
}

const (
	queueLength = 4096 // calls that may wait; beyond it callers are told to come back
	batchLimit  = 512  // deliveries a transaction
	laneCount   = 2    // batches under way: one may be decided while the other waits for the disk
)

// NewCommitter makes a committer; Start makes it work.
func NewCommitter(s *Store) *Committer {
	return &Committer{store: s, queue: make(chan *request, queueLength), limit: batchLimit}
}

// Start begins to commit; it does not block.
func (c *Committer) Start() {
	for range laneCount {
		c.lanes.Go(func() {
			for first := range c.queue {
				c.commitAll(c.drain(first))
			}
		})
	}
}

// Stop commits what is queued and returns. Nothing may be taken any more.
func (c *Committer) Stop() {
	close(c.queue)
	c.lanes.Wait()
}

// Take makes events durable and says what became of each. It returns only after
// the commit. A full queue is an Overloaded fault at once: nothing was taken.
func (c *Committer) Take(ctx context.Context, events []incident.Event) ([]Receipt, error) {
	if len(events) == 0 {
		return nil, nil
	}
	r := &request{queued: time.Now(), answered: make(chan struct{})}
	for _, e := range events {
		e.ReceivedAt = e.ReceivedAt.UTC().Truncate(time.Microsecond)
		r.deliveries = append(r.deliveries, &delivery{event: located(e)})
	}
	select {
	case c.queue <- r:
	default:
		return nil, &fault.Fault{
			Kind: fault.Overloaded, Detail: "too many deliveries are waiting; nothing was taken, send it again",
			RetryAfter: time.Second,
		}
	}
	select {
	case <-r.answered:
		return r.receipts(), nil
	case <-ctx.Done():
		return nil, ctx.Err() // what was queued is committed all the same; a repeat is harmless
	}
}

// located lets an alert that brings evidence join the incident of the owner that
// the evidence shows. Should the core panic on it, the commit will find the
// poisonous item; here it must not take the good ones with it.
func located(e incident.Event) (out incident.Event) {
	out = e
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
func (c *Committer) drain(first *request) []*request {
	batch, n := []*request{first}, len(first.deliveries)
	for n < c.limit {
		select {
		case r, ok := <-c.queue:
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

// commitAll commits requests and answers them. A request larger than the limit
// takes several transactions, each of which stands by itself.
func (c *Committer) commitAll(requests []*request) {
	var all []*delivery
	for _, r := range requests {
		c.store.watch.Stage("queue", time.Since(r.queued))
		all = append(all, r.deliveries...)
	}
	for len(all) > 0 {
		n := min(len(all), c.limit)
		c.commit(all[:n])
		all = all[n:]
	}
	for _, r := range requests {
		close(r.answered)
	}
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
	for _, d := range batch {
		c.store.watch.Outcome(d.receipt.Taken.Outcome, 1)
	}
}
