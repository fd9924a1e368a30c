package remedy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/redact"
	"salve/internal/remedy"
)

// planted stands wherever evidence can hold a secret.
const planted = "hunter2planted"

// sensitive is the evidence of scenario 1 as an API server gives it, with a
// secret in every place that is redacted.
func sensitive(t testing.TB) json.RawMessage {
	base := outOfMemory("")
	pod, deployment := toMap(t, base.Evidence.Pods[0]), toMap(t, base.Evidence.Deployments[0])
	pod["kind"], pod["apiVersion"] = "Pod", "v1"
	deployment["kind"], deployment["apiVersion"] = "Deployment", "apps/v1"
	pod["status"] = map[string]any{"phase": "Running", "message": "password=" + planted}
	for _, object := range []map[string]any{pod, deployment} {
		meta := object["metadata"].(map[string]any)
		meta["annotations"] = map[string]any{"kubectl.kubernetes.io/last-applied-configuration": `{"a":"` + planted + `"}`, "token": planted}
		meta["managedFields"] = []any{map[string]any{"manager": planted}}
	}
	template := deployment["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	for _, c := range template["containers"].([]any) {
		container := c.(map[string]any)
		container["env"] = []any{map[string]any{"name": "DB_PASSWORD", "value": planted}}
		container["args"] = []any{"--password", planted, "--url=amqp://app:" + planted + "@mq"}
	}
	raw, err := json.Marshal(map[string]any{
		"pods": []any{pod}, "deployments": []any{deployment},
		"logs":   []any{map[string]any{"pod": base.Target.Name, "container": "app", "text": "Authorization: Bearer " + planted + "12345678"}},
		"events": []any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func toMap(t testing.TB, v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// requests asks for every action of the catalogue, about everything that an
// incident can be about.
func requests(ev evidence.Evidence) (all []remedy.Request) {
	for _, action := range (remedy.Catalogue{}).Actions() {
		base := outOfMemory(action)
		host := incident.Target{Host: "web-01", Kind: "Host", Name: "web-01"}
		node := incident.Target{Cluster: "prod", Kind: "Node", Name: "node-1"}
		for _, target := range []incident.Target{base.Target, base.Diagnosis.Owner, host, node} {
			r := base
			r.Target, r.Evidence = target, ev
			if action == "notify.slack" {
				r.Params = map[string]any{"channel": "#devops", "text": "quoted: password=" + planted + " " + redact.Hole}
			}
			all = append(all, r)
		}
	}
	return all
}

// everything an intent says, as it is and as a server would read its paths.
func everything(t testing.TB, in incident.Intent) string {
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw) + string(in.Params) + string(in.Execute) + string(in.Precondition) + string(in.Rollback) + string(in.Verify) + in.Summary
	read, err := url.QueryUnescape(strings.ReplaceAll(text, "%!", "%25!"))
	if err != nil {
		t.Fatal(err)
	}
	return text + read
}

// What was redacted stands in no intent: for every action there is one built from
// redacted evidence, or a refusal, and none says the secret or its hole.
func TestWhatWasRedactedIsInNoIntent(t *testing.T) {
	raw, err := redact.JSON(sensitive(t))
	if err != nil || strings.Contains(string(raw), planted) {
		t.Fatalf("not redacted: %s (%v)", raw, err)
	}
	ev, problems := evidence.Parse(raw, time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	built := map[string]bool{}
	for _, r := range requests(ev) {
		in, err := remedy.Build(r)
		if err != nil {
			continue
		}
		built[r.Action] = true
		said := everything(t, in)
		if strings.Contains(said, planted) || in.Effect != incident.Tell && strings.Contains(said, redact.Hole) {
			t.Errorf("%s: %s", r.Action, said)
		}
	}
	for _, action := range []string{"k8s.pod.restart", "k8s.deployment.resources", "notify.slack", "collect.pod"} {
		if !built[action] {
			t.Errorf("%s was built from nothing", action)
		}
	}
}

// Whatever single text of the evidence, the diagnosis or the parameters was
// redacted: an intent does not carry the hole, except a message.
func TestNoHoleIsRendered(t *testing.T) {
	clean := strings.ReplaceAll(string(sensitive(t)), planted, "plain")
	rapid.Check(t, func(t *rapid.T) {
		var doc any
		if err := json.Unmarshal([]byte(clean), &doc); err != nil {
			t.Fatal(err)
		}
		hole := rapid.SampledFrom([]string{redact.Hole, "a " + redact.Hole, "api-" + redact.Hole}).Draw(t, "hole")
		leaves := leavesOf(doc, nil)
		for range rapid.IntRange(1, 4).Draw(t, "holes") {
			rapid.SampledFrom(leaves).Draw(t, "leaf")(hole)
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		ev, _ := evidence.Parse(raw, time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC))
		for _, r := range requests(ev) {
			for _, field := range []*string{&r.Target.Name, &r.Target.Namespace, &r.Target.Cluster, &r.Target.Host, &r.Diagnosis.Container, &r.Diagnosis.Owner.Name,
				&r.Diagnosis.Subject.Name, &r.Diagnosis.Subject.UID, &r.FirstLimit} {
				if rapid.IntRange(0, 19).Draw(t, "field") == 0 {
					*field = hole
				}
			}
			in, err := remedy.Build(r)
			var no *remedy.Refusal
			if err != nil && !errors.As(err, &no) {
				t.Fatalf("%s: %v", r.Action, err)
			}
			if err == nil && in.Effect != incident.Tell && redactedIn(in) {
				t.Fatalf("%s: %s", r.Action, in.Execute)
			}
		}
	})
}

func redactedIn(in incident.Intent) bool {
	text := fmt.Sprintf("%+v %s %s %s %s %s", in.Target, in.Params, in.Execute, in.Precondition, in.Rollback, in.Verify)
	return strings.Contains(text, redact.Hole) || strings.Contains(text, url.QueryEscape(redact.Hole)) || strings.Contains(text, "redacted")
}

// leavesOf gives a setter for each text of a document.
func leavesOf(doc any, all []func(string)) []func(string) {
	switch v := doc.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if _, ok := v[key].(string); ok {
				all = append(all, func(s string) { v[key] = s })
			}
			all = leavesOf(v[key], all)
		}
	case []any:
		for i := range v {
			if _, ok := v[i].(string); ok {
				all = append(all, func(s string) { v[i] = s })
			}
			all = leavesOf(v[i], all)
		}
	}
	return all
}

// A hole in a selector would be read as text that must match: the guard names it.
func TestPlanWithAHoleIsRefused(t *testing.T) {
	r := outOfMemory("collect.pod")
	r.Target = r.Diagnosis.Owner
	r.Target.UID = redact.Hole
	refused(t, r, "its target would hold [redacted], where a secret was left out: what was redacted is never written back")
}

// A message may quote a hole, and is redacted itself.
func TestMessagesAreRedacted(t *testing.T) {
	r := outOfMemory("notify.slack")
	r.Params = map[string]any{"channel": "#devops", "text": "app says: password=hunter2 and " + redact.Hole}
	in := build(t, r)
	var got struct{ Text string }
	if err := json.Unmarshal(in.Execute, &got); err != nil || got.Text != "app says: password=[redacted] and [redacted]" {
		t.Errorf("%s (%v)", in.Execute, err)
	}
}
