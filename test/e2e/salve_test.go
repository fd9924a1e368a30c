//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// salve is the program itself, built from cmd/server.
type salve struct {
	url    string
	token  string // what n8n holds
	human  string // what a person holds
	admin  string // and who runs the service
	intake string // what n8n hands on with
	sender string // what a sender holds that may execute nothing
	db     string // DATABASE_URL

	relayKey, relayPublic string // with which n8n signs for people in Slack
	dir                   string
	program               string
	env                   []string
	process               *process
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
		"SALVE_POLICY=" + filepath.Join(dir, "policy.yaml"), "SALVE_CHECKLIST=" + s.checklist(),
	}
	rules, err := policyFile()
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "policy.yaml"), rules, 0o600), os.WriteFile(s.checklist(), []byte("checks: []\n"), 0o600))
	}
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// checklist is the file of the heartbeat's checks; a test may write it.
func (s *salve) checklist() string { return filepath.Join(s.dir, "heartbeat.yaml") }

// policyFile is the default policy with this world's inventory, and with less to wait for.
func policyFile() ([]byte, error) {
	data, err := os.ReadFile(filepath.Join("..", "..", "internal", "policy", "default.yaml"))
	if err != nil {
		return nil, err
	}
	text := string(data)
	for _, edit := range [][2]string{
		{"  hosts: []", `  hosts: ["web-*"]`},
		{"  domains: []", `  domains: ["*.example.com"]`},
		{"  repositories: []", `  repositories: [{repo: acme/deploy, namespaces: [shop-gitops], paths: ["apps/*.yaml"]}]`},
		{"  decide: []", "  decide: [U0ALICE]"},
		{"  window: 30s", "  window: 5s"},
		{"  transit_grace: 5s", "  transit_grace: 1s"},
		{"  delivery_deadline: 60s", "  delivery_deadline: 20s"},
		{"  look_every: 30s", "  look_every: 5s"},
		{"  incidents: 20", "  incidents: 200"}, // the tests are a storm
		{"  total: 60", "  total: 600"},
		{"  healthy_for: 2m", "  healthy_for: 15s"},
	} {
		if strings.Count(text, "\n"+edit[0]) != 1 {
			return nil, fmt.Errorf("the default policy has not one line %q", edit[0])
		}
		text = strings.Replace(text, "\n"+edit[0], "\n"+edit[1], 1)
	}
	return []byte(text), nil
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
	if err := s.relayKeys(ctx, signing, public); err != nil {
		return err
	}
	for _, t := range []struct {
		to         *string
		sub, scope string
	}{
		{&s.token, "n8n", "events:write intents:execute read"},
		{&s.human, "alice", "intents:decide read"},
		{&s.sender, "alertmanager", "events:write"},
		{&s.admin, "root", "admin read"},
		{&s.intake, "n8n-intake", "events:write intents:execute"},
	} {
		out, err := run(ctx, env, s.program, "token", "--key", filepath.Join(signing, "salve.key.pem"), "--sub", t.sub, "--scope", t.scope, "--ttl", "1h")
		if err != nil {
			return err
		}
		*t.to = strings.TrimSpace(string(out))
	}
	return nil
}

// relayKeys makes the pair for the relay: n8n signs ES256, not EdDSA.
func (s *salve) relayKeys(ctx context.Context, signing, public string) error {
	dir := filepath.Join(signing, "relay")
	if _, err := run(ctx, os.Environ(), s.program, "keygen", "--alg", "ES256", "--scopes", "slack:relay", "--out", dir); err != nil {
		return err
	}
	for name, to := range map[string]*string{"salve.key.pem": &s.relayKey, "salve.pub.pem": &s.relayPublic} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		*to = string(data)
	}
	return errors.Join(os.Rename(filepath.Join(dir, "salve.pub.pem"), filepath.Join(public, "relay.pub.pem")),
		os.Rename(filepath.Join(dir, "salve.scopes"), filepath.Join(public, "relay.scopes")))
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
