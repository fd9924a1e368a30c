package intake

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
	"salve/internal/trend"
)

// Usage is one POST /v1/capacity: what a workload uses, or the problems for which it
// was refused.
type Usage struct {
	ID         incident.ID
	Target     incident.Target
	CPU        *float64 // per cent of what its pods request; nil: not measured
	Memory     *float64
	Pods       int
	Series     []trend.Sample // CPU, tidy, none after ReceivedAt
	Min, Max   int            // the caller's own bounds; 0: none
	Evidence   []byte         // its Deployment and autoscalers; may be nil
	Subject    string
	ReceivedAt time.Time
	DryRun     bool
	Rejected   []Problem
	Notes      []string
}

type givenUsage struct {
	Cluster       string         `json:"cluster"`
	Namespace     string         `json:"namespace"`
	Kind          string         `json:"kind"`
	Name          string         `json:"name"`
	Service       string         `json:"service"`
	CPUPercent    jsontext.Value `json:"cpu_percent"`
	MemoryPercent jsontext.Value `json:"memory_percent"`
	PodCount      jsontext.Value `json:"pod_count"`
	MinPods       jsontext.Value `json:"min_pods"`
	MaxPods       jsontext.Value `json:"max_pods"`
	CPURange      jsontext.Value `json:"cpu_range"`
	Evidence      jsontext.Value `json:"evidence"`
	DryRun        bool           `json:"dry_run"`
}

const (
	maxPods      = 10_000
	maxPerCent   = 10_000 // of a request: many times over is possible where there is no limit
	maxSeries    = 1_000
	maxRangeSize = 500_000 // samples of all series together
)

// Capacity reads the body of POST /v1/capacity. The error is a *BodyError.
func Capacity(in Input) (Usage, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to || b.text[whole.from] != '{' {
		return Usage{}, b.wrongKind("the body is no object; send {cluster, namespace, name, cpu_percent, memory_percent, pod_count, cpu_range}, the use of one workload")
	}
	raw, f := b.item(whole), &findings{notes: b.notes(whole)}
	g, ok := decode[givenUsage](raw, f)
	if !ok {
		return Usage{Rejected: f.problems}, b.readable()
	}
	u := Usage{ID: in.IDs(), Target: g.workload(in, f), Subject: in.Subject, ReceivedAt: in.ReceivedAt, DryRun: g.DryRun}
	u.CPU, u.Memory = f.perCent("/cpu_percent", g.CPUPercent), f.perCent("/memory_percent", g.MemoryPercent)
	u.Pods = f.count("/pod_count", g.PodCount, 0)
	u.Min, u.Max = f.count("/min_pods", g.MinPods, 1), f.count("/max_pods", g.MaxPods, 1)
	u.Series = f.promRange("/cpu_range", g.CPURange, in.ReceivedAt)
	switch {
	case u.Pods == 0 && len(f.problems) == 0:
		f.refuse("/pod_count", "is missing or 0; it is how many pods the workload has now")
	case u.Min > 0 && u.Max > 0 && u.Min > u.Max:
		f.refuse("/min_pods", "is %d, above max_pods, which is %d", u.Min, u.Max)
	}
	switch kind := g.Evidence.Kind(); {
	case kind == '{':
		u.Evidence = g.Evidence
	case len(g.Evidence) > 0 && kind != 'n':
		f.refuse("/evidence", "must be an object with keys such as deployments and hpas, not %s", article(kind))
	}
	u.Rejected, u.Notes = f.problems, f.notes
	return u, nil
}

func (g *givenUsage) workload(in Input, f *findings) incident.Target {
	f.checkName("/cluster", g.Cluster)
	f.checkName("/service", g.Service)
	if !validLabel(g.Namespace) || g.Namespace == "" {
		f.refuse("/namespace", "%s; it is the namespace of the workload", saw(g.Namespace))
	}
	if !validSubdomain(g.Name) || g.Name == "" {
		f.refuse("/name", "%s; it is the name of the workload", saw(g.Name))
	}
	kind := cmp.Or(g.Kind, "Deployment")
	if kind != "Deployment" && kind != "StatefulSet" {
		f.refuse("/kind", "%s; kind is Deployment (as when it is left out) or StatefulSet", saw(g.Kind))
	}
	return incident.Target{
		Cluster: in.cluster(g.Cluster, clusterOf(g.Evidence)), Namespace: g.Namespace, Kind: kind, Name: g.Name, Service: cmp.Or(g.Service, g.Name),
	}
}

// perCent reads a share of what pods request, which may be over 100.
func (f *findings) perCent(at string, raw jsontext.Value) *float64 {
	if len(raw) == 0 {
		return nil
	}
	v, ok := f.number(at, raw, unit{fmt.Sprintf("per cent, 0 to %d", maxPerCent), maxPerCent}, true)
	if !ok {
		return nil
	}
	return &v
}

// count reads a whole number; 0 where none is given.
func (f *findings) count(at string, raw jsontext.Value, least int) int {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return 0
	}
	v, ok := f.number(at, raw, unit{fmt.Sprintf("a whole number, %d to %d", least, maxPods), maxPods}, true)
	if ok && (v != math.Trunc(v) || v < float64(least)) {
		f.refuse(at, "is %v; it is a whole number, %d to %d", v, least, maxPods)
		return 0
	}
	return int(v)
}

// promAnswer is what Prometheus answers to a range query.
type promAnswer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Values [][]jsontext.Value `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

// promRange reads a range query's answer as it came. Several series are one: the mean
// of what was measured at a moment. What is no number, or from the future, is left out
// and counted; an answer that is an error is no reason to refuse the rest.
func (f *findings) promRange(at string, raw jsontext.Value, now time.Time) []trend.Sample {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return nil
	}
	var answer promAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		f.refuse(at, "is not what Prometheus answers to query_range, {status, data{resultType: matrix, result[]}}: %v", clip(err.Error(), maxLabelValue))
		return nil
	}
	switch {
	case answer.Status != "success":
		f.note("%s: Prometheus did not answer: %s", at, cmp.Or(clip(answer.Error, maxLabelValue), "status "+strconv.Quote(clip(answer.Status, quoted))))
		return nil
	case answer.Data.ResultType != "matrix":
		f.refuse(at+"/data/resultType", "%s; the answer of a range query (query_range) is a matrix", saw(answer.Data.ResultType))
		return nil
	case len(answer.Data.Result) > maxSeries:
		f.refuse(at+"/data/result", "holds %d series; at most %d are taken", len(answer.Data.Result), maxSeries)
		return nil
	}
	sums, counts, odd, all := map[int64]float64{}, map[int64]int{}, 0, 0
	for _, series := range answer.Data.Result {
		for _, pair := range series.Values {
			if all++; all > maxRangeSize {
				f.refuse(at+"/data/result", "holds more than %d samples; a longer step brings fewer", maxRangeSize)
				return nil
			}
			t, v, ok := promSample(pair)
			if !ok || time.UnixMilli(t).After(now.Add(maxAhead)) {
				odd++
				continue
			}
			sums[t] += v
			counts[t]++
		}
	}
	if odd > 0 {
		f.note("%s: %d of %d samples are no numbers, negative, or from the future, and were left out", at, odd, all)
	}
	return samplesOf(sums, counts)
}

func samplesOf(sums map[int64]float64, counts map[int64]int) []trend.Sample {
	samples := make([]trend.Sample, 0, len(sums))
	for t, sum := range sums {
		samples = append(samples, trend.Sample{At: time.UnixMilli(t).UTC(), Value: sum / float64(counts[t])})
	}
	slices.SortFunc(samples, func(a, b trend.Sample) int { return a.At.Compare(b.At) })
	return samples
}

// promSample reads [seconds, "value"].
func promSample(pair []jsontext.Value) (at int64, v float64, ok bool) {
	var text string
	if len(pair) != 2 || pair[0].Kind() != '0' || json.Unmarshal(pair[1], &text) != nil {
		return 0, 0, false
	}
	seconds, err := strconv.ParseFloat(string(pair[0]), 64)
	if err != nil || !(seconds > 0 && seconds < 1e11) {
		return 0, 0, false
	}
	v, err = strconv.ParseFloat(text, 64)
	return int64(seconds * 1000), v, err == nil && v >= 0 && v <= maxPerCent
}
