//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type object = map[string]any

// The code of the Evidence node, in n8n's own Node, with answers from data:
// what takes a cluster an hour to show stands here in a table.
func TestEvidenceNode(t *testing.T) {
	const pods, sets = "/api/v1/namespaces/shop/pods/", "/apis/apps/v1/namespaces/shop/replicasets/"
	log := func(path string, optional bool) object {
		return object{"evidence_key": "logs", "path": path, "pod": "api-1", "container": "app", "previous": true, "optional": optional}
	}
	pod := func(ownerKind, owner string) object {
		return object{"kind": "Pod", "metadata": object{"name": "api-1", "namespace": "shop", "managedFields": []any{"x"},
			"ownerReferences": []any{object{"apiVersion": "apps/v1", "kind": ownerKind, "name": owner, "controller": true}}}}
	}
	kept := func(ownerKind, owner string) object {
		p := pod(ownerKind, owner)
		delete(p["metadata"].(object), "managedFields")
		return p
	}
	refused := object{"statusCode": 400, "body": object{"kind": "Status", "message": `previous terminated container "app" in pod "api-1" not found`}}
	failure := func(path, message string, code int) []any {
		return []any{object{"path": path, "http_code": float64(code), "message": message}}
	}
	long := strings.Repeat("é", 200<<10) + "\n" + strings.Repeat("x", 100<<10) + "\nlast\n"
	for name, tc := range map[string]struct {
		requests []any
		answers  object
		want     object
	}{
		"a log beside its pod": {
			[]any{object{"evidence_key": "pods", "path": pods + "api-1"}, log("/log", true)},
			object{pods + "api-1": object{"statusCode": 200, "body": pod("ReplicaSet", "api")}, "/log": object{"statusCode": 200, "data": "connection refused\n"}},
			object{"status": "succeeded", "evidence": object{"pods": []any{kept("ReplicaSet", "api")},
				"logs": []any{object{"pod": "api-1", "container": "app", "previous": true, "text": "connection refused\n"}}}},
		},
		"an empty log": {
			[]any{log("/log", false)}, object{"/log": object{"statusCode": 200}},
			object{"status": "succeeded", "evidence": object{"logs": []any{object{"pod": "api-1", "container": "app", "previous": true, "text": ""}}}},
		},
		"an optional log that is refused": {
			[]any{log("/log", true)}, object{"/log": refused},
			object{"status": "succeeded", "failed": failure("/log", `previous terminated container "app" in pod "api-1" not found`, 400), "evidence": object{}},
		},
		"a needed log that is refused": {
			[]any{log("/log", false)}, object{"/log": refused},
			object{"status": "failed", "error": `/log: 400 previous terminated container "app" in pod "api-1" not found`,
				"failed": failure("/log", `previous terminated container "app" in pod "api-1" not found`, 400), "evidence": object{}},
		},
		"a log of a pod that is gone": {
			[]any{log("/log", false)}, object{},
			object{"status": "succeeded", "missing": []any{"/log"}, "evidence": object{}},
		},
		"a text where an object should be": {
			[]any{object{"evidence_key": "pods", "path": "/pods"}}, object{"/pods": object{"statusCode": 200, "data": "<html>"}},
			object{"status": "failed", "error": "/pods: 200 an answer that is no Kubernetes object", "failed": failure("/pods", "an answer that is no Kubernetes object", 200), "evidence": object{}},
		},
		"a log in JSON": {
			[]any{log("/log", false)}, object{"/log": object{"statusCode": 200, "data": `{"kind":"fatal"}`}},
			object{"status": "succeeded", "evidence": object{"logs": []any{object{"pod": "api-1", "container": "app", "previous": true, "text": `{"kind":"fatal"}`}}}},
		},
		"the end of a long log": {
			[]any{log("/log", false)}, object{"/log": object{"statusCode": 200, "data": long}},
			object{"status": "succeeded", "evidence": object{"logs": []any{object{"pod": "api-1", "container": "app", "previous": true, "text": long[strings.Index(long, "x"):]}}}},
		},
		"the owners, but no stranger": {
			[]any{object{"evidence_key": "pods", "path": pods + "api-1", "follow": "owners"}, object{"evidence_key": "pods", "path": pods + "odd", "follow": "owners"}},
			object{pods + "api-1": object{"statusCode": 200, "body": pod("ReplicaSet", "api")}, sets + "api": object{"statusCode": 200, "body": object{"kind": "ReplicaSet", "metadata": object{}}},
				pods + "odd": object{"statusCode": 200, "body": pod("Rollout", "api")}, "/apis/apps/v1/namespaces/shop/rollouts/api": object{"statusCode": 200, "body": object{"kind": "Rollout"}}},
			object{"status": "succeeded", "evidence": object{"pods": []any{kept("ReplicaSet", "api"), kept("Rollout", "api")}, "replicaSets": []any{object{"kind": "ReplicaSet", "metadata": object{}}}}},
		},
		"an owner that may not be read": {
			[]any{object{"evidence_key": "pods", "path": pods + "api-1", "follow": "owners"}},
			object{pods + "api-1": object{"statusCode": 200, "body": pod("ReplicaSet", "api")}, sets + "api": object{"statusCode": 403, "body": object{"kind": "Status", "message": "forbidden"}}},
			object{"status": "succeeded", "failed": failure(sets+"api", "forbidden", 403), "evidence": object{"pods": []any{kept("ReplicaSet", "api")}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := runEvidenceNode(t, object{"shape": "collect", "cluster": "prod", "requests": tc.requests}, tc.answers)
			want := object{"done": true, "status": tc.want["status"], "observed": true, "evidence": tc.want["evidence"],
				"output": object{"missing": list(tc.want["missing"]), "failed": list(tc.want["failed"]), "too_large": []any{}}}
			want["evidence"].(object)["cluster"] = "prod"
			if message, is := tc.want["error"]; is {
				want["error"] = message
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the result differs (-want +got):\n%s", diff)
			}
		})
	}
}

func list(v any) []any {
	if v == nil {
		return []any{}
	}
	return v.([]any)
}

func runEvidenceNode(t *testing.T, execute, answers object) object {
	t.Helper()
	out := runScript(t, object{"execute": execute, "answers": answers}, "collect.js", filepath.Join(workflowDir(), "collect-evidence.json"))
	var got object
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}
