package outlook

import (
	"fmt"
	"math"
	"slices"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// State is what a series is found to do.
type State string

// The states of a series.
const (
	Rising    State = "rising"     // a trend that matters: it has an alert, or begins one
	Watched   State = "watched"    // it looks like one, and has not lasted long enough to say so
	Calm      State = "calm"       // no trend that matters
	TooLittle State = "too_little" // too few samples to say anything
	Stale     State = "stale"      // nothing was measured lately
)

// Rank puts what matters first.
func (s State) Rank() int {
	return slices.Index([]State{Rising, Watched, Calm, Stale, TooLittle}, s)
}

// Trend is one series and where it goes.
type Trend struct {
	Target  incident.Target `json:"target"`
	Source  string          `json:"source"`
	Metric  string          `json:"metric"`
	About   string          `json:"about,omitempty"` // a mount
	State   State           `json:"state"`
	Cause   string          `json:"cause,omitempty"` // trend.*, where it is rising or watched
	Reason  string          `json:"reason"`
	Now     float64         `json:"now"` // its last value, per cent
	AsOf    time.Time       `json:"as_of"`
	Days    float64         `json:"days"`    // that tell: since the last clean-up or restart, at most 14
	PerDay  float64         `json:"per_day"` // points
	Lower   float64         `json:"per_day_lower"`
	Upper   float64         `json:"per_day_upper"`
	Ceiling float64         `json:"ceiling"`                    // 100 for disks, 80 for CPU and memory
	Until   *float64        `json:"days_until"`                 // the ceiling is reached; null: it is not on the way there
	Early   *float64        `json:"days_until_early,omitempty"` // 80 % interval
	Late    *float64        `json:"days_until_late,omitempty"`  // missing: perhaps never

	current bool // it goes on until now, and not until a restart
}

// trend is a series as it stands: watched where the rules see a trend in it.
func (c Case) trend(s Series) Trend {
	last := s.Samples[len(s.Samples)-1]
	t := Trend{Target: s.Target, Source: s.Source, Metric: s.Metric, About: s.About, Now: last.Value, AsOf: last.At, State: TooLittle}
	if c.Now.Sub(last.At) > staleFor {
		t.State, t.Reason = Stale, fmt.Sprintf("nothing was measured since %s", last.At.UTC().Format(time.RFC3339))
		return t
	}
	g, enough := c.growth(s, c.Now)
	if !enough {
		t.Reason = fmt.Sprintf("too little data: %d hours with samples", len(s.Samples))
		return t
	}
	t.Days, t.PerDay, t.Lower, t.Upper, t.Ceiling = g.Days, g.Rise.PerDay, g.Rise.Lower, g.Rise.Upper, g.Ceiling
	if r := g.Reach; !math.IsInf(r.Days, 0) && g.Ceiling > 0 {
		t.Until, t.Early = &r.Days, &r.Lower
		if !math.IsInf(r.Upper, 1) {
			t.Late = &r.Upper
		}
	}
	switch {
	case g.Cause != "":
		t.State, t.Cause, t.Reason, t.current = Watched, g.Cause, g.Because, g.Current
	case g.Points < 5:
		t.Reason = fmt.Sprintf("too little data: %d points that tell", g.Points)
	default:
		t.State, t.Reason = Calm, fmt.Sprintf("%.3g %% now, %+.2g points a day (%.2g to %.2g) over %.2g days: no trend that matters", t.Now, t.PerDay, t.Lower, t.Upper, t.Days)
	}
	return t
}

// growth is what the rules make of a series up to a moment.
func (c Case) growth(s Series, at time.Time) (diagnose.Growth, bool) {
	ev := c.evidence(s, at)
	all := diagnose.Growths(ev, diagnose.Question{Target: s.Target, Family: "trend"})
	i := slices.IndexFunc(all, func(g diagnose.Growth) bool { return metricOf[g.Metric] == s.Metric && g.About == s.About })
	if i < 0 {
		return diagnose.Growth{}, false
	}
	return all[i], true
}

var metricOf = map[string]string{"disk": Disk, "cpu": CPU, "memory": Memory}
