package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// sampleEvery says how often a caller reads an answer instead of only
	// counting it; the first is always read.
	sampleEvery = 64
	// answerGrace is how long after the cell's end an answer may still come.
	answerGrace = 15 * time.Second
	// maxBroken failures of the connection itself end a caller: the server is
	// gone, and asking faster will not bring it back.
	maxBroken = 20
)

// caller is one connection with one request at a time.
type caller struct {
	run      *traffic
	conn     *conn
	buf      []byte
	turn     uint64
	broken   int
	latency  histogram
	last     time.Time // when the last measured answer came
	outcomes map[string]int
	failures map[string]int
}

// call sends until the cell's time is over.
func (c *caller) call(ctx context.Context) {
	defer c.hangUp()
	for n := 0; ctx.Err() == nil && c.broken < maxBroken; n++ {
		began := time.Now()
		if !began.Before(c.run.until) {
			return
		}
		first, revision, ok := c.run.next(c.turn)
		if !ok {
			return
		}
		c.turn++
		c.run.template.render(c.buf, first, revision)
		a, err := c.send(n%sampleEvery == 0)
		c.note(began, a, err)
	}
}

// send opens the connection when there is none and drops it when it broke.
func (c *caller) send(keep bool) (answer, error) {
	if c.conn == nil {
		opened, err := dial(c.run.cell.target.addr, c.run.until.Add(answerGrace))
		if err != nil {
			return answer{}, err
		}
		c.conn = opened
	}
	a, err := c.conn.do(c.buf, keep)
	if err != nil || a.closed {
		c.hangUp()
	}
	return a, err
}

func (c *caller) hangUp() {
	if c.conn != nil {
		c.conn.close()
		c.conn = nil
	}
}

// note measures successes only. Failures count from the first warm-up request
// on: there is no good time to fail.
func (c *caller) note(began time.Time, a answer, err error) {
	now := time.Now()
	switch {
	case err != nil:
		c.broken++
		c.fail("connection: " + err.Error())
		return
	case !a.ok():
		c.fail(fmt.Sprintf("status %d: %.200s", a.status, a.body))
		return
	case a.body != nil && c.run.cell.target.check != nil:
		c.inspect(a.body)
	}
	if !began.Before(c.run.from) {
		c.latency.record(now.Sub(began))
		c.last = now
	}
}

// inspect holds a sampled answer against what the load must lead to.
func (c *caller) inspect(body []byte) {
	outcomes, err := c.run.cell.target.check(body, c.run.template.alerts)
	if err != nil {
		c.fail("wrong answer: " + err.Error())
		return
	}
	for name, n := range outcomes {
		c.outcomes[name] += n
		if !slices.Contains(c.run.cell.load.outcomes, name) {
			c.fail(fmt.Sprintf("wrong answer: outcome %q, want %q", name, c.run.cell.load.outcomes))
		}
	}
}

// maxKinds bounds the kinds of failure that are told apart; request ids in
// problem documents would make every one its own kind.
const maxKinds = 5

func (c *caller) fail(kind string) {
	if _, known := c.failures[kind]; !known && len(c.failures) >= maxKinds {
		kind = "others"
	}
	c.failures[kind]++
}
