package diagnose_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
)

func TestObjectives(t *testing.T) {
	said := func(metrics string) string {
		return fact("aggregate", `{"service":"shop","window":{"start":"2026-11-23T03:00:00Z","end":"2026-11-23T03:15:00Z"},"sources":{"a":{"ok":true},"b":{"ok":true}},"metrics":{`+metrics+`}}`)
	}
	runFacts(t, []factCase{
		{name: "1 % of errors is not over 1 %", doc: said(`"error_rate_percent":1`), cause: "healthy"},
		{name: "1.01 % is", doc: said(`"error_rate_percent":1.01`), cause: "slo.error_rate", atLeast: 0.9},
		{name: "99.9 % is available", doc: said(`"availability":99.9`), cause: "healthy"},
		{name: "99.89 % is not", doc: said(`"availability":99.89`), cause: "slo.availability"},
		{name: "0.9989 is not", doc: said(`"availability":0.9989`), cause: "slo.availability", says: "99.89 %"},
		{name: "nothing is available", doc: said(`"availability":0`), cause: "slo.availability"},
		{name: "a second is not over a second", doc: said(`"p99_latency":1000`), cause: "healthy"},
		{name: "more is", doc: said(`"p99_latency":1001`), cause: "slo.latency"},
		{name: "with its unit", doc: said(`"p99_latency":"1.2s"`), cause: "slo.latency", says: "1200 ms", atLeast: 0.9},
		{name: "in milliseconds", doc: said(`"p99_latency":"450ms"`), cause: "healthy"},
		{name: "by size: seconds, and not sure", doc: said(`"p99_latency":1.2`), cause: "slo.latency", atMost: 0.65, says: "the unit of p99_latency"},
		{name: "by size: nobody knows", doc: said(`"p99_latency":25`), cause: "unknown", says: "seconds or milliseconds"},
		{name: "a lower percentile is over it: so is the 99th", doc: said(`"p95_latency_ms":1400,"p50_latency_ms":100`), cause: "slo.latency", says: "p95 is 1400 ms"},
		{name: "the 99.9th is not the 99th", doc: said(`"p999_latency_ms":1400,"p99_latency_ms":300`), cause: "healthy"},
		{name: "a percentage in its value", doc: said(`"error_rate":"0.4%"`), cause: "healthy"},
		{name: "a share of 5 %", doc: said(`"error_rate":0.05`), cause: "slo.error_rate", atMost: 0.65},
		{name: "a share of 5 % by what is missing", doc: said(`"error_rate":0.05,"availability":95.1`), cause: "slo.error_rate", atLeast: 0.9, says: "5 %"},
		{name: "a share by its name", doc: said(`"error_ratio":0.4`), cause: "slo.error_rate", atLeast: 0.9, says: "40 %"},
		{name: "half a percent or half of all", doc: said(`"error_rate":0.5`), cause: "unknown", says: "percent or share"},
		{name: "counted", doc: said(`"requests_total":2000,"errors_total":50`), cause: "slo.error_rate", says: "2.5 %"},
		{name: "the objective is no measurement", doc: said(`"availability_target":99,"availability":99.95`), cause: "healthy"},
		{name: "a dependency's errors are not its own", doc: said(`"dependency_error_rate_percent":40,"error_rate_percent":0.1`), cause: "healthy"},
		{name: "more than all", doc: said(`"error_rate":400`), cause: "unknown", says: "makes no sense"},
		{name: "less than nothing", doc: said(`"availability":-1`), cause: "unknown", says: "makes no sense"},
		{name: "no objective", doc: said(`"cpu":40`), cause: "unknown", says: "nothing was measured that has an objective"},
		{name: "twice the load is no surge", doc: said(`"p99_ms":2000,"rps":600,"baseline_rps":300`), cause: "slo.latency", says: "what changed"},
		{name: "more is", doc: said(`"p99_ms":2000,"rps":601,"baseline_rps":300`), cause: "slo.latency", says: "of more load than usual"},
		{name: "90 % of the CPU is not saturated", doc: said(`"p99_ms":2000,"cpu":90`), cause: "slo.latency", says: "what changed"},
	})
	aggregate := func(sources, deployments string) string {
		return fact("aggregate", `{"service":"shop","window":{"start":"2026-11-23T03:00:00Z","end":"2026-11-23T03:15:00Z"},"metrics":{"error_rate":5},"sources":{`+sources+`},"deployments":[`+deployments+`]}`)
	}
	runFacts(t, []factCase{
		{name: "one source", doc: aggregate(`"a":{"ok":true}`, ``), cause: "slo.error_rate", atLeast: 0.8, atMost: 0.8},
		{name: "a source that says nothing of itself", doc: aggregate(`"a":{"as_of":"2026-11-23T03:10:00Z"},"b":"ok"`, ``), cause: "slo.error_rate", atLeast: 0.9},
		{name: "a source that has been silent since before the window", doc: aggregate(`"a":{"ok":true,"as_of":"2026-11-23T02:59:00Z"}`, ``), cause: "slo.error_rate", atMost: 0.35, says: "nothing since"},
		{name: "a source with an error", doc: aggregate(`"a":{"ok":true,"error":"500"}`, ``), cause: "slo.error_rate", atMost: 0.35, says: "a (500)"},
		{name: "half an hour before the window", doc: aggregate(``, `{"service":"shop","version":"v2","at":"2026-11-23T02:30:00Z"}`), cause: "slo.error_rate", says: "of the deployment of shop v2 at 02:30Z"},
		{name: "a minute earlier", doc: aggregate(``, `{"service":"shop","version":"v2","at":"2026-11-23T02:29:00Z"}`), cause: "slo.error_rate", says: "what changed"},
		{name: "after it", doc: aggregate(``, `{"service":"shop","version":"v2","at":"2026-11-23T03:15:01Z"}`), cause: "slo.error_rate", says: "what changed"},
		{name: "the newest of two", doc: aggregate(``, `{"version":"v3","at":"2026-11-23T03:02:00Z"},{"version":"v2","at":"2026-11-23T02:50:00Z"}`), cause: "slo.error_rate", says: "of the deployment of v3"},
	})
}

func TestDatabases(t *testing.T) {
	db := func(more string) string {
		return fact("db", `{"engine":"postgres","cluster":"orders",`+more+`}`)
	}
	members := func(list ...string) string {
		var out []string
		for i, m := range list {
			role, state, _ := strings.Cut(m, "/")
			state, lag, _ := strings.Cut(state, "/")
			out = append(out, fmt.Sprintf(`{"name":"pg-%d","role":%q,"state":%q,"lagMB":%s}`, i+1, role, state, or(lag, "null")))
		}
		return db(`"members":[` + strings.Join(out, ",") + `]`)
	}
	runFacts(t, []factCase{
		{name: "one of two primaries runs", doc: members("Leader/stopped", "Leader/running"), cause: "unknown", says: "pg-1 is stopped"},
		{name: "the primary starts", doc: members("Leader/starting", "Replica/running"), cause: "db.primary_down", atMost: 0.8},
		{name: "the primary is in a state that nobody knows", doc: members("Leader/dancing", "Replica/running"), cause: "unknown", says: "dancing"},
		{name: "roles are not known", doc: members("/running", "/running"), cause: "healthy"},
		{name: "MongoDB says it in the state", doc: members("/PRIMARY", "/SECONDARY"), cause: "healthy"},
		{name: "no primary, and replicas stream", doc: members("replica/streaming", "replica/streaming"), cause: "healthy"},
		{name: "no primary among two", doc: members("replica/running", "replica/running"), cause: "db.primary_down", atLeast: 0.95},
		{name: "no primary among one", doc: members("replica/running"), cause: "db.primary_down", atMost: 0.5, says: "all members"},
		{name: "it says so itself", doc: db(`"status":"no leader"`), cause: "db.primary_down"},
		{name: "a replica is down", doc: members("Leader/running", "Replica/stopped"), cause: "unknown", says: "pg-2 is stopped"},
		{name: "100 MB are not over 100 MB", doc: members("Leader/running", "Replica/streaming/100"), cause: "healthy"},
		{name: "101 are", doc: members("Leader/running", "Replica/streaming/101"), cause: "db.replication_lag"},
		{name: "a leader has no lag", doc: members("Leader/running/500", "Replica/streaming/0"), cause: "healthy"},
		{name: "the furthest behind is named", doc: members("Leader/running", "Replica/streaming/200", "Replica/streaming/900"), cause: "db.replication_lag", says: "pg-3 is 900 MB behind"},
		{name: "30 seconds are not over 30", doc: db(`"replicationLagSeconds":30`), cause: "healthy"},
		{name: "31 are", doc: db(`"replicationLagSeconds":31`), cause: "db.replication_lag"},
		{name: "a member's seconds", doc: db(`"members":[{"name":"a","role":"primary","state":"running"},{"name":"b","role":"replica","state":"streaming","lagSeconds":31}]`), cause: "db.replication_lag", says: "b is 31 seconds behind"},
		{name: "a member's seconds, and nothing left to receive", doc: db(`"members":[{"name":"a","role":"primary","state":"running"},{"name":"b","role":"replica","state":"streaming","lagSeconds":310,"lagMB":0}]`), cause: "healthy"},
		{name: "bytes", doc: db(`"members":[{"name":"a","role":"primary","state":"running"},{"name":"b","role":"replica","state":"streaming","lagBytes":115343360}]`), cause: "db.replication_lag", says: "b is 110 MB behind"},
		{name: "89.9 %", doc: db(`"connectionsUsed":899,"connectionsMax":1000`), cause: "healthy"},
		{name: "90 %", doc: db(`"connectionsUsed":900,"connectionsMax":1000`), cause: "db.connections_exhausted", says: "hardly a connection left"},
		{name: "all", doc: db(`"connectionsUsed":1000,"connectionsMax":1000`), cause: "db.connections_exhausted", says: "refuses connections"},
		{name: "in percent", doc: db(`"connectionsPercent":"95%"`), cause: "db.connections_exhausted"},
		{name: "of none", doc: db(`"connectionsUsed":5,"connectionsMax":0`), cause: "unknown"},
		{name: "negative", doc: db(`"connectionsUsed":-5,"connectionsMax":-5`), cause: "unknown"},
		{name: "many primaries are as they should be elsewhere", doc: fact("db", `{"engine":"galera","members":[{"name":"a","role":"primary","state":"synced"},{"name":"b","role":"primary","state":"synced"}]}`), cause: "healthy"},
	})
	two := sent(nil, nil, `"db":[{"engine":"postgres","cluster":"orders","members":[{"name":"a","role":"leader","state":"stopped"}]},{"engine":"postgres","cluster":"stock","replicationLagSeconds":90}]`)
	if d := diagnose.Diagnose(parse(t, two), diagnose.Question{}); d.Cause != "db.primary_down" || !slicesHas(d.Alternatives, "db.replication_lag") {
		t.Errorf("the lag of another database is no symptom: %s, %v", d.Cause, d.Alternatives)
	}
	lags := strings.ReplaceAll(two, "stock", "orders")
	if d := diagnose.Diagnose(parse(t, lags), diagnose.Question{}); d.Cause != "db.primary_down" || slicesHas(d.Alternatives, "db.replication_lag") {
		t.Errorf("the lag of the same database is a symptom: %s, %v", d.Cause, d.Alternatives)
	}
}

func TestUse(t *testing.T) {
	use := func(more string) string { return fact("usage", `{"host":"a",`+more+`}`) }
	runFacts(t, []factCase{
		{name: "90 % is not over 90 %", doc: use(`"cpuPercent":90,"memoryPercent":90`), cause: "healthy"},
		{name: "91 % of the CPU", doc: use(`"cpuPercent":91,"memoryPercent":50`), cause: "resource.cpu_saturated", atLeast: 0.9},
		{name: "91 % of the memory", doc: use(`"cpuPercent":50,"memoryPercent":91`), cause: "resource.memory_saturated", atLeast: 0.9},
		{name: "the one that is nearer to its end", doc: use(`"cpuPercent":92,"memoryPercent":97`), cause: "resource.memory_saturated"},
		{name: "as usual", doc: use(`"cpuPercent":95,"baselineCpuPercent":88,"memoryPercent":10`), cause: "healthy", says: "as usual"},
		{name: "more than usual", doc: use(`"cpuPercent":99,"baselineCpuPercent":81,"memoryPercent":10`), cause: "resource.cpu_saturated"},
		{name: "usual, but not busy by nature", doc: use(`"cpuPercent":95,"baselineCpuPercent":79,"memoryPercent":10`), cause: "resource.cpu_saturated"},
		{name: "three times the usual", doc: use(`"cpuPercent":75,"baselineCpuPercent":25,"memoryPercent":10`), cause: "healthy"},
		{name: "more than three times", doc: use(`"cpuPercent":76,"baselineCpuPercent":25,"memoryPercent":10`), cause: "resource.anomalous", atMost: 0.65},
		{name: "too little to matter", doc: use(`"cpuPercent":60,"baselineCpuPercent":2,"memoryPercent":10`), cause: "healthy"},
		{name: "memory far beyond the usual", doc: use(`"cpuPercent":10,"memoryPercent":85,"baselineMemoryPercent":20`), cause: "resource.anomalous"},
		{name: "the detector has given no reason", doc: use(`"cpuPercent":10,"anomaly":"true"`), cause: "resource.anomalous", atMost: 0.8, says: "the sender's detector says so"},
		{name: "a pool among the arguments", doc: use(`"cpuPercent":10,"processes":[{"command":"/usr/bin/update -o stratum+tcp://pool.example.net:3333"}]`), cause: "resource.anomalous", atLeast: 0.9},
		{name: "a name that only holds a miner's", doc: use(`"cpuPercent":10,"processes":["examinerd"]`), cause: "healthy"},
		{name: "shares or tiny percentages", doc: use(`"cpuPercent":0.95,"memoryPercent":0.4`), cause: "unknown", says: "percent of what"},
		{name: "a small one beside a large one", doc: use(`"cpuPercent":0.4,"memoryPercent":60`), cause: "healthy"},
		{name: "110 %", doc: use(`"cpuPercent":110`), cause: "resource.cpu_saturated"},
		{name: "of one core", doc: use(`"cpuPercent":111`), cause: "unknown"},
		{name: "negative", doc: use(`"memoryPercent":-1`), cause: "unknown"},
		{name: "amounts", doc: use(`"cpu":"250m","memory":"512Mi"`), cause: "unknown"},
		{name: "a percentage as text", doc: use(`"cpu":"97%","memory":{"usedPercent":30}`), cause: "resource.cpu_saturated"},
	})
}

func TestAudits(t *testing.T) {
	found := func(kind, message string) string {
		return fact("security", fmt.Sprintf(`{"findings":[{"kind":%q,"object":"shop/web","severity":"high","message":%q}]}`, kind, message))
	}
	runFacts(t, []factCase{
		{name: "with its family", doc: found("security.exposed_secret", "x"), cause: "security.exposed_secret", atLeast: 0.9},
		{name: "in capitals", doc: found("PRIVILEGED-CONTAINER", "x"), cause: "security.privileged_container"},
		{name: "capabilities", doc: found("addedCapabilities", "x"), cause: "security.privileged_container"},
		{name: "overprivileged is access", doc: found("overprivileged-service-account", "x"), cause: "security.broad_access"},
		{name: "an open port", doc: found("open_port", "22 is open to 0.0.0.0/0"), cause: "security.broad_access"},
		{name: "its kind counts before its words", doc: found("vulnerable_image", "a privileged secret token"), cause: "security.vulnerable_image"},
		{name: "by its words alone", doc: found("misconfig", "RBAC: wildcard verbs"), cause: "security.broad_access", atMost: 0.65},
		{name: "neither", doc: found("style", "two spaces"), cause: "unknown"},
		{name: "ignored", doc: fact("security", `{"findings":[{"kind":"cve","severity":"high","status":"suppressed"}]}`), cause: "healthy"},
		{name: "the gravest of one kind", doc: fact("security", `{"findings":[{"kind":"cve","object":"a","severity":"high","message":"first"},{"kind":"cve","object":"b","severity":"critical","message":"second"}]}`),
			cause: "security.vulnerable_image", says: "severity critical on b"},
	})
}

// drawn is a series whose last point is now.
func drawn(metric string, every time.Duration, n int, value func(days float64) float64) string {
	var points []string
	for i := range n {
		at := now.Add(-every * time.Duration(n-1-i))
		points = append(points, fmt.Sprintf(`{"t":%q,"value":%.4f}`, at.Format(time.RFC3339), value(float64(i)*every.Hours()/24)))
	}
	return fmt.Sprintf(`{"metric":%q,"points":[%s]}`, metric, strings.Join(points, ","))
}

func usageOf(series ...string) string {
	return fact("usage", `{"host":"a","series":[`+strings.Join(series, ",")+`]}`)
}

func TestTrends(t *testing.T) {
	const day = 24 * time.Hour
	from := func(start, perDay float64) func(float64) float64 {
		return func(d float64) float64 { return start + perDay*d }
	}
	wave := func(start, perDay, swing float64) func(float64) float64 {
		return func(d float64) float64 { return start + perDay*d + swing*math.Sin(2*math.Pi*d) }
	}
	runFacts(t, []factCase{
		{name: "full within 30 days", doc: usageOf(drawn("diskPercent", day, 8, from(50, 1.5))), cause: "trend.disk_filling", says: "full in about 26 days", atLeast: 0.8},
		{name: "full after 30 days", doc: usageOf(drawn("diskPercent", day, 8, from(50, 1.2))), cause: "healthy"},
		{name: "emptier every day", doc: usageOf(drawn("diskPercent", day, 8, from(70, -2))), cause: "healthy"},
		{name: "five points", doc: usageOf(drawn("diskPercent", day, 5, from(50, 3))), cause: "unknown"},
		{name: "a few days are a guess", doc: usageOf(drawn("diskPercent", 6*time.Hour, 9, from(50, 3))), cause: "trend.disk_filling", atMost: 0.65, says: "over at least 7 days"},
		{name: "five hours", doc: usageOf(drawn("diskPercent", time.Hour, 6, from(50, 3))), cause: "unknown"},
		{name: "only the last week counts", doc: usageOf(drawn("diskPercent", day, 40, func(d float64) float64 { return min(20+1.2*d, 58) })), cause: "healthy"},
		{name: "noise", doc: usageOf(drawn("diskPercent", day, 8, func(d float64) float64 { return 60 + 0.4*d + 6*math.Mod(d*7, 3) })), cause: "healthy"},
		{name: "bytes of a known size", doc: fact("usage", `{"host":"a","series":[`+strings.Replace(drawn("diskUsedBytes", day, 8, from(60e9, 3e9)), `{"metric"`, `{"limit":100000000000,"metric"`, 1)+`]}`), cause: "trend.disk_filling", says: "2.7 GiB a day"},
		{name: "bytes of an unknown size", doc: usageOf(drawn("diskUsedBytes", day, 8, from(60e9, 3e9))), cause: "healthy"},
		{name: "what is free", doc: usageOf(drawn("diskFreePercent", day, 8, from(60, 3))), cause: "healthy"},

		{name: "80 % within 4 weeks", doc: usageOf(drawn("cpuPercent", day, 14, from(40, 1.2))), cause: "trend.cpu_rising", says: "reaches 80 % in about 20 days"},
		{name: "80 % later", doc: usageOf(drawn("cpuPercent", day, 14, from(40, 0.8))), cause: "healthy"},
		{name: "there already", doc: usageOf(drawn("cpuPercent", day, 14, from(70, 1))), cause: "trend.cpu_rising", says: "past 80 %"},
		{name: "there, and too much", doc: usageOf(drawn("cpuPercent", day, 14, from(80, 1))), cause: "trend.cpu_rising", says: "past 80 %"},
		{name: "as shares", doc: usageOf(drawn("cpu_utilization", day, 14, from(0.40, 0.012))), cause: "trend.cpu_rising"},
		{name: "under its waves", doc: usageOf(drawn("cpuPercent", 2*time.Hour, 121, wave(40, 2, 15))), cause: "trend.cpu_rising"},
		{name: "waves alone", doc: usageOf(drawn("cpuPercent", 2*time.Hour, 121, wave(40, 0, 15))), cause: "healthy"},
		{name: "four days of many points", doc: usageOf(drawn("cpuPercent", 2*time.Hour, 49, from(40, 4))), cause: "healthy"},
		{name: "as it was before it was turned down", doc: usageOf(drawn("cpuPercent", day, 30, func(d float64) float64 { return 75 - max(0, 15-d)*2.5 - max(0, d-15)*2 })), cause: "healthy"},

		{name: "memory in few hours", doc: usageOf(drawn("memoryPercent", 30*time.Minute, 25, from(40, 40))), cause: "trend.memory_leak", atMost: 0.65},
		{name: "memory that hardly grows", doc: usageOf(drawn("memoryPercent", day, 10, from(60, 0.9))), cause: "healthy"},
		{name: "memory that falls again", doc: usageOf(drawn("memoryPercent", day, 10, func(d float64) float64 { return 50 + 20*math.Sin(d/2) })), cause: "healthy"},
		{name: "memory beside a steady load", doc: usageOf(drawn("memoryPercent", day, 10, from(40, 4)), drawn("requests", day, 10, wave(300, 0, 0))), cause: "trend.memory_leak", atLeast: 0.8, says: "no rise"},
		{name: "memory beside a rising load", doc: usageOf(drawn("memoryPercent", day, 10, from(40, 4)), drawn("requests", day, 10, from(300, 30))), cause: "healthy"},
		{name: "memory beside a load that hardly rises", doc: usageOf(drawn("memoryPercent", day, 10, from(40, 4)), drawn("requests", day, 10, from(300, 3))), cause: "trend.memory_leak"},
		{name: "what is left of memory", doc: usageOf(drawn("memoryAvailablePercent", day, 10, from(40, 4))), cause: "healthy"},

		{name: "told: 30 days", doc: disksOf(mount(`"usePercent":50,"daysUntilFull":30`)), cause: "trend.disk_filling", atMost: 0.75},
		{name: "told: 31 days", doc: disksOf(mount(`"usePercent":50,"daysUntilFull":31`)), cause: "healthy"},
		{name: "told: points a day", doc: disksOf(mount(`"usePercent":70,"growthPercentPerDay":2`)), cause: "trend.disk_filling", says: "15 days"},
		{name: "told: it shrinks", doc: disksOf(mount(`"usePercent":70,"growthPercentPerDay":-2`)), cause: "healthy"},
		{name: "told: bytes without what is left", doc: disksOf(mount(`"sizeBytes":100000000000,"usedBytes":70000000000,"growthBytesPerDay":3000000000`)), cause: "trend.disk_filling", says: "10 days"},
		{name: "told: the CPU in a month", doc: fact("usage", `{"host":"a","cpuPercent":50,"cpuGrowthPercentPerMonth":5}`), cause: "healthy"},
		{name: "told: memory an hour", doc: fact("usage", `{"host":"a","memoryPercent":50,"memoryGrowthPercentPerHour":1}`), cause: "trend.memory_leak", atMost: 0.5, says: "falls again"},
	})
}

// TestTrendsAreBounded draws as much as evidence may hold.
func TestTrendsAreBounded(t *testing.T) {
	var all []string
	for i := range 20 {
		all = append(all, drawn(fmt.Sprintf("memory%d", i), time.Minute, 1_500, func(d float64) float64 { return 1e6 + d*1e6 }))
	}
	start := time.Now()
	diagnose.Diagnose(parse(t, usageOf(all...)), diagnose.Question{})
	if took := time.Since(start); took > time.Minute {
		t.Errorf("20 series of 1500 points took %s", took)
	}
}
