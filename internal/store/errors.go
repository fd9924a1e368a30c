package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"salve/internal/fault"
)

// errRace says that the facts were stale when they were to be written.
var errRace = errors.New("another transaction was faster")

// races are the unique indexes whose violation only means that another replica
// was faster: the transaction runs again and finds what the other wrote.
var races = []string{"incidents_open_key", "alerts_pkey", "results_terminal"}

// lostRace says whether running the transaction again is the answer.
func lostRace(err error) bool {
	if errors.Is(err, errRace) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pg.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	case "23505":
		return slices.Contains(races, pg.ConstraintName)
	}
	return false
}

// poisonous says whether the data itself cannot be stored, whoever tries again:
// SQLSTATE classes 22 (data), 23 (integrity) and 54 (what is too big or too deep).
func poisonous(err error) bool {
	if _, ok := errors.AsType[*panicked](err); ok {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && len(pg.Code) == 5 && slices.Contains([]string{"22", "23", "54"}, pg.Code[:2]) && !lostRace(err)
}

// plain makes a text fit for a text column: Postgres holds neither NUL nor what
// is not UTF-8, and a result must not be lost over either.
func plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// panicked is a panic of the pure core, as an error.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// translate is the one seam where the driver's errors become the product's.
func translate(operation string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", operation, err)
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	if poisonous(err) {
		return &fault.Fault{Kind: fault.Internal, Err: wrapped}
	}
	if errors.Is(err, context.Canceled) {
		return wrapped
	}
	return &fault.Fault{
		Kind: fault.Unavailable, Detail: "the database could not be written to; nothing was taken, send it again",
		RetryAfter: 2 * time.Second, Err: wrapped,
	}
}
