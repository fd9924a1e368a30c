package standin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/test/cluster"
)

var noon = time.Date(2026, 3, 1, 3, 15, 0, 0, time.UTC)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start("kube", "slack", func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// ask sends one request and gives the status and the decoded answer.
func ask(t *testing.T, s *Server, method, path, token, contentType, body string) (int, object) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatalf("%s %s answered %d %s: %v", method, path, resp.StatusCode, data, err)
	}
	return resp.StatusCode, o
}

const (
	pods     = "/api/v1/namespaces/production/pods"
	ill      = pods + "/" + CrashingPod
	deploy   = "/apis/apps/v1/namespaces/production/deployments/api-gateway"
	eviction = `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"x"},"deleteOptions":{"preconditions":{"uid":"UID"}}}`
)

func TestTheIllPod(t *testing.T) {
	s := start(t)
	code, pod := ask(t, s, "GET", ill, "kube", "", "")
	status := cluster.At(pod, "status", "containerStatuses", 0)
	got := []any{
		code, cluster.At(status, "restartCount"), cluster.At(status, "state", "waiting", "reason"), cluster.At(status, "lastState", "terminated", "reason"),
		cluster.At(status, "lastState", "terminated", "exitCode"), cluster.At(pod, "spec", "containers", 0, "resources", "limits", "memory"),
		cluster.At(pod, "metadata", "ownerReferences", 0, "kind"), cluster.At(pod, "status", "conditions", 2, "status"),
	}
	want := []any{200, 7.0, "CrashLoopBackOff", "OOMKilled", 137.0, "512Mi", "ReplicaSet", "False"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the pod differs (-want +got):\n%s", diff)
	}
	_, events := ask(t, s, "GET", "/api/v1/namespaces/production/events?fieldSelector=involvedObject.name%3D"+CrashingPod, "kube", "", "")
	if got := []any{cluster.At(events, "items", 0, "reason"), cluster.At(events, "items", 1, "reason")}; !cmp.Equal(got, []any{"BackOff", "Killing"}) {
		t.Errorf("its events are %v", got)
	}
}

// Owners are found by following references, so they must lead somewhere.
func TestOwnersLeadToTheDeployment(t *testing.T) {
	s := start(t)
	_, pod := ask(t, s, "GET", ill, "kube", "", "")
	rs := cluster.At(pod, "metadata", "ownerReferences", 0, "name").(string)
	code, set := ask(t, s, "GET", "/apis/apps/v1/namespaces/production/replicasets/"+rs, "kube", "", "")
	if code != 200 || cluster.At(set, "metadata", "uid") != cluster.At(pod, "metadata", "ownerReferences", 0, "uid") {
		t.Fatalf("the pod's owner is not the ReplicaSet that is there: %d %v", code, set)
	}
	code, d := ask(t, s, "GET", deploy, "kube", "", "")
	if code != 200 || cluster.At(d, "metadata", "uid") != cluster.At(set, "metadata", "ownerReferences", 0, "uid") {
		t.Errorf("the ReplicaSet's owner is not the Deployment that is there: %d %v", code, d)
	}
	if cluster.At(d, "status", "readyReplicas") != 2.0 || cluster.At(d, "status", "unavailableReplicas") != 1.0 {
		t.Errorf("the Deployment does not show that one of three is ill: %v", cluster.At(d, "status"))
	}
}

func TestEviction(t *testing.T) {
	s := start(t)
	_, pod := ask(t, s, "GET", ill, "kube", "", "")
	uid := cluster.At(pod, "metadata", "uid").(string)

	code, refused := ask(t, s, "POST", ill+"/eviction", "kube", "application/json", eviction)
	if code != 409 || !strings.Contains(cluster.At(refused, "message").(string), "UID in the precondition") {
		t.Fatalf("another uid: %d %v, want 409", code, refused)
	}
	if code, _ := ask(t, s, "POST", ill+"/eviction", "kube", "application/json", strings.Replace(eviction, "UID", uid, 1)); code != 201 {
		t.Fatalf("eviction: %d, want 201", code)
	}
	if code, _ := ask(t, s, "GET", ill, "kube", "", ""); code != 404 {
		t.Errorf("the evicted pod: %d, want 404", code)
	}
	_, list := ask(t, s, "GET", pods+"?labelSelector=app%3Dapi-gateway", "kube", "", "")
	if n := len(list["items"].([]any)); n != 3 {
		t.Fatalf("%d pods, want 3", n)
	}
	for i := range 3 {
		p := cluster.At(list, "items", i)
		if cluster.At(p, "metadata", "uid") == uid || cluster.At(p, "status", "conditions", 2, "status") != "True" || cluster.At(p, "metadata", "ownerReferences", 0, "name") != "api-gateway-7d9f5b8c6" {
			t.Errorf("pod %v is not a healthy pod of the same owner", cluster.At(p, "metadata", "name"))
		}
	}
}

func TestApplyRaisesTheLimit(t *testing.T) {
	s := start(t)
	body := `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}}}}`
	code, d := ask(t, s, "PATCH", deploy+"?fieldManager=salve", "kube", "application/apply-patch+yaml", body)
	if code != 200 || cluster.At(d, "metadata", "generation") != 24.0 {
		t.Fatalf("apply: %d %v", code, cluster.At(d, "metadata"))
	}
	_, list := ask(t, s, "GET", pods, "kube", "", "")
	for i := range 3 {
		if got := cluster.At(list, "items", i, "spec", "containers", 0, "resources", "limits", "memory"); got != "768Mi" {
			t.Errorf("a pod still has %v", got)
		}
	}
	owner := cluster.At(list, "items", 0, "metadata", "ownerReferences", 0, "name").(string)
	if code, _ := ask(t, s, "GET", "/apis/apps/v1/namespaces/production/replicasets/"+owner, "kube", "", ""); code != 200 {
		t.Errorf("the new pods' ReplicaSet %s: %d", owner, code)
	}
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path, token, contentType, body string
		want                                   int
	}{
		"no token":            {"GET", ill, "wrong", "", "", 401},
		"slack's token":       {"GET", ill, "slack", "", "", 401},
		"unknown pod":         {"GET", pods + "/nobody", "kube", "", "", 404},
		"other namespace":     {"GET", "/api/v1/namespaces/default/pods/" + CrashingPod, "kube", "", "", 404},
		"unknown resource":    {"GET", "/apis/apps/v1/namespaces/production/rollouts/x", "kube", "", "", 404},
		"selector it ignores": {"GET", pods + "?labelSelector=app+in+(a,b)", "kube", "", "", 400},
		"not an eviction":     {"POST", ill + "/eviction", "kube", "application/json", `{"kind":"Pod"}`, 400},
		"merge patch":         {"PATCH", deploy + "?fieldManager=x", "kube", "application/merge-patch+json", `{}`, 415},
		"no field manager":    {"PATCH", deploy, "kube", "application/apply-patch+yaml", `{}`, 400},
		"no limit":            {"PATCH", deploy + "?fieldManager=x", "kube", "application/apply-patch+yaml", `{}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := ask(t, start(t), tc.method, tc.path, tc.token, tc.contentType, tc.body)
			if code != tc.want || answer["kind"] != "Status" {
				t.Errorf("answered %d %v, want %d and a Status", code, answer, tc.want)
			}
		})
	}
}

func TestSlack(t *testing.T) {
	for name, tc := range map[string]struct {
		token, body string
		want        object
	}{
		"told":       {"slack", `{"channel":"#devops","text":"hello"}`, object{"ok": true, "channel": "C0DEVOPS", "ts": "1772334900.000001", "message": object{"channel": "#devops", "text": "hello"}}},
		"no token":   {"kube", `{"channel":"#devops","text":"hello"}`, object{"ok": false, "error": "invalid_auth"}},
		"no channel": {"slack", `{"text":"hello"}`, object{"ok": false, "error": "channel_not_found"}},
		"no text":    {"slack", `{"channel":"#devops"}`, object{"ok": false, "error": "no_text"}},
		"not JSON":   {"slack", `channel=x`, object{"ok": false, "error": "invalid_json"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := ask(t, start(t), "POST", "/api/chat.postMessage", tc.token, "application/json", tc.body)
			if diff := cmp.Diff(tc.want, got); diff != "" || code != 200 {
				t.Errorf("answered %d (-want +got):\n%s", code, diff)
			}
		})
	}
}

func TestFailuresAndRecords(t *testing.T) {
	s := start(t)
	s.Fail(Failure{Method: "GET", Path: "/pods/", Status: 503, Times: 1})
	first, _ := ask(t, s, "GET", ill, "kube", "", "")
	second, _ := ask(t, s, "GET", ill, "wrong", "", "")
	if first != 503 || second != 401 {
		t.Errorf("answered %d, then %d; want 503 once", first, second)
	}
	var got []any
	for _, r := range s.Matching("GET", "/pods/") {
		got = append(got, r.Status, r.Authorized)
	}
	if diff := cmp.Diff([]any{503, true, 401, false}, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	s.Fail(Failure{Path: "/pods", Delay: time.Hour, Status: 500})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL+pods, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("a request that should hang was answered")
	}
	s.Heal()
	if code, _ := ask(t, s, "GET", pods, "kube", "", ""); code != 200 {
		t.Errorf("healed: %d", code)
	}
}
