package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// command is n8n's own command line, with n8n's environment: on this machine, or
// in a container.
type command struct {
	argv    []string
	written []workflow // and not yet imported: each start of n8n takes seconds
}

// open chooses the door: the API where an address is given, else the command.
func open(ctx context.Context, getenv func(string) string) (n8n, error) {
	if url := getenv("N8N_URL"); url != "" {
		return newAPI(url, getenv("N8N_API_KEY"))
	}
	if named := strings.Fields(getenv("N8N")); len(named) > 0 {
		return &command{argv: named}, nil
	}
	if path, err := exec.LookPath("n8n"); err == nil {
		return &command{argv: []string{path}}, nil
	}
	running, err := exec.CommandContext(ctx, "docker", "compose", "ps", "--status", "running", "--quiet", "n8n").Output()
	if err == nil && len(bytes.TrimSpace(running)) > 0 {
		return &command{argv: strings.Fields("docker compose exec -T n8n n8n")}, nil
	}
	return nil, errors.New(`no n8n is found: neither on PATH nor as a running service of docker compose. Say N8N="docker exec -i my-n8n n8n", or N8N_URL and N8N_API_KEY`)
}

func (c *command) String() string { return strings.Join(c.argv, " ") }
func (c *command) late() bool     { return true }

func (c *command) workflows(ctx context.Context) ([]workflow, error) {
	var out []workflow
	return out, c.export(ctx, "export:workflow", &out)
}

// credentials come encrypted: only their names are looked at.
func (c *command) credentials(ctx context.Context) ([]credential, error) {
	var out []credential
	return out, c.export(ctx, "export:credentials", &out)
}

// export reads what n8n writes to its standard output, among what it logs.
func (c *command) export(ctx context.Context, what string, out any) error {
	said, err := c.run(ctx, nil, what, "--all", "--output=/dev/stdout")
	if strings.Contains(said, "No workflows found") || strings.Contains(said, "No credentials found") {
		return nil
	}
	if err != nil {
		return err
	}
	start := strings.Index(said, "[{")
	if start < 0 {
		return fmt.Errorf("%s: n8n %s gave no JSON: %s", c, what, short(said))
	}
	if err := json.NewDecoder(strings.NewReader(said[start:])).Decode(out); err != nil {
		return fmt.Errorf("%s: n8n %s: %w", c, what, err)
	}
	return nil
}

func (c *command) write(_ context.Context, w workflow, _ standing) (string, error) {
	c.written = append(c.written, w)
	return w.id(), nil
}

func (c *command) finish(ctx context.Context) error {
	if len(c.written) == 0 {
		return nil
	}
	data, err := json.Marshal(c.written)
	if err != nil {
		return err
	}
	said, err := c.run(ctx, data, "import:workflow", "--input=/dev/stdin")
	if err == nil && !strings.Contains(said, fmt.Sprintf("Successfully imported %d workflow", len(c.written))) {
		err = fmt.Errorf("n8n did not import the workflows: %s", short(said))
	}
	c.written = nil
	return err
}

func (c *command) publish(ctx context.Context, id string) error {
	said, err := c.run(ctx, nil, "publish:workflow", "--id="+id)
	if err == nil && strings.Contains(said, "Error updating database") {
		err = errors.New(short(said))
	}
	return err
}

func (c *command) run(ctx context.Context, stdin []byte, args ...string) (string, error) {
	argv := append(append([]string{}, c.argv...), args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out) + stderr.String(), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, short(string(out)+stderr.String()))
	}
	return string(out) + stderr.String(), nil
}

// short is the end of what a program said, where the reason is.
func short(s string) string {
	s = strings.TrimSpace(s)
	return s[max(0, len(s)-500):]
}
