package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// salve is the real program in a process of its own.
type salve struct {
	url, dir, binary string
	tokens           map[string]string // by who
	cmd              *exec.Cmd
	ended            chan struct{}
}

// The people and programs of the demo, with what each may do.
var callers = map[string]string{
	"n8n":  "events:write intents:execute read",
	"ines": "intents:decide read",
}

// startSalve builds the program, makes its keys with it, and starts it live.
func startSalve(ctx context.Context, dir string) (*salve, error) {
	s := &salve{dir: dir, binary: filepath.Join(dir, "salve"), tokens: map[string]string{}, ended: make(chan struct{})}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", s.binary, "salve/cmd/server").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build salve: %w\n%s", err, out)
	}
	if err := errors.Join(s.makeKeys(ctx), s.writePolicy(ctx)); err != nil {
		return nil, err
	}
	if err := s.launch(); err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *salve) command(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, s.binary, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("salve %s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

// makeKeys shows the server the public half alone.
func (s *salve) makeKeys(ctx context.Context) error {
	private, public := filepath.Join(s.dir, "keys"), filepath.Join(s.dir, "public")
	if _, err := s.command(ctx, "keygen", "--out", private); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(private, "salve.pub.pem"))
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(public, 0o700), os.WriteFile(filepath.Join(public, "salve.pub.pem"), key, 0o600)); err != nil {
		return err
	}
	for who, scope := range callers {
		token, err := s.command(ctx, "token", "--key", filepath.Join(private, "salve.key.pem"), "--sub", who, "--scope", scope, "--ttl", "1h")
		if err != nil {
			return err
		}
		s.tokens[who] = strings.TrimSpace(token)
	}
	return nil
}

// hurry is what the demo's policy says otherwise than the default: nobody wants
// to watch a healthy pod for two minutes.
var hurry = map[string]string{"look_every": "5s", "healthy_for": "10s"}

func (s *salve) writePolicy(ctx context.Context) error {
	policy, err := s.command(ctx, "policy", "show")
	if err != nil {
		return err
	}
	for name, value := range hurry {
		line := regexp.MustCompile(`(?m)^(\s*` + name + `:\s*)\S+`)
		if !line.MatchString(policy) {
			return fmt.Errorf("the default policy says nothing about %s", name)
		}
		policy = line.ReplaceAllString(policy, "${1}"+value)
	}
	return os.WriteFile(filepath.Join(s.dir, "policy.yaml"), []byte(policy), 0o600)
}

func (s *salve) launch() error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(s.binary, "serve")
	s.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "SALVE_ADDR=127.0.0.1:0", "SALVE_AUTOMATION=live",
		"SALVE_DATA_DIR=" + filepath.Join(s.dir, "data"), "SALVE_JWT_KEYS=" + filepath.Join(s.dir, "public"),
		"SALVE_POLICY=" + filepath.Join(s.dir, "policy.yaml"),
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// An interrupt at the terminal is for the demo, which then stops it in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start salve: %w", err)
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended is asked for by stop
	}()
	return nil
}

func (s *salve) awaitReady(ctx context.Context) error {
	return every(ctx, 100*time.Millisecond, func() (bool, error) {
		select {
		case <-s.ended:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return false, fmt.Errorf("salve did not start:\n%s", log)
		default:
		}
		address, err := os.ReadFile(filepath.Join(s.dir, "data", "address"))
		s.url = "http://" + strings.TrimSpace(string(address))
		return err == nil, nil
	})
}

// every asks again until the answer is yes.
func every(ctx context.Context, pause time.Duration, ask func() (bool, error)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *salve) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	select {
	case <-s.ended:
	case <-limit.C:
		return errors.Join(errors.New("salve did not stop"), s.cmd.Process.Kill())
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("salve ended with status %d:\n%s", code, log)
	}
	return nil
}

// call is one request by plain HTTP.
func (s *salve) call(ctx context.Context, who, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[who])
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}
