package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The algorithms a token may be signed with. HMAC is not among them because
// this side holds public keys only, and anybody has those.
const (
	EdDSA = "EdDSA"
	ES256 = "ES256"
	RS256 = "RS256"
	PS256 = "PS256"
)

const minRSABits = 2048

func algorithms() []string { return []string{EdDSA, ES256, RS256, PS256} }

// key is one public key with the algorithms it may be used with: the key
// decides, never the token.
type key struct {
	public     crypto.PublicKey
	algs       []string
	thumbprint string
	scopes     ScopeSet // what it may sign for; all, unless something says less
}

// everything is what a key may sign for that nothing bounds.
var everything = Scopes(AllScopes()...)

func (k *key) fits(alg string) bool { return slices.Contains(k.algs, alg) }

// newKey admits a public key, or says why it cannot verify tokens.
func newKey(public crypto.PublicKey) (*key, error) {
	switch p := public.(type) {
	case ed25519.PublicKey:
		return &key{p, []string{EdDSA}, okpThumbprint(p), everything}, nil
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, fmt.Errorf("EC curve %s cannot be used: ES256 needs P-256", p.Curve.Params().Name)
		}
		thumbprint, err := ecThumbprint(p)
		return &key{p, []string{ES256}, thumbprint, everything}, err
	case *rsa.PublicKey:
		if p.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("RSA key of %d bits is too short: at least %d are needed", p.N.BitLen(), minRSABits)
		}
		return &key{p, []string{RS256, PS256}, rsaThumbprint(p), everything}, nil
	}
	return nil, errors.New("unsupported key type: Ed25519, EC P-256 or RSA is needed")
}

// The thumbprints are RFC 7638: SHA-256 over the required members in
// alphabetical order without white space.

func okpThumbprint(p ed25519.PublicKey) string {
	return thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"` + base64url(p) + `"}`)
}

func ecThumbprint(p *ecdsa.PublicKey) (string, error) {
	point, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("EC point: %w", err)
	}
	x, y := point[1:33], point[33:]
	return thumbprint(`{"crv":"P-256","kty":"EC","x":"` + base64url(x) + `","y":"` + base64url(y) + `"}`), nil
}

func rsaThumbprint(p *rsa.PublicKey) string {
	e := big.NewInt(int64(p.E)).Bytes()
	return thumbprint(`{"e":"` + base64url(e) + `","kty":"RSA","n":"` + base64url(p.N.Bytes()) + `"}`)
}

func thumbprint(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return base64url(sum[:])
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
