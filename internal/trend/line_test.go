package trend

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func straight(points int, from, perDay, noise float64, seed uint64) Line {
	r := rand.New(rand.NewPCG(seed, 7))
	var l Line
	for i := range points {
		l.At, l.Value = append(l.At, float64(i)), append(l.Value, from+perDay*float64(i)+noise*r.NormFloat64())
	}
	return l
}

func TestAnOutlierDoesNotMoveARise(t *testing.T) {
	l := straight(8, 50, 2, 0, 1)
	l.Value[3] = 500
	if r := l.Rise(); r.PerDay != 2 || !l.Steady(r, 0.7) {
		t.Errorf("%+v, want 2 a day and steady", r)
	}
}

func TestTheIntervalHoldsTheTruthInFourOfFive(t *testing.T) {
	const runs, slope = 2000, 1.5
	inside := 0
	for seed := range uint64(runs) {
		r := straight(8, 40, slope, 2, seed).Rise()
		if r.Lower <= slope && slope <= r.Upper {
			inside++
		}
	}
	if share := float64(inside) / runs; share < 0.75 || share > 0.88 {
		t.Errorf("the interval of a rise holds it in %.2f of cases, want about 0.80", share)
	}
}

func TestUntil(t *testing.T) {
	l := Line{At: []float64{0, 10}, Value: []float64{40, 60}}
	for name, c := range map[string]struct {
		rise Rise
		want Reach
	}{
		"rising":         {Rise{PerDay: 2, Lower: 1, Upper: 4}, Reach{20, 10, 40}},
		"perhaps never":  {Rise{PerDay: 2, Lower: -1, Upper: 4}, Reach{20, 10, math.Inf(1)}},
		"falling":        {Rise{PerDay: -2, Lower: -3, Upper: -1}, Reach{math.Inf(1), math.Inf(1), math.Inf(1)}},
		"nothing at all": {Rise{}, Reach{math.Inf(1), math.Inf(1), math.Inf(1)}},
	} {
		if got := l.Until(100, c.rise); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := l.Until(60, Rise{PerDay: -1}); got != (Reach{}) {
		t.Errorf("a limit that is reached already: %+v, want no days", got)
	}
}

func TestDaysTellNoHours(t *testing.T) {
	var l Line
	for i := range 8 * 24 {
		at := float64(i) / 24
		l.At, l.Value = append(l.At, at), append(l.Value, 50+at+20*math.Sin(2*math.Pi*at))
	}
	d := l.Daily(5)
	if d.Len() != 7 && d.Len() != 8 {
		t.Fatalf("%d days, want 7 or 8", d.Len())
	}
	if r := d.Rise(); math.Abs(r.PerDay-1) > 0.05 || r.Agree != 1 {
		t.Errorf("%+v, want 1 a day on every pair", r)
	}
}

func TestRiseOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 0, 300).Draw(t, "values")
		l := Line{Value: values}
		for i := range values {
			l.At = append(l.At, float64(i)/24)
		}
		r := l.Rise()
		if r.Lower > r.PerDay || r.Upper < r.PerDay || math.IsNaN(r.PerDay) || r.Noise < 0 || r.Agree < 0 || r.Agree > 1 {
			t.Fatalf("%+v", r)
		}
		if f := l.SinceFall(0.1); f.Len() > l.Len() || l.Len() > 0 && f.Len() == 0 {
			t.Fatalf("%d points after the last fall of %d", f.Len(), l.Len())
		}
	})
}
