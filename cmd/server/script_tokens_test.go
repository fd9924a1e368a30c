package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// callers are the tokens every script has, by name: subject and scopes. n8n is
// the subject that the default policy trusts.
var callers = map[string][2]string{
	"writer": {"alertmanager", "events:write"},
	"n8n":    {"n8n", "events:write intents:execute read"},
	"other":  {"other-worker", "intents:execute"},
	"human":  {"ines", "intents:decide read"},
	"reader": {"reader", "read"},
	"admin":  {"root", "admin read"},
	"relay":  {"n8n-relay", "slack:relay"},
}

// makeKeys makes the pair with the real keygen. Only the public half is trusted
// to the server.
func (s *script) makeKeys() error {
	if _, err := salve("keygen", "--out", s.keyDir()); err != nil {
		return err
	}
	public, err := os.ReadFile(filepath.Join(s.keyDir(), "salve.pub.pem"))
	if err != nil {
		return err
	}
	trusted := filepath.Join(s.dir, "trusted")
	return errors.Join(
		os.Mkdir(trusted, 0o700),
		os.WriteFile(filepath.Join(trusted, "salve.pub.pem"), public, 0o600),
		os.WriteFile(filepath.Join(s.dir, "denied"), nil, 0o600),
	)
}

func (s *script) keyDir() string { return filepath.Join(s.dir, "private") }

func (s *script) makeTokens() error {
	for name, who := range callers {
		if err := s.token([]string{name, who[0], who[1]}); err != nil {
			return err
		}
	}
	return nil
}

// salve is the real program's run, to its end.
func salve(args ...string) (string, error) {
	var out bytes.Buffer
	err := run(context.Background(), args, func(string) string { return "" }, &out)
	return strings.TrimSpace(out.String()), err
}

// token signs one with the real command: token NAME SUBJECT SCOPES [FLAG]...
// Flags given later win, --key and --ttl too.
func (s *script) token(args []string) error {
	if err := wants(args, 3, 20, "token NAME SUBJECT SCOPES [FLAG]..."); err != nil {
		return err
	}
	flags := []string{"token", "--sub", args[1], "--scope", args[2]}
	all := strings.Join(args[3:], " ")
	if !strings.Contains(all, "--key") {
		flags = append(flags, "--key", filepath.Join(s.keyDir(), "salve.key.pem"))
	}
	if !strings.Contains(all, "--ttl") {
		flags = append(flags, "--ttl", "1h")
	}
	text, err := salve(append(flags, args[3:]...)...)
	s.tokens[args[0]] = text
	return err
}

// deny puts a token's jti on the deny list: deny NAME.
func (s *script) deny(args []string) error {
	if err := wants(args, 1, 1, "deny NAME"); err != nil {
		return err
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(s.tokens[args[0]], &claims); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "denied"), []byte("# leaked\n"+claims.ID+"\n"), 0o600)
}

// forge makes a token that must not count: forge NAME garbage|expired|hs256|none|kid|stranger|tampered|noexpiry.
// hs256 is signed with the public key's own text, as in the old attack.
func (s *script) forge(args []string) (err error) {
	if err := wants(args, 2, 2, "forge NAME KIND"); err != nil {
		return err
	}
	claims := jwt.MapClaims{
		"sub": "n8n", "scope": "events:write intents:execute intents:decide read admin", "aud": "salve", "jti": "forged",
		"iat": time.Now().Add(-2 * time.Hour).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	ours, public, err := s.keyPair()
	if err != nil {
		return err
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	text := ""
	switch args[1] {
	case "garbage":
		text = "not.a.token"
	case "expired":
		claims["exp"] = time.Now().Add(-time.Hour).Unix()
		text, err = sign(jwt.SigningMethodEdDSA, claims, ours, "")
	case "noexpiry":
		delete(claims, "exp")
		text, err = sign(jwt.SigningMethodEdDSA, claims, ours, "")
	case "hs256":
		text, err = sign(jwt.SigningMethodHS256, claims, public, "")
	case "none":
		text, err = sign(jwt.SigningMethodNone, claims, jwt.UnsafeAllowNoneSignatureType, "")
	case "kid":
		text, err = sign(jwt.SigningMethodEdDSA, claims, ours, "a-key-nobody-knows")
	case "stranger":
		text, err = sign(jwt.SigningMethodEdDSA, claims, stranger, "")
	case "tampered":
		text, err = tampered(claims, ours)
	default:
		err = fmt.Errorf("there is no way to forge %q", args[1])
	}
	s.tokens[args[0]] = text
	return err
}

func sign(method jwt.SigningMethod, claims jwt.MapClaims, key any, kid string) (string, error) {
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	return token.SignedString(key)
}

// tampered gives a good token's signature to other claims.
func tampered(claims jwt.MapClaims, key any) (string, error) {
	good, err := sign(jwt.SigningMethodEdDSA, claims, key, "")
	claims["sub"] = "root"
	other, otherErr := sign(jwt.SigningMethodEdDSA, claims, key, "")
	cut := strings.LastIndex(other, ".")
	return other[:max(cut, 0)] + good[strings.LastIndex(good, "."):], errors.Join(err, otherErr)
}

// keyPair reads the private key, and the public one as the text it stands in.
func (s *script) keyPair() (any, []byte, error) {
	private, err := os.ReadFile(filepath.Join(s.keyDir(), "salve.key.pem"))
	if err != nil {
		return nil, nil, err
	}
	public, err := os.ReadFile(filepath.Join(s.keyDir(), "salve.pub.pem"))
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(private)
	if block == nil {
		return nil, nil, errors.New("keygen wrote no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	return key, public, err
}
