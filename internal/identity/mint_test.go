package identity

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestGenerateSignVerify(t *testing.T) {
	for _, alg := range []string{EdDSA, ES256} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t)
			private, public := generate(t, alg)
			w.write("anything at all.pub.pem", public)
			must(w.verifier.Reload())(t)
			token := must(Sign(private, w.claims(), w.clock.now(), "j"))(t)
			if caller := must(w.verifier.Verify(token))(t); caller.Subject != "n8n" || caller.TokenID != "j" {
				t.Errorf("%+v", caller)
			}
		})
	}
	if _, _, err := Generate("HS256"); err == nil || !strings.Contains(err.Error(), "choose EdDSA or ES256") {
		t.Errorf("HS256: %v", err)
	}
}

func TestSignWithOtherEncodings(t *testing.T) {
	w := newWorld(t)
	rsaKey, public := rsaPair(t, 2048)
	w.write("rsa.pem", public)
	must(w.verifier.Reload())(t)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	must(w.verifier.Verify(must(Sign(private, w.claims(), w.clock.now(), "j"))(t)))(t)
}

func TestSignRefuses(t *testing.T) {
	w := newWorld(t)
	tests := map[string]struct {
		key    []byte
		change func(*Claims)
		want   string
	}{
		"no subject":    {w.private, func(c *Claims) { c.Subject = "" }, "subject"},
		"no scope":      {w.private, func(c *Claims) { c.Scopes = 0 }, "scope"},
		"no audience":   {w.private, func(c *Claims) { c.Audience = "" }, "audience"},
		"no ttl":        {w.private, func(c *Claims) { c.TTL = 0 }, "ttl"},
		"negative ttl":  {w.private, func(c *Claims) { c.TTL = -time.Hour }, "ttl"},
		"endless ttl":   {w.private, func(c *Claims) { c.TTL = 367 * 24 * time.Hour }, "366 days"},
		"public key":    {w.public, func(*Claims) {}, `"PUBLIC KEY"; an unencrypted PRIVATE KEY is needed`},
		"no PEM":        {[]byte("secret"), func(*Claims) {}, "is not PEM"},
		"damaged":       {[]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), func(*Claims) {}, "private key"},
		"all at once":   {w.private, func(c *Claims) { *c = Claims{} }, "audience: must be set"},
		"everything ok": {w.private, func(c *Claims) { c.TTL = 366 * 24 * time.Hour }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.claims()
			test.change(&c)
			_, err := Sign(test.key, c, testStart, "j")
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestWriteKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	private, public := generate(t, ES256)
	noErr(t, WriteKeys(dir, private, public, 0))
	for name, mode := range map[string]os.FileMode{privateKeyFile: 0o600, publicKeyFile: 0o644} {
		info := must(os.Stat(filepath.Join(dir, name)))(t)
		if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
	err := WriteKeys(dir, []byte("other"), []byte("other"), 0)
	if err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	if data := must(os.ReadFile(filepath.Join(dir, privateKeyFile)))(t); string(data) != string(private) {
		t.Error("the private key was overwritten")
	}
}

func TestWriteKeysLeavesNoHalfPair(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, publicKeyFile), []byte("old"))
	if err := WriteKeys(dir, []byte("k"), []byte("p"), 0); err == nil {
		t.Fatal("overwrote the public key")
	}
	if _, err := os.Stat(filepath.Join(dir, privateKeyFile)); !os.IsNotExist(err) {
		t.Errorf("a private key without its public key was left: %v", err)
	}
}
