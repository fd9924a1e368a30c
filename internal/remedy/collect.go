package remedy

import (
	"fmt"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
)

const collectTimeout = 30 * time.Second

// What one read may bring at most: evidence is bounded at 5 MiB an incident.
const (
	maxPods            = 50
	maxObjectEvents    = 100
	maxNamespaceEvents = 250
)

const followOwners = "owners"

// buildCollectPod reads a pod, what owns it and its events. Where the target is
// a controller, or the pod may be gone, it reads the controller's pods of today.
func buildCollectPod(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	cluster, err := r.cluster(r.Target)
	if err != nil {
		return plan{}, err
	}
	requests, err := r.reads()
	if err != nil {
		return plan{}, err
	}
	target := r.Target
	target.Cluster = cluster
	return plan{
		target: target,
		summary: "Read " + target.Kind + " " + target.Namespace + "/" + target.Name +
			", its owners, pods and events; nothing is changed.",
		timeout: collectTimeout,
		execute: collectShape{"collect", cluster, requests, int(collectTimeout / time.Second)},
	}, nil
}

func (r Request) reads() ([]read, error) {
	if r.Target.Kind != "Pod" {
		return ownerReads(r.Evidence, r.Target)
	}
	requests, err := podReads(r.Target)
	if err != nil {
		return nil, err
	}
	if owner := r.Diagnosis.Owner; owner.Kind != "Pod" && owner.Namespace == r.Target.Namespace {
		// An owner that cannot be read is no reason not to read the pod.
		if more, err := ownerReads(r.Evidence, owner); err == nil {
			requests = append(requests, more...)
		}
	}
	return requests, nil
}

func podReads(pod incident.Target) ([]read, error) {
	path, err := kube.ObjectPath("Pod", pod.Namespace, pod.Name)
	if err != nil {
		return nil, err
	}
	events, err := kube.ObjectEventsPath("Pod", pod.Namespace, pod.Name, maxObjectEvents)
	if err != nil {
		return nil, err
	}
	return []read{
		{EvidenceKey: "pods", Path: path, Follow: followOwners},
		{EvidenceKey: "events", Path: events},
	}, nil
}

// ownerReads reads a controller and, once its selector is known, its pods. The
// names of those pods are not known, so that the events of all pods of the
// namespace are asked for, within bounds.
func ownerReads(ev evidence.Evidence, owner incident.Target) ([]read, error) {
	key, err := kube.EvidenceKey(owner.Kind)
	if err != nil {
		return nil, fmt.Errorf("nothing to collect: %w", err)
	}
	path, err := kube.ObjectPath(owner.Kind, owner.Namespace, owner.Name)
	if err != nil {
		return nil, err
	}
	own, err := kube.ObjectEventsPath(owner.Kind, owner.Namespace, owner.Name, maxObjectEvents)
	if err != nil {
		return nil, err
	}
	all, err := kube.KindEventsPath("Pod", owner.Namespace, maxNamespaceEvents)
	if err != nil {
		return nil, err
	}
	requests := []read{{EvidenceKey: key, Path: path, Follow: followOwners}}
	if pods, err := kube.PodsPath(owner.Namespace, diagnose.Selector(ev, owner), maxPods); err == nil {
		requests = append(requests, read{EvidenceKey: "pods", Path: pods, Follow: followOwners})
	}
	return append(requests, read{EvidenceKey: "events", Path: own}, read{EvidenceKey: "events", Path: all}), nil
}
