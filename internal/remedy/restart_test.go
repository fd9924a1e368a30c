package remedy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const podsPath = "/api/v1/namespaces/production/pods?labelSelector=app%3Dapi-gateway&limit=50"

func TestRestart(t *testing.T) {
	got := readable(t, build(t, outOfMemory("k8s.pod.restart")))
	want := map[string]any{
		"action": "k8s.pod.restart", "effect": incident.Change, "risk": incident.RiskLow,
		"target":       incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m", UID: podUID},
		"summary":      "Restart pod production/api-gateway-7d9f5b8c6-x7k2m by eviction; ReplicaSet api-gateway-7d9f5b8c6 puts a new one in its place.",
		"timeout":      "3m0s",
		"params":       map[string]any{},
		"precondition": map[string]any{"pod_uid": podUID},
		"rollback":     map[string]any{},
		"verify": map[string]any{
			"summary": "the pods of Deployment api-gateway are ready and stay so for 2m0s without a restart",
			"target":  map[string]any{"cluster": "prod", "namespace": "production", "kind": "Deployment", "name": "api-gateway", "uid": deploymentUID},
			"until":   "ready", "healthy_seconds": 120.0, "look_seconds": 30.0, "path": podsPath,
		},
		"execute": map[string]any{
			"shape": "kubernetes", "cluster": "prod", "method": "POST",
			"path":         "/api/v1/namespaces/production/pods/api-gateway-7d9f5b8c6-x7k2m/eviction",
			"content_type": "application/json",
			"body": map[string]any{
				"apiVersion": "policy/v1", "kind": "Eviction",
				"metadata": map[string]any{"name": "api-gateway-7d9f5b8c6-x7k2m", "namespace": "production"},
				"deleteOptions": map[string]any{
					"apiVersion": "meta.k8s.io/v1", "kind": "DeleteOptions",
					"preconditions": map[string]any{"uid": podUID},
				},
			},
			"timeout_seconds": 180.0,
			"watch":           map[string]any{"path": podsPath, "until": "ready", "without_uid": podUID},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
}

func TestRestartRefusals(t *testing.T) {
	const name = "api-gateway-7d9f5b8c6-x7k2m"
	cases := []struct {
		name   string
		change func(*remedy.Request)
		reason string
	}{
		{"no controller", func(r *remedy.Request) { r.Evidence.Pods[0].OwnerReferences = nil },
			"pod " + name + " has no controller that would replace it: never without a controller"},
		{"an owner that does not control", func(r *remedy.Request) {
			r.Evidence.Pods[0].OwnerReferences = r.Evidence.Pods[0].OwnerReferences[:1]
		}, "pod " + name + " has no controller that would replace it: never without a controller"},
		{"a static pod", func(r *remedy.Request) { r.Evidence.Pods[0].OwnerReferences[1].Kind = "Node" },
			"pod " + name + " has no controller that would replace it: never without a controller"},
		{"no evidence", func(r *remedy.Request) { r.Evidence = evidence.Evidence{} },
			"the evidence does not hold pod production/Pod/" + name},
		{"a pod of that name elsewhere", func(r *remedy.Request) { r.Evidence.Pods[0].Namespace = "staging" },
			"the evidence does not hold pod production/Pod/" + name},
		{"another pod of that name", func(r *remedy.Request) { r.Evidence.Pods[0].UID = "new" },
			"the evidence holds another pod of the name " + name + ": its UID is new, the diagnosis is about " + podUID},
		{"no uid", func(r *remedy.Request) { r.Evidence.Pods[0].UID = "" },
			"the evidence holds no UID of pod " + name},
		{"being deleted", func(r *remedy.Request) {
			r.Evidence.Pods[0].DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
		}, "pod " + name + " is being deleted already"},
		{"the subject is no pod", func(r *remedy.Request) { r.Diagnosis.Subject = r.Diagnosis.Owner },
			`the diagnosis is about "Deployment", not about a Pod`},
		{"no subject", func(r *remedy.Request) { r.Diagnosis.Subject = incident.Target{} },
			`the diagnosis is about "", not about a Pod`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := outOfMemory("k8s.pod.restart")
			c.change(&r)
			refused(t, r, c.reason)
		})
	}
}

// A diagnosis without a UID takes the pod's; the eviction carries it all the same.
func TestRestartTakesTheUIDFromTheEvidence(t *testing.T) {
	r := outOfMemory("k8s.pod.restart")
	want := build(t, r)
	r.Diagnosis.Subject.UID = ""
	if diff := cmp.Diff(want, build(t, r)); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
}

// Without a selector the nearest controller with a path is watched, and a
// controller that Salve has no path for is not.
func TestRestartWatch(t *testing.T) {
	cases := []struct {
		name   string
		change func(*remedy.Request)
		path   string
		whose  string
	}{
		{"selector known", func(*remedy.Request) {}, podsPath, "Deployment api-gateway"},
		{"owner without object", func(r *remedy.Request) { r.Evidence.Deployments = nil },
			"/apis/apps/v1/namespaces/production/deployments/api-gateway", "Deployment api-gateway"},
		{"owner not known", func(r *remedy.Request) { r.Diagnosis.Owner = incident.Target{} },
			"/apis/apps/v1/namespaces/production/replicasets/api-gateway-7d9f5b8c6", "ReplicaSet api-gateway-7d9f5b8c6"},
		{"controller of another make", func(r *remedy.Request) {
			r.Diagnosis.Owner = incident.Target{}
			r.Evidence.Pods[0].OwnerReferences[1].Kind = "CloneSet"
		}, "", "CloneSet api-gateway-7d9f5b8c6"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := outOfMemory("k8s.pod.restart")
			c.change(&r)
			in := readable(t, build(t, r))
			watched, _ := in["execute"].(map[string]any)["watch"].(map[string]any)
			path, _ := watched["path"].(string)
			summary := in["verify"].(map[string]any)["summary"]
			got := []any{path, summary}
			want := []any{c.path, "the pods of " + c.whose + " are ready and stay so for 2m0s without a restart"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("watch (-want +got):\n%s", diff)
			}
		})
	}
}
