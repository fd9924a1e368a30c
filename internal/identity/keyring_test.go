package identity

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// From RFC 8037, appendix A: the key and its thumbprint.
const (
	rfc8037Key        = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	rfc8037Thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
	// From RFC 7638, section 3.1.
	rfc7638Key        = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
	rfc7638Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
	// From RFC 7517, appendix A.1.
	ecKeyJWK = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"ec"}`
)

func TestOpenKeyringJWKS(t *testing.T) {
	set := loadJWKS(t, rfc8037Key, rfc7638Key, ecKeyJWK)
	tests := []struct{ kid, alg string }{
		{rfc8037Thumbprint, EdDSA}, {rfc7638Thumbprint, RS256}, {"2011-04-29", RS256}, {"ec", ES256},
	}
	for _, test := range tests {
		if _, err := set.find(test.kid, test.alg); err != nil {
			t.Error(err)
		}
	}
	if _, err := set.find("2011-04-29", PS256); !errors.Is(err, Algorithm) {
		t.Errorf("a JWK's alg must bind: %v", err)
	}
}

// A key that may sign for some scopes signs for no other, under whatever name.
func TestKeysAreBounded(t *testing.T) {
	private, public := generate(t, ES256)
	token := func(scopes ScopeSet) string {
		return must(Sign(private, Claims{Subject: "n8n", Scopes: scopes, Audience: "salve", TTL: time.Hour}, time.Now(), "id"))(t)
	}
	for name, files := range map[string]map[string]string{
		"in a file beside it":        {"relay.pub.pem": string(public), "relay.scopes": "slack:relay read\n"},
		"under one of its names":     {"a.pem": string(public), "relay.pub.pem": string(public), "relay.scopes": "read slack:relay"},
		"whichever name comes first": {"relay.pub.pem": string(public), "relay.scopes": "read slack:relay", "z.pem": string(public)},
	} {
		dir := t.TempDir()
		for file, text := range files {
			writeFile(t, filepath.Join(dir, file), []byte(text))
		}
		v := must(NewVerifier(must(OpenKeyring(dir))(t), Config{Audience: "salve"}, time.Now))(t)
		for _, c := range []struct {
			scopes ScopeSet
			ok     bool
		}{{Scopes(SlackRelay), true}, {Scopes(SlackRelay, Read), true}, {Scopes(Admin), false}, {Scopes(SlackRelay, IntentsDecide), false}} {
			_, err := v.Verify(token(c.scopes))
			if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "may sign for") {
				t.Errorf("%s: %s: %v, want it let in: %t", name, c.scopes, err, c.ok)
			}
		}
	}
	for name, files := range map[string][2]string{"no key beside it": {"relay.scopes", "read"}, "no such scope": {"good.scopes", "reed"}, "nothing": {"good.scopes", " \n"}} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "good.pub.pem"), public)
		writeFile(t, filepath.Join(dir, files[0]), []byte(files[1]))
		if _, err := OpenKeyring(dir); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(files[0], ".scopes")) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
	set := loadJWKS(t, strings.Replace(ecKeyJWK, `"kid"`, `"salve_scopes":"read","kid"`, 1), rfc8037Key)
	if k := must(set.find("ec", ES256))(t); k.scopes != Scopes(Read) {
		t.Errorf("a JWK with salve_scopes may sign for %s, want read", k.scopes)
	}
	if k := must(set.find(rfc8037Thumbprint, EdDSA))(t); k.scopes != everything {
		t.Errorf("a JWK without salve_scopes may sign for %s, want everything", k.scopes)
	}
}

func loadJWKS(t *testing.T, keys ...string) *keySet {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	writeFile(t, path, []byte(`{"keys":[`+strings.Join(keys, ",")+`]}`))
	return must(OpenKeyring(path))(t).current.Load()
}

func TestOpenKeyringRefusesFiles(t *testing.T) {
	private, public := generate(t, EdDSA)
	rsaKey, _ := rsaPair(t, 2048)
	_, short := rsaPair(t, 1024)
	_, p384 := ecPair(t, elliptic.P384())
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	tests := map[string]struct {
		name string
		data []byte
		want string
	}{
		"private key":                {"a.pem", private, "private or symmetric key"},
		"private key of another end": {"salve.key", private, "private or symmetric key"},
		"PKCS #1":                    {"a.pem", pkcs1, "private or symmetric key"},
		"encrypted":                  {"a.pem", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "private or symmetric key"},
		"behind a public key":        {"a.pem", append(public[:len(public):len(public)], private...), "private or symmetric key"},
		"private JWK":                {"a.json", []byte(`{"kty":"OKP","d":"AA"}`), "private or symmetric key"},
		"two public keys":            {"a.pem", append(public[:len(public):len(public)], public...), "more than one PEM block"},
		"a certificate":              {"a.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}), `"CERTIFICATE"`},
		"no PEM":                     {"a.pem", []byte("ssh-ed25519 AAAA"), "is not PEM"},
		"damaged":                    {"a.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}), "is not a public key"},
		"RSA too short":              {"a.pem", short, "1024 bits is too short"},
		"EC of another curve":        {"a.pem", p384, "P-256"},
		"huge":                       {"a.pem", make([]byte, maxKeyFileBytes+1), "too many for a key file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "good.pub.pem"), public)
			writeFile(t, filepath.Join(dir, test.name), test.data)
			_, err := OpenKeyring(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.name) {
				t.Errorf("got %v, want the file and %q", err, test.want)
			}
		})
	}
}

func TestOpenKeyringRefusesJWKS(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"private":       {`{"keys":[` + strings.Replace(rfc8037Key, `"x"`, `"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x"`, 1) + `]}`, "private or symmetric"},
		"symmetric":     {`{"keys":[{"kty":"oct","k":"AAAA"}]}`, "private or symmetric"},
		"empty set":     {`{"keys":[]}`, "no keys"},
		"not a set":     {`[]`, "is not a JWK set"},
		"not JSON":      {`keys`, "is not a JWK set"},
		"other use":     {`{"keys":[` + strings.Replace(ecKeyJWK, `"sig"`, `"enc"`, 1) + `]}`, `use is "enc"`},
		"alg unfit":     {`{"keys":[` + strings.Replace(rfc7638Key, `"RS256"`, `"ES256"`, 1) + `]}`, "does not fit"},
		"alg HMAC":      {`{"keys":[` + strings.Replace(rfc7638Key, `"RS256"`, `"HS256"`, 1) + `]}`, "does not fit"},
		"off the curve": {`{"keys":[` + strings.Replace(ecKeyJWK, "MKBC", "AAAA", 1) + `]}`, "/keys/0: is not a public key"},
		"kid twice":     {`{"keys":[` + ecKeyJWK + `,` + strings.Replace(rfc7638Key, "2011-04-29", "ec", 1) + `]}`, `kid "ec" names two`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jwks.json")
			writeFile(t, path, []byte(test.body))
			_, err := OpenKeyring(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want the file and %q", err, test.want)
			}
		})
	}
}

func TestOpenKeyringWithoutKeys(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "README.md"), []byte("keys go here"))
	if _, err := OpenKeyring(dir); !errors.Is(err, ErrNoKeys) {
		t.Errorf("empty directory: %v", err)
	}
	if _, err := OpenKeyring(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

func TestReloadRefusesBadSet(t *testing.T) {
	w := newWorld(t)
	token := w.token(nil)
	w.write("leaked.pem", w.private)
	for range 2 {
		if changed, err := w.verifier.Reload(); changed || !errors.Is(err, errPrivateKey) {
			t.Fatalf("changed %v, error %v", changed, err)
		}
	}
	must(w.verifier.Verify(token))(t)
	noErr(t, os.Remove(filepath.Join(w.dir, "ops.pub.pem")))
	noErr(t, os.Remove(filepath.Join(w.dir, "leaked.pem")))
	if _, err := w.verifier.Reload(); !errors.Is(err, ErrNoKeys) {
		t.Errorf("an emptied directory: %v", err)
	}
	must(w.verifier.Verify(token))(t)
}

func TestReloadWithoutChange(t *testing.T) {
	w := newWorld(t)
	before := w.ring.current.Load()
	if changed := must(w.ring.Reload())(t); changed || before != w.ring.current.Load() {
		t.Error("the same files were read again")
	}
}

func TestSameKeyUnderTwoNames(t *testing.T) {
	w := newWorld(t)
	w.write("alias.pem", w.public)
	must(w.verifier.Reload())(t)
	if w.ring.Len() != 1 {
		t.Errorf("%d keys, want 1", w.ring.Len())
	}
	must(w.verifier.Verify(w.raw(map[string]any{"kid": "alias"}, nil)))(t)
	must(w.verifier.Verify(w.raw(map[string]any{"kid": nil}, nil)))(t)
}

func FuzzJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[` + rfc8037Key + `,` + ecKeyJWK + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set := &keySet{byKid: map[string]*key{}}
		if set.addJWKS(data) != nil {
			return
		}
		for kid, k := range set.byKid {
			if len(k.algs) == 0 || k.public == nil {
				t.Fatalf("kid %q has no use", kid)
			}
		}
	})
}

// What keygen prints as the public key can be named as it stands.
func TestKeyringOfOnePublicFile(t *testing.T) {
	dir := t.TempDir()
	private, public, err := Generate(EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteKeys(dir, private, public, 0); err != nil {
		t.Fatal(err)
	}
	ring, err := OpenKeyring(filepath.Join(dir, "salve.pub.pem"))
	if err != nil || ring.Len() != 1 {
		t.Fatalf("%v, want one key", err)
	}
	for _, source := range []string{dir, filepath.Join(dir, "salve.key.pem")} {
		if _, err := OpenKeyring(source); !errors.Is(err, errPrivateKey) {
			t.Errorf("%s: %v, want the private key refused", source, err)
		}
	}
}
