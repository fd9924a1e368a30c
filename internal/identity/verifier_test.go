package identity

import (
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func TestVerifyGood(t *testing.T) {
	w := newWorld(t)
	want := Caller{Subject: "n8n", Scopes: Scopes(EventsWrite, Read), TokenID: "jti-1", ExpiresAt: testStart.Add(time.Hour)}
	w.clock.nanos.Store(testStart.UnixNano())
	token := w.token(nil)
	for _, look := range []string{"first", "remembered"} {
		got, err := w.verifier.Verify(token)
		noErr(t, err)
		if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s: %s", look, diff)
		}
	}
}

func TestVerifyAcceptsOtherShapes(t *testing.T) {
	w := newWorld(t)
	tests := map[string]string{
		"scp as an array":           w.raw(nil, map[string]any{"scope": nil, "scp": []string{"read"}}),
		"scope as an array":         w.raw(nil, map[string]any{"scope": []string{"read"}}),
		"several audiences":         w.raw(nil, map[string]any{"aud": []string{"other", "salve"}}),
		"no kid and one key":        w.raw(map[string]any{"kid": nil}, nil),
		"kid is the thumbprint":     w.token(func(c *Claims) { c.Scopes = Scopes(Read) }),
		"expired within the leeway": w.raw(nil, map[string]any{"exp": w.clock.now().Add(-29 * time.Second).Unix()}),
		"nbf within the leeway":     w.raw(nil, map[string]any{"nbf": w.clock.now().Add(29 * time.Second).Unix()}),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			caller, err := w.verifier.Verify(token)
			noErr(t, err)
			if caller.Scopes != Scopes(Read) {
				t.Errorf("scopes %q", caller.Scopes)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	w := newWorld(t)
	now := w.clock.now()
	good := w.token(nil)
	tests := map[string]struct {
		token  string
		want   Reason
		detail string
	}{
		"no token":               {"", Missing, "Authorization: Bearer"},
		"huge":                   {good + strings.Repeat("A", maxTokenBytes), TooLarge, "at most 8192"},
		"garbage":                {"garbage", Malformed, "not a signed JWT"},
		"two parts":              {"a.b", Malformed, "not a signed JWT"},
		"base64 with padding":    {strings.Replace(good, ".", "=.", 1), Malformed, "not a signed JWT"},
		"expired":                {w.raw(nil, map[string]any{"exp": now.Add(-31 * time.Second).Unix()}), Expired, "expired at 2026-03-01T03:14:29Z"},
		"no exp":                 {w.raw(nil, map[string]any{"exp": nil}), Claim, "no exp"},
		"nbf in the future":      {w.raw(nil, map[string]any{"nbf": now.Add(31 * time.Second).Unix()}), NotYetValid, "not valid before 2026-03-01T03:15:31Z"},
		"wrong audience":         {w.token(func(c *Claims) { c.Audience = "n8n" }), Audience, `for "n8n"; this server is "salve"`},
		"no audience":            {w.raw(nil, map[string]any{"aud": nil}), Audience, "this server is"},
		"wrong issuer":           {w.token(func(c *Claims) { c.Issuer = "me" }), Issuer, `issued by "me"`},
		"no issuer":              {w.token(func(c *Claims) { c.Issuer = "" }), Issuer, `trusts "ops"`},
		"no sub":                 {w.raw(nil, map[string]any{"sub": nil}), Claim, "no sub"},
		"blank sub":              {w.raw(nil, map[string]any{"sub": " "}), Claim, "no sub"},
		"long sub":               {w.raw(nil, map[string]any{"sub": strings.Repeat("n", 256)}), Claim, "longer than 255"},
		"control characters":     {w.raw(nil, map[string]any{"sub": "n8n\nadmin"}), Claim, "control characters"},
		"long jti":               {w.raw(nil, map[string]any{"jti": strings.Repeat("n", 256)}), Claim, "jti is longer"},
		"scope is a number":      {w.raw(nil, map[string]any{"scope": 1}), Malformed, "scope a string"},
		"unknown kid":            {w.raw(map[string]any{"kid": "other"}, nil), UnknownKey, `no key named "other"`},
		"kid is a number":        {w.raw(map[string]any{"kid": 1}, nil), Malformed, "kid must be a string"},
		"kid is a path":          {w.raw(map[string]any{"kid": "../../etc/passwd"}, nil), UnknownKey, "no key named"},
		"critical extension":     {w.raw(map[string]any{"crit": []string{"b64"}}, nil), Malformed, "crit"},
		"HS256 with public key":  {hs256(t, w.public), Algorithm, `"HS256" is not accepted`},
		"none":                   {none(t), Algorithm, `"none" is not accepted`},
		"nOnE":                   {withHeader(good, `{"alg":"nOnE","kid":"ops"}`), Algorithm, `"nOnE"`},
		"no alg":                 {withHeader(good, `{"kid":"ops"}`), Algorithm, "sign with EdDSA"},
		"alg of another key":     {withHeader(good, `{"alg":"RS256","kid":"ops"}`), Algorithm, `"ops" verifies EdDSA only`},
		"no kid, no key fits":    {withHeader(good, `{"alg":"ES256"}`), UnknownKey, "no key here fits ES256"},
		"tampered payload":       {tamper(good), Signature, "does not match"},
		"signature cut off":      {good[:strings.LastIndex(good, ".")+1], Signature, "does not match"},
		"signed by somebody":     {stranger(t, w), Signature, "does not match"},
		"a key inside the token": {withHeader(stranger(t, w), `{"alg":"EdDSA","jwk":{"kty":"OKP"},"kid":"ops"}`), Signature, "does not match"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := w.verifier.Verify(test.token)
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if !errors.Is(err, test.want) || !strings.Contains(refusal.Detail, test.detail) {
				t.Errorf("got %v, want %s: …%s…", err, test.want, test.detail)
			}
			if test.token != "" && strings.Contains(err.Error(), test.token) {
				t.Errorf("the message holds the token: %v", err)
			}
		})
	}
}

func hs256(t *testing.T, secret []byte) string {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "n8n", "aud": "salve", "iss": "ops", "exp": testStart.Add(time.Hour).Unix()})
	token.Header["kid"] = "ops"
	return must(token.SignedString(secret))(t)
}

func none(t *testing.T) string {
	token := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "n8n", "aud": "salve", "exp": testStart.Add(time.Hour).Unix()})
	return must(token.SignedString(jwt.UnsafeAllowNoneSignatureType))(t)
}

// stranger signs with another key and claims to be ops.
func stranger(t *testing.T, w *world) string {
	private, _ := generate(t, EdDSA)
	other := &world{t: t, clock: w.clock, private: private}
	return other.raw(nil, nil)
}

func withHeader(token, header string) string {
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + rest
}

func tamper(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	changed := strings.Replace(string(payload), "read", "admin", 1)
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(changed))
	return strings.Join(parts, ".")
}

// As n8n's jwt node signs: RS256 and ES256, with kid, claims of its own.
func TestVerifyNodeStyleTokens(t *testing.T) {
	w := newWorld(t)
	rsaKey, rsaPublic := rsaPair(t, 2048)
	ecKey, ecPublic := ecPair(t, elliptic.P256())
	w.write("n8n-rsa.pem", rsaPublic)
	w.write("n8n-ec.pub.pem", ecPublic)
	must(w.verifier.Reload())(t)
	tests := map[string]struct {
		method jwt.SigningMethod
		kid    string
		key    any
		want   Reason
	}{
		"RS256":               {jwt.SigningMethodRS256, "n8n-rsa", rsaKey, ""},
		"PS256":               {jwt.SigningMethodPS256, "n8n-rsa", rsaKey, ""},
		"RS256 without kid":   {jwt.SigningMethodRS256, "", rsaKey, ""},
		"ES256":               {jwt.SigningMethodES256, "n8n-ec", ecKey, ""},
		"RS512":               {jwt.SigningMethodRS512, "n8n-rsa", rsaKey, Algorithm},
		"ES256 for RSA's kid": {jwt.SigningMethodES256, "n8n-rsa", ecKey, Algorithm},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			token := jwt.NewWithClaims(test.method, jwt.MapClaims{"sub": "n8n", "aud": "salve", "iss": "ops",
				"scope": "intents:execute", "iat": testStart.Unix(), "exp": testStart.Add(time.Minute).Unix()})
			if test.kid != "" {
				token.Header["kid"] = test.kid
			}
			caller, err := w.verifier.Verify(must(token.SignedString(test.key))(t))
			if test.want != "" {
				if !errors.Is(err, test.want) {
					t.Fatalf("got %v, want %s", err, test.want)
				}
				return
			}
			noErr(t, err)
			if !caller.Allows(IntentsExecute) {
				t.Errorf("caller %+v", caller)
			}
		})
	}
}

func TestVerifyWithoutKidAndTwoKeys(t *testing.T) {
	w := newWorld(t)
	_, second := generate(t, EdDSA)
	w.write("second.pem", second)
	must(w.verifier.Reload())(t)
	_, err := w.verifier.Verify(w.raw(map[string]any{"kid": nil}, nil))
	if !errors.Is(err, UnknownKey) || !strings.Contains(err.Error(), "several keys fit") {
		t.Errorf("got %v", err)
	}
}

func TestRememberedTokenExpires(t *testing.T) {
	w := newWorld(t)
	token := w.token(nil)
	must(w.verifier.Verify(token))(t)
	w.clock.advance(time.Hour + 29*time.Second)
	must(w.verifier.Verify(token))(t)
	w.clock.advance(2 * time.Second)
	if _, err := w.verifier.Verify(token); !errors.Is(err, Expired) {
		t.Errorf("got %v, want expired", err)
	}
}

func TestRememberedTokenEndsWithItsKey(t *testing.T) {
	w := newWorld(t)
	token := w.token(nil)
	must(w.verifier.Verify(token))(t)
	_, second := generate(t, EdDSA)
	w.write("ops.pub.pem", second)
	if changed := must(w.verifier.Reload())(t); !changed {
		t.Fatal("the new key was not noticed")
	}
	if _, err := w.verifier.Verify(token); !errors.Is(err, UnknownKey) {
		t.Errorf("got %v, want unknown_key", err)
	}
}

func TestRememberedTokenEndsWhenKeyringReloadsByItself(t *testing.T) {
	w := newWorld(t)
	token := w.token(nil)
	must(w.verifier.Verify(token))(t)
	_, second := generate(t, EdDSA)
	w.write("ops.pub.pem", second)
	must(w.ring.Reload())(t)
	if _, err := w.verifier.Verify(token); !errors.Is(err, UnknownKey) {
		t.Errorf("got %v, want unknown_key", err)
	}
}

func TestUnknownKidLooksForNewKeysOnceASecond(t *testing.T) {
	w := newWorld(t)
	old := w.token(nil)
	must(w.verifier.Verify(old))(t)
	unknown := w.raw(map[string]any{"kid": "nobody"}, nil)
	if _, err := w.verifier.Verify(unknown); !errors.Is(err, UnknownKey) {
		t.Fatalf("got %v", err)
	}
	next := &world{t: t, clock: w.clock, dir: w.dir}
	next.private, next.public = generate(t, ES256)
	next.write("next.pub.pem", next.public)
	fresh := next.token(nil)
	if _, err := w.verifier.Verify(fresh); !errors.Is(err, UnknownKey) {
		t.Fatalf("looked again within the second: %v", err)
	}
	w.clock.advance(time.Second)
	for _, token := range []string{fresh, old} {
		must(w.verifier.Verify(token))(t)
	}
}

func TestDenyList(t *testing.T) {
	deny := filepath.Join(t.TempDir(), "denied.txt")
	writeFile(t, deny, []byte("# revoked\n\nother\n"))
	w := newWorldWith(t, Config{Audience: DefaultAudience, DenyFile: deny})
	token := w.token(nil)
	must(w.verifier.Verify(token))(t)

	writeFile(t, deny, []byte("other\n jti-1 \n"))
	must(w.verifier.Reload())(t)
	if _, err := w.verifier.Verify(token); !errors.Is(err, Denied) {
		t.Errorf("got %v, want denied", err)
	}

	writeFile(t, deny, []byte(strings.Repeat("x", 2*maxDenyLineBytes)))
	if _, err := w.verifier.Reload(); err == nil || !strings.Contains(err.Error(), "one jti a line") {
		t.Errorf("a bad list: %v", err)
	}
	if _, err := w.verifier.Verify(token); !errors.Is(err, Denied) {
		t.Errorf("a bad list let it in: %v", err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	w := newWorld(t)
	tests := map[string]struct {
		config Config
		want   string
	}{
		"no audience":       {Config{}, "audience"},
		"missing deny list": {Config{Audience: "salve", DenyFile: filepath.Join(w.dir, "missing")}, "deny list"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := NewVerifier(w.ring, test.config, w.clock.now)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(8)
	for i := range 100 {
		c.put(digest{byte(i)}, remembered{until: testStart.Add(time.Hour)}, testStart)
	}
	if len(c.byKey) != 8 {
		t.Errorf("%d entries, want 8", len(c.byKey))
	}
	later := testStart.Add(2 * time.Hour)
	c.put(digest{200}, remembered{until: later.Add(time.Hour)}, later)
	if len(c.byKey) != 1 {
		t.Errorf("%d entries after all others are over, want 1", len(c.byKey))
	}
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	good := w.token(nil)
	for _, seed := range []string{good, tamper(good), withHeader(good, `{"alg":"none"}`), "a.b.c", "..", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := w.verifier.Verify(token)
		var refusal *Refusal
		switch {
		case err == nil && token != good:
			t.Fatalf("accepted %q as %+v", token, caller)
		case err != nil && !errors.As(err, &refusal):
			t.Fatalf("%v is not a refusal", err)
		}
	})
}

func BenchmarkVerifyHit(b *testing.B) {
	w := newWorld(b)
	token := w.token(nil)
	must(w.verifier.Verify(token))(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.verifier.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyMiss(b *testing.B) {
	w := newWorld(b)
	token := w.token(nil)
	b.ReportAllocs()
	for b.Loop() {
		w.verifier.current.Load().cache.byKey = map[digest]remembered{}
		if _, err := w.verifier.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}
