package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rehearsal is a Salve of data: what each claim hands out, and what came back.
type rehearsal struct {
	execute map[string]any // by intent; none: the claim is refused
	next    map[string][]Intent
	results map[string]Result
}

func (r *rehearsal) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	parts := strings.Split(req.URL.Path, "/") // /v1/intents/{id}/{what}
	id, what := parts[3], parts[4]
	execute, mine := r.execute[id]
	switch {
	case what == "claim" && !mine:
		writeJSON(w, http.StatusConflict, object{"title": "already_claimed"})
	case what == "claim":
		writeJSON(w, http.StatusOK, object{"lease": object{"token": "lease-" + id}, "execute": execute})
	default:
		var result Result
		if err := json.NewDecoder(req.Body).Decode(&result); err != nil {
			writeJSON(w, http.StatusBadRequest, object{"title": err.Error()})
			return
		}
		r.results[id] = result
		writeJSON(w, http.StatusOK, Answer{Status: "diagnosing", Intents: r.next[id]})
	}
}

func ready(id string) Intent {
	return Intent{ID: id, State: "ready", ClaimPath: "/v1/intents/" + id + "/claim", ResultPath: "/v1/intents/" + id + "/result"}
}

func play(t *testing.T, r *rehearsal, intents ...Intent) (*Server, map[string]Result) {
	t.Helper()
	r.results = map[string]Result{}
	salve := httptest.NewServer(r)
	t.Cleanup(salve.Close)
	world := start(t)
	e := Executor{
		SalveURL: salve.URL, SalveToken: "t", Clusters: map[string]string{"prod": world.URL}, KubeToken: "kube",
		SlackURL: world.URL, SlackToken: "slack", Client: salve.Client(),
	}
	if err := e.Run(t.Context(), intents); err != nil {
		t.Fatal(err)
	}
	return world, r.results
}

func TestExecutorGoesStraightOn(t *testing.T) {
	collect := object{"shape": "collect", "cluster": "prod", "timeout_seconds": 5, "requests": []any{
		object{"evidence_key": "pods", "path": ill, "follow": "owners"},
		object{"evidence_key": "events", "path": "/api/v1/namespaces/production/events?fieldSelector=involvedObject.name%3D" + CrashingPod},
		object{"evidence_key": "pods", "path": pods + "/gone"},
	}}
	tell := object{"shape": "slack", "channel": "#devops", "text": "done", "timeout_seconds": 5}
	waiting := ready("waiting")
	waiting.State = "holding"
	world, results := play(t, &rehearsal{
		execute: map[string]any{"look": collect, "tell": tell, "waiting": tell},
		next:    map[string][]Intent{"look": {ready("tell"), waiting, ready("somebody-elses")}},
	}, ready("look"))

	got := map[string]int{}
	for key, value := range results["look"].Evidence {
		if list, ok := value.([]any); ok {
			got[key] = len(list)
		}
	}
	if diff := cmp.Diff(map[string]int{"pods": 1, "events": 3, "replicaSets": 1, "deployments": 1}, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{pods + "/gone"}, results["look"].Output["missing"]); diff != "" || results["look"].Status != "succeeded" {
		t.Errorf("what is not there is missing, not an error: %s\n%s", results["look"].Status, diff)
	}
	if results["tell"].Output["channel"] != "C0DEVOPS" || results["tell"].LeaseToken != "lease-tell" {
		t.Errorf("the message's result: %+v", results["tell"])
	}
	if len(results) != 2 || len(world.Matching("POST", "/api/chat.postMessage")) != 1 {
		t.Errorf("what waits or is somebody else's was executed: %v", results)
	}
}

func TestExecutorReportsEveryFailure(t *testing.T) {
	evict := object{"shape": "kubernetes", "cluster": "prod", "method": "POST", "path": ill + "/eviction", "content_type": "application/json", "body": json.RawMessage(eviction), "timeout_seconds": 5}
	for name, tc := range map[string]struct {
		execute object
		want    string
	}{
		"refused by the cluster": {evict, "Kubernetes answered 409"},
		"unknown cluster":        {object{"shape": "collect", "cluster": "other"}, `cluster "other" is unknown here`},
		"a host":                 {object{"shape": "collect", "host": "web-01"}, `no branch for hosts yet: nothing was done about "web-01"`},
		"refused log":            {object{"shape": "collect", "cluster": "prod", "requests": []any{object{"evidence_key": "logs", "path": ill + "/log?container=web"}}}, "container web is not valid for pod"},
		"log that is an object":  {object{"shape": "collect", "cluster": "prod", "requests": []any{object{"evidence_key": "logs", "path": ill}}}, "an answer that is no log"},
		"unknown shape":          {object{"shape": "ssh", "host": "x"}, `no branch for the shape "ssh"`},
		"refused by Slack":       {object{"shape": "slack", "text": "x"}, "Slack answered 200: channel_not_found"},
		"refused read":           {object{"shape": "collect", "cluster": "prod", "requests": []any{object{"evidence_key": "pods", "path": "/api/v1/namespaces/x/pods?labelSelector=bad"}}}, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			_, results := play(t, &rehearsal{execute: map[string]any{"it": tc.execute}}, ready("it"))
			if got := results["it"]; got.Status != "failed" || !strings.Contains(got.Error, tc.want) {
				t.Errorf("result %s: %q, want failed with %q", got.Status, got.Error, tc.want)
			}
		})
	}
}

// A pod that has not ended before has no previous log, and says so with 400:
// that must not fail the collect that asked for it beside other things.
func TestExecutorReadsLogs(t *testing.T) {
	well := pods + "/api-gateway-7d9f5b8c6-m4wqd"
	log := func(path string, previous, optional bool) object {
		return object{"evidence_key": "logs", "path": path + "/log?container=app&previous=" + fmt.Sprint(previous), "pod": path[len(pods)+1:], "container": "app", "previous": previous, "optional": optional}
	}
	_, results := play(t, &rehearsal{execute: map[string]any{"it": object{"shape": "collect", "cluster": "prod", "timeout_seconds": 5, "requests": []any{
		log(ill, true, true), log(well, true, true), log(well, false, true), log(pods+"/gone", false, true),
	}}}}, ready("it"))

	got := results["it"]
	delete(got.Evidence, "observedAt")
	want := Result{
		LeaseToken: "lease-it", Status: "succeeded", ExecutionID: "standin-1", StartedAt: got.StartedAt, FinishedAt: got.FinishedAt,
		Output: map[string]any{
			"missing": []any{pods + "/gone/log?container=app&previous=false"},
			"failed":  []any{well + `/log?container=app&previous=true: 400 previous terminated container "app" in pod "api-gateway-7d9f5b8c6-m4wqd" not found`},
		},
		Evidence: map[string]any{"cluster": "prod", "logs": []any{
			object{"pod": CrashingPod, "container": "app", "previous": true, "text": "listening on :8080\nloading routes\nrefreshing the route cache: 481 MiB\n"},
			object{"pod": "api-gateway-7d9f5b8c6-m4wqd", "container": "app", "previous": false, "text": "listening on :8080\nloading routes\nready\n"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the result differs (-want +got):\n%s", diff)
	}
}

func TestEndOfALog(t *testing.T) {
	long := strings.Repeat("x", maxLog)
	for name, tc := range map[string]struct{ text, want string }{
		"short":           {"a\nb\n", "a\nb\n"},
		"as long as may":  {long, long},
		"cut at a line":   {"head\n" + long[:maxLog-10] + "\nlast\n", long[:maxLog-10] + "\nlast\n"},
		"one line":        {long + "tail", long[:maxLog-4] + "tail"},
		"cut in a letter": {"é" + long[:maxLog-1], long[:maxLog-1]},
		"one long line":   {"é" + long[:maxLog-2] + "\n", long[:maxLog-2] + "\n"},
	} {
		if got := end(tc.text); got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(tc.want))
		}
	}
}
