package evidence

import (
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// podMetrics is a PodMetrics or NodeMetrics object of metrics.k8s.io.
type podMetrics struct {
	Metadata   struct{ Name, Namespace string }
	Usage      struct{ CPU, Memory string } // of a node
	Containers []struct {
		Name  string
		Usage struct{ CPU, Memory string }
	}
}

// metricsObject reads what the metrics API answers, one object or a list.
func (r *reader) metricsObject(kind, apiVersion, pointer string, raw json.RawMessage) bool {
	single, isList := strings.CutSuffix(kind, "List")
	if !strings.HasPrefix(apiVersion, "metrics.k8s.io/") || single != "PodMetrics" && single != "NodeMetrics" {
		return false
	}
	raws := []json.RawMessage{raw}
	if isList {
		var list struct{ Items []json.RawMessage }
		if json.Unmarshal(raw, &list) != nil {
			return false
		}
		raws = list.Items[:min(len(list.Items), maxItems)]
	}
	for _, one := range raws {
		var m podMetrics
		if err := json.Unmarshal(one, &m); err != nil {
			r.problem(pointer, "must be "+single+" as kubectl get --raw /apis/metrics.k8s.io prints it")
			continue
		}
		r.measured(strings.TrimSuffix(single, "Metrics"), m)
	}
	return true
}

// measured notes the use of a node, or of every container of a pod: a sidecar that
// is full does not show in the sum.
func (r *reader) measured(kind string, m podMetrics) {
	one := Usage{Kind: kind, Namespace: m.Metadata.Namespace, Name: m.Metadata.Name}
	if kind == "Node" {
		one.CPUMillicores, one.MemoryBytes = quantity(m.Usage.CPU, 1000), quantity(m.Usage.Memory, 1)
		r.used(one)
		return
	}
	for _, c := range m.Containers {
		one.Container = c.Name
		one.CPUMillicores, one.MemoryBytes = quantity(c.Usage.CPU, 1000), quantity(c.Usage.Memory, 1)
		r.used(one)
	}
}

func (r *reader) used(u Usage) {
	if len(r.ev.Usages) < maxItems {
		r.ev.Usages = append(r.ev.Usages, u)
	}
}

// roomOf is what the pods of each node may use together.
func roomOf(nodes []corev1.Node) map[string]resourceLimits {
	out := map[string]resourceLimits{}
	for i := range nodes {
		n := &nodes[i]
		room := n.Status.Allocatable
		if len(room) == 0 {
			room = n.Status.Capacity
		}
		var l resourceLimits
		if q, ok := room[corev1.ResourceCPU]; ok {
			l.milliCPU = Of(float64(q.MilliValue()))
		}
		if q, ok := room[corev1.ResourceMemory]; ok {
			l.memory = Of(q.AsApproximateFloat64())
		}
		out[n.Name] = l
	}
	return out
}
