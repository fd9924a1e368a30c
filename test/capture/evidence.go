package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"salve/test/cluster"
)

// evidence is SPEC's evidence, by its keys.
type evidence map[string]any

// kinds are what a namespace is asked for.
var kinds = []struct{ key, api, plural string }{
	{"pods", "/api/v1", "pods"},
	{"events", "/api/v1", "events"},
	{"deployments", "/apis/apps/v1", "deployments"},
	{"replicaSets", "/apis/apps/v1", "replicasets"},
	{"statefulSets", "/apis/apps/v1", "statefulsets"},
	{"daemonSets", "/apis/apps/v1", "daemonsets"},
	{"jobs", "/apis/batch/v1", "jobs"},
	{"cronJobs", "/apis/batch/v1", "cronjobs"},
	{"pvcs", "/api/v1", "persistentvolumeclaims"},
	{"hpas", "/apis/autoscaling/v2", "horizontalpodautoscalers"},
	{"pdbs", "/apis/policy/v1", "poddisruptionbudgets"},
	{"quotas", "/api/v1", "resourcequotas"},
}

// gather reads a namespace as it is now.
func gather(ctx context.Context, c *cluster.Cluster, namespace string) (evidence, error) {
	e := evidence{"cluster": "captured"}
	for _, k := range kinds {
		items, err := c.Items(ctx, k.api+"/namespaces/"+namespace+"/"+k.plural)
		if err != nil {
			return nil, err
		}
		for _, o := range items {
			delete(o["metadata"].(cluster.Object), "managedFields")
			hideScript(o)
		}
		if len(items) > 0 {
			e[k.key] = items
		}
	}
	return e, nil
}

// hideScript drops the annotations that told the simulated node what to play,
// from an object and from the template it holds.
func hideScript(o cluster.Object) {
	for _, path := range [][]any{{"metadata"}, {"spec", "template", "metadata"}} {
		meta, _ := cluster.At(o, path...).(cluster.Object)
		annotations, _ := meta["annotations"].(cluster.Object)
		for key := range annotations {
			if strings.HasPrefix(key, "sim/") || strings.Contains(key, ".sim/") {
				delete(annotations, key)
			}
		}
		if annotations != nil && len(annotations) == 0 {
			delete(meta, "annotations")
		}
	}
}

// addLogs asks for the logs of every container that has something to say.
func (e evidence) addLogs(ctx context.Context, c *cluster.Cluster, namespace string) error {
	var logs []any
	for _, pod := range e.list("pods") {
		name, _ := cluster.At(pod, "metadata", "name").(string)
		for _, status := range statuses(pod) {
			container, _ := cluster.At(status, "name").(string)
			for _, previous := range []bool{false, true} {
				path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s&previous=%t&tailLines=200", namespace, name, container, previous)
				code, text, err := c.Do(ctx, http.MethodGet, path, "", nil)
				if err != nil {
					return err
				}
				if code == http.StatusOK && len(text) > 0 {
					logs = append(logs, cluster.Object{"pod": name, "container": container, "previous": previous, "text": string(text)})
				}
			}
		}
	}
	if len(logs) > 0 {
		e["logs"] = logs
	}
	return nil
}

// save writes the evidence as seen some time after the last change: what stays
// as it is looks the same then.
func (e evidence) save(path string, later time.Duration) error {
	e["observedAt"] = time.Now().UTC().Add(later).Format(time.RFC3339)
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func (e evidence) list(key string) []cluster.Object {
	items, _ := e[key].([]cluster.Object)
	return items
}

func statuses(pod cluster.Object) []any {
	all := []any{}
	for _, key := range []string{"initContainerStatuses", "containerStatuses"} {
		some, _ := cluster.At(pod, "status", key).([]any)
		all = append(all, some...)
	}
	return all
}

// sight says whether a scenario shows what it is for.
type sight func(evidence) bool

// waiting: some container waits for this reason, or a prefix of it.
func waiting(reason string) sight {
	return anyStatus(func(s any) bool { return cluster.At(s, "state", "waiting", "reason") == reason })
}

// lastEnded: some container ended before for this reason.
func lastEnded(reason string) sight {
	return anyStatus(func(s any) bool { return cluster.At(s, "lastState", "terminated", "reason") == reason })
}

func anyStatus(is func(any) bool) sight {
	return func(e evidence) bool {
		for _, pod := range e.list("pods") {
			for _, s := range statuses(pod) {
				if is(s) {
					return true
				}
			}
		}
		return false
	}
}

// event: somebody wrote an event with this reason that says so.
func event(reason, says string) sight {
	return func(e evidence) bool {
		for _, o := range e.list("events") {
			message, _ := o["message"].(string)
			if o["reason"] == reason && strings.Contains(message, says) {
				return true
			}
		}
		return false
	}
}

// phases: at least n pods are in this phase.
func phases(n int, phase string) sight {
	return func(e evidence) bool {
		for _, pod := range e.list("pods") {
			if cluster.At(pod, "status", "phase") == phase {
				n--
			}
		}
		return n <= 0
	}
}

// condition: some object of a kind has this condition, for this reason.
func condition(key, kind, reason string) sight {
	return func(e evidence) bool {
		for _, o := range e.list(key) {
			conditions, _ := cluster.At(o, "status", "conditions").([]any)
			for _, c := range conditions {
				if cluster.At(c, "type") == kind && cluster.At(c, "reason") == reason {
					return true
				}
			}
		}
		return false
	}
}

// counts: a number in the status of the first object of a kind.
func counts(key, field string, n float64) sight {
	return func(e evidence) bool {
		all := e.list(key)
		got, _ := cluster.At(first(all), "status", field).(float64)
		return len(all) > 0 && got == n
	}
}

func first(all []cluster.Object) any {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// both is for what takes two signs.
func both(a, b sight) sight { return func(e evidence) bool { return a(e) && b(e) } }
