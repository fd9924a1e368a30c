package http

import (
	"errors"
	"strings"

	"salve/internal/fault"
	"salve/internal/identity"
)

// Verifier turns a token into a caller, or says why not with an
// *identity.Refusal.
type Verifier interface {
	Verify(token string) (identity.Caller, error)
}

// authenticate says who is calling and whether they may use this door.
func (x *exchange) authenticate() error {
	caller, err := x.server.verifier.Verify(bearer(x.r.Header.Get("Authorization")))
	if err != nil {
		return unauthenticated(err)
	}
	x.caller = caller
	if caller.Allows(x.route.scope) {
		return nil
	}
	return &fault.Fault{
		Kind:   fault.Forbidden,
		Detail: "The token lacks the scope " + string(x.route.scope) + ". No scope contains another one.",
		Extra:  map[string]any{"required_scope": x.route.scope},
	}
}

// bearer gives the token of an Authorization header, empty where there is none.
func bearer(header string) string {
	const scheme = "bearer "
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return ""
	}
	return strings.TrimLeft(header[len(scheme):], " ")
}

func unauthenticated(err error) error {
	f := &fault.Fault{Kind: fault.Unauthenticated, Detail: "The token cannot be verified.", Err: err}
	var refusal *identity.Refusal
	if errors.As(err, &refusal) {
		f.Reason, f.Detail = string(refusal.Reason), refusal.Detail
	}
	return f
}

func refusalReason(err error) identity.Reason {
	var refusal *identity.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

// challenge is the WWW-Authenticate of a 401 or 403 (RFC 6750, section 3).
func challenge(f *fault.Fault, scope identity.Scope) string {
	const realm = `Bearer realm="salve"`
	switch {
	case f.Kind == fault.Forbidden:
		return realm + `, error="insufficient_scope", scope="` + string(scope) + `"`
	case f.Reason == string(identity.Missing):
		return realm
	}
	return realm + `, error="invalid_token"`
}
