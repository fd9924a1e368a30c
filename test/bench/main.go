// Command bench measures how many alerts a second Salve takes in, durable,
// diagnosed and decided, beside a real Alertmanager, an empty net/http handler
// and pgbench in the same run on the same cores, and holds the ratios against
// the project's aims.
//
// It starts everything itself on loopback and in a temporary directory, and
// stops it again. It must cost little: what the client spends, the servers lack.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if addr := getenv(ceilingEnv); addr != "" {
		return serveCeiling(ctx, addr)
	}
	o, err := parseOptions(args, out)
	if err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, throughDir); err != nil {
		return err
	}
	b := &bench{options: o, root: root, dir: dir, out: out}
	defer b.stop()
	return b.run(ctx)
}

// throughDir lets the account through under which root's Postgres runs.
const throughDir = 0o711

func moduleRoot(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(file))), nil
}

// bench is one run: what it has started, and what it has measured.
type bench struct {
	options    options
	root       string
	dir        string
	out        io.Writer
	started    []*process
	results    results
	accounts   []account
	executions []execution
}

func (b *bench) stop() {
	for _, p := range slices.Backward(b.started) {
		p.stop()
	}
}

// run looks at Postgres and n8n first, on servers that are gone afterwards. Then each
// load goes to the servers in turn, so that what is compared is measured within
// seconds. New incidents come last: they leave Salve with work to do.
func (b *bench) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.limit())
	defer cancel()
	if err := b.postgres(ctx); err != nil {
		return err
	}
	if err := b.n8n(ctx); err != nil {
		return err
	}
	targets, err := b.start(ctx)
	if err != nil {
		return err
	}
	for _, l := range []string{"duplicates", "resent", "new"} {
		for _, t := range targets {
			if err := b.measure(ctx, t, l); err != nil {
				return err
			}
		}
	}
	report{b.out, b.results, b.accounts, b.executions, b.options}.print()
	if n := b.results.failed(); n > 0 {
		return fmt.Errorf("%d requests failed", n)
	}
	return nil
}

// limit ends a run that hangs.
func (b *bench) limit() time.Duration {
	cells := 3 * len(loads()) * len(b.options.shapes)
	return 6*time.Minute + time.Duration(cells)*(b.options.bounds.warm+b.options.bounds.measured)
}

// postgres is what Postgres can do at best, and what Salve makes it do.
func (b *bench) postgres(ctx context.Context) (err error) {
	if b.options.only.target("pgbench") {
		b.say("pgbench: %d clients, prepared, rows one by one and by hundreds", pgClients)
		b.results, err = runPgbench(ctx, b.dir, b.options.bounds.measured)
	}
	if b.options.only.target("statements") && err == nil {
		b.say("building Salve; Postgres's own account of its statements")
		b.accounts, err = askPostgres(ctx, b.root, b.dir, b.options)
	}
	if errors.Is(err, errNoPgbench) {
		b.say("left out: %v", err)
		return nil
	}
	return err
}

// n8n is what an alert costs in n8n, with Salve and without.
func (b *bench) n8n(ctx context.Context) (err error) {
	if !b.options.only.target("n8n") {
		return nil
	}
	b.say("n8n, with its default settings and tuned: two starts, about a minute and a half")
	b.executions, err = askN8N(ctx, b.root, b.dir, b.options.bounds.measured)
	if errors.Is(err, errNoN8N) || errors.Is(err, errNoPgbench) {
		b.say("n8n left out: %v", err)
		return nil
	}
	return err
}

// start brings up the servers in the order in which they are measured.
func (b *bench) start(ctx context.Context) ([]*target, error) {
	var targets []*target
	for _, s := range []struct {
		name  string
		start func(context.Context) (*process, *target, error)
	}{
		{"http", b.startCeiling},
		{"alertmanager", b.startAlertmanager},
		{"salve", b.startSalve},
	} {
		if !b.options.only.target(s.name) {
			continue
		}
		p, t, err := s.start(ctx)
		if errors.Is(err, errNoAlertmanager) {
			b.say("alertmanager left out: %v", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		b.started, targets = append(b.started, p), append(targets, t)
	}
	return targets, nil
}

func (b *bench) startCeiling(ctx context.Context) (*process, *target, error) {
	return startCeiling(ctx, b.dir)
}

func (b *bench) startAlertmanager(ctx context.Context) (*process, *target, error) {
	binary, err := findAlertmanager(ctx, b.root)
	if err != nil {
		return nil, nil, err
	}
	return startAlertmanager(ctx, binary, b.dir)
}

func (b *bench) startSalve(ctx context.Context) (*process, *target, error) {
	b.say("building and starting Salve")
	s, err := startSalve(ctx, b.root, b.dir)
	if err != nil {
		return nil, nil, err
	}
	return s.process, s.target(), nil
}

func (b *bench) measure(ctx context.Context, t *target, load string) error {
	for _, c := range b.options.cells(t, loads()) {
		if c.load.name != load || (t.forgets && b.seen(c)) {
			continue
		}
		r, err := c.run(ctx, b.options.boundsOf(c))
		if err != nil {
			return err
		}
		b.results = append(b.results, r)
		b.say("%-13s %-11s %-5s %7.0f alerts/s", t.name, c.load.name, c.shape.name, r.perSecond(r.alerts))
	}
	return nil
}

// seen is true when the shape was measured already with another load: to a
// server that forgets, all loads are alike.
func (b *bench) seen(c cell) bool {
	return slices.ContainsFunc(b.results, func(r result) bool {
		return r.cell.target == c.target && r.cell.shape == c.shape
	})
}

func (b *bench) say(format string, values ...any) { fmt.Fprintf(b.out, format+"\n", values...) }
