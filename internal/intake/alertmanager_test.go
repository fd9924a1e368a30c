package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

func TestWebhookWholeEvent(t *testing.T) {
	body := payload(t, "alertmanager-0.34-firing-group.json")
	parsed, err := alertmanager(t).Parse(input(body))
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Alerts []json.RawMessage }
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	starts := time.Date(2026, 3, 14, 9, 26, 53, 589_000_000, time.UTC)
	want := incident.Event{
		ID: incident.ID{15: 1}, Kind: incident.AlertEvent, Source: "alertmanager", Subject: "n8n", ReceivedAt: received,
		Episode: episode("alertmanager", "main", "0f420edc133f3b32", starts), Status: incident.Firing, Fingerprint: "0f420edc133f3b32",
		StartsAt: starts, Name: "KubePodCrashLooping", Severity: incident.Warning, Message: "Pod is crash looping.",
		Target: incident.Target{Cluster: "main", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m", Container: "app"},
		Family: "pod",
		Labels: map[string]string{
			"alertname": "KubePodCrashLooping", "container": "app", "endpoint": "https-main", "instance": "10.244.1.7:8443",
			"job": "kube-state-metrics", "namespace": "production", "pod": "api-gateway-7d9f5b8c6-x7k2m", "prometheus": "monitoring/k8s",
			"reason": "CrashLoopBackOff", "service": "kube-state-metrics", "severity": "warning", "uid": "6f1f8b1e-5d0f-4c5e-9d4b-0a8f3f1c2d3e",
		},
		Annotations: map[string]string{
			"description": `Pod production/api-gateway-7d9f5b8c6-x7k2m (app) is in waiting state (reason: "CrashLoopBackOff") on cluster .`,
			"runbook_url": "https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping", "summary": "Pod is crash looping.",
		},
		Payload: sent.Alerts[0],
	}
	if diff := cmp.Diff(want, parsed.Items[0].Event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if len(parsed.Items) != 2 || parsed.Items[1].Event.Episode == want.Episode {
		t.Errorf("want a second alert with an episode of its own, got %+v", parsed.Items[1:])
	}
}

// seen is what one alert of a payload comes to.
type seen struct {
	Name, Severity, Status, Target, Service, Family string
	Suppressed                                      bool
}

func summary(t *testing.T, items []Item) []seen {
	t.Helper()
	var all []seen
	for _, item := range items {
		e := item.Event
		where := strings.Trim(strings.Join([]string{e.Target.Cluster, e.Target.Namespace, e.Target.Kind, e.Target.Name + e.Target.Host + e.Target.Service}, " "), " ")
		all = append(all, seen{e.Name, string(e.Severity), string(e.Status), where, e.Service, e.Family, item.Suppress != ""})
	}
	return all
}

func TestWebhookPayloads(t *testing.T) {
	crash := func(pod, status string) seen {
		return seen{"KubePodCrashLooping", "warning", status, "main production Pod " + pod, "", "pod", false}
	}
	one, two, three := "api-gateway-7d9f5b8c6-x7k2m", "api-gateway-7d9f5b8c6-q9x4t", "checkout-5c6d7f8b9-2kq8w"
	tests := []struct {
		file  string
		want  []seen
		notes []string
	}{
		{"alertmanager-0.34-firing-group.json", []seen{crash(one, "firing"), crash(two, "firing")}, nil},
		{"alertmanager-0.34-mixed.json", []seen{crash(one, "firing"), crash(two, "firing"), crash(three, "resolved")}, nil},
		{"alertmanager-0.34-truncated.json", []seen{crash(one, "firing")}, []string{"Alertmanager left out 7 alerts of this group (max_alerts)"}},
		{"alertmanager-0.34-minimal.json", []seen{{"SomethingIsWrong", "warning", "firing", "main  Service SomethingIsWrong", "", "unknown", false}}, nil},
		{"alertmanager-0.25.json", []seen{crash(one, "firing")}, nil},
		{"alertmanager-0.34-kube-prometheus.json", []seen{
			{"Watchdog", "info", "firing", "main  Service Watchdog", "", "watchdog", true},
			{"InfoInhibitor", "info", "firing", "main  Namespace production", "", "watchdog", true},
			{"KubePodNotReady", "warning", "firing", "main production Pod payments-0", "", "pod", false},
			{"KubeDeploymentReplicasMismatch", "warning", "firing", "main production Deployment api-gateway", "", "workload", false},
			{"KubeNodeNotReady", "warning", "firing", "main  Node worker-3.example.com", "", "node", false},
			{"NodeFilesystemSpaceFillingUp", "critical", "firing", "main  Host 10.0.0.12", "", "trend", false},
			{"KubePersistentVolumeFillingUp", "critical", "firing", "main production PersistentVolumeClaim data-postgres-0", "", "trend", false},
			{"KubeJobFailed", "warning", "firing", "main batch Job nightly-report-29012345", "", "job", false},
			{"KubeQuotaExceeded", "warning", "firing", "eu-1  Namespace production", "", "workload", false},
			{"KubeCPUOvercommit", "warning", "firing", "main  Service KubeCPUOvercommit", "", "resource", false},
			{"TargetDown", "warning", "firing", "main production Service api-gateway", "api-gateway", "service", false},
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			parsed, err := alertmanager(t).Parse(input(payload(t, tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summary(t, parsed.Items)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, parsed.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

// Firing and resolved are one episode with two statuses; the version that sent
// it does not matter.
func TestWebhookEpisodeAcrossDeliveries(t *testing.T) {
	first := func(file string) incident.Event {
		return must(alertmanager(t).Parse(input(payload(t, file)))).Items[0].Event
	}
	a, b := first("alertmanager-0.25.json"), first("alertmanager-0.34-firing-group.json")
	resolved := strings.Replace(strings.Replace(string(payload(t, "alertmanager-0.25.json")), `"status": "firing",
      "labels"`, `"status": "resolved",
      "labels"`, 1), "0001-01-01T00:00:00Z", "2026-03-14T09:29:00Z", 1)
	c := one(t, alertmanager(t), input(resolved)).Event
	if a.Episode != b.Episode || a.Episode != c.Episode {
		t.Errorf("three deliveries of one episode: %x %x %x", a.Episode, b.Episode, c.Episode)
	}
	if c.Status != incident.Resolved || c.EndsAt.IsZero() || !a.EndsAt.IsZero() {
		t.Errorf("resolved: %s, ends %s; firing ends %s", c.Status, c.EndsAt, a.EndsAt)
	}
	again := one(t, alertmanager(t), input(strings.Replace(resolved, "09:26:53.589Z", "09:26:53.590Z", 1))).Event
	if again.Fingerprint != c.Fingerprint || again.Episode == c.Episode {
		t.Error("a recurrence has the same fingerprint and another episode")
	}
}

func TestWebhookBodyErrors(t *testing.T) {
	tests := []struct{ name, body, pointer, detail string }{
		{"empty", ``, "", "the body is empty"},
		{"an array", `[]`, "", "not an object"},
		{"truncated", `{"version":"4","alerts":[{"status":"firing"`, "/alerts/0", "unexpected EOF"},
		{"no version", `{"alerts":[]}`, "/version", `version is missing; Alertmanager's webhook says "4"`},
		{"another version", `{"version":"3","alerts":[]}`, "/version", `version "3" is not known`},
		{"version as a number", `{"version":4,"alerts":[]}`, "/version", `version 4 is not known`},
		{"no alerts", `{"version":"4"}`, "/alerts", "alerts is missing"},
		{"alerts an object", `{"version":"4","alerts":{}}`, "/alerts", "must be an array of alerts, not an object"},
		{"alerts null", `{"version":"4","alerts":null}`, "/alerts", "must be an array of alerts, not null"},
		{"alerts twice", `{"alerts":[],"version":"4","alerts":[]}`, "/alerts", "is there twice"},
		{"something behind it", `{"version":"4","alerts":[]}{}`, "", "something follows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := alertmanager(t).Parse(input(tt.body))
			bad, ok := errors.AsType[*BodyError](err)
			if !ok || bad.Pointer != tt.pointer || !strings.Contains(bad.Detail, tt.detail) {
				t.Errorf("got %#v, want %q at %q", err, tt.detail, tt.pointer)
			}
		})
	}
}

func notificationOf(alerts ...string) string {
	return `{"receiver":["any","type"],"alerts":[` + strings.Join(alerts, ",") + `],"version":"4","truncatedAlerts":"many","new":{"a":[1]}}`
}

func TestWebhookRefusals(t *testing.T) {
	good := `{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-03-14T09:00:00Z"}`
	tests := []struct {
		name, alert string
		want        []Problem
	}{
		{"status missing", `{"labels":{"a":"b"}}`, []Problem{{"/alerts/1/status", "is missing; status is firing or resolved"}}},
		{"status of a silence", `{"status":"suppressed","labels":{"a":"b"}}`, []Problem{{"/alerts/1/status", `"suppressed" is not possible; status is firing or resolved`}}},
		{"labels empty", `{"status":"firing","labels":{}}`, []Problem{{"/alerts/1/labels", "is empty; an alert has at least the label alertname"}}},
		{"labels an array", `{"status":"firing","labels":["a"]}`, []Problem{{"/alerts/1/labels", "must be an object with string values, not an array"}}},
		{"start in words", `{"status":"firing","labels":{"a":"b"},"startsAt":"now"}`, []Problem{{"/alerts/1/startsAt", `"now" is not a time; times are RFC 3339, like 2026-01-31T12:00:00Z`}}},
		{"fingerprint a number", `{"status":"firing","labels":{"a":"b"},"fingerprint":7}`, []Problem{{"/alerts/1/fingerprint", "must be a string, not a number"}}},
		{"fingerprint too long", `{"status":"firing","labels":{"a":"b"},"fingerprint":"` + strings.Repeat("f", 254) + `"}`,
			[]Problem{{"/alerts/1/fingerprint", "is 254 bytes long; at most 253 are taken"}}},
		{"no object", `"x"`, []Problem{{"/alerts/1", "must be an object, not a string"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parsed, err := alertmanager(t).Parse(input(notificationOf(good, tt.alert, good)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, parsed.Items[1].Rejected); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if parsed.Items[0].Rejected != nil || parsed.Items[2].Rejected != nil {
				t.Error("a bad alert took good ones with it")
			}
		})
	}
}

// What Alertmanager cannot do better is carried, with a note.
func TestWebhookCarriesWhatItCan(t *testing.T) {
	tests := []struct{ name, fields, note string }{
		{"no start", ``, "startsAt is missing: the alert counts to the episode that is open"},
		{"a clock ahead", `,"startsAt":"2026-03-14T11:30:00Z"`, "startsAt is 2h0m0s ahead: the sender's clock is wrong"},
		{"a long annotation", `,"startsAt":"2026-03-14T09:00:00Z","annotations":{"summary":"` + strings.Repeat("ä", maxText) + `"}`,
			`annotation "summary" was cut from 32768 to 16384 bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			item := one(t, alertmanager(t), input(notificationOf(`{"status":"firing","labels":{"alertname":"A"}`+tt.fields+`}`)))
			if item.Rejected != nil || len(item.Notes) != 1 || item.Notes[0] != tt.note {
				t.Errorf("rejected %v, notes %q", item.Rejected, item.Notes)
			}
		})
	}
	item := one(t, alertmanager(t), input(notificationOf(`{"status":"firing","startsAt":"2026-03-14T09:00:00Z","labels":`+labelsJSON(130)+`}`)))
	if len(item.Event.Labels) != maxPairs || len(item.Notes) != 2 {
		t.Errorf("%d labels, notes %q", len(item.Event.Labels), item.Notes)
	}
}

func TestWebhookFiringHasNoEnd(t *testing.T) {
	e := one(t, alertmanager(t), input(notificationOf(`{"status":"firing","labels":{"a":"b"},"startsAt":"2026-03-14T09:00:00Z","endsAt":"2026-03-14T09:40:00Z"}`))).Event
	if !e.EndsAt.IsZero() {
		t.Errorf("ends %s while firing", e.EndsAt)
	}
}

func TestWebhookFingerprintFromLabels(t *testing.T) {
	e := one(t, alertmanager(t), input(notificationOf(`{"status":"firing","labels":{"b":"2","a":"1"},"startsAt":"2026-03-14T09:00:00Z"}`))).Event
	if want := labelFingerprint("alertmanager", "main", map[string]string{"a": "1", "b": "2"}); e.Fingerprint != want {
		t.Errorf("fingerprint %s, want %s", e.Fingerprint, want)
	}
}

func TestWebhookSeverity(t *testing.T) {
	words := map[incident.Severity][]string{
		incident.Critical: {"critical", "page", "CRITICAL", " critical "},
		incident.High:     {"error", "high", "major"},
		incident.Warning:  {"warning", "warn", "minor", "sev2", "", "ticket"},
		incident.Info:     {"info", "none", "informational"},
	}
	for want, labels := range words {
		for _, label := range labels {
			body := notificationOf(fmt.Sprintf(`{"status":"firing","labels":{"alertname":"A","severity":%q}}`, label))
			if got := one(t, alertmanager(t), input(body)).Event.Severity; got != want {
				t.Errorf("%q: %s, want %s", label, got, want)
			}
		}
	}
}

func TestWebhookOfTenThousand(t *testing.T) {
	alert := `{"status":"firing","labels":{"alertname":"A","pod":"p","namespace":"n"},"startsAt":"2026-03-14T09:00:00Z"}`
	body := `{"version":"4","alerts":` + string(many(alert, 10_000)) + `}`
	parsed, err := alertmanager(t).Parse(input(body))
	if err != nil || len(parsed.Items) != 10_000 || parsed.Items[9_999].Rejected != nil {
		t.Fatalf("%d items, %v", len(parsed.Items), err)
	}
}

func TestLookup(t *testing.T) {
	for _, name := range []string{"native", "", "Alertmanager", "../alerts"} {
		_, err := Lookup(name)
		unknown, ok := errors.AsType[*UnknownSourceError](err)
		if !ok || unknown.Name != name || !strings.Contains(err.Error(), "known: alertmanager") {
			t.Errorf("Lookup(%q): %v", name, err)
		}
	}
	for _, name := range Known() {
		if source, err := Lookup(name); err != nil || source.Name != name || source.Parse == nil {
			t.Errorf("Lookup(%q): %+v, %v", name, source, err)
		}
	}
}
