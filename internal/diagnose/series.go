package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"salve/internal/evidence"
	"salve/internal/trend"
)

// series is one metric over time, oldest first; or what a sender says of its
// growth itself.
type series struct {
	x          *examination
	of         usage
	name       string // disk, cpu, memory, load or ""
	key        string // as the sender calls it
	about      string
	limit      float64         // 0 where nothing says where it ends
	trend.Line                 // every point
	told       evidence.Number // days until full, as the sender says
	grows      string          // its growth, as the sender says
}

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
			if one := x.drawSeries(u, s); one.Len() >= fewestPoints && one.Span() >= shortestSpan {
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
	if !strings.Contains(key, "ratio") && !strings.Contains(key, "utili") && !strings.Contains(key, "fraction") || s.Len() == 0 || slices.Max(s.Value) > 1 {
		return
	}
	for i := range s.Value {
		s.Value[i] *= percentIsFull
	}
}

// isPercent says whether a series is of percentages, by its name and its values.
func (s series) isPercent() bool {
	key := strings.ToLower(s.key)
	if strings.Contains(key, "bytes") || s.name == "load" {
		return false
	}
	for _, v := range s.Value {
		if v < 0 || v > wholePercent {
			return false
		}
	}
	return s.Len() > 0 && slices.Max(s.Value) > sharesLookLikeThis
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
		if n := s.Len(); n == 0 || at > s.At[n-1] {
			s.At, s.Value = append(s.At, at), append(s.Value, p.Value.Value)
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
