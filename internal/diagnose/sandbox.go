package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// sandboxSigns tell why a pod's sandbox, which holds its network, could not be made.
var sandboxSigns = []sign{
	{"hostport", causePortConflict, "a port of the node that the pod asks for is in use"},
	{"oom-killed", causeOOMKilled, "the pod's memory limit is too low even for its sandbox"},
	{"/sys/fs/cgroup", causeSandboxFailed, "the node cannot make a cgroup for it"},
	{"no space left on device", causeDiskPressure, "the node has no space left to make it"},
	{"sandbox image", causeSandboxFailed, "the node cannot pull the image of the sandbox itself (pause)"},
	{"no ip addresses available", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"failed to assign an ip address", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"failed to allocate for range", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"no available ip", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"no more free ip", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"range is full", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"address pools", causeSandboxFailed, "there is no free IP address left on the node or in its subnet"},
	{"already has an ip address different", causeSandboxFailed, "the node's bridge has the address of another pod network (left by an earlier installation)"},
	{"not initialized", causeSandboxFailed, "the network plugin of the node is not ready"},
	{"networkpluginnotready", causeSandboxFailed, "the network plugin of the node is not ready"},
	{"network is not ready", causeSandboxFailed, "the network plugin of the node is not ready"},
	{"config uninitialized", causeSandboxFailed, "the network plugin of the node is not ready"},
	{"no networks found in", causeSandboxFailed, "the node has no network configuration"},
	{"failed to find plugin", causeSandboxFailed, "the network plugin is not installed on the node"},
	{"/var/lib/calico/nodename", causeSandboxFailed, "calico-node has not started on the node"},
	{"subnet.env", causeSandboxFailed, "flannel has not started on the node"},
	{"runtime handler", causeSandboxFailed, "the node's runtime does not know the handler of the pod's RuntimeClass"},
	{"no runtime for", causeSandboxFailed, "the node's runtime does not know the handler of the pod's RuntimeClass"},
	{"is reserved for", causeSandboxFailed, "the runtime still holds a sandbox of the same name that it could not finish"},
	{"failed to reserve", causeSandboxFailed, "the runtime still holds a sandbox of the same name that it could not finish"},
	{"unauthorized", causeSandboxFailed, "the network plugin is refused by the API server"},
	{"forbidden", causeSandboxFailed, "the network plugin is refused by the API server"},
	{"x509:", causeSandboxFailed, "the network plugin does not trust the API server"},
	{"connection refused", causeSandboxFailed, "the network plugin's agent on the node does not answer"},
	{"dial unix", causeSandboxFailed, "the network plugin's agent on the node does not answer"},
	{"i/o timeout", causeSandboxFailed, "the network plugin cannot reach the API server or its agent in time"},
	{"fork/exec", causeSandboxFailed, "the node's container runtime is broken"},
	{"oci runtime", causeSandboxFailed, "the node's container runtime cannot start it"},
	{"deadline exceeded", causeSandboxFailed, "the node's container runtime or network plugin did not answer in time"},
	{"deadlineexceeded", causeSandboxFailed, "the node's container runtime or network plugin did not answer in time"},
	{"cni", causeSandboxFailed, "the network plugin fails"},
	{"plugin type=", causeSandboxFailed, "the network plugin fails"},
	{"setup network for sandbox", causeSandboxFailed, "the network plugin fails"},
}

// sandboxTrouble is the newest failure to make the pod's sandbox, if no container
// was made after it.
func (p *pod) sandboxTrouble() *trouble {
	e := lastOf(p.events, sandboxEvent)
	if e == nil || p.over() || p.begun(eventTime(e)) {
		return nil
	}
	if s, ok := read(sandboxSigns, strings.ToLower(clip(e.Message, longestText))); ok {
		return &trouble{s, e}
	}
	return &trouble{sign{cause: causeSandboxFailed, because: "kubelet cannot make its sandbox"}, e}
}

// sandboxEvent leaves FailedKillPod out: a sandbox that cannot be taken down keeps
// no pod from running.
func sandboxEvent(e *corev1.Event) bool {
	return e.Reason == "FailedCreatePodSandBox" || e.Reason == "NetworkNotReady" || e.Reason == "FailedCreateSandbox"
}
