package diagnose

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"salve/internal/evidence"
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
func (s series) finding(symptom string, l line, r rise, then string) finding {
	f := finding{
		symptom: symptom, grave: r.perDay,
		because: fmt.Sprintf("it grew by %s over the last %s, from %s to %s%s", s.grown(r.perDay), span(l.span()), s.say(l.first()), s.say(l.last()), then),
		quotes: []string{fmt.Sprintf("series %s of %s: %d points over %s, from %s to %s, median growth %s", clip(s.key, 200), s.title(), s.len(), span(s.span()),
			s.say(s.first()), s.say(s.last()), s.grown(r.perDay))},
	}
	if l.span() < surestAfter-0.5 {
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
	l := s.recent(diskSpan + dayLong).daily().sinceReset(cleanUpShare)
	if l.len() < fewestPoints-1 || s.limit <= 0 {
		return finding{}, false
	}
	r := l.rise()
	days := (s.limit - l.last()) / r.perDay
	if !l.steady(r, risingAgree) || days <= 0 || days > diskHorizon {
		return finding{}, false
	}
	f := s.finding("the disk "+s.title()+" fills up", l, r, "; at this rate it is full in about "+span(days))
	f.grave = -days
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
	all := s.recent(usageSpan + dayLong)
	l := all.daily()
	if l.len() < fewestDays || l.span() < fewestDays-1-dayPart || all.isDense() && all.span() < fewestDays-dayPart {
		return finding{}, false
	}
	r, ceiling := l.rise(), s.limit*usageCeiling/percentIsFull
	days := (ceiling - l.last()) / r.perDay
	if !l.steady(r, risingAgree) || days > usageHorizon {
		return finding{}, false
	}
	where := fmt.Sprintf("; at this rate it reaches %d %% in about %s", usageCeiling, span(days))
	if days <= 0 {
		where = fmt.Sprintf("; it is past %d %% already", usageCeiling)
	}
	f := s.finding(s.title()+" uses more CPU every day", l, r, where)
	f.grave = -days
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
	l, restarts := s.sinceRestart()
	if l.len() < fewestPoints-1 || l.span() < shortestSpan {
		return finding{}, false
	}
	r := l.rise()
	if !l.steady(r, leakAgree) || l.first() <= 0 || l.last() < l.first()*(1+leakGrowth) {
		return finding{}, false
	}
	f := s.finding("the memory of "+s.title()+" rises and does not fall", l, r, s.until(l, r))
	if restarts > 0 {
		f.because += fmt.Sprintf("; it fell %d times before, with a restart, and rose again", restarts)
	}
	return s.besideLoad(f)
}

// sinceRestart is the last stretch between two restarts that is long enough to
// tell something, and how often memory fell.
func (s series) sinceRestart() (l line, restarts int) {
	all := s.recent(usageSpan + dayLong)
	rest := all
	from, best := 0, line{}
	for i := 1; i <= rest.len(); i++ {
		if i < rest.len() && rest.value[i] >= rest.value[i-1]*(1-resetShare) {
			continue
		}
		if one := (line{rest.at[from:i], rest.value[from:i]}); one.len() >= fewestPoints && one.span() >= shortestSpan {
			best = one
		}
		if i < rest.len() {
			restarts++
		}
		from = i
	}
	if best.len() == 0 {
		return best, restarts
	}
	return best.daily(), restarts
}

// until says when the limit is reached, where there is one.
func (s series) until(l line, r rise) string {
	left := s.limit - l.last()
	if s.limit <= 0 || left <= 0 {
		return ""
	}
	return "; at this rate it is at its limit in about " + span(math.Min(left/r.perDay, longestExpiry))
}

// besideLoad takes back a leak where the load rises with it: more work needs more
// memory.
func (s series) besideLoad(f finding) (finding, bool) {
	for _, other := range s.x.allSeries() {
		if other.name != "load" || other.of.Host != s.of.Host && other.of.Host != "" && s.of.Host != "" {
			continue
		}
		l := other.recent(usageSpan + dayLong).daily()
		if l.len() < fewestPoints-1 {
			l = other.line
		}
		if r := l.rise(); l.steady(r, risingAgree) && l.last() > l.first()*(1+leakGrowth) {
			return finding{}, false
		}
		f.quotes = append(f.quotes, fmt.Sprintf("series %s: from %s to %s, no rise", clip(other.key, 200), amount(other.first()), amount(other.last())))
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
	end := s.recent(dayLong)
	middle := median(slices.Clone(end.value))
	line := fmt.Sprintf("%s %s: %d points over %s, from %s to %s, no trend that matters", s.title(), orElse(s.name, s.key), s.len(), span(s.span()), s.say(s.first()), s.say(s.last()))
	switch {
	case s.isPercent() && (s.name == "cpu" || s.name == "memory") && middle > saturatedPercent, s.isPercent() && s.name == "disk" && middle > diskFullPercent:
		return fmt.Sprintf("%s %s: %s at the end", s.title(), s.name, s.say(middle)), false
	case s.name == "" && !isFree(s.key):
		return "", true
	}
	return line, true
}
