package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"salve/internal/store"
)

// loops are what goes on beside requests. Each pass is bounded in time; what
// fails is logged once when it begins to fail, and tried again.
type loops struct {
	log    zerolog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

func newLoops(log zerolog.Logger) *loops {
	ctx, cancel := context.WithCancel(context.Background())
	return &loops{log: log, ctx: ctx, cancel: cancel}
}

const passTimeout = 30 * time.Second

func (l *loops) every(interval time.Duration, name string, pass func(context.Context) error) {
	tick := time.NewTicker(interval)
	context.AfterFunc(l.ctx, tick.Stop)
	repeat(l, tick.C, name, pass)
}

// repeat makes a pass each time that it is woken.
func repeat[T any](l *loops, wake <-chan T, name string, pass func(context.Context) error) {
	l.wait.Go(func() {
		failing := false
		for {
			select {
			case <-l.ctx.Done():
				return
			case <-wake:
			}
			ctx, cancel := context.WithTimeout(l.ctx, passTimeout)
			err := pass(ctx)
			cancel()
			l.report(name, err, &failing)
		}
	})
}

func (l *loops) report(name string, err error, failing *bool) {
	switch {
	case l.ctx.Err() != nil:
	case err != nil && !*failing:
		l.log.Error().Err(err).Str("loop", name).Msg("loop failed; it goes on trying")
	case err == nil && *failing:
		l.log.Info().Str("loop", name).Msg("loop works again")
	}
	*failing = err != nil
}

// stop ends the passes under way and waits for them.
func (l *loops) stop() {
	l.cancel()
	l.wait.Wait()
}

// tickLimit is how many incidents one look at the clock takes.
const tickLimit = 200

// tickUntilDone lets time pass for everything that is due.
func tickUntilDone(s *store.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			n, err := s.Tick(ctx, tickLimit)
			if err != nil || n < tickLimit {
				return err
			}
		}
	}
}

// sealer seals up to the horizon that the pass before saw: by now the
// transactions that were open then have most likely ended.
func sealer(s *store.Store) func(context.Context) error {
	var before store.Horizon
	return func(ctx context.Context) error {
		if _, err := s.Seal(ctx, before); err != nil {
			return err
		}
		next, err := s.Horizon(ctx)
		if err == nil {
			before = next
		}
		return err
	}
}
