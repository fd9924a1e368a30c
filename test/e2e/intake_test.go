//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A sender that Salve knows by name comes through n8n's one webhook, and one that it
// does not know is told which it knows.
func TestSourceThroughWebhook(t *testing.T) {
	s := newStory(t, "oom")
	payload, err := os.ReadFile("../../internal/intake/testdata/pagerduty-triggered.json")
	if err != nil {
		t.Fatal(err)
	}
	code, raw, err := theWorld.n8n.post(s.ctx, "salve-alert?source=pagerduty", json.RawMessage(payload))
	if err != nil || code != 200 {
		t.Fatalf("the webhook answered %d %s, %v", code, raw, err)
	}
	s.wantRows("it is PagerDuty's", `select a.source, i.service from alerts a join incidents i on i.id = a.incident_id where a.source = 'pagerduty'`, [][]string{{"pagerduty", "checkout"}})
	for source, want := range map[string]string{"nagios": "known: alertmanager, grafana", "../../v1/automation": "known: alertmanager, grafana", "Datadog": "known: alertmanager, grafana"} {
		code, raw, err := theWorld.n8n.post(s.ctx, "salve-alert?source="+source, json.RawMessage(payload))
		if err != nil || code < 400 || code > 499 || !strings.Contains(string(raw), want) {
			t.Errorf("source %s: %d %s, %v", source, code, raw, err)
		}
	}
}

// What n8n does not read as JSON by its type reaches Salve all the same: SNS sends
// text/plain, CloudEvents a type of its own. What is no JSON is refused, not lost.
func TestOtherTypesThroughWebhook(t *testing.T) {
	s := newStory(t, "oom")
	for file, tc := range map[string]struct{ source, contentType string }{
		"cloudwatch-alarm.json":       {"cloudwatch", "text/plain; charset=UTF-8"},
		"cloudevents-structured.json": {"cloudevents", "application/cloudevents+json; charset=UTF-8"},
		"cloudevents-batch.json":      {"cloudevents", "application/cloudevents-batch+json"},
	} {
		payload, err := os.ReadFile("../../internal/intake/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		code, raw, err := theWorld.n8n.postAs(s.ctx, "salve-alert?source="+tc.source, tc.contentType, payload)
		if err != nil || code != 200 || !strings.Contains(string(raw), `"accepted"`) && !strings.Contains(string(raw), `"duplicate"`) { // one event is in both
			t.Errorf("%s: %d %s, %v", file, code, raw, err)
		}
	}
	code, raw, err := theWorld.n8n.postAs(s.ctx, "salve-alert", "text/plain", []byte("the disk is full"))
	if err != nil || code < 400 || code > 499 {
		t.Errorf("a text was answered %d %s, %v", code, raw, err)
	}
}

// Whoever may post to the webhook may say anything of a cluster: n8n looks itself before
// anything is changed.
func TestPostedEvidenceIsNotTrusted(t *testing.T) {
	s := newStory(t, "oom")
	code, raw, err := theWorld.n8n.post(s.ctx, "salve-alert", object{"severity": "warning", "service": "posted", "message": "disk", "hostname": "web-77", "kind": "host.disk_full",
		"labels": object{"alertname": "Posted"}, "evidence": object{"disk": object{"host": "web-77", "filesystems": []object{{"mount": "/", "usePercent": 97}}}}})
	if err != nil || code != 200 {
		t.Fatalf("the webhook answered %d %s, %v", code, raw, err)
	}
	s.wantRows("it is looked at first", `select distinct effect from intents n join incidents i on i.id = n.incident_id where i.service = 'posted'`, [][]string{{"observe"}})
}
