package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"salve/internal/kube"
)

// Evidence is what is known about a target at one time, as far as the rules
// read it. Nil Events means that nobody asked for events; empty means that
// there were none.
type Evidence struct {
	ObservedAt   time.Time
	Cluster      string
	Pods         []corev1.Pod
	Events       []corev1.Event
	Deployments  []appsv1.Deployment
	ReplicaSets  []appsv1.ReplicaSet
	StatefulSets []appsv1.StatefulSet
	DaemonSets   []appsv1.DaemonSet
	Jobs         []batchv1.Job
	CronJobs     []batchv1.CronJob
	Logs         []Log
}

// Log is the output of one container, or of a host or tool when Pod is empty.
type Log struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Previous  bool   `json:"previous"`
	Text      string `json:"text"`
}

// Problem names one part of the evidence that could not be used.
type Problem struct {
	Pointer string // JSON pointer within the evidence
	Detail  string
}

// clockSkew is how far ahead of ours a sender's clock may be without a word.
const clockSkew = time.Minute

type rawEvidence struct {
	ObservedAt   json.RawMessage `json:"observedAt"`
	Cluster      json.RawMessage `json:"cluster"`
	Pods         json.RawMessage `json:"pods"`
	Events       json.RawMessage `json:"events"`
	Deployments  json.RawMessage `json:"deployments"`
	ReplicaSets  json.RawMessage `json:"replicaSets"`
	StatefulSets json.RawMessage `json:"statefulSets"`
	DaemonSets   json.RawMessage `json:"daemonSets"`
	Jobs         json.RawMessage `json:"jobs"`
	CronJobs     json.RawMessage `json:"cronJobs"`
	Logs         json.RawMessage `json:"logs"`
}

// Parse reads evidence. What is malformed is named and the rest is
// used; keys that no rule reads are ignored. Ages are relative to observedAt,
// which is never later than receivedAt.
func Parse(raw json.RawMessage, receivedAt time.Time) (Evidence, []Problem) {
	ev := Evidence{ObservedAt: receivedAt}
	if absent(raw) {
		return ev, nil
	}
	var in rawEvidence
	if err := json.Unmarshal(raw, &in); err != nil {
		return ev, []Problem{{"", "evidence must be a JSON object with keys such as pods and events"}}
	}
	var problems []Problem
	ev.ObservedAt = observedAt(in.ObservedAt, receivedAt, &problems)
	if !absent(in.Cluster) && json.Unmarshal(in.Cluster, &ev.Cluster) != nil {
		problems = append(problems, Problem{"/cluster", "must be a string"})
	}
	ev.Pods = take("pods", in.Pods, kube.Pods, &problems)
	ev.Events = take("events", in.Events, kube.Events, &problems)
	ev.Deployments = take("deployments", in.Deployments, kube.Deployments, &problems)
	ev.ReplicaSets = take("replicaSets", in.ReplicaSets, kube.ReplicaSets, &problems)
	ev.StatefulSets = take("statefulSets", in.StatefulSets, kube.StatefulSets, &problems)
	ev.DaemonSets = take("daemonSets", in.DaemonSets, kube.DaemonSets, &problems)
	ev.Jobs = take("jobs", in.Jobs, kube.Jobs, &problems)
	ev.CronJobs = take("cronJobs", in.CronJobs, kube.CronJobs, &problems)
	ev.Logs = parseLogs(in.Logs, &problems)
	return ev, problems
}

// take decodes one key; an absent key is nil, a present one never.
func take[T any](key string, raw json.RawMessage, decode func(json.RawMessage) ([]T, error), problems *[]Problem) []T {
	if absent(raw) {
		return nil
	}
	objects, err := decode(raw)
	var faults kube.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			*problems = append(*problems, Problem{"/" + key + f.Pointer, f.Detail})
		}
	case err != nil:
		*problems = append(*problems, Problem{"/" + key, err.Error()})
	}
	if objects == nil {
		objects = []T{}
	}
	return objects
}

func observedAt(raw json.RawMessage, receivedAt time.Time, problems *[]Problem) time.Time {
	if absent(raw) {
		return receivedAt
	}
	var at time.Time
	if err := json.Unmarshal(raw, &at); err != nil || at.IsZero() {
		*problems = append(*problems, Problem{"/observedAt", "must be an RFC 3339 time such as 2026-11-23T03:15:00Z; the time of receipt is used"})
		return receivedAt
	}
	if receivedAt.IsZero() || !at.After(receivedAt) {
		return at.UTC()
	}
	if at.Sub(receivedAt) > clockSkew {
		*problems = append(*problems, Problem{"/observedAt", fmt.Sprintf("%s is in the future; the time of receipt is used", at.UTC().Format(time.RFC3339))})
	}
	return receivedAt
}

// maxLogs bounds the number of logs: a log is a few bytes of JSON at least.
const maxLogs = 1_000

func parseLogs(raw json.RawMessage, problems *[]Problem) []Log {
	if absent(raw) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		items = []json.RawMessage{raw}
	}
	if len(items) > maxLogs {
		*problems = append(*problems, Problem{"/logs", fmt.Sprintf("%d logs: the first %d are used", len(items), maxLogs)})
		items = items[:maxLogs]
	}
	logs := make([]Log, 0, len(items))
	for i, item := range items {
		var l Log
		if absent(item) || json.Unmarshal(item, &l) != nil {
			*problems = append(*problems, Problem{"/logs/" + strconv.Itoa(i), "must be an object {pod, container, previous, text}"})
			continue
		}
		logs = append(logs, l)
	}
	return logs
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
