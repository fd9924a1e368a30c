package identity

import "strings"

// Reason is why a token was refused: a closed list, used for metrics and
// problem documents. A Reason is itself an error, so that
// errors.Is(err, identity.Expired) reads as it should.
type Reason string

// The reasons, in the order in which a token is looked at.
const (
	Missing     Reason = "missing"
	TooLarge    Reason = "too_large"
	Malformed   Reason = "malformed"
	Algorithm   Reason = "algorithm"
	UnknownKey  Reason = "unknown_key"
	Signature   Reason = "signature"
	Expired     Reason = "expired"
	NotYetValid Reason = "not_yet_valid"
	Audience    Reason = "audience"
	Issuer      Reason = "issuer"
	Claim       Reason = "claim"
	Denied      Reason = "denied"
)

func (r Reason) Error() string { return string(r) }

// Refusal is a refused token. Detail says what would be right; it never holds
// the token.
type Refusal struct {
	Reason Reason
	Detail string
}

func (r *Refusal) Error() string { return "token refused (" + string(r.Reason) + "): " + r.Detail }

// Unwrap makes errors.Is work on the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

func refuse(reason Reason, detail string) error { return &Refusal{Reason: reason, Detail: detail} }

// clip bounds a word that came from outside before it is quoted in a message.
func clip(word string) string {
	const limit = 64
	if len(word) > limit {
		word = word[:limit] + "…"
	}
	return strings.ToValidUTF8(word, "?")
}
