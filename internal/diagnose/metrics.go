package diagnose

import (
	"maps"
	"math"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// measured is one metric in the unit of its objective: percent or milliseconds.
type measured struct {
	value  float64
	key    string // as the sender calls it
	unsure bool   // the unit follows from its size alone
}

// measures is what is known of one service, by metric.
type measures struct {
	of     map[string]measured
	unread []string // metrics of which the unit is not known, and which decide
}

// metricName is how senders name a metric: a name that holds all words of one of
// these lists, and none of not.
type metricName struct {
	metric string
	any    [][]string
	not    []string
	unit   func(name string, v float64) (float64, certainty)
}

// certainty is how sure a unit is.
type certainty int

const (
	sure certainty = iota
	guessed
	undecided
	nonsense
)

var elsewhere = []string{"dependency", "upstream", "target", "objective", "slo", "threshold", "budget", "baseline", "usual", "normal", "limit"}

var metricNames = []metricName{
	{"availability", [][]string{{"availability"}, {"uptime", "percent"}, {"uptime", "ratio"}, {"successrate"}, {"successratio"}, {"successpercent"}}, elsewhere, share},
	{"error_rate", [][]string{{"error", "rate"}, {"error", "ratio"}, {"error", "percent"}, {"error", "fraction"}, {"failurerate"}, {"failurepercent"}, {"5xx", "rate"}, {"5xx", "percent"}, {"5xx", "ratio"}}, elsewhere, errorShare},
	{"p99", [][]string{{"p99"}, {"latency", "99"}, {"99thpercentile"}}, append([]string{"999"}, elsewhere...), millis},
	{"p95", [][]string{{"p95"}, {"latency", "95"}}, elsewhere, millis},
	{"p90", [][]string{{"p90"}, {"latency", "90"}}, elsewhere, millis},
	{"p50", [][]string{{"p50"}, {"latency", "median"}, {"medianlatency"}}, elsewhere, millis},
	{"cpu", [][]string{{"cpu"}}, append([]string{"cores", "milli", "seconds", "rising", "growth", "request", "perday", "perweek"}, elsewhere...), usedShare},
	{"memory", [][]string{{"memory"}, {"mempercent"}}, append([]string{"bytes", "growth", "request", "perday", "perweek"}, elsewhere...), usedShare},
	{"rps", [][]string{{"rps"}, {"requestrate"}, {"requestspersecond"}, {"qps"}, {"throughput"}}, elsewhere, plainly},
	{"baseline_rps", [][]string{{"baseline", "rps"}, {"baseline", "rate"}, {"usual", "rps"}, {"normal", "rps"}, {"usual", "rate"}, {"baseline", "requests"}}, nil, plainly},
	{"dependency_errors", [][]string{{"dependency", "error"}, {"upstream", "error"}}, nil, errorShare},
	{"requests", [][]string{{"requeststotal"}, {"totalrequests"}, {"requestcount"}}, nil, plainly},
	{"errors", [][]string{{"errorstotal"}, {"totalerrors"}, {"errorcount"}, {"failedrequests"}}, nil, plainly},
}

func (m metricName) names(name string) bool {
	holds := func(words []string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, w) })
	}
	return slices.ContainsFunc(m.any, holds) && !slices.ContainsFunc(m.not, func(w string) bool { return strings.Contains(name, w) })
}

func plainly(_ string, v float64) (float64, certainty) {
	if v < 0 {
		return 0, nonsense
	}
	return v, sure
}

// share is a part of a whole in percent, written as 0.999 or as 99.9. That a
// service is available for less than 1 % is not expected.
func share(_ string, v float64) (float64, certainty) {
	switch {
	case v < 0 || v > 100:
		return 0, nonsense
	case v <= 1:
		return v * 100, sure
	}
	return v, sure
}

// usedShare is a share where small numbers are expected too: its name says.
func usedShare(name string, v float64) (float64, certainty) {
	if strings.Contains(name, "percent") || v > 1 {
		return v, sure
	}
	return share(name, v)
}

// The sizes between which a share of errors without a unit in its name is read.
const (
	smallShare = 0.01 // below, it is under the objective as a share and as a percentage
	likelyErrs = 0.2  // up to here a share is likelier: few write 0.05 for 0.05 %
)

// errorShare reads a share of errors: 0.4 is 40 % or 0.4 %, and its name says which.
func errorShare(name string, v float64) (float64, certainty) {
	switch {
	case v < 0 || v > 100:
		return 0, nonsense
	case strings.Contains(name, "percent") || strings.Contains(name, "pct") || v > 1:
		return v, sure
	case strings.Contains(name, "ratio") || strings.Contains(name, "fraction"), v <= smallShare:
		return v * 100, sure
	case v <= likelyErrs:
		return v * 100, guessed
	}
	return v * 100, undecided
}

// millis reads a latency: its name says the unit, or its size does. 1.8 is
// seconds, 450 milliseconds; 25 may be either.
func millis(name string, v float64) (float64, certainty) {
	switch {
	case v < 0 || v > 1e8:
		return 0, nonsense
	case strings.Contains(name, "ms") || strings.Contains(name, "milli"):
		return v, sure
	case strings.Contains(name, "sec") || strings.HasSuffix(name, "99s") || strings.HasSuffix(name, "95s") || strings.HasSuffix(name, "latencys"):
		return v * 1000, sure
	case v <= 1:
		return v * 1000, sure // under the objective either way
	case v < 10:
		return v * 1000, guessed
	case v <= 60:
		return v * 1000, undecided
	}
	return v, sure
}

// maxMeasures bounds the metrics of one aggregate.
const maxMeasures = 1_000

func readMetrics(raw map[string]evidence.Number) measures {
	m := measures{of: map[string]measured{}}
	doubts := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(raw))[:min(len(raw), maxMeasures)] {
		name := word(strings.ReplaceAll(key, ".", ""))
		i := slices.IndexFunc(metricNames, func(n metricName) bool { return n.names(name) })
		if i < 0 || !raw[key].Known {
			continue
		}
		v, how := metricNames[i].unit(name, raw[key].Value)
		metric := metricNames[i].metric
		switch had, ok := m.of[metric]; {
		case how == nonsense:
			doubts[metric] = key + "=" + raw[key].String() + " makes no sense"
		case how == undecided:
			doubts[metric] = key + "=" + raw[key].String() + ": percent or share, seconds or milliseconds, is not said"
		case !ok || had.unsure && how == sure:
			m.of[metric] = measured{v, key, how == guessed}
		}
	}
	m.byAvailability(raw, doubts)
	m.counted()
	for _, metric := range slices.Sorted(maps.Keys(doubts)) {
		if _, known := m.of[metric]; !known {
			m.unread = append(m.unread, doubts[metric])
		}
	}
	return m
}

// byAvailability settles the unit of an error rate by what is missing from 100 %:
// of its two readings the one that fits much better.
func (m *measures) byAvailability(raw map[string]evidence.Number, doubts map[string]string) {
	a, ok := m.of["availability"]
	rate := m.of["error_rate"]
	if !ok || rate.key != "" && !rate.unsure {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		v := raw[key].Value
		if name := word(key); !metricNames[1].names(name) || v <= smallShare || v > 1 {
			continue
		}
		asPercent, asShare := math.Abs(100-a.value-v), math.Abs(100-a.value-100*v)
		switch {
		case asPercent*5 < asShare:
			m.of["error_rate"] = measured{v, key, false}
		case asShare*5 < asPercent:
			m.of["error_rate"] = measured{100 * v, key, false}
		default:
			continue
		}
		delete(doubts, "error_rate")
	}
}

// counted works out the error rate from counts.
func (m *measures) counted() {
	requests, errors := m.of["requests"], m.of["errors"]
	if _, known := m.of["error_rate"]; !known && requests.value > 0 && errors.key != "" && errors.value <= requests.value {
		m.of["error_rate"] = measured{100 * errors.value / requests.value, errors.key, false}
	}
}
