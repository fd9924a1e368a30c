// Package trail remembers what one request touched, so that its one canonical
// log line can name the incidents and intents. Handlers add to it; the edge
// makes it and prints it. It decides nothing and must never carry data that
// anything but the log line reads.
package trail

import (
	"context"
	"sync"

	"salve/internal/incident"
)

// A batch may touch thousands of incidents; a log line names the first ones.
const maxNamed = 20

// Trail is safe for concurrent use: a committer may outlive the request.
type Trail struct {
	mu        sync.Mutex
	incidents names
	intents   names
	errs      []error
}

type names struct {
	ids   []string
	total int
}

type contextKey struct{}

// With gives handlers below this context the trail to add to.
func With(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, contextKey{}, t)
}

// Incident notes that the request touched an incident. Without a trail in the
// context it does nothing.
func Incident(ctx context.Context, id incident.ID) {
	if t, ok := ctx.Value(contextKey{}).(*Trail); ok {
		t.add(&t.incidents, id)
	}
}

// Intent notes that the request touched an intent.
func Intent(ctx context.Context, id incident.ID) {
	if t, ok := ctx.Value(contextKey{}).(*Trail); ok {
		t.add(&t.intents, id)
	}
}

// Error notes what went wrong with a part of the request that was answered all
// the same.
func Error(ctx context.Context, err error) {
	if t, ok := ctx.Value(contextKey{}).(*Trail); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.errs) < maxNamed {
			t.errs = append(t.errs, err)
		}
	}
}

// Errors gives what was noted.
func (t *Trail) Errors() []error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]error(nil), t.errs...)
}

func (t *Trail) add(to *names, id incident.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if to.total++; len(to.ids) < maxNamed {
		to.ids = append(to.ids, id.String())
	}
}

// Incidents gives the first incidents that were touched, and how many there were.
func (t *Trail) Incidents() (ids []string, total int) { return t.read(&t.incidents) }

// Intents gives the first intents that were touched, and how many there were.
func (t *Trail) Intents() (ids []string, total int) { return t.read(&t.intents) }

func (t *Trail) read(from *names) ([]string, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), from.ids...), from.total
}
