package redact_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"salve/internal/redact"
)

const fakeJWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJuOG4ifQ.c2lnbmF0dXJlLW5vdC1yZWFs"

func TestRedactText(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing secret", "exit status 1", "exit status 1"},
		{"password=", "connect user=app password=hunter2 host=db", "connect user=app password=[redacted] host=db"},
		{"PASSWORD:", `DB_PASSWORD: "hunter2"`, `DB_PASSWORD: "[redacted]"`},
		{"an option", "run --password hunter2 --verbose", "run --password [redacted] --verbose"},
		{"a sentence about passwords", "password authentication failed for user app", "password authentication failed for user app"},
		{"json in text", `{"password":"hunter2","a":1}`, `{"password":"[redacted]","a":1}`},
		{"api key", "api_key=abc123&x=1", "api_key=[redacted]&x=1"},
		{"bearer", "curl -H 'X: Bearer abcdefghijklmnop1234'", "curl -H 'X: Bearer [redacted]'"},
		{"authorization header", "Authorization: Basic dXNlcjpwYXNz\nnext", "Authorization: [redacted]\nnext"},
		{"JWT", "got " + fakeJWT + " here", "got [redacted] here"},
		{"Slack token", "posted with xoxb-" + "123456789012-123456789012-abcdefGHIJKLmnopqr012345 today", "posted with [redacted] today"},
		{"GitHub token", "ghp_0123456789abcdefghijABCDEFGHIJ456789", "[redacted]"},
		{"Slack webhook", "see https://hooks.slack.com/services/" + "T01A2B3C4D5/B01A2B3C4D5/aB1cD2eF3gH4iJ5kL6mN7oP8", "see [redacted]"},
		{"a word that only begins like a token", "npm_install failed", "npm_install failed"},
		{"AWS key", "id AKIAIOSFODNN7EXAMPLE used", "id [redacted] used"},
		{"private key", "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb", "a\n[redacted]\nb"},
		{"private key cut off", "-----BEGIN PRIVATE KEY-----\nMHc", "[redacted]"},
		{"a certificate is public", "-----BEGIN CERTIFICATE-----\nMHc\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMHc\n-----END CERTIFICATE-----"},
		{"password in an address", "postgres://app:hunter2@db:5432/x", "postgres://[redacted]@db:5432/x"},
		{"an address without one", "http://prometheus:9090/graph?g0=a@b", "http://prometheus:9090/graph?g0=a@b"},
		{"token that is a word", "failed to fetch oauth token: unexpected status: 401 Unauthorized", "failed to fetch oauth token: unexpected status: 401 Unauthorized"},
		{"token that is one", "token: 8f14e45fceea167a", "token: [redacted]"},
		{"a missing Secret", `secret "db-credentials" not found`, `secret "db-credentials" not found`},
		{"the word uid within a random value", "shop_auth = r7PoeCx9917UidLGPDCKPgeydYbZLSYfHtI8OW3Y", "shop_auth = [redacted]"},
		{"twice", "password=a password=b", "password=[redacted] password=[redacted]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := redact.Text(tc.in)
			if got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if again := redact.Text(got); again != got {
				t.Errorf("redacting twice changes %q to %q", got, again)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing secret stays byte for byte", `{ "a" : 1.50, "env": "prod" }`, `{ "a" : 1.50, "env": "prod" }`},
		{"env values", `{"kind":"Pod","spec":{"containers":[{"env":[{"name":"A","value":"hunter2"},{"value":"x","name":"B"},{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],"image":"x"}]}}`,
			`{"kind":"Pod","spec":{"containers":[{"env":[{"name":"A"},{"name":"B"},{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],"image":"x"}]}}`},
		{"env with blanks", "{\"env\" :\n [ { \"value\" : \"x\" } ] }", `{"env":[{}]}`},
		{"env behind an escape", `{"\u0065nv":[{"name":"A","value":"x"}]}`, `{"\u0065nv":[{"name":"A"}]}`},
		{"secret data, whose kind comes last", `{"apiVersion":"v1","data":{"a":"aHVudGVyMg=="},"kind":"Secret","type":"Opaque"}`, `{"apiVersion":"v1","data":{"a":""},"kind":"Secret","type":"Opaque"}`},
		{"secrets of a list without kinds", `{"kind":"SecretList","items":[{"data":{"a":"aHVudGVyMg=="},"metadata":{"name":"a"}}]}`, `{"kind":"SecretList","items":[{"data":{"a":""},"metadata":{"name":"a"}}]}`},
		{"stringData", `{"stringData":{"a":"x","n":{"b":["y"]}}}`, `{"stringData":{"a":"","n":{"b":[""]}}}`},
		{"config map", `{"kind":"ConfigMap","data":{"a":"x"},"metadata":{"name":"a"}}`, `{"kind":"ConfigMap","data":{"a":""},"metadata":{"name":"a"}}`},
		{"data of other kinds", `{"kind":"ControllerRevision","data":{"a":"x"},"token":"abc"}`, `{"kind":"ControllerRevision","data":{"a":"x"},"token":"[redacted]"}`},
		{"managedFields and last-applied", `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"env\":[]}","a":"b"},"managedFields":[{"f:a":{}}],"name":"x"}}`,
			`{"metadata":{"annotations":{"a":"b"},"name":"x"}}`},
		{"all members dropped", `{"managedFields":[{"kind":"Secret"}]}`, `{}`},
		{"dropped objects keep the count of kinds right", `[{"managedFields":[{"a":{}},{}],"x":1},{"kind":"Secret","data":{"a":"b"}},{"data":{"a":"b"}}]`, `[{"x":1},{"kind":"Secret","data":{"a":""}},{"data":{"a":"b"}}]`},
		{"numbers stay as written", `{"password":"x","n":[1.0,1e400,123456789012345678901234567890,-0]}`, `{"password":"[redacted]","n":[1.0,1e400,123456789012345678901234567890,-0]}`},
		{"logs", `{"logs":[{"text":"a\npassword=hunter2\n<b>"}]}`, `{"logs":[{"text":"a\npassword=[redacted]\n<b>"}]}`},
		{"a secret behind an escape", `{"text":"pass\u0077ord=hunter2"}`, `{"text":"password=[redacted]"}`},
		{"JSON within a string", `{"stdout":"{\"kind\":\"Secret\",\"data\":{\"a\":\"aHVudGVyMg==\"}}"}`, `{"stdout":"{\"kind\":\"Secret\",\"data\":{\"a\":\"\"}}"}`},
		{"a key that names a secret", `{"headers":{"Authorization":"Basic dXNlcg==","secret":"db-credentials"}}`, `{"headers":{"Authorization":"[redacted]","secret":"db-credentials"}}`},
		{"a result's error", `"401: {\"authorization\":\"Bearer abc\"}"`, `"401: {\"authorization\":\"[redacted]\"}"`},
		{"a bare string", `"` + fakeJWT + `"`, `"[redacted]"`},
		{"nothing", ``, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := redact.JSON(json.RawMessage(tc.in))
			if err != nil || string(got) != tc.want {
				t.Fatalf("got  %s (%v)\nwant %s", got, err, tc.want)
			}
			if again, err := redact.JSON(got); err != nil || string(again) != tc.want {
				t.Errorf("redacting twice gives %s (%v)", again, err)
			}
		})
	}
}

func TestRedactRefusesWhatItCannotRead(t *testing.T) {
	for _, in := range []string{`{"password":"x"`, `{"env":[}`, "password", `"\u12"`, strings.Repeat(`{"token":`, 20_000)} {
		if out, err := redact.JSON(json.RawMessage(in)); err == nil {
			t.Errorf("%.40q became %.40q", in, out)
		}
	}
}

// TestRedactIsLinear compares what eight times as much costs: about eight times as
// much processor time where each byte is read a bounded number of times, and
// sixty-four times where it is read again for every other byte.
func TestRedactIsLinear(t *testing.T) {
	const size = 256 << 10
	for _, unit := range []string{"password", "password ", "passwordtoken=", "eyJ", "eyJ.", "AKIA", "authorization", "cookie: ", "bearer ", "://", "://:", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "token ", "--token", `secret\"`, `\u0041`, "@",
		"cookie:", "pwd=/", "token:", `password=\"`, "key=abc12345xyz98aQ ", "auth: abcdefgh12345678 ", "okta ", "datadog=", "s.", "ghp_", "s.abcdefghijklmnopqrst", "xoxb-", `env:\n`,
		`kind: Secret\ndata:\n a: b\n`, `- --token\n- x\n`, `Data\n====\n`, `---\n`, `{\"auth\":`, ":5432:", "$2a$", "curl -u ", "password '", `\\\\`} {
		small, large := cost(t, unit, size/8), cost(t, unit, size)
		if large > time.Second && large > 24*small {
			t.Errorf("%q: %s for 32 KiB, %s for 256 KiB", unit, small, large)
		}
	}
	for _, unit := range []string{`{"kind":"Secret","data":`, `{"env":[`, `{"kind":{"kind":`} {
		opened := strings.Repeat(unit, 3000)
		var closing strings.Builder
		for i := len(opened) - 1; i >= 0; i-- {
			if opened[i] == '{' {
				closing.WriteByte('}')
			} else if opened[i] == '[' {
				closing.WriteByte(']')
			}
		}
		if _, err := redact.JSON(json.RawMessage(opened + `"` + strings.Repeat("x", size) + `"` + closing.String())); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
}

// cost is the processor time that redacting so much of one text takes.
func cost(t *testing.T, unit string, size int) time.Duration {
	t.Helper()
	raw := json.RawMessage(`{"a":"` + strings.Repeat(unit, size/len(unit)) + `"}`)
	began := processorTime(t)
	if _, err := redact.JSON(raw); err != nil {
		t.Errorf("%q: %v", unit, err)
	}
	return processorTime(t) - began
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What could not be read for its size does not pass unread.
func TestTooMuchToReadIsLeftOut(t *testing.T) {
	const late = "ghp_0123456789abcdefghijABCDEFGHIJ456789"
	text := strings.Repeat("okta ghp_ datadog sentry travis\n", 4<<20/32) + "all is well\nuse " + late + "\nthe end"
	got := redact.Text(text)
	if strings.Contains(got, late[8:]) || !strings.HasPrefix(got, "okta ghp_ datadog") || !strings.Contains(got, "all is well\n") || !strings.HasSuffix(got, "\nthe end") {
		t.Errorf("…%s", got[len(got)-100:])
	}
	if holes := strings.Count(got, redact.Hole); holes < 1000 {
		t.Errorf("the work is not bounded: %d lines were left out", holes)
	}
	var doc strings.Builder
	doc.WriteString(`[""`)
	for range 4 << 20 / 32 {
		doc.WriteString(`,"okta ghp_ datadog sentry travis"`)
	}
	out, err := redact.JSON(json.RawMessage(doc.String() + `,"use ` + late + `"]`))
	if err != nil || strings.Contains(string(out), late[8:]) {
		t.Errorf("one of many strings passed unread (%v): …%s", err, out[len(out)-100:])
	}
}

// A token that is longer than what a rule is shown goes to its end.
func TestLongTokensGoWhole(t *testing.T) {
	token := strings.Repeat("aB3_x9Yk7LmQw2Zr5TnVc8Hd4Sg6Pf", 30)
	if got := redact.Text("use pypi-AgEIcHlwaS5vcmc" + token + " now"); got != "use [redacted] now" {
		t.Errorf("%s", got)
	}
}
