package evidence

import (
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Newest is the latest time that the Kubernetes objects and events speak of, zero
// where they speak of none. A report that was kept without the time of its
// observation cannot be older than that.
func (e Evidence) Newest() time.Time {
	var newest time.Time
	note := func(at time.Time) {
		if at.After(newest) {
			newest = at
		}
	}
	for i := range e.Events {
		ev := &e.Events[i]
		note(ev.LastTimestamp.Time)
		note(ev.EventTime.Time)
		note(ev.FirstTimestamp.Time)
		if ev.Series != nil {
			note(ev.Series.LastObservedTime.Time)
		}
	}
	for i := range e.Pods {
		p := &e.Pods[i]
		note(p.CreationTimestamp.Time)
		for _, c := range p.Status.Conditions {
			note(c.LastTransitionTime.Time)
		}
		for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
			for _, s := range list {
				noteState(note, s.State)
				noteState(note, s.LastTerminationState)
			}
		}
	}
	for i := range e.Deployments {
		for _, c := range e.Deployments[i].Status.Conditions {
			note(c.LastUpdateTime.Time)
			note(c.LastTransitionTime.Time)
		}
	}
	for i := range e.Jobs {
		for _, c := range e.Jobs[i].Status.Conditions {
			note(c.LastTransitionTime.Time)
		}
	}
	for i := range e.Nodes {
		for _, c := range e.Nodes[i].Status.Conditions {
			note(c.LastHeartbeatTime.Time)
			note(c.LastTransitionTime.Time)
		}
	}
	return newest
}

func noteState(note func(time.Time), s corev1.ContainerState) {
	if s.Running != nil {
		note(s.Running.StartedAt.Time)
	}
	if s.Terminated != nil {
		note(s.Terminated.StartedAt.Time)
		note(s.Terminated.FinishedAt.Time)
	}
}

// Empty says whether nothing was given: a list without entries is an answer too,
// as of an audit that found nothing.
func (e Evidence) Empty() bool {
	e.ObservedAt, e.Cluster = time.Time{}, ""
	return reflect.ValueOf(e).IsZero()
}
