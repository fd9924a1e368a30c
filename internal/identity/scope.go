package identity

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"salve/internal/suggest"
)

// Scope is one permission a token can carry.
type Scope string

// The closed list. No scope contains another one: admin cannot read.
const (
	EventsWrite    Scope = "events:write"    // intake
	IntentsExecute Scope = "intents:execute" // heartbeat, claim, result, crashed
	IntentsDecide  Scope = "intents:decide"  // approve, reject, abort, ack, resolve
	SlackRelay     Scope = "slack:relay"     // the Slack doors
	Read           Scope = "read"            // all GETs, and simulate
	Admin          Scope = "admin"           // the other writes
)

// AllScopes lists every scope there is.
func AllScopes() []Scope {
	return []Scope{EventsWrite, IntentsExecute, IntentsDecide, SlackRelay, Read, Admin}
}

// bit is zero for what is no scope, so that an unknown one is never granted.
func (s Scope) bit() ScopeSet {
	for i, known := range AllScopes() {
		if s == known {
			return 1 << i
		}
	}
	return 0
}

// ScopeSet is an immutable set of scopes; a cached Caller can be handed out
// without copying.
type ScopeSet uint8

// Scopes builds a set. What is not in the closed list is left out.
func Scopes(list ...Scope) ScopeSet {
	var set ScopeSet
	for _, s := range list {
		set |= s.bit()
	}
	return set
}

// Has reports whether the set holds s.
func (set ScopeSet) Has(s Scope) bool {
	bit := s.bit()
	return bit != 0 && set&bit == bit
}

// String is the set as a `scope` claim: separated by spaces, in the list's order.
func (set ScopeSet) String() string {
	var names []string
	for _, s := range AllScopes() {
		if set.Has(s) {
			names = append(names, string(s))
		}
	}
	return strings.Join(names, " ")
}

// ParseScopes reads what an operator typed: scopes separated by spaces or
// commas, each from the closed list.
func ParseScopes(text string) (ScopeSet, error) {
	var set ScopeSet
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		bit := Scope(word).bit()
		if bit == 0 {
			return 0, unknownScope(word)
		}
		set |= bit
	}
	if set == 0 {
		return 0, fmt.Errorf("no scope given; there are: %s", Scopes(AllScopes()...))
	}
	return set, nil
}

func unknownScope(word string) error {
	known := make([]string, 0, len(AllScopes()))
	for _, s := range AllScopes() {
		known = append(known, string(s))
	}
	if best := suggest.Nearest(word, known); best != "" {
		return fmt.Errorf("unknown scope %q; did you mean %q?", clip(word), best)
	}
	return fmt.Errorf("unknown scope %q; there are: %s", clip(word), Scopes(AllScopes()...))
}

// Caller is who made a request, as its verified token says.
type Caller struct {
	Subject   string
	Scopes    ScopeSet
	Groups    []string // that the token vouches for
	TokenID   string
	ExpiresAt time.Time
	Request   *Request // none: a standing token
}

// Request is the one request that a token was signed for: whose it is, and the
// SHA-256 of its body in hexadecimal digits.
type Request struct {
	SlackUser  string
	BodySHA256 string
}

// Allows is the whole policy of the doors: a scope is held or it is not.
func (c Caller) Allows(s Scope) bool { return c.Scopes.Has(s) }

// scopeClaim is a `scope` or `scp` claim: one string separated by spaces, or an
// array of strings.
type scopeClaim []Scope

func (c *scopeClaim) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*c = nil
		for word := range strings.FieldsSeq(text) {
			*c = append(*c, Scope(word))
		}
		return nil
	}
	var list []Scope
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("scope must be a string separated by spaces or an array of strings")
	}
	*c = list
	return nil
}
