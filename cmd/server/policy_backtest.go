package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"salve/internal/backtest"
	"salve/internal/policy"
	"salve/internal/store"
)

type policyBacktest struct {
	Policy   string `required:"" help:"The policy to try."`
	Against  string `help:"The policy to compare it with; the one in force last, unless said."`
	Since    string `default:"30d" help:"How far back: 30d, 12h."`
	Examples int    `default:"3" help:"Examples to print of each kind of difference."`
	JSON     bool   `name:"json" help:"For a program."`
	Database secret `name:"database-url" help:"Postgres to read (DATABASE_URL). Unset: the private one in the data directory, while the service does not run."`
	DataDir  string `name:"salve-data-dir" default:".salve" help:"Where Salve keeps files of its own (SALVE_DATA_DIR)."`
}

// Run compares what two policies would have decided about stored events. It ends
// with 0 where there is no difference, 1 where there is one, and 2 where that
// cannot be told.
func (c policyBacktest) Run(env *environment) error {
	d, err := c.compare(env.ctx)
	if err != nil {
		fmt.Fprintln(env.stdout, err)
		return exitCode(2)
	}
	if c.JSON {
		err = json.NewEncoder(env.stdout).Encode(struct {
			backtest.Difference
			Examples []backtest.Case `json:"examples"`
		}{d, c.examples(d)})
	} else {
		c.print(env, d)
	}
	if err == nil && len(d.Totals) > 0 {
		return exitCode(1)
	}
	return err
}

func (c policyBacktest) compare(ctx context.Context) (d backtest.Difference, err error) {
	since, err := ago(c.Since)
	if err != nil {
		return d, err
	}
	candidate, err := loadPolicy(c.Policy)
	if err != nil {
		return d, err
	}
	s := &service{config: config{Database: c.Database, DataDir: c.DataDir, LogLevel: "error", LogFormat: "json"}}
	s.policy.inForce.Store(candidate)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.openDatabase(context.WithoutCancel(ctx)); err != nil {
		return d, err
	}
	db, err := store.Open(ctx, string(s.database), store.Options{Policy: s.policyInForce, IDs: s.ids.next, Now: now})
	if err != nil {
		return d, err
	}
	defer db.Close()
	current, err := c.against(ctx, db)
	if err != nil {
		return d, err
	}
	freezes, err := db.FreezesSince(ctx, since)
	if err != nil {
		return d, err
	}
	return backtest.Compare(current, candidate, freezes, db.Stored(ctx, since))
}

func (c policyBacktest) against(ctx context.Context, db *store.Store) (*policy.Policy, error) {
	if c.Against != "" {
		return loadPolicy(c.Against)
	}
	source, err := db.LastPolicy(ctx)
	if err != nil {
		return nil, err
	}
	return parsePolicy("the policy in force last", source)
}

func ago(text string) (time.Time, error) {
	days, isDays := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(days)
	if isDays && err == nil && n > 0 {
		return now().AddDate(0, 0, -n), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, fmt.Errorf("--since: %q is no time span; 30d or 12h would be right", text)
	}
	return now().Add(-d), nil
}

// examples are the first of each kind of difference.
func (c policyBacktest) examples(d backtest.Difference) []backtest.Case {
	taken := map[backtest.Kind]int{}
	list := []backtest.Case{}
	for _, one := range d.Cases {
		if taken[one.Kind] < c.Examples {
			taken[one.Kind]++
			list = append(list, one)
		}
	}
	return list
}

func (c policyBacktest) print(env *environment, d backtest.Difference) {
	fmt.Fprintf(env.stdout, "%s of %s\n", plural(d.Events, "event"), plural(d.Incidents, "incident"))
	if d.Skipped > 0 {
		fmt.Fprintf(env.stdout, "%d events could not be read again; the first: %s\n", d.Skipped, d.Unread[0])
	}
	if len(d.Totals) == 0 {
		fmt.Fprintln(env.stdout, "no difference")
		return
	}
	examples := c.examples(d)
	for _, kind := range backtest.Kinds() {
		c.printKind(env, d.Totals, examples, kind)
	}
}

func (policyBacktest) printKind(env *environment, totals []backtest.Total, examples []backtest.Case, kind backtest.Kind) {
	n := 0
	for _, t := range totals {
		if t.Kind == kind {
			n += t.Incidents
		}
	}
	if n == 0 {
		return
	}
	fmt.Fprintf(env.stdout, "\n%s: %s\n", kind, plural(n, "incident"))
	for _, t := range totals {
		if t.Kind == kind && t.Guard != "" {
			fmt.Fprintf(env.stdout, "  %d × %s, by %s\n", t.Incidents, t.Cause, t.Guard)
		} else if t.Kind == kind {
			fmt.Fprintf(env.stdout, "  %d × %s\n", t.Incidents, t.Cause)
		}
	}
	for _, e := range examples {
		if e.Kind == kind {
			fmt.Fprintf(env.stdout, "  %s %s %s\n    before: %s\n    after:  %s\n", e.Incident, e.After.At.Format(time.RFC3339), e.After.Target, inWords(e.Before), inWords(e.After))
		}
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func inWords(a backtest.Answer) string {
	words := string(a.Verdict)
	if len(a.Actions) > 0 {
		words += " " + strings.Join(a.Actions, ", ")
	}
	return words + " (" + strings.Join(a.Reasons, "; ") + ")"
}
