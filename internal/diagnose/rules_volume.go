package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// setupRules are about a pod on its node that gets no volumes or no network, so
// that none of its containers is made.
var setupRules = []row[*pod]{
	{Rule{
		Name: "config-not-mounted", Cause: causeConfigMissing, Confidence: certain,
		When:     "a secret, config map or key that a volume is made of is not there, and no container was made since",
		Quotes:   "the FailedMount event",
		Explains: []string{causeVolumeFailed}, RulesOut: []string{causeVolumeFailed},
	}, notMounted(causeConfigMissing)},
	{Rule{
		Name: "volume-failed", Cause: causeVolumeFailed, Confidence: 0.95,
		When:   "a volume cannot be attached or mounted, and no container was made since",
		Quotes: "the FailedMount or FailedAttachVolume event; the claims of the pod and their events",
	}, notMounted(causeVolumeFailed)},
	{Rule{
		Name: "no-space-to-mount", Cause: causeDiskPressure, Confidence: fair,
		When:   "the node has no space left for the pod's volumes",
		Quotes: "the FailedMount event",
	}, notMounted(causeDiskPressure)},
	{Rule{
		Name: "volume-not-resized", Cause: causeVolumeFailed, Confidence: likely,
		When:   "a volume or its file system could not be made larger, and was not since",
		Quotes: "the VolumeResizeFailed or FileSystemResizeFailed event",
	}, notResized},
	{Rule{
		Name: "sandbox-failed", Cause: causeSandboxFailed, Confidence: 0.95,
		When:   "kubelet cannot make the pod's sandbox or its network, and no container was made since",
		Quotes: "the FailedCreatePodSandBox or NetworkNotReady event",
	}, noSandbox(causeSandboxFailed)},
	{Rule{
		Name: "host-port-in-sandbox", Cause: causePortConflict, Confidence: strong,
		When:   "the pod's sandbox cannot be made because a port of the node is in use",
		Quotes: "the FailedCreatePodSandBox event",
	}, noSandbox(causePortConflict)},
	{Rule{
		Name: "oom-in-sandbox", Cause: causeOOMKilled, Confidence: likely,
		When:   "the pod's sandbox was OOM-killed as it was made: its memory limit is too low even for that",
		Quotes: "the FailedCreatePodSandBox event",
	}, noSandbox(causeOOMKilled)},
	{Rule{
		Name: "no-space-for-sandbox", Cause: causeDiskPressure, Confidence: fair,
		When:   "the node has no space left to make the pod's sandbox",
		Quotes: "the FailedCreatePodSandBox event",
	}, noSandbox(causeDiskPressure)},
}

func notMounted(cause string) func(*pod) (finding, bool) {
	return func(p *pod) (finding, bool) {
		t := p.mount
		if t == nil || t.cause != cause {
			return finding{}, false
		}
		f := finding{
			place: place{acute: 2}, symptom: p.symptom(), because: t.because,
			quotes: []string{quoteEvent(t.event)},
		}
		if cause == causeVolumeFailed {
			p.weighVolume(*t, &f)
		}
		return f, true
	}
}

// weighVolume adds what the pod's claims say, and how much a mere time-out is worth.
func (p *pod) weighVolume(t trouble, f *finding) {
	f.confidence = strong
	p.quoteClaims(f)
	switch text := strings.ToLower(t.event.Message); {
	case t.because == lateMount:
		f.confidence = likely - 0.05
		f.missing = append(f.missing, "the first FailedMount or FailedAttachVolume event, and what the CSI driver says")
	case strings.Contains(text, "secretproviderclass") || strings.Contains(text, "secrets store"):
		f.confidence = likely - 0.05
		f.alternatives = append(f.alternatives, alternative{causeConfigMissing, slight})
	case strings.Contains(text, "hostpath type check failed"):
		f.alternatives = append(f.alternatives, alternative{causeCreateFailed, slight})
	}
}

func notResized(p *pod) (finding, bool) {
	e := lastOf(p.events, resizeFailed)
	if e == nil || p.over() || !lastTime(p.events, "FileSystemResizeSuccessful", "VolumeResizeSuccessful").Before(eventTime(e)) {
		return finding{}, false
	}
	f := finding{place: place{acute: 1}, symptom: p.symptom(), because: "a volume could not be made larger", quotes: []string{quoteEvent(e)}}
	p.quoteClaims(&f)
	return f, true
}

func resizeFailed(e *corev1.Event) bool {
	return e.Reason == "VolumeResizeFailed" || e.Reason == "FileSystemResizeFailed"
}

func noSandbox(cause string) func(*pod) (finding, bool) {
	return func(p *pod) (finding, bool) {
		t := p.sandbox
		if t == nil || t.cause != cause {
			return finding{}, false
		}
		f := finding{
			place: place{acute: 2}, symptom: p.symptom(), because: t.because,
			quotes: []string{quoteEvent(t.event)},
		}
		if p.Spec.NodeName != "" {
			f.because += " (node " + clip(p.Spec.NodeName, 253) + ")"
		}
		switch {
		case cause == causeDiskPressure:
			f.alternatives = []alternative{{"host.disk_full", slight}}
		case eventCount(t.event) == 1:
			f.confidence = likely // kubelet tries again, and often it works
		}
		if strings.Contains(strings.ToLower(t.event.Message), "sandbox image") {
			f.alternatives = append(f.alternatives, alternative{causeRegistryUnreachable, 0.45})
		}
		return f, true
	}
}

// symptom is what people see of a pod none of whose containers runs.
func (p *pod) symptom() string {
	state := "has not started"
	switch {
	case p.Status.Phase == corev1.PodFailed:
		state = "has failed"
	case p.Status.Phase == corev1.PodRunning:
		state = "is running"
	case p.Status.Phase == corev1.PodPending && !p.scheduled() && !p.ghost:
		state = "is pending"
	case p.Status.Phase == corev1.PodPending:
		state = "is pending on node " + clip(p.Spec.NodeName, 253)
	}
	return "pod " + p.Namespace + "/" + p.Name + " " + state
}
