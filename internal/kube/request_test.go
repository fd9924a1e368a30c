package kube_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"salve/internal/kube"
)

const uid = "0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11"

// hostile is what no name may be: each would mean something in a path, a query,
// a shell, a template or a database.
var hostile = map[string]string{
	"empty":          "",
	"path traversal": "../../nodes",
	"dots":           "..",
	"slash":          "a/b",
	"query":          "a?force=true",
	"fragment":       "a#b",
	"percent":        "a%2fb",
	"sql":            "a'; DROP TABLE events; --",
	"shell":          "$(reboot)",
	"backticks":      "`reboot`",
	"template":       "{{.Secret}}",
	"n8n expression": "={{ $env.TOKEN }}",
	"line break":     "a\nb",
	"last line":      "a\n",
	"nul":            "a\x00b",
	"space":          "a b",
	"upper case":     "Api",
	"letters beyond": "аpi", // a Cyrillic а
	"not utf-8":      "a\xffb",
	"dash first":     "-force",
	"too long":       strings.Repeat("a", 254),
}

func TestEviction(t *testing.T) {
	got, err := kube.Eviction("production", "api-gateway-x7k2m", uid)
	if err != nil {
		t.Fatal(err)
	}
	want := kube.Request{
		Method: "POST", Path: "/api/v1/namespaces/production/pods/api-gateway-x7k2m/eviction",
		ContentType: "application/json",
		Body: json.RawMessage(`{"kind":"Eviction","apiVersion":"policy/v1",` +
			`"metadata":{"name":"api-gateway-x7k2m","namespace":"production"},` +
			`"deleteOptions":{"kind":"DeleteOptions","apiVersion":"meta.k8s.io/v1","preconditions":{"uid":"` + uid + `"}}}`),
	}
	if diff := cmp.Diff(readable(want), readable(got)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestApplyMemory(t *testing.T) {
	change := kube.MemoryChange{
		Namespace: "production", Deployment: "api-gateway", UID: uid, Container: "app",
		Limit: resource.MustParse("768Mi"),
	}
	request := resource.MustParse("768Mi")
	const path = "/apis/apps/v1/namespaces/production/deployments/api-gateway?fieldManager=salve"
	body := func(containers string) json.RawMessage {
		return json.RawMessage(`{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"api-gateway","namespace":"production","uid":"` +
			uid + `"},"spec":{"template":{"spec":{` + containers + `}}}}`)
	}
	cases := []struct {
		name   string
		change func(*kube.MemoryChange)
		path   string
		body   json.RawMessage
	}{
		{"limit alone", func(*kube.MemoryChange) {}, path,
			body(`"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]`)},
		{"request too", func(c *kube.MemoryChange) { c.Request = &request }, path,
			body(`"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"},"requests":{"memory":"768Mi"}}}]`)},
		{"init container", func(c *kube.MemoryChange) { c.Init = true }, path,
			body(`"initContainers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]`)},
		{"field taken", func(c *kube.MemoryChange) { c.Force = true }, path + "&force=true",
			body(`"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]`)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := change
			c.change(&m)
			got, err := kube.ApplyMemory(m)
			if err != nil {
				t.Fatal(err)
			}
			want := kube.Request{Method: "PATCH", Path: c.path, ContentType: "application/apply-patch+yaml", Body: c.body}
			if diff := cmp.Diff(readable(want), readable(got)); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// readable lets a difference in a body be seen.
func readable(r kube.Request) map[string]string {
	return map[string]string{"method": r.Method, "path": r.Path, "content type": r.ContentType, "body": string(r.Body)}
}

func TestPaths(t *testing.T) {
	cases := []struct {
		name string
		call func() (string, error)
		want string
	}{
		{"pod", func() (string, error) { return kube.ObjectPath("Pod", "shop", "a.b-1") }, "/api/v1/namespaces/shop/pods/a.b-1"},
		{"deployment", func() (string, error) { return kube.ObjectPath("Deployment", "shop", "api") }, "/apis/apps/v1/namespaces/shop/deployments/api"},
		{"replica set", func() (string, error) { return kube.ObjectPath("ReplicaSet", "shop", "api") }, "/apis/apps/v1/namespaces/shop/replicasets/api"},
		{"stateful set", func() (string, error) { return kube.ObjectPath("StatefulSet", "shop", "db") }, "/apis/apps/v1/namespaces/shop/statefulsets/db"},
		{"daemon set", func() (string, error) { return kube.ObjectPath("DaemonSet", "shop", "log") }, "/apis/apps/v1/namespaces/shop/daemonsets/log"},
		{"job", func() (string, error) { return kube.ObjectPath("Job", "shop", "mail") }, "/apis/batch/v1/namespaces/shop/jobs/mail"},
		{"cron job", func() (string, error) { return kube.ObjectPath("CronJob", "shop", "mail") }, "/apis/batch/v1/namespaces/shop/cronjobs/mail"},
		{"pods by label", func() (string, error) { return kube.PodsPath("shop", "app=api,tier in (a, b)", 50) },
			"/api/v1/namespaces/shop/pods?labelSelector=app%3Dapi%2Ctier%20in%20%28a%2C%20b%29&limit=50"},
		{"events of an object", func() (string, error) { return kube.ObjectEventsPath("Pod", "shop", "api-1", 100) },
			"/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dapi-1&limit=100"},
		{"a node", func() (string, error) { return kube.ObjectPath("Node", "ignored", "node-1") }, "/api/v1/nodes/node-1"},
		{"a node's events", func() (string, error) { return kube.ObjectEventsPath("Node", "", "node-1", 100) },
			"/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DNode%2CinvolvedObject.name%3Dnode-1&limit=100"},
		{"objects of a kind", func() (string, error) { return kube.ListPath("HorizontalPodAutoscaler", "shop", 50) },
			"/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers?limit=50"},
		{"a log", func() (string, error) { return kube.LogPath("shop", "api-1", "app", false, 500, 1024) },
			"/api/v1/namespaces/shop/pods/api-1/log?container=app&tailLines=500&limitBytes=1024"},
		{"the log of the life before", func() (string, error) { return kube.LogPath("shop", "api-1", "app", true, 500, 1024) },
			"/api/v1/namespaces/shop/pods/api-1/log?container=app&tailLines=500&limitBytes=1024&previous=true"},
		{"the use of a pod", func() (string, error) { return kube.MetricsPath("Pod", "shop", "api-1") },
			"/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/api-1"},
		{"the use of a node", func() (string, error) { return kube.MetricsPath("Node", "", "node-1") },
			"/apis/metrics.k8s.io/v1beta1/nodes/node-1"},
		{"events of a kind", func() (string, error) { return kube.KindEventsPath("Pod", "shop", 250) },
			"/api/v1/namespaces/shop/events?fieldSelector=involvedObject.kind%3DPod&limit=250"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.call()
			if err != nil || got != c.want {
				t.Errorf("path is %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// Whatever is hostile is refused wherever a name goes, with a reason that names
// the part and repeats no more than its beginning.
func TestHostileNames(t *testing.T) {
	request := func(r kube.Request, err error) (string, error) { return r.Path, err }
	change := kube.MemoryChange{Namespace: "shop", Deployment: "api", UID: uid, Container: "app", Limit: resource.MustParse("1Mi")}
	places := map[string]func(string) (string, error){
		"namespace of a pod":  func(s string) (string, error) { return kube.ObjectPath("Pod", s, "api") },
		"Pod name":            func(s string) (string, error) { return kube.ObjectPath("Pod", "shop", s) },
		"kind":                func(s string) (string, error) { return kube.ObjectPath(s, "shop", "api") },
		"namespace of a list": func(s string) (string, error) { return kube.PodsPath(s, "app=api", 1) },
		"namespace of events": func(s string) (string, error) { return kube.KindEventsPath("Pod", s, 1) },
		"kind of a list":      func(s string) (string, error) { return kube.ListPath(s, "shop", 1) },
		"kind of metrics":     func(s string) (string, error) { return kube.MetricsPath(s, "shop", "api") },
		"Node name":           func(s string) (string, error) { return kube.ObjectPath("Node", "", s) },
		"container of a log":  func(s string) (string, error) { return kube.LogPath("shop", "api", s, false, 1, 1) },
		"kind of events":      func(s string) (string, error) { return kube.KindEventsPath(s, "shop", 1) },
		"Pod name of events":  func(s string) (string, error) { return kube.ObjectEventsPath("Pod", "shop", s, 1) },
		"namespace":           func(s string) (string, error) { return request(kube.Eviction(s, "api", uid)) },
		"Pod name, evicted":   func(s string) (string, error) { return request(kube.Eviction("shop", s, uid)) },
		"Deployment name": func(s string) (string, error) {
			c := change
			c.Deployment = s
			return request(kube.ApplyMemory(c))
		},
		"container": func(s string) (string, error) {
			c := change
			c.Container = s
			return request(kube.ApplyMemory(c))
		},
	}
	for place, call := range places {
		part, _, _ := strings.Cut(strings.TrimSuffix(place, ", evicted"), " of ")
		for name, text := range hostile {
			path, err := call(text)
			if err == nil {
				t.Errorf("%s: %s was taken: %q", place, name, path)
				continue
			}
			if !strings.HasPrefix(err.Error(), part+" ") || len(err.Error()) > 400 {
				t.Errorf("%s: %s is refused with %q", place, name, err)
			}
		}
	}
}

func TestNamesAtTheirLongest(t *testing.T) {
	label, name := strings.Repeat("a", 63), strings.Repeat("a", 253)
	if _, err := kube.ObjectPath("Pod", label, name); err != nil {
		t.Errorf("the longest names are refused: %v", err)
	}
	tooLong := `namespace "` + label + `a" is too long: at most 63 characters`
	if _, err := kube.ObjectPath("Pod", label+"a", name); err == nil || err.Error() != tooLong {
		t.Errorf("a namespace of 64 characters is refused with %v, want %s", err, tooLong)
	}
	if _, err := kube.ObjectPath("Pod", "a.b", name); err == nil {
		t.Error("a namespace with a dot was taken")
	}
}

func TestUIDs(t *testing.T) {
	for _, ok := range []string{uid, "5d41402abc4b2a76b9719d911017c592", "A-1"} {
		if err := kube.CheckUID(ok); err != nil {
			t.Errorf("%q is refused: %v", ok, err)
		}
	}
	for _, bad := range []string{"", "../x", "a b", "a\n", `a"`, "é", strings.Repeat("a", 65)} {
		if _, err := kube.Eviction("shop", "api", bad); err == nil || !strings.HasPrefix(err.Error(), "uid ") {
			t.Errorf("eviction with the UID %q: %v", bad, err)
		}
		c := kube.MemoryChange{Namespace: "shop", Deployment: "api", UID: bad, Container: "app"}
		if _, err := kube.ApplyMemory(c); err == nil || !strings.HasPrefix(err.Error(), "uid ") {
			t.Errorf("apply with the UID %q: %v", bad, err)
		}
	}
}

func TestSelectors(t *testing.T) {
	cases := []struct{ name, selector, reason string }{
		{"empty", "", "label selector is empty: it would select every pod of the namespace"},
		{"blank", "  ", "label selector is empty: it would select every pod of the namespace"},
		{"a query in it", "app=api&limit=9", `label selector "app=api&limit=9": `},
		{"open bracket", "app in (a", `label selector "app in (a": `},
		{"too long", "app=" + strings.Repeat("a", 3000), "label selector is too long: at most 2048 characters"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := kube.PodsPath("shop", c.selector, 1)
			if err == nil || !strings.HasPrefix(err.Error(), c.reason) {
				t.Errorf("refused with %v, want %q", err, c.reason)
			}
		})
	}
}

// Whatever is accepted stays in its place: the path has the segments it should
// have, and the query says what it should.
func FuzzObjectEventsPath(f *testing.F) {
	f.Add("shop", "api")
	for _, text := range hostile {
		f.Add("shop", text)
		f.Add(text, "api")
	}
	f.Fuzz(func(t *testing.T, namespace, name string) {
		path, err := kube.ObjectEventsPath("Pod", namespace, name, 7)
		if err != nil {
			return
		}
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		want := url.Values{"fieldSelector": {"involvedObject.kind=Pod,involvedObject.name=" + name}, "limit": {"7"}}
		if u.Path != "/api/v1/namespaces/"+namespace+"/events" || !cmp.Equal(want, u.Query()) {
			t.Errorf("%q and %q became %q", namespace, name, path)
		}
	})
}

func FuzzPodsPath(f *testing.F) {
	for _, seed := range []string{"app=api", "a in (b,c),!d", "a!=b", "", "app=api&limit=9", "a\n", "é=é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, selector string) {
		path, err := kube.PodsPath("shop", selector, 7)
		if err != nil {
			return
		}
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if want := (url.Values{"labelSelector": {selector}, "limit": {"7"}}); !cmp.Equal(want, u.Query()) {
			t.Errorf("%q became %q", selector, path)
		}
	})
}

func TestEvidenceKeys(t *testing.T) {
	got := map[string]string{}
	for _, kind := range []string{"Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob",
		"Node", "PersistentVolumeClaim", "ResourceQuota", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Application", "Certificate"} {
		key, err := kube.EvidenceKey(kind)
		if err != nil {
			t.Error(err)
		}
		got[kind] = key
	}
	want := map[string]string{
		"Pod": "pods", "ReplicaSet": "replicaSets", "Deployment": "deployments", "StatefulSet": "statefulSets",
		"DaemonSet": "daemonSets", "Job": "jobs", "CronJob": "cronJobs", "Node": "nodes", "PersistentVolumeClaim": "pvcs",
		"ResourceQuota": "quotas", "HorizontalPodAutoscaler": "hpas", "PodDisruptionBudget": "pdbs", "Application": "gitops", "Certificate": "certificate",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evidence keys (-want +got):\n%s", diff)
	}
	const reason = `kind "Secret" is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob, Node, PersistentVolumeClaim, ResourceQuota, HorizontalPodAutoscaler, PodDisruptionBudget, Application, Kustomization, HelmRelease, Certificate`
	if _, err := kube.EvidenceKey("Secret"); err == nil || err.Error() != reason {
		t.Errorf("Secret is refused with %v", err)
	}
}

func TestKinds(t *testing.T) {
	for kind, ok := range map[string]bool{
		"ReplicaSet": true, "Rollout": true, "": false, "a b": false, "<!channel>": false, "É": false,
		strings.Repeat("A", 63): true, strings.Repeat("A", 64): false,
	} {
		if err := kube.CheckKind(kind); (err == nil) != ok {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
}
