package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"

	"salve/internal/trend"
)

// method foretells the n steps after a moment from what was known then. lower and upper
// are nil where it gives no interval.
type method struct {
	name string
	of   func(past []trend.Sample, n int) (value, lower, upper []float64, err error)
}

func flat(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }

func last(past []trend.Sample, d time.Duration) []float64 {
	n := min(len(past), int(d/step))
	out := make([]float64, n)
	for i, p := range past[len(past)-n:] {
		out[i] = p.Value
	}
	return out
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// simple are the rules that anybody could write down.
func simple() []method {
	rule := func(name string, of func(past []trend.Sample, n int) []float64) method {
		return method{name, func(past []trend.Sample, n int) ([]float64, []float64, []float64, error) {
			return of(past, n), nil, nil, nil
		}}
	}
	return []method{
		rule("last value", func(p []trend.Sample, n int) []float64 { return flat(p[len(p)-1].Value, n) }),
		rule("mean of the last hour", func(p []trend.Sample, n int) []float64 { return flat(mean(last(p, time.Hour)), n) }),
		rule("median of the last day", func(p []trend.Sample, n int) []float64 { return flat(median(last(p, 24*time.Hour)), n) }),
		rule("seasonal naive (a day ago)", func(p []trend.Sample, n int) []float64 {
			day := last(p, 24*time.Hour)
			out := make([]float64, n)
			for i := range out {
				out[i] = day[i%len(day)]
			}
			return out
		}),
	}
}

func salve() method {
	return method{"salve", func(past []trend.Sample, n int) (value, lower, upper []float64, err error) {
		f, err := trend.Ahead(past, time.Duration(n)*step)
		if err != nil {
			return nil, nil, nil, err
		}
		for i := range n {
			p := f.Points[min(i*len(f.Points)/n, len(f.Points)-1)]
			value, lower, upper = append(value, p.Value), append(lower, p.Lower), append(upper, p.Upper)
		}
		return value, lower, upper, nil
	}}
}

// prometheus is the real engine over a real database that holds one series.
type prometheus struct {
	dir    string
	db     *tsdb.DB
	engine *promql.Engine
}

func newPrometheus(s series) (*prometheus, error) {
	dir, err := os.MkdirTemp("", "forecast-")
	if err != nil {
		return nil, err
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = int64(365 * 24 * time.Hour / time.Millisecond)
	db, err := tsdb.Open(dir, nil, nil, options, nil)
	if err != nil {
		return nil, err
	}
	p := &prometheus{dir: dir, db: db, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{EnableExperimentalFunctions: true}),
	})}
	in := db.Appender(context.Background())
	for _, sample := range s.points {
		if _, err := in.Append(0, labels.FromStrings("__name__", "x"), sample.At.UnixMilli(), sample.Value); err != nil {
			return p, err
		}
	}
	return p, in.Commit()
}

func (p *prometheus) close() {
	_ = p.engine.Close()
	_ = p.db.Close()
	_ = os.RemoveAll(p.dir)
}

func (p *prometheus) ask(at time.Time, query string) (float64, error) {
	q, err := p.engine.NewInstantQuery(context.Background(), p.db, nil, query, at)
	if err != nil {
		return 0, err
	}
	defer q.Close()
	r := q.Exec(context.Background())
	v, err := r.Vector()
	if err != nil || len(v) != 1 {
		return 0, fmt.Errorf("%s at %s: %d values, %w", query, at, len(v), err)
	}
	return v[0].F, nil
}

// methods are Prometheus' functions. predict_linear is a line: two points of it give all.
func (p *prometheus) methods() []method {
	return []method{
		{"predict_linear over 6 h", func(past []trend.Sample, n int) ([]float64, []float64, []float64, error) {
			at, ahead := past[len(past)-1].At, (time.Duration(n) * step).Seconds()
			from, err := p.ask(at, "predict_linear(x[6h], 0)")
			if err != nil {
				return nil, nil, nil, err
			}
			to, err := p.ask(at, fmt.Sprintf("predict_linear(x[6h], %g)", ahead))
			out := make([]float64, n)
			for i := range out {
				out[i] = from + (to-from)*float64(i+1)/float64(n)
			}
			return out, nil, nil, err
		}},
		{"double_exponential_smoothing", func(past []trend.Sample, n int) ([]float64, []float64, []float64, error) {
			v, err := p.ask(past[len(past)-1].At, "double_exponential_smoothing(x[1d], 0.3, 0.1)")
			return flat(v, n), nil, nil, err
		}},
	}
}
