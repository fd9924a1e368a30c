package evidence

import (
	corev1 "k8s.io/api/core/v1"
)

// podMetrics notes the use of every container: a sidecar that is full does not
// show in the sum.
func (r *reader) podMetrics(o foreignObject) {
	for _, c := range o.Containers {
		r.used(c.Usage.of(Usage{Kind: "Pod", Namespace: o.Metadata.Namespace, Name: o.Metadata.Name, Container: c.Name}))
	}
}

func (r *reader) nodeMetrics(o foreignObject) {
	r.used(o.Usage.of(Usage{Kind: "Node", Name: o.Metadata.Name}))
}

func (p podUsage) of(u Usage) Usage {
	u.CPUMillicores, u.MemoryBytes = quantity(p.CPU, 1000), quantity(p.Memory, 1)
	return u
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
