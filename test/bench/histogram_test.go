package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestBucketsCoverEveryLatencyWithinThreePercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64Range(0, math.MaxInt64).Draw(t, "nanoseconds")
		edge := upperEdge(bucketOf(v))
		if edge < v || float64(edge) > float64(v)*1.032 {
			t.Fatalf("latency %d is told as %d", v, edge)
		}
		if v > 0 && bucketOf(v) < bucketOf(v-1) {
			t.Fatalf("buckets are out of order at %d", v)
		}
	})
}

func TestQuantileAgainstSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var whole, half histogram
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(math.Exp(random.NormFloat64()+14)) * time.Nanosecond
		all = append(all, d)
		[]*histogram{&whole, &half}[i%2].record(d)
	}
	whole.merge(&half)
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		truth, told := all[int(q*float64(len(all)))-1], whole.quantile(q)
		if told < truth || float64(told) > float64(truth)*1.04 {
			t.Errorf("quantile %v: sorting says %v, the histogram %v", q, truth, told)
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h histogram
	if diff := cmp.Diff([]time.Duration{0, 0}, []time.Duration{h.quantile(0.5), h.mean()}); diff != "" {
		t.Errorf("nothing recorded (-want +got):\n%s", diff)
	}
	h.record(-time.Second)
	h.record(10)
	if diff := cmp.Diff([]time.Duration{0, 10, 5}, []time.Duration{h.quantile(0.01), h.quantile(0.99), h.mean()}); diff != "" {
		t.Errorf("a clock that went backwards counts as zero (-want +got):\n%s", diff)
	}
}
