package diagnose_test

import (
	"fmt"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// nodeJSON is node-1, which the tests' pods are on, with these conditions.
func nodeJSON(spec string, conditions ...string) string {
	return key("nodes", fmt.Sprintf(`{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-1","uid":"node-uid-1"},"spec":{%s},"status":{%s}}`, spec, conditionsJSON(conditions...)))
}

func TestNodes(t *testing.T) {
	isReady := cond("Ready", "True", "KubeletReady", "kubelet is posting ready status")
	silent := cond("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
	noCNI := cond("Ready", "False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized")
	full := cond("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")
	roomy := cond("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")
	unknownDisk := cond("DiskPressure", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
	lost := note("Node", "node-1", "Normal", "NodeNotReady", "Node node-1 status is now: NodeNotReady", 10*time.Minute)
	pressed := note("Node", "node-1", "Normal", "NodeHasDiskPressure", "Node node-1 status is now: NodeHasDiskPressure", 10*time.Minute)
	relieved := note("Node", "node-1", "Normal", "NodeHasNoDiskPressure", "Node node-1 status is now: NodeHasNoDiskPressure", time.Minute)
	podLost := note("Pod", apiPod, "Warning", "NodeNotReady", "Node is not ready", time.Minute)
	reclaim := func(what string) string {
		return note("Node", "node-1", "Warning", "EvictionThresholdMet", "Attempting to reclaim "+what, time.Minute)
	}
	ill := []string{oomPod(apiPod)}
	ask := about("Node", "node-1")
	host := diagnose.Question{Family: "node", Target: incident.Target{Host: "node-1"}}
	runDiseases(t, []diseaseCase{
		{name: "silent", ask: ask, cause: "node.not_ready", says: "does not report any more", atLeast: 0.95, doc: sent(nil, nil, nodeJSON("", silent, unknownDisk))},
		{name: "silent, asked about the host", ask: host, cause: "node.not_ready", doc: sent(nil, nil, nodeJSON("", silent))},
		{name: "well, whatever happened before", ask: ask, cause: "healthy", doc: sent(nil, []string{lost, pressed}, nodeJSON("", isReady, roomy))},
		{name: "another node", ask: about("Node", "node-2"), cause: "unknown", doc: sent(nil, nil, nodeJSON("", silent))},
		{name: "cordoned", ask: ask, cause: "healthy", says: "cordoned", doc: sent(nil, nil, nodeJSON(`"unschedulable":true`, isReady))},
		{name: "tainted as unreachable, without a status", ask: ask, cause: "node.not_ready", atMost: 0.8, doc: sent(nil, nil, key("nodes", `{"metadata":{"name":"node-1"},"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}}`))},
		{name: "lost, by its event", ask: ask, cause: "node.not_ready", atMost: 0.65, says: "the node object of node-1", doc: sent(nil, []string{lost})},
		{name: "lost, by a pod's event", cause: "node.not_ready", atMost: 0.65, doc: sent([]string{readyPod(apiPod)}, []string{podLost})},
		{name: "lost, by a pod's event, and back", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, []string{podLost, note("Node", "node-1", "Normal", "NodeReady", "Node node-1 status is now: NodeReady", time.Second)})},
		{name: "lost, by a pod's event, and the node says otherwise", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, []string{podLost}, nodeJSON("", isReady))},
		{name: "no network plugin", ask: ask, cause: "node.network_unavailable", says: "cni plugin not initialized", atLeast: 0.95, doc: sent(nil, nil, nodeJSON("", noCNI))},
		{name: "no route, though ready", ask: ask, cause: "node.network_unavailable", doc: sent(nil, nil, nodeJSON("", isReady, cond("NetworkUnavailable", "True", "NoRouteCreated", "RouteController failed to create a route")))},
		{name: "network in order", ask: ask, cause: "healthy", doc: sent(nil, nil, nodeJSON("", isReady, cond("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node")))},
		{name: "disk pressure", ask: ask, cause: "node.disk_pressure", says: "Attempting to reclaim inodes", atLeast: 0.95, doc: sent(nil, []string{reclaim("inodes")}, nodeJSON("", isReady, full))},
		{name: "disk pressure, by events", ask: ask, cause: "node.disk_pressure", atMost: 0.65, doc: sent(nil, []string{pressed})},
		{name: "disk pressure that ended, by events", ask: ask, cause: "unknown", doc: sent(nil, []string{pressed, relieved})},
		{name: "memory, by what is reclaimed", ask: ask, cause: "node.memory_pressure", atMost: 0.65, doc: sent(nil, []string{reclaim("memory")})},
		{name: "process ids, by what is reclaimed", ask: ask, cause: "node.pid_pressure", atMost: 0.65, doc: sent(nil, []string{reclaim("pids")})},
		{name: "pressure explains the rest", ask: ask, cause: "node.disk_pressure", doc: sent(nil, nil, nodeJSON("", full, cond("Ready", "False", "KubeletNotReady", "container runtime is down")))},
		{name: "pressure under a pod that has a trouble of its own", cause: "pod.oom_killed", container: "app", doc: sent(ill, nil, nodeJSON("", isReady, full))},
		{name: "pressure under a pod that is well", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, nodeJSON("", isReady, full))},
		{name: "pressure under an evicted pod", cause: "node.disk_pressure", says: "DiskPressure=True", doc: sent(one(pod{phase: "Failed", status: `,"reason":"Evicted","message":"The node was low on resource: ephemeral-storage. "`}), nil, nodeJSON("", isReady, full))},
		{name: "a node of another pod", cause: "pod.oom_killed", container: "app", doc: sent(ill, nil, key("nodes", `{"metadata":{"name":"node-9"},"status":{`+conditionsJSON(silent)+`}}`))},
		{name: "a read-only file system", ask: ask, cause: "unknown", says: "ReadonlyFilesystem=True", doc: sent(nil, nil, nodeJSON("", isReady, cond("ReadonlyFilesystem", "True", "FilesystemIsReadOnly", "x")))},
		{name: "a read-only file system under a pod that is well", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, nodeJSON("", isReady, cond("ReadonlyFilesystem", "True", "FilesystemIsReadOnly", "x")))},
		{name: "storage that is not ready", ask: ask, cause: "unknown", says: "StorageReady=False", doc: sent(nil, nil, nodeJSON("", isReady, cond("StorageReady", "False", "x", "y")))},
		{name: "a condition that nobody knows", ask: ask, cause: "healthy", doc: sent(nil, nil, nodeJSON("", isReady, cond("EtcdIsVoter", "True", "MemberNotLearner", "Node is a voting member of the etcd cluster")))},
	})
}

func TestPodsThatWaitForNodes(t *testing.T) {
	waits := func(message string) []string {
		return []string{fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"production","creationTimestamp":%q},"spec":{"containers":[%s]},
 "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":%q}]}}`, apiPod, ago(time.Hour), app(""), message)}
	}
	full := nodeJSON(`"taints":[{"key":"node.kubernetes.io/disk-pressure","effect":"NoSchedule"}]`, cond("Ready", "True", "KubeletReady", ""), cond("DiskPressure", "True", "KubeletHasDiskPressure", ""))
	runDiseases(t, []diseaseCase{
		{name: "because of its pressure", cause: "node.disk_pressure", says: "DiskPressure=True", doc: sent(waits("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. no new claims to deallocate."), nil, full)},
		{name: "for another reason", cause: "pod.unschedulable.taint", doc: sent(waits("0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}."), nil, full)},
		{name: "for room", cause: "pod.unschedulable.insufficient_resources", doc: sent(waits("0/1 nodes are available: 1 Insufficient memory."), nil, full)},
	})
}
