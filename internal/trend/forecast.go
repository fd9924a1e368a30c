package trend

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Forecast is what a series will probably be.
type Forecast struct {
	HorizonSeconds int64   `json:"horizon_seconds"`
	StepSeconds    int64   `json:"step_seconds"`
	Points         []Point `json:"points"`
	Method         string  `json:"method"`
}

// Point is one moment ahead, with an interval that is to hold what comes in four
// of five cases.
type Point struct {
	T     time.Time `json:"t"`
	Value float64   `json:"value"`
	Lower float64   `json:"lower"`
	Upper float64   `json:"upper"`
}

// Method is how forecasts are made, in words.
const Method = "blend of medians and daily and weekly profiles, weighted by how well each foretold the series' own past"

// Farthest is how far ahead a forecast may look.
const Farthest = 7 * 24 * time.Hour

// Ahead forecasts from the last sample to the horizon. Samples may come in any
// order, with gaps and with what is no number among them.
func Ahead(samples []Sample, horizon time.Duration) (Forecast, error) {
	if horizon <= 0 || horizon > Farthest {
		return Forecast{}, fmt.Errorf("a horizon of %s: it must be more than nothing and at most %s", horizon, Farthest)
	}
	g, err := evenly(Tidy(samples))
	if err != nil {
		return Forecast{}, err
	}
	if horizon < g.step {
		return Forecast{}, fmt.Errorf("a horizon of %s is shorter than the %s from sample to sample", horizon, g.step)
	}
	n := int(horizon / g.step)
	if need := n*3/2 + fewest; len(g.value) < need {
		return Forecast{}, TooLittle{len(g.value), need, fmt.Sprintf("steps of %s for a look %d steps ahead", g.step, n)}
	}
	v := look(g)
	return Forecast{HorizonSeconds: int64(horizon / time.Second), StepSeconds: int64(g.step / time.Second), Points: v.points(n), Method: Method}, nil
}

// points asks the blends of the milestones on both sides of each step.
func (v *view) points(n int) []Point {
	marks := milestones(n)
	blends := make([]blend, len(marks))
	for j, h := range marks {
		blends[j] = learn(v.lessons(h), evenShares())
	}
	floor := math.Inf(-1)
	if slices.Min(v.value) >= 0 {
		floor = 0 // what has never been negative is a quantity
	}
	points, said, j := make([]Point, n), make([]float64, opinions), 0
	for h := 1; h <= n; h++ {
		for j+1 < len(marks)-1 && marks[j+1] <= h {
			j++
		}
		v.ask(said, len(v.value)-1, h)
		next := min(j+1, len(marks)-1)
		p := between(blends[j].say(said), blends[next].say(said), share(h, marks[j], marks[next]))
		p.T = v.end.Add(time.Duration(h) * v.step)
		points[h-1] = Point{p.T, max(floor, p.Value), max(floor, min(p.Lower, p.Value)), max(floor, p.Upper, p.Value)}
	}
	return points
}

// say is the blend of what the opinions say.
func (b blend) say(said []float64) Point {
	p := b.mix(said)
	return Point{Value: p + b.shift, Lower: p + b.low, Upper: p + b.high}
}

func between(a, b Point, t float64) Point {
	mix := func(x, y float64) float64 { return x + t*(y-x) }
	return Point{Value: mix(a.Value, b.Value), Lower: mix(a.Lower, b.Lower), Upper: mix(a.Upper, b.Upper)}
}

// share is where h stands between two milestones: they grow by factors.
func share(h, from, to int) float64 {
	if to <= from {
		return 0
	}
	return math.Log(float64(h)/float64(from)) / math.Log(float64(to)/float64(from))
}

// milestones are the distances that weights are learnt for.
func milestones(n int) []int {
	var out []int
	for h := 1; h < n; h = max(h+1, h*5/2) {
		out = append(out, h)
	}
	return append(out, n)
}

func evenShares() []float64 {
	w := make([]float64, opinions)
	for k := range w {
		w[k] = 1.0 / opinions
	}
	return w
}
