package diagnose_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
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
	return json.RawMessage(sent(pods, events, ownersJSON))
}

func BenchmarkParseEvidence(b *testing.B) {
	raw := benchEvidence()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		evidence.Parse(raw, now)
	}
}

func BenchmarkDiagnose(b *testing.B) {
	ev, _ := evidence.Parse(benchEvidence(), now)
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(ev, aboutDeployment())
	}
}

// BenchmarkDiagnoseNothing is the everyday case: an alert without evidence.
func BenchmarkDiagnoseNothing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(evidence.Evidence{ObservedAt: now}, aboutPod(apiPod))
	}
}
