package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/evidence"
)

// Horizons of SPEC section 5.
const (
	diskHorizon   = 30 * 24 * time.Hour
	usageHorizon  = 4 * 7 * 24 * time.Hour
	usageCeiling  = 80 // percent
	fewestPoints  = 6
	mostPoints    = 200 // of one series; more are thinned out
	shortestSpan  = 6 * time.Hour
	risingAgree   = 0.75 // share of pairs of points that must rise for a trend to be one
	leakGrowth    = 0.15 // of its first value: what a leak gains at least within the series
	percentIsFull = 100
)

var trendRules = []row[series]{
	{Rule{
		Name: "disk-filling", Cause: "trend.disk_filling", Confidence: likely,
		When:   "by its growth (the median of all slopes) the disk is full within 30 days",
		Quotes: "the first and last value, the growth a day, and when it is full",
	}, diskFilling},
	{Rule{
		Name: "cpu-rising", Cause: "trend.cpu_rising", Confidence: likely,
		When:   "by its growth the CPU in use reaches 80 % within 4 weeks",
		Quotes: "the first and last value, the growth a day, and when it gets there",
	}, cpuRising},
	{Rule{
		Name: "memory-leak", Cause: "trend.memory_leak", Confidence: likely,
		When:   "memory rises steadily between restarts and falls only with them, and the load does not rise with it",
		Quotes: "the first and last value, the growth a day; the load beside it",
	}, memoryLeak},
}

// series is one metric over time, oldest first.
type series struct {
	x     *examination
	of    usage
	name  string // disk, cpu, memory, load or ""
	about string
	limit float64
	at    []float64 // days since the first point
	value []float64
}

func (x *examination) series() []series {
	var out []series
	for _, u := range x.usages() {
		for _, s := range u.Series {
			one := series{x: x, of: u, name: metricOf(s.Metric), about: s.About, limit: percentIsFull}
			if s.Limit.Known {
				one.limit = s.Limit.Value
			}
			one.take(s.Points)
			if len(one.at) >= fewestPoints && one.at[len(one.at)-1] >= shortestSpan.Hours()/24 {
				out = append(out, one)
			}
		}
	}
	return out
}

func metricOf(name string) string {
	name = strings.ToLower(name)
	for _, m := range []struct{ word, metric string }{
		{"disk", "disk"}, {"filesystem", "disk"}, {"cpu", "cpu"}, {"mem", "memory"}, {"heap", "memory"}, {"rss", "memory"},
		{"request", "load"}, {"rps", "load"}, {"qps", "load"}, {"load", "load"}, {"traffic", "load"},
	} {
		if strings.Contains(name, m.word) {
			return m.metric
		}
	}
	return ""
}

// take sorts the points, leaves out those without a time or value, and thins
// out what is too dense.
func (s *series) take(points []evidence.Point) {
	kept := slices.DeleteFunc(slices.Clone(points), func(p evidence.Point) bool { return p.T.IsZero() || !p.Value.Known })
	slices.SortFunc(kept, func(a, b evidence.Point) int { return a.T.Compare(b.T.Time) })
	step := max(1, (len(kept)+mostPoints-1)/mostPoints)
	for i := (len(kept) - 1) % step; i >= 0 && i < len(kept); i += step {
		s.at = append(s.at, kept[i].T.Sub(kept[0].T.Time).Hours()/24)
		s.value = append(s.value, kept[i].Value.Value)
	}
}

func (s series) place() place { return s.of.x.factPlace("Series", s.of.Host, s.name+"/"+s.about, 0) }

// slope is the median of the slopes between all pairs of points (Theil–Sen): an
// outlier or a gap does not move it. Rising is the share of pairs that rise.
func slope(at, value []float64) (perDay, rising float64) {
	var slopes []float64
	up := 0
	for i := range at {
		for j := i + 1; j < len(at); j++ {
			if d := at[j] - at[i]; d > 0 {
				slopes = append(slopes, (value[j]-value[i])/d)
				if value[j] > value[i] {
					up++
				}
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2], float64(up) / float64(len(slopes))
}

// sinceReset is the stretch after the last fall by more than a fifth: a clean-up
// or a restart begins a new story.
func (s series) sinceReset() (at, value []float64) {
	from := 0
	for i := 1; i < len(s.value); i++ {
		if s.value[i] < s.value[i-1]*0.8 {
			from = i
		}
	}
	return s.at[from:], s.value[from:]
}

func (s series) title() string { return strings.TrimSpace(s.of.title() + " " + s.about) }

// reaches says in how many days a steady rise gets to a ceiling.
func (s series) reaches(ceiling float64, within time.Duration) (days, perDay float64, ok bool) {
	at, value := s.sinceReset()
	if len(at) < fewestPoints {
		return 0, 0, false
	}
	perDay, rising := slope(at, value)
	last := value[len(value)-1]
	if perDay <= 0 || rising < risingAgree || last >= ceiling {
		return 0, 0, false
	}
	days = (ceiling - last) / perDay
	return days, perDay, days <= within.Hours()/24
}

func (s series) rise(symptom, where string, days, perDay float64) finding {
	return finding{
		symptom: symptom,
		because: fmt.Sprintf("it grows by %s a day and is at %s in about %.0f days", evidence.Of(perDay), where, days),
		quotes: []string{fmt.Sprintf("series %s of %s: %d points over %.1f days, from %s to %s, median growth %s a day",
			s.name, s.title(), len(s.at), s.at[len(s.at)-1], evidence.Of(s.value[0]), evidence.Of(s.value[len(s.value)-1]), evidence.Of(perDay))},
	}
}

func diskFilling(s series) (finding, bool) {
	if s.name != "disk" {
		return finding{}, false
	}
	days, perDay, ok := s.reaches(s.limit, diskHorizon)
	return s.rise("the disk of "+s.title()+" fills up", "its end", days, perDay), ok
}

func cpuRising(s series) (finding, bool) {
	if s.name != "cpu" {
		return finding{}, false
	}
	days, perDay, ok := s.reaches(s.limit*usageCeiling/percentIsFull, usageHorizon)
	return s.rise("the CPU of "+s.title()+" is used more and more", fmt.Sprintf("%d %%", usageCeiling), days, perDay), ok
}

func memoryLeak(s series) (finding, bool) {
	if s.name != "memory" {
		return finding{}, false
	}
	at, value := s.sinceReset()
	if len(at) < fewestPoints {
		return finding{}, false
	}
	perDay, rising := slope(at, value)
	if perDay <= 0 || rising < 0.9 || value[len(value)-1] < value[0]*(1+leakGrowth) {
		return finding{}, false
	}
	days := (s.limit - value[len(value)-1]) / perDay
	f := s.rise("the memory of "+s.title()+" rises and does not fall", "its limit", max(days, 0), perDay)
	for _, other := range s.x.series() {
		if other.name == "load" {
			if _, up := slope(other.at, other.value); up >= risingAgree {
				return finding{}, false // more work, not a leak
			}
			f.quotes = append(f.quotes, fmt.Sprintf("series load: from %s to %s", evidence.Of(other.value[0]), evidence.Of(other.value[len(other.value)-1])))
			return f, true
		}
	}
	f.confidence = fair
	f.missing = append(f.missing, "the request rate over the same time: more load needs more memory too")
	return f, true
}

func seriesWell(s series) (string, bool) {
	return fmt.Sprintf("%s %s: %d points without a trend that matters", s.title(), s.name, len(s.at)), true
}
