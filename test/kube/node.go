package main

import (
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const nodeName = "sim-0"

// node is scheduler and kubelet in one. It binds every pod to itself, writes
// its status once, as its annotations say, and ends what is to be deleted.
// One goroutine does all that.
type node struct {
	client kubernetes.Interface
	pods   corelisters.PodLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]
	// stricken are the pods that play their annotations, by controller, where
	// sim/pods says that only so many of them do.
	stricken map[types.UID]map[types.UID]bool
}

func startNode(ctx context.Context, c kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(c, 0)
	informer := factory.Core().V1().Pods()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](20*time.Millisecond, 2*time.Second)
	n := &node{client: c, pods: informer.Lister(), queue: workqueue.NewTypedRateLimitingQueue(limiter), stricken: map[types.UID]map[types.UID]bool{}}
	port, err := serveLogs(ctx, n.pods)
	if err != nil {
		return err
	}
	if err := register(ctx, c, int32(port)); err != nil {
		return err
	}
	add := func(o any) {
		if key, err := cache.ObjectToName(o); err == nil {
			n.queue.Add(key)
		}
	}
	_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, o any) { add(o) }})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	context.AfterFunc(ctx, n.queue.ShutDown)
	go func() {
		for n.next(ctx) {
		}
	}()
	return nil
}

func (n *node) next(ctx context.Context) bool {
	key, ended := n.queue.Get()
	if ended {
		return false
	}
	defer n.queue.Done(key)
	pod, err := n.pods.Pods(key.Namespace).Get(key.Name)
	if err == nil {
		err = n.sync(ctx, pod.DeepCopy())
	}
	if err == nil || apierrors.IsNotFound(err) {
		n.queue.Forget(key)
	} else {
		n.queue.AddRateLimited(key)
	}
	return true
}

func (n *node) sync(ctx context.Context, pod *v1.Pod) error {
	state := pod.Annotations[annotationState]
	switch {
	case pod.DeletionTimestamp != nil:
		return n.end(ctx, pod)
	case state == "Unschedulable" && n.plays(pod):
		return n.refuse(ctx, pod)
	case len(pod.Spec.SchedulingGates) > 0:
		return nil
	case pod.Spec.NodeName == "":
		return n.bind(ctx, pod)
	case pod.Spec.NodeName != nodeName || state == "manual" || len(pod.Status.ContainerStatuses) > 0:
		return nil // another's, a test's, or written already
	default:
		return n.run(ctx, pod)
	}
}

// end finishes a deletion as a kubelet does when the containers have stopped.
func (n *node) end(ctx context.Context, pod *v1.Pod) error {
	now := int64(0)
	return n.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
}

func (n *node) bind(ctx context.Context, pod *v1.Pod) error {
	if err := n.write(ctx, pod, []note{scheduled(pod)}); err != nil {
		return err
	}
	return n.client.CoreV1().Pods(pod.Namespace).Bind(ctx, &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID}, Target: v1.ObjectReference{Kind: "Node", Name: nodeName},
	}, metav1.CreateOptions{})
}

// refuse is what a scheduler says when no node fits.
func (n *node) refuse(ctx context.Context, pod *v1.Pod) error {
	for _, c := range pod.Status.Conditions {
		if c.Type == v1.PodScheduled {
			return nil // said already
		}
	}
	message := said(pod, "", "message", "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")
	if err := n.write(ctx, pod, []note{{kind: v1.EventTypeWarning, reason: "FailedScheduling", message: message, scheduler: true}}); err != nil {
		return err
	}
	pod.Status.Conditions = append(pod.Status.Conditions, v1.PodCondition{
		Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: v1.PodReasonUnschedulable, Message: message, LastTransitionTime: metav1.Now(),
	})
	_, err := n.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}

// run writes events before the status: whoever sees the status finds them.
func (n *node) run(ctx context.Context, pod *v1.Pod) error {
	if !n.plays(pod) {
		pod.Annotations = nil
	}
	status, notes := play(pod, metav1.Now())
	if err := n.write(ctx, pod, notes); err != nil {
		return err
	}
	fresh, err := n.client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	status.Conditions = append(status.Conditions, fresh.Status.Conditions...) // PodScheduled, by the API server
	status.QOSClass, status.ObservedGeneration = fresh.Status.QOSClass, fresh.Generation
	fresh.Status = status
	_, err = n.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, fresh, metav1.UpdateOptions{})
	return err
}

func register(ctx context.Context, c kubernetes.Interface, logPort int32) error {
	n, err := c.CoreV1().Nodes().Create(ctx, &v1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: nodeName, Labels: map[string]string{"kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	n.Spec.Taints = nil // admission has tainted it as not ready
	if n, err = c.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{}); err != nil {
		return err
	}
	n.Status = nodeStatus(logPort)
	_, err = c.CoreV1().Nodes().UpdateStatus(ctx, n, metav1.UpdateOptions{})
	return err
}

func nodeStatus(logPort int32) v1.NodeStatus {
	now := metav1.Now()
	room := v1.ResourceList{"cpu": resource.MustParse("16"), "memory": resource.MustParse("64Gi"), "pods": resource.MustParse("500"), "ephemeral-storage": resource.MustParse("200Gi")}
	condition := func(t v1.NodeConditionType, s v1.ConditionStatus, reason, message string) v1.NodeCondition {
		return v1.NodeCondition{Type: t, Status: s, Reason: reason, Message: message, LastHeartbeatTime: now, LastTransitionTime: now}
	}
	return v1.NodeStatus{
		Capacity: room, Allocatable: room,
		Conditions: []v1.NodeCondition{
			condition(v1.NodeMemoryPressure, v1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
			condition(v1.NodeDiskPressure, v1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
			condition(v1.NodePIDPressure, v1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
			condition(v1.NodeReady, v1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"),
		},
		Addresses:       []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: "127.0.0.1"}, {Type: v1.NodeHostName, Address: nodeName}},
		DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: logPort}},
		NodeInfo:        v1.NodeSystemInfo{KubeletVersion: "v1.37.2", ContainerRuntimeVersion: "containerd://2.1.4", OperatingSystem: "linux", Architecture: "amd64", KernelVersion: "6.12.0", OSImage: "simulated"},
	}
}

// waitDefaults waits for what every test needs: a service account in the
// default namespace, without which no pod is admitted.
func waitDefaults(ctx context.Context, c kubernetes.Interface) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := c.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
}
