package capacity

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"salve/internal/policy"
	"salve/internal/trend"
)

// Case is what is known of one workload. Use is per cent of what its pods request.
type Case struct {
	Policy policy.Scaling
	Name   string   // of the workload, for people
	CPU    *float64 // now; nil: not measured
	Memory *float64
	Pods   int
	Series []trend.Sample // CPU; tidy, none after Now
	Min    int            // the caller's own bounds, within policy's; 0: policy's
	Max    int
	Owner  *Autoscaler // who owns the replicas, if anybody does
	Now    time.Time
}

// Autoscaler is a HorizontalPodAutoscaler that sets the workload's replicas; KEDA
// makes one, too.
type Autoscaler struct {
	Name     string
	Min, Max int
}

// Why it should scale, in one word.
type Why string

// The reasons for other pods than there are.
const (
	Enough        Why = ""
	CPUNow        Why = "cpu"         // the baseline rule
	MemoryNow     Why = "memory"      // likewise
	CPUSoon       Why = "cpu_soon"    // by the forecast
	TooMany       Why = "too_many"    // fewer would do
	OwnerHasRoom  Why = "owner"       // an autoscaler owns the replicas, and may still add some
	OwnerAtItsEnd Why = "owner_maxed" // it may not: its maximum is what would have to be raised
)

// Verdict is what follows.
type Verdict struct {
	Scale       bool // other pods than there are would be right, and they are nobody else's to set
	Why         Why
	Reason      string // one sentence
	Recommended int
	Peak        float64         // the highest CPU of the forecast, per cent; 0: none was made
	Forecast    *trend.Forecast // nil where there was too little to make one of
	Witnesses   []string        // the sources that saw it, each by itself
	Notes       []string
}

// The sources of a workload's use.
const (
	UsageSource  = "usage"      // what the caller measured
	SeriesSource = "prometheus" // the series
)

// The baseline rule of SPEC section 5.
const (
	highCPU      = 80.0 // per cent
	highMemory   = 85.0
	risingFactor = 1.10 // times the mean of the last hour
	baselineStep = 2    // pods more
)

// hour is what the baseline rule and a scale-down look back at.
const hour = time.Hour

// Judge says how many pods there should be. It adds pods by what is forecast, takes
// them away by what was seen and is forecast, one at a time, and leaves alone what an
// autoscaler owns.
func Judge(c Case) Verdict {
	j := judging{Case: c, low: c.bound(c.Min, c.Policy.MinPods, 1), high: c.bound(c.Max, c.Policy.MaxPods, math.MaxInt)}
	j.v.Recommended = c.Pods
	j.foresee()
	j.decide()
	j.own()
	j.witness()
	return j.v
}

// bound is the caller's where it is tighter than policy's: low bounds tighten
// upwards, high ones downwards.
func (c Case) bound(own, policys, none int) int {
	switch {
	case own == 0:
		return policys
	case none == 1:
		return max(own, policys)
	default:
		return min(own, policys)
	}
}

type judging struct {
	Case
	low, high int
	v         Verdict
}

// staleAfter is how old the newest sample may be, beside two steps of the series.
const staleAfter = 5 * time.Minute

// foresee makes the forecast over the time that a new pod needs, or says why not.
func (j *judging) foresee() {
	if len(j.Series) == 0 {
		return
	}
	if j.stale() {
		j.note("the series ends %s ago, so that nothing is forecast by it", span(j.age().Round(time.Second)))
		return
	}
	f, err := trend.Ahead(j.Series, max(j.Policy.StartUp, step(j.Series)))
	if err != nil {
		j.note("nothing is forecast: %v", err)
		return
	}
	j.v.Forecast = &f
	for _, p := range f.Points {
		j.v.Peak = max(j.v.Peak, p.Value)
	}
}

func (j *judging) age() time.Duration { return j.Now.Sub(j.Series[len(j.Series)-1].At) }

func (j *judging) stale() bool { return len(j.Series) == 0 || j.age() > staleAfter+2*step(j.Series) }

func (j *judging) note(format string, args ...any) {
	j.v.Notes = append(j.v.Notes, fmt.Sprintf(format, args...))
}

// step is the usual distance of two samples.
func step(s []trend.Sample) time.Duration {
	gaps := make([]time.Duration, 0, len(s))
	for i := 1; i < len(s); i++ {
		gaps = append(gaps, s[i].At.Sub(s[i-1].At))
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// decide tries the reasons in their order; the first that asks for more pods than
// there are is the one that is told. Fewer pods are a matter for quiet hours only.
func (j *judging) decide() {
	if j.CPU != nil && j.v.Forecast != nil {
		if peak := max(j.v.Peak, *j.CPU); j.want(CPUSoon, j.proportional(peak), fmt.Sprintf(
			"CPU is at %s %% and is forecast to reach %s %% within %s, over the target of %s %%", amount(*j.CPU), amount(peak), span(j.Policy.StartUp), amount(j.Policy.TargetCPU))) {
			return
		}
	}
	if mean, known := j.lastHour(); j.CPU != nil && known && *j.CPU > highCPU && *j.CPU > risingFactor*mean {
		if j.want(CPUNow, j.Pods+baselineStep, fmt.Sprintf("CPU is at %s %%, over %s %%, and more than a tenth over the last hour's mean of %s %%", amount(*j.CPU), amount(highCPU), amount(mean))) {
			return
		}
	}
	if j.Memory != nil && *j.Memory > highMemory {
		if j.want(MemoryNow, j.Pods+baselineStep, fmt.Sprintf("memory is at %s %%, over %s %%", amount(*j.Memory), amount(highMemory))) {
			return
		}
	}
	if j.v.Why == Enough && !j.fewer() {
		j.v.Reason = j.enough()
	}
}

// want takes a number of pods if it is more than there are, within bounds.
func (j *judging) want(why Why, pods int, because string) bool {
	if pods <= j.Pods {
		return false
	}
	bounded := max(min(pods, j.high, j.Pods*2), j.low)
	if bounded <= j.Pods {
		j.v.Reason = fmt.Sprintf("%s, but %s may not have more than %d pods (scaling.max_pods)", because, j.Name, j.high)
		j.v.Why = why
		return true
	}
	j.v.Scale, j.v.Why, j.v.Recommended = true, why, bounded
	j.v.Reason = fmt.Sprintf("%s: %d pods instead of %d", because, bounded, j.Pods)
	return true
}

// proportional is the rule of Kubernetes' HorizontalPodAutoscaler: as many more pods as
// the use is over the target, and nothing within the tolerance.
func (j *judging) proportional(use float64) int {
	ratio := use / j.Policy.TargetCPU
	if math.Abs(ratio-1) <= j.Policy.Tolerance/100 || math.IsNaN(ratio) || ratio > 1000 {
		return j.Pods
	}
	return int(math.Ceil(float64(j.Pods)*ratio - 1e-9))
}

// lastHour is the mean of the samples of the last hour.
func (j *judging) lastHour() (float64, bool) {
	sum, n := 0.0, 0
	for _, s := range j.Series {
		if j.Now.Sub(s.At) <= hour {
			sum, n = sum+s.Value, n+1
		}
	}
	return sum / float64(n), n > 0
}

// fewer proposes one pod less where the highest of the look-back and the upper end of
// the forecast would fit into it, and both are known.
func (j *judging) fewer() bool {
	if j.CPU == nil || j.v.Forecast == nil || j.Memory != nil && *j.Memory > highMemory/2 {
		return false
	}
	if first := j.Series[0].At; j.Now.Sub(first) < j.Policy.DownAfter {
		return false
	}
	peak := *j.CPU
	for _, s := range j.Series {
		if j.Now.Sub(s.At) <= j.Policy.DownAfter {
			peak = max(peak, s.Value)
		}
	}
	for _, p := range j.v.Forecast.Points {
		peak = max(peak, p.Upper)
	}
	less := max(j.Pods-1, j.low)
	if less >= j.Pods || j.proportional(peak) > less {
		return false
	}
	j.v.Scale, j.v.Why, j.v.Recommended = true, TooMany, less
	j.v.Reason = fmt.Sprintf("CPU was at most %s %% over the last %s and within the forecast, under the target of %s %% for fewer: %d pods instead of %d",
		amount(peak), span(j.Policy.DownAfter), amount(j.Policy.TargetCPU), less, j.Pods)
	return true
}

func (j *judging) enough() string {
	switch {
	case j.CPU == nil && j.Memory == nil:
		return "nothing was measured, so that nothing is said about more or fewer pods"
	case j.v.Forecast != nil && j.CPU != nil:
		return fmt.Sprintf("CPU is at %s %% and is forecast to stay under %s %%: %d pods are enough", amount(*j.CPU), amount(max(j.v.Peak, *j.CPU)+1), j.Pods)
	default:
		return fmt.Sprintf("neither CPU nor memory asks for more than %d pods", j.Pods)
	}
}

// own leaves to an autoscaler what is its own.
func (j *judging) own() {
	if j.Owner == nil || !j.v.Scale {
		return
	}
	wanted := j.v.Recommended
	j.v.Scale, j.v.Recommended = false, j.Pods
	o := j.Owner
	switch {
	case wanted > j.Pods && j.Pods >= o.Max:
		j.v.Why = OwnerAtItsEnd
		j.v.Reason = fmt.Sprintf("autoscaler %s owns the pods of %s and stands at its maximum of %d, while %s; raise its maximum", o.Name, j.Name, o.Max, j.v.Reason)
	default:
		j.v.Why = OwnerHasRoom
		j.v.Reason = fmt.Sprintf("autoscaler %s owns the pods of %s and may set %d to %d of them: they are left to it", o.Name, j.Name, o.Min, o.Max)
	}
}

// span is a duration as people write it: 15m, not 15m0s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// How far the caller's word and the newest of the series may be apart.
const (
	pointsApart = 10.0
	shareApart  = 0.25
)

// witness says who saw it: for a change by trend one source does not suffice. What
// was measured and the series are two where they agree on now.
func (j *judging) witness() {
	j.v.Witnesses = []string{UsageSource}
	if j.CPU == nil || j.v.Why != CPUSoon && j.v.Why != CPUNow || j.stale() {
		return
	}
	newest := j.Series[len(j.Series)-1].Value
	if apart := math.Abs(newest - *j.CPU); apart > max(pointsApart, shareApart**j.CPU) {
		j.note("CPU was measured at %s %%, and the series ends at %s %%: the two disagree", amount(*j.CPU), amount(newest))
		return
	}
	j.v.Witnesses = append(j.v.Witnesses, SeriesSource)
}

// amount is a number as people read it: one decimal, where it matters.
func amount(v float64) string {
	if rounded := math.Round(v*10) / 10; rounded != math.Trunc(rounded) {
		return fmt.Sprintf("%.1f", rounded)
	}
	return fmt.Sprintf("%.0f", v)
}
