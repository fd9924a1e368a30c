package diagnose_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
)

const (
	mounts  = "pod.volume_failed"
	sandbox = "pod.sandbox_failed"
	evicted = "pod.evicted"
)

func quoteJSON(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// creating is a pod on its node none of whose containers was made.
func creating() []string {
	return one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}})
}

// TestSetupWords holds what kubelet, the attach-detach controller, CSI drivers and
// network plugins say of pods that wait in ContainerCreating.
func TestSetupWords(t *testing.T) {
	const late = `Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data kube-api-access-x]: timed out waiting for the condition`
	const network = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "9e59": `
	var cases []diseaseCase
	for _, c := range []struct{ name, reason, message, cause, says string }{
		{"secret", "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found`, config, "secret web-tls does not exist"},
		{"secret, 1.7", "FailedMount", `MountVolume.SetUp failed for volume "kubernetes.io/secret/1-tls" (spec.Name: "tls") pod "1" (UID: "1") with: secrets "web-tls" not found`, config, "secret web-tls does not exist"},
		{"key", "FailedMount", `MountVolume.SetUp failed for volume "cfg" : configmap references non-existent config key: app.yaml`, config, ""},
		{"projected", "FailedMount", `MountVolume.SetUp failed for volume "all" : [configmap "a" not found, secret "b" not found]`, config, ""},
		{"kubelet's cache", "FailedMount", `MountVolume.SetUp failed for volume "cfg" : failed to sync configmap cache: timed out waiting for the condition`, "unknown", ""},
		{"kubelet forgot it", "FailedMount", `MountVolume.SetUp failed for volume "kube-api-access-x" : object "production"/"kube-root-ca.crt" not registered`, "unknown", ""},
		{"late", "FailedMount", late, mounts, "the first FailedMount"},
		{"attached elsewhere", "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another`, mounts, "still attached to another node"},
		{"used by pods", "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) api-0`, mounts, ""},
		{"driver missing", "FailedMount", `MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers`, mounts, "CSI driver does not run"},
		{"late, 1.14", "FailedMount", `Unable to mount volumes for pod "api_production(1)": timeout expired waiting for volumes to attach or mount for pod "production"/"api". list of unmounted volumes=[data]`, mounts, "the first FailedMount"},
		{"nfs helper, old", "FailedMount", `MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 mount: wrong fs type, bad option, bad superblock on 10.0.0.9:/export, missing codepage or helper program, or other error (for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program)`, mounts, "helper program"},
		{"nfs refuses", "FailedMount", `MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 Output: mount.nfs: access denied by server while mounting 10.0.0.9:/export`, mounts, "refuses access"},
		{"nfs helper", "FailedMount", `MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 Output: mount: /var/lib/kubelet/pods/1: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.`, mounts, "helper program"},
		{"wrong type", "FailedMount", `MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Internal desc = mount failed: exit status 32: wrong fs type, bad option, bad superblock on /dev/sdb`, mounts, ""},
		{"hostPath", "FailedMount", `MountVolume.SetUp failed for volume "sock" : hostPath type check failed: /var/run/docker.sock is not a socket file`, mounts, "hostPath"},
		{"cloud refuses", "FailedAttachVolume", `AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = Internal desc = UnauthorizedOperation: You are not authorized to perform this operation.`, mounts, "cloud refuses"},
		{"volume gone", "FailedAttachVolume", `AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = NotFound desc = Volume "vol-1" not found`, mounts, "does not know the volume"},
		{"raw device", "FailedMapVolume", `MapVolume.SetUpDevice failed for volume "pvc-1" : rpc error: code = DeadlineExceeded desc = context deadline exceeded`, mounts, ""},
		{"no reason", "FailedMount", "MountVolume.SetUp failed", mounts, ""},
		{"no addresses, AWS", "FailedCreatePodSandBox", `Failed create pod sandbox: rpc error: code = Unknown desc = failed to set up sandbox container "9e59" network for pod "api": NetworkPlugin cni failed to set up pod "api_production" network: add cmd: failed to assign an IP address to container`, sandbox, "no free IP address"},
		{"no addresses, host-local", "FailedCreatePodSandBox", network + `failed to allocate for range 0: no IP addresses available in range set: 10.60.28.1-10.60.28.254`, sandbox, "no free IP address"},
		{"calico", "FailedCreatePodSandBox", network + `plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/`, sandbox, "calico-node has not started"},
		{"flannel", "FailedCreatePodSandBox", network + `plugin type="flannel" failed (add): open /run/flannel/subnet.env: no such file or directory`, sandbox, "flannel has not started"},
		{"plugin missing", "FailedCreatePodSandBox", network + `plugin type="weave-net" failed (add): failed to find plugin "weave-net" in path [/opt/cni/bin]`, sandbox, "not installed"},
		{"network not ready", "NetworkNotReady", `network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized`, "node.network_unavailable", "not initialized"},
		{"runtime class", "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "kata" is configured`, sandbox, "RuntimeClass"},
		{"pause image", "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image "registry.k8s.io/pause:3.9": dial tcp: i/o timeout`, sandbox, "(pause)"},
		{"runtime is slow", "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded`, sandbox, "in time"},
		{"host port", "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to add hostport mapping for sandbox k8s_api(9e59): cannot open hostport 80 for pod k8s_api_production: listen tcp4 :80: bind: address already in use`, ports, "in use"},
		{"full disk", "FailedCreatePodSandBox", `Failed to create pod sandbox: open /run/systemd/resolve/resolv.conf: write /var/lib/containerd/x: no space left on device`, "node.disk_pressure", ""},
		{"other words", "FailedCreatePodSandBox", `Failed to create pod sandbox: it is broken`, sandbox, ""},
		{"an old sandbox cannot be taken down", "FailedKillPod", `error killing pod: failed to "KillPodSandbox" for "1" with KillPodSandboxError: "networkPlugin cni failed to teardown pod"`, "unknown", ""},
	} {
		cases = append(cases, diseaseCase{name: c.name, cause: c.cause, says: c.says, doc: sent(creating(), []string{warn("", c.reason, c.message, 9, time.Minute)})},
			diseaseCase{name: c.name + ", events only", ask: diagnose.Question{Family: "pod"}, cause: c.cause, says: c.says, atMost: 0.7, doc: sent(nil, []string{warn("", c.reason, c.message, 9, time.Minute)})})
		if c.cause == "unknown" {
			continue
		}
		ready := one(pod{statuses: []string{st("app", true, 0, running(10*time.Minute), "")}})
		cases = append(cases, diseaseCase{name: c.name + ", before the pod ran", cause: "healthy", doc: sent(ready, []string{warn("", c.reason, c.message, 9, 12*time.Minute)})},
			diseaseCase{name: c.name + ", while the pod runs", cause: "healthy", doc: sent(ready, []string{warn("", c.reason, c.message, 9, time.Minute)})})
	}
	runDiseases(t, cases)
}

func TestSetup(t *testing.T) {
	const late = `Unable to attach or mount volumes: unmounted volumes=[data]: timed out waiting for the condition`
	const multi = `Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can't be attached to another`
	secret := warn("", "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found`, 9, 90*time.Second)
	runDiseases(t, []diseaseCase{
		{name: "the time-out is not the reason", cause: mounts, says: "still attached", doc: sent(creating(), []string{warn("", "FailedAttachVolume", multi, 1, 20*time.Minute), warn("", "FailedMount", late, 9, time.Minute)})},
		{name: "what is missing comes before what is late", cause: config, doc: sent(creating(), []string{secret, warn("", "FailedMount", late, 9, time.Minute)})},
		{name: "a secret that was missing half an hour ago is there", cause: mounts,
			doc: sent(creating(), []string{warn("", "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found`, 9, 30*time.Minute), warn("", "FailedMount", late, 9, time.Minute)})},
		{name: "attached at last", cause: "unknown", doc: sent(creating(), []string{warn("", "FailedAttachVolume", multi, 1, 20*time.Minute), event("", "Normal", "SuccessfulAttachVolume", `AttachVolume.Attach succeeded for volume "pvc-1"`, 1, time.Minute)})},
		{name: "another volume was attached", cause: mounts, doc: sent(creating(), []string{warn("", "FailedAttachVolume", multi, 1, 20*time.Minute), event("", "Normal", "SuccessfulAttachVolume", `AttachVolume.Attach succeeded for volume "pvc-2"`, 1, time.Minute)})},
		{name: "the network comes after the volumes", cause: sandbox, doc: sent(creating(), []string{warn("", "FailedMount", late, 1, 20*time.Minute), warn("", "FailedCreatePodSandBox", "cni failed", 9, time.Minute)})},
		{name: "the network comes after the secret that was mounted at last", cause: sandbox, doc: sent(creating(), []string{
			warn("", "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found`, 9, 5*time.Minute), warn("", "FailedCreatePodSandBox", "cni failed", 9, time.Minute)})},
		{name: "a sandbox was made after all", cause: "unknown", doc: sent(creating(), []string{warn("", "FailedCreatePodSandBox", "cni failed", 9, 20*time.Minute), event("app", "Normal", "Pulling", `Pulling image "x"`, 1, 19*time.Minute)})},
		{name: "one failure may pass", cause: sandbox, atMost: 0.8, doc: sent(creating(), []string{warn("", "FailedCreatePodSandBox", "cni failed", 1, time.Minute)})},
		{name: "the claim is lost", cause: mounts, says: "claim data is Lost",
			doc: sent(one(pod{phase: "Pending", spec: `,"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data"}}]`, statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}}),
				[]string{warn("", "FailedMount", late, 9, time.Minute)},
				`"pvcs":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"production"},"spec":{},"status":{"phase":"Lost"}}]`)},
		{name: "a volume that could not grow", cause: mounts, says: "made larger", doc: sent(one(pod{statuses: []string{st("app", true, 0, running(time.Hour), "")}}), []string{warn("", "VolumeResizeFailed", "NodeExpandVolume.NodeExpandVolume failed", 3, time.Minute)})},
		{name: "a volume that grew at last", cause: "healthy", doc: sent(one(pod{statuses: []string{st("app", true, 0, running(time.Hour), "")}}), []string{
			warn("", "VolumeResizeFailed", "NodeExpandVolume failed", 3, 5*time.Minute), event("", "Normal", "FileSystemResizeSuccessful", "MountVolume.NodeExpandVolume succeeded", 1, time.Minute)})},
	})
}

func TestEvictions(t *testing.T) {
	failed := func(reason, message string) string {
		return sent(one(pod{phase: "Failed", status: `,"reason":"` + reason + `","message":` + quoteJSON(message)}), []string{})
	}
	disrupted := func(phase, reason string) string {
		return sent(one(pod{phase: phase, statuses: []string{st("app", phase == "Running", 0, running(time.Hour), "")},
			status: `,"conditions":[{"type":"DisruptionTarget","status":"True","reason":"` + reason + `","message":"why"}]`}), nil)
	}
	runDiseases(t, []diseaseCase{
		{name: "memory of the node", cause: evicted, atLeast: 0.95, says: "the node was low on memory", other: "node.memory_pressure",
			doc: failed("Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Mi. Container app was using 1500Mi, request is 200Mi, has larger consumption of memory.")},
		{name: "disk of the node", cause: evicted, says: "low on ephemeral storage", other: "node.disk_pressure", doc: failed("Evicted", "The node was low on resource: ephemeral-storage. Container app was using 34260Ki, which exceeds its request of 0.")},
		{name: "the pod's own limit is none of the node's", cause: evicted, says: "more ephemeral storage than its limits", doc: failed("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi.")},
		{name: "an emptyDir", cause: evicted, says: "emptyDir", doc: failed("Evicted", `Usage of EmptyDir volume "cache" exceeds the limit "1Gi".`)},
		{name: "at the door of a node under pressure", cause: evicted, other: "node.disk_pressure", doc: failed("Evicted", "Pod The node had condition: [DiskPressure].")},
		{name: "shutdown", cause: evicted, says: "shutting down", doc: failed("Terminated", "Pod was terminated in response to imminent node shutdown.")},
		{name: "preempted by the scheduler", cause: evicted, says: "higher priority", doc: disrupted("Failed", "PreemptionByScheduler")},
		{name: "a disruption that did not come", cause: "healthy", doc: disrupted("Running", "EvictionByEvictionAPI")},
		{name: "node lost", cause: "node.not_ready", doc: failed("NodeLost", "Node node-1 which was running pod api is unresponsive")},
		{name: "no CPU on the node", cause: resources, says: "requested: 150", doc: failed("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 150, used: 11388, capacity: 11500")},
		{name: "too many pods on the node", cause: tooMany, doc: failed("OutOfpods", "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110")},
		{name: "no GPU on the node", cause: resources, atMost: 0.8, doc: failed("UnexpectedAdmissionError", "Pod Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected")},
		{name: "no pod to preempt", cause: tooMany, doc: failed("UnexpectedAdmissionError", "Pod Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: pods, q: 1), ]")},
		{name: "a broken device plugin", cause: created, doc: failed("UnexpectedAdmissionError", "Pod Allocate failed due to rpc error: code = Unavailable desc = error reading from server: EOF, which is unexpected")},
		{name: "labels changed", cause: affinity, doc: failed("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")},
		{name: "host port", cause: ports, doc: failed("NodePorts", "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports")},
		{name: "an evicted pod's container is none that fails", cause: evicted, doc: sent(one(pod{phase: "Failed", status: `,"reason":"Evicted","message":"The node was low on resource: memory."`,
			statuses: []string{st("app", false, 0, ended("Error", 1, time.Minute), "")}}), nil)},
	})
}

// TestGhosts asks about pods of which only events are known.
func TestGhosts(t *testing.T) {
	anything := diagnose.Question{Family: "pod"}
	pull := func(age time.Duration) string {
		return warn("app", "Failed", `Failed to pull image "shop/app:9": manifest unknown`, 3, age)
	}
	elsewhere := strings.ReplaceAll(readyPod("worker-1"), `"namespace":"production"`, `"namespace":"batch"`)
	runDiseases(t, []diseaseCase{
		{name: "an open question", ask: anything, cause: "pod.image_not_found", container: "app", atMost: 0.7, says: "shop/app:9", doc: sent(nil, []string{pull(time.Minute)})},
		{name: "a question about the pod", cause: "pod.image_not_found", container: "app", doc: sent(nil, []string{pull(time.Minute)})},
		{name: "a question about its deployment", ask: aboutDeployment(), cause: "pod.image_not_found", container: "app", doc: sent(nil, []string{pull(time.Minute)})},
		{name: "a question about another pod", ask: aboutPod("api-gateway-7d9f5b8c6-aaaaa"), cause: "unknown", doc: sent(nil, []string{pull(time.Minute)})},
		{name: "pods of another namespace do not hide it", cause: "pod.image_not_found", container: "app", doc: sent([]string{elsewhere}, []string{pull(time.Minute)})},
		{name: "where the pods were listed, it is gone", ask: anything, cause: "healthy", doc: sent([]string{readyPod("api-gateway-7d9f5b8c6-aaaaa")}, []string{pull(time.Minute)})},
		{name: "where pods of its namespace were listed, the one that was asked about is gone", cause: "unknown", says: "the pod JSON of",
			doc: sent(one(pod{name: "stranger", owner: "none", labels: `,"app":"other"`, statuses: []string{st("app", true, 0, running(time.Hour), "")}}), []string{pull(time.Minute)})},
		{name: "where no pods were found, it is gone", ask: anything, cause: "unknown", says: "namespace, kind and name", doc: sent([]string{}, []string{pull(time.Minute)})},
		{name: "it started at last", ask: anything, cause: "unknown", says: "namespace, kind and name", doc: sent(nil, []string{pull(5 * time.Minute), event("app", "Normal", "Started", "Started container app", 1, time.Minute)})},
		{name: "it was pulled at last", ask: anything, cause: config, container: "app", doc: sent(nil, []string{pull(5 * time.Minute),
			event("app", "Normal", "Pulled", `Successfully pulled image "shop/app:9" in 2s`, 1, 4*time.Minute), warn("app", "Failed", `Error: secret "db" not found`, 9, time.Minute)})},
		{name: "it was stopped on purpose", ask: anything, cause: "unknown", says: "namespace, kind and name", doc: sent(nil, []string{pull(5 * time.Minute), event("app", "Normal", "Killing", "Stopping container app", 1, time.Minute)})},
		{name: "old trouble beside news of others", ask: anything, cause: "unknown", says: "namespace, kind and name",
			doc: sent(nil, []string{pull(2 * time.Hour), eventOn("other", "", "Normal", "Scheduled", "Successfully assigned production/other to node-1", 1, time.Minute)})},
		{name: "old news altogether were written down then", ask: anything, cause: "pod.image_not_found", container: "app", doc: sent(nil, []string{pull(30 * time.Hour)})},
		{name: "evicted", ask: anything, cause: evicted, atMost: 0.7, doc: sent(nil, []string{warn("", "Evicted", "The node was low on resource: memory.", 1, time.Minute), event("app", "Normal", "Killing", "Stopping container app", 1, time.Minute)})},
		{name: "refused", ask: anything, cause: resources, doc: sent(nil, []string{warn("", "OutOfcpu", "Node didn't have enough resource: cpu, requested: 1000, used: 94939, capacity: 95690", 1, time.Minute)})},
		{name: "scheduled meanwhile", ask: anything, cause: "unknown", doc: sent(nil, []string{
			warn("", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.", 4, 5*time.Minute), event("", "Normal", "Scheduled", "Successfully assigned production/api to node-1", 1, time.Minute)})},
		{name: "killed for its liveness", ask: anything, cause: "pod.liveness_failed", container: "app", atMost: 0.7, says: "will be restarted", doc: sent(nil, []string{
			event("app", "Normal", "Started", "Started container app", 4, 3*time.Minute), warn("app", "Unhealthy", live, 12, 90*time.Second), event("app", "Normal", "Killing", kill, 4, 80*time.Second)})},
		{name: "not ready", ask: anything, cause: "pod.readiness_failed", container: "app", atMost: 0.7, doc: sent(nil, []string{
			event("app", "Normal", "Started", "Started container app", 1, 30*time.Minute), warn("app", "Unhealthy", ready, 160, 20*time.Second)})},
		{name: "not ready for a while, long ago", ask: anything, cause: "unknown", doc: sent(nil, []string{
			event("app", "Normal", "Started", "Started container app", 1, 30*time.Minute), warn("app", "Unhealthy", ready, 3, 29*time.Minute)})},
		{name: "a crash loop alone does not tell why", ask: anything, cause: "unknown", container: "app", says: "the pod JSON", doc: sent(nil, []string{
			event("app", "Normal", "Started", "Started container app", 5, 3*time.Minute), warn("app", "BackOff", "Back-off restarting failed container app in pod api", 20, 10*time.Second)})},
		{name: "a claim's pod by name", ask: aboutDeployment(), cause: mounts, says: "production/" + apiPod, doc: sent(nil, []string{warn("", "FailedMount", "Unable to attach or mount volumes: unmounted volumes=[data]: timed out waiting for the condition", 9, time.Minute)}, ownersJSON)},
		{name: "an event that names no container", ask: anything, cause: "pod.image_not_found", doc: sent(nil, []string{warn("", "Failed", `Failed to pull image "shop/app:9": manifest unknown`, 3, time.Minute)})},
	})
}

// FuzzWords puts any text where kubelet, the scheduler and the runtimes put theirs.
func FuzzWords(f *testing.F) {
	for _, s := range []string{
		"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}. preemption: x", "0/999999 nodes are available: ,,,{", `secret "" not found secret "`,
		"The node was low on resource: memory.", "exec: \"\xff", "no nodes are available predicates:: x (9999999999)", `Failed to pull image "`, "\x00\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var events []string
		for _, reason := range []string{"FailedScheduling", "FailedMount", "FailedAttachVolume", "Failed", "FailedCreatePodSandBox", "Evicted", "UnexpectedAdmissionError", "Killing", "Scheduled", "TriggeredScaleUp"} {
			events = append(events, warn("", reason, s, 3, time.Minute), warn(s, reason, s, 3, time.Minute))
		}
		text := quoteJSON(s)
		for _, doc := range []string{
			sent(nil, events), sent([]string{unscheduled(s, "")}, events),
			sent(one(pod{phase: "Failed", status: `,"reason":` + text + `,"message":` + text}), events),
			sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, `{"waiting":{"reason":"CreateContainerError","message":`+text+`}}`, "")}}), events),
		} {
			ev, _ := evidence.Parse(json.RawMessage(doc), now)
			if d := diagnose.Diagnose(ev, diagnose.Question{}); d.Cause == "" || d.Confidence < 0 || d.Confidence > 1 {
				t.Errorf("incomplete diagnosis %+v", d)
			}
		}
	})
}
