package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const scraped = `# HELP salve_ingest_seconds Where an alert's time goes.
# TYPE salve_ingest_seconds histogram
salve_ingest_seconds_bucket{stage="commit",le="0.001"} 7
salve_ingest_seconds_sum{stage="commit"} 0.25
salve_ingest_seconds_count{stage="commit"} 50
salve_ingest_seconds_sum{lane="0",stage="queue"} 1
salve_ingest_seconds_count{lane="0",stage="queue"} 10
salve_ingest_seconds_sum{lane="1",stage="queue"} 2
salve_ingest_seconds_count{lane="1",stage="queue"} 20
salve_ingest_seconds_sum{stage="audit"} 1e-3
salve_ingest_seconds_count{stage="audit"} 1
salve_ingest_batch_size_sum 640
salve_ingest_batch_size_count 50
salve_ingest_seconds_total{stage="commit"} 9
go_goroutines 12
nonsense
`

func TestParseStages(t *testing.T) {
	got := parseStages([]byte(scraped))
	want := stages{"commit": {0.25, 50}, "queue": {3, 30}, "audit": {0.001, 1}, batchMetric: {640, 50}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(total{})); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"queue", "audit", "commit"}, got.names()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestStagesBetweenTwoScrapes(t *testing.T) {
	before := stages{"commit": {0.25, 50}}
	after := stages{"commit": {0.45, 150}, "queue": {0.3, 100}}
	between := after.minus(before)
	if got := between["commit"].mean(); got < 0.00199 || got > 0.00201 {
		t.Errorf("mean of commit is %v s, want 2 ms", got)
	}
	if got := between.rest(6 * time.Millisecond).Round(time.Microsecond); got != time.Millisecond {
		t.Errorf("left for HTTP: %v, want 1 ms", got)
	}
	if got := (total{}).mean(); got != 0 {
		t.Errorf("the mean of nothing is %v", got)
	}
}

func FuzzParseStages(f *testing.F) {
	f.Add(scraped)
	f.Add(" \n{ 1\nsalve_ingest_seconds_sum{stage=\" 1")
	f.Fuzz(func(t *testing.T, text string) { parseStages([]byte(text)).names() })
}

func TestParsePgbench(t *testing.T) {
	rate, err := parseRate("latency average = 2 ms\ntps = 15600.5 (without initial connection time)\n")
	if err != nil || rate != 15600.5 {
		t.Errorf("rate %v, %v", rate, err)
	}
	for _, out := range []string{"", "tps = fast\n", "tps = 0 (x)\n", "tps = NaN\n"} {
		if rate, err := parseRate(out); err == nil {
			t.Errorf("%q is read as %v", out, rate)
		}
	}
	var h histogram
	parseLog([]byte("0 1 1500 0 1795000000 1\n1 1 failed 0 1795000000 1\n\n2 7 500 0 1795000000 9\n"), &h)
	if h.count != 2 || h.mean() != time.Millisecond {
		t.Errorf("%d transactions, mean %v; want 2, 1ms", h.count, h.mean())
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add("0 1 1500 0 1795000000 1\n")
	f.Add("0 1 -9 0\n0 1 999999999999999999999 0")
	f.Fuzz(func(t *testing.T, text string) {
		var h histogram
		parseLog([]byte(text), &h)
		parseRate(text)
		if h.count > 0 && h.quantile(1) < 0 {
			t.Errorf("%q has a negative latency", text)
		}
	})
}
