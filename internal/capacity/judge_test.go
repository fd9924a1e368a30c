package capacity

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/policy"
	"salve/internal/trend"
)

var night = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

func settings() policy.Scaling {
	return policy.Scaling{TargetCPU: 70, Tolerance: 10, MinPods: 2, MaxPods: 20, StartUp: 15 * time.Minute, DownAfter: 6 * time.Hour}
}

// series ends at night, a sample a minute, from the first to the last value.
func series(minutes int, from, to float64) []trend.Sample {
	var out []trend.Sample
	for i := range minutes {
		share := float64(i) / float64(max(1, minutes-1))
		out = append(out, trend.Sample{At: night.Add(time.Duration(i-minutes+1) * time.Minute), Value: from + share*(to-from)})
	}
	return out
}

func per(v float64) *float64 { return &v }

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		cpu, memory *float64
		pods        int
		series      []trend.Sample
		owner       *Autoscaler
		max         int
		why         Why
		pods_       int // recommended
		says        string
	}{
		"the load is over the target":                        {cpu: per(95), pods: 4, series: series(600, 95, 95), why: CPUSoon, pods_: 6, says: "forecast to reach 95 %"},
		"the load is at the target":                          {cpu: per(72), pods: 4, series: series(600, 72, 72), why: Enough, pods_: 4, says: "4 pods are enough"},
		"the baseline rule, without a forecast":              {cpu: per(90), pods: 3, series: series(8, 60, 90), why: CPUNow, pods_: 5, says: "more than a tenth over the last hour's mean of 75 %"},
		"high and not rising, and too little to forecast by": {cpu: per(90), pods: 3, series: series(8, 89, 90), why: Enough, pods_: 3, says: "neither CPU nor memory"},
		"80 is not over 80":                                  {cpu: per(80), pods: 3, series: series(8, 20, 80), why: Enough, pods_: 3},
		"without a series nothing rises":                     {cpu: per(95), pods: 3, why: Enough, pods_: 3},
		"memory":                                             {memory: per(86), pods: 3, why: MemoryNow, pods_: 5, says: "memory is at 86 %"},
		"memory at 85 is not over 85":                        {memory: per(85), pods: 3, why: Enough, pods_: 3},
		"never more than twice as many":                      {cpu: per(400), pods: 2, series: series(600, 400, 400), why: CPUSoon, pods_: 4},
		"never more than policy allows":                      {cpu: per(140), pods: 15, series: series(600, 140, 140), why: CPUSoon, pods_: 20},
		"the caller may allow fewer":                         {cpu: per(140), pods: 5, series: series(600, 140, 140), max: 6, why: CPUSoon, pods_: 6},
		"the caller may not allow more":                      {cpu: per(140), pods: 15, series: series(600, 140, 140), max: 99, why: CPUSoon, pods_: 20},
		"no more are allowed":                                {cpu: per(140), pods: 20, series: series(600, 140, 140), why: CPUSoon, pods_: 20, says: "may not have more than 20 pods"},
		"one fewer after a quiet night":                      {cpu: per(20), pods: 6, series: series(600, 20, 20), why: TooMany, pods_: 5, says: "5 pods instead of 6"},
		"not fewer than policy allows":                       {cpu: per(1), pods: 2, series: series(600, 1, 1), why: Enough, pods_: 2},
		"not fewer after a busy hour":                        {cpu: per(20), pods: 6, series: append(series(500, 66, 66), trend.Sample{At: night, Value: 20}), why: Enough, pods_: 6},
		"not fewer by a short series":                        {cpu: per(20), pods: 6, series: series(200, 20, 20), why: Enough, pods_: 6},
		"an autoscaler with room":                            {cpu: per(95), pods: 4, series: series(600, 95, 95), owner: &Autoscaler{"shop/api", 2, 10}, why: OwnerHasRoom, pods_: 4, says: "may set 2 to 10 of them"},
		"an autoscaler at its end":                           {cpu: per(95), pods: 10, series: series(600, 95, 95), owner: &Autoscaler{"shop/api", 2, 10}, why: OwnerAtItsEnd, pods_: 10, says: "raise its maximum"},
		"an autoscaler and a quiet night":                    {cpu: per(20), pods: 6, series: series(600, 20, 20), owner: &Autoscaler{"shop/api", 2, 10}, why: OwnerHasRoom, pods_: 6},
		"nothing was measured":                               {pods: 3, why: Enough, pods_: 3, says: "nothing was measured"},
		"an autoscaler where nothing is amiss":               {cpu: per(70), pods: 4, series: series(600, 70, 70), owner: &Autoscaler{"shop/api", 2, 10}, why: Enough, pods_: 4},
	} {
		t.Run(name, func(t *testing.T) {
			v := Judge(Case{Policy: settings(), Name: "shop/api", CPU: c.cpu, Memory: c.memory, Pods: c.pods, Series: c.series, Max: c.max, Owner: c.owner, Now: night})
			if v.Why != c.why || v.Recommended != c.pods_ || v.Scale != (c.pods_ != c.pods) || !strings.Contains(v.Reason, c.says) {
				t.Errorf("%q, %d pods, scale %v: %s (%v)", v.Why, v.Recommended, v.Scale, v.Reason, v.Notes)
			}
			if strings.ContainsAny(strings.TrimSuffix(v.Reason, "."), "\n") || v.Reason == "" {
				t.Errorf("the reason is no sentence: %q", v.Reason)
			}
		})
	}
}

// A load that rises is met while it is still at the target, not after it is over.
func TestScalesBeforeTheLimit(t *testing.T) {
	now := Case{Policy: settings(), Name: "shop/api", CPU: per(75), Pods: 4, Now: night, Series: series(600, 75, 75)}
	if v := Judge(now); v.Scale {
		t.Fatalf("a steady load at the target scales: %s", v.Reason)
	}
	for name, s := range map[string][]trend.Sample{"slowly": series(600, 0, 75), "fast": series(150, 15, 75)} {
		now.Series = s
		v := Judge(now)
		if v.Forecast == nil || v.Forecast.HorizonSeconds < 15*60 {
			t.Fatalf("%s: no forecast over the time that a pod needs: %v", name, v.Notes)
		}
		if rises := v.Peak > 76; !rises || name == "fast" && v.Recommended != 5 {
			t.Errorf("%s: %d pods; %s", name, v.Recommended, v.Reason)
		}
	}
}

func TestAStaleSeriesForetellsNothing(t *testing.T) {
	v := Judge(Case{Policy: settings(), Name: "shop/api", CPU: per(95), Pods: 4, Series: series(600, 95, 95), Now: night.Add(20 * time.Minute)})
	if v.Forecast != nil || v.Scale || len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "ends 20m ago") {
		t.Errorf("%+v", v)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	base := Case{Policy: settings(), Name: "shop/api", CPU: per(95), Pods: 4, Series: series(600, 95, 95), Now: night}
	quiet := base
	quiet.CPU, quiet.Pods, quiet.Series = per(20), 6, series(600, 20, 20)
	for name, c := range map[string]struct {
		on     Case
		change func(*policy.Scaling)
	}{
		"target_cpu": {base, func(s *policy.Scaling) { s.TargetCPU = 90 }},
		"tolerance":  {base, func(s *policy.Scaling) { s.Tolerance = 50 }},
		"max_pods":   {base, func(s *policy.Scaling) { s.MaxPods = 5 }},
		"min_pods":   {quiet, func(s *policy.Scaling) { s.MinPods = 6 }},
		"down_after": {quiet, func(s *policy.Scaling) { s.DownAfter = 24 * time.Hour }},
		"start_up":   {base, func(s *policy.Scaling) { s.StartUp = time.Hour }},
	} {
		other := c.on
		c.change(&other.Policy)
		was, is := Judge(c.on), Judge(other)
		if was.Recommended == is.Recommended && was.Forecast.HorizonSeconds == is.Forecast.HorizonSeconds {
			t.Errorf("%s changes nothing: %s", name, is.Reason)
		}
	}
}

// Never outside the bounds, never more than twice as many or one fewer, never what an
// autoscaler owns; and more load never means fewer pods.
func TestJudgeStaysWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := settings()
		p.MinPods = rapid.IntRange(1, 10).Draw(t, "min")
		p.MaxPods = p.MinPods + rapid.IntRange(0, 30).Draw(t, "more")
		level := rapid.Float64Range(0, 300).Draw(t, "level")
		c := Case{Policy: p, Name: "shop/api", CPU: &level, Pods: rapid.IntRange(1, 40).Draw(t, "pods"), Series: series(rapid.IntRange(0, 600).Draw(t, "minutes"), level/2, level), Now: night}
		if rapid.Bool().Draw(t, "owned") {
			c.Owner = &Autoscaler{"shop/api", 1, rapid.IntRange(1, 40).Draw(t, "most")}
		}
		v := Judge(c)
		switch {
		case v.Scale != (v.Recommended != c.Pods):
			t.Fatalf("scale %v to %d of %d", v.Scale, v.Recommended, c.Pods)
		case v.Scale && c.Owner != nil:
			t.Fatal("what an autoscaler owns is changed")
		case v.Recommended > c.Pods && (v.Recommended > max(p.MaxPods, 1) || v.Recommended > max(2*c.Pods, p.MinPods)):
			t.Fatalf("%d pods of %d, at most %d", v.Recommended, c.Pods, p.MaxPods)
		case v.Recommended < c.Pods && (v.Recommended < p.MinPods || v.Recommended != c.Pods-1):
			t.Fatalf("%d pods instead of %d, at least %d", v.Recommended, c.Pods, p.MinPods)
		}
		busier := c
		busier.CPU = per(level + 50)
		if more := Judge(busier); more.Recommended < v.Recommended {
			t.Fatalf("%d pods at %v %%, %d at %v %%", v.Recommended, level, more.Recommended, level+50)
		}
	})
}

func TestOddNumbersNeverPanic(t *testing.T) {
	for _, v := range []float64{0, math.SmallestNonzeroFloat64, 1e4, math.MaxFloat64} {
		got := Judge(Case{Policy: settings(), Name: "x", CPU: per(v), Memory: per(v), Pods: 1, Series: series(100, v, v), Now: night})
		if got.Recommended < 1 || got.Recommended > 20 {
			t.Errorf("%v: %+v", v, got)
		}
	}
}
