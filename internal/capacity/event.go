package capacity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/intake"
)

const alertName = "WorkloadNeedsMorePods"

// A workload has an alert for each resource, from each source that sees it.
const (
	cpu    = "cpu"
	memory = "memory"
)

// wants says which resource asks for more pods, and the first hypothesis.
func (v Verdict) wants(u intake.Usage) (resource, cause string) {
	switch v.Why {
	case CPUSoon, CPUNow:
		return cpu, "trend.cpu_rising"
	case MemoryNow:
		return memory, "resource.memory_saturated"
	case OwnerAtItsEnd:
		if u.CPU == nil {
			return memory, "workload.hpa_maxed"
		}
		return cpu, "workload.hpa_maxed"
	default:
		return "", ""
	}
}

// Events are the alerts of a workload: each fires while its source sees that its
// resource asks for more pods, and is over otherwise. What was not measured is neither.
// The first that fires brings the evidence.
func Events(u intake.Usage, v Verdict, ids incident.IDs) ([]incident.Event, error) {
	var firing, over []incident.Event
	for _, a := range []struct {
		resource, source string
		measured         bool
	}{
		{cpu, UsageSource, u.CPU != nil}, {cpu, SeriesSource, u.CPU != nil}, {memory, UsageSource, u.Memory != nil},
	} {
		if !a.measured {
			continue
		}
		if e := alert(u, v, a.resource, a.source, ids()); e.Status == incident.Firing {
			firing = append(firing, e)
		} else {
			over = append(over, e)
		}
	}
	if len(firing) > 0 {
		var err error
		if firing[0].Evidence, err = show(u, v); err != nil {
			return nil, err
		}
	}
	return append(firing, over...), nil
}

func alert(u intake.Usage, v Verdict, resource, source string, id incident.ID) incident.Event {
	fingerprint := intake.Fingerprint(source, u.Target.Cluster, "capacity", resource, u.Subject, u.Target.Namespace, u.Target.Kind, u.Target.Name)
	e := incident.Event{
		ID: id, Kind: incident.AlertEvent, Source: source, Subject: u.Subject, ReceivedAt: u.ReceivedAt,
		Episode: intake.Episode(source, u.Target.Cluster, fingerprint), OpenEnded: true, Fingerprint: fingerprint,
		Name: alertName, Severity: incident.Warning, Service: u.Target.Service, Message: v.Reason, Target: u.Target, DryRun: u.DryRun,
		Labels: map[string]string{"alertname": alertName, "namespace": u.Target.Namespace, "resource": resource, "lookback": lookBack.String()},
	}
	wanted, cause := v.wants(u)
	if wanted != resource || !slices.Contains(v.Witnesses, source) {
		e.Status, e.EndsAt, e.Family = incident.Resolved, u.ReceivedAt, "trend"
		return e
	}
	e.Status, e.Hypothesis, e.Family = incident.Firing, cause, incident.Family(cause)
	return e
}

// lookBack is how long it may take until the next question about a workload.
const lookBack = 10 * time.Minute

// show is the evidence that came, and what was made of the use, as a usage that a
// diagnosis reads.
func show(u intake.Usage, v Verdict) (json.RawMessage, error) {
	whole := map[string]json.RawMessage{}
	if u.Evidence != nil {
		if err := json.Unmarshal(u.Evidence, &whole); err != nil {
			return nil, fmt.Errorf("evidence of %s: %w", u.Target, err)
		}
	}
	metrics := map[string]float64{evidence.PresentReplicas: float64(u.Pods)}
	if flag, needs := map[Why]string{CPUSoon: evidence.MorePodsForCPU, CPUNow: evidence.MorePodsForCPU, MemoryNow: evidence.MorePodsForMemory}[v.Why]; needs {
		metrics[flag] = 1
	}
	if v.Scale {
		metrics[evidence.RecommendedReplicas] = float64(v.Recommended)
	}
	if v.Forecast != nil {
		metrics[evidence.ForecastCPU] = v.Peak
	}
	usage := map[string]any{"namespace": u.Target.Namespace, "kind": u.Target.Kind, "name": u.Target.Name, "reason": v.Reason, "why": v.Why, "metrics": metrics}
	if u.CPU != nil {
		usage["cpuPercent"] = *u.CPU
	}
	if u.Memory != nil {
		usage["memoryPercent"] = *u.Memory
	}
	said := map[string]any{"cluster": u.Target.Cluster, "usage": usage}
	if whole["observedAt"] == nil {
		said["observedAt"] = u.ReceivedAt
	}
	for key, value := range said {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("use of %s: %w", u.Target, err)
		}
		whole[key] = raw
	}
	return json.Marshal(whole)
}

// OwnerOf is the autoscaler that sets the replicas of a workload, as far as the
// evidence shows one; nil where it shows none.
func OwnerOf(ev evidence.Evidence, t incident.Target) *Autoscaler {
	for i := range ev.HPAs {
		h := &ev.HPAs[i]
		if ref := h.Spec.ScaleTargetRef; h.Namespace == t.Namespace && ref.Kind == t.Kind && ref.Name == t.Name {
			least := 1
			if h.Spec.MinReplicas != nil {
				least = int(*h.Spec.MinReplicas)
			}
			return &Autoscaler{h.Namespace + "/" + h.Name, least, int(h.Spec.MaxReplicas)}
		}
	}
	return nil
}
