package kube

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// Pods decodes pods. Like its siblings it returns what could be read, and
// Faults for the rest.
func Pods(raw json.RawMessage) ([]corev1.Pod, error) {
	return typed[corev1.Pod](raw, corev1.SchemeGroupVersion.WithKind("Pod"))
}

// Deployments decodes deployments.
func Deployments(raw json.RawMessage) ([]appsv1.Deployment, error) {
	return typed[appsv1.Deployment](raw, appsv1.SchemeGroupVersion.WithKind("Deployment"))
}

// ReplicaSets decodes replica sets.
func ReplicaSets(raw json.RawMessage) ([]appsv1.ReplicaSet, error) {
	return typed[appsv1.ReplicaSet](raw, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
}

// StatefulSets decodes stateful sets.
func StatefulSets(raw json.RawMessage) ([]appsv1.StatefulSet, error) {
	return typed[appsv1.StatefulSet](raw, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))
}

// DaemonSets decodes daemon sets.
func DaemonSets(raw json.RawMessage) ([]appsv1.DaemonSet, error) {
	return typed[appsv1.DaemonSet](raw, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))
}

// Jobs decodes jobs.
func Jobs(raw json.RawMessage) ([]batchv1.Job, error) {
	return typed[batchv1.Job](raw, batchv1.SchemeGroupVersion.WithKind("Job"))
}

// CronJobs decodes cron jobs.
func CronJobs(raw json.RawMessage) ([]batchv1.CronJob, error) {
	return typed[batchv1.CronJob](raw, batchv1.SchemeGroupVersion.WithKind("CronJob"))
}

// Nodes decodes nodes.
func Nodes(raw json.RawMessage) ([]corev1.Node, error) {
	return typed[corev1.Node](raw, corev1.SchemeGroupVersion.WithKind("Node"))
}

// PVCs decodes claims of persistent volumes.
func PVCs(raw json.RawMessage) ([]corev1.PersistentVolumeClaim, error) {
	return typed[corev1.PersistentVolumeClaim](raw, corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"))
}

// HPAs decodes horizontal pod autoscalers, autoscaling/v2.
func HPAs(raw json.RawMessage) ([]autoscalingv2.HorizontalPodAutoscaler, error) {
	return typed[autoscalingv2.HorizontalPodAutoscaler](raw, autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"))
}

// PDBs decodes pod disruption budgets.
func PDBs(raw json.RawMessage) ([]policyv1.PodDisruptionBudget, error) {
	return typed[policyv1.PodDisruptionBudget](raw, policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"))
}

// Quotas decodes resource quotas.
func Quotas(raw json.RawMessage) ([]corev1.ResourceQuota, error) {
	return typed[corev1.ResourceQuota](raw, corev1.SchemeGroupVersion.WithKind("ResourceQuota"))
}

// Events decodes events of both APIs, core/v1 and events.k8s.io/v1, into the
// older shape. Without a kind, an event is taken for core/v1.
func Events(raw json.RawMessage) ([]corev1.Event, error) {
	parts, faults := split(raw)
	want := corev1.SchemeGroupVersion.WithKind("Event")
	out := make([]corev1.Event, 0, len(parts))
	for _, p := range parts {
		obj, detail := decodePart(p.orKind(want), &corev1.Event{})
		switch e := obj.(type) {
		case *corev1.Event:
			out = append(out, *e)
		case *eventsv1.Event:
			out = append(out, coreEvent(e))
		case nil:
			faults = faults.add(p.pointer, detail)
		default:
			faults = faults.add(p.pointer, expected(want, obj.GetObjectKind().GroupVersionKind()))
		}
	}
	return out, faults.orNil()
}

func coreEvent(e *eventsv1.Event) corev1.Event {
	out := corev1.Event{
		TypeMeta:            e.TypeMeta,
		ObjectMeta:          e.ObjectMeta,
		InvolvedObject:      e.Regarding,
		Related:             e.Related,
		Reason:              e.Reason,
		Message:             e.Note,
		Type:                e.Type,
		Action:              e.Action,
		EventTime:           e.EventTime,
		Source:              e.DeprecatedSource,
		FirstTimestamp:      e.DeprecatedFirstTimestamp,
		LastTimestamp:       e.DeprecatedLastTimestamp,
		Count:               e.DeprecatedCount,
		ReportingController: e.ReportingController,
		ReportingInstance:   e.ReportingInstance,
	}
	if e.Series != nil {
		out.Series = &corev1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	return out
}
