package redact_test

import (
	"encoding/json"
	"strings"
	"testing"

	"salve/internal/redact"
)

func BenchmarkJSON(b *testing.B) {
	alert := `{"status":"firing","labels":{"alertname":"KubePodCrashLooping","namespace":"production","pod":"api-gateway-7d9f5b8c6-x7k2m","container":"app","severity":"warning","env":"prod"},"annotations":{"description":"Pod production/api-gateway-7d9f5b8c6-x7k2m (app) is in waiting state (reason: \"CrashLoopBackOff\").","summary":"Pod is crash looping."},"startsAt":"2026-11-23T03:15:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"8f14e45fceea167a"}`
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"production"},"spec":{"containers":[{"name":"app","image":"registry.example.com/shop/app:1.2.3","env":[{"name":"A","value":"hunter2"}]}]},"status":{"phase":"Running"}}`
	for name, doc := range map[string]string{
		"alert":    alert,
		"evidence": `{"pods":[` + strings.Repeat(pod+",", 20) + pod + `]}`,
		"secrets":  `{"pods":[` + pod + `],"logs":[{"text":"` + strings.Repeat(`all is well password=x\n`, 50) + `"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			raw := json.RawMessage(doc)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := redact.JSON(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
