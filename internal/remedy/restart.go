package remedy

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
)

// restartTimeout bounds the eviction and the wait for the replacement.
const restartTimeout = 180 * time.Second

// buildRestart evicts the pod that is ill. What replaces it is its controller,
// so that a pod without one is never restarted.
func buildRestart(r Request) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	subject := r.Diagnosis.Subject
	if subject.Kind != "Pod" {
		return plan{}, fmt.Errorf("the diagnosis is about %q, not about a Pod", clip(subject.Kind, 60))
	}
	cluster, err := r.cluster(subject)
	if err != nil {
		return plan{}, err
	}
	pod, err := podOf(r.Evidence, subject)
	if err != nil {
		return plan{}, err
	}
	controller, err := controllerOf(pod)
	if err != nil {
		return plan{}, err
	}
	controller.Cluster = cluster
	uid := string(pod.UID)
	req, err := kube.Eviction(pod.Namespace, pod.Name, uid)
	if err != nil {
		return plan{}, err
	}
	top, path := r.readiness(controller)
	var w *watch
	if path != "" {
		w = &watch{Path: path, Until: "ready", Without: uid}
	}
	return plan{
		target: incident.Target{Cluster: cluster, Namespace: pod.Namespace, Kind: "Pod", Name: pod.Name, UID: uid},
		summary: fmt.Sprintf("Restart pod %s/%s by eviction; %s %s puts a new one in its place.",
			pod.Namespace, pod.Name, controller.Kind, controller.Name),
		timeout:      restartTimeout,
		precondition: podPrecondition{uid},
		verify:       r.verifyReady(top, path),
		execute:      kubernetes(cluster, req, restartTimeout, w),
	}, nil
}

type podPrecondition struct {
	PodUID string `json:"pod_uid"`
}

// podOf finds the subject's pod in the evidence; another pod of that name is
// another pod.
func podOf(ev evidence.Evidence, subject incident.Target) (*corev1.Pod, error) {
	for i := range ev.Pods {
		pod := &ev.Pods[i]
		if pod.Namespace != subject.Namespace || pod.Name != subject.Name {
			continue
		}
		switch {
		case pod.UID == "":
			return nil, fmt.Errorf("the evidence holds no UID of pod %s", pod.Name)
		case subject.UID != "" && subject.UID != string(pod.UID):
			return nil, fmt.Errorf("the evidence holds another pod of the name %s: its UID is %s, the diagnosis is about %s",
				pod.Name, clip(string(pod.UID), 60), clip(subject.UID, 60))
		case pod.DeletionTimestamp != nil:
			return nil, fmt.Errorf("pod %s is being deleted already", pod.Name)
		}
		return pod, nil
	}
	return nil, fmt.Errorf("the evidence does not hold pod %s", clip(subject.String(), 200))
}

// controllerOf is what will replace the pod. A Node owns static pods, and does
// not replace them when they are evicted.
func controllerOf(pod *corev1.Pod) (incident.Target, error) {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil || ref.Kind == "Node" {
		return incident.Target{}, fmt.Errorf("pod %s has no controller that would replace it: never without a controller", clip(pod.Name, 253))
	}
	if err := kube.CheckKind(ref.Kind); err != nil {
		return incident.Target{}, fmt.Errorf("controller of pod %s: %w", clip(pod.Name, 253), err)
	}
	if err := kube.CheckSubdomain(ref.Kind+" name", ref.Name); err != nil {
		return incident.Target{}, fmt.Errorf("controller of pod %s: %w", clip(pod.Name, 253), err)
	}
	return incident.Target{Namespace: pod.Namespace, Kind: ref.Kind, Name: ref.Name, UID: string(ref.UID)}, nil
}

// readiness says whose pods show that a restart helped, and the path to look
// at: of the top controller where it has one, else of the nearest. Its pods are
// looked at where its selector is known, else the controller itself. The path of
// a controller of another make is empty.
func (r Request) readiness(nearest incident.Target) (incident.Target, string) {
	for _, t := range []incident.Target{r.Diagnosis.Owner, nearest} {
		object, err := kube.ObjectPath(t.Kind, t.Namespace, t.Name)
		if err != nil {
			continue
		}
		if pods, err := kube.PodsPath(t.Namespace, diagnose.Selector(r.Evidence, t), maxPods); err == nil {
			return t, pods
		}
		return t, object
	}
	return nearest, ""
}
