package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// salve is a real one: built from this tree, its own keys, its own Postgres,
// and, but for the log going to a file, its default settings.
type salve struct {
	process *process
	addr    string
	token   string
	starts  time.Time
}

// startSalve gives it a database where the environment names none.
func startSalve(ctx context.Context, root, dir string, environment ...string) (*salve, error) {
	dir, err := os.MkdirTemp(dir, "salve-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, throughDir); err != nil {
		return nil, err
	}
	binary, keys := filepath.Join(dir, "salve"), filepath.Join(dir, "keys")
	if err := command(ctx, root, "go", "build", "-o", binary, "./cmd/server"); err != nil {
		return nil, err
	}
	token, err := operatorKeys(ctx, binary, filepath.Join(dir, "operator"), keys)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	calm, err := calmPolicy(ctx, binary, dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve")
	cmd.Dir = dir
	environment = append([]string{"SALVE_POLICY=" + calm}, environment...)
	cmd.Env = append(inherited(), "SALVE_ADDR="+addr, "SALVE_JWT_KEYS="+keys, "SALVE_DATA_DIR="+filepath.Join(dir, "data"))
	cmd.Env = append(cmd.Env, environment...)
	p, err := startProcess(cmd, filepath.Join(dir, "salve.log"))
	if err != nil {
		return nil, fmt.Errorf("start Salve: %w", err)
	}
	if err := p.awaitReady(ctx, "http://"+addr+"/readyz"); err != nil {
		p.stop()
		return nil, err
	}
	return &salve{process: p, addr: addr, token: token, starts: time.Now().Add(-time.Minute)}, nil
}

// calmPolicy is the default policy without storm mode: what is measured is the way
// of every alert, not that of the five hundredth within a minute.
func calmPolicy(ctx context.Context, binary, dir string) (string, error) {
	text, err := exec.CommandContext(ctx, binary, "policy", "show").Output()
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	calm := strings.Replace(string(text), "incidents: 20 ", "incidents: 100000 ", 1)
	if calm == string(text) {
		return "", errors.New("policy: the default has no storm of 20 incidents any more")
	}
	path := filepath.Join(dir, "policy.yaml")
	return path, os.WriteFile(path, []byte(calm), 0o644)
}

// operatorKeys keeps the private key out of the directory that Salve reads: a
// private key in there stops its start.
func operatorKeys(ctx context.Context, binary, private, public string) (token string, err error) {
	if err := command(ctx, "", binary, "keygen", "--out", private); err != nil {
		return "", err
	}
	key, err := os.ReadFile(filepath.Join(private, "salve.pub.pem"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(public, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(public, "salve.pub.pem"), key, 0o644); err != nil {
		return "", err
	}
	mint := exec.CommandContext(ctx, binary, "token", "--key", filepath.Join(private, "salve.key.pem"),
		"--sub", "bench", "--scope", "events:write intents:execute read", "--ttl", "1h")
	mint.Stderr = os.Stderr
	out, err := mint.Output()
	if err != nil {
		return "", fmt.Errorf("salve token: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// inherited is this program's environment without settings for another Salve.
func inherited() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "SALVE_") && !strings.HasPrefix(pair, "DATABASE_URL=") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// command runs a program to its end and shows its output only when it failed.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

func (s *salve) target() *target {
	header := "Authorization: Bearer " + s.token + "\r\n"
	return &target{name: "salve", addr: s.addr, pid: s.process.pid(), check: checkSalve, stages: s.stages,
		template: func(sh shape) template {
			if sh.batch == 1 {
				return newTemplate("/v1/alerts", header, 1, nativeBody(s.starts))
			}
			return newTemplate("/v1/alerts/alertmanager", header, sh.batch, webhookBody(sh.batch, s.starts))
		}}
}

func (s *salve) stages(ctx context.Context) (stages, error) {
	text, err := get(ctx, "http://"+s.addr+"/metrics", s.token)
	return parseStages(text), err
}

// salveAnswer is the part of an answer that shows whether an alert was taken in,
// diagnosed and decided.
type salveAnswer struct {
	Results []struct {
		Outcome    string `json:"outcome"`
		IncidentID string `json:"incident_id"`
		Diagnosis  struct {
			Cause string `json:"cause"`
		} `json:"diagnosis"`
		Decision struct {
			Verdict string `json:"verdict"`
		} `json:"decision"`
	} `json:"results"`
}

func checkSalve(body []byte, n int) (map[string]int, error) {
	var a salveAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	if len(a.Results) != n {
		return nil, fmt.Errorf("%d results for %d alerts", len(a.Results), n)
	}
	outcomes := map[string]int{}
	for _, r := range a.Results {
		outcomes[r.Outcome]++
		if r.IncidentID == "" {
			return nil, fmt.Errorf("outcome %q without an incident", r.Outcome)
		}
		if r.Outcome == "accepted" && (r.Diagnosis.Cause == "" || r.Decision.Verdict == "") {
			return nil, fmt.Errorf("accepted with cause %q and verdict %q", r.Diagnosis.Cause, r.Decision.Verdict)
		}
	}
	return outcomes, nil
}
