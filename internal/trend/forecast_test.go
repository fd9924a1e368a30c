package trend

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// drawn is a series of 5-minute samples.
func drawn(days int, f func(i int, r *rand.Rand) float64) []Sample {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]Sample, days*288)
	for i := range out {
		out[i] = Sample{monday.Add(time.Duration(i) * 5 * time.Minute), f(i, r)}
	}
	return out
}

func daily(i int, r *rand.Rand) float64 {
	return 40 + 20*math.Sin(2*math.Pi*float64(i)/288) + 3*r.NormFloat64()
}

func TestADayIsForetoldFromDaysBefore(t *testing.T) {
	all := drawn(15, daily)
	past, come := all[:14*288], all[14*288:]
	f, err := Ahead(past, day)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Points) != 288 || f.StepSeconds != 300 || f.HorizonSeconds != 86400 {
		t.Fatalf("%d points, step %d, horizon %d", len(f.Points), f.StepSeconds, f.HorizonSeconds)
	}
	miss, flat, inside := 0.0, 0.0, 0
	for i, p := range f.Points {
		if !p.T.Equal(come[i].At) {
			t.Fatalf("point %d is of %s, want %s", i, p.T, come[i].At)
		}
		miss += math.Abs(p.Value - come[i].Value)
		flat += math.Abs(past[len(past)-1].Value - come[i].Value)
		if p.Lower <= come[i].Value && come[i].Value <= p.Upper {
			inside++
		}
	}
	if miss > 0.3*flat {
		t.Errorf("missed by %.2f of what the last value misses by, want under 0.3", miss/flat)
	}
	if inside < 200 || inside > 274 {
		t.Errorf("%d of 288 values lie in the interval, want about 230", inside)
	}
}

func TestWhatMattersNotMatters(t *testing.T) {
	clean := drawn(8, daily)
	want, err := Ahead(clean, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dirty := slices.Clone(clean)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(dirty), func(i, j int) { dirty[i], dirty[j] = dirty[j], dirty[i] })
	dirty = append(dirty, Sample{clean[9].At.Add(time.Second), math.NaN()}, Sample{clean[9].At.Add(time.Minute), math.Inf(1)}, clean[17], clean[0])
	got, err := Ahead(dirty, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Points, want.Points) {
		t.Errorf("order, repeats and what is no number changed the forecast: %v, want %v", got.Points[0], want.Points[0])
	}
}

func TestScaleAndPlaceMoveTheForecastAlong(t *testing.T) {
	base := drawn(6, func(i int, r *rand.Rand) float64 { return daily(i, r) + 100 })
	moved := slices.Clone(base)
	for i := range moved {
		moved[i].Value = 8*moved[i].Value + 512
	}
	a, _ := Ahead(base, 6*time.Hour)
	b, _ := Ahead(moved, 6*time.Hour)
	for i := range a.Points {
		if want := 8*a.Points[i].Value + 512; math.Abs(b.Points[i].Value-want) > 1e-6*want {
			t.Fatalf("point %d: %v, want %v", i, b.Points[i].Value, want)
		}
	}
}

func TestGapsAndSpikesDoNotCarryAway(t *testing.T) {
	s := drawn(7, func(i int, r *rand.Rand) float64 {
		if i%400 == 7 {
			return 1e9
		}
		return 50 + r.NormFloat64()
	})
	s = slices.Delete(s, 900, 1100)
	f, err := Ahead(s, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Points {
		if math.Abs(p.Value-50) > 3 || p.Lower < 40 || p.Upper > 60 || p.Lower > p.Value || p.Value > p.Upper {
			t.Errorf("%+v, want about 50", p)
		}
	}
}

func TestWhatCannotBeForetoldIsSaid(t *testing.T) {
	few := TooLittle{}
	if _, err := Ahead(drawn(1, daily)[:11], time.Hour); !errors.As(err, &few) {
		t.Errorf("11 samples: %v", err)
	}
	if _, err := Ahead(drawn(1, daily), day); !errors.As(err, &few) {
		t.Errorf("a day ahead of a day: %v", err)
	}
	for _, horizon := range []time.Duration{0, -time.Hour, time.Minute, Farthest + 1} {
		if _, err := Ahead(drawn(3, daily), horizon); err == nil {
			t.Errorf("a horizon of %s is taken", horizon)
		}
	}
}

func TestHostileSeriesGiveFiniteOrderedPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 60 {
		n := 12 + r.IntN(800)
		s := make([]Sample, n)
		at := monday
		for i := range s {
			at = at.Add(time.Duration(r.Int64N(int64(time.Second) << uint(r.IntN(18)))))
			s[i] = Sample{at, math.Ldexp(r.NormFloat64(), r.IntN(1+round*10))}
		}
		f, err := Ahead(s, time.Hour)
		if err != nil {
			continue
		}
		for _, p := range f.Points {
			if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Lower > p.Value || p.Value > p.Upper {
				t.Fatalf("round %d: %+v", round, p)
			}
		}
	}
}

func BenchmarkAhead(b *testing.B) {
	s := drawn(14, daily)
	for b.Loop() {
		if _, err := Ahead(s, day); err != nil {
			b.Fatal(err)
		}
	}
}
