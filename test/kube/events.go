package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// note is one event that a kubelet or a scheduler would write about a pod.
type note struct {
	kind, reason, message string
	container             string // with init true, of an init container
	init                  bool
	count                 int32 // how often it was seen; 0 is once
	scheduler             bool
}

func scheduled(pod *v1.Pod) note {
	return note{
		kind: v1.EventTypeNormal, reason: "Scheduled", scheduler: true,
		message: fmt.Sprintf("Successfully assigned %s/%s to %s", pod.Namespace, pod.Name, nodeName),
	}
}

// write writes notes once: their names depend on what they say, so that a
// second try finds them there.
func (n *node) write(ctx context.Context, pod *v1.Pod, notes []note) error {
	for i, note := range notes {
		_, err := n.client.CoreV1().Events(pod.Namespace).Create(ctx, note.event(pod, i), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

func (n note) event(pod *v1.Pod, i int) *v1.Event {
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s", pod.UID, i, n.reason, n.message))
	e := &v1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: fmt.Sprintf("%.200s.%x", pod.Name, id[:8])},
		InvolvedObject: v1.ObjectReference{
			Kind: "Pod", APIVersion: "v1", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, FieldPath: n.fieldPath(),
		},
		Type: n.kind, Reason: n.reason, Message: n.message,
	}
	if n.scheduler {
		// The scheduler uses the newer events API, which leaves the old times empty.
		e.EventTime, e.Action = metav1.NowMicro(), "Binding"
		e.ReportingController, e.ReportingInstance = "default-scheduler", "default-scheduler-"+nodeName
		if n.reason == "FailedScheduling" {
			e.Action = "Scheduling"
		}
		return e
	}
	e.FirstTimestamp, e.LastTimestamp, e.Count = metav1.Now(), metav1.Now(), max(n.count, 1)
	e.Source = v1.EventSource{Component: "kubelet", Host: nodeName}
	e.ReportingController, e.ReportingInstance = "kubelet", nodeName
	return e
}

func (n note) fieldPath() string {
	switch {
	case n.container == "":
		return ""
	case n.init:
		return "spec.initContainers{" + n.container + "}"
	default:
		return "spec.containers{" + n.container + "}"
	}
}
