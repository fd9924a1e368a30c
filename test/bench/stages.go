package main

import (
	"bufio"
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The metrics with which Salve tells where an alert's time went.
const (
	stageMetric = "salve_ingest_seconds"
	batchMetric = "salve_ingest_batch_size"
)

// total is one histogram's sum and count.
type total struct{ sum, count float64 }

func (t total) mean() float64 {
	if t.count == 0 {
		return 0
	}
	return t.sum / t.count
}

// stages are the totals by stage, with the sizes of batches under batchMetric.
type stages map[string]total

func (s stages) minus(before stages) stages {
	diff := stages{}
	for name, t := range s {
		diff[name] = total{t.sum - before[name].sum, t.count - before[name].count}
	}
	return diff
}

// names lists the stages in the order in which an alert goes through them;
// those that this program has not heard of are statements before the commit.
func (s stages) names() []string {
	first := []string{"decode", "queue", "read", "claim", "lock", "load", "facts", "triage"}
	last := []string{"write", "commit"}
	var others []string
	for name := range s {
		if name != batchMetric && !slices.Contains(first, name) && !slices.Contains(last, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return slices.DeleteFunc(slices.Concat(first, others, last), func(name string) bool {
		_, found := s[name]
		return !found
	})
}

// rest is what a request's time holds beyond the stages' means: HTTP on both
// sides, authentication, encoding, and waiting for a processor.
func (s stages) rest(latency time.Duration) time.Duration {
	for _, name := range s.names() {
		latency -= time.Duration(s[name].mean() * float64(time.Second))
	}
	return latency
}

// parseStages reads the two histograms out of Prometheus' text format. What it
// does not need, and lines that are none, it passes over.
func parseStages(text []byte) stages {
	found := stages{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, labels, value, ok := parseSample(lines.Text())
		if !ok {
			continue
		}
		base, isSum := strings.CutSuffix(name, "_sum")
		base, isCount := strings.CutSuffix(base, "_count")
		if isSum == isCount || (base != stageMetric && base != batchMetric) {
			continue
		}
		key := base
		if base == stageMetric {
			key = labelValue(labels, "stage")
		}
		found.add(key, isSum, value)
	}
	return found
}

// add sums series that differ in labels which do not matter here.
func (s stages) add(key string, isSum bool, value float64) {
	t := s[key]
	if isSum {
		t.sum += value
	} else {
		t.count += value
	}
	s[key] = t
}

func parseSample(line string) (name, labels string, value float64, ok bool) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || line[0] == '#' {
		return "", "", 0, false
	}
	value, err := strconv.ParseFloat(line[at+1:], 64)
	name, labels, _ = strings.Cut(line[:at], "{")
	return name, strings.TrimSuffix(labels, "}"), value, err == nil
}

func labelValue(labels, name string) string {
	for pair := range strings.SplitSeq(labels, ",") {
		if quoted, found := strings.CutPrefix(pair, name+"="); found {
			return strings.Trim(quoted, `"`)
		}
	}
	return ""
}
