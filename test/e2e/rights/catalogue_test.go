//go:build e2e

package rights

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
	"salve/test/cluster"
)

// call is one request that n8n sends to an API server.
type call struct {
	action, method, path, contentType string
	body                              string
}

func (c call) changes() bool { return c.method != http.MethodGet }

// elsewhere are the actions that no API server is asked for.
var elsewhere = []string{
	"notify.slack", "notify.sms", "notify.digest", "ticket.create", "host.logs.clean", "host.logs.compress", "host.coredumps.delete",
	"host.service.restart", "host.service.reload", "host.disk.expand", "db.failover", "cert.renew", "backup.run", "backup.verify",
	"backup.extend_retention", "ansible.run", "git.pull_request", "collect.files", "collect.disk", "collect.service",
	"collect.backup", "collect.terraform", "collect.database",
}

// Whatever the catalogue can ask of a cluster is asked with n8n's token; a change
// as a dry run, which is authorised and admitted like the change itself.
func TestN8NMayDoWhatTheCatalogueAsks(t *testing.T) {
	openShop(t)
	calls := catalogueCalls(t)
	for _, c := range calls {
		code, answer := send(t, kube.N8NToken, c)
		if !granted(c, code, answer) {
			t.Errorf("%s: %s %s: %d %s", c.action, c.method, c.path, code, answer)
		}
		code, answer = send(t, looker, c)
		if c.changes() && code != http.StatusForbidden {
			t.Errorf("read.yaml alone lets n8n do %s: %s %s: %d %s", c.action, c.method, c.path, code, answer)
		}
		if !c.changes() && !granted(c, code, answer) {
			t.Errorf("read.yaml alone is not enough for %s: GET %s: %d %s", c.action, c.path, code, answer)
		}
	}
}

// granted: done, or not there. An API server says 403 before it looks whether
// something is there, so that 404 of Argo CD, which it does not serve, is a yes.
func granted(c call, code int, answer []byte) bool {
	served := !strings.Contains(c.path, ".io/v") || strings.Contains(c.path, "autoscaling") // groups of Kubernetes itself
	switch {
	case c.changes() && served:
		return code == http.StatusOK || code == http.StatusCreated
	case code == http.StatusBadRequest:
		return strings.Contains(string(answer), "previous terminated container")
	}
	return code == http.StatusOK || code == http.StatusNotFound
}

func send(t *testing.T, token string, c call) (int, []byte) {
	t.Helper()
	path := c.path
	if c.changes() {
		// The field's owner is the one that made the object here: not what is tested.
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "dryRun=All"
		if c.contentType == "application/apply-patch+yaml" {
			path += "&force=true"
		}
	}
	code, answer, err := kube.As(t.Context(), token, c.method, path, c.contentType, []byte(c.body))
	if err != nil {
		t.Fatal(err)
	}
	return code, answer
}

// catalogueCalls asks every action of every target there is, and gives what the
// plans would have n8n send. An action of which nothing comes is either elsewhere
// or missing here.
func catalogueCalls(t *testing.T) []call {
	t.Helper()
	ev := shopEvidence(t)
	var calls []call
	for _, action := range (remedy.Catalogue{}).Actions() {
		before := len(calls)
		for _, target := range targets(ev) {
			r := request(ev, target)
			r.Action = action
			if action == "k8s.deployment.scale" {
				r.Params = map[string]any{"add": 1}
			}
			in, err := remedy.Build(r)
			if err != nil {
				continue // not for this target
			}
			for _, c := range callsOf(t, in) {
				if !slices.Contains(calls, c) {
					calls = append(calls, c)
				}
			}
		}
		if asks := len(calls) > before; asks == slices.Contains(elsewhere, action) {
			t.Errorf("%s asks %d things of an API server: targets or elsewhere are incomplete", action, len(calls)-before)
		}
	}
	return calls
}

func request(ev evidence.Evidence, target incident.Target) remedy.Request {
	owner, subject := target, target
	if target.Kind == "Application" || target.Kind == "Kustomization" || target.Kind == "HelmRelease" {
		owner = incident.Target{Cluster: "real", Namespace: namespace, Kind: "Deployment", Name: "api"}
		ev.GitOps = slices.DeleteFunc(slices.Clone(ev.GitOps), func(g evidence.GitOps) bool { return g.Kind != target.Kind })
	} else {
		ev.GitOps = nil
	}
	return remedy.Request{
		Target: target, Incident: incident.Incident{Target: target}, Evidence: ev, HealthyFor: time.Minute, LookEvery: time.Minute,
		Diagnosis: incident.Diagnosis{Cause: "pod.oom_killed", Subject: subject, Owner: owner, Container: "app"},
	}
}

// targets are one of each kind that something can be the matter with, and two pods
// whose container and owner say what kind of reads there are.
func targets(ev evidence.Evidence) []incident.Target {
	var out []incident.Target
	add := func(kind, name, uid string) {
		t := incident.Target{Cluster: "real", Namespace: namespace, Kind: kind, Name: name, UID: uid}
		if kind == "Node" || kind == "Namespace" {
			t.Namespace = ""
		}
		out = append(out, t)
	}
	pod := ev.Pods[slices.IndexFunc(ev.Pods, func(p corev1.Pod) bool { return strings.HasPrefix(p.Name, "api-") })]
	add("Pod", pod.Name, string(pod.UID))
	add("Deployment", "api", string(ev.Deployments[0].UID))
	add("StatefulSet", "db", string(ev.StatefulSets[0].UID))
	add("DaemonSet", "agent", string(ev.DaemonSets[0].UID))
	add("Job", "migrate", string(ev.Jobs[0].UID))
	add("Node", ev.Nodes[0].Name, string(ev.Nodes[0].UID))
	for _, kind := range []string{
		"ReplicaSet", "CronJob", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "PersistentVolumeClaim",
		"Application", "Kustomization", "HelmRelease", "Certificate", "Namespace",
	} {
		add(kind, "some", "")
	}
	return out
}

func shopEvidence(t *testing.T) evidence.Evidence {
	t.Helper()
	doc := map[string]any{}
	for key, path := range map[string]string{
		"pods": "/api/v1/namespaces/shop/pods", "nodes": "/api/v1/nodes", "jobs": "/apis/batch/v1/namespaces/shop/jobs",
		"deployments": "/apis/apps/v1/namespaces/shop/deployments", "replicaSets": "/apis/apps/v1/namespaces/shop/replicasets",
		"statefulSets": "/apis/apps/v1/namespaces/shop/statefulsets", "daemonSets": "/apis/apps/v1/namespaces/shop/daemonsets",
	} {
		items, err := kube.Items(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		doc[key] = items
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	ev, problems := evidence.Parse(raw, time.Now())
	if len(problems) > 0 {
		t.Fatalf("the cluster's objects as evidence: %v", problems)
	}
	for _, kind := range []string{"Application", "Kustomization", "HelmRelease"} {
		ev.GitOps = append(ev.GitOps, evidence.GitOps{Kind: kind, Namespace: namespace, Name: "some", AutoSync: true,
			Resources: []evidence.GitOpsResource{{Kind: "Deployment", Namespace: namespace, Name: "api"}}})
	}
	return ev
}

// callsOf are the requests of a plan: what is executed, watched, verified, and what
// takes it back.
func callsOf(t *testing.T, in incident.Intent) []call {
	t.Helper()
	var calls []call
	for _, raw := range []json.RawMessage{in.Execute, in.Rollback, in.Verify} {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, callsIn(t, in.Action, v)...)
	}
	return calls
}

// callsIn finds whatever names a path; a rollback's is the Deployment's, which is
// read, as its ReplicaSet is, and patched.
func callsIn(t *testing.T, action string, v any) []call {
	t.Helper()
	var calls []call
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			calls = append(calls, callsIn(t, action, item)...)
		}
	case cluster.Object:
		path, _ := v["path"].(string)
		switch {
		case v["shape"] == "rollback":
			set := strings.Replace(path, "/deployments/", "/replicasets/", 1)
			set = set[:strings.LastIndex(set, "/")+1] + v["replica_set"].(string)
			calls = append(calls, call{action, "GET", set, "", ""}, call{action, "GET", path, "", ""},
				call{action, "PATCH", path, "application/merge-patch+json", `{"metadata":{"annotations":{"salve/seen":"yes"}}}`})
		case v["method"] != nil && strings.HasPrefix(path, "/api"):
			body, err := json.Marshal(v["body"])
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call{action, v["method"].(string), path, v["content_type"].(string), string(body)})
		case strings.HasPrefix(path, "/api"):
			calls = append(calls, call{action, "GET", path, "", ""})
		}
		for _, key := range []string{"execute", "watch", "requests"} {
			calls = append(calls, callsIn(t, action, v[key])...)
		}
	}
	return calls
}
