package remedy_test

import (
	"encoding/json"
	"strings"
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
		{"a host", incident.Target{Cluster: "prod", Kind: "Host", Host: "web-01"}, `nothing to collect: kind "Host" is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob, Node, PersistentVolumeClaim, ResourceQuota, HorizontalPodAutoscaler, PodDisruptionBudget, Application, Kustomization, HelmRelease, Certificate`},
		{"nothing", incident.Target{Cluster: "prod"}, `nothing to collect: kind "" is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob, Node, PersistentVolumeClaim, ResourceQuota, HorizontalPodAutoscaler, PodDisruptionBudget, Application, Kustomization, HelmRelease, Certificate`},
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

// collected are the reads of an intent, a line each: key, where it is read, whose
// log it is, and a ? where it may be missing.
func collected(t *testing.T, r remedy.Request) []string {
	t.Helper()
	var shape struct {
		Cluster, Host string
		Requests      []struct {
			EvidenceKey                                string `json:"evidence_key"`
			Path, Follow, Pod, Container, Tool, Script string
			Args                                       []string
			Previous, Optional                         bool
		}
	}
	if err := json.Unmarshal(build(t, r).Execute, &shape); err != nil {
		t.Fatal(err)
	}
	got := []string{strings.TrimSpace(shape.Cluster + " " + shape.Host)}
	for _, q := range shape.Requests {
		line := q.EvidenceKey + " " + q.Path + q.Script
		for _, more := range append([]string{q.Follow, q.Pod, q.Container, q.Tool}, q.Args...) {
			if more != "" {
				line += " " + more
			}
		}
		if q.Previous {
			line += " previous"
		}
		if q.Optional {
			line += " ?"
		}
		got = append(got, line)
	}
	return got
}

func TestCollections(t *testing.T) {
	const ns = "/namespaces/production/"
	around := []string{
		"replicaSets /apis/apps/v1" + ns + "replicasets?limit=50 ?",
		"hpas /apis/autoscaling/v2" + ns + "horizontalpodautoscalers?limit=50 ?",
		"pdbs /apis/policy/v1" + ns + "poddisruptionbudgets?limit=50 ?",
		"quotas /api/v1" + ns + "resourcequotas?limit=50 ?",
		"pvcs /api/v1" + ns + "persistentvolumeclaims?limit=50 ?",
		"events " + events + "ReplicaSet&limit=250",
	}
	pod := incident.Target{Namespace: "production", Kind: "Pod", Name: "api-1", Container: "app"}
	host := incident.Target{Kind: "Host", Host: "web-01"}
	unit := incident.Target{Kind: "Host", Host: "web-01", Service: "nginx.service"}
	of := func(kind string) incident.Target {
		return incident.Target{Namespace: "production", Kind: kind, Name: "api"}
	}
	for _, tc := range []struct {
		action string
		target incident.Target
		want   []string
	}{
		{"collect.logs", pod, []string{"prod",
			"logs /api/v1" + ns + "pods/api-1/log?container=app&tailLines=300&limitBytes=1048576&previous=true api-1 app previous ?",
			"logs /api/v1" + ns + "pods/api-1/log?container=app&tailLines=300&limitBytes=1048576 api-1 app ?"}},
		{"collect.workload", of("Deployment"), append([]string{"prod",
			"deployments /apis/apps/v1" + ns + "deployments/api owners", "events " + events + "Deployment%2CinvolvedObject.name%3Dapi&limit=100",
			"events " + events + "Pod&limit=250"}, around...)},
		{"collect.workload", of("HorizontalPodAutoscaler"), append([]string{"prod",
			"hpas /apis/autoscaling/v2" + ns + "horizontalpodautoscalers/api", "events " + events + "HorizontalPodAutoscaler%2CinvolvedObject.name%3Dapi&limit=100"}, around...)},
		{"collect.workload", incident.Target{Kind: "Namespace", Name: "production"}, append([]string{"prod",
			"deployments /apis/apps/v1" + ns + "deployments?limit=50"}, around...)},
		{"collect.node", incident.Target{Kind: "Node", Name: "node-1"}, []string{"prod", "nodes /api/v1/nodes/node-1",
			"events /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DNode%2CinvolvedObject.name%3Dnode-1&limit=100"}},
		{"collect.gitops", of("Application"), []string{"prod", "gitops /apis/argoproj.io/v1alpha1" + ns + "applications/api"}},
		{"collect.gitops", of("HelmRelease"), []string{"prod", "gitops /apis/helm.toolkit.fluxcd.io/v2" + ns + "helmreleases/api"}},
		{"collect.certificate", of("Certificate"), []string{"prod", "certificate /apis/cert-manager.io/v1" + ns + "certificates/api",
			"events " + events + "Certificate%2CinvolvedObject.name%3Dapi&limit=100"}},
		{"collect.certificate", host, []string{"web-01", "raw certificate-served openssl x509", "raw certificate-renewal certbot ?"}},
		{"collect.disk", host, []string{"web-01", "raw disk-space df -P", "raw disk-inodes df -Pi ?", "raw disk-biggest du -x -b ?", "raw disk-core-dumps find core dumps ?"}},
		{"collect.service", host, []string{"web-01", "raw units-failed systemctl show"}},
		{"collect.service", unit, []string{"web-01", "raw units-failed systemctl show", "raw unit-show systemctl show nginx.service", "raw unit-log journalctl nginx.service ?"}},
		{"collect.backup", host, []string{"web-01", "backup backup-status"}},
		{"collect.database", host, []string{"web-01", "db database-status"}},
		{"collect.usage", host, []string{"web-01", "usage usage"}},
		{"collect.usage", incident.Target{Kind: "Node", Name: "node-1"}, []string{"prod", "nodes /api/v1/nodes/node-1",
			"events /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DNode%2CinvolvedObject.name%3Dnode-1&limit=100",
			"usage /apis/metrics.k8s.io/v1beta1/nodes/node-1 ?"}},
	} {
		t.Run(tc.action+" "+tc.target.String(), func(t *testing.T) {
			r := newAlert()
			r.Action, r.Target = tc.action, tc.target
			if diff := cmp.Diff(tc.want, collected(t, r)); diff != "" {
				t.Errorf("reads (-want +got):\n%s", diff)
			}
		})
	}
}

// Names from alerts become a credential's name or a script's argument, or nothing.
func TestHostileHosts(t *testing.T) {
	for _, bad := range []string{"", "-rf", "web 01", "web-01;reboot", "$(reboot)", "../etc", "web\n01", "wéb", strings.Repeat("a", 254)} {
		r := newAlert()
		r.Action, r.Target = "collect.disk", incident.Target{Kind: "Host", Host: bad}
		if _, err := remedy.Build(r); err == nil {
			t.Errorf("host %q is looked at", bad)
		}
		r.Action, r.Target = "collect.service", incident.Target{Kind: "Host", Host: "web-01", Service: bad}
		if _, err := remedy.Build(r); err == nil && bad != "" {
			t.Errorf("unit %q is looked at", bad)
		}
	}
}

// Every new alert builds one of these: thousands a second.
func BenchmarkCollectPod(b *testing.B) {
	r := newAlert()
	for b.Loop() {
		build(b, r)
	}
}
