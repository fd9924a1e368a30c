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

func TestNativeWholeEvent(t *testing.T) {
	body := `{"severity":"critical","service":"api-gateway","message":"restarting over and over","source":"cron","hostname":"worker-3",
		"cluster":"eu-1","namespace":"production","labels":{"alertname":"KubePodCrashLooping","pod":"api-gateway-7d9f5b8c6-x7k2m","container":"app"},
		"annotations":{"summary":"Pod is crash looping."},"starts_at":"2026-03-14T10:20:00.5+01:00","ends_at":"2026-03-14T11:00:00Z",
		"status":"firing","kind":"pod.oom_killed","evidence":{"pods":[]},"dry_run":true,"ours":{"kept":1}}`
	labels := map[string]string{"alertname": "KubePodCrashLooping", "pod": "api-gateway-7d9f5b8c6-x7k2m", "container": "app"}
	starts := time.Date(2026, 3, 14, 9, 20, 0, 500_000_000, time.UTC)
	fingerprint := labelFingerprint("cron", "eu-1", labels)
	want := Item{Event: incident.Event{
		ID: incident.ID{15: 1}, Kind: incident.AlertEvent, Source: "cron", Subject: "n8n", ReceivedAt: received,
		Episode: episode("cron", "eu-1", fingerprint, starts), Status: incident.Firing, Fingerprint: fingerprint, StartsAt: starts,
		Name: "KubePodCrashLooping", Severity: incident.Critical, Service: "api-gateway", Message: "restarting over and over",
		Target: incident.Target{Cluster: "eu-1", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m", Container: "app"},
		Family: "pod", Hypothesis: "pod.oom_killed", Labels: labels, Annotations: map[string]string{"summary": "Pod is crash looping."}, DryRun: true,
		Evidence: json.RawMessage(`{"pods":[]}`), Payload: json.RawMessage(strings.NewReplacer("\n\t\t", "", `"evidence":{"pods":[]},`, "").Replace(body)),
	}}
	if diff := cmp.Diff(want, one(t, Native(), input(" \n"+body+"\n"))); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func TestNativeDefaults(t *testing.T) {
	got := accepted(t, Native(), input(`{"severity":"info","service":"billing"}`))
	fingerprint := fieldFingerprint("native", "main", "billing", "", "")
	want := incident.Event{
		ID: incident.ID{15: 1}, Kind: incident.AlertEvent, Source: "native", Subject: "n8n", ReceivedAt: received,
		Episode: episode("native", "main", fingerprint, time.Time{}), OpenEnded: true, Status: incident.Firing, Fingerprint: fingerprint,
		Name: "alert", Severity: incident.Info, Service: "billing", Family: "unknown",
		Target:  incident.Target{Cluster: "main", Kind: "Service", Service: "billing"},
		Payload: json.RawMessage(`{"severity":"info","service":"billing"}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestNativeRefusals(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	tests := []struct {
		name, body string
		want       []Problem
	}{
		{"severity missing", `{"service":"a"}`, []Problem{{"/severity", `is missing; severity is one of critical, high, warning, info`}}},
		{"severity unknown", `{"service":"a","severity":"Fatal"}`, []Problem{{"/severity", `"Fatal" is not possible; severity is one of critical, high, warning, info`}}},
		{"severity a number, labels an array, both named", `{"service":"a","severity":3,"labels":["x"]}`,
			[]Problem{{"/severity", "must be a string, not a number"}, {"/labels", "must be an object with string values, not an array"}}},
		{"label a number", `{"severity":"info","labels":{"a/b~":500}}`, []Problem{{"/labels/a~1b~0", "must be a string, not a number"}}},
		{"target an array", `{"severity":"info","service":"a","target":[1]}`, []Problem{{"/target", "must be an object, not an array"}}},
		{"dry_run in words", `{"severity":"info","service":"a","dry_run":"yes"}`, []Problem{{"/dry_run", "must be true or false, not a string"}}},
		{"evidence a string", `{"severity":"info","service":"a","evidence":"logs"}`, []Problem{{"/evidence", "must be an object, not a string"}}},
		{"status unknown", `{"severity":"info","service":"a","status":"ok"}`, []Problem{{"/status", `"ok" is not possible; status is firing (as when it is left out) or resolved`}}},
		{"about nothing", `{"severity":"info","message":"help"}`, []Problem{{"", "nothing says what the alert is about; give service, hostname, namespace, target or labels"}}},
		{"an empty target is nothing", `{"severity":"info","target":{"kind":"Pod"}}`, []Problem{{"", "nothing says what the alert is about; give service, hostname, namespace, target or labels"}}},
		{"time in words", `{"severity":"info","service":"a","starts_at":"yesterday"}`, []Problem{{"/starts_at", `"yesterday" is not a time; times are RFC 3339, like 2026-01-31T12:00:00Z`}}},
		{"time a number", `{"severity":"info","service":"a","starts_at":1760000000}`, []Problem{{"/starts_at", "must be a string, not a number"}}},
		{"start in the future", `{"severity":"info","service":"a","starts_at":"2026-03-14T09:35:01Z"}`,
			[]Problem{{"/starts_at", "2026-03-14T09:35:01Z is after now (2026-03-14T09:30:00Z); clocks may differ by 5m0s"}}},
		{"end before start", `{"severity":"info","service":"a","starts_at":"2026-03-14T09:00:00Z","ends_at":"2026-03-14T08:59:59Z"}`,
			[]Problem{{"/ends_at", "2026-03-14T08:59:59Z is before starts_at"}}},
		{"message too long", `{"severity":"info","service":"a","message":"` + long + `"}`, []Problem{{"/message", "is 16385 bytes long; at most 16384 are taken"}}},
		{"service too long", `{"severity":"info","service":"` + long[:254] + `"}`, []Problem{{"/service", "is 254 bytes long; at most 253 are taken"}}},
		{"target name too long", `{"severity":"info","target":{"kind":"Pod","name":"` + long[:254] + `"}}`, []Problem{{"/target/name", "is 254 bytes long; at most 253 are taken"}}},
		{"label too long", `{"severity":"info","labels":{"l":"` + long[:4097] + `"}}`, []Problem{{"/labels/l", "is 4097 bytes long; at most 4096 are taken"}}},
		{"too many labels", `{"severity":"info","labels":` + labelsJSON(129) + `}`, []Problem{{"/labels", "holds 129 entries; at most 128 are taken"}}},
		{"two clusters", `{"severity":"info","service":"a","cluster":"eu-1","target":{"cluster":"eu-2"}}`,
			[]Problem{{"/target/cluster", `"eu-2" is not possible, but cluster says "eu-1"`}}},
		{"a name twice", `{"severity":"info","service":"a","severity":"critical"}`, []Problem{{"/severity", "duplicate object member name"}}},
		{"a wrong type before a name twice", `{"severity":1,"service":"a","service":"b"}`,
			[]Problem{{"/severity", "must be a string, not a number"}, {"/service", "duplicate object member name"}}},
		{"half a surrogate pair", `{"severity":"info","service":"\ud800"}`, []Problem{{"/service", "invalid surrogate pair `\\ud800\"}` in string"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, one(t, Native(), input(tt.body)).Rejected); diff != "" {
				t.Errorf("alone (-want +got):\n%s", diff)
			}
			for i := range tt.want {
				tt.want[i].Pointer = "/1" + tt.want[i].Pointer
			}
			good := `{"severity":"info","service":"good"}`
			parsed, err := Native().Parse(input("[" + good + "," + tt.body + "," + good + "]"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, parsed.Items[1].Rejected); diff != "" {
				t.Errorf("among others (-want +got):\n%s", diff)
			}
			if parsed.Items[0].Rejected != nil || parsed.Items[2].Rejected != nil {
				t.Error("a bad alert took good ones with it")
			}
		})
	}
}

func TestNativeElementsOfTheWrongKind(t *testing.T) {
	parsed, err := Native().Parse(input(`[1,null,"a",[],{"severity":"info","service":"a"}]`))
	if err != nil {
		t.Fatal(err)
	}
	var got [][]Problem
	for _, item := range parsed.Items {
		got = append(got, item.Rejected)
	}
	want := [][]Problem{
		{{"/0", "must be an object, not a number"}}, {{"/1", "must be an object, not null"}},
		{{"/2", "must be an object, not a string"}}, {{"/3", "must be an object, not an array"}}, nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

func TestBodiesThatAreNoAlerts(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	tests := []struct {
		name, body, detail string
		offset             int64
	}{
		{"empty", "", "the body is empty", -1},
		{"white space", " \n", "the body is empty", -1},
		{"a number", "42", "neither an object nor an array", -1},
		{"truncated object", `{"severity":"info"`, "unexpected EOF", 18},
		{"truncated array", `[{"severity":"info","service":"a"},`, "unexpected EOF", 35},
		{"no JSON", "severity=info", "invalid character", 0},
		{"two values", `{"severity":"info","service":"a"} {}`, "something follows", 33},
		{"something behind an array", `[] x`, "something follows", 2},
		{"deeper than anybody means", deep, "exceeded max depth", 10000},
		{"too many", string(many("1", maxItems+1)), "more than 50000 alerts", 100002},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Native().Parse(input(tt.body))
			bad, ok := errors.AsType[*BodyError](err)
			if !ok || !strings.Contains(bad.Detail, tt.detail) || bad.Offset != tt.offset {
				t.Errorf("got %#v, want detail with %q at %d", err, tt.detail, tt.offset)
			}
		})
	}
}

func TestNativeTimes(t *testing.T) {
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name, fields string
		starts, ends time.Time
	}{
		{"Go's zero", `"starts_at":"0001-01-01T00:00:00Z"`, time.Time{}, time.Time{}},
		{"Unix' zero", `"starts_at":"1970-01-01T01:00:00+01:00"`, time.Time{}, time.Time{}},
		{"null", `"starts_at":null`, time.Time{}, time.Time{}},
		{"a clock that is five minutes ahead", `"starts_at":"2026-03-14T09:35:00Z"`, received.Add(maxAhead), time.Time{}},
		{"another time zone", `"starts_at":"2026-03-14T10:00:00+01:00"`, start, time.Time{}},
		{"a forecast end is not kept", `"starts_at":"2026-03-14T09:00:00Z","ends_at":"2026-03-14T12:00:00Z"`, start, time.Time{}},
		{"resolved keeps its end", `"starts_at":"2026-03-14T09:00:00Z","ends_at":"2026-03-14T09:30:00Z","status":"resolved"`, start, received},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := accepted(t, Native(), input(`{"severity":"info","service":"a",`+tt.fields+`}`))
			if !e.StartsAt.Equal(tt.starts) || !e.EndsAt.Equal(tt.ends) || e.StartsAt.Location() != time.UTC || e.OpenEnded != tt.starts.IsZero() {
				t.Errorf("starts %s, ends %s, open ended %t", e.StartsAt, e.EndsAt, e.OpenEnded)
			}
		})
	}
}

func TestNativeCluster(t *testing.T) {
	tests := []struct{ name, fields, hint, fallback, want string }{
		{"field", `"cluster":"f","labels":{"cluster":"l"}`, "h", "d", "f"},
		{"target", `"target":{"cluster":"t","service":"a"},"labels":{"cluster":"l"}`, "h", "d", "t"},
		{"label", `"labels":{"cluster":"l"}`, "h", "d", "l"},
		{"hint", `"labels":{"a":"b"}`, "h", "d", "h"},
		{"policy's default", `"labels":{"a":"b"}`, "", "d", "d"},
		{"nobody says", `"labels":{"a":"b"}`, "", "", "default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(`{"severity":"info",` + tt.fields + `}`)
			in.ClusterHint, in.DefaultCluster = tt.hint, tt.fallback
			if got := accepted(t, Native(), in).Target.Cluster; got != tt.want {
				t.Errorf("cluster %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTenThousandAlerts(t *testing.T) {
	parsed, err := Native().Parse(input(many(benchAlert, 10_000)))
	if err != nil || len(parsed.Items) != 10_000 {
		t.Fatalf("%d items, %v", len(parsed.Items), err)
	}
	for i, item := range parsed.Items {
		if item.Rejected != nil || string(item.Event.Payload) != benchAlert {
			t.Fatalf("item %d: %v, payload %s", i, item.Rejected, item.Event.Payload)
		}
	}
}

func TestNULBecomesReplacement(t *testing.T) {
	item := one(t, Native(), input(`[{"severity":"info","service":"a","message":"x\u0000y \\u0000","evidence":{"logs":[{"text":"\\\u0000"}]}}]`))
	got := []string{item.Event.Message, string(item.Event.Evidence), string(item.Event.Payload), strings.Join(item.Notes, "; ")}
	want := []string{"x\ufffdy \\u0000", `{"logs":[{"text":"\\\ufffd"}]}`,
		`{"severity":"info","service":"a","message":"x\ufffdy \\u0000"}`,
		`NUL characters (\u0000) were read as U+FFFD`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message, evidence, payload, notes (-want +got):\n%s", diff)
	}
}

var injections = []string{
	`'; DROP TABLE incidents; --`, `$(reboot)`, "`reboot`; rm -rf /", `{{ .Values.secret }}`, `${jndi:ldap://x}`,
	`<script>alert(1)</script>`, `../../etc/passwd`, `{{$json.token}}`, "a\nb\r\n\tc", "\u202egnp.exe", `%00%0a`, `"}],"severity":"critical"`,
}

// Strings are data: they come out as they went in, and none of them becomes the
// name of a Kubernetes object or a host.
func TestInjectionsStayData(t *testing.T) {
	for _, evil := range injections {
		t.Run(evil, func(t *testing.T) {
			q := string(must(json.Marshal(evil)))
			body := fmt.Sprintf(`{"severity":"info","service":%[1]s,"message":%[1]s,"source":%[1]s,"hostname":%[1]s,"cluster":%[1]s,"namespace":%[1]s,
				"kind":%[1]s,"labels":{%[1]s:%[1]s,"pod":%[1]s,"node":%[1]s,"instance":%[1]s,"alertname":%[1]s},"annotations":{%[1]s:%[1]s},
				"target":{"kind":%[1]s,"name":%[1]s,"namespace":%[1]s,"uid":%[1]s,"host":%[1]s,"service":%[1]s,"container":%[1]s}}`, q)
			e := accepted(t, Native(), input(body))
			got := []string{e.Service, e.Message, e.Source, e.Target.Cluster, e.Name, e.Labels[evil], e.Labels["pod"], e.Annotations[evil]}
			for i, s := range got {
				if s != evil {
					t.Errorf("field %d became %q", i, s)
				}
			}
			want := incident.Target{Cluster: evil, Kind: "Service", Service: evil}
			if diff := cmp.Diff(want, e.Target); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
			if e.Family != "unknown" {
				t.Errorf("family %q", e.Family)
			}
		})
	}
}

func TestAnswersRepeatLittle(t *testing.T) {
	item := one(t, Native(), input(`{"service":"a","severity":"`+strings.Repeat("é", 5000)+`"}`))
	if n := len(item.Rejected[0].Detail); n > 200 {
		t.Errorf("the answer is %d bytes long", n)
	}
	item = one(t, Native(), input(`{"severity":"info","labels":{`+strings.TrimSuffix(manyPairs(5000, "1"), ",")+`}}`))
	if len(item.Rejected) != maxProblems {
		t.Errorf("%d problems, want %d", len(item.Rejected), maxProblems)
	}
}

func labelsJSON(n int) string { return "{" + strings.TrimSuffix(manyPairs(n, `"v"`), ",") + "}" }

func manyPairs(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"l%d":%s,`, i, value)
	}
	return b.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
