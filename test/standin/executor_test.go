package standin

import (
	"encoding/json"
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
