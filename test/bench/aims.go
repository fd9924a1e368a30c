package main

import (
	"fmt"
	"io"
	"time"
)

// aim is one promise of the project, held against this run.
type aim struct {
	text  string
	seen  float64
	limit float64
	least bool // the limit is the least that will do; else it must stay under it
	unit  string
	known bool // both sides were measured
}

func (a aim) verdict() string {
	switch {
	case !a.known:
		return "not measured"
	case a.least && a.seen >= a.limit, !a.least && a.seen < a.limit:
		return "met"
	default:
		return "NOT MET"
	}
}

func (a aim) line() string {
	sign, seen := "<", "-"
	if a.least {
		sign = "≥"
	}
	if a.known {
		seen = fmt.Sprintf("%.2f%s", a.seen, a.unit)
	}
	return fmt.Sprintf("%s\t%s\t%s %.2f%s\t%s\t", a.text, seen, sign, a.limit, a.unit, a.verdict())
}

// aims of the bench: rates against Alertmanager's in the same run, latencies
// as they are.
func (all results) aims() []aim {
	list := []aim{
		all.rateAim("resent", 1),
		all.rateAim("new", 1.0/3),
	}
	for _, l := range loads() {
		list = append(list, all.latencyAim(l.name, "c1", 0.5, 2*time.Millisecond))
	}
	for _, l := range loads() {
		list = append(list, all.latencyAim(l.name, "c64", 0.99, 25*time.Millisecond))
	}
	return list
}

func (all results) rateAim(load string, least float64) aim {
	ratio, known := all.ratio("salve", "alertmanager", load, "c64")
	return aim{text: load + ", c64: Salve's alerts/s ÷ Alertmanager's", seen: ratio, limit: least, least: true, known: known}
}

func (all results) latencyAim(load, shape string, q float64, most time.Duration) aim {
	r, known := all.find("salve", load, shape)
	return aim{text: fmt.Sprintf("%s, %s: p%.0f", load, shape, q*100), unit: " ms", known: known,
		seen: r.latency.quantile(q).Seconds() * 1e3, limit: most.Seconds() * 1e3}
}

// ratio of two targets' alerts a second with the same load in the same shape.
func (all results) ratio(ours, theirs, load, shape string) (float64, bool) {
	a, okA := all.find(ours, load, shape)
	b, okB := all.find(theirs, load, shape)
	if !okA || !okB {
		return 0, false
	}
	return a.perSecond(a.alerts) / b.perSecond(b.alerts), true
}

func (r report) aims() {
	r.table("Aims", func(w io.Writer) {
		fmt.Fprintln(w, "aim\tseen\twanted\t\t")
		for _, a := range r.results.aims() {
			fmt.Fprintln(w, a.line())
		}
	})
}

// ratios prints Salve's alerts a second as a share of everybody else's.
func (r report) ratios() {
	if !r.measuredAny("salve") {
		return
	}
	r.table("Ratios (Salve's alerts/s ÷ theirs)", func(w io.Writer) {
		fmt.Fprintln(w, "load\tshape\talertmanager\tempty handler\tpgbench, row by row\tpgbench, by hundreds\t")
		r.eachSalve(func(res result) {
			fmt.Fprintf(w, "%s\t%s\t", res.cell.load.name, res.cell.shape.name)
			for _, peer := range r.peers(res) {
				fmt.Fprintf(w, "%s\t", share(res, peer))
			}
			fmt.Fprintln(w)
		})
	})
}

// peers in the order of the columns; what was not measured has no requests.
func (r report) peers(res result) []result {
	alertmanager, _ := r.results.find("alertmanager", res.cell.load.name, res.cell.shape.name)
	ceiling, _ := r.results.ceiling(res.cell.shape.name)
	peers := []result{alertmanager, ceiling}
	for _, in := range inserts() {
		rows, _ := r.results.find("pgbench", in.name, fmt.Sprintf("c%d", pgClients))
		peers = append(peers, rows)
	}
	return peers
}

func share(ours, theirs result) string {
	rate := theirs.perSecond(theirs.alerts)
	if rate == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ours.perSecond(ours.alerts)/rate)
}
