package intake

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// unit is what a metric of an aggregate is measured in, and how much there can be.
type unit struct {
	words string
	most  float64
}

var (
	perCent      = unit{"per cent, 0 to 100", 100}
	milliseconds = unit{"milliseconds, 0 to 86400000", 86_400_000}
	plainNumber  = unit{"a number from 0", 1e15}
)

// metricUnits are the metrics that Salve knows. Others are kept, and nothing is made of them.
var metricUnits = map[string]unit{
	incident.Availability:   perCent,
	incident.ErrorRate:      perCent,
	incident.P99Latency:     milliseconds,
	"p95_latency":           milliseconds,
	"p90_latency":           milliseconds,
	"p50_latency":           milliseconds,
	"request_rate":          plainNumber,
	"baseline_request_rate": plainNumber,
	"requests_total":        plainNumber,
	"errors_total":          plainNumber,
	"cpu_percent":           perCent,
	"memory_percent":        perCent,
	"dependency_error_rate": perCent,
}

// KnownMetrics lists them.
func KnownMetrics() []string { return slices.Sorted(maps.Keys(metricUnits)) }

var metricName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]{0,126}$`)

// metrics reads measured values. A null was not measured.
func (f *findings) metrics(at string, raw jsontext.Value) incident.Metrics {
	members, ok := f.object(at, raw, "an object with numbers: "+strings.Join(KnownMetrics(), ", "))
	switch {
	case !ok:
		return nil
	case len(members) > maxMetrics:
		f.refuse(at, "holds %d metrics; at most %d are taken", len(members), maxMetrics)
		return nil
	}
	out := make(incident.Metrics, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		pointer := at + "/" + pointerEscape.Replace(clip(name, quoted))
		u, known := metricUnits[name]
		switch {
		case !metricName.MatchString(name):
			f.refuse(pointer, "is no name of a metric; letters, digits and underscores would be right, like error_rate")
			continue
		case !known:
			f.note("%s is not known here; known are %s", pointer, strings.Join(KnownMetrics(), ", "))
			u = unit{"a number", math.Inf(1)}
		}
		if v, ok := f.number(pointer, members[name], u, known); ok {
			out[name] = v
		}
	}
	f.fractions(at, out)
	if errors, counted := out["errors_total"]; counted && errors > out["requests_total"] {
		f.refuse(at+"/errors_total", "is %v, of %v requests_total: more cannot fail than were made", errors, out["requests_total"])
	}
	return out
}

func (f *findings) number(at string, raw jsontext.Value, u unit, bounded bool) (float64, bool) {
	switch raw.Kind() {
	case 'n':
		return 0, false
	case '0':
	default:
		f.refuse(at, "must be a number (%s), not %s", u.words, article(raw.Kind()))
		return 0, false
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		f.refuse(at, "%s is no number that can be worked with", clip(string(raw), quoted))
	case bounded && (v < 0 || v > u.most):
		f.refuse(at, "is %v; it is %s", v, u.words)
	default:
		return v, true
	}
	return 0, false
}

// fractions refuses per cent that were meant as a part of one: 0.999 for 99.9.
// Who was available for less than 1 % shows errors beside it, and an error rate
// that fits what is missing from 100 only when taken as a fraction is one.
func (f *findings) fractions(at string, m incident.Metrics) {
	up, measured := m[incident.Availability]
	failed, counted := m[incident.ErrorRate]
	if !measured {
		return
	}
	if up > 0 && up <= 1 && !(counted && failed > 1) {
		f.refuse(at+"/"+incident.Availability, "is %v, which looks like a fraction; per cent are expected: %v (an availability of less than 1 %% is taken beside an error_rate of more than 1)", up, up*100)
	}
	missing := 100 - up
	if counted && up > 1 && failed > 0 && failed <= 1 && missing > 1 && math.Abs(missing-100*failed) <= 0.1*missing {
		f.refuse(at+"/"+incident.ErrorRate, "is %v, which looks like a fraction beside an availability of %v; per cent are expected: %v", failed, up, failed*100)
	}
}
