package remedy

import (
	"fmt"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
)

// What one read may bring at most: evidence is bounded at 5 MiB an incident.
const (
	maxPods            = 50
	maxNamespacePods   = 150
	maxObjects         = 50
	maxObjectEvents    = 100
	maxNamespaceEvents = 250
	maxLogLines        = 300
	maxLogBytes        = 1 << 20 // a kubelet counts it from the first of these lines: it must not cut off the last
)

const followOwners = "owners"

// readPod reads a pod, what owns it and its events. Where the target is a
// controller, or the pod may be gone, it reads the controller's pods of today; of a
// namespace all pods, up to a bound.
func readPod(r Request, target incident.Target) ([]read, error) {
	if target.Kind == "Namespace" {
		return namespacePods(target.Name)
	}
	if target.Kind != "Pod" {
		return ownerReads(r.Evidence, target)
	}
	requests, err := podReads(target)
	if err != nil {
		return nil, err
	}
	if owner := r.Diagnosis.Owner; owner.Kind != "Pod" && owner.Namespace == target.Namespace {
		// An owner that cannot be read is no reason not to read the pod.
		if more, err := ownerReads(r.Evidence, owner); err == nil {
			requests = append(requests, more...)
		}
	}
	return requests, nil
}

func namespacePods(namespace string) ([]read, error) {
	list, err := kube.ListPath("Pod", namespace, maxNamespacePods)
	if err != nil {
		return nil, err
	}
	events, err := paths(eventsOfAll("Pod", namespace))
	return append([]read{{EvidenceKey: "pods", Path: list, Follow: followOwners}}, events...), err
}

func podReads(pod incident.Target) ([]read, error) {
	return paths(
		object("Pod", pod.Namespace, pod.Name, followOwners),
		eventsOf("Pod", pod.Namespace, pod.Name),
	)
}

// ownerReads reads a controller and, once its selector is known, its pods. The
// names of those pods are not known, so that the events of all pods of the
// namespace are asked for, within bounds.
func ownerReads(ev evidence.Evidence, owner incident.Target) ([]read, error) {
	if _, err := kube.EvidenceKey(owner.Kind); err != nil {
		return nil, fmt.Errorf("nothing to collect: %w", err)
	}
	requests, err := paths(object(owner.Kind, owner.Namespace, owner.Name, followOwners))
	if err != nil {
		return nil, err
	}
	if pods, err := kube.PodsPath(owner.Namespace, diagnose.Selector(ev, owner), maxPods); err == nil {
		requests = append(requests, read{EvidenceKey: "pods", Path: pods, Follow: followOwners})
	}
	events, err := paths(eventsOf(owner.Kind, owner.Namespace, owner.Name), eventsOfAll("Pod", owner.Namespace))
	return append(requests, events...), err
}

// aroundWorkload are the kinds that stop a controller from having its pods.
var aroundWorkload = []string{"ReplicaSet", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "PersistentVolumeClaim"}

// readWorkload reads a controller, an autoscaler, a budget, a quota, a claim or a
// whole namespace, and what stands around it. Of what stands around, what may not
// be read is left out.
func readWorkload(r Request, target incident.Target) ([]read, error) {
	namespace := target.Namespace
	var requests []read
	var err error
	switch target.Kind {
	case "Namespace":
		namespace = target.Name
		requests, err = paths(listOf("Deployment", namespace))
	case "Pod":
		requests, err = readPod(r, target)
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob":
		requests, err = ownerReads(r.Evidence, target)
	default:
		requests, err = paths(object(target.Kind, namespace, target.Name, ""), eventsOf(target.Kind, namespace, target.Name))
	}
	if err != nil {
		return nil, err
	}
	for _, kind := range aroundWorkload {
		more, err := paths(listOf(kind, namespace))
		if err != nil {
			return nil, err
		}
		more[0].Optional = true
		requests = append(requests, more...)
	}
	events, err := paths(eventsOfAll("ReplicaSet", namespace))
	return append(requests, events...), err
}

func readNode(_ Request, target incident.Target) ([]read, error) {
	return paths(object("Node", "", target.Name, ""), eventsOf("Node", "", target.Name))
}

func readGitOps(_ Request, target incident.Target) ([]read, error) {
	return paths(object(target.Kind, target.Namespace, target.Name, ""))
}

// readLogs reads both lives of a container. A container that never ran has no
// previous log, and one that waits may have no current one.
func readLogs(r Request, target incident.Target) ([]read, error) {
	container := target.Container
	if container == "" {
		container = r.Diagnosis.Container
	}
	var requests []read
	for _, previous := range []bool{true, false} {
		path, err := kube.LogPath(target.Namespace, target.Name, container, previous, maxLogLines, maxLogBytes)
		if err != nil {
			return nil, err
		}
		requests = append(requests, read{
			EvidenceKey: "logs", Path: path, Pod: target.Name, Container: container, Previous: previous, Optional: true,
		})
	}
	return requests, nil
}

// metricsReads reads what the metrics API says of pods or a node, beside the
// objects whose limits tell what that means.
func metricsReads(r Request, target incident.Target) ([]read, error) {
	requests, err := readPod(r, target)
	if target.Kind == "Node" {
		requests, err = readNode(r, target)
	}
	if err != nil || target.Kind != "Node" && target.Kind != "Pod" {
		return requests, err
	}
	path, err := kube.MetricsPath(target.Kind, target.Namespace, target.Name)
	return append(requests, read{EvidenceKey: "usage", Path: path, Optional: true}), err
}

// pathOf makes one read, or says why its path cannot be built.
type pathOf func() (read, error)

func paths(of ...pathOf) ([]read, error) {
	requests := make([]read, 0, len(of)+4)
	for _, one := range of {
		request, err := one()
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func object(kind, namespace, name, follow string) pathOf {
	return func() (read, error) {
		path, err := kube.ObjectPath(kind, namespace, name)
		if err != nil {
			return read{}, err
		}
		key, err := kube.EvidenceKey(kind)
		return read{EvidenceKey: key, Path: path, Follow: follow}, err
	}
}

func listOf(kind, namespace string) pathOf {
	return func() (read, error) {
		path, err := kube.ListPath(kind, namespace, maxObjects)
		if err != nil {
			return read{}, err
		}
		key, err := kube.EvidenceKey(kind)
		return read{EvidenceKey: key, Path: path}, err
	}
}

func eventsOf(kind, namespace, name string) pathOf {
	return func() (read, error) {
		path, err := kube.ObjectEventsPath(kind, namespace, name, maxObjectEvents)
		return read{EvidenceKey: "events", Path: path}, err
	}
}

func eventsOfAll(kind, namespace string) pathOf {
	return func() (read, error) {
		path, err := kube.KindEventsPath(kind, namespace, maxNamespaceEvents)
		return read{EvidenceKey: "events", Path: path}, err
	}
}
