package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"
)

// Subjects and token ids end up in rows, logs and headers.
const maxNameBytes = 255

type tokenClaims struct {
	jwt.RegisteredClaims
	Scope scopeClaim `json:"scope,omitempty"`
	Scp   scopeClaim `json:"scp,omitempty"`

	Groups []string `json:"groups,omitempty"`

	SlackUser  string `json:"slack_user,omitempty"`
	BodySHA256 string `json:"body_sha256,omitempty"`
}

// parse checks signature and claims. Nothing a claim says is reported before
// the signature holds.
func (v *Verifier) parse(keys *keySet, token string) (Caller, error) {
	var claims tokenClaims
	var signer *key
	parsed, err := v.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		var err error
		if signer, err = verificationKey(keys, t); err != nil {
			return nil, err
		}
		return signer.public, nil
	})
	if err != nil {
		return Caller{}, v.explain(parsed, &claims, err)
	}
	if err := checkName("sub", claims.Subject); err != nil {
		return Caller{}, err
	}
	if strings.HasPrefix(claims.Subject, slackSubject) {
		return Caller{}, refuse(Claim, "the token's sub begins with "+slackSubject+": that is how people in Slack are called, and they are proven by a token for one request")
	}
	if claims.ID != "" {
		if err := checkName("jti", claims.ID); err != nil {
			return Caller{}, err
		}
	}
	for _, group := range claims.Groups {
		if err := checkName("groups", group); err != nil {
			return Caller{}, err
		}
	}
	request, err := claims.request(v.now().Add(maxRequestLife + v.config.Leeway))
	if err != nil {
		return Caller{}, err
	}
	scopes := Scopes(claims.Scope...) | Scopes(claims.Scp...)
	if beyond := scopes &^ signer.scopes; beyond != 0 {
		return Caller{}, refuse(Claim, fmt.Sprintf("the token asks for %s, and its key may sign for %s only", beyond, signer.scopes))
	}
	return Caller{
		Request:   request,
		Groups:    claims.Groups,
		Subject:   claims.Subject,
		Scopes:    scopes,
		TokenID:   claims.ID,
		ExpiresAt: claims.ExpiresAt.Time,
	}, nil
}

// slackSubject is how the subjects of people in Slack begin.
const slackSubject = "slack:"

// maxRequestLife bounds a token that stands for one person and one request.
const maxRequestLife = time.Minute

// request reads what a token says of the one request that it was signed for. Such a
// token is short-lived and has an id, so that it can be used once.
func (c *tokenClaims) request(latest time.Time) (*Request, error) {
	switch {
	case c.SlackUser == "" && c.BodySHA256 == "":
		return nil, nil
	case c.SlackUser == "" || c.BodySHA256 == "" || c.ID == "" || c.IssuedAt == nil:
		return nil, refuse(Claim, "a token for one request needs slack_user, body_sha256, jti and iat")
	case c.ExpiresAt.Sub(c.IssuedAt.Time) > maxRequestLife || c.ExpiresAt.After(latest):
		return nil, refuse(Claim, "a token for one request lives for a minute at most")
	}
	if err := checkName("slack_user", c.SlackUser); err != nil {
		return nil, err
	}
	return &Request{SlackUser: c.SlackUser, BodySHA256: strings.ToLower(c.BodySHA256)}, nil
}

func verificationKey(keys *keySet, t *jwt.Token) (*key, error) {
	// RFC 7515, 4.1.11: an extension marked critical must be understood. None is.
	if _, critical := t.Header["crit"]; critical {
		return nil, refuse(Malformed, "the header has critical extensions; leave out crit")
	}
	kid, ok := t.Header["kid"].(string)
	if _, present := t.Header["kid"]; present && !ok {
		return nil, refuse(Malformed, "the header's kid must be a string")
	}
	return keys.find(kid, t.Method.Alg())
}

func checkName(claim, value string) error {
	switch {
	case strings.TrimSpace(value) == "":
		return refuse(Claim, "the token has no "+claim+"; it must name one")
	case len(value) > maxNameBytes:
		return refuse(Claim, fmt.Sprintf("the token's %s is longer than %d bytes", claim, maxNameBytes))
	case strings.ContainsFunc(value, unicode.IsControl):
		return refuse(Claim, "the token's "+claim+" holds control characters")
	}
	return nil
}

// explain turns golang-jwt's errors into one reason. A wrong algorithm comes
// first because the library reports it as a bad signature.
func (v *Verifier) explain(t *jwt.Token, claims *tokenClaims, err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if alg, bad := wrongAlgorithm(t); bad {
		return refuse(Algorithm, fmt.Sprintf("algorithm %q is not accepted; sign with %s", clip(alg), strings.Join(algorithms(), ", ")))
	}
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return refuse(Malformed, "the token is not a signed JWT (three base64url parts of JSON, scope a string or an array of strings)")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return refuse(Signature, "the signature does not match the token")
	case errors.Is(err, jwt.ErrTokenExpired):
		return refuse(Expired, "the token expired at "+stamp(claims.ExpiresAt)+"; ask for a new one")
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return refuse(NotYetValid, "the token is not valid before "+stamp(claims.NotBefore)+"; wait, or compare the clocks")
	}
	return v.explainClaim(claims, err)
}

func (v *Verifier) explainClaim(claims *tokenClaims, err error) error {
	switch {
	case claims.ExpiresAt == nil:
		return refuse(Claim, "the token has no exp; it must expire")
	case !slices.Contains(claims.Audience, v.config.Audience):
		return refuse(Audience, fmt.Sprintf("the token is for %q; this server is %q", clip(strings.Join(claims.Audience, " ")), v.config.Audience))
	case v.config.Issuer != "" && claims.Issuer != v.config.Issuer:
		return refuse(Issuer, fmt.Sprintf("the token was issued by %q; this server trusts %q", clip(claims.Issuer), v.config.Issuer))
	case errors.Is(err, jwt.ErrTokenUnverifiable), errors.Is(err, jwt.ErrInvalidKeyType), errors.Is(err, jwt.ErrInvalidKey):
		return refuse(Signature, "the token cannot be verified with the key it names")
	}
	return refuse(Claim, "a claim of the token is not valid")
}

func wrongAlgorithm(t *jwt.Token) (string, bool) {
	if t == nil || t.Header == nil {
		return "", false
	}
	alg, ok := t.Header["alg"].(string)
	return alg, !ok || !slices.Contains(algorithms(), alg)
}

func stamp(at *jwt.NumericDate) string { return at.UTC().Format(time.RFC3339) }
