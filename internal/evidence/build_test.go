package evidence_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/evidence"
)

var now = time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC)

const (
	live  = "Liveness probe failed: HTTP probe failed with statuscode: 503"
	ready = "Readiness probe failed: connection refused"
)

func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

func podJSON(name, uid, phase string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"production","uid":%q,
 "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-gateway-7d9f5b8c6","uid":"rs-1","controller":true}]},
 "status":{"phase":%q}}`, name, uid, phase)
}

func warn(reason, message string, count int, last time.Duration) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Event","metadata":{"name":"e","namespace":"production","uid":"%s-%d"},
 "involvedObject":{"kind":"Pod","name":"a","namespace":"production"},"type":"Warning","reason":%q,"message":%q,"count":%d,"lastTimestamp":%q}`,
		reason, last, reason, message, count, ago(last))
}

const ownersJSON = `"replicaSets":[{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"api-gateway-7d9f5b8c6","namespace":"production","uid":"rs-1"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"api-gateway"}}},"status":{"replicas":3}}]`

func doc(pods, events []string, more ...string) string {
	parts := []string{fmt.Sprintf(`"observedAt":%q`, ago(0))}
	if pods != nil {
		parts = append(parts, `"pods":[`+strings.Join(pods, ",")+`]`)
	}
	if events != nil {
		parts = append(parts, `"events":[`+strings.Join(events, ",")+`]`)
	}
	return "{" + strings.Join(append(parts, more...), ",") + "}"
}

func parse(t testing.TB, doc string) evidence.Evidence {
	t.Helper()
	ev, problems := evidence.Parse(json.RawMessage(doc), now)
	if len(problems) > 0 {
		t.Fatalf("evidence has problems: %v\n%s", problems, doc)
	}
	return ev
}
