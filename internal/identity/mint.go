package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// This file is the operator's side: nothing in the server calls it.

const (
	privateKeyFile = "salve.key.pem"
	publicKeyFile  = "salve.pub.pem"
	maxTTL         = 366 * 24 * time.Hour
)

// Generate makes a key pair for EdDSA or ES256, as PKCS #8 and SPKI in PEM.
// The randomness is the system's: since Go 1.26 key generation takes no other.
func Generate(alg string) (private, public []byte, err error) {
	var signer crypto.Signer
	switch alg {
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(nil)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		return nil, nil, fmt.Errorf("cannot make a key for %q; choose %s or %s (n8n's jwt node signs ES256)", clip(alg), EdDSA, ES256)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	return encodePair(signer)
}

func encodePair(signer crypto.Signer) (private, public []byte, err error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, nil, fmt.Errorf("encode private key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("encode public key: %w", err)
	}
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	public = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	return private, public, nil
}

// WriteKeys puts a pair into dir as salve.key.pem (0600) and salve.pub.pem
// (0644). It never overwrites: a lost private key cannot be made again.
//
// Where scopes are given a third file, salve.scopes, says that the key signs for
// nothing else.
func WriteKeys(dir string, private, public []byte, scopes ScopeSet) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	keyPath := filepath.Join(dir, privateKeyFile)
	if err := writeNew(keyPath, private, 0o600); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, publicKeyFile), public, 0o644); err != nil {
		return errors.Join(err, os.Remove(keyPath))
	}
	if scopes == 0 {
		return nil
	}
	return writeNew(filepath.Join(dir, kidOf(publicKeyFile)+scopesSuffix), []byte(scopes.String()+"\n"), 0o644)
}

func writeNew(path string, data []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; choose another directory or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// Claims is what a token is to say.
type Claims struct {
	Subject  string
	Scopes   ScopeSet
	Audience string
	Issuer   string // empty: left out
	TTL      time.Duration
	Groups   []string
}

func (c Claims) validate() error {
	var errs []error
	if err := checkName("sub", c.Subject); err != nil {
		errs = append(errs, errors.New("subject: must be 1 to 255 bytes without control characters"))
	}
	if c.Scopes == 0 {
		errs = append(errs, fmt.Errorf("scope: at least one is needed, of: %s", Scopes(AllScopes()...)))
	}
	if c.Audience == "" {
		errs = append(errs, errors.New("audience: must be set, as the server's SALVE_JWT_AUDIENCE says"))
	}
	if c.TTL < time.Second || c.TTL > maxTTL {
		errs = append(errs, fmt.Errorf("ttl: %s is not between 1s and 366 days (8784h)", c.TTL))
	}
	return errors.Join(errs...)
}

// Sign makes a token with a private key in PEM. Its kid is the RFC 7638
// thumbprint, which a keyring knows whatever the public key's file is called.
func Sign(privatePEM []byte, c Claims, now time.Time, jti string) (string, error) {
	if err := c.validate(); err != nil {
		return "", err
	}
	signer, err := parsePrivate(privatePEM)
	if err != nil {
		return "", err
	}
	k, err := newKey(signer.Public())
	if err != nil {
		return "", fmt.Errorf("private key: %w", err)
	}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(k.algs[0]), registered(c, now, jti))
	token.Header["kid"] = k.thumbprint
	signed, err := token.SignedString(signer)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}

func registered(c Claims, now time.Time, jti string) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub":   c.Subject,
		"scope": c.Scopes.String(),
		"aud":   c.Audience,
		"iat":   now.Unix(),
		"exp":   now.Add(c.TTL).Unix(),
		"jti":   jti,
	}
	if len(c.Groups) > 0 {
		claims["groups"] = c.Groups
	}
	if c.Issuer != "" {
		claims["iss"] = c.Issuer
	}
	return claims
}

// parsePrivate reads PKCS #8, SEC 1 and PKCS #1.
func parsePrivate(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("private key: is not PEM; it begins with -----BEGIN PRIVATE KEY-----")
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("private key: the file holds a PEM block of type %q; an unencrypted PRIVATE KEY is needed", clip(block.Type))
	}
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("private key: cannot sign; Ed25519, EC P-256 or RSA is needed")
	}
	return signer, nil
}
