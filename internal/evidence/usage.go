package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// What POST /v1/capacity made of a workload's use, among the numbers of a usage.
const (
	PresentReplicas     = "replicas"            // how many there were when it was asked
	RecommendedReplicas = "recommendedReplicas" // how many there should be
	MorePodsForCPU      = "morePodsForCpu"      // 1: because of the CPU in use, or forecast
	MorePodsForMemory   = "morePodsForMemory"   // 1: because of the memory in use
	ForecastCPU         = "forecastCpu"         // per cent, the highest
)

// DiskPercent is the metric of a series of how full a mount is.
const DiskPercent = "diskPercent"

// usageDoc is what is said of use in any of the ways in which it is sent: as
// percentages, as amounts, as samples, or as Prometheus answers a range query.
type usageDoc struct {
	Usage
	CPU        amount       `json:"cpu"`
	Memory     amount       `json:"memory" also:"mem,ram"`
	Service    string       `json:"service"`
	Mount      string       `json:"mount" also:"mountpoint"`
	Disk       amount       `json:"diskPercent" also:"disk,diskUsePercent,diskUsedPercent,diskUsagePercent,diskUsage,diskUtilization"`
	DiskBytes  Number       `json:"diskGrowthBytesPerDay"`
	DiskPoints Number       `json:"diskGrowthPercentPerDay"`
	DiskDays   Number       `json:"daysUntilFull" also:"daysToFull,fullInDays,diskFullInDays,diskDaysUntilFull,daysUntilDiskFull,estimatedDaysUntilFull"`
	Metric     string       `json:"metric" also:"query"` // of samples that do not name it
	History    []Sample     `json:"history" also:"samples,points,values,datapoints,daily"`
	Limit      Number       `json:"limit"`
	ResultType string       `json:"resultType"`
	Result     []promSeries `json:"result"`
	Data       promData     `json:"data"`
	Range      promAnswer   `json:"prometheus" also:"rangeQuery,queryRange,range"`
	Baseline   struct {
		CPU    Number `json:"cpuPercent" also:"cpu"`
		Memory Number `json:"memoryPercent" also:"memory"`
	} `json:"baseline" also:"usual,normal,typical"`
}

type promAnswer struct {
	Data   promData     `json:"data"`
	Result []promSeries `json:"result"`
	Query  string       `json:"query"`
}

type promData struct {
	Result []promSeries `json:"result"`
}

type promSeries struct {
	Metric map[string]string `json:"metric"`
	Values []Point           `json:"values"`
}

// maxSeries bounds the series of one usage.
const maxSeries = 100

func usageFact(r *reader, _ string, _ json.RawMessage, doc *usageDoc) Usage {
	u := doc.Usage
	u.Host, u.Service = withoutPort(u.Host), doc.Service
	doc.CPU.into(&u.CPUPercent, &u.CPUMillicores, 1000)
	doc.Memory.into(&u.MemoryPercent, &u.MemoryBytes, 1)
	u.BaselineCPU, u.BaselineMemory = orElse(u.BaselineCPU, doc.Baseline.CPU), orElse(u.BaselineMemory, doc.Baseline.Memory)
	u.Series = append(u.Series, seriesOf(doc.History, doc.Metric, "", doc.Limit)...)
	query := doc.Metric
	if query == "" {
		query = doc.Range.Query
	}
	for _, result := range [][]promSeries{doc.Result, doc.Data.Result, doc.Range.Result, doc.Range.Data.Result} {
		for _, s := range result[:min(len(result), maxSeries)] {
			u.Series = append(u.Series, s.series(query))
		}
	}
	u.Series = u.Series[:min(len(u.Series), maxSeries)]
	r.diskInUse(u.Host, doc)
	return u
}

// diskInUse notes what is said of a disk among other use.
func (r *reader) diskInUse(host string, doc *usageDoc) {
	f := Filesystem{Mount: doc.Mount, UsePercent: doc.Disk.percent, GrowthBytesADay: doc.DiskBytes, GrowthPercentADay: doc.DiskPoints, DaysUntilFull: doc.DiskDays}
	if (f.UsePercent.Known || f.DaysUntilFull.Known) && len(r.ev.Disks) < maxItems {
		r.ev.Disks = append(r.ev.Disks, Disk{Host: host, Filesystems: []Filesystem{f}})
	}
}

// series is one line of an answer. An expression's result has no name: the query
// says what it is.
func (s promSeries) series(query string) Series {
	one := Series{Metric: s.Metric["__name__"], Points: s.Values}
	if one.Metric == "" {
		one.Metric = query
	}
	for _, label := range []string{"mountpoint", "device", "container", "pod", "deployment", "workload", "instance", "node", "name"} {
		if one.About == "" {
			one.About = clip(s.Metric[label], maxLookLine)
		}
	}
	return one
}

// amount is a percentage, or an amount such as 250m and 512Mi.
type amount struct {
	percent Number
	text    string
}

// UnmarshalJSON reads 91, "91%", "512Mi", and {"percent": 91}.
func (a *amount) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	if firstByte(raw) == '{' {
		var in map[string]json.RawMessage
		if err := json.Unmarshal(raw, &in); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(in)) {
			if strings.Contains(plainKey(key), "percent") || plainKey(key) == "utilization" {
				return a.percent.UnmarshalJSON(in[key])
			}
		}
		return nil
	}
	if firstByte(raw) == '"' && !strings.HasSuffix(text, "%") && strings.Trim(text, "0123456789.") != "" {
		a.text = clip(text, 40)
		return nil
	}
	return a.percent.UnmarshalJSON(raw)
}

func (a amount) into(percent, amount *Number, unit float64) {
	*percent = orElse(*percent, a.percent)
	if a.text != "" && !amount.Known {
		*amount = quantity(a.text, unit)
	}
}

// quantity reads Kubernetes' way of writing amounts.
func quantity(text string, unit float64) Number {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return Number{}
	}
	return Of(q.AsApproximateFloat64() * unit)
}

// Sample is what was measured at one time.
type Sample struct {
	T      Time
	Values map[string]Number
}

var timeKeys = []string{"t", "time", "timestamp", "ts", "date", "day", "at", "observedat", "hour"}

// UnmarshalJSON reads [time, value] and {"t": …, "cpuPercent": …}.
func (s *Sample) UnmarshalJSON(raw []byte) error {
	if firstByte(raw) == '[' {
		var p Point
		if err := p.UnmarshalJSON(raw); err != nil {
			return err
		}
		*s = Sample{p.T, map[string]Number{"value": p.Value}}
		return nil
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("must be [time, value] or an object with t and what was measured")
	}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if slices.Contains(timeKeys, plainKey(key)) && s.T.IsZero() {
			if err := s.T.UnmarshalJSON(in[key]); err != nil {
				return err
			}
			continue
		}
		var n Number
		if first := firstByte(in[key]); first != '{' && first != '[' && n.UnmarshalJSON(in[key]) == nil && n.Known && len(s.Values) < maxSeries {
			if s.Values == nil {
				s.Values = map[string]Number{}
			}
			s.Values[key] = n
		}
	}
	if s.T.IsZero() {
		return fmt.Errorf("a sample needs the time t at which it was measured")
	}
	return nil
}

// UnmarshalJSON reads [time, "value"] as Prometheus writes it, or an object. A
// value that is no number is unknown.
func (p *Point) UnmarshalJSON(raw []byte) error {
	if firstByte(raw) != '[' {
		var s Sample
		if err := s.UnmarshalJSON(raw); err != nil {
			return err
		}
		p.T = s.T
		for _, key := range slices.Sorted(maps.Keys(s.Values)) {
			if !p.Value.Known || plainKey(key) == "value" || plainKey(key) == "v" {
				p.Value = s.Values[key]
			}
		}
		return nil
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("must be [time, value]")
	}
	if err := p.T.UnmarshalJSON(pair[0]); err != nil {
		return err
	}
	if p.Value.UnmarshalJSON(pair[1]) != nil {
		p.Value = Number{} // NaN and +Inf
	}
	return nil
}

// seriesOf makes one series of each thing that samples measured.
func seriesOf(samples []Sample, metric, about string, limit Number) []Series {
	by := map[string][]Point{}
	for _, s := range samples {
		for key, v := range s.Values {
			by[key] = append(by[key], Point{s.T, v})
		}
	}
	var out []Series
	for _, key := range slices.Sorted(maps.Keys(by)) {
		name := key
		if metric != "" && (plainKey(key) == "value" || plainKey(key) == "v") {
			name = metric
		}
		out = append(out, Series{Metric: name, About: about, Limit: limit, Points: by[key]})
	}
	return out
}

// UnmarshalJSON reads {ok, as_of, error}, true or "ok". A source that says
// nothing of itself answered.
func (s *Source) UnmarshalJSON(raw []byte) error {
	text := strings.ToLower(strings.Trim(strings.TrimSpace(string(raw)), `"`))
	if firstByte(raw) != '{' {
		*s = Source{OK: slices.Contains([]string{"true", "ok", "up", "healthy", "success"}, text)}
		if !s.OK {
			s.Error = clip(text, maxLookLine)
		}
		return nil
	}
	var in struct {
		OK     *bool  `json:"ok"`
		AsOf   Time   `json:"as_of"`
		AsOf2  Time   `json:"asOf"`
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("must be {ok, as_of, error}")
	}
	*s = Source{in.OK == nil || *in.OK, in.AsOf, in.Error}
	if s.AsOf.IsZero() {
		s.AsOf = in.AsOf2
	}
	switch strings.ToLower(in.Status) {
	case "error", "failed", "down", "timeout", "unavailable":
		s.OK = false
		if s.Error == "" {
			s.Error = in.Status
		}
	}
	return nil
}
