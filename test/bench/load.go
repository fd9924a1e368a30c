package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// load says how the alerts of a cell relate to what the server knows.
type load struct {
	name string
	// incidents are open before the cell starts, and all that it sends belongs
	// to them; zero means that every alert is a new incident.
	incidents uint64
	// reworded alerts differ from the earlier delivery in an annotation.
	reworded bool
	// outcomes that a correct Salve may give.
	outcomes []string
}

// loads returns the three loads in the order of the report.
func loads() []load {
	return []load{
		{name: "new", outcomes: []string{"accepted"}},
		{name: "resent", incidents: 200, reworded: true, outcomes: []string{"duplicate", "accepted"}},
		{name: "duplicates", incidents: 200, outcomes: []string{"duplicate"}},
	}
}

// shape is how many callers send at once, and how many alerts in a request.
type shape struct {
	name    string
	callers int
	batch   int
}

// batchCallers keeps several batches in flight without filling any queue.
const batchCallers = 8

func shapes(callers []int) []shape {
	var all []shape
	for _, n := range callers {
		all = append(all, shape{name: fmt.Sprintf("c%d", n), callers: n, batch: 1})
	}
	return append(all, shape{name: "b100", callers: batchCallers, batch: 100})
}

// target is a server under load.
type target struct {
	name     string
	addr     string
	pid      int
	forgets  bool // keeps nothing of what it is sent
	template func(shape) template
	// check reads the outcomes in an answer to n alerts; nil accepts every
	// success.
	check func(body []byte, n int) (map[string]int, error)
	// stages reads the server's own account of where its time went; nil where
	// there is none.
	stages func(context.Context) (stages, error)
}

// usage is what had been spent at one moment, or between two.
type usage struct {
	cpu    cpuTime
	stages stages
}

func (t *target) look(ctx context.Context) (usage, error) {
	u := usage{cpu: readCPU(t.pid)}
	if t.stages == nil {
		return u, nil
	}
	var err error
	u.stages, err = t.stages(ctx)
	return u, err
}

func (u usage) since(before usage) usage {
	return usage{cpu: u.cpu.minus(before.cpu), stages: u.stages.minus(before.stages)}
}

// cell is one load in one shape on one target.
type cell struct {
	target *target
	load   load
	shape  shape
	number uint64 // the same alerts for every target, others for every cell
}

// cellRange is how many alerts a cell may tell apart.
const cellRange = 1 << 20

// bounds end a cell: it runs unmeasured first, then measured, and sends no more
// than most alerts, so that a fast server's memory or disk is not filled.
type bounds struct {
	warm, measured time.Duration
	most           uint64
}

// run seeds the incidents that the load needs and then keeps all callers busy.
func (c cell) run(ctx context.Context, b bounds) (result, error) {
	if err := c.seed(ctx); err != nil {
		return result{}, fmt.Errorf("%s, seeding: %w", c, err)
	}
	return c.measure(ctx, b)
}

func (c cell) measure(ctx context.Context, b bounds) (result, error) {
	began := time.Now()
	r := &traffic{cell: c, template: c.target.template(c.shape),
		from: began.Add(b.warm), until: began.Add(b.warm + b.measured), most: b.most}
	before, err := r.callAll(ctx)
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", c, err)
	}
	after, err := c.target.look(ctx)
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", c, err)
	}
	res := r.sum()
	res.spent = after.since(before)
	return res, ctx.Err()
}

func (c cell) String() string { return c.target.name + " " + c.load.name + " " + c.shape.name }

// seed opens the load's incidents with the wording that duplicates repeat.
func (c cell) seed(ctx context.Context) error {
	if c.load.incidents == 0 {
		return nil
	}
	conn, err := dial(c.target.addr, time.Now().Add(time.Minute))
	if err != nil {
		return err
	}
	defer conn.close()
	tpl := c.target.template(c.shape)
	buf := tpl.buffer()
	for i := uint64(0); i < c.load.incidents && ctx.Err() == nil; i += uint64(tpl.alerts) {
		tpl.render(buf, c.number*cellRange+i, 0)
		a, err := conn.do(buf, true)
		if err != nil {
			return err
		}
		if !a.ok() {
			return fmt.Errorf("status %d: %.300s", a.status, a.body)
		}
	}
	return ctx.Err()
}

// traffic is a cell in progress.
type traffic struct {
	cell        cell
	template    template
	from, until time.Time // what starts in between is measured
	most        uint64    // alerts that may be sent
	sent        atomic.Uint64
	callers     []*caller
}

// callAll answers what the target had used when the measured time began.
func (r *traffic) callAll(ctx context.Context) (usage, error) {
	var group sync.WaitGroup
	for i := range r.cell.shape.callers {
		c := &caller{run: r, buf: r.template.buffer(), turn: uint64(i), outcomes: map[string]int{}, failures: map[string]int{}}
		r.callers = append(r.callers, c)
		group.Go(func() { c.call(ctx) })
	}
	defer group.Wait()
	select {
	case <-ctx.Done():
		return usage{}, ctx.Err()
	case <-time.After(time.Until(r.from)):
		return r.cell.target.look(ctx)
	}
}

// next says which alerts to send, and in which wording; false when the cell has
// sent all that it may.
func (r *traffic) next(turn uint64) (first, revision uint64, ok bool) {
	n := uint64(r.template.alerts)
	sent := r.sent.Add(n)
	if first = sent - n; r.cell.load.incidents > 0 {
		first = turn * n % r.cell.load.incidents
	}
	if r.cell.load.reworded {
		revision = sent
	}
	return r.cell.number*cellRange + first, revision, sent <= r.most
}

func (r *traffic) sum() result {
	res := result{cell: r.cell, outcomes: map[string]int{}, failures: map[string]int{}}
	last := r.from
	for _, c := range r.callers {
		res.latency.merge(&c.latency)
		for name, n := range c.outcomes {
			res.outcomes[name] += n
		}
		for name, n := range c.failures {
			res.failures[name] += n
		}
		if c.last.After(last) {
			last = c.last
		}
	}
	res.requests = float64(res.latency.count)
	res.alerts = res.requests * float64(r.template.alerts)
	res.elapsed = last.Sub(r.from)
	return res
}
