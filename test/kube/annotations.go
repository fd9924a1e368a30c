package main

import (
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The annotations of a pod that say what its node plays. sim/NAME speaks of the
// pod and its first container, CONTAINER.sim/NAME of that container.
//
//	state                a row of plots, or of the pod: Unschedulable, Evicted, manual
//	pods                 how many pods of one controller play; the others run
//	                     (Evicted: 1, since the controller would make more for ever)
//	needs-memory         a quantity: under a lower memory limit the container is
//	                     OOMKilled in a loop, so that raising the limit heals
//	exit-code, reason    of the container's last end
//	termination-message  what it left behind in its termination log
//	restarts             how often it was started again
//	message              of the state: of a pull, a probe, a mount, a scheduler
//	event-reason         of the event of ContainerCreating (FailedMount, …)
//	log, previous-log    what GET …/log answers
const annotationState = "sim/state"

// said is one annotation, else what is usual.
func said(pod *v1.Pod, container, name, usual string) string {
	if container != "" {
		if value, is := pod.Annotations[container+".sim/"+name]; is {
			return value
		}
		if container != pod.Spec.Containers[0].Name {
			return usual
		}
	}
	if value, is := pod.Annotations["sim/"+name]; is {
		return value
	}
	return usual
}

func saidNumber(pod *v1.Pod, container, name string, usual int32) int32 {
	n, err := strconv.ParseInt(said(pod, container, name, ""), 10, 32)
	if err != nil {
		return usual
	}
	return int32(n)
}

// starved says whether the container's limit is below what it needs.
func starved(pod *v1.Pod, c v1.Container) bool {
	needs, err := resource.ParseQuantity(said(pod, c.Name, "needs-memory", ""))
	limit, limited := c.Resources.Limits[v1.ResourceMemory]
	return err == nil && limited && limit.Cmp(needs) < 0
}

// plays says whether a pod plays its annotations. What was said once holds.
func (n *node) plays(pod *v1.Pod) bool {
	most, err := strconv.Atoi(pod.Annotations["sim/pods"])
	if err != nil && pod.Annotations[annotationState] == "Evicted" {
		most, err = 1, nil
	}
	owner := metav1.GetControllerOf(pod)
	if err != nil || owner == nil {
		return true
	}
	so := n.stricken[owner.UID]
	if so == nil {
		so = map[types.UID]bool{}
		n.stricken[owner.UID] = so
	}
	if !so[pod.UID] && len(so) >= most {
		return false
	}
	so[pod.UID] = true
	return true
}
