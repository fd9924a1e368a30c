package diagnose

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// series is one metric over time, oldest first; or what a sender says of its
// growth itself.
type series struct {
	x     *examination
	of    usage
	name  string // disk, cpu, memory, load or ""
	key   string // as the sender calls it
	about string
	limit float64         // 0 where nothing says where it ends
	line                  // every point
	told  evidence.Number // days until full, as the sender says
	grows string          // its growth, as the sender says
}

// line is values over days.
type line struct{ at, value []float64 }

func (l line) len() int { return len(l.at) }

func (l line) from(i int) line { return line{l.at[i:], l.value[i:]} }

func (l line) span() float64 {
	if l.len() == 0 {
		return 0
	}
	return l.at[l.len()-1] - l.at[0]
}

func (l line) first() float64 { return l.value[0] }
func (l line) last() float64  { return l.value[l.len()-1] }

// metricWords tell what a series is about. Use comes before what it is a part of:
// node_memory is memory, container_fs_usage a disk.
var metricWords = []struct{ word, metric string }{
	{"disk", "disk"}, {"filesystem", "disk"}, {"_fs_", "disk"}, {"volume", "disk"}, {"storage", "disk"}, {"cpu", "cpu"}, {"mem", "memory"}, {"heap", "memory"}, {"rss", "memory"},
	{"request", "load"}, {"rps", "load"}, {"qps", "load"}, {"traffic", "load"}, {"connections", "load"},
}

func metricOf(name string) string {
	name = strings.ToLower(clip(name, 500))
	for _, m := range metricWords {
		if strings.Contains(name, m.word) {
			return m.metric
		}
	}
	return ""
}

// isFree says whether a series tells what is left: node_filesystem_avail_bytes.
func isFree(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "avail") || strings.Contains(name, "free") || strings.Contains(name, "idle")
}

// allSeries are all series of the evidence about the question, and what senders
// say of growth, made once.
func (x *examination) allSeries() []series {
	if x.drawn {
		return x.lines
	}
	x.drawn = true
	for _, u := range x.usages() {
		for _, s := range u.Series {
			if one := x.drawSeries(u, s); one.len() >= fewestPoints && one.span() >= shortestSpan {
				x.lines = append(x.lines, one)
			}
		}
		x.lines = append(x.lines, x.toldOf(u)...)
	}
	for _, f := range x.filesystems() {
		if one, ok := f.toldGrowth(); ok {
			x.lines = append(x.lines, one)
		}
	}
	slices.SortStableFunc(x.lines, func(a, b series) int {
		return cmp.Or(strings.Compare(a.title(), b.title()), strings.Compare(a.key, b.key))
	})
	x.lines = x.lines[:min(len(x.lines), mostSeries)]
	return x.lines
}

func (x *examination) drawSeries(u usage, s evidence.Series) series {
	one := series{x: x, of: u, name: metricOf(s.Metric), key: s.Metric, about: s.About, limit: s.Limit.Value}
	one.take(s.Points)
	if isFree(s.Metric) {
		one.name = ""
	}
	one.asPercent()
	if one.limit <= 0 && one.isPercent() {
		one.limit = percentIsFull
	}
	return one
}

// asPercent turns shares into percentages, where the name says that they are some.
func (s *series) asPercent() {
	key := strings.ToLower(s.key)
	if !strings.Contains(key, "ratio") && !strings.Contains(key, "utili") && !strings.Contains(key, "fraction") || s.len() == 0 || slices.Max(s.value) > 1 {
		return
	}
	for i := range s.value {
		s.value[i] *= percentIsFull
	}
}

// isPercent says whether a series is of percentages, by its name and its values.
func (s series) isPercent() bool {
	key := strings.ToLower(s.key)
	if strings.Contains(key, "bytes") || s.name == "load" {
		return false
	}
	for _, v := range s.value {
		if v < 0 || v > wholePercent {
			return false
		}
	}
	return s.len() > 0 && slices.Max(s.value) > sharesLookLikeThis
}

// maxDrawn bounds the points of one series that are read.
const maxDrawn = 20_000

// take sorts the points and leaves out those without a time or value, and those
// that come twice.
func (s *series) take(points []evidence.Point) {
	kept := make([]evidence.Point, 0, len(points))
	for _, p := range points[:min(len(points), maxDrawn)] {
		if !p.T.IsZero() && p.Value.Known {
			kept = append(kept, p)
		}
	}
	slices.SortStableFunc(kept, func(a, b evidence.Point) int {
		return cmp.Or(a.T.Compare(b.T.Time), cmp.Compare(a.Value.Value, b.Value.Value))
	})
	for _, p := range kept {
		at := p.T.Sub(kept[0].T.Time).Hours() / 24
		if n := s.len(); n == 0 || at > s.at[n-1] {
			s.at, s.value = append(s.at, at), append(s.value, p.Value.Value)
		}
	}
}

// recent is the last so many days.
func (l line) recent(days float64) line {
	end := l.at[l.len()-1]
	i, _ := slices.BinarySearch(l.at, end-days)
	return l.from(i)
}

// isDense says whether there are enough points a day to tell days apart.
func (l line) isDense() bool { return float64(l.len()-1) >= denseDay*l.span() }

// daily is the mean of each whole day, counted back from the end: what rises and
// falls with the hour does not show. A line with few points a day, or of few
// days, stays as it is.
func (l line) daily() line {
	if l.span() < fewestDays-dayPart || !l.isDense() {
		return l
	}
	days := int(math.Floor(l.span() + dayPart))
	sum, n := make([]float64, days), make([]float64, days)
	for i := range l.at {
		if back := int(math.Floor(l.at[l.len()-1] - l.at[i])); back < days {
			sum[days-1-back] += l.value[i]
			n[days-1-back]++
		}
	}
	var out line
	for d := range days {
		if n[d] > 0 {
			out.at, out.value = append(out.at, float64(d)), append(out.value, sum[d]/n[d])
		}
	}
	return out
}

// thin leaves out points evenly, and keeps the last.
func (l line) thin() line {
	step := (l.len() + mostPoints - 1) / mostPoints
	if step <= 1 {
		return l
	}
	var out line
	for i := (l.len() - 1) % step; i < l.len(); i += step {
		out.at, out.value = append(out.at, l.at[i]), append(out.value, l.value[i])
	}
	return out
}

// sinceReset is the stretch after the last fall by more than a share: a clean-up
// or a restart begins a new story.
func (l line) sinceReset(share float64) line {
	from := 0
	for i := 1; i < l.len(); i++ {
		if l.value[i] < l.value[i-1]*(1-share) {
			from = i
		}
	}
	return l.from(from)
}

// rise is how a line grows: the median of the slopes between all pairs of points
// (Theil–Sen), which an outlier or a gap does not move; the share of the pairs that
// rise; and how far the points usually lie from that line.
type rise struct{ perDay, agree, noise float64 }

func (l line) rise() rise {
	l = l.thin()
	var slopes []float64
	up := 0
	for i := range l.at {
		for j := i + 1; j < l.len(); j++ {
			slopes = append(slopes, (l.value[j]-l.value[i])/(l.at[j]-l.at[i]))
			if l.value[j] > l.value[i] {
				up++
			}
		}
	}
	if len(slopes) == 0 {
		return rise{}
	}
	r := rise{perDay: median(slopes), agree: float64(up) / float64(len(slopes))}
	rest := make([]float64, l.len())
	for i := range l.at {
		rest[i] = l.value[i] - r.perDay*l.at[i]
	}
	middle := median(slices.Clone(rest))
	for i := range rest {
		rest[i] = math.Abs(rest[i] - middle)
	}
	r.noise = median(rest)
	return r
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// steady says whether a line rises for more than by chance.
func (l line) steady(r rise, agree float64) bool {
	return r.perDay > 0 && r.agree >= agree && r.perDay*l.span() >= beyondNoise*r.noise
}
