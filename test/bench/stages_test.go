package main

import (
	"slices"
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

// What Postgres 15 logs, with its prefix, parameters off.
const postgresLog = `2026-11-23 02:43:20.001 UTC [7] LOG:  checkpoint starting: time
2026-11-23 02:43:20.002 UTC [9] LOG:  duration: 0.250 ms  bind stmtcache_1: insert into incidents (id, key)
	select id, key from unnest($1::uuid[], $2::text[]) as n(id, key)
2026-11-23 02:43:20.003 UTC [9] LOG:  duration: 0.750 ms  execute stmtcache_1: insert into incidents (id, key)
	select id, key from unnest($1::uuid[], $2::text[]) as n(id, key)
2026-11-23 02:43:20.004 UTC [9] LOG:  duration: 0.500 ms  execute stmtcache_2: select id, number,
	state from intents
	where incident_id = any(array(select incident_id from alerts))
2026-11-23 02:43:20.005 UTC [9] LOG:  duration: 0.100 ms  execute <unnamed>: with done as (update alerts a set status = n.status
	from unnest($1::text[]) as n(status)) select 1
2026-11-23 02:43:20.006 UTC [9] LOG:  duration: 2.000 ms  statement: commit
2026-11-23 02:43:20.007 UTC [9] ERROR:  duration: of nothing
2026-11-23 02:43:20.008 UTC [9] LOG:  duration: 3.000 ms  execute stmtcache_3: commit
`

func TestStatementLog(t *testing.T) {
	want := []statementCost{
		{"commit", 2, 5 * time.Millisecond},
		{"insert incidents", 1, time.Millisecond},
		{"select intents", 1, 500 * time.Microsecond},
		{"update alerts", 1, 100 * time.Microsecond},
	}
	for _, size := range []int{1, 7, len(postgresLog)} {
		log := &statementLog{}
		log.restart()
		for chunk := range slices.Chunk([]byte(postgresLog), size) {
			if n, err := log.Write(chunk); n != len(chunk) || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
		if diff := cmp.Diff(want, log.sorted(), cmp.AllowUnexported(statementCost{})); diff != "" {
			t.Errorf("written by %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

func FuzzStatementLog(f *testing.F) {
	f.Add(postgresLog)
	f.Add("\n\t\nduration: 9999999999999999 ms  execute : x")
	f.Fuzz(func(t *testing.T, text string) {
		log := &statementLog{}
		log.restart()
		log.Write([]byte(text + "\n"))
		for _, c := range log.sorted() {
			if c.spent < 0 || c.name == "" {
				t.Errorf("%q costs %v under the name %q", text, c.spent, c.name)
			}
		}
	})
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
