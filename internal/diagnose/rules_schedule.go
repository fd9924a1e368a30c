package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// scheduleRules are about a pod that no node takes. The scheduler reports a node
// with the first filter that it fails: what the nodes lack that came furthest
// decides mostly, and the taints of the control plane are background.
var scheduleRules = []row[*pod]{
	{Rule{
		Name: "unschedulable-resources", Cause: causeNoResources, Confidence: 0.95,
		When:   "the nodes that would do otherwise have too little CPU, memory or other resources left",
		Quotes: "the PodScheduled condition or FailedScheduling event; the requests; the autoscaler's events",
	}, unschedulable(causeNoResources)},
	{Rule{
		Name: "unschedulable-taint", Cause: causeNoToleration, Confidence: 0.95,
		When:   "the nodes have taints that the pod does not tolerate, are cordoned, or are not ready",
		Quotes: "the PodScheduled condition or FailedScheduling event",
	}, unschedulable(causeNoToleration)},
	{Rule{
		Name: "unschedulable-affinity", Cause: causeNoAffinity, Confidence: 0.95,
		When:   "no node fits the pod's node selector, affinity, anti-affinity or topology spread",
		Quotes: "the PodScheduled condition or FailedScheduling event; the node selector",
	}, unschedulable(causeNoAffinity)},
	{Rule{
		Name: "unschedulable-volume", Cause: causeNoVolume, Confidence: 0.95,
		When:   "a claim is missing or not bound, or its volume cannot be used on the nodes that would do otherwise",
		Quotes: "the PodScheduled condition or FailedScheduling event; the claims and their events",
	}, unschedulable(causeNoVolume)},
	{Rule{
		Name: "unschedulable-pods", Cause: causeTooManyPods, Confidence: 0.95,
		When:   "the nodes that would do otherwise run as many pods as they may",
		Quotes: "the PodScheduled condition or FailedScheduling event",
	}, unschedulable(causeTooManyPods)},
	{Rule{
		Name: "unschedulable-host-port", Cause: causePortConflict, Confidence: strong,
		When:   "the host ports that the pod asks for are taken on the nodes that would do otherwise",
		Quotes: "the PodScheduled condition or FailedScheduling event",
	}, unschedulable(causePortConflict)},
	{Rule{
		Name: "scheduling-gated", Cause: causeGated, Confidence: certain,
		When:   "the pod has scheduling gates that nobody has removed",
		Quotes: "the PodScheduled condition; the gates",
	}, gated},
}

func unschedulable(cause string) func(*pod) (finding, bool) {
	return func(p *pod) (finding, bool) {
		s := p.schedule
		if s == nil || s.gated || s.deep.cause != cause {
			return finding{}, false
		}
		f := finding{place: place{acute: 2}, symptom: p.symptom() + ", and no node takes it", quotes: slices.Clone(s.quotes)}
		f.because = s.because()
		if s.tainted != "" {
			f.because += "; " + s.tainted
		}
		f.confidence, f.alternatives = s.weigh()
		p.weighSchedule(s.deep, &f)
		return f, true
	}
}

// because says what how many nodes lack.
func (s *schedule) because() string {
	var parts []string
	for _, o := range s.obstacles {
		part := o.text
		if s.total > 0 && o.nodes > 0 && o.depth != atAll {
			part = fmt.Sprintf("%d of %d nodes: %s", o.nodes, s.total, o.text)
		}
		if !slices.Contains(parts, part) && len(parts) < 6 {
			parts = append(parts, clip(part, 200))
		}
	}
	return inWords(s.deep) + " (" + strings.Join(parts, ", ") + ")"
}

func inWords(o obstacle) string {
	switch {
	case o.depth == atCordon:
		return "the nodes are cordoned"
	case o.cause == causeNoToleration && strings.Contains(o.text, "not-ready"), strings.Contains(o.text, "unreachable"):
		return "the nodes are not ready"
	case o.cause == causeNoToleration:
		return "the nodes have taints that it does not tolerate"
	case o.cause == causeNoResources && o.depth == atAll:
		return "the cluster has no nodes at all"
	case o.cause == causeNoResources:
		return "the nodes that would do have too little left"
	case o.cause == causeTooManyPods:
		return "the nodes that would do run as many pods as they may"
	case o.cause == causePortConflict:
		return "the host ports that it asks for are taken"
	case o.depth == atSpread:
		return "its topology spread allows none of the nodes"
	case o.depth == atPods:
		return "its affinity or anti-affinity to other pods allows none of the nodes"
	case o.cause == causeNoAffinity:
		return "no node fits its node selector or affinity"
	case o.depth == atAll:
		return "a claim of its volumes is not bound or not there"
	}
	return "its volumes cannot be used on the nodes that would do"
}

// weigh says how sure the deepest obstacle is: the other causes that nodes were
// reported with are other readings, for a node that changed would be the way out too.
func (s *schedule) weigh() (float64, []alternative) {
	deep, tainted := s.deep, s.tainted != ""
	var others []alternative
	same := 0
	for _, o := range s.real() {
		switch {
		case o.cause == deep.cause:
			same += o.nodes
		case o.depth == deep.depth && !tainted:
			others = append(others, alternative{o.cause, 0.4})
		default:
			others = append(others, alternative{o.cause, slight})
		}
	}
	switch {
	case deep.depth == atAll && deep.cause == causeNoResources:
		return fair, others
	case len(others) == 0 && s.total > 0:
		return 0.95, nil
	case len(others) == 0:
		return likely, nil
	case tainted:
		return likely - 0.05, others
	case 2*same >= s.total:
		return likely, others
	}
	return fair + 0.05, others
}

// weighSchedule adds what else the evidence says of a pod without a node.
func (p *pod) weighSchedule(deep obstacle, f *finding) {
	switch deep.cause {
	case causeNoResources:
		for _, o := range p.schedule.obstacles {
			if o.depth == atResources {
				p.quoteRequests(o.text, f)
			}
		}
	case causeNoVolume:
		p.quoteClaims(f)
	case causeNoAffinity:
		if len(p.Spec.NodeSelector) > 0 && deep.depth == atAffinity {
			f.quotes = append(f.quotes, p.quote("nodeSelector "+clip(labelText(p.Spec.NodeSelector), 300)))
		}
	}
	p.quoteScaling(f)
	if p.Status.NominatedNodeName != "" {
		f.because += "; pods of lower priority are being removed for it on node " + clip(p.Status.NominatedNodeName, 253)
	}
}

// quoteScaling tells what the autoscaler makes of it. A pod that is young and has
// been heard may still get its node by itself.
func (p *pod) quoteScaling(f *finding) {
	e := lastOf(p.events, func(e *corev1.Event) bool {
		return e.Reason == "TriggeredScaleUp" || e.Reason == "NotTriggerScaleUp" || e.Reason == "FailedToScaleUpGroup" || e.Reason == "Nominated"
	})
	if e == nil {
		return
	}
	f.quotes = append(f.quotes, quoteEvent(e))
	switch e.Reason {
	case "NotTriggerScaleUp":
		f.because += "; the autoscaler adds no node for it"
	case "FailedToScaleUpGroup":
		f.because += "; the autoscaler could not add a node"
	default:
		f.because += "; a node was ordered for it"
		if at := eventTime(e); at.IsZero() || p.now.Sub(at) < nodeComes {
			f.confidence = min(f.confidence, fair)
			f.because += " and may still come"
			f.missing = append(f.missing, "whether the node that was ordered comes: that takes some minutes")
		}
	}
}

// nodeComes is how long a cloud takes for a new node, until it is ready.
const nodeComes = 5 * time.Minute

func labelText(m map[string]string) string {
	var parts []string
	for k, v := range m {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

func gated(p *pod) (finding, bool) {
	if p.schedule == nil || !p.schedule.gated {
		return finding{}, false
	}
	f := finding{place: place{acute: 2}, symptom: p.symptom() + ", and the scheduler leaves it alone"}
	var names []string
	for _, g := range p.Spec.SchedulingGates[:min(len(p.Spec.SchedulingGates), 10)] {
		names = append(names, clip(g.Name, 253))
	}
	f.because = "it has scheduling gates that nobody has removed yet"
	if len(names) > 0 {
		f.because += ": " + strings.Join(names, ", ")
		f.quotes = append(f.quotes, p.quote("spec.schedulingGates "+strings.Join(names, ", ")))
	}
	if c := p.condition(corev1.PodScheduled, corev1.ConditionFalse); c != nil {
		f.quotes = append(f.quotes, p.quote("condition PodScheduled=False, reason="+c.Reason+": "+c.Message))
	}
	return f, true
}
