package diagnose

import (
	"salve/internal/evidence"
	"salve/internal/trend"
)

// Growth is how one series grows, and what the rules of trend.* make of it.
type Growth struct {
	Metric  string // disk, cpu, memory
	About   string // a mount, a container; may be empty
	Points  int    // those that tell: whole days where there are enough, since the last clean-up or restart
	Days    float64
	Rise    trend.Rise
	Ceiling float64     // what is looked ahead to: where a disk is full, four fifths of CPU and memory; 0: nothing says
	Reach   trend.Reach // of the ceiling; days
	Current bool        // what tells goes on until the last point: memory that was restarted lately is judged by the time before
	Cause   string      // trend.*; empty where it is no trend that matters
	Because string      // the cause in words
}

// Growths reads every series of use in the evidence. Those with too few points are
// given with what they have.
func Growths(ev evidence.Evidence, q Question) []Growth {
	x := examine(ev, q)
	var all []Growth
	for _, s := range x.allSeries() {
		if s.told.Known {
			continue
		}
		if g, ok := s.growth(); ok {
			all = append(all, g)
		}
	}
	return all
}

func (s series) growth() (Growth, bool) {
	g := Growth{Metric: s.name, About: s.about, Ceiling: s.limit}
	switch s.name {
	case "disk":
	case "cpu", "memory":
		g.Ceiling *= usageCeiling / 100.0
	default:
		return g, false
	}
	l, _, current := s.stretch()
	g.Points, g.Days, g.Current = l.Len(), l.Span(), current
	if l.Len() > 0 {
		g.Rise = l.Rise()
	}
	if l.Len() > 0 && g.Ceiling > 0 {
		g.Reach = l.Until(g.Ceiling, g.Rise)
	}
	for _, rule := range trendRules {
		if f, holds := rule.match(s); holds {
			g.Cause, g.Because = rule.Cause, f.because
			break
		}
	}
	return g, true
}

// stretch is what of a series tells how it grows, how often memory fell with a restart,
// and whether the stretch goes on until the last point. A disk is looked at since its last clean-up,
// memory since its last restart that is long enough ago; use that rises and falls with
// the hour is looked at by whole days.
func (s series) stretch() (l trend.Line, restarts int, current bool) {
	switch s.name {
	case "disk":
		l = s.Recent(diskSpan + dayLong).Daily(fewestDays).SinceFall(cleanUpShare)
	case "cpu":
		l = s.Recent(usageSpan + dayLong).Daily(fewestDays)
	case "memory":
		return s.sinceRestart()
	}
	return l, 0, true
}
