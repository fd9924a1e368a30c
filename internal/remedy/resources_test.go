package remedy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const deploymentPath = "/apis/apps/v1/namespaces/production/deployments/api-gateway"

func applied(limit string) map[string]any {
	return map[string]any{
		"shape": "kubernetes", "cluster": "prod", "method": "PATCH",
		"path": deploymentPath + "?fieldManager=salve", "content_type": "application/apply-patch+yaml",
		"body": map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": "api-gateway", "namespace": "production", "uid": deploymentUID},
			"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
				map[string]any{"name": "app", "resources": map[string]any{"limits": map[string]any{"memory": limit}}},
			}}}},
		},
		"timeout_seconds": 300.0,
		"watch":           map[string]any{"path": deploymentPath, "until": "ready"},
	}
}

func TestResources(t *testing.T) {
	got := readable(t, build(t, outOfMemory("k8s.deployment.resources")))
	params := func(from, to string) map[string]any {
		return map[string]any{
			"container": "app", "from": from, "to": to, "memory_factor": 1.5,
			"memory_ceiling_factor": 4.0, "max_raises": 2.0, "take_ownership": false,
		}
	}
	target := incident.Target{
		Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway",
		UID: deploymentUID, Generation: 7, Container: "app",
	}
	want := map[string]any{
		"action": "k8s.deployment.resources", "effect": incident.Change, "risk": incident.RiskMedium,
		"target":       target,
		"summary":      "Raise the memory limit of container app in Deployment production/api-gateway from 512Mi to 768Mi; its pods are replaced step by step.",
		"timeout":      "5m0s",
		"params":       params("512Mi", "768Mi"),
		"precondition": map[string]any{"uid": deploymentUID, "generation": 7.0, "container": "app", "memory_limit": "512Mi"},
		"rollback": map[string]any{
			"action":  "k8s.deployment.resources",
			"summary": "Set the memory limit of container app in Deployment production/api-gateway back to 512Mi; its pods are replaced step by step.",
			"params":  params("768Mi", "512Mi"),
			"execute": applied("512Mi"),
		},
		"verify": map[string]any{
			"summary": "the pods of Deployment api-gateway are ready and stay so for 2m0s without a restart",
			"target": map[string]any{
				"cluster": "prod", "namespace": "production", "kind": "Deployment", "name": "api-gateway",
				"uid": deploymentUID, "generation": 7.0, "container": "app",
			},
			"until": "ready", "healthy_seconds": 120.0, "look_seconds": 30.0, "path": deploymentPath,
		},
		"execute": applied("768Mi"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
}

// resourcesOf digs the container's new resources out of an intent's body.
func resourcesOf(t *testing.T, in incident.Intent) (path string, containers string) {
	t.Helper()
	var shape struct {
		Path string
		Body struct {
			Spec struct {
				Template struct{ Spec json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(in.Execute, &shape); err != nil {
		t.Fatal(err)
	}
	return shape.Path, string(shape.Body.Spec.Template.Spec)
}

func TestResourcesOfContainers(t *testing.T) {
	cases := []struct {
		name   string
		change func(*remedy.Request)
		want   string
	}{
		{"request below the limit stays", func(*remedy.Request) {},
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}`},
		{"request equal to the limit is raised with it", func(r *remedy.Request) { r.Evidence.Deployments[0] = deployment("512Mi", "536870912") },
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"},"requests":{"memory":"768Mi"}}}]}`},
		{"no request", func(r *remedy.Request) { r.Evidence.Deployments[0] = deployment("512Mi", "") },
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}`},
		{"sidecar", func(r *remedy.Request) { r.Diagnosis.Container = "proxy" },
			`{"containers":[{"name":"proxy","resources":{"limits":{"memory":"96Mi"}}}]}`},
		{"init container", func(r *remedy.Request) { r.Diagnosis.Container = "migrate" },
			`{"initContainers":[{"name":"migrate","resources":{"limits":{"memory":"150M"}}}]}`},
		{"twice as much", func(r *remedy.Request) { r.Params = map[string]any{"memory_factor": 2} },
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}}}]}`},
		{"the second raise", func(r *remedy.Request) { r.RaisedBefore, r.FirstLimit = 1, "400Mi" },
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}`},
		{"up to the ceiling", func(r *remedy.Request) { r.RaisedBefore, r.FirstLimit = 1, "150Mi" },
			`{"containers":[{"name":"app","resources":{"limits":{"memory":"600Mi"}}}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := outOfMemory("k8s.deployment.resources")
			c.change(&r)
			if _, got := resourcesOf(t, build(t, r)); got != c.want {
				t.Errorf("applied %s, want %s", got, c.want)
			}
		})
	}
}

// Guaranteed quality of service is restored by the rollback too.
func TestResourcesRollbackOfRequest(t *testing.T) {
	r := outOfMemory("k8s.deployment.resources")
	r.Evidence.Deployments[0] = deployment("512Mi", "512Mi")
	in := build(t, r)
	const want = `"resources":{"limits":{"memory":"512Mi"},"requests":{"memory":"512Mi"}}`
	if !strings.Contains(string(in.Rollback), want) {
		t.Errorf("rollback is %s, want %s in it", in.Rollback, want)
	}
}

// What was redacted is never written back: no environment, image or command is
// part of what is applied.
func TestResourcesWritesNothingElse(t *testing.T) {
	in := build(t, outOfMemory("k8s.deployment.resources"))
	for _, part := range []json.RawMessage{in.Execute, in.Rollback} {
		for _, word := range []string{"redacted", "DB_PASSWORD", "env", "image", "cpu", "proxy", "migrate"} {
			if strings.Contains(string(part), word) {
				t.Errorf("%q is in %s", word, part)
			}
		}
	}
}

func TestResourcesTakesOwnershipOnlyWhenTold(t *testing.T) {
	r := outOfMemory("k8s.deployment.resources")
	r.Params = map[string]any{"take_ownership": true}
	in := build(t, r)
	if path, _ := resourcesOf(t, in); path != deploymentPath+"?fieldManager=salve&force=true" {
		t.Errorf("path is %s", path)
	}
	if !strings.Contains(string(in.Rollback), "fieldManager=salve&force=true") {
		t.Errorf("the rollback cannot undo it: %s", in.Rollback)
	}
}

func TestResourcesRecreateIsSaid(t *testing.T) {
	r := outOfMemory("k8s.deployment.resources")
	r.Evidence.Deployments[0].Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	const want = "Raise the memory limit of container app in Deployment production/api-gateway from 512Mi to 768Mi; all its pods stop before new ones start."
	if got := build(t, r).Summary; got != want {
		t.Errorf("summary is %q, want %q", got, want)
	}
}

func TestResourcesRefusals(t *testing.T) {
	first := func(r *remedy.Request) *appsv1.Deployment { return &r.Evidence.Deployments[0] }
	cases := []struct {
		name   string
		change func(*remedy.Request)
		reason string
	}{
		{"owner is a StatefulSet", func(r *remedy.Request) { r.Diagnosis.Owner.Kind = "StatefulSet" },
			`the pod's top controller is "StatefulSet", not a Deployment`},
		{"owner not known", func(r *remedy.Request) { r.Diagnosis.Owner = incident.Target{} },
			`the pod's top controller is "", not a Deployment`},
		{"deployment not in the evidence", func(r *remedy.Request) { r.Evidence = evidence.Evidence{} },
			"the evidence does not hold Deployment production/Deployment/api-gateway"},
		{"deployment of another namespace", func(r *remedy.Request) { first(r).Namespace = "staging" },
			"the evidence does not hold Deployment production/Deployment/api-gateway"},
		{"another deployment of that name", func(r *remedy.Request) { first(r).UID = "new" },
			"the evidence holds another Deployment of the name api-gateway: its UID is new, the pod's owner is " + deploymentUID},
		{"no uid", func(r *remedy.Request) { first(r).UID = "" },
			"the evidence holds no UID of Deployment api-gateway"},
		{"being deleted", func(r *remedy.Request) { first(r).DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} },
			"the Deployment api-gateway is being deleted"},
		{"no container named", func(r *remedy.Request) { r.Diagnosis.Container = "" },
			`the Deployment api-gateway has no container ""`},
		{"an unknown container", func(r *remedy.Request) { r.Diagnosis.Container = "istio-proxy" },
			`the Deployment api-gateway has no container "istio-proxy"`},
		{"no limit", func(r *remedy.Request) { *first(r) = deployment("", "") },
			"container app has no memory limit to raise"},
		{"limit of zero", func(r *remedy.Request) { *first(r) = deployment("0", "") },
			"container app has no memory limit to raise"},
		{"negative limit", func(r *remedy.Request) { *first(r) = deployment("-1Gi", "") },
			"container app has no memory limit to raise"},
		{"raised twice", func(r *remedy.Request) { r.RaisedBefore, r.FirstLimit = 2, "256Mi" },
			"the limit was raised 2 times in this incident: at most 2"},
		{"raised once where once is most", func(r *remedy.Request) {
			r.RaisedBefore, r.FirstLimit, r.Params = 1, "256Mi", map[string]any{"max_raises": 1}
		}, "the limit was raised 1 times in this incident: at most 1"},
		{"at the ceiling", func(r *remedy.Request) { r.RaisedBefore, r.FirstLimit = 1, "128Mi" },
			"the ceiling is reached: the limit is 512Mi, and may be at most 4 times the first one, 128Mi"},
		{"a ceiling of one", func(r *remedy.Request) { r.Params = map[string]any{"memory_ceiling_factor": 1} },
			"the ceiling is reached: the limit is 512Mi, and may be at most 1 times the first one, 512Mi"},
		{"first limit lost", func(r *remedy.Request) { r.RaisedBefore = 1 },
			"the limit was raised before, and the first one is not known: there is no ceiling"},
		{"first limit is zero", func(r *remedy.Request) { r.FirstLimit = "0" },
			"there is no memory limit to raise"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := outOfMemory("k8s.deployment.resources")
			c.change(&r)
			refused(t, r, c.reason)
		})
	}
}

// The hash binds an approval to UID and generation: any change of the
// Deployment's spec in between needs a new one.
func TestResourcesPlanHash(t *testing.T) {
	plain := build(t, outOfMemory("k8s.deployment.resources"))
	for name, change := range map[string]func(*remedy.Request){
		"generation": func(r *remedy.Request) { r.Evidence.Deployments[0].Generation++ },
		"uid": func(r *remedy.Request) {
			r.Evidence.Deployments[0].UID, r.Diagnosis.Owner.UID = "other", "other"
		},
		"limit":     func(r *remedy.Request) { r.Evidence.Deployments[0] = deployment("513Mi", "") },
		"container": func(r *remedy.Request) { r.Diagnosis.Container = "proxy" },
		"factor":    func(r *remedy.Request) { r.Params = map[string]any{"memory_factor": 1.6} },
	} {
		r := outOfMemory("k8s.deployment.resources")
		change(&r)
		if build(t, r).PlanHash == plain.PlanHash {
			t.Errorf("another %s has the same hash", name)
		}
	}
	r := outOfMemory("k8s.deployment.resources")
	r.Evidence.Deployments[0].ResourceVersion = "12345"
	if build(t, r).PlanHash != plain.PlanHash {
		t.Error("a change of status alone changed the hash")
	}
}

func TestRaises(t *testing.T) {
	raise := func(state incident.IntentState, change func(*remedy.Request)) incident.Intent {
		r := outOfMemory("k8s.deployment.resources")
		change(&r)
		in := build(t, r)
		in.State = state
		return in
	}
	same := func(*remedy.Request) {}
	second := func(r *remedy.Request) { r.Evidence.Deployments[0] = deployment("768Mi", "") }
	other := func(r *remedy.Request) { r.Diagnosis.Container = "proxy" }
	restart := build(t, outOfMemory("k8s.pod.restart"))
	restart.State = incident.Succeeded
	owner := outOfMemory("").Diagnosis.Owner
	elsewhere := owner
	elsewhere.Namespace = "staging"
	cases := []struct {
		name   string
		past   []incident.Intent
		target incident.Target
		times  int
		first  string
	}{
		{"nothing", nil, owner, 0, ""},
		{"one", []incident.Intent{restart, raise(incident.Succeeded, same)}, owner, 1, "512Mi"},
		{"two", []incident.Intent{raise(incident.Lost, same), raise(incident.Running, second)}, owner, 2, "512Mi"},
		{"not done", []incident.Intent{raise(incident.Failed, same), raise(incident.RejectedState, same), raise(incident.Shown, same), raise(incident.Ready, same)}, owner, 0, ""},
		{"another container", []incident.Intent{raise(incident.Succeeded, other), raise(incident.Succeeded, second)}, owner, 1, "768Mi"},
		{"another deployment", []incident.Intent{raise(incident.Succeeded, same)}, elsewhere, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			times, first := remedy.Raises(c.past, c.target, "app")
			if times != c.times || first != c.first {
				t.Errorf("raised %d times from %q, want %d from %q", times, first, c.times, c.first)
			}
		})
	}
}
