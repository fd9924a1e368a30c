package diagnose

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const lateMount = "its volumes could not be mounted in time"

// volumeSigns tell why a volume could not be attached or mounted, in the words of
// kubelet, the attach-detach controller, CSI drivers and mount.
var volumeSigns = []sign{
	{"cache: timed out", "", ""}, // kubelet's own trouble with the API server; it tries again
	{"\" not registered", "", ""},
	{"hostpath type check failed", causeVolumeFailed, "what stands at the hostPath of the node is not of the type that the volume asks for"},
	{"multi-attach", causeVolumeFailed, "the volume is still attached to another node, and may be attached to one only"},
	{"already used by pod", causeVolumeFailed, "the volume is in use by another pod"},
	{"volumeinuse", causeVolumeFailed, "the storage says that the volume is in use elsewhere"},
	{"not found in the list of registered csi drivers", causeVolumeFailed, "its CSI driver does not run on the node"},
	{"no volume plugin matched", causeVolumeFailed, "no volume plugin of the node knows this sort of volume"},
	{"failed to get plugin from volumespec", causeVolumeFailed, "no volume plugin of the node knows this sort of volume"},
	{"secretproviderclass", causeVolumeFailed, "the secrets store cannot give what its SecretProviderClass asks for"},
	{"secrets store objects", causeVolumeFailed, "the secrets store cannot give what its SecretProviderClass asks for"},
	{"/sbin/mount.<type> helper program", causeVolumeFailed, "the node lacks the helper program for its file system (such as nfs-common), or that is of another type"},
	{"unknown filesystem type", causeVolumeFailed, "the node does not know its file system"},
	{"access denied by server", causeVolumeFailed, "the file server refuses access to the share"},
	{"mount error(13)", causeVolumeFailed, "the file server refuses access to the share"},
	{"no route to host", causeVolumeFailed, "the file server cannot be reached: there is no route to it"},
	{"connection refused", causeVolumeFailed, "the storage cannot be reached: it refuses connections"},
	{"connection timed out", causeVolumeFailed, "the storage cannot be reached in time"},
	{"no such host", causeVolumeFailed, "the name of the file server cannot be resolved"},
	{"failed to resolve server", causeVolumeFailed, "the name of the file server cannot be resolved"},
	{"fsck found errors", causeVolumeFailed, "its file system is damaged"},
	{"structure needs cleaning", causeVolumeFailed, "its file system is damaged"},
	{"superblock", causeVolumeFailed, "its file system is damaged or of another type"},
	{"wrong fs type", causeVolumeFailed, "its file system is of another type, or damaged"},
	{"unauthorizedoperation", causeVolumeFailed, "the cloud refuses the CSI driver this operation"},
	{"not authorized", causeVolumeFailed, "the cloud refuses the CSI driver this operation"},
	{"permission denied", causeVolumeFailed, "access to the volume is refused"},
	{"failed to fetch token", causeVolumeFailed, "kubelet gets no service account token for it"},
	{"attachment limit", causeVolumeFailed, "no more volumes can be attached to the node"},
	{"no such file or directory", causeVolumeFailed, "the path of the volume is not there"},
	{"does not exist", causeVolumeFailed, "the storage does not know the volume (any more)"},
	{"not found", causeVolumeFailed, "the storage does not know the volume (any more)"},
	{"notfound", causeVolumeFailed, "the storage does not know the volume (any more)"},
	{"no space left on device", causeDiskPressure, "the node has no space left for its volumes"},
	{"given volume id", causeVolumeFailed, "an earlier operation of the CSI driver on the volume has not ended"},
	{"unmounted volumes", causeVolumeFailed, lateMount},
	{"volumes haven't yet been attached or mounted", causeVolumeFailed, lateMount},
	{"timeout expired waiting for volumes", causeVolumeFailed, lateMount},
	{"deadline exceeded", causeVolumeFailed, "the storage or its CSI driver did not answer in time"},
	{"deadlineexceeded", causeVolumeFailed, "the storage or its CSI driver did not answer in time"},
	{"timed out", causeVolumeFailed, "the storage or its CSI driver did not answer in time"},
}

// mountSpan is how long after its last event a trouble that kubelet tries anew
// still counts: it tries every two minutes at least.
const mountSpan = 10 * time.Minute

// trouble is one of a pod's events, and what it says.
type trouble struct {
	sign
	event *corev1.Event
}

// mountTrouble is why the pod's volumes cannot be mounted: what is missing in its
// configuration before what else is known, before a mere time-out.
func (p *pod) mountTrouble() *trouble {
	if p.over() {
		return nil
	}
	var best trouble
	newest := time.Time{}
	for i := len(p.events) - 1; i >= 0; i-- {
		e := p.events[i]
		if !mountEvent(e) || p.mountOver(e) {
			continue
		}
		if newest.IsZero() {
			newest = eventTime(e)
		}
		s, ok := readMount(e.Message)
		if ok && s.cause == causeConfigMissing && newest.Sub(eventTime(e)) > mountSpan {
			continue
		}
		if better(s, best.sign) {
			best = trouble{s, e}
		}
	}
	if best.cause == "" {
		return nil
	}
	return &best
}

// better says whether a sign tells more than what was found before.
func better(s, than sign) bool {
	rank := func(s sign) int {
		switch {
		case s.cause == "":
			return 0
		case s.because == lateMount:
			return 1
		case s.cause == causeConfigMissing:
			return 3
		}
		return 2
	}
	return rank(s) > rank(than)
}

func mountEvent(e *corev1.Event) bool {
	switch e.Reason {
	case "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedMountOnFilesystemMismatch":
		return true
	}
	return false
}

// readMount reads one message. One that has no sign of its own still says that a
// volume could not be mounted.
func readMount(message string) (sign, bool) {
	text := strings.ToLower(clip(message, longestText))
	if s, ok := readConfig(text); ok {
		return s, true
	}
	if s, ok := read(volumeSigns, text); ok {
		return s, s.cause != ""
	}
	return sign{cause: causeVolumeFailed, because: "one of its volumes cannot be attached or mounted"}, true
}

// mountOver says whether a failure is history: the volume was attached since, or
// the pod got on to what comes after its volumes.
func (p *pod) mountOver(e *corev1.Event) bool {
	at := eventTime(e)
	if e.Reason == "FailedAttachVolume" {
		if done := lastOf(p.events, func(s *corev1.Event) bool { return s.Reason == "SuccessfulAttachVolume" && sameVolume(s, e) }); done != nil && eventTime(done).After(at) {
			return true
		}
	}
	return p.begun(at, "FailedCreatePodSandBox")
}

// sameVolume compares the first names that two messages quote.
func sameVolume(a, b *corev1.Event) bool { return quoted(a.Message) == quoted(b.Message) }

// begun says whether a container of the pod was made after that time, which needs
// its volumes and its network. An event of the other reasons says it too.
func (p *pod) begun(after time.Time, reasons ...string) bool {
	for _, c := range p.containers {
		s := c.status.State
		if s.Running != nil || s.Waiting != nil && !quietWait(s.Waiting.Reason) {
			return true
		}
		if s.Terminated != nil && (after.IsZero() || s.Terminated.FinishedAt.After(after)) {
			return true
		}
	}
	at := lastTime(p.events, append(slices.Clone(reasons), "Pulling", "Pulled", "Created", "Started")...)
	return !at.IsZero() && at.After(after)
}

// over says whether the pod has ended, or is to end.
func (p *pod) over() bool {
	return p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded || p.DeletionTimestamp != nil
}
