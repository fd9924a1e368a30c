//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// scaled is what n8n is told to keep at its size: SCALE_WORKLOADS.
func scaled() []map[string]any {
	return []map[string]any{{
		"cluster": realCluster, "namespace": "shop-scale", "name": "api", "cpu_query": `shop_cpu_percent{workload="api"}`, "step_seconds": 60, "hours": 4,
	}}
}

// remember gives Prometheus a past: the CPU of a workload that has risen for three
// hours, a sample a minute, from 40 to 85 per cent.
func remember(ctx context.Context, dir string) error {
	var text strings.Builder
	text.WriteString("# TYPE shop_cpu_percent gauge\n")
	const minutes = 180
	now := time.Now().Unix()
	for i := range minutes {
		fmt.Fprintf(&text, "shop_cpu_percent{workload=\"api\"} %.2f %d\n", 40+45*float64(i)/float64(minutes-1), now-60*int64(minutes-1-i))
	}
	text.WriteString("# EOF\n")
	file := filepath.Join(dir, "past.openmetrics")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	_, err := run(ctx, os.Environ(), "promtool", "tsdb", "create-blocks-from", "openmetrics", file, filepath.Join(dir, "prometheus"))
	return err
}

// What a workload uses is posted; n8n reads the Deployment from a real cluster and its
// past from a real Prometheus, asks Salve, and does what that allows.
func TestScaleDecision(t *testing.T) {
	s := newRealStory(t, "shop-scale")
	s.apply(deployment, 4, "")
	s.untilReady(4)

	code, raw, err := theWorld.n8n.post(s.ctx, "salve-scale", object{"cluster": realCluster, "namespace": "shop-scale", "name": "api", "cpu_percent": 85, "memory_percent": 40})
	var answer struct {
		ShouldScale     bool   `json:"should_scale"`
		Reason          string `json:"reason"`
		CurrentPods     int    `json:"current_pods"`
		RecommendedPods int    `json:"recommended_pods"`
		Forecast        struct{ Points []any }
	}
	if err != nil || code != 200 || json.Unmarshal(raw, &answer) != nil {
		t.Fatalf("the webhook answered %d %s, %v", code, raw, err)
	}
	if !answer.ShouldScale || answer.CurrentPods != 4 || answer.RecommendedPods < 5 || answer.RecommendedPods > 6 || len(answer.Forecast.Points) != 15 || !strings.Contains(answer.Reason, "is forecast to reach") {
		t.Errorf("answered %s", raw)
	}
	i := s.untilIncident("the workload was scaled", func(i incidentView) bool { return i.has("k8s.deployment.scale", "succeeded") })
	s.untilReady(answer.RecommendedPods)
	s.wantRows("by n8n, as recommended", `
		select worker, (doc->'params'->>'from')::int, (doc->'params'->>'to')::int from intents where incident_id = '`+i.ID+`' and action = 'k8s.deployment.scale'`,
		[][]string{{"n8n", "4", fmt.Sprint(answer.RecommendedPods)}})
	s.wantRows("two sources saw it", `select count(distinct source) from alerts where incident_id = '`+i.ID+`'`, [][]string{{"2"}})

	if code, raw, err := theWorld.n8n.post(s.ctx, "salve-scale", object{"cluster": realCluster, "namespace": "shop-scale", "name": "unheard-of"}); err != nil || code != 404 || !strings.Contains(string(raw), "not in the SCALE_WORKLOADS") {
		t.Errorf("a workload that nobody listed: %d %s, %v", code, raw, err)
	}
}

// untilReady waits until the Deployment has so many replicas, all of them ready.
func (s *story) untilReady(replicas int) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		all, err := theWorld.cluster.Items(s.ctx, "/apis/apps/v1/namespaces/"+s.namespace+"/deployments")
		if err != nil || len(all) != 1 {
			return false, err
		}
		want := float64(replicas)
		return cluster.At(all[0], "spec", "replicas") == want && cluster.At(all[0], "status", "readyReplicas") == want, nil
	})
	if err != nil {
		s.t.Fatalf("waiting for %d ready replicas: %v", replicas, err)
	}
}

// What pods use is reckoned in per cent of what they request; what is not known is left
// out, and one workload that cannot be read stops no other.
func TestScaleDecisionNodes(t *testing.T) {
	workload := func(name string) object {
		return object{"cluster": "prod", "namespace": "shop", "name": name, "cpu_query": "q", "step_seconds": 60, "hours": 1}
	}
	answered := func(of object) object {
		raw, err := json.Marshal(of)
		if err != nil {
			t.Fatal(err)
		}
		return object{"statusCode": 200, "data": string(raw)}
	}
	named := func(name string) object {
		return object{"metadata": object{"name": name, "managedFields": []any{1}}, "spec": object{"replicas": 3, "selector": object{"matchLabels": object{"app": name}}}}
	}
	around := runNode(t, "scale-decision.json", "Around", object{
		"outputs": object{"Known?": []any{workload("api"), workload("gone"), workload("cart")}},
		"input":   []any{answered(named("api")), object{"statusCode": 404, "why": "not found"}, answered(named("cart"))},
	})
	if around.Thrown != "" || len(around.Items) != 6 || !strings.Contains(fmt.Sprint(around.Items[0]["problems"]), "shop/gone of prod could not be read: 404") || around.Items[3]["path"] != "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers" {
		t.Fatalf("around: %+v", around)
	}
	pod := func(name, cpu, memory string) object {
		return object{"metadata": object{"name": name}, "spec": object{"containers": []any{object{"resources": object{"requests": object{"cpu": cpu, "memory": memory}}}}}}
	}
	uses := func(name, cpu, memory string) object {
		return object{"metadata": object{"name": name}, "containers": []any{object{"usage": object{"cpu": cpu, "memory": memory}}}}
	}
	items := func(list ...any) object { return answered(object{"items": list}) }
	use := runNode(t, "scale-decision.json", "Use", object{
		"outputs": object{"Around": around.Items, "Config": []any{object{"prometheus_url": "http://prometheus/"}}},
		"input": []any{
			items(object{"metadata": object{"name": "h"}}), items(pod("api-1", "250m", "128Mi"), pod("api-2", "0.25", "128Mi"), pod("api-3", "250m", "128Mi")),
			items(uses("api-1", "200m", "64Mi"), uses("api-2", "175000000n", "65536Ki")), // the third is not measured yet
			items(), items(pod("cart-1", "", "128Mi")), object{"statusCode": 404},
		},
	})
	if use.Thrown != "" || len(use.Items) != 2 {
		t.Fatalf("use: %+v", use)
	}
	api, cart := use.Items[0]["question"].(object), use.Items[1]["question"].(object)
	if api["cpu_percent"] != 75.0 || api["memory_percent"] != 50.0 || api["pod_count"] != 3.0 || cart["cpu_percent"] != nil || cart["memory_percent"] != nil {
		t.Errorf("api %v, cart %v", api, cart)
	}
	if url, _ := use.Items[0]["url"].(string); !strings.HasPrefix(url, "http://prometheus/api/v1/query_range?query=q&start=") || strings.Contains(fmt.Sprint(api["evidence"]), "managedFields") {
		t.Errorf("asked %s with %v", url, api["evidence"])
	}
	blind := runNode(t, "scale-decision.json", "Use", object{
		"outputs": object{"Around": around.Items[:3], "Config": []any{object{"prometheus_url": "http://prometheus/"}}}, "input": []any{object{"statusCode": 403}, items(), items()},
	})
	if blind.Thrown != "" || len(blind.Items) != 0 {
		t.Errorf("without the autoscalers: %+v, want nothing asked", blind)
	}
	told := runNode(t, "scale-decision.json", "Not looked at", object{
		"outputs": object{"Read around": []any{object{"statusCode": 403, "why": "forbidden"}, items(), items()}, "Not taken": nil}, "input": around.Items[:3],
	})
	if !strings.Contains(told.Thrown, "nobody knows who owns the pods of api: 403 forbidden") {
		t.Errorf("without the autoscalers: %+v", told)
	}
	plan := func(posted any) nodeRun {
		return runNode(t, "scale-decision.json", "Plan", object{"outputs": object{"Config": []any{object{"workloads": []any{workload("api")}}}, "Usage in": posted}, "input": []any{}})
	}
	if got := plan([]any{object{"body": object{"cluster": "prod", "namespace": "shop", "name": "api", "cpu_percent": "75", "memory_percent": 40, "cpu_query": "up"}}}); got.Thrown != "" || got.Items[0]["cpu_query"] != "q" || got.Items[0]["cpu_percent"] != nil || got.Items[0]["memory_percent"] != 40.0 {
		t.Errorf("plan: %+v", got)
	}
}
