package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints what a run came to.
type report struct {
	out        io.Writer
	results    results
	accounts   []account
	executions []execution
	options    options
}

func (r report) print() {
	r.statements()
	r.inN8N()
	if !r.measuredAny("salve") && !r.measuredAny("alertmanager") {
		r.postgres()
		return
	}
	r.rates()
	r.postgres()
	r.stages()
	r.processors()
	r.failures()
	r.ratios()
	r.aims()
}

// table prints lines of cells, each ended by a tab, in columns aligned right.
func (r report) table(title string, fill func(w io.Writer)) {
	fmt.Fprintf(r.out, "\n%s\n", title)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fill(w)
	w.Flush()
}

// each calls f for every load and shape that somebody was measured with.
func (r report) each(f func(load, shape string)) {
	for _, l := range loads() {
		for _, s := range r.options.shapes {
			_, ours := r.results.find("salve", l.name, s.name)
			_, theirs := r.results.find("alertmanager", l.name, s.name)
			if ours || theirs {
				f(l.name, s.name)
			}
		}
	}
}

func (r report) measuredAny(target string) bool {
	return slices.ContainsFunc(r.results, func(res result) bool { return res.cell.target.name == target })
}

func (r report) rates() {
	title := fmt.Sprintf("Rates (requests/s, alerts/s, p50 and p99 in ms; %v a cell, %d cores; cN: N callers, one alert each; b100: %d callers, 100 alerts each)",
		r.options.bounds.measured, runtime.NumCPU(), batchCallers)
	r.table(title, func(w io.Writer) {
		fmt.Fprintln(w, "\t\tsalve\t\t\t\talertmanager\t\t\t\tempty handler\t\t\t")
		fmt.Fprintln(w, "load\tshape\treq/s\talerts/s\tp50\tp99\treq/s\talerts/s\tp50\tp99\treq/s\tp50\tp99\t")
		r.each(func(load, shape string) {
			fmt.Fprintf(w, "%s\t%s\t%s%s%s\n", load, shape,
				r.measured("salve", load, shape), r.measured("alertmanager", load, shape), r.ceiling(shape))
		})
	})
}

func (r report) measured(target, load, shape string) string {
	res, ok := r.results.find(target, load, shape)
	if !ok {
		return "-\t-\t-\t-\t"
	}
	return fmt.Sprintf("%.0f\t%.0f\t%s\t%s\t", res.perSecond(res.requests), res.perSecond(res.alerts),
		millis(res.latency.quantile(0.5)), millis(res.latency.quantile(0.99)))
}

func (r report) ceiling(shape string) string {
	res, ok := r.results.ceiling(shape)
	if !ok {
		return "-\t-\t-\t"
	}
	return fmt.Sprintf("%.0f\t%s\t%s\t", res.perSecond(res.requests), millis(res.latency.quantile(0.5)), millis(res.latency.quantile(0.99)))
}

// ceiling is the empty handler's result, measured once for all loads.
func (all results) ceiling(shape string) (result, bool) {
	for _, l := range loads() {
		if r, ok := all.find("http", l.name, shape); ok {
			return r, true
		}
	}
	return result{}, false
}

func (r report) postgres() {
	for _, in := range inserts() {
		res, ok := r.results.find("pgbench", in.name, fmt.Sprintf("c%d", pgClients))
		if !ok {
			continue
		}
		fmt.Fprintf(r.out, "\npgbench, %d clients, %.0f row(s) a transaction: %.0f transactions/s, %.0f rows/s, p50 %s ms, p99 %s ms",
			pgClients, in.rows, res.perSecond(res.requests), res.perSecond(res.alerts),
			millis(res.latency.quantile(0.5)), millis(res.latency.quantile(0.99)))
	}
	fmt.Fprintln(r.out)
}

// eachSalve calls f for Salve's cells.
func (r report) eachSalve(f func(result)) {
	r.each(func(load, shape string) {
		if res, ok := r.results.find("salve", load, shape); ok {
			f(res)
		}
	})
}

// stageNames are those that moved in any cell.
func (r report) stageNames() []string {
	union := stages{}
	r.eachSalve(func(res result) { maps.Copy(union, res.spent.stages) })
	return union.names()
}

// stages prints where the time goes: once as a caller waits for it, and once
// shared out among the alerts.
func (r report) stages() {
	names := r.stageNames()
	if len(names) == 0 {
		return
	}
	header := func(w io.Writer, before string) {
		fmt.Fprint(w, before)
		for _, name := range names {
			fmt.Fprintf(w, "%s\t", name)
		}
	}
	r.table("Where a request's time goes (mean of each stage in ms; http: what is left of the caller's mean)", func(w io.Writer) {
		header(w, "load\tshape\tbatch\t")
		fmt.Fprintln(w, "http\tsum\t")
		r.eachSalve(func(res result) { r.stageMeans(w, res, names) })
	})
	r.table("Where an alert's share of the time goes (µs of each stage an alert)", func(w io.Writer) {
		header(w, "load\tshape\t")
		fmt.Fprintln(w)
		r.eachSalve(func(res result) { r.stageShares(w, res, names) })
	})
}

func (r report) stageMeans(w io.Writer, res result, names []string) {
	spent := res.spent.stages
	fmt.Fprintf(w, "%s\t%s\t%.1f\t", res.cell.load.name, res.cell.shape.name, spent[batchMetric].mean())
	for _, name := range names {
		fmt.Fprintf(w, "%.2f\t", spent[name].mean()*1e3)
	}
	fmt.Fprintf(w, "%s\t%s\t\n", millis(spent.rest(res.latency.mean())), millis(res.latency.mean()))
}

func (r report) stageShares(w io.Writer, res result, names []string) {
	fmt.Fprintf(w, "%s\t%s\t", res.cell.load.name, res.cell.shape.name)
	for _, name := range names {
		fmt.Fprintf(w, "%.1f\t", res.spent.stages[name].sum/max(res.alerts, 1)*1e6)
	}
	fmt.Fprintln(w)
}

// processors prints who used the cores, and how much of them was used at all.
func (r report) processors() {
	defer r.strangers()
	title := "Processor time (µs an alert; busy: all of them, of all cores; others: strangers on this machine)"
	r.table(title, func(w io.Writer) {
		fmt.Fprintln(w, "load\tshape\tclient\tsalve\tpostgres\tbusy\tothers\tclient\talertmanager\tbusy\tothers\t")
		r.each(func(load, shape string) {
			fmt.Fprintf(w, "%s\t%s\t%s%s\n", load, shape,
				r.used("salve", load, shape, true), r.used("alertmanager", load, shape, false))
		})
	})
}

func (r report) used(target, load, shape string, children bool) string {
	res, ok := r.results.find(target, load, shape)
	cpu := res.spent.cpu
	parts := []time.Duration{cpu.client, cpu.server}
	if children {
		parts = append(parts, cpu.children)
	}
	if !ok {
		return strings.Repeat("-\t", len(parts)+2)
	}
	var line strings.Builder
	var sum time.Duration
	for _, part := range parts {
		fmt.Fprintf(&line, "%.0f\t", part.Seconds()/res.alerts*1e6)
		sum += part
	}
	cores := res.elapsed.Seconds() * float64(runtime.NumCPU()) / 100
	fmt.Fprintf(&line, "%.0f%%\t%.0f%%\t", sum.Seconds()/cores, cpu.others().Seconds()/cores)
	return line.String()
}

// muchStranger is the share of the cores from which on a cell is worth little.
const muchStranger = 0.1

func (r report) strangers() {
	worst := 0.0
	for _, res := range r.results {
		if res.elapsed > 0 {
			worst = max(worst, res.spent.cpu.others().Seconds()/res.elapsed.Seconds()/float64(runtime.NumCPU()))
		}
	}
	if worst > muchStranger {
		fmt.Fprintf(r.out, "\nThis machine was busy with other work, up to %.0f%% of its cores: repeat the run when it is quiet.\n", worst*100)
	}
}

func (r report) failures() {
	for _, res := range r.results {
		for _, kind := range slices.Sorted(maps.Keys(res.failures)) {
			fmt.Fprintf(r.out, "\nFAILED %s: %d × %s", res.cell, res.failures[kind], kind)
		}
	}
	r.eachSalve(func(res result) {
		if len(res.outcomes) > 1 {
			fmt.Fprintf(r.out, "\n%s: outcomes in the answers that were read: %v", res.cell, res.outcomes)
		}
	})
	fmt.Fprintln(r.out)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1e3) }
