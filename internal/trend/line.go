package trend

import (
	"math"
	"slices"
)

// Line is values over days, oldest first: At[i] days after the first of its series.
type Line struct{ At, Value []float64 }

// What makes points of a line tell days apart, and how many are compared with each other.
const (
	DayPart      = 0.05 // of a day may be missing for it to be whole
	pointsADay   = 4    // from which days are told apart
	mostCompared = 200  // of one stretch; more are thinned out
	beyondNoise  = 3    // times the usual distance from the line: what a trend gains at least
)

// Len is the number of points.
func (l Line) Len() int { return len(l.At) }

// From leaves out the first i points.
func (l Line) From(i int) Line { return Line{l.At[i:], l.Value[i:]} }

// Span is the days from the first point to the last.
func (l Line) Span() float64 {
	if l.Len() == 0 {
		return 0
	}
	return l.At[l.Len()-1] - l.At[0]
}

// First is the first value; there must be one.
func (l Line) First() float64 { return l.Value[0] }

// Last is the last value; there must be one.
func (l Line) Last() float64 { return l.Value[l.Len()-1] }

// Recent is the last so many days; there must be a point.
func (l Line) Recent(days float64) Line {
	i, _ := slices.BinarySearch(l.At, l.At[l.Len()-1]-days)
	return l.From(i)
}

// Dense says whether there are enough points a day to tell days apart.
func (l Line) Dense() bool { return float64(l.Len()-1) >= pointsADay*l.Span() }

// Daily is the mean of each whole day, counted back from the end: what rises and
// falls with the hour does not show. A line with few points a day, or of fewer days
// than fewest, stays as it is.
func (l Line) Daily(fewest float64) Line {
	if l.Span() < fewest-DayPart || !l.Dense() {
		return l
	}
	days := int(math.Floor(l.Span() + DayPart))
	sum, n := make([]float64, days), make([]float64, days)
	for i := range l.At {
		if back := int(math.Floor(l.At[l.Len()-1] - l.At[i])); back < days {
			sum[days-1-back] += l.Value[i]
			n[days-1-back]++
		}
	}
	var out Line
	for d := range days {
		if n[d] > 0 {
			out.At, out.Value = append(out.At, float64(d)), append(out.Value, sum[d]/n[d])
		}
	}
	return out
}

// SinceFall is the stretch after the last fall by more than a share: a clean-up or a
// restart begins a new story.
func (l Line) SinceFall(share float64) Line {
	from := 0
	for i := 1; i < l.Len(); i++ {
		if l.Value[i] < l.Value[i-1]*(1-share) {
			from = i
		}
	}
	return l.From(from)
}

// thin leaves out points evenly, and keeps the last.
func (l Line) thin() Line {
	step := (l.Len() + mostCompared - 1) / mostCompared
	if step <= 1 {
		return l
	}
	var out Line
	for i := (l.Len() - 1) % step; i < l.Len(); i += step {
		out.At, out.Value = append(out.At, l.At[i]), append(out.Value, l.Value[i])
	}
	return out
}

// Rise is how a line grows.
type Rise struct {
	PerDay       float64 // the median of the slopes between all pairs of points, which an outlier or a gap does not move
	Lower, Upper float64 // the interval of PerDay, 80 %
	Agree        float64 // the share of the pairs that rise
	Noise        float64 // how far the points usually lie from that line
}

// tenth is the normal quantile that leaves a tenth on each side.
const tenth = 1.2815515655446004

// Rise is Theil's and Sen's estimate (Sen 1968, Journal of the American Statistical
// Association 63); its interval is Sen's, by ranks of the slopes.
func (l Line) Rise() Rise {
	l = l.thin()
	n := float64(l.Len())
	slopes := make([]float64, 0, l.Len()*(l.Len()-1)/2)
	up := 0
	for i := range l.At {
		for j := i + 1; j < l.Len(); j++ {
			slopes = append(slopes, (l.Value[j]-l.Value[i])/(l.At[j]-l.At[i]))
			if l.Value[j] > l.Value[i] {
				up++
			}
		}
	}
	if len(slopes) == 0 {
		return Rise{}
	}
	slices.Sort(slopes)
	half := tenth * math.Sqrt(n*(n-1)*(2*n+5)/18) / 2
	at := func(rank float64) float64 { return slopes[min(max(int(math.Round(rank)), 0), len(slopes)-1)] }
	middle := float64(len(slopes)-1) / 2
	r := Rise{PerDay: slopes[len(slopes)/2], Lower: at(middle - half), Upper: at(middle + half), Agree: float64(up) / float64(len(slopes))}
	r.Noise = l.noise(r.PerDay)
	return r
}

// noise is the median distance of the points from the line with a slope through
// their middle.
func (l Line) noise(slope float64) float64 {
	rest := make([]float64, l.Len())
	for i := range l.At {
		rest[i] = l.Value[i] - slope*l.At[i]
	}
	center := upperMedian(slices.Clone(rest))
	for i := range rest {
		rest[i] = math.Abs(rest[i] - center)
	}
	return upperMedian(rest)
}

// upperMedian sorts what it is given.
func upperMedian(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// Steady says whether a line rises for more than by chance: enough of its pairs do,
// and it gains more than it wavers.
func (l Line) Steady(r Rise, agree float64) bool {
	return r.PerDay > 0 && r.Agree >= agree && r.PerDay*l.Span() >= beyondNoise*r.Noise
}

// Reach is in how many days a limit is reached, with an interval.
type Reach struct {
	Days         float64
	Lower, Upper float64 // 80 %; Upper is +Inf where it may be never
}

// Until says when a line that rises by r reaches a limit from its last value. Where it
// does not rise, Days is +Inf.
func (l Line) Until(limit float64, r Rise) Reach {
	left := limit - l.Last()
	in := func(slope float64) float64 {
		switch {
		case left <= 0:
			return 0
		case slope <= 0:
			return math.Inf(1)
		default:
			return left / slope
		}
	}
	return Reach{Days: in(r.PerDay), Lower: in(r.Upper), Upper: in(r.Lower)}
}
