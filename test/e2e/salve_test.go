//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// salve is the program itself, built from cmd/server.
type salve struct {
	url     string
	token   string // what n8n holds
	human   string // what a person holds
	sender  string // what a sender holds that may execute nothing
	db      string // DATABASE_URL
	dir     string
	program string
	env     []string
	process *process
}

// binary builds the program, or takes the one that SALVE_BINARY names.
func binary(ctx context.Context, dir string) (string, error) {
	if ready := os.Getenv("SALVE_BINARY"); ready != "" {
		return filepath.Abs(ready)
	}
	out := filepath.Join(dir, "salve")
	_, err := run(ctx, os.Environ(), "go", "build", "-o", out, "salve/cmd/server")
	return out, err
}

func startSalve(ctx context.Context, dir, db string, port int) (*salve, error) {
	program, err := binary(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &salve{url: fmt.Sprintf("http://127.0.0.1:%d", port), db: db, dir: dir, program: program}
	if err := s.keys(ctx, filepath.Join(dir, "signing"), filepath.Join(dir, "keys")); err != nil {
		return nil, err
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, fmt.Sprintf("SALVE_ADDR=127.0.0.1:%d", port), "DATABASE_URL=" + db,
		"SALVE_DATA_DIR=" + filepath.Join(dir, "salve-data"), "SALVE_JWT_KEYS=" + filepath.Join(dir, "keys"), "SALVE_AUTOMATION=live",
	}
	return s, s.start(ctx)
}

// start starts it, the first time and again.
func (s *salve) start(ctx context.Context) error {
	var err error
	if s.process, err = launch(s.dir, "salve", s.env, s.program, "serve"); err != nil {
		return err
	}
	if err := s.process.ready(ctx, s.url+"/readyz"); err != nil {
		s.process.stop()
		return err
	}
	return nil
}

// keys makes a key pair and tokens as an operator does. Salve itself gets the
// public key only: a private key beside it would stop the start.
func (s *salve) keys(ctx context.Context, signing, public string) error {
	if err := os.MkdirAll(public, 0o700); err != nil {
		return err
	}
	env := os.Environ()
	if _, err := run(ctx, env, s.program, "keygen", "--out", signing); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(signing, "salve.pub.pem"), filepath.Join(public, "salve.pub.pem")); err != nil {
		return err
	}
	for _, t := range []struct {
		to         *string
		sub, scope string
	}{
		{&s.token, "n8n", "events:write intents:execute read"},
		{&s.human, "alice", "intents:decide read"},
		{&s.sender, "alertmanager", "events:write"},
	} {
		out, err := run(ctx, env, s.program, "token", "--key", filepath.Join(signing, "salve.key.pem"), "--sub", t.sub, "--scope", t.scope, "--ttl", "1h")
		if err != nil {
			return err
		}
		*t.to = strings.TrimSpace(string(out))
	}
	return nil
}

// get decodes one of Salve's answers.
func (s *salve) get(ctx context.Context, path string, out any) error {
	return s.call(ctx, http.MethodGet, path, s.human, nil, out)
}

func (s *salve) call(ctx context.Context, method, path, token string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// sql asks Postgres itself, past Salve, and gives rows of columns.
func (s *salve) sql(ctx context.Context, query string) ([][]string, error) {
	out, err := run(ctx, os.Environ(), "psql", s.db, "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", query)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\t"))
	}
	return rows, nil
}
