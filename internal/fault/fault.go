// Package fault holds the closed list of ways a request can fail. Use cases and
// the store return them; only the HTTP edge turns them into status codes and
// problem documents. What a Fault says in Detail and Fields is meant for the
// caller; what it wraps is meant for the log and never leaves the program.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is one way to fail.
type Kind string

// The kinds.
const (
	Malformed           Kind = "malformed"            // the body is no JSON, or not of the right shape
	Invalid             Kind = "invalid"              // fields break their rules
	AllRejected         Kind = "all-rejected"         // every item of a batch was refused
	Unauthenticated     Kind = "unauthenticated"      // no token, or one that does not count
	Forbidden           Kind = "forbidden"            // the token lacks the scope
	NotFound            Kind = "not-found"            // no such thing
	MethodNotAllowed    Kind = "method-not-allowed"   // the path exists, the method does not
	Conflict            Kind = "conflict"             // the state does not allow it; Reason says which
	TooLarge            Kind = "too-large"            // over a limit of size
	UnsupportedMedia    Kind = "unsupported-media"    // not JSON
	IdempotencyMismatch Kind = "idempotency-mismatch" // another body under the same key
	Overloaded          Kind = "overloaded"           // come back later
	Unavailable         Kind = "unavailable"          // the database is away
	Internal            Kind = "internal"             // ours
)

// Fault is an error a caller may see.
type Fault struct {
	Kind       Kind
	Reason     string // for Conflict: too_early, already_claimed, too_late, …
	Detail     string // one sentence that says what would be right
	Fields     []Field
	RetryAfter time.Duration
	Extra      map[string]any // further members of the problem document
	Err        error          // the cause, for the log
}

// Field is one bad field, named by JSON pointer (RFC 6901).
type Field struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func (f *Fault) Error() string {
	s := string(f.Kind)
	if f.Reason != "" {
		s += " (" + f.Reason + ")"
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

// New makes a fault whose detail the caller sees.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Refused makes a conflict with its machine-readable reason.
func Refused(reason, format string, args ...any) *Fault {
	return &Fault{Kind: Conflict, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// Missing says that a thing of this kind and name does not exist.
func Missing(what, name string) *Fault {
	return New(NotFound, "there is no %s %s", what, name)
}

// As finds the fault in an error; anything else is internal.
func As(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Kind: Internal, Err: err}
}
