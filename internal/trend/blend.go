package trend

import (
	"cmp"
	"math"
	"slices"
)

// Bounds of the search for weights: they keep a forecast within milliseconds.
const (
	mostLessons = 150
	rounds      = 40
	haste       = 0.4  // how far one round moves the weights
	softness    = 0.05 // misses this small, in spreads, do not count in full
	farthest    = 20   // spreads that one miss counts at most
	memory      = 2.0  // days in which a lesson loses half of its weight
	caution     = 20   // lessons that outweigh what is usual
	shiftShare  = 0.8  // of the usual miss that is believed to be there next time
	tail        = 0.08 // on each side; the weights have seen the lessons, so less than a tenth
	widening    = 1.05 // for the same reason
	lately      = 3    // times faster the second look forgets
)

// lesson is one moment of the past: what each opinion said and what came.
type lesson struct {
	said   []float64
	came   float64
	weight float64
}

// blend is the weight of each opinion at one distance, and what it missed by.
type blend struct {
	weights []float64
	spread  float64
	shift   float64
	low     float64 // quantiles of what was missed
	high    float64
}

// lessons asks the opinions about moments whose outcome is known.
func (v *view) lessons(h int) []lesson {
	n := len(v.value)
	first := min(v.day, n/3)
	last := n - 1 - h
	if last < first {
		return nil
	}
	stride := max(1, (last-first+1)/mostLessons)
	out := make([]lesson, 0, (last-first)/stride+1)
	all := make([]float64, cap(out)*opinions)
	for i := last; i >= first; i -= stride {
		if !v.known[i+h] {
			continue
		}
		said := all[len(out)*opinions:][:opinions]
		v.ask(said, i, h)
		out = append(out, lesson{said: said, came: v.value[i+h], weight: math.Exp2(-float64(last-i) / (memory * float64(v.day)))})
	}
	return out
}

// learn moves the weights from where they usually are towards what would have
// been right: multiplicative steps on the mean absolute error, so that they stay
// shares of one whole and few lessons move them little.
func learn(lessons []lesson, prior []float64) blend {
	b := blend{weights: slices.Clone(prior)}
	spread := usualSpread(lessons)
	if spread == 0 {
		return b // nothing was missed: the series stands still
	}
	b.spread = spread
	far, total := errorsOf(lessons, spread), 0.0
	for _, l := range lessons {
		total += l.weight
	}
	trust := float64(len(lessons)) / (float64(len(lessons)) + caution)
	pace := haste * trust / total
	slope := make([]float64, len(prior))
	for range rounds {
		clear(slope)
		for i, l := range lessons {
			row := far[i*len(prior) : (i+1)*len(prior)]
			miss := dot(b.weights, row)
			pull := l.weight * miss / (math.Abs(miss) + softness)
			for k, x := range row {
				slope[k] -= pull * x
			}
		}
		b.step(slope, pace)
	}
	b.measure(lessons)
	return b
}

// errorsOf is how far off each opinion was, in spreads of the series.
func errorsOf(lessons []lesson, spread float64) []float64 {
	out := make([]float64, 0, len(lessons)*opinions)
	for _, l := range lessons {
		for _, said := range l.said {
			out = append(out, max(-farthest, min(farthest, (said-l.came)/spread)))
		}
	}
	return out
}

func (b *blend) step(slope []float64, pace float64) {
	sum := 0.0
	for k := range b.weights {
		b.weights[k] *= math.Exp(pace * slope[k])
		sum += b.weights[k]
	}
	for k := range b.weights {
		b.weights[k] /= sum
	}
}

// usualSpread is how far opinions usually miss: the scale of the series.
func usualSpread(lessons []lesson) float64 {
	if len(lessons) == 0 {
		return 0
	}
	misses, sum := make([]float64, 0, len(lessons)), 0.0
	for _, l := range lessons {
		d := math.Abs(l.came - l.said[hourMean])
		sum += d
		misses = append(misses, d)
	}
	slices.Sort(misses)
	usual, mean := middle(misses), sum/float64(len(misses))
	if usual == 0 {
		return 0.2 * mean
	}
	return max(usual, min(0.2*mean, 5*usual)) // one absurd value is no scale
}

// measure keeps the quantiles of what the blend missed: of all that is
// remembered, and of late, because a series that has just become restless stays so.
func (b *blend) measure(lessons []lesson) {
	misses := make([]miss, len(lessons))
	for i, l := range lessons {
		misses[i] = miss{l.came - b.mix(l.said), l.weight}
	}
	slices.SortFunc(misses, func(a, b miss) int { return cmp.Compare(a.by, b.by) })
	b.shift = shiftShare * weighed(misses, 0.5)
	low, high := weighed(misses, tail), weighed(misses, 1-tail)
	for i := range misses {
		misses[i].weight = math.Pow(misses[i].weight, lately)
	}
	low, high = (low+weighed(misses, tail))/2, (high+weighed(misses, 1-tail))/2
	b.low, b.high = b.shift+(low-b.shift)*widening, b.shift+(high-b.shift)*widening
	b.low, b.high = min(b.low, b.shift), max(b.high, b.shift)
}

// miss is how much came above what was said.
type miss struct{ by, weight float64 }

// weighed is a quantile of sorted misses by their weights.
func weighed(misses []miss, q float64) float64 {
	total, sum := 0.0, 0.0
	for _, m := range misses {
		total += m.weight
	}
	for _, m := range misses {
		if sum += m.weight; sum >= q*total {
			return m.by
		}
	}
	return misses[len(misses)-1].by
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// mix is the weighted mean of what is said. One opinion far from the others says
// no more than the bound that it was judged by.
func (b blend) mix(said []float64) float64 {
	if b.spread == 0 {
		return dot(b.weights, said)
	}
	sorted := slices.Clone(said)
	sortFew(sorted)
	centre, off := middle(sorted), 0.0
	for k, s := range said {
		off += b.weights[k] * max(-farthest, min(farthest, (s-centre)/b.spread))
	}
	return centre + off*b.spread
}
