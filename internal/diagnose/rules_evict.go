package diagnose

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// evictRules are about a pod that was ended from outside, or that kubelet refused
// when it came to its node.
var evictRules = []row[*pod]{
	{Rule{
		Name: "evicted", Cause: causeEvicted, Confidence: certain,
		When:     "the pod's status, its DisruptionTarget condition or an event says that it was evicted, preempted, or ended because its node shut down or was lost",
		Quotes:   "the status; the condition; the event",
		RulesOut: []string{causeStartupFailed}, Explains: []string{causeStartupFailed, causeLivenessFailed, causeStartupProbeFailed, causeReadinessFailed},
	}, evictedPod},
	{Rule{
		Name: "node-lost", Cause: causeNodeNotReady, Confidence: likely,
		When:     "the pod's status says that its node no longer answers",
		Quotes:   "the status",
		Explains: []string{causeReadinessFailed},
	}, nodeLost},
	{Rule{
		Name: "refused-resources", Cause: causeNoResources, Confidence: 0.95,
		When:   "kubelet refused the pod because the node no longer had the CPU, memory or devices for it",
		Quotes: "the status",
	}, admissionRefused(causeNoResources)},
	{Rule{
		Name: "refused-pods", Cause: causeTooManyPods, Confidence: 0.95,
		When:   "kubelet refused the pod because the node runs as many as it may",
		Quotes: "the status",
	}, admissionRefused(causeTooManyPods)},
	{Rule{
		Name: "refused-affinity", Cause: causeNoAffinity, Confidence: 0.95,
		When:   "kubelet refused the pod because the node does not fit its selector or affinity",
		Quotes: "the status",
	}, admissionRefused(causeNoAffinity)},
	{Rule{
		Name: "refused-taint", Cause: causeNoToleration, Confidence: strong,
		When:   "kubelet refused the pod because it does not tolerate the node's taints",
		Quotes: "the status",
	}, admissionRefused(causeNoToleration)},
	{Rule{
		Name: "refused-port", Cause: causePortConflict, Confidence: strong,
		When:   "kubelet refused the pod because a host port is taken on the node",
		Quotes: "the status",
	}, admissionRefused(causePortConflict)},
	{Rule{
		Name: "refused-otherwise", Cause: causeCreateFailed, Confidence: likely,
		When:   "kubelet refused the pod for what it asks of the node: AppArmor, sysctls, operating system, devices",
		Quotes: "the status",
	}, admissionRefused(causeCreateFailed)},
}

// ends are the words for an end from outside: status reasons, reasons of the
// DisruptionTarget condition, and of events.
var ends = map[string]string{
	"Evicted":               "kubelet evicted it",
	"Preempting":            "kubelet ended it to make room for a critical pod",
	"Preempted":             "the scheduler ended it to make room for a pod of higher priority",
	"PreemptionByScheduler": "the scheduler ended it to make room for a pod of higher priority",
	"TerminationByKubelet":  "kubelet ended it, for a lack of resources on the node or because the node shuts down",
	"DeletionByTaintManager": "it was deleted for a taint of its node that it does not tolerate (such a taint comes with a node that is not ready " +
		"or unreachable, too)",
	"EvictionByEvictionAPI":  "it was evicted on request, as a drain does",
	"DeletionByPodGC":        "it was deleted because its node is gone",
	"TaintManagerEviction":   "it was deleted for a taint of its node that it does not tolerate",
	"EvictedByVPA":           "the vertical autoscaler evicted it to give it other requests",
	"NodeShutdown":           "its node was shutting down",
	"Terminated":             "its node was shutting down",
	"Shutdown":               "its node was shutting down",
	"NodeControllerEviction": "the node controller deleted it because its node does not answer",
}

// takenAway says whether an event tells of an end from outside.
func takenAway(e *corev1.Event) bool {
	switch e.Reason {
	case "Evicted", "Preempted", "Preempting", "EvictedByVPA":
		return true
	case "TaintManagerEviction":
		return !strings.HasPrefix(e.Message, "Cancelling")
	}
	return false
}

// evictedPod finds what ended a pod from outside. A pod that runs on was not ended.
func evictedPod(p *pod) (finding, bool) {
	c := p.condition("DisruptionTarget", corev1.ConditionTrue)
	e := lastOf(p.events, takenAway)
	reason, message := p.Status.Reason, p.Status.Message
	f := finding{place: place{acute: 2}, symptom: "pod " + p.Namespace + "/" + p.Name + " was ended from outside", confidence: certain}
	switch {
	case ends[reason] != "" && p.over():
		f.quotes = append(f.quotes, p.quote("status.reason="+reason+": "+message))
	case c != nil && p.over():
		reason, message = c.Reason, c.Message
		f.confidence = strong + 0.05
	case e != nil && (p.over() || p.ghost):
		reason, message = e.Reason, e.Message
		f.confidence = strong
	default:
		return finding{}, false
	}
	if c != nil {
		f.quotes = append(f.quotes, p.quote("condition DisruptionTarget, reason="+c.Reason+": "+c.Message))
	}
	if e != nil {
		f.quotes = append(f.quotes, quoteEvent(e))
	}
	f.because = cmp.Or(ends[reason], "it was ended from outside ("+clip(reason, 63)+")")
	p.weighEviction(message, &f)
	return f, true
}

// shortage is what a node was short of, in the words of kubelet's eviction.
type shortage struct{ phrase, what, node string }

// shortages in the order in which they decide: a pod over its own limit says
// nothing of the node.
var shortages = []shortage{
	{"usage of emptydir volume", "an emptyDir volume grew over its sizeLimit", ""},
	{"ephemeral local storage usage exceeds", "it used more ephemeral storage than its limits allow", ""},
	{"exceeded its local ephemeral storage limit", "a container used more ephemeral storage than its limit allows", ""},
	{"low on resource: memory", "the node was low on memory", causeMemoryPressure},
	{"low on resource: ephemeral-storage", "the node was low on ephemeral storage", causeDiskPressure},
	{"low on resource: inodes", "the node was low on inodes", causeDiskPressure},
	{"low on resource: imagefs", "the node was low on space for images", causeDiskPressure},
	{"low on resource: nodefs", "the node was low on disk space", causeDiskPressure},
	{"low on resource: containerfs", "the node was low on disk space", causeDiskPressure},
	{"low on resource: pid", "the node was low on process ids", causePIDPressure},
	{"low on resource: [memorypressure]", "the node was low on memory", causeMemoryPressure},
	{"low on resource: [diskpressure]", "the node was low on disk space", causeDiskPressure},
	{"condition: [memorypressure]", "the node was low on memory", causeMemoryPressure},
	{"condition: [diskpressure]", "the node was low on disk space", causeDiskPressure},
	{"condition: [pidpressure]", "the node was low on process ids", causePIDPressure},
}

// weighEviction says what was short. Where it was the node, the node's pressure is
// the wider reading: it may have passed since.
func (p *pod) weighEviction(message string, f *finding) {
	text := strings.ToLower(clip(message, longestText))
	for _, s := range shortages {
		if !strings.Contains(text, s.phrase) {
			continue
		}
		f.because += ": " + s.what
		if s.node != "" {
			f.alternatives = append(f.alternatives, alternative{s.node, 0.4})
			f.missing = append(f.missing, "the conditions of node "+cmp.Or(p.Spec.NodeName, "of the pod")+": whether it is still short of that")
		}
		return
	}
	if message = strings.TrimSpace(message); message != "" {
		f.because += ": " + clip(message, 300)
	}
}

func nodeLost(p *pod) (finding, bool) {
	if p.Status.Reason != "NodeLost" {
		return finding{}, false
	}
	return finding{
		place: place{acute: 2}, symptom: "pod " + p.Namespace + "/" + p.Name + " is on a node that does not answer",
		because: "node " + cmp.Or(clip(p.Spec.NodeName, 253), "of the pod") + " is unresponsive",
		quotes:  []string{p.quote("status.reason=NodeLost: " + p.Status.Message)},
		missing: []string{"the conditions of node " + clip(p.Spec.NodeName, 253)},
	}, true
}

// refusals are the reasons with which kubelet refuses a pod.
var refusals = map[string]string{
	"OutOfpods": causeTooManyPods, "NodeAffinity": causeNoAffinity, "MatchNodeSelector": causeNoAffinity, "NodeName": causeNoAffinity, "HostName": causeNoAffinity,
	"NodeSelectorMismatching": causeNoAffinity, "PodOSSelectorNodeLabelDoesNotMatch": causeNoAffinity,
	"TaintToleration": causeNoToleration, "PodToleratesNodeTaints": causeNoToleration,
	"NodePorts": causePortConflict, "PodFitsHostPorts": causePortConflict, "HostPortConflict": causePortConflict,
	"TopologyAffinityError": causeNoResources, "InsufficientFreeCPU": causeNoResources, "InsufficientFreeMemory": causeNoResources,
	"SysctlForbidden": causeCreateFailed, "AppArmor": causeCreateFailed, "PodOSNotSupported": causeCreateFailed, "SMTAlignmentError": causeNoResources,
	"PodFeatureUnsupported": causeCreateFailed, "PodLevelResourcesNotSupported": causeCreateFailed,
}

// isRefusal says whether kubelet refuses pods with this reason.
func isRefusal(reason string) bool {
	return reason == "UnexpectedAdmissionError" || refusals[reason] != "" || strings.HasPrefix(reason, "OutOf")
}

// refusal is why kubelet did not take the pod: its status says so, or, where only
// events are known, an event of the same reason.
func (p *pod) refusal() (reason, message, quote string) {
	if p.Status.Phase == corev1.PodFailed && isRefusal(p.Status.Reason) {
		return p.Status.Reason, p.Status.Message, p.quote("status.reason=" + p.Status.Reason + ": " + p.Status.Message)
	}
	if e := lastOf(p.events, func(e *corev1.Event) bool { return isRefusal(e.Reason) }); e != nil && p.ghost {
		return e.Reason, e.Message, quoteEvent(e)
	}
	return "", "", ""
}

func refusalCause(reason, message string) string {
	switch {
	case reason == "UnexpectedAdmissionError":
		return deviceRefusal(strings.ToLower(clip(message, longestText)))
	case refusals[reason] != "":
		return refusals[reason]
	case strings.HasPrefix(reason, "OutOf"):
		return causeNoResources
	}
	return ""
}

// deviceRefusal reads what a device plugin, or the manager of CPUs or memory, says.
func deviceRefusal(text string) string {
	if strings.Contains(text, "res: pods,") {
		return causeTooManyPods
	}
	for _, phrase := range []string{"unavailable for", "reclaim resources", "available: 0", "no healthy devices", "not enough cpus", "not enough memory", "insufficient"} {
		if strings.Contains(text, phrase) {
			return causeNoResources
		}
	}
	return causeCreateFailed
}

func admissionRefused(cause string) func(*pod) (finding, bool) {
	return func(p *pod) (finding, bool) {
		reason, message, quote := p.refusal()
		if refusalCause(reason, message) != cause {
			return finding{}, false
		}
		f := finding{
			place: place{acute: 2}, symptom: "pod " + p.Namespace + "/" + p.Name + " was refused by kubelet on node " + clip(p.Spec.NodeName, 253),
			because: clip(reason, 63) + ": " + clip(message, 300),
			quotes:  []string{quote},
		}
		if reason == "UnexpectedAdmissionError" {
			f.confidence = likely
		}
		return f, true
	}
}
