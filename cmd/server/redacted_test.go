package main

import (
	"bytes"
	"errors"
	"testing"
)

// An error of n8n or of the database may quote anything; nothing that is logged
// may say a secret.
func TestLogsSayNoSecret(t *testing.T) {
	for _, c := range []struct{ name, given, want string }{
		{"a bearer token", "401 from n8n: Authorization: Bearer abcdef0123456789abcdef", `{"level":"error","error":"401 from n8n: Authorization: [redacted]","message":"failed"}`},
		{"an address", `connect "postgres://salve:hunter2@db/salve": refused`, `{"level":"error","error":"connect \"postgres://[redacted]@db/salve\": refused","message":"failed"}`},
		{"nothing", "read /tmp/a: no such file", `{"level":"error","error":"read /tmp/a: no such file","message":"failed"}`},
	} {
		var out bytes.Buffer
		log := config{LogLevel: "info", LogFormat: "json"}.logger(&out)
		log.Error().Err(errors.New(c.given)).Msg("failed")
		got := cutTime(out.String())
		if got != c.want+"\n" {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	var out bytes.Buffer
	if n, err := (redacted{&out}).Write([]byte("token=abc12345\n")); n != 15 || err != nil || out.String() != "token=[redacted]\n" {
		t.Errorf("what is no JSON: %q, %d, %v", out.String(), n, err)
	}
}

func cutTime(line string) string {
	from := bytes.Index([]byte(line), []byte(`"time":"`))
	to := from + len(`"time":"2026-11-23T03:15:00Z",`)
	return line[:from] + line[to:]
}
