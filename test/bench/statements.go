package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"salve/internal/postgres"
)

// Salve sends its statements in one round trip and Postgres answers them in one:
// from outside, all of their time is seen at the first. So Postgres itself is
// asked, in a pass of its own, because logging every statement slows it down.
const logStatements = `ALTER SYSTEM SET log_min_duration_statement = 0;
ALTER SYSTEM SET log_parameter_max_length = 0;
SELECT pg_reload_conf();`

// statementCost is what Postgres spent on one kind of statement.
type statementCost struct {
	name  string
	calls int
	spent time.Duration
}

// statementLog is a Postgres server's log, of which only durations are kept.
type statementLog struct {
	mu      sync.Mutex
	partial []byte
	entry   string // may go on in the next line
	costs   map[string]statementCost
}

func (l *statementLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, text...)
	for {
		line, rest, whole := bytes.Cut(l.partial, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		l.line(string(line))
		l.partial = rest
	}
}

// line joins an entry's further lines, which start with a tab, to its first.
func (l *statementLog) line(line string) {
	if more, found := strings.CutPrefix(line, "\t"); found {
		l.entry += " " + more
		return
	}
	l.finish()
	l.entry = line
}

func (l *statementLog) finish() {
	name, spent, executed := parseDuration(l.entry)
	l.entry = ""
	if name == "" || l.costs == nil {
		return
	}
	c := l.costs[name]
	c.name, c.spent = name, c.spent+spent
	if executed {
		c.calls++
	}
	l.costs[name] = c
}

// restart forgets what was counted and starts to count.
func (l *statementLog) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.costs = map[string]statementCost{}
}

// sorted lists the costs, the biggest first.
func (l *statementLog) sorted() []statementCost {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
	var all []statementCost
	for _, c := range l.costs {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b statementCost) int {
		return cmp.Or(cmp.Compare(b.spent, a.spent), cmp.Compare(a.name, b.name))
	})
	return all
}

var durationEntry = regexp.MustCompile(`duration: ([0-9.]+) ms  (parse|bind|execute|statement)[^:]*: (.*)$`)

// parseDuration reads one entry; parsing, binding and executing a statement are
// three entries.
func parseDuration(entry string) (name string, spent time.Duration, executed bool) {
	m := durationEntry.FindStringSubmatch(entry)
	if m == nil {
		return "", 0, false
	}
	millis, err := strconv.ParseFloat(m[1], 64)
	if err != nil || millis > 1e9 {
		return "", 0, false
	}
	return statementName(m[3]), time.Duration(millis * float64(time.Millisecond)), m[2] == "execute" || m[2] == "statement"
}

var firstTable = regexp.MustCompile(`(?i)\b(insert into|update|delete from|from)\s+([a-z_]+)`)

// statementName is a statement's verb and first table.
func statementName(sql string) string {
	verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(sql)), " ")
	m := firstTable.FindStringSubmatch(sql)
	if m == nil {
		return strings.TrimSuffix(verb, ";")
	}
	if found := strings.ToLower(strings.Fields(m[1])[0]); found != "from" {
		verb = found
	}
	return verb + " " + m[2]
}

// account is Postgres's word on one load.
type account struct {
	cell   cell
	alerts float64
	costs  []statementCost
}

// askPostgres runs Salve on a server whose log this program reads, 64 callers
// (or as many as the run has at most).
func askPostgres(ctx context.Context, root, dir string, o options) (all []account, err error) {
	log := &statementLog{}
	server, err := postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(dir, "statements"), Log: log})
	if err != nil {
		return nil, err
	}
	defer stopPostgres(ctx, server)
	binary, err := findPgbench(server.PID())
	if err != nil {
		return nil, err
	}
	s, err := startSalve(ctx, root, dir, "DATABASE_URL="+server.URL())
	if err != nil {
		return nil, err
	}
	defer s.process.stop()
	if _, err := (pgbench{binary, server.URL(), dir}).run(ctx, logStatements, "-t", "1", "-c", "1"); err != nil {
		return nil, err
	}
	return o.accounts(ctx, s.target(), log)
}

// accounts measures the last of the shapes with single alerts: the most callers.
func (o options) accounts(ctx context.Context, t *target, log *statementLog) (all []account, err error) {
	for _, c := range o.cells(t, loads()) {
		if c.shape != o.shapes[len(o.shapes)-2] || c.load.name == "duplicates" {
			continue
		}
		if err := c.seed(ctx); err != nil {
			return all, err
		}
		log.restart()
		r, err := c.measure(ctx, bounds{measured: o.bounds.measured / 2, most: maxAlerts})
		if err != nil {
			return all, err
		}
		all = append(all, account{cell: c, alerts: r.alerts, costs: log.sorted()})
	}
	return all, nil
}

// fewStatements leave out what costs next to nothing.
const fewStatements = 14

func (r report) statements() {
	for _, a := range r.accounts {
		title := fmt.Sprintf("Postgres's own account, %s %s (logging every statement, so shares count and not sums)", a.cell.load.name, a.cell.shape.name)
		total := time.Duration(0)
		for _, c := range a.costs {
			total += c.spent
		}
		r.table(title, func(w io.Writer) {
			fmt.Fprintln(w, "statement\tcalls\tmean ms\tµs an alert\tshare\t")
			for _, c := range a.costs[:min(len(a.costs), fewStatements)] {
				fmt.Fprintf(w, "%s\t%d\t%s\t%.1f\t%.0f%%\t\n", c.name, c.calls, millis(c.spent/time.Duration(max(c.calls, 1))),
					c.spent.Seconds()*1e6/max(a.alerts, 1), 100*c.spent.Seconds()/max(total.Seconds(), 1e-9))
			}
		})
	}
}
