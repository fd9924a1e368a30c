package main

import (
	"crypto/sha256"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// play gives the status that a kubelet would write for a pod on its node, and
// the events it would write on the way there.
func play(pod *v1.Pod, now metav1.Time) (v1.PodStatus, []note) {
	s := v1.PodStatus{StartTime: &now, HostIP: "127.0.0.1", PodIP: address(pod)}
	s.HostIPs, s.PodIPs = []v1.HostIP{{IP: s.HostIP}}, []v1.PodIP{{IP: s.PodIP}}
	if pod.Annotations[annotationState] == "Evicted" {
		return evict(pod, s, now)
	}
	var notes []note
	initialised := true
	for _, c := range pod.Spec.InitContainers {
		a := act(pod, c, true, initialised, now)
		s.InitContainerStatuses = append(s.InitContainerStatuses, a.status)
		notes = append(notes, a.notes...)
		initialised = initialised && done(c, a.status)
	}
	for _, c := range pod.Spec.Containers {
		a := act(pod, c, false, initialised, now)
		s.ContainerStatuses = append(s.ContainerStatuses, a.status)
		notes = append(notes, a.notes...)
	}
	s.Phase = phase(pod, s, initialised)
	s.Conditions = conditions(s, initialised, now)
	return s, notes
}

// address is of the pod network; nothing listens there.
func address(pod *v1.Pod) string {
	h := sha256.Sum256([]byte(pod.UID))
	return fmt.Sprintf("10.244.%d.%d", h[0], h[1])
}

// act plays a container whose turn it is; the others wait.
func act(pod *v1.Pod, c v1.Container, init, turn bool, now metav1.Time) *actor {
	if turn {
		return perform(pod, c, init, now)
	}
	a := &actor{pod: pod, spec: c, init: init, now: now, status: v1.ContainerStatus{Name: c.Name, Image: c.Image}}
	a.wait("PodInitializing", "")
	return a
}

func done(c v1.Container, s v1.ContainerStatus) bool {
	if sidecar(c) {
		return s.Started != nil && *s.Started
	}
	return s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
}

func phase(pod *v1.Pod, s v1.PodStatus, initialised bool) v1.PodPhase {
	var waiting, ended, failed int
	for _, c := range s.ContainerStatuses {
		switch {
		case c.State.Waiting != nil && c.LastTerminationState.Terminated == nil:
			waiting++
		case c.State.Terminated != nil:
			ended++
			if c.State.Terminated.ExitCode != 0 {
				failed++
			}
		}
	}
	switch {
	case !initialised && pod.Spec.RestartPolicy == v1.RestartPolicyNever && anyFailed(s.InitContainerStatuses):
		return v1.PodFailed
	case !initialised || waiting > 0:
		return v1.PodPending
	case ended < len(s.ContainerStatuses) || pod.Spec.RestartPolicy == v1.RestartPolicyAlways:
		return v1.PodRunning
	case failed == 0:
		return v1.PodSucceeded
	case pod.Spec.RestartPolicy == v1.RestartPolicyNever:
		return v1.PodFailed
	}
	return v1.PodRunning
}

func anyFailed(statuses []v1.ContainerStatus) bool {
	for _, c := range statuses {
		if c.State.Terminated != nil && c.State.Terminated.ExitCode != 0 {
			return true
		}
	}
	return false
}

// conditions are all but PodScheduled, which the API server sets when it binds.
func conditions(s v1.PodStatus, initialised bool, now metav1.Time) []v1.PodCondition {
	condition := func(t v1.PodConditionType, yes bool, reason, message string) v1.PodCondition {
		c := v1.PodCondition{Type: t, Status: v1.ConditionTrue, LastTransitionTime: now}
		if !yes {
			c.Status, c.Reason, c.Message = v1.ConditionFalse, reason, message
		}
		return c
	}
	over := s.Phase == v1.PodSucceeded || s.Phase == v1.PodFailed
	reason, message := unready(s)
	ready := !over && initialised && message == ""
	incomplete := "containers with incomplete status: [" + strings.Join(names(s.InitContainerStatuses, incompleteInit), " ") + "]"
	return []v1.PodCondition{
		condition(v1.PodReadyToStartContainers, !over, "", ""),
		condition(v1.PodInitialized, initialised, "ContainersNotInitialized", incomplete),
		condition(v1.PodReady, ready, reason, message),
		condition(v1.ContainersReady, ready, reason, message),
	}
}

func unready(s v1.PodStatus) (reason, message string) {
	switch s.Phase {
	case v1.PodSucceeded:
		return "PodCompleted", ""
	case v1.PodFailed:
		return "PodFailed", ""
	}
	if not := names(s.ContainerStatuses, func(c v1.ContainerStatus) bool { return !c.Ready }); len(not) > 0 {
		return "ContainersNotReady", "containers with unready status: [" + strings.Join(not, " ") + "]"
	}
	return "", ""
}

func incompleteInit(c v1.ContainerStatus) bool {
	return c.State.Running == nil && (c.State.Terminated == nil || c.State.Terminated.ExitCode != 0)
}

func names(statuses []v1.ContainerStatus, which func(v1.ContainerStatus) bool) []string {
	var out []string
	for _, c := range statuses {
		if which(c) {
			out = append(out, c.Name)
		}
	}
	return out
}

// evict is what a kubelet writes when it ends a pod to keep its node alive.
func evict(pod *v1.Pod, s v1.PodStatus, now metav1.Time) (v1.PodStatus, []note) {
	first := pod.Spec.Containers[0].Name
	message := said(pod, "", "message", fmt.Sprintf("The node was low on resource: memory. Threshold quantity: 100Mi, available: 61264Ki. Container %s was using 1493840Ki, request is 256Mi, has larger consumption of memory. ", first))
	notes := []note{{kind: v1.EventTypeWarning, reason: "Evicted", message: message}}
	for _, c := range pod.Spec.Containers {
		a := &actor{pod: pod, spec: c, now: now, status: v1.ContainerStatus{Name: c.Name, Image: c.Image}}
		a.started()
		a.note(v1.EventTypeNormal, "Killing", "Stopping container "+c.Name, 1)
		a.status.State.Terminated = &v1.ContainerStateTerminated{ExitCode: 137, Reason: "Error", StartedAt: now, FinishedAt: now, ContainerID: a.id("end")}
		s.ContainerStatuses = append(s.ContainerStatuses, a.status)
		notes = append(notes, a.notes...)
	}
	s.Phase, s.Reason, s.Message = v1.PodFailed, "Evicted", message
	target := v1.PodCondition{Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonTerminationByKubelet, Message: message, LastTransitionTime: now}
	s.Conditions = append([]v1.PodCondition{target}, conditions(s, true, now)...)
	return s, notes
}
