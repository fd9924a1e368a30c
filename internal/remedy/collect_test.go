package remedy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const events = "/api/v1/namespaces/production/events?fieldSelector=involvedObject.kind%3D"

// newAlert is all that is known when an alert names a pod.
func newAlert() remedy.Request {
	r := outOfMemory("collect.pod")
	r.Diagnosis, r.Evidence = incident.Diagnosis{Cause: incident.CauseUnknown}, evidence.Evidence{}
	return r
}

func TestCollectPod(t *testing.T) {
	got := readable(t, build(t, newAlert()))
	want := map[string]any{
		"action": "collect.pod", "effect": incident.Observe, "risk": incident.RiskLow,
		"target":       incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m"},
		"summary":      "Read Pod production/api-gateway-7d9f5b8c6-x7k2m, its owners, pods and events; nothing is changed.",
		"timeout":      "30s",
		"params":       map[string]any{},
		"precondition": map[string]any{},
		"rollback":     map[string]any{},
		"verify":       map[string]any{},
		"execute": map[string]any{
			"shape": "collect", "cluster": "prod",
			"requests": []any{
				map[string]any{"evidence_key": "pods", "path": "/api/v1/namespaces/production/pods/api-gateway-7d9f5b8c6-x7k2m", "follow": "owners"},
				map[string]any{"evidence_key": "events", "path": events + "Pod%2CinvolvedObject.name%3Dapi-gateway-7d9f5b8c6-x7k2m&limit=100"},
			},
			"timeout_seconds": 30.0,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
}

func TestCollectRequests(t *testing.T) {
	pod := []string{
		"pods /api/v1/namespaces/production/pods/api-gateway-7d9f5b8c6-x7k2m owners",
		"events " + events + "Pod%2CinvolvedObject.name%3Dapi-gateway-7d9f5b8c6-x7k2m&limit=100 ",
	}
	object := "deployments " + deploymentPath + " owners"
	pods := "pods " + podsPath + " owners"
	ownEvents := "events " + events + "Deployment%2CinvolvedObject.name%3Dapi-gateway&limit=100 "
	podEvents := "events " + events + "Pod&limit=250 "
	cases := []struct {
		name   string
		change func(*remedy.Request)
		want   []string
	}{
		{"a pod whose owner is known", func(*remedy.Request) {}, append(pod[:2:2], object, pods, ownEvents, podEvents)},
		{"a pod whose owner is known by name", func(r *remedy.Request) { r.Evidence = evidence.Evidence{} },
			append(pod[:2:2], object, ownEvents, podEvents)},
		{"a pod whose owner is elsewhere", func(r *remedy.Request) { r.Diagnosis.Owner.Namespace = "staging" }, pod},
		{"a pod with an owner of another make", func(r *remedy.Request) { r.Diagnosis.Owner.Kind = "CloneSet" }, pod},
		{"a pod that owns itself", func(r *remedy.Request) { r.Diagnosis.Owner = r.Target }, pod},
		{"a controller", func(r *remedy.Request) { r.Target = r.Diagnosis.Owner }, []string{object, pods, ownEvents, podEvents}},
		{"a controller not seen yet", func(r *remedy.Request) { r.Target, r.Evidence = r.Diagnosis.Owner, evidence.Evidence{} },
			[]string{object, ownEvents, podEvents}},
		{"a controller with an empty selector", func(r *remedy.Request) {
			r.Target = r.Diagnosis.Owner
			r.Evidence.Deployments[0].Spec.Selector.MatchLabels = nil
		}, []string{object, ownEvents, podEvents}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := outOfMemory("collect.pod")
			c.change(&r)
			var got []string
			execute := readable(t, build(t, r))["execute"].(map[string]any)
			for _, raw := range execute["requests"].([]any) {
				req := raw.(map[string]any)
				follow, _ := req["follow"].(string)
				got = append(got, req["evidence_key"].(string)+" "+req["path"].(string)+" "+follow)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollectRefusals(t *testing.T) {
	cases := []struct {
		name   string
		target incident.Target
		reason string
	}{
		{"a host", incident.Target{Cluster: "prod", Kind: "Host", Host: "web-01"}, `nothing to collect: kind "Host" is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob`},
		{"nothing", incident.Target{Cluster: "prod"}, `nothing to collect: kind "" is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob`},
		{"no namespace", incident.Target{Cluster: "prod", Kind: "Pod", Name: "api"}, "namespace is missing"},
		{"no name", incident.Target{Cluster: "prod", Kind: "Deployment", Namespace: "shop"}, "Deployment name is missing"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newAlert()
			r.Target = c.target
			refused(t, r, c.reason)
		})
	}
}

// Every new alert builds one of these: thousands a second.
func BenchmarkCollectPod(b *testing.B) {
	r := newAlert()
	for b.Loop() {
		build(b, r)
	}
}
