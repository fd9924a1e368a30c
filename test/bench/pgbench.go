package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"salve/internal/postgres"
)

// pgClients is under the 64 callers because Salve's private server, whose
// settings these are, admits 50 connections.
const pgClients = 48

// insert is one pgbench transaction.
type insert struct {
	name string
	rows float64
	sql  string
}

const (
	createRows = `CREATE TABLE bench_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
 at timestamptz NOT NULL DEFAULT now(), note text NOT NULL);`
	rowText = "KubePodCrashLooping production/shop: the container app is restarting over and over"
)

func inserts() []insert {
	return []insert{
		{"row", 1, "INSERT INTO bench_rows (note) VALUES ('" + rowText + "');"},
		{"rows100", 100, "INSERT INTO bench_rows (note) SELECT '" + rowText + "' FROM generate_series(1, 100);"},
	}
}

var errNoPgbench = errors.New("no pgbench beside the postgres program nor in PATH (Debian: package postgresql)")

// runPgbench measures what Salve's own kind of Postgres can do at best, on a
// second server that is gone before Salve starts.
func runPgbench(ctx context.Context, dir string, d time.Duration) (results, error) {
	server, err := postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(dir, "pgbench")})
	if err != nil {
		return nil, err
	}
	defer stopPostgres(ctx, server)
	binary, err := findPgbench(server.PID())
	if err != nil {
		return nil, err
	}
	b := pgbench{binary: binary, url: server.URL(), dir: dir}
	if _, err := b.run(ctx, createRows, "-t", "1", "-c", "1"); err != nil {
		return nil, err
	}
	var all results
	for _, in := range inserts() {
		r, err := b.measure(ctx, in, d)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// stopPostgres works for a run that was interrupted, too.
func stopPostgres(ctx context.Context, server *postgres.Server) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	server.Stop(limit)
}

// findPgbench prefers the one that belongs to the running server.
func findPgbench(pid int) (string, error) {
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		beside := filepath.Join(filepath.Dir(exe), "pgbench")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath("pgbench")
	if err != nil {
		return "", errNoPgbench
	}
	return path, nil
}

type pgbench struct{ binary, url, dir string }

func (b pgbench) run(ctx context.Context, sql string, args ...string) (string, error) {
	script := filepath.Join(b.dir, "pgbench.sql")
	if err := os.WriteFile(script, []byte(sql+"\n"), 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, b.binary, append(args, "--no-vacuum", "--file", script, b.url)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return string(out), nil
}

// measure logs every transaction's latency: pgbench itself tells only the mean.
// The log is buffered and costs far less than a transaction.
func (b pgbench) measure(ctx context.Context, in insert, d time.Duration) (result, error) {
	prefix := filepath.Join(b.dir, "pgbench-"+in.name)
	seconds := strconv.Itoa(int(max(d.Round(time.Second), time.Second) / time.Second))
	out, err := b.run(ctx, in.sql, "--protocol", "prepared", "--client", strconv.Itoa(pgClients), "--jobs", "2",
		"--time", seconds, "--log", "--log-prefix", prefix)
	if err != nil {
		return result{}, err
	}
	r := result{cell: cell{target: &target{name: "pgbench"}, load: load{name: in.name},
		shape: shape{name: fmt.Sprintf("c%d", pgClients)}}}
	if r.latency, err = readLogs(prefix); err != nil {
		return result{}, err
	}
	rate, err := parseRate(out)
	if err != nil {
		return result{}, err
	}
	r.requests = float64(r.latency.count)
	r.alerts = r.requests * in.rows
	r.elapsed = time.Duration(r.requests / rate * float64(time.Second))
	return r, nil
}

// parseRate finds pgbench's own word, which leaves out the time to connect.
func parseRate(out string) (float64, error) {
	for line := range strings.Lines(out) {
		text, found := strings.CutPrefix(line, "tps = ")
		if !found {
			continue
		}
		number, _, _ := strings.Cut(text, " ")
		rate, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(rate > 0) {
			return 0, fmt.Errorf("pgbench tells no rate in %q", line)
		}
		return rate, nil
	}
	return 0, fmt.Errorf("pgbench tells no rate:\n%s", out)
}

func readLogs(prefix string) (histogram, error) {
	var h histogram
	paths, err := filepath.Glob(prefix + ".*")
	if err != nil {
		return h, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return h, err
		}
		parseLog(text, &h)
	}
	if h.count == 0 {
		return h, errors.New("pgbench has logged no transaction")
	}
	return h, nil
}

// parseLog reads "client transaction microseconds …" lines. A transaction that
// failed has a word in place of the time and is left out.
func parseLog(text []byte, h *histogram) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		if micros, err := strconv.ParseInt(fields[2], 10, 40); err == nil {
			h.record(time.Duration(micros) * time.Microsecond)
		}
	}
}
