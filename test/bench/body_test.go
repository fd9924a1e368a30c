package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var someStart = time.Date(2026, 11, 22, 3, 15, 0, 0, time.UTC)

// sent renders a request and reads it back with net/http and encoding/json,
// which share nothing with the rendering.
func sent(t *testing.T, tpl template, first, revision uint64) any {
	t.Helper()
	buf := tpl.buffer()
	tpl.render(buf, first, revision)
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(buf)))
	if err != nil {
		t.Fatalf("not an HTTP request: %v", err)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	return value
}

func TestNativeBody(t *testing.T) {
	tpl := newTemplate("/v1/alerts", "", 1, nativeBody(someStart))
	want := map[string]any{
		"severity": "critical", "service": "shop-00000000beef", "message": "Pod is restarting over and over",
		"source": "bench", "cluster": "bench", "namespace": "production", "status": "firing",
		"starts_at": "2026-11-22T03:15:00Z",
		"labels": map[string]any{
			"alertname": "KubePodCrashLooping", "cluster": "bench", "container": "app", "namespace": "production",
			"pod": "shop-00000000beef-7d9f5b8c6-x7k2m", "service": "shop-00000000beef", "severity": "critical",
		},
		"annotations": map[string]any{
			"message":     "Pod is restarting over and over, wording 0000000007",
			"runbook_url": "https://runbooks.example/KubePodCrashLooping",
		},
	}
	if diff := cmp.Diff(any(want), sent(t, tpl, 0xbeef, 7)); diff != "" {
		t.Errorf("native alert (-want +got):\n%s", diff)
	}
}

func TestBatchesHoldTheSameAlertsInBothForms(t *testing.T) {
	webhook := newTemplate("/v1/alerts/alertmanager", "", 100, webhookBody(100, someStart))
	postable := newTemplate("/api/v2/alerts", "", 100, postableBody(100, someStart))
	ours := sent(t, webhook, 0x1000, 3).(map[string]any)["alerts"].([]any)
	theirs := sent(t, postable, 0x1000, 3).([]any)
	if len(ours) != 100 || len(theirs) != 100 {
		t.Fatalf("%d and %d alerts, want 100 of each", len(ours), len(theirs))
	}
	fingerprints := map[any]bool{}
	for i := range ours {
		a, b := ours[i].(map[string]any), theirs[i].(map[string]any)
		if diff := cmp.Diff(a["labels"], b["labels"]); diff != "" {
			t.Errorf("labels of alert %d (-webhook +API):\n%s", i, diff)
		}
		if diff := cmp.Diff(a["annotations"], b["annotations"]); diff != "" {
			t.Errorf("annotations of alert %d (-webhook +API):\n%s", i, diff)
		}
		fingerprints[a["fingerprint"]] = true
	}
	if len(fingerprints) != 100 {
		t.Errorf("%d fingerprints among 100 alerts", len(fingerprints))
	}
	last := ours[99].(map[string]any)["labels"].(map[string]any)["service"]
	if last != "shop-000000001063" {
		t.Errorf("the last alert's service is %v", last)
	}
}

func TestRenderAgainIsTheSameBytes(t *testing.T) {
	tpl := newTemplate("/v1/alerts", "", 1, nativeBody(someStart))
	buf, again := tpl.buffer(), tpl.buffer()
	tpl.render(buf, 5, 0)
	tpl.render(again, 6, 1)
	if bytes.Equal(buf, again) {
		t.Error("another alert in another wording rendered the same bytes")
	}
	tpl.render(again, 5, 0)
	if !bytes.Equal(buf, again) {
		t.Error("an exact duplicate differs from its first delivery")
	}
}
