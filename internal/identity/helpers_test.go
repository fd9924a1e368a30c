package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var testStart = time.Date(2026, 3, 1, 3, 15, 0, 0, time.UTC)

// clock is a time that moves only when told to.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(testStart.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// world is a key directory with one EdDSA key named ops and its verifier.
type world struct {
	t        testing.TB
	dir      string
	clock    *clock
	private  []byte
	public   []byte
	ring     *Keyring
	verifier *Verifier
}

func newWorld(t testing.TB) *world {
	return newWorldWith(t, Config{Audience: DefaultAudience, Issuer: "ops"})
}

func newWorldWith(t testing.TB, config Config) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: newClock()}
	w.private, w.public = generate(t, EdDSA)
	w.write("ops.pub.pem", w.public)
	w.ring = must(OpenKeyring(w.dir))(t)
	w.verifier = must(NewVerifier(w.ring, config, w.clock.now))(t)
	return w
}

// write gives each file its own time, as an editor would: a snapshot compares
// times, and a test is faster than a file system's clock.
func (w *world) write(name string, data []byte) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.dir, name), data)
	w.clock.advance(time.Millisecond)
	noErr(w.t, os.Chtimes(filepath.Join(w.dir, name), w.clock.now(), w.clock.now()))
}

func (w *world) claims() Claims {
	return Claims{Subject: "n8n", Scopes: Scopes(EventsWrite, Read), Audience: DefaultAudience, Issuer: "ops", TTL: time.Hour}
}

func (w *world) token(change func(*Claims)) string {
	w.t.Helper()
	c := w.claims()
	if change != nil {
		change(&c)
	}
	return must(Sign(w.private, c, w.clock.now(), "jti-1"))(w.t)
}

// raw signs whatever it is told to, good or bad.
func (w *world) raw(header, claims map[string]any) string {
	w.t.Helper()
	full := jwt.MapClaims{"sub": "n8n", "aud": DefaultAudience, "iss": "ops", "scope": "read", "exp": w.clock.now().Add(time.Hour).Unix()}
	for name, value := range claims {
		if full[name] = value; value == nil {
			delete(full, name)
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, full)
	token.Header["kid"] = "ops"
	for name, value := range header {
		if token.Header[name] = value; value == nil {
			delete(token.Header, name)
		}
	}
	return must(token.SignedString(must(parsePrivate(w.private))(w.t)))(w.t)
}

func generate(t testing.TB, alg string) (private, public []byte) {
	t.Helper()
	private, public, err := Generate(alg)
	noErr(t, err)
	return private, public
}

func rsaPair(t testing.TB, bits int) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key := must(rsa.GenerateKey(rand.Reader, bits))(t)
	return key, spki(t, key.Public())
}

func ecPair(t testing.TB, curve elliptic.Curve) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key := must(ecdsa.GenerateKey(curve, rand.Reader))(t)
	return key, spki(t, key.Public())
}

func spki(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	der := must(x509.MarshalPKIXPublicKey(public))(t)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	noErr(t, os.WriteFile(path, data, 0o600))
}

func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		noErr(t, err)
		return value
	}
}
