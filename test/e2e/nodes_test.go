//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nodeRun is what a Code node made of what it was given.
type nodeRun struct {
	Items  []object `json:"items"`
	Thrown string   `json:"thrown"`
}

// runNode runs the code of one node in n8n's own Node, with data for what comes before it.
func runNode(t *testing.T, workflow, node string, given object) nodeRun {
	t.Helper()
	out := runScript(t, given, "code-node.js", filepath.Join(workflowDir(), workflow), node)
	var got nodeRun
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

// runScript runs a script of test/n8n in n8n's own Node, with JSON on its standard input.
func runScript(t *testing.T, given object, script string, args ...string) []byte {
	t.Helper()
	input, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), theWorld.n8n.node, append([]string{filepath.Join("..", "n8n", script)}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	return out
}

// lease is what the node Lease gave: the request, claimed so many seconds ago.
func lease(execute object, ago time.Duration) []object {
	return []object{{"execute": execute, "started_at": time.Now().Add(-ago).UTC().Format(time.RFC3339Nano)}}
}

// What is complete, what has plainly failed, and what is to be looked at again.
func TestWatchedNode(t *testing.T) {
	old, fresh := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	pod := func(name, born string, ready string, more object) object {
		status := object{"phase": "Running", "conditions": []any{object{"type": "Ready", "status": ready}}}
		for k, v := range more {
			status[k] = v
		}
		return object{"metadata": object{"name": name, "uid": "uid-" + name, "creationTimestamp": born}, "status": status}
	}
	crashing := object{"containerStatuses": []any{object{"state": object{"waiting": object{"reason": "CrashLoopBackOff"}}, "lastState": object{"terminated": object{"reason": "OOMKilled", "exitCode": 137}}}}}
	gone := pod("b", old, "True", nil)
	gone["metadata"].(object)["deletionTimestamp"] = fresh
	list := func(pods ...any) object { return object{"kind": "PodList", "apiVersion": "v1", "items": pods} }
	rollout := func(kind string, generation int, status object) object {
		return object{"kind": kind, "metadata": object{"name": "api", "uid": "d", "creationTimestamp": old, "generation": 4}, "spec": object{"replicas": 2},
			"status": merge(object{"observedGeneration": generation}, status)}
	}
	stalled := object{"conditions": []any{object{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}}}
	longStalled := object{"conditions": []any{object{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastUpdateTime": old, "lastTransitionTime": old}}}
	full := object{"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
	for name, tc := range map[string]struct {
		answer any
		ago    time.Duration
		status string // empty: it is looked at again
		says   string
	}{
		"all are ready":            {list(pod("a", fresh, "True", nil), pod("b", old, "True", nil)), 10 * time.Second, "succeeded", "2 of 2 pods are ready"},
		"one is not":               {list(pod("a", fresh, "False", nil), pod("b", old, "True", nil)), 10 * time.Second, "", ""},
		"one is not, time is over": {list(pod("a", fresh, "False", nil), pod("b", old, "True", nil)), 57 * time.Second, "failed", "accepted, but not complete within 60 s: 1 of 2 pods are ready"},
		"the old one counts not":   {list(pod("gone", old, "False", nil), pod("a", fresh, "True", nil)), 10 * time.Second, "succeeded", "1 of 1 pods are ready"},
		"nothing in its place yet": {list(pod("gone", old, "False", nil), pod("b", old, "True", nil)), 10 * time.Second, "", ""},
		"and nothing that comes":   {list(pod("b", old, "True", nil), pod("c", old, "True", nil)), 57 * time.Second, "failed", "accepted, but not complete within 60 s: the pod in its place is not there yet; 2 of 2 others are ready"},
		"one that failed long ago": {list(pod("a", fresh, "True", nil), pod("x", old, "False", object{"phase": "Failed", "reason": "Evicted"})), 10 * time.Second, "succeeded", "1 of 1 pods are ready"},
		"what is on its way out":   {list(pod("a", fresh, "True", nil), gone), 10 * time.Second, "succeeded", "1 of 1 pods are ready"},
		"none yet":                 {list(), 10 * time.Second, "", ""},
		"a job's pod that is done": {list(pod("a", fresh, "False", object{"phase": "Succeeded"})), 10 * time.Second, "succeeded", "1 of 1 pods are ready"},
		"the new one crashes":      {list(pod("a", fresh, "False", crashing)), 10 * time.Second, "failed", "accepted, but it did not help: the new pod a crashes again: OOMKilled, exit code 137"},
		"an old one crashes":       {list(pod("n", fresh, "True", nil), pod("a", old, "False", crashing)), 10 * time.Second, "", ""},
		"a pod that failed":        {list(pod("a", fresh, "False", object{"phase": "Failed", "reason": "Evicted"})), 10 * time.Second, "failed", "accepted, but it did not help: pod a failed: Evicted"},
		"still being resized": {merge(pod("a", old, "True", object{"conditions": []any{object{"type": "Ready", "status": "True"}, object{"type": "PodResizePending", "status": "True", "reason": "Deferred"}}}),
			object{"kind": "Pod"}), 10 * time.Second, "", ""},
		"a rollout":             {rollout("Deployment", 4, full), 10 * time.Second, "succeeded", "2 of 2 pods are updated, 2 available"},
		"not seen yet":          {rollout("Deployment", 3, full), 10 * time.Second, "", ""},
		"old pods are there":    {rollout("Deployment", 4, merge(full, object{"replicas": 3})), 10 * time.Second, "", ""},
		"none is updated":       {rollout("Deployment", 4, merge(full, object{"updatedReplicas": nil})), 10 * time.Second, "", ""},
		"one is unavailable":    {rollout("Deployment", 4, merge(full, object{"availableReplicas": 1})), 10 * time.Second, "", ""},
		"a stalled rollout":     {rollout("Deployment", 4, merge(full, stalled)), 10 * time.Second, "failed", "accepted, but it did not help: Deployment api: ProgressDeadlineExceeded: timed out"},
		"stalled, not seen yet": {rollout("Deployment", 3, merge(full, stalled)), 10 * time.Second, "", ""},
		"it stalled before":     {rollout("Deployment", 4, merge(object{"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, longStalled)), 10 * time.Second, "", ""},
		"a stateful set":        {rollout("StatefulSet", 4, full), 10 * time.Second, "succeeded", "2 of 2 pods are updated, 2 available"},
		"a stateful set, half":  {rollout("StatefulSet", 4, merge(full, object{"readyReplicas": 1})), 10 * time.Second, "", ""},
		"a daemon set":          {rollout("DaemonSet", 4, object{"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3, "currentNumberScheduled": 3}), 10 * time.Second, "succeeded", "3 of 3 pods are updated, 3 available"},
		"a daemon set, half":    {rollout("DaemonSet", 4, object{"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3, "currentNumberScheduled": 3}), 10 * time.Second, "", ""},
		"an unknown kind":       {object{"kind": "Gadget"}, 10 * time.Second, "failed", "accepted, but it did not help: what was looked at is a Gadget, which nobody knows how to watch"},
		"no object":             {"<html>", 10 * time.Second, "failed", "accepted, but it did not help: what was looked at is a thing without a kind, which nobody knows how to watch"},
		"it cannot be read":     {nil, 10 * time.Second, "", ""},
		"not to the end either": {nil, 60 * time.Second, "failed", "accepted, but not complete within 60 s: it cannot be looked at: 403 no reason"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := object{"statusCode": 403, "data": ""}
			if tc.answer != nil {
				data, err := json.Marshal(tc.answer)
				if err != nil {
					t.Fatal(err)
				}
				answer = object{"statusCode": 200, "data": string(data)}
			}
			execute := object{"cluster": "prod", "timeout_seconds": 60, "watch": object{"path": "/pods", "until": "ready", "without_uid": "uid-gone"}}
			got := runNode(t, "execute-intent.json", "Watched", object{
				"outputs": object{"Lease": lease(execute, tc.ago), "Accepted": []object{{"output": object{"http_code": 201}}}}, "input": []object{answer},
			})
			if len(got.Items) != 1 {
				t.Fatalf("it gave %+v", got)
			}
			item := got.Items[0]
			if tc.status == "" {
				if item["again"] != true {
					t.Errorf("it ends with %v, want another look", item)
				}
				return
			}
			says, _ := item["error"].(string)
			output, _ := item["output"].(object)
			if says == "" {
				says, _ = output["watched"].(string)
			}
			if item["status"] != tc.status || says != tc.says || output["http_code"] != 201.0 || item["finished_at"] == nil {
				t.Errorf("it ends with %v, saying %q; want %s, saying %q", item, says, tc.status, tc.says)
			}
		})
	}
}

func merge(a, b object) object {
	out := object{}
	for _, o := range []object{a, b} {
		for k, v := range o {
			out[k] = v
		}
	}
	return out
}

// The template is that of the ReplicaSet in the cluster, and the patch says what it rests on.
func TestRollbackNode(t *testing.T) {
	execute := object{"cluster": "prod", "path": "/apis/apps/v1/namespaces/shop/deployments/api", "deployment": "api", "deployment_uid": "d-1", "replica_set": "api-7", "replica_set_uid": "rs-7", "revision": 7}
	set := func(uid, owner, revision string) object {
		return object{"metadata": object{"uid": uid, "annotations": object{"deployment.kubernetes.io/revision": revision}, "ownerReferences": []any{object{"uid": owner, "controller": true}}},
			"spec": object{"template": object{"metadata": object{"labels": object{"app": "api", "pod-template-hash": "7"}}, "spec": object{"containers": []any{"c"}}}}}
	}
	deployment := object{"metadata": object{"uid": "d-1", "generation": 12}}
	for name, tc := range map[string]struct {
		deployment, set object
		thrown          string
	}{
		"as planned":         {deployment, set("rs-7", "d-1", "7"), ""},
		"another Deployment": {object{"metadata": object{"uid": "d-2"}}, set("rs-7", "d-1", "7"), "Deployment api is another one than the plan is for"},
		"another ReplicaSet": {deployment, set("rs-8", "d-1", "7"), "ReplicaSet api-7 is another one than the plan is for"},
		"another owner":      {deployment, set("rs-7", "d-9", "7"), "ReplicaSet api-7 does not belong to Deployment api"},
		"another revision":   {deployment, set("rs-7", "d-1", "9"), "ReplicaSet api-7 is revision 9 by now, not 7"},
		"a vanished set":     {deployment, nil, "ReplicaSet api-7 cannot be read: 404 it is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := func(o object) object {
				if o == nil {
					return object{"statusCode": 404, "data": `{"message":"it is gone"}`}
				}
				data, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				return object{"statusCode": 200, "data": string(data)}
			}
			got := runNode(t, "execute-intent.json", "Rollback", object{
				"outputs": object{"Lease": lease(execute, 0)}, "input": []object{answer(tc.deployment), answer(tc.set)},
			})
			want := nodeRun{Thrown: tc.thrown}
			if tc.thrown == "" {
				want.Items = []object{{"cluster": "prod", "method": "PATCH", "path": execute["path"], "content_type": "application/json-patch+json", "timeout_seconds": 30.0, "body": []any{
					object{"op": "test", "path": "/metadata/uid", "value": "d-1"},
					object{"op": "test", "path": "/metadata/generation", "value": 12.0},
					object{"op": "replace", "path": "/spec/template", "value": object{"metadata": object{"labels": object{"app": "api"}}, "spec": object{"containers": []any{"c"}}}},
				}}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("it differs (-want +got):\n%s", diff)
			}
		})
	}
}

// Every shape that is carried out on a host comes to a vetted script and plain arguments.
func TestScriptNode(t *testing.T) {
	for name, tc := range map[string]struct {
		execute object
		script  string
		args    []any
	}{
		"ssh":         {object{"shape": "ssh", "script": "logs-clean", "args": []any{"--root", "/var/log", "--apply"}}, "logs-clean", []any{"--root", "/var/log", "--apply"}},
		"certificate": {object{"shape": "certificate", "domain": "a.example.com", "tool": "certbot"}, "certificate-renew", []any{"--domain", "a.example.com", "--tool", "certbot", "--apply"}},
		"backup":      {object{"shape": "backup", "operation": "run", "tool": "restic", "name": "nightly"}, "backup-run", []any{"--tool", "restic", "--name", "nightly", "--apply"}},
		"verify":      {object{"shape": "backup", "operation": "verify", "tool": "restic", "name": "nightly"}, "backup-verify", []any{"--tool", "restic", "--name", "nightly", "--apply"}},
		"retention":   {object{"shape": "backup", "operation": "extend_retention", "tool": "restic", "name": "nightly", "retention_days": 14}, "backup-retain", []any{"--tool", "restic", "--name", "nightly", "--days", "14", "--apply"}},
		"ansible":     {object{"shape": "ansible", "playbook": "grow-disk"}, "ansible-run", []any{"--playbook", "grow-disk", "--host", "web-01", "--apply"}},
		"terraform":   {object{"shape": "terraform", "workspace": "prod", "plan_digest": "abc"}, "terraform-apply", []any{"--host", "web-01", "--workspace", "prod", "--digest", "abc", "--apply"}},
	} {
		t.Run(name, func(t *testing.T) {
			execute := merge(tc.execute, object{"host": "web-01", "timeout_seconds": 180})
			got := runNode(t, "execute-intent.json", "Script", object{"outputs": object{"Lease": lease(execute, 0)}})
			want := nodeRun{Items: []object{{"host": "web-01", "script": tc.script, "args": tc.args, "timeout_seconds": 180.0}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("it differs (-want +got):\n%s", diff)
			}
		})
	}
}

// The second step follows a first that went well, in what is left of the time.
func TestHostAnswerNode(t *testing.T) {
	then := object{"host": "web-01", "script": "unit-reload", "args": []any{"nginx", "--apply"}, "timeout_seconds": 60}
	one, two := object{"timeout_seconds": 180}, object{"timeout_seconds": 180, "then": then}
	said := func(code int, stdout, stderr, why string) object {
		return object{"code": code, "stdout": stdout, "stderr": stderr, "why": why}
	}
	well := said(0, `{"applied":true}`, "", "")
	delete(well, "why")
	for name, tc := range map[string]struct {
		execute object
		ago     time.Duration
		run     int
		answer  object
		want    object
	}{
		"one step":            {one, 0, 0, well, object{"status": "succeeded", "output": object{"exit_code": 0.0, "applied": true}}},
		"it failed":           {one, 0, 0, object{"code": 1, "stdout": `{"error":"one file could not be read","failed":1}`, "stderr": ""}, object{"status": "failed", "error": "the script ended with 1: one file could not be read", "output": object{"exit_code": 1.0, "error": "one file could not be read", "failed": 1.0}}},
		"it complains":        {one, 0, 0, object{"code": 127, "stdout": "", "stderr": "sh: no such file"}, object{"status": "failed", "error": "the script ended with 127: sh: no such file", "output": object{"exit_code": 127.0}}},
		"it was too slow":     {one, 0, 0, said(124, "", "", "it did not end within 180 s and was stopped"), object{"status": "failed", "error": "the script ended with 124: it did not end within 180 s and was stopped", "output": object{"exit_code": 124.0}}},
		"it prints a text":    {one, 0, 0, object{"code": 0, "stdout": "done", "stderr": ""}, object{"status": "succeeded", "output": object{"exit_code": 0.0, "text": "done"}}},
		"then the second":     {two, 0, 0, well, merge(then, object{"timeout_seconds": 60.0, "before": object{"exit_code": 0.0, "applied": true}})},
		"in what is left":     {two, 200 * time.Second, 0, well, merge(then, object{"timeout_seconds": 25.0, "before": object{"exit_code": 0.0, "applied": true}})},
		"no time is left":     {two, 222 * time.Second, 0, well, object{"status": "failed", "error": "no time was left for the second step", "output": object{"exit_code": 0.0, "applied": true}}},
		"not after a failure": {two, 0, 0, object{"code": 1, "stdout": "", "stderr": "no"}, object{"status": "failed", "error": "the script ended with 1: no", "output": object{"exit_code": 1.0}}},
		"both went well":      {two, 0, 1, well, object{"status": "succeeded", "output": object{"exit_code": 0.0, "first": true, "then": object{"exit_code": 0.0, "applied": true}}}},
		"the second failed":   {two, 0, 1, object{"code": 3, "stdout": "", "stderr": "no"}, object{"status": "failed", "error": "the second step ended with 3: no", "output": object{"exit_code": 0.0, "first": true, "then": object{"exit_code": 3.0}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := runNode(t, "execute-intent.json", "Host answer", object{
				"outputs": object{"Lease": lease(tc.execute, tc.ago), "Then?": []object{{"before": object{"exit_code": 0, "first": true}}}}, "input": []object{tc.answer}, "run": tc.run,
			})
			if diff := cmp.Diff(nodeRun{Items: []object{tc.want}}, got); diff != "" {
				t.Errorf("it differs (-want +got):\n%s", diff)
			}
		})
	}
}

// What goes to a host is a name and plain words, or nothing goes.
func TestCommandNode(t *testing.T) {
	config := object{"scripts": "/opt/salve/scripts/", "controller": "", "ssh_hosts": object{"web-01": "10.0.0.1", "db-01": object{"address": "10.0.0.2", "port": 2222, "user": "ops"}, "odd": "10.0.0.1; id", "empty": nil}}
	withController := merge(config, object{"controller": "db-01"})
	ask := func(host, script string, args ...any) object {
		return object{"host": host, "script": script, "args": args, "timeout_seconds": 30}
	}
	item := func(host, address string, port float64, user, command string) object {
		return object{"host": host, "address": address, "port": port, "user": user, "command": "/opt/salve/scripts/gate 30 " + command, "seconds": 30.0}
	}
	for name, tc := range map[string]struct {
		config object
		asked  []object
		want   nodeRun
	}{
		"a script":          {config, []object{ask("web-01", "disk-space")}, nodeRun{Items: []object{item("web-01", "10.0.0.1", 22, "salve", "disk-space")}}},
		"with a port":       {config, []object{ask("db-01", "unit-show", "nginx.service")}, nodeRun{Items: []object{item("db-01", "10.0.0.2", 2222, "ops", "unit-show nginx.service")}}},
		"from elsewhere":    {withController, []object{ask("web-01", "terraform-plan", "--host", "web-01")}, nodeRun{Items: []object{item("db-01", "10.0.0.2", 2222, "ops", "terraform-plan --host web-01")}}},
		"no controller":     {config, []object{ask("web-01", "ansible-run")}, nodeRun{Thrown: "ansible-run runs on the SSH_CONTROLLER of this n8n, which is not set"}},
		"an unknown host":   {config, []object{ask("web-09", "disk-space")}, nodeRun{Thrown: `host "web-09" is not in the SSH_HOSTS of this n8n`}},
		"a property's name": {config, []object{ask("constructor", "disk-space")}, nodeRun{Thrown: `host "constructor" is not in the SSH_HOSTS of this n8n`}},
		"an odd address":    {config, []object{ask("odd", "disk-space")}, nodeRun{Thrown: `host "odd": SSH_HOSTS wants an address, or {"address", "port", "user"}`}},
		"no address":        {config, []object{ask("empty", "disk-space")}, nodeRun{Thrown: `host "empty": SSH_HOSTS wants an address, or {"address", "port", "user"}`}},
		"a path":            {config, []object{ask("web-01", "../sh")}, nodeRun{Thrown: `"../sh" is no name of a vetted script`}},
		"the gate":          {config, []object{ask("web-01", "gate", "5", "sh")}, nodeRun{Thrown: `"gate" is no name of a vetted script`}},
		"a second command":  {config, []object{ask("web-01", "unit-show", "a; id")}, nodeRun{Thrown: `unit-show: the argument "a; id" holds what no argument may hold`}},
		"a new line":        {config, []object{ask("web-01", "unit-show", "a\nid")}, nodeRun{Thrown: `unit-show: the argument "a\nid" holds what no argument may hold`}},
		"a number":          {config, []object{ask("web-01", "unit-show", 7)}, nodeRun{Thrown: `unit-show: the argument 7 holds what no argument may hold`}},
		"an odd folder":     {merge(config, object{"scripts": "/opt/$(id)"}), []object{ask("web-01", "usage")}, nodeRun{Thrown: "SSH_SCRIPTS wants the absolute path of a folder"}},
		"two hosts":         {config, []object{ask("web-01", "usage"), ask("db-01", "usage")}, nodeRun{Thrown: "one call is for one host"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := runNode(t, "host-script.json", "Command", object{"outputs": object{"Config": []object{tc.config}, "Scripts": tc.asked}})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("it differs (-want +got):\n%s", diff)
			}
		})
	}
}

// The whole error of a request carries its token.
func TestAnswerNodeLeavesTheTokenOut(t *testing.T) {
	got := runNode(t, "kubernetes.json", "Answer", object{"input": []object{
		{"statusCode": 200, "body": object{"kind": "Pod"}},
		{"statusCode": 404, "data": "gone"},
		{"error": object{"message": "refused: Bearer abc.def", "httpCode": "403", "options": object{"headers": object{"Authorization": "Bearer abc.def"}}}},
		{"error": "plain"},
	}})
	want := nodeRun{Items: []object{
		{"statusCode": 200.0, "data": `{"kind":"Pod"}`}, {"statusCode": 404.0, "data": "gone"},
		{"statusCode": 403.0, "data": "", "why": "refused: Bearer [redacted]"}, {"statusCode": 0.0, "data": "", "why": "plain"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it differs (-want +got):\n%s", diff)
	}
}

// Which cluster, and by which credential.
func TestAddressNode(t *testing.T) {
	config := []object{{"kubernetes_urls": object{"prod": "https://prod:6443/", "lab": object{"url": "https://lab", "credential": "certificate"}, "odd": object{"url": "https://u:p@lab"}, "strange": object{"url": "https://lab", "credential": "password"}}}}
	item := func(cluster, method, url, way string, body string) object {
		return object{"cluster": cluster, "method": method, "url": url, "way": way, "body": body, "content_type": "application/json", "timeout": 30000.0}
	}
	for name, tc := range map[string]struct {
		asked []object
		want  nodeRun
	}{
		"a read":           {[]object{{"cluster": "prod", "path": "/api/v1/pods"}}, nodeRun{Items: []object{item("prod", "GET", "https://prod:6443/api/v1/pods", "read with token", "")}}},
		"a change":         {[]object{{"cluster": "lab", "path": "//evil/x", "method": "PATCH", "body": `{"a":1}`}}, nodeRun{Items: []object{item("lab", "PATCH", "https://lab/evil/x", "change with certificate", `{"a":1}`)}}},
		"an unknown one":   {[]object{{"cluster": "qa", "path": "/"}}, nodeRun{Thrown: `cluster "qa" is not in the KUBERNETES_URLS of this n8n`}},
		"a property":       {[]object{{"cluster": "toString", "path": "/"}}, nodeRun{Thrown: `cluster "toString" is not in the KUBERNETES_URLS of this n8n`}},
		"none":             {[]object{{"path": "/"}}, nodeRun{Thrown: `cluster null is not in the KUBERNETES_URLS of this n8n`}},
		"a password in it": {[]object{{"cluster": "odd", "path": "/"}}, nodeRun{Thrown: `cluster "odd": KUBERNETES_URLS wants an address, or {"url", "credential": "token" or "certificate"}`}},
		"a strange way":    {[]object{{"cluster": "strange", "path": "/"}}, nodeRun{Thrown: `cluster "strange": KUBERNETES_URLS wants an address, or {"url", "credential": "token" or "certificate"}`}},
		"a deletion":       {[]object{{"cluster": "prod", "path": "/", "method": "DELETE"}}, nodeRun{Thrown: `method "DELETE" is none that is sent`}},
		"two clusters":     {[]object{{"cluster": "prod", "path": "/"}, {"cluster": "lab", "path": "/"}}, nodeRun{Thrown: "one call is for one cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := runNode(t, "kubernetes.json", "Address", object{"outputs": object{"Config": config, "Requests": tc.asked}})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("it differs (-want +got):\n%s", diff)
			}
		})
	}
}
