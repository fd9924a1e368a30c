package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"salve/internal/trend"
)

func main() {
	folder := flag.String("data", "../../../shared/data/nab", "folder of CSV files with timestamp and value, at steps of 5 minutes")
	flag.Parse()
	if err := run(os.Stdout, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "forecast:", err)
		os.Exit(1)
	}
}

// The moments at which is foretold, and how far.
const (
	warmUp = 5 * 24 * time.Hour
	every  = 6 * time.Hour
	hour   = int(time.Hour / step)
	day    = 24 * hour
)

func run(out io.Writer, folder string) error {
	all, err := real(folder)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintf(out, "no CSV files in %s: the real series are left out (-data names another folder)\n", folder)
	}
	for _, group := range []struct {
		name string
		of   []series
	}{{"real series", all}, {"generated series", generated()}} {
		if len(group.of) == 0 {
			continue
		}
		if err := measure(out, group.name, group.of); err != nil {
			return err
		}
	}
	return speed(out)
}

// score is what one method did on one series: its mean absolute error beside that of
// "last value", and how often what came lay within its interval.
type score struct {
	ratio   float64
	covered float64
	counted bool // it gives an interval
}

func measure(out io.Writer, name string, all []series) error {
	for _, n := range []int{hour, day} {
		fmt.Fprintf(out, "\n%s, %s ahead (error relative to the last value, per series and geometric mean; share within the 80 %% interval)\n", name, time.Duration(n)*step)
		table := map[string][]score{}
		var order []string
		for _, s := range all {
			p, err := newPrometheus(s)
			if err != nil {
				return err
			}
			methods := append(append(simple(), p.methods()...), salve())
			scores, err := foretell(s, methods, n)
			p.close()
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			order = order[:0]
			for i, m := range methods {
				order = append(order, m.name)
				table[m.name] = append(table[m.name], scores[i])
			}
		}
		print(out, order, table)
	}
	return nil
}

func print(out io.Writer, order []string, table map[string][]score) {
	for _, name := range order {
		logs, covered := 0.0, 0.0
		line := fmt.Sprintf("  %-30s", name)
		for _, s := range table[name] {
			logs += math.Log(s.ratio)
			covered += s.covered
			line += fmt.Sprintf(" %5.2f", s.ratio)
		}
		n := float64(len(table[name]))
		line += fmt.Sprintf("   mean %.3f", math.Exp(logs/n))
		if table[name][0].counted {
			line += fmt.Sprintf("   within %.0f %%", 100*covered/n)
		}
		fmt.Fprintln(out, line)
	}
}

// foretell lets every method foretell the n steps after each origin.
func foretell(s series, methods []method, n int) ([]score, error) {
	missed, within, points := make([]float64, len(methods)), make([]int, len(methods)), 0
	scores := make([]score, len(methods))
	for at := s.points[0].At.Add(warmUp); ; at = at.Add(every) {
		from := 0
		for from < len(s.points) && !s.points[from].At.After(at) {
			from++
		}
		if from+n > len(s.points) {
			break
		}
		for i, m := range methods {
			value, lower, upper, err := m.of(s.points[:from], n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			for j, came := range s.points[from : from+n] {
				missed[i] += math.Abs(value[j] - came.Value)
				if lower != nil && came.Value >= lower[j] && came.Value <= upper[j] {
					within[i]++
				}
			}
			scores[i].counted = lower != nil
		}
		points += n
	}
	for i := range scores {
		scores[i].ratio, scores[i].covered = missed[i]/missed[0], float64(within[i])/float64(points)
	}
	return scores, nil
}

// speed says how long one forecast of 14 days of samples takes.
func speed(out io.Writer) error {
	s := generated()[0]
	const times = 50
	for _, n := range []int{hour, day} {
		begin := time.Now()
		for range times {
			if _, err := trend.Ahead(s.points, time.Duration(n)*step); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "\none forecast of 14 days at steps of 5 minutes, %s ahead: %.2f ms\n", time.Duration(n)*step, float64(time.Since(begin).Microseconds())/1000/times)
	}
	return nil
}
