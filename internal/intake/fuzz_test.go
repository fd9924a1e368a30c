package intake

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"salve/internal/incident"
)

func FuzzNative(f *testing.F) {
	f.Add([]byte(benchAlert))
	f.Add([]byte("[" + benchAlert + `,{"severity":1},null]`))
	f.Add([]byte(`{"severity":"info","target":{"kind":"pod","name":"a","namespace":"b"},"evidence":{"x":"\\\u0000"},"starts_at":"2026-03-14T09:00:00Z"}`))
	f.Add([]byte("{\"severity\":\"info\",\"service\":\"\xff\"}"))
	f.Add([]byte(`[{"severity":"info","labels":{"cluster":"c","instance":"http://[::1]:80/"}} , [[{}]]]`))
	f.Fuzz(func(t *testing.T, body []byte) { checkParsed(t, Native(), body) })
}

func FuzzAlertmanager(f *testing.F) {
	for _, name := range []string{"alertmanager-0.34-mixed.json", "alertmanager-0.34-kube-prometheus.json", "alertmanager-0.25.json", "alertmanager-0.34-truncated.json"} {
		f.Add(payload(f, name))
	}
	f.Add([]byte(notificationOf(`{"status":"firing","labels":{"a":"b"}}`, `7`)))
	source := alertmanager(f)
	f.Fuzz(func(t *testing.T, body []byte) { checkParsed(t, source, body) })
}

// checkParsed holds for every body whatsoever: it is refused as a whole, or
// every item is refused with reasons or is an event that can be stored.
func checkParsed(t *testing.T, source Source, body []byte) {
	given := bytes.Clone(body)
	parsed, err := source.Parse(input(body))
	if !bytes.Equal(given, body) {
		t.Fatal("the body was changed")
	}
	if err != nil {
		if _, ok := err.(*BodyError); !ok || parsed.Items != nil {
			t.Fatalf("%T: %v, with %d items", err, err, len(parsed.Items))
		}
		return
	}
	for _, item := range parsed.Items {
		if len(item.Rejected) > 0 {
			checkRejected(t, item)
			continue
		}
		checkEvent(t, item.Event)
	}
}

func checkRejected(t *testing.T, item Item) {
	if !item.Event.ID.IsZero() {
		t.Fatal("a refused item has an event")
	}
	for _, p := range item.Rejected {
		if p.Detail == "" || p.Pointer != "" && p.Pointer[0] != '/' {
			t.Fatalf("problem %+v", p)
		}
	}
}

func checkEvent(t *testing.T, e incident.Event) {
	switch {
	case e.ID.IsZero(), e.Kind != incident.AlertEvent, e.Subject == "", e.Source == "", e.Name == "":
		t.Fatalf("who, what: %+v", e)
	case e.Fingerprint == "", e.Episode == incident.Episode{}, e.OpenEnded != e.StartsAt.IsZero():
		t.Fatalf("identity: %+v", e)
	case !e.Severity.Valid(), e.Status != incident.Firing && e.Status != incident.Resolved, e.Status == incident.Firing && !e.EndsAt.IsZero():
		t.Fatalf("standing: %+v", e)
	case e.Target.IsZero(), e.Target.Cluster == "", !incident.IsFamily(e.Family) && e.Family != incident.CauseUnknown && e.Family != familyWatchdog:
		t.Fatalf("target and family: %+v", e)
	case e.Hypothesis != "" && (!incident.IsCause(e.Hypothesis) || incident.Family(e.Hypothesis) != e.Family):
		t.Fatalf("hypothesis: %+v", e)
	case e.Target.Name != "" && (!validSubdomain(e.Target.Name) || !validKind(e.Target.Kind)):
		t.Fatalf("no Kubernetes object: %+v", e.Target)
	case len(e.Labels) > maxPairs, len(e.Message) > maxText, len(e.Service) > maxName, len(e.Target.Cluster) > maxName, len(e.Name) > maxName:
		t.Fatalf("bounds: %+v", e)
	case !json.Valid(e.Payload), e.Evidence != nil && !json.Valid(e.Evidence):
		t.Fatalf("payload %q, evidence %q", e.Payload, e.Evidence)
	}
	all := strings.Join([]string{e.Name, e.Service, e.Message, e.Source, e.Fingerprint, e.Target.Cluster, e.Target.String(), string(e.Payload)}, "")
	for name, value := range e.Labels {
		all += name + value
	}
	if !utf8.ValidString(all) || strings.ContainsRune(all, 0) {
		t.Fatalf("Postgres holds no such text: %q", all)
	}
}

func FuzzChecks(f *testing.F) {
	f.Add([]byte(`{"name":"disk","kind":"disk","host":"web-01","status":"failed","observed_at":"2026-03-14T09:00:00Z","evidence":{"disk":{}}}`))
	f.Add([]byte(`[{"name":"a","status":"passed"},null,7,{"name":"../x","evidence":[]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		results, err := Checks(input(body))
		if _, ok := err.(*BodyError); err != nil && !ok {
			t.Fatalf("%T: %v", err, err)
		}
		for _, r := range results {
			switch {
			case len(r.Rejected) > 0:
				checkRejected(t, Item{Rejected: r.Rejected})
			case !checkName.MatchString(r.Name), r.ObservedAt.After(r.ReceivedAt), r.Status == "" && r.Evidence == nil:
				t.Fatalf("taken: %+v", r)
			}
		}
	})
}

func FuzzCapacity(f *testing.F) {
	f.Add([]byte(`{"namespace":"shop","name":"api","cpu_percent":84,"pod_count":3,"cpu_range":{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1767225600,"61.2"],[1e999,"NaN"]]}]}}}`))
	f.Add([]byte(`{"namespace":"shop","name":"api","pod_count":1e9,"cpu_range":{"status":"error"},"evidence":{"deployments":7}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := Capacity(input(body))
		if _, ok := err.(*BodyError); err != nil && !ok {
			t.Fatalf("%T: %v", err, err)
		}
		if err != nil || len(u.Rejected) > 0 {
			checkRejected(t, Item{Rejected: u.Rejected})
			return
		}
		if u.Pods < 1 || u.Target.Namespace == "" || u.Target.Name == "" || u.Min > 0 && u.Max > 0 && u.Min > u.Max {
			t.Fatalf("taken: %+v", u)
		}
		for i, s := range u.Series {
			if !(s.Value >= 0 && s.Value <= maxPerCent) || i > 0 && !s.At.After(u.Series[i-1].At) || s.At.After(u.ReceivedAt.Add(maxAhead)) {
				t.Fatalf("sample %d is %+v", i, s)
			}
		}
	})
}

func FuzzSenders(f *testing.F) {
	for _, file := range []string{"cloudwatch-alarm", "datadog-triggered", "pagerduty-triggered", "github-deployment-failure", "gatus-triggered", "uptime-kuma-down", "cloudevents-batch"} {
		f.Add(sourceOf(file), payload(f, file+".json"))
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		source, err := Lookup(name)
		if err != nil {
			return
		}
		checkParsed(t, source, body)
	})
}
