package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"salve/internal/kube"
)

// Evidence is what is known about a target at one time, as far as the rules
// read it. Nil means that nobody asked; empty means that there were none.
type Evidence struct {
	ObservedAt time.Time
	Cluster    string

	Pods         []corev1.Pod
	Events       []corev1.Event
	Deployments  []appsv1.Deployment
	ReplicaSets  []appsv1.ReplicaSet
	StatefulSets []appsv1.StatefulSet
	DaemonSets   []appsv1.DaemonSet
	Jobs         []batchv1.Job
	CronJobs     []batchv1.CronJob
	Nodes        []corev1.Node
	PVCs         []corev1.PersistentVolumeClaim
	HPAs         []autoscalingv2.HorizontalPodAutoscaler
	PDBs         []policyv1.PodDisruptionBudget
	Quotas       []corev1.ResourceQuota
	GitOps       []GitOps

	Logs         []Log
	Disks        []Disk
	Certificates []Certificate
	Backups      []Backup
	Services     []Service
	DBs          []DB
	Findings     []Finding
	Usages       []Usage
	Aggregates   []Aggregate
	Files        []File
}

// Log is the output of one container, or of a host or tool when Pod is empty.
type Log struct {
	Host      string `json:"host"` // of a host's output: which host, and what printed it
	Tool      string `json:"tool"`
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

// reader reads one document and collects what could not be read.
type reader struct {
	ev        Evidence
	described Evidence // what kubectl describe said of objects: less than the objects themselves
	listed    Evidence // what kubectl's tables said: less still
	problems  []Problem
	received  time.Time

	file      bool       // a file is read, in which evidence may stand beside other things
	looks     []Evidence // such evidence
	sorting   sorting
	runs      map[string][]backupRun // of backups, by tool
	strangers int                    // documents of no known shape
}

// key is one key of the document and how it is read.
type key struct {
	name string
	read func(*reader, string, json.RawMessage)
}

// keys is the whole shape of SPEC section 11. Aggregates have no key there; they
// come as /v1/monitoring takes them. What commands printed comes last: it only
// adds to what was said outright.
func keys() []key {
	return []key{
		{"pods", objects(kube.Pods, func(e *Evidence) *[]corev1.Pod { return &e.Pods })},
		{"events", objects(kube.Events, func(e *Evidence) *[]corev1.Event { return &e.Events })},
		{"deployments", objects(kube.Deployments, func(e *Evidence) *[]appsv1.Deployment { return &e.Deployments })},
		{"replicaSets", objects(kube.ReplicaSets, func(e *Evidence) *[]appsv1.ReplicaSet { return &e.ReplicaSets })},
		{"statefulSets", objects(kube.StatefulSets, func(e *Evidence) *[]appsv1.StatefulSet { return &e.StatefulSets })},
		{"daemonSets", objects(kube.DaemonSets, func(e *Evidence) *[]appsv1.DaemonSet { return &e.DaemonSets })},
		{"jobs", objects(kube.Jobs, func(e *Evidence) *[]batchv1.Job { return &e.Jobs })},
		{"cronJobs", objects(kube.CronJobs, func(e *Evidence) *[]batchv1.CronJob { return &e.CronJobs })},
		{"nodes", objects(kube.Nodes, func(e *Evidence) *[]corev1.Node { return &e.Nodes })},
		{"pvcs", objects(kube.PVCs, func(e *Evidence) *[]corev1.PersistentVolumeClaim { return &e.PVCs })},
		{"hpas", objects(kube.HPAs, func(e *Evidence) *[]autoscalingv2.HorizontalPodAutoscaler { return &e.HPAs })},
		{"pdbs", objects(kube.PDBs, func(e *Evidence) *[]policyv1.PodDisruptionBudget { return &e.PDBs })},
		{"quotas", objects(kube.Quotas, func(e *Evidence) *[]corev1.ResourceQuota { return &e.Quotas })},
		{"gitops", (*reader).gitops},
		{"logs", facts("must be an object {pod, container, previous, text}", as[Log], func(e *Evidence) *[]Log { return &e.Logs })},
		{"disk", facts("must be an object {host, filesystems[], top[], coreDumps[]}", diskOf, func(e *Evidence) *[]Disk { return &e.Disks })},
		{"certificate", facts("must be an object such as {subject, notAfter, daysLeft, pem}", certificateFact, func(e *Evidence) *[]Certificate { return &e.Certificates })},
		{"backup", facts("must be an object such as {tool, name, status, lastSuccess, ageHours}", as[Backup], func(e *Evidence) *[]Backup { return &e.Backups })},
		{"service", facts("must be an object {host, unit, activeState, subState, result}", as[Service], func(e *Evidence) *[]Service { return &e.Services })},
		{"db", facts("must be an object such as {engine, connectionsUsed, connectionsMax, members[]}", dbOf, func(e *Evidence) *[]DB { return &e.DBs })},
		{"security", (*reader).security},
		{"usage", facts("must be an object such as {cpuPercent, memoryPercent}", usageFact, func(e *Evidence) *[]Usage { return &e.Usages })},
		{"aggregate", facts("must be an object {service, window{}, metrics{}, sources{}}", as[Aggregate], func(e *Evidence) *[]Aggregate { return &e.Aggregates })},
		{"monitoring", facts("must be an object {service, window{}, metrics{}, sources{}}", as[Aggregate], func(e *Evidence) *[]Aggregate { return &e.Aggregates })},
		{"files", facts("must be an object {repo, path, ref, blobSHA, content}", as[File], func(e *Evidence) *[]File { return &e.Files })},
		{"raw", (*reader).raw},
	}
}

// Keys lists what evidence may hold beside observedAt and cluster.
func Keys() []string {
	var names []string
	for _, k := range keys() {
		names = append(names, k.name)
	}
	return names
}

// Parse reads evidence. What is malformed is named and the rest is used; keys
// that nothing reads are ignored. Ages are relative to observedAt, which is
// never later than receivedAt.
func Parse(raw json.RawMessage, receivedAt time.Time) (Evidence, []Problem) {
	r := reader{ev: Evidence{ObservedAt: receivedAt}, received: receivedAt, sorting: newSorting()}
	if absent(raw) {
		return r.ev, nil
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(raw, &in); err != nil {
		return r.ev, []Problem{{"", "evidence must be a JSON object with keys such as pods and events"}}
	}
	r.ev.ObservedAt = observedAt(in["observedAt"], receivedAt, &r.problems)
	if cluster := in["cluster"]; !absent(cluster) && json.Unmarshal(cluster, &r.ev.Cluster) != nil {
		r.problem("/cluster", "must be a string")
	}
	for _, k := range keys() {
		if part := in[k.name]; !absent(part) {
			k.read(&r, "/"+k.name, part)
		}
	}
	r.finish()
	return r.ev, r.problems
}

func (r *reader) problem(pointer, detail string) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{pointer, detail})
	}
}

const (
	maxProblems = 100
	maxItems    = 1_000 // of one key that is no Kubernetes object: each is a few bytes of JSON at least
)

// objects reads Kubernetes objects. A key that is there is never nil.
func objects[T any](decode func(json.RawMessage) ([]T, error), place func(*Evidence) *[]T) func(*reader, string, json.RawMessage) {
	return func(r *reader, pointer string, raw json.RawMessage) {
		found, err := decode(raw)
		var faults kube.Faults
		switch {
		case errors.As(err, &faults):
			for _, f := range faults {
				r.problem(pointer+f.Pointer, f.Detail)
			}
		case err != nil:
			r.problem(pointer, err.Error())
		}
		to := place(&r.ev)
		if *to == nil {
			*to = []T{}
		}
		*to = append(*to, found...)
	}
}

// each calls do for the one object, or for the elements of the array.
func (r *reader) each(pointer string, raw json.RawMessage, do func(at string, item json.RawMessage)) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		do(pointer, raw)
		return
	}
	if len(items) > maxItems {
		r.problem(pointer, fmt.Sprintf("%d entries: the first %d are used", len(items), maxItems))
		items = items[:maxItems]
	}
	for i, item := range items {
		do(pointer+"/"+strconv.Itoa(i), item)
	}
}

// decodeObject names the field at fault, where the decoder knows it.
func decodeObject(raw json.RawMessage, into any, must string) error {
	if first := firstByte(raw); first != '{' {
		return errors.New(must)
	}
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fmt.Errorf("%s; %s is a %s, %s was expected", must, wrong.Field, wrong.Value, wrong.Type)
	}
	return fmt.Errorf("%s: %w", must, err)
}

// clockSkew is how far ahead of ours a sender's clock may be without a word.
const clockSkew = time.Minute

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

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func firstByte(raw []byte) byte {
	for _, c := range raw {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}
