package evidence

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podStatus is what a line of kubectl get pods says of a pod. Its STATUS is one
// word for the pod or for the one container that kubectl thinks worst; which
// one that is it does not say, so that the container has no name.
type podStatus struct {
	word     string
	ready    bool
	restarts int32
	at       time.Time
}

// phaseWords are the words that are phases, not states of a container.
var phaseWords = map[string]corev1.PodPhase{
	"Running": corev1.PodRunning, "Pending": corev1.PodPending, "Succeeded": corev1.PodSucceeded, "Failed": corev1.PodFailed, "Unknown": corev1.PodUnknown,
	"SchedulingGated": corev1.PodPending,
}

// podReasons are the words that are reasons of the pod, which has then failed.
var podReasons = map[string]bool{
	"Evicted": true, "NodeLost": true, "NodeShutdown": true, "NodeAffinity": true, "Preempting": true, "UnexpectedAdmissionError": true,
	"OutOfcpu": true, "OutOfmemory": true, "OutOfpods": true, "DeadlineExceeded": true,
}

// unprinted is the exit code where kubectl prints a reason in its place: it was
// not 0, and more is not known.
const unprinted = -1

// endedWords are the reasons of a container that has ended; all others that are
// no phase it waits for.
var endedWords = map[string]int32{
	"Completed": 0, "Error": unprinted, "OOMKilled": 137, "ContainerCannotRun": unprinted, "StartError": unprinted, "ContainerStatusUnknown": unprinted,
}

func (s podStatus) tell(pod *corev1.Pod) {
	word, inInit := strings.CutPrefix(s.word, "Init:")
	container := corev1.ContainerStatus{Ready: s.ready, RestartCount: s.restarts}
	phase, isPhase := phaseWords[word]
	switch {
	case isPhase:
		pod.Status.Phase = phase
		s.running(pod, &container)
	case podReasons[word]:
		pod.Status.Phase, pod.Status.Reason = corev1.PodFailed, word
		return
	case word == "Terminating":
		pod.DeletionTimestamp = &metav1.Time{Time: s.at}
	case ended(word, &container.State):
		pod.Status.Phase = s.endedPhase(word, inInit)
	case strings.Contains(word, "/"): // Init:0/2: the first of two has not ended yet
		pod.Status.Phase, container.State.Waiting = corev1.PodPending, &corev1.ContainerStateWaiting{}
	default:
		pod.Status.Phase, container.State.Waiting = s.waitingPhase(word, inInit), &corev1.ContainerStateWaiting{Reason: word}
	}
	pod.Spec.RestartPolicy = policyOf(pod.Status.Phase)
	if phase != corev1.PodPending {
		place(pod, container, inInit)
	}
}

func (s podStatus) running(pod *corev1.Pod, c *corev1.ContainerStatus) {
	ready := corev1.ConditionFalse
	if s.ready {
		ready = corev1.ConditionTrue
	}
	if pod.Status.Phase == corev1.PodRunning {
		c.State.Running = &corev1.ContainerStateRunning{}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
	}
}

// ended reads the reasons of an end, and "ExitCode:2" and "Signal:9" where there
// is none.
func ended(word string, state *corev1.ContainerState) bool {
	t := corev1.ContainerStateTerminated{Reason: word}
	code, known := endedWords[word]
	if n, ok := strings.CutPrefix(word, "ExitCode:"); ok {
		t.Reason, code, known = "", number32(n), true
	}
	if n, ok := strings.CutPrefix(word, "Signal:"); ok {
		t.Reason, t.Signal, code, known = "", number32(n), 128+number32(n), true
	}
	if t.ExitCode = code; known {
		state.Terminated = &t
	}
	return known
}

func (s podStatus) endedPhase(word string, inInit bool) corev1.PodPhase {
	switch {
	case inInit:
		return corev1.PodPending
	case s.restarts > 0:
		return corev1.PodRunning
	case word == "Completed":
		return corev1.PodSucceeded
	}
	return corev1.PodFailed
}

// policyOf is what a phase tells of the restart policy, which kubectl does not
// print: a pod that is always restarted never ends.
func policyOf(phase corev1.PodPhase) corev1.RestartPolicy {
	switch phase {
	case corev1.PodSucceeded:
		return corev1.RestartPolicyOnFailure
	case corev1.PodFailed:
		return corev1.RestartPolicyNever
	}
	return ""
}

func (s podStatus) waitingPhase(word string, inInit bool) corev1.PodPhase {
	if word == "CrashLoopBackOff" && !inInit || s.restarts > 0 && !inInit {
		return corev1.PodRunning
	}
	return corev1.PodPending
}

func place(pod *corev1.Pod, c corev1.ContainerStatus, inInit bool) {
	if inInit {
		pod.Spec.InitContainers = []corev1.Container{{}}
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{c}
		return
	}
	pod.Spec.Containers = []corev1.Container{{}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{c}
}
