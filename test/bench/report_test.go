package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// measured makes a result of one second with equal latencies.
func measured(name, loadName, shapeName string, alerts int, latency time.Duration) result {
	r := result{cell: cell{target: &target{name: name}, load: load{name: loadName}, shape: shape{name: shapeName}},
		requests: float64(alerts), alerts: float64(alerts), elapsed: time.Second}
	r.latency.record(latency)
	return r
}

func TestAims(t *testing.T) {
	all := results{
		measured("salve", "resent", "c64", 9_000, 30*time.Millisecond),
		measured("alertmanager", "resent", "c64", 12_000, time.Millisecond),
		measured("salve", "new", "c64", 4_000, 10*time.Millisecond),
		measured("alertmanager", "new", "c64", 12_000, time.Millisecond),
		measured("salve", "new", "c1", 900, time.Millisecond),
		measured("salve", "resent", "c1", 900, 3*time.Millisecond),
	}
	verdicts := map[string]string{}
	for _, a := range all.aims() {
		verdicts[a.text] = a.verdict()
	}
	want := map[string]string{
		"resent, c64: Salve's alerts/s ÷ Alertmanager's": "NOT MET",
		"new, c64: Salve's alerts/s ÷ Alertmanager's":    "met",
		"new, c1: p50":         "met",
		"resent, c1: p50":      "NOT MET",
		"duplicates, c1: p50":  "not measured",
		"new, c64: p99":        "met",
		"resent, c64: p99":     "NOT MET",
		"duplicates, c64: p99": "not measured",
	}
	if diff := cmp.Diff(want, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

func TestReportTellsFailuresAndStages(t *testing.T) {
	r := measured("salve", "new", "c64", 1000, 10*time.Millisecond)
	r.failures = map[string]int{"status 503: queue full": 12}
	r.spent.stages = stages{"commit": {2, 1000}, "claim": {1, 1000}, batchMetric: {16_000, 1000}}
	r.spent.cpu = cpuTime{client: time.Second, machine: time.Hour}
	var out strings.Builder
	report{&out, results{r}, nil, nil, options{shapes: shapes([]int{64})}}.print()
	for _, want := range []string{
		"FAILED salve new c64: 12 × status 503: queue full",
		"batch  claim  commit  http    sum",
		" 16.0   1.00    2.00  7.00  10.00",
		"new, c64: p99",
		"busy with other work",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestOptions(t *testing.T) {
	for name, tc := range map[string]struct{ args, reason string }{
		"defaults":        {"", ""},
		"narrowed":        {"-d 1s -c 1,64 -only salve,new,c64", ""},
		"too short":       {"-d 1ms", "want 100ms to 1m"},
		"too long":        {"-d 1h", "want 100ms to 1m"},
		"no number":       {"-c one", "want different numbers from 1 to 1024"},
		"twice the same":  {"-c 1,1", "want different numbers"},
		"too many":        {"-c 100000", "want different numbers"},
		"unknown word":    {"-only salve,old", `"old" is none of salve, alertmanager`},
		"shape not there": {"-c 1 -only c64", `"c64" is none of`},
		"stray word":      {"fast", "there are only flags"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseOptions(strings.Fields(tc.args), io.Discard)
			if (tc.reason == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tc.reason)) {
				t.Errorf("error %v, want %q", err, tc.reason)
			}
		})
	}
}

func TestOnlyNarrowsEachKindOfNameByItself(t *testing.T) {
	o, err := parseOptions([]string{"-only", "salve,new,c16,b100"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range o.cells(&target{name: "salve"}, loads()) {
		names = append(names, c.String())
	}
	if diff := cmp.Diff([]string{"salve new c16", "salve new b100"}, names); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if o.only.target("http") || !o.only.target("salve") {
		t.Error("the targets were not narrowed")
	}
}

func TestOnlyNewIncidentsAreBoundedInNumber(t *testing.T) {
	o, err := parseOptions(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	keeps, forgets := &target{name: "salve"}, &target{name: "http", forgets: true}
	got := map[string]bool{}
	for _, c := range append(o.cells(keeps, loads()), o.cells(forgets, loads())...) {
		if c.shape.name == "b100" {
			got[c.String()] = o.boundsOf(c).most == maxAlerts
		}
	}
	want := map[string]bool{"salve new b100": true, "salve resent b100": false, "salve duplicates b100": false,
		"http new b100": false, "http resent b100": false, "http duplicates b100": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bounded cells (-want +got):\n%s", diff)
	}
}
