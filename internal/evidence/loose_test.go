package evidence_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

// TestFactsInOtherWritings reads what is one fact in several writings.
func TestFactsInOtherWritings(t *testing.T) {
	disk := []evidence.Disk{{Host: "web-01", Filesystems: []evidence.Filesystem{{Mount: "/", SizeBytes: evidence.Of(100 << 30), UsePercent: evidence.Of(87)}}}}
	for _, doc := range []string{
		`{"disk":{"host":"web-01","filesystems":[{"mount":"/","sizeBytes":107374182400,"usePercent":87}]}}`,
		`{"disk":[{"hostname":"web-01","filesystems":{"mount_point":"/","size_bytes":"107374182400","use_percent":"87%"}}]}`,
		`{"disk":{"Host":"web-01:9100","filesystems":[{"mountedOn":"/","size":"100G","Used-Percent":"87"}]}}`,
		`{"disk":{"instance":"web-01:9100","mount":"/","size":"100 Gi","usePercent":87}}`,
	} {
		if diff := cmp.Diff(disk, parse(t, doc).Disks); diff != "" {
			t.Errorf("%s: %s", doc, diff)
		}
	}
	usage := []evidence.Usage{{Host: "a", CPUPercent: evidence.Of(91), MemoryPercent: evidence.Of(40), TopProcesses: []evidence.Process{{Name: "java"}}, Measured: map[string]evidence.Number{"load1": evidence.Of(7)}}}
	for _, doc := range []string{
		`{"usage":{"host":"a","cpuPercent":91,"memoryPercent":40,"topProcesses":[{"name":"java"}],"load1":7}}`,
		`{"usage":{"host":"a","cpu":"91%","mem":40,"process":"java","metrics":{"load1":"7"}}}`,
		`{"usage":{"node":"a","cpu":{"usedPercent":"91"},"ram":"40 %","processes":["java"],"load1":7,"ready":true}}`,
	} {
		if diff := cmp.Diff(usage, parse(t, doc).Usages); diff != "" {
			t.Errorf("%s: %s", doc, diff)
		}
	}
}

func TestFactsWhateverTheirForm(t *testing.T) {
	at := func(day int) evidence.Time {
		return evidence.Time{Time: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)}
	}
	points := []evidence.Point{{T: at(20), Value: evidence.Of(50)}, {T: at(21), Value: evidence.Of(52.5)}}
	for _, c := range []struct {
		name, doc string
		of        func(evidence.Evidence) any
		want      any
	}{
		{"samples", `{"usage":{"history":[{"date":"2026-11-20","cpuPercent":50},{"date":"2026-11-21","cpuPercent":"52.5"}]}}`,
			func(e evidence.Evidence) any { return e.Usages[0].Series }, []evidence.Series{{Metric: "cpuPercent", Points: points}}},
		{"samples of one metric", `{"usage":{"metric":"memoryPercent","samples":[["2026-11-20T00:00:00Z",50],["2026-11-21T00:00:00Z","52.5"]]}}`,
			func(e evidence.Evidence) any { return e.Usages[0].Series }, []evidence.Series{{Metric: "memoryPercent", Points: points}}},
		{"Prometheus' answer", `{"usage":{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu","instance":"a:9100"},"values":[[1795132800,"50"],[1795219200,"52.5"]]}]}}}`,
			func(e evidence.Evidence) any { return e.Usages[0].Series }, []evidence.Series{{Metric: "cpu", About: "a:9100", Points: points}}},
		{"its inner part, under a query", `{"usage":{"prometheus":{"query":"avg(mem)","result":[{"metric":{},"values":[[1795132800,"50"],[1795219200,"52.5"]]}]}}}`,
			func(e evidence.Evidence) any { return e.Usages[0].Series }, []evidence.Series{{Metric: "avg(mem)", Points: points}}},
		{"NaN is no value", `{"usage":{"series":[{"metric":"x","values":[[1795132800,"NaN"],[1795219200,"52.5"]]}]}}`,
			func(e evidence.Evidence) any { return e.Usages[0].Series }, []evidence.Series{{Metric: "x", Points: []evidence.Point{{T: at(20)}, points[1]}}}},
		{"samples of a file system", `{"disk":{"host":"a","filesystems":[{"mount":"/","sizeBytes":1000,"history":[{"t":"2026-11-20","usedBytes":50},{"t":"2026-11-21","usedBytes":52.5}]}]}}`,
			func(e evidence.Evidence) any { return e.Usages }, []evidence.Usage{{Host: "a", Series: []evidence.Series{{Metric: "disk usedBytes", About: "/", Limit: evidence.Of(1000), Points: points}}}}},
		{"a disk among other use", `{"usage":{"host":"a","diskPercent":93,"daysUntilFull":4}}`,
			func(e evidence.Evidence) any { return e.Disks }, []evidence.Disk{{Host: "a", Filesystems: []evidence.Filesystem{{UsePercent: evidence.Of(93), DaysUntilFull: evidence.Of(4)}}}}},
		{"units beside values", `{"aggregate":{"service":"s","metrics":{"p99":"1.2s","p50":"30ms","error_rate":"0.4%"},"availability":99.9}}`,
			func(e evidence.Evidence) any { return e.Aggregates[0].Metrics }, map[string]evidence.Number{"p99_seconds": evidence.Of(1.2), "p50_ms": evidence.Of(30), "error_rate_percent": evidence.Of(0.4), "availability": evidence.Of(99.9)}},
		{"sources in a word", `{"aggregate":{"sources":{"a":true,"b":"timeout","c":{"as_of":"2026-11-20"},"d":{"status":"error"}}}}`,
			func(e evidence.Evidence) any { return e.Aggregates[0].Sources }, map[string]evidence.Source{"a": {OK: true}, "b": {Error: "timeout"}, "c": {OK: true, AsOf: at(20)}, "d": {Error: "error"}}},
		{"connections together", `{"db":{"connections":{"used":9,"max":10},"lagSeconds":3}}`,
			func(e evidence.Evidence) any { return e.DBs[0] }, evidence.DB{ConnectionsUsed: evidence.Of(9), ConnectionsMax: evidence.Of(10), ReplicationLagSeconds: evidence.Of(3)}},
		{"an issuer in parts", `{"certificate":{"subject":"a","issuer":{"commonName":"R3","organization":"Let's Encrypt"},"san":"a"}}`,
			func(e evidence.Evidence) any { return e.Certificates[0] }, evidence.Certificate{Subject: "a", Issuer: "CN=R3, O=Let's Encrypt", DNSNames: []string{"a"}}},
		{"a state with its sub-state", `{"service":{"name":"a.service","status":"failed (Result: exit-code)"}}`,
			func(e evidence.Evidence) any { return e.Services[0] }, evidence.Service{Unit: "a.service", ActiveState: "failed", SubState: "failed", Result: "exit-code"}},
		{"a name itself before its other names", `{"backup":{"lastRun":"2026-11-20","lastAttempt":"2026-11-21"}}`,
			func(e evidence.Evidence) any { return e.Backups[0].LastAttempt }, at(21)},
		{"audit findings by other names", `{"security":{"results":[{"type":"cve","target":"x","level":"high","title":"y"}]}}`,
			func(e evidence.Evidence) any { return e.Findings }, []evidence.Finding{{Kind: "cve", Object: "x", Severity: "high", Message: "y"}}},
		{"no findings were found", `{"security":{"findings":[]}}`, func(e evidence.Evidence) any { return e.Findings }, []evidence.Finding{}},
		{"use of a pod beside its limits", `{"pods":` + `{"kind":"Pod","metadata":{"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c","resources":{"limits":{"memory":"100Mi","cpu":"1"}}}]}}` +
			`,"usage":{"kind":"PodMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"name":"p","namespace":"n"},"containers":[{"name":"c","usage":{"cpu":"250m","memory":"90Mi"}}]}}`,
			func(e evidence.Evidence) any { return e.Usages }, []evidence.Usage{{Namespace: "n", Kind: "Pod", Name: "p", Container: "c", CPUPercent: evidence.Of(25), MemoryPercent: evidence.Of(90), CPUMillicores: evidence.Of(250), MemoryBytes: evidence.Of(90 << 20)}}},
		{"use of nodes, of which one is known", `{"nodes":{"kind":"Node","metadata":{"name":"a"},"status":{"capacity":{"cpu":"2","memory":"1Gi"}}},"usage":{"kind":"NodeMetricsList","apiVersion":"metrics.k8s.io/v1beta1","items":[{"metadata":{"name":"a"},"usage":{"cpu":"1","memory":"512Mi"}}]}}`,
			func(e evidence.Evidence) any { return e.Usages }, []evidence.Usage{{Kind: "Node", Name: "a", CPUPercent: evidence.Of(50), MemoryPercent: evidence.Of(50), CPUMillicores: evidence.Of(1000), MemoryBytes: evidence.Of(512 << 20)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.of(parse(t, c.doc))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsWrongInAFactIsNamed: the rest is used.
func TestWhatIsWrongInAFactIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		want      []evidence.Problem
		left      func(evidence.Evidence) bool
	}{
		{"a number", `{"disk":{"host":"a","filesystems":[{"mount":"/","usePercent":"many"},{"mount":"/data","usePercent":3}]}}`,
			[]evidence.Problem{{"/disk/filesystems/0/usePercent", `"many" is not a number`}}, func(e evidence.Evidence) bool { return len(e.Disks[0].Filesystems) == 2 && e.Disks[0].Host == "a" }},
		{"a time", `{"backup":{"name":"x","lastSuccess":"soon","status":"ok"}}`,
			[]evidence.Problem{{"/backup/lastSuccess", `"soon" is not a time such as 2026-11-23T03:15:00Z`}}, func(e evidence.Evidence) bool { return e.Backups[0].Status == "ok" }},
		{"a list instead of a name", `{"service":{"unit":["a"],"activeState":"failed"}}`,
			[]evidence.Problem{{"/service/unit", "must be a string"}}, func(e evidence.Evidence) bool { return e.Services[0].ActiveState == "failed" }},
		{"a metric", `{"aggregate":{"service":"s","metrics":{"availability":99,"p99":"fast"}}}`,
			[]evidence.Problem{{"/aggregate/metrics/p99", "must be a number"}}, func(e evidence.Evidence) bool { return e.Aggregates[0].Metrics["availability"].Known }},
		{"a member", `{"db":{"members":["pg-1",{"name":"pg-2"},5]}}`,
			[]evidence.Problem{{"/db/members/2", "must be an object"}}, func(e evidence.Evidence) bool { return len(e.DBs[0].Members) == 2 }},
		{"an object that is read elsewhere", `{"service":[{"kind":"Service","apiVersion":"v1","metadata":{"name":"web"}},{"unit":"a"}]}`,
			[]evidence.Problem{{"/service/0", "a Service of v1 is not read here"}}, func(e evidence.Evidence) bool { return len(e.Services) == 1 }},
		{"a sample without a time", `{"usage":{"cpuPercent":3,"history":[{"cpuPercent":1}]}}`,
			[]evidence.Problem{{"/usage/history/0", "a sample needs the time t at which it was measured"}}, func(e evidence.Evidence) bool { return e.Usages[0].CPUPercent.Known }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev, problems := evidence.Parse(json.RawMessage(c.doc), now)
			if diff := cmp.Diff(c.want, problems); diff != "" {
				t.Error(diff)
			}
			if !c.left(ev) {
				t.Errorf("the rest is lost: %+v", ev)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]evidence.Number{
		`5`: evidence.Of(5), `"5"`: evidence.Of(5), `"87%"`: evidence.Of(87), `"45G"`: evidence.Of(45 << 30), `"1.5 KB"`: evidence.Of(1500), `null`: {}, `"unknown"`: {}, `"N/A"`: {}, `"-"`: {},
	} {
		var n evidence.Number
		if err := json.Unmarshal([]byte(text), &n); err != nil || n != want {
			t.Errorf("%s is %v (%v), want %v", text, n, err, want)
		}
	}
	for _, text := range []string{`"NaN"`, `"Inf"`, `"five"`, `1e30`, `"5 apples"`, `true`} {
		var n evidence.Number
		if json.Unmarshal([]byte(text), &n) == nil {
			t.Errorf("%s is %v", text, n)
		}
	}
}

// TestFactsAreBounded gives facts with more parts than any sender has.
func TestFactsAreBounded(t *testing.T) {
	ev, problems := evidence.Parse(json.RawMessage(`{"db":{"members":[`+strings.Repeat(`{"name":"a"},`, 30_000)+`{}]}}`), now)
	if len(problems) != 1 || len(ev.DBs[0].Members) != 20_000 {
		t.Errorf("%d members and problems %v", len(ev.DBs[0].Members), problems)
	}
	deep := strings.Repeat(`{"disk":`, 5_000) + `1` + strings.Repeat(`}`, 5_000)
	if _, problems := evidence.Parse(json.RawMessage(`{"usage":`+deep+`}`), now); len(problems) > 1 {
		t.Errorf("%d problems", len(problems))
	}
}
