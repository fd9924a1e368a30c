package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	bounds bounds
	shapes []shape
	only   filter
}

const usageText = `Usage: go run ./test/bench [flags]

Posts alerts to a real Salve and prints its rates beside a real Alertmanager's,
an empty Go handler's and pgbench's, all in this run and on this machine. Where
n8n is installed, one alert in n8n with Salve is timed beside n8n alone.

`

func parseOptions(args []string, out io.Writer) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usageText)
		flags.PrintDefaults()
	}
	d := flags.Duration("d", 3*time.Second, "measured `duration` of each cell, 100ms to 1m")
	callers := flags.String("c", "1,16,64", "`numbers` of callers that send one alert at a time")
	only := flags.String("only", "", "`words`, by commas, that narrow the run: salve, alertmanager, http, pgbench, statements, n8n;\n"+
		"new, resent, duplicates; c1, c16, … and b100")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected %q: there are only flags", flags.Args())
	}
	if *d < 100*time.Millisecond || *d > time.Minute {
		return options{}, fmt.Errorf("-d %v: want 100ms to 1m", *d)
	}
	numbers, err := parseCallers(*callers)
	if err != nil {
		return options{}, err
	}
	o := options{bounds: bounds{warm: *d / 4, measured: *d, most: math.MaxUint64}, shapes: shapes(numbers)}
	o.only, err = newFilter(*only, o.shapes)
	return o, err
}

const (
	maxCallers = 1024
	// maxAlerts new ones in a cell stay within Alertmanager's memory and the
	// cell's range.
	maxAlerts = 500_000
)

func parseCallers(text string) ([]int, error) {
	var numbers []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 || n > maxCallers || slices.Contains(numbers, n) {
			return nil, fmt.Errorf("-c %q: want different numbers from 1 to %d, by commas", text, maxCallers)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// filter holds the words that each kind of name was narrowed to; a kind without
// words is whole.
type filter struct{ targets, loads, shapes []string }

func newFilter(text string, all []shape) (filter, error) {
	var f filter
	known := filter{targets: []string{"salve", "alertmanager", "http", "pgbench", "statements", "n8n"}}
	for _, l := range loads() {
		known.loads = append(known.loads, l.name)
	}
	for _, s := range all {
		known.shapes = append(known.shapes, s.name)
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		switch {
		case word == "":
		case slices.Contains(known.targets, word):
			f.targets = append(f.targets, word)
		case slices.Contains(known.loads, word):
			f.loads = append(f.loads, word)
		case slices.Contains(known.shapes, word):
			f.shapes = append(f.shapes, word)
		default:
			return f, fmt.Errorf("-only: %q is none of %s", word,
				strings.Join(slices.Concat(known.targets, known.loads, known.shapes), ", "))
		}
	}
	return f, nil
}

func (f filter) target(name string) bool { return keeps(f.targets, name) }

func keeps(words []string, name string) bool {
	return len(words) == 0 || slices.Contains(words, name)
}

// boundsOf counts only alerts that the server keeps one by one.
func (o options) boundsOf(c cell) bounds {
	b := o.bounds
	if c.load.incidents == 0 && !c.target.forgets {
		b.most = maxAlerts
	}
	return b
}

// cells are one target's, of the loads given, in the order in which they run.
// The number of a cell depends on nothing but load and shape, so that every
// target gets the same alerts.
func (o options) cells(t *target, from []load) []cell {
	var all []cell
	for i, l := range from {
		for j, s := range o.shapes {
			if keeps(o.only.loads, l.name) && keeps(o.only.shapes, s.name) {
				all = append(all, cell{target: t, load: l, shape: s, number: uint64(i*len(o.shapes) + j + 1)})
			}
		}
	}
	return all
}
