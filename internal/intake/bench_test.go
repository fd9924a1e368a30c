package intake

import (
	"strings"
	"testing"

	"salve/internal/incident"
)

const benchAlert = `{"severity":"critical","service":"shop-0123456789ab","message":"Pod is restarting over and over","source":"bench",` +
	`"cluster":"bench","namespace":"production","status":"firing","starts_at":"2026-01-02T03:04:05Z","labels":{"alertname":"KubePodCrashLooping",` +
	`"cluster":"bench","container":"app","namespace":"production","pod":"shop-0123456789ab-7d9f5b8c6-x7k2m","service":"shop-0123456789ab",` +
	`"severity":"critical"},"annotations":{"message":"Pod is restarting over and over, wording 0123456789","runbook_url":"https://runbooks.example/KubePodCrashLooping"}}`

func BenchmarkNativeOne(b *testing.B)     { benchmark(b, Native(), []byte(benchAlert)) }
func BenchmarkNativeHundred(b *testing.B) { benchmark(b, Native(), many(benchAlert, 100)) }

func BenchmarkAlertmanagerGroup(b *testing.B) {
	source := alertmanager(b)
	benchmark(b, source, payload(b, "alertmanager-0.34-kube-prometheus.json"))
}

func benchmark(b *testing.B, source Source, body []byte) {
	in := input(body)
	in.IDs = func() incident.ID { return incident.ID{1} }
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		parsed, err := source.Parse(in)
		if err != nil || parsed.Items[0].Rejected != nil {
			b.Fatal(err, parsed.Items[0].Rejected)
		}
		n += len(parsed.Items)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/alert")
}

func many(item string, n int) []byte {
	return []byte("[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]")
}
