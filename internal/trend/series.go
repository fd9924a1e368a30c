package trend

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Sample is one measured value.
type Sample struct {
	At    time.Time
	Value float64
}

// Bounds of what is looked at. Older samples than the span say little about the
// next day; more steps than the cap are averaged together.
const (
	longestLook = 15 * 24 * time.Hour
	mostSteps   = 15 * 24 * 12
	fewest      = 12
)

// TooLittle says that there are not enough samples for what was asked.
type TooLittle struct {
	Have, Need int
	What       string // that is counted
}

// Error says how many there are and how many there must be.
func (e TooLittle) Error() string {
	return fmt.Sprintf("too little data: %d %s, at least %d are needed", e.Have, e.What, e.Need)
}

// Tidy puts samples in order, leaves out what is no number, and keeps the last
// one that was said about a moment.
func Tidy(samples []Sample) []Sample {
	out := make([]Sample, 0, len(samples))
	ordered := true
	for _, s := range samples {
		if math.IsNaN(s.Value) || math.Abs(s.Value) > math.MaxFloat64/1e6 || s.At.IsZero() {
			continue
		}
		ordered = ordered && (len(out) == 0 || s.At.After(out[len(out)-1].At))
		out = append(out, s)
	}
	if ordered {
		return out
	}
	slices.SortStableFunc(out, func(a, b Sample) int { return a.At.Compare(b.At) })
	kept := out[:0]
	for _, s := range out {
		if n := len(kept); n > 0 && kept[n-1].At.Equal(s.At) {
			kept[n-1] = s
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// grid is a series at even steps. A step that nothing was measured in holds the
// value before it and is marked.
type grid struct {
	end   time.Time // of the last step
	step  time.Duration
	value []float64
	known []bool
	sums  []float64 // sums[i] is the sum of value[:i]
}

// evenly lays tidy samples on a grid that ends with the last of them.
func evenly(samples []Sample) (grid, error) {
	if len(samples) < fewest {
		return grid{}, TooLittle{len(samples), fewest, "usable samples"}
	}
	last := samples[len(samples)-1].At
	from := max(0, firstAt(samples, last.Add(-longestLook)))
	samples = samples[from:]
	if len(samples) < fewest {
		return grid{}, TooLittle{len(samples), fewest, "usable samples"}
	}
	step := max(usualStep(samples), time.Second)
	if span := last.Sub(samples[0].At); span/step > mostSteps {
		step = (span / mostSteps).Round(time.Second)
	}
	g := grid{end: last, step: step}
	g.fill(samples)
	return g, nil
}

// firstAt is the place of the first sample that is not before the time.
func firstAt(samples []Sample, at time.Time) int {
	i, _ := slices.BinarySearchFunc(samples, at, func(s Sample, t time.Time) int { return s.At.Compare(t) })
	return i
}

// usualStep is the median distance of two samples in whole seconds.
func usualStep(samples []Sample) time.Duration {
	gaps := make([]time.Duration, 0, len(samples)-1)
	for i := 1; i < len(samples); i++ {
		gaps = append(gaps, samples[i].At.Sub(samples[i-1].At))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2].Round(time.Second)
}

// fill averages what falls into a step and holds the last value over gaps.
func (g *grid) fill(samples []Sample) {
	first := int((g.end.Sub(samples[0].At) + g.step/2) / g.step)
	n := first + 1
	g.value, g.known = make([]float64, n), make([]bool, n)
	count := make([]int, n)
	for _, s := range samples {
		i := n - 1 - int((g.end.Sub(s.At)+g.step/2)/g.step)
		g.value[i] += s.Value
		count[i]++
	}
	for i, c := range count {
		if g.known[i] = c > 0; c > 0 {
			g.value[i] /= float64(c)
		} else {
			g.value[i] = g.value[i-1]
		}
	}
	g.sums = make([]float64, n+1)
	for i, v := range g.value {
		g.sums[i+1] = g.sums[i] + v
	}
}

// steps is how many steps a time has, at least one.
func (g *grid) steps(d time.Duration) int { return max(1, int((d+g.step/2)/g.step)) }

// mean is the mean of the last w steps up to and with i.
func (g *grid) mean(i, w int) float64 {
	from := max(0, i-w+1)
	return (g.sums[i+1] - g.sums[from]) / float64(i+1-from)
}
