package remedy

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

func TestRaise(t *testing.T) {
	cases := []struct {
		name, current, first string
		factor, ceiling      float64
		want                 string
	}{
		{"the example", "512Mi", "512Mi", 1.5, 4, "768Mi"},
		{"over a Gi", "1Gi", "1Gi", 1.5, 4, "1536Mi"},
		{"to a whole Gi", "2Gi", "2Gi", 1.5, 4, "3Gi"},
		{"decimal", "100M", "100M", 1.5, 4, "150M"},
		{"decimal G", "1G", "1G", 1.5, 4, "1500M"},
		{"half a Gi", "0.5Gi", "0.5Gi", 1.5, 4, "768Mi"},
		{"rounded up to a Mi", "333Mi", "333Mi", 1.5, 4, "500Mi"},
		{"a factor that binary cannot hold", "100Mi", "100Mi", 1.1, 4, "110Mi"},
		{"milli bytes", "128974848000m", "128974848000m", 1.5, 4, "194M"},
		{"bytes", "536870912", "536870912", 1.5, 4, "806M"},
		{"exponent", "128e6", "128e6", 1.5, 4, "192e6"},
		{"a fraction", "1.5Gi", "1.5Gi", 1.5, 4, "2304Mi"},
		{"Ki", "100Ki", "100Ki", 1.5, 4, "150Ki"},
		{"Ki over a Mi", "1000Ki", "1000Ki", 1.5, 4, "1500Ki"},
		{"a few bytes", "3", "3", 1.5, 4, "5"},
		{"the 512m mistake", "512m", "512m", 1.5, 4, "2"},
		{"cut at the ceiling", "768Mi", "256Mi", 1.5, 4, "1Gi"},
		{"cut below a ceiling of no whole Mi", "512Mi", "512Mi", 1.5, 1.25, "640Mi"},
		{"formats differ", "512Mi", "300M", 1.5, 4, "768Mi"},
		{"exabytes", "4Ei", "4Ei", 1.5, 4, "6Ei"},
		{"at the top of int64", "7Ei", "7Ei", 1.5, 4, "8796093022207Mi"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := raise(resource.MustParse(c.current), resource.MustParse(c.first), c.factor, c.ceiling)
			if err != nil || got.String() != c.want {
				t.Errorf("raised to %s, %v, want %s", got.String(), err, c.want)
			}
		})
	}
}

func TestRaiseRefuses(t *testing.T) {
	cases := []struct {
		name, current, first string
		ceiling              float64
		reason               string
	}{
		{"no limit", "0", "1Gi", 4, "there is no memory limit to raise"},
		{"negative", "-1", "1Gi", 4, "there is no memory limit to raise"},
		{"no first limit", "1Gi", "0", 4, "there is no memory limit to raise"},
		{"at the ceiling", "1Gi", "256Mi", 4, "the ceiling is reached: the limit is 1Gi, and may be at most 4 times the first one, 256Mi"},
		{"over the ceiling", "2Gi", "256Mi", 4, "the ceiling is reached: the limit is 2Gi, and may be at most 4 times the first one, 256Mi"},
		{"less than a unit below", "3Mi", "2.5Mi", 1.25, "the ceiling is reached: the limit is 3Mi, and may be at most 1.25 times the first one, 2560Ki"},
		{"as much as can be said", "9223372036854775807", "9223372036854775807", 4,
			"the ceiling is reached: the limit is 9223372036854775807, and may be at most 4 times the first one, 9223372036854775807"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := raise(resource.MustParse(c.current), resource.MustParse(c.first), 1.5, c.ceiling)
			if err == nil || err.Error() != c.reason {
				t.Errorf("raised to %s with %v, want %q", got.String(), err, c.reason)
			}
		})
	}
}

// checkRaised states the law: more than before, never over the ceiling, at
// least the factor unless the ceiling cut it, and never absurdly more.
func checkRaised(t interface{ Fatalf(string, ...any) }, current, first resource.Quantity, factor, ceiling float64) {
	raised, err := raise(current, first, factor, ceiling)
	if err != nil {
		return
	}
	if raised.Cmp(current) <= 0 {
		t.Fatalf("%s was lowered to %s", current.String(), raised.String())
	}
	most := new(big.Float).Mul(big.NewFloat(ceiling), new(big.Float).SetInt64(first.Value()))
	got := new(big.Float).SetInt64(raised.Value())
	if new(big.Float).Quo(got, most).Cmp(big.NewFloat(1+1e-12)) > 0 {
		t.Fatalf("%s was raised to %s: over %v times %s", current.String(), raised.String(), ceiling, first.String())
	}
	unit := new(big.Float).SetInt64(unitOf(current))
	wanted := new(big.Float).Mul(big.NewFloat(factor), new(big.Float).SetInt64(current.Value()))
	if bound := new(big.Float).Add(wanted, unit); got.Cmp(bound.Mul(bound, big.NewFloat(1+1e-12))) > 0 {
		t.Fatalf("%s was raised to %s: more than %v times", current.String(), raised.String(), factor)
	}
	if raised.Format != current.Format {
		t.Fatalf("%s was raised to %s: another format", current.String(), raised.String())
	}
	again, err := resource.ParseQuantity(raised.String())
	if err != nil || again.Cmp(raised) != 0 {
		t.Fatalf("%s is written as %s and read as %s, %v", current.String(), raised.String(), again.String(), err)
	}
}

func TestRaiseNeverLowersNorPassesTheCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quantity := func(label string) resource.Quantity {
			value := rapid.OneOf(rapid.Int64Range(1, math.MaxInt64), rapid.Int64Range(1, 1<<40)).Draw(t, label)
			format := rapid.SampledFrom([]resource.Format{resource.BinarySI, resource.DecimalSI, resource.DecimalExponent}).Draw(t, label+" format")
			if rapid.Bool().Draw(t, label+" in milli") {
				return *resource.NewMilliQuantity(value, format)
			}
			return *resource.NewQuantity(value, format)
		}
		checkRaised(t, quantity("current"), quantity("first"),
			rapid.Float64Range(1.01, 4).Draw(t, "factor"), rapid.Float64Range(1, 16).Draw(t, "ceiling"))
	})
}

// Raising again and again ends at the ceiling, whatever the steps.
func TestRaisingEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := *resource.NewQuantity(rapid.Int64Range(1, 1<<44).Draw(t, "first"), resource.BinarySI)
		factor := rapid.Float64Range(1.01, 4).Draw(t, "factor")
		current := first
		for range 1000 {
			next, err := raise(current, first, factor, 4)
			if err != nil {
				return
			}
			current = next
		}
		t.Fatalf("%s is still raised after 1000 steps: %s", first.String(), current.String())
	})
}

func FuzzRaise(f *testing.F) {
	for _, seed := range []string{"512Mi", "0.5Gi", "128974848000m", "1e3", "1E", "9223372036854775807", "-5", "0.0001", "1e-9", "99999999999999999999Gi"} {
		f.Add(seed, seed, 1.5, 4.0)
	}
	f.Fuzz(func(t *testing.T, current, first string, factor, ceiling float64) {
		if len(current) > 64 || len(first) > 64 || strings.ContainsAny(current+first, "eE") && len(current+first) > 20 {
			return
		}
		if !(factor >= 1.01 && factor <= 4) || !(ceiling >= 1 && ceiling <= 16) {
			return
		}
		c, err := resource.ParseQuantity(current)
		if err != nil {
			return
		}
		o, err := resource.ParseQuantity(first)
		if err != nil {
			return
		}
		checkRaised(t, c, o, factor, ceiling)
	})
}
