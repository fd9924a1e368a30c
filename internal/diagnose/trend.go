package diagnose

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"salve/internal/evidence"
	"salve/internal/trend"
)

func (s series) place() place {
	p := s.of.place()
	p.acute = 0
	if s.name == "disk" {
		p.at = p.at + "/" + s.about
		p.within = append([]string{p.at}, p.within...)
	}
	return p
}

func (s series) title() string {
	if s.about == "" || s.about == s.of.Name || s.about == s.of.Host {
		return s.of.title()
	}
	if s.of.Name == "" && s.of.Host == "" && s.of.x.q.Target.IsZero() {
		return s.about
	}
	return s.about + " of " + s.of.title()
}

// grown says by how much a day, in words.
func (s series) grown(perDay float64) string {
	if s.limit == percentIsFull && s.isPercent() {
		return fmt.Sprintf("%s points a day", amount(perDay))
	}
	if strings.Contains(strings.ToLower(s.key), "bytes") {
		return bytes(evidence.Of(perDay)) + " a day"
	}
	return amount(perDay) + " a day"
}

func (s series) say(v float64) string {
	if strings.Contains(strings.ToLower(s.key), "bytes") {
		return bytes(evidence.Of(v))
	}
	if s.isPercent() {
		return amount(v) + " %"
	}
	return amount(v)
}

// finding is what a stretch of the series shows. A trend of few days is a guess.
func (s series) finding(symptom string, l trend.Line, r trend.Rise, then string) finding {
	f := finding{
		symptom: symptom, grave: r.PerDay,
		because: fmt.Sprintf("it grew by %s over the last %s, from %s to %s%s", s.grown(r.PerDay), span(l.Span()), s.say(l.First()), s.say(l.Last()), then),
		quotes: []string{fmt.Sprintf("series %s of %s: %d points over %s, from %s to %s, median growth %s", clip(s.key, 200), s.title(), s.Len(), span(s.Span()),
			s.say(s.First()), s.say(s.Last()), s.grown(r.PerDay))},
	}
	if l.Span() < surestAfter-0.5 {
		f.confidence = fair
		f.missing = []string{fmt.Sprintf("the same series over at least %.0f days", surestAfter)}
	}
	return f
}

func diskFilling(s series) (finding, bool) {
	if s.name != "disk" {
		return finding{}, false
	}
	if s.told.Known {
		return s.asTold("the disk "+s.title()+" fills up", "it is full", diskHorizon, fair+0.1)
	}
	l, _, _ := s.stretch()
	if l.Len() < fewestPoints-1 || s.limit <= 0 {
		return finding{}, false
	}
	r := l.Rise()
	full := l.Until(s.limit, r)
	if !l.Steady(r, risingAgree) || full.Days <= 0 || full.Days > diskHorizon {
		return finding{}, false
	}
	f := s.finding("the disk "+s.title()+" fills up", l, r, "; at this rate it is full in about "+within(full))
	f.grave = -full.Days
	return f, true
}

// asTold takes the sender's word for when it is so far.
func (s series) asTold(symptom, then string, horizon, sureness float64) (finding, bool) {
	days := s.told.Value
	if days < 0 || days > horizon {
		return finding{}, false
	}
	f := finding{
		symptom: symptom, confidence: sureness, grave: -days,
		because: "by its growth " + then + " in about " + span(days),
		quotes:  []string{s.grows},
		missing: []string{fmt.Sprintf("the use of %s over the last %.0f days", s.title(), surestAfter)},
	}
	return f, true
}

// cpuRising looks at whole days: a morning is no trend.
func cpuRising(s series) (finding, bool) {
	if s.name == "cpu" && s.told.Known {
		return s.asTold(s.title()+" uses more and more CPU", fmt.Sprintf("it reaches %d %%", usageCeiling), usageHorizon, fair+0.1)
	}
	if s.name != "cpu" || s.limit <= 0 {
		return finding{}, false
	}
	l, _, _ := s.stretch()
	all := s.Recent(usageSpan + dayLong)
	if l.Len() < fewestDays || l.Span() < fewestDays-1-trend.DayPart || all.Dense() && all.Span() < fewestDays-trend.DayPart {
		return finding{}, false
	}
	r, ceiling := l.Rise(), s.limit*usageCeiling/percentIsFull
	there := l.Until(ceiling, r)
	if !l.Steady(r, risingAgree) || there.Days > usageHorizon {
		return finding{}, false
	}
	where := fmt.Sprintf("; at this rate it reaches %d %% in about %s", usageCeiling, within(there))
	if there.Days <= 0 {
		where = fmt.Sprintf("; it is past %d %% already", usageCeiling)
	}
	f := s.finding(s.title()+" uses more CPU every day", l, r, where)
	f.grave = -there.Days
	return f, true
}

func memoryLeak(s series) (finding, bool) {
	if s.name == "memory" && s.told.Known {
		f, ok := s.asTold("the memory of "+s.title()+" rises", "it is used up", usageHorizon, 0.5)
		f.missing = append(f.missing, "whether it falls again without a restart, and the load over the same time")
		return f, ok
	}
	if s.name != "memory" {
		return finding{}, false
	}
	l, restarts, _ := s.stretch()
	if l.Len() < fewestPoints-1 || l.Span() < shortestSpan {
		return finding{}, false
	}
	r := l.Rise()
	if !l.Steady(r, leakAgree) || l.First() <= 0 || l.Last() < l.First()*(1+leakGrowth) {
		return finding{}, false
	}
	f := s.finding("the memory of "+s.title()+" rises and does not fall", l, r, s.until(l, r))
	if restarts > 0 {
		f.because += fmt.Sprintf("; it fell %d times before, with a restart, and rose again", restarts)
	}
	return s.besideLoad(f)
}

// sinceRestart is the last stretch between two restarts that is long enough to
// tell something, how often memory fell, and whether the stretch goes on until now.
func (s series) sinceRestart() (l trend.Line, restarts int, current bool) {
	all := s.Recent(usageSpan + dayLong)
	rest := all
	from, best := 0, trend.Line{}
	for i := 1; i <= rest.Len(); i++ {
		if i < rest.Len() && rest.Value[i] >= rest.Value[i-1]*(1-resetShare) {
			continue
		}
		if one := (trend.Line{At: rest.At[from:i], Value: rest.Value[from:i]}); one.Len() >= fewestPoints && one.Span() >= shortestSpan {
			best, current = one, i == rest.Len()
		}
		if i < rest.Len() {
			restarts++
		}
		from = i
	}
	if best.Len() == 0 {
		return best, restarts, false
	}
	return best.Daily(fewestDays), restarts, current
}

// until says when the limit is reached, where there is one.
func (s series) until(l trend.Line, r trend.Rise) string {
	full := l.Until(s.limit, r)
	if s.limit <= 0 || full.Days <= 0 {
		return ""
	}
	return "; at this rate it is at its limit in about " + within(full)
}

// within says how far away a limit is, and between what the growth leaves it open.
func within(r trend.Reach) string {
	about := span(math.Min(r.Days, longestExpiry))
	switch early, late := span(math.Min(r.Lower, longestExpiry)), span(math.Min(r.Upper, longestExpiry)); {
	case math.IsInf(r.Upper, 1):
		return about + " (not before " + early + ")"
	case early == about && late == about:
		return about
	default:
		return about + " (" + early + " to " + late + ")"
	}
}

// besideLoad takes back a leak where the load rises with it: more work needs more
// memory.
func (s series) besideLoad(f finding) (finding, bool) {
	for _, other := range s.x.allSeries() {
		if other.name != "load" || other.of.Host != s.of.Host && other.of.Host != "" && s.of.Host != "" {
			continue
		}
		l := other.Recent(usageSpan + dayLong).Daily(fewestDays)
		if l.Len() < fewestPoints-1 {
			l = other.Line
		}
		if r := l.Rise(); l.Steady(r, risingAgree) && l.Last() > l.First()*(1+leakGrowth) {
			return finding{}, false
		}
		f.quotes = append(f.quotes, fmt.Sprintf("series %s: from %s to %s, no rise", clip(other.key, 200), amount(other.First()), amount(other.Last())))
		return f, true
	}
	if f.confidence == 0 || f.confidence > fair {
		f.confidence = fair
	}
	f.missing = append(f.missing, "the request rate over the same time: more load needs more memory too")
	return f, true
}

// toldGrowth is what a sender says of a file system's growth.
func (f filesystem) toldGrowth() (series, bool) {
	s := series{x: f.x, of: usage{f.x, evidence.Usage{Host: f.disk.Host}}, name: "disk", about: f.fs.Mount, told: f.fs.DaysUntilFull}
	s.grows = "growth of " + f.where() + ":"
	used, usedKnown := f.used()
	switch {
	case s.told.Known:
		s.grows += " daysUntilFull=" + s.told.String()
	case f.fs.GrowthBytesADay.Value > 0 && f.fs.AvailBytes.Known:
		s.told = evidence.Of(f.fs.AvailBytes.Value / f.fs.GrowthBytesADay.Value)
	case f.fs.GrowthBytesADay.Value > 0 && f.fs.SizeBytes.Known && f.fs.UsedBytes.Known:
		s.told = evidence.Of((f.fs.SizeBytes.Value - f.fs.UsedBytes.Value) / f.fs.GrowthBytesADay.Value)
	case f.fs.GrowthPercentADay.Value > 0 && usedKnown:
		s.told = evidence.Of((percentIsFull - used) / f.fs.GrowthPercentADay.Value)
	default:
		return series{}, false
	}
	if f.fs.GrowthBytesADay.Known {
		s.grows += " growthBytesPerDay=" + bytes(f.fs.GrowthBytesADay)
	}
	if f.fs.GrowthPercentADay.Known {
		s.grows += " growthPercentPerDay=" + f.fs.GrowthPercentADay.String()
	}
	s.grows += ", " + f.quoteSpace()
	return s, true
}

// toldOf is what a sender says of the growth of use as numbers that have no field
// of their own, such as cpuGrowthPercentPerWeek.
func (x *examination) toldOf(u usage) []series {
	var out []series
	for _, key := range slices.Sorted(maps.Keys(u.Measured)) {
		perDay, name := toldRate(word(key), u.Measured[key].Value)
		now := map[string]evidence.Number{"cpu": u.CPUPercent, "memory": u.MemoryPercent}[name]
		if v, known := u.percent(now); known && perDay > 0 {
			ceiling := map[string]float64{"cpu": usageCeiling, "memory": percentIsFull}[name]
			out = append(out, series{x: x, of: u, name: name, key: key, told: evidence.Of((ceiling - v) / perDay),
				grows: fmt.Sprintf("usage of %s: %s=%s, %sPercent=%s", u.title(), key, u.Measured[key], name, now)})
		}
	}
	return out
}

// toldRate reads a growth in points a day out of its name.
func toldRate(name string, v float64) (perDay float64, metric string) {
	if !slices.ContainsFunc([]string{"growth", "trend", "slope", "increase", "rise"}, func(w string) bool { return strings.Contains(name, w) }) || strings.Contains(name, "bytes") {
		return 0, ""
	}
	for _, per := range []struct {
		word string
		days float64
	}{{"perhour", 1.0 / 24}, {"perday", 1}, {"daily", 1}, {"perweek", 7}, {"weekly", 7}, {"permonth", 30}} {
		if strings.Contains(name, per.word) {
			return v / per.days, metricOf(name)
		}
	}
	return 0, ""
}

// seriesWell: a rise that is no trend by the rules is health, unless it has got far.
func seriesWell(s series) (string, bool) {
	if s.told.Known {
		return s.grows, s.told.Value > diskHorizon
	}
	end := s.Recent(dayLong)
	middle := median(slices.Clone(end.Value))
	line := fmt.Sprintf("%s %s: %d points over %s, from %s to %s, no trend that matters", s.title(), orElse(s.name, s.key), s.Len(), span(s.Span()), s.say(s.First()), s.say(s.Last()))
	switch {
	case s.isPercent() && (s.name == "cpu" || s.name == "memory") && middle > saturatedPercent, s.isPercent() && s.name == "disk" && middle > diskFullPercent:
		return fmt.Sprintf("%s %s: %s at the end", s.title(), s.name, s.say(middle)), false
	case s.name == "" && !isFree(s.key):
		return "", true
	}
	return line, true
}
