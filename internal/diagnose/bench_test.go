package diagnose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
)

func benchEvidence() json.RawMessage {
	var pods, events []string
	for i := range 3 {
		name := fmt.Sprintf("api-gateway-7d9f5b8c6-%05d", i)
		pods = append(pods, oomPod(name))
		for j := range 10 {
			events = append(events, eventOn(name, "app", "Warning", "Unhealthy", live, j, time.Duration(j)*time.Minute))
		}
	}
	return json.RawMessage(evidence(pods, events, ownersJSON))
}

func BenchmarkParseEvidence(b *testing.B) {
	raw := benchEvidence()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		diagnose.ParseEvidence(raw, now)
	}
}

func BenchmarkDiagnose(b *testing.B) {
	ev, _ := diagnose.ParseEvidence(benchEvidence(), now)
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(ev, aboutDeployment())
	}
}

// BenchmarkDiagnoseNothing is the everyday case: an alert without evidence.
func BenchmarkDiagnoseNothing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(diagnose.Evidence{ObservedAt: now}, aboutPod(apiPod))
	}
}

func BenchmarkRedact(b *testing.B) {
	alert := `{"status":"firing","labels":{"alertname":"KubePodCrashLooping","namespace":"production","pod":"api-gateway-7d9f5b8c6-x7k2m","container":"app","severity":"warning","env":"prod"},"annotations":{"description":"Pod production/api-gateway-7d9f5b8c6-x7k2m (app) is in waiting state (reason: \"CrashLoopBackOff\").","summary":"Pod is crash looping."},"startsAt":"2026-11-23T03:15:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"8f14e45fceea167a"}`
	for name, doc := range map[string]string{
		"alert":    alert,
		"evidence": string(benchEvidence()),
		"secrets":  evidence([]string{pod{containers: app(`,"env":[{"name":"A","value":"hunter2"}]`)}.json()}, nil, `"logs":[{"text":"`+strings.Repeat("all is well password=x\\n", 50)+`"}]`),
	} {
		b.Run(name, func(b *testing.B) {
			raw := json.RawMessage(doc)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := diagnose.Redact(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
