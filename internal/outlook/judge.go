package outlook

import (
	"math"
	"slices"
	"time"

	"salve/internal/incident"
)

// Case is every series that one source has of one target, and which of its alerts are on.
type Case struct {
	Series []Series
	On     map[string]incident.Alert // by cause; those that fire
	Now    time.Time
}

// Verdict is what follows for one target.
type Verdict struct {
	Trends []Trend
	Events []incident.Event // alerts that begin, go on where that is news, or are over
}

// causes are what series may begin, with the metric that shows it.
var causes = []struct{ cause, metric, alert string }{
	{"trend.disk_filling", Disk, "DiskFilling"},
	{"trend.cpu_rising", CPU, "CPURising"},
	{"trend.memory_leak", Memory, "MemoryLeak"},
}

// Judge looks at all series of a target.
func Judge(c Case, ids incident.IDs) (Verdict, error) {
	var v Verdict
	for _, what := range causes {
		one, err := c.judge(what.cause, what.metric, what.alert, ids)
		if err != nil {
			return v, err
		}
		v.Trends, v.Events = append(v.Trends, one.Trends...), append(v.Events, one.Events...)
	}
	return v, nil
}

// judge asks for one cause: of its metric's series the one that is worst decides.
func (c Case) judge(cause, metric, alert string, ids incident.IDs) (v Verdict, err error) {
	known, on := c.On[cause]
	holds, over := false, on
	var worst Series
	for _, s := range c.Series {
		if s.Metric != metric || len(s.Samples) == 0 {
			continue
		}
		t := c.trend(s)
		if t.State == Watched && (on || c.lasts(s, t)) {
			t.State = Rising
		}
		if t.State == Rising && (worst.Samples == nil || sooner(t, v.Trends)) {
			worst = s
		}
		holds = holds || t.State == Rising && (!on || t.current)
		over = over && c.gone(s, t, known, cause)
		v.Trends = append(v.Trends, t)
	}
	switch {
	case len(v.Trends) == 0 && !on:
	case over:
		v.Events = []incident.Event{c.event(known, alert, cause, c.Series[0].Key, incident.Resolved, "it does not go on", ids)}
		for i := range v.Trends {
			if v.Trends[i].State == Rising {
				v.Trends[i].State = Watched
			}
		}
	case holds && (!on || !known.QuietUntil.IsZero() && c.Now.After(known.QuietUntil)):
		i := slices.IndexFunc(v.Trends, func(t Trend) bool { return t.Metric == worst.Metric && t.About == worst.About })
		e := c.event(known, alert, cause, worst.Key, incident.Firing, v.Trends[i].Reason, ids)
		if e.Evidence, err = c.show(); err != nil {
			return v, err
		}
		if until := v.Trends[i].Until; until != nil && *until < urgent {
			e.Severity = incident.High
		}
		v.Events = []incident.Event{e}
	}
	return v, nil
}

// sooner says whether a trend gets there before all others that rise.
func sooner(t Trend, others []Trend) bool {
	days := func(t Trend) float64 {
		if t.Until == nil {
			return math.Inf(1)
		}
		return *t.Until
	}
	return !slices.ContainsFunc(others, func(o Trend) bool { return o.State == Rising && days(o) <= days(t) })
}
