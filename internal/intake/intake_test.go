package intake

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"salve/internal/incident"
)

var received = time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)

// input is a request with ids that count from one.
func input[T string | []byte](body T) Input {
	var n byte
	return Input{
		Body: []byte(body), DefaultCluster: "main", Subject: "n8n", ReceivedAt: received,
		IDs: func() incident.ID { n++; return incident.ID{15: n} },
	}
}

func payload(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// one parses a body that must hold one item.
func one(t *testing.T, source Source, in Input) Item {
	t.Helper()
	parsed, err := source.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Items) != 1 {
		t.Fatalf("%d items, want 1", len(parsed.Items))
	}
	return parsed.Items[0]
}

// accepted parses a body that must hold one alert that is taken.
func accepted(t *testing.T, source Source, in Input) incident.Event {
	t.Helper()
	item := one(t, source, in)
	if item.Rejected != nil {
		t.Fatalf("refused: %v", item.Rejected)
	}
	return item.Event
}

func alertmanager(tb testing.TB) Source {
	tb.Helper()
	source, err := Lookup("alertmanager")
	if err != nil {
		tb.Fatal(err)
	}
	return source
}

// firing is an alert of Alertmanager's webhook.
func firing(labels map[string]string) string {
	return `{"status":"firing","startsAt":"2026-03-14T09:00:00Z","labels":` + string(must(json.Marshal(labels))) + `}`
}
