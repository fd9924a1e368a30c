package diagnose

import (
	"slices"
	"strings"
)

// problemConditions are what node-problem-detector and the clouds report beside
// kubelet: true is bad. They do not make a node NotReady, and no cause of ours
// names them.
var problemConditions = []string{
	"KernelDeadlock", "ReadonlyFilesystem", "CorruptDockerOverlay2", "KubeletUnhealthy", "ContainerRuntimeUnhealthy", "KubeletProblem",
	"ContainerRuntimeProblem", "FilesystemCorruptionProblem", "XfsShutdown", "CperHardwareErrorFatal", "FrequentKubeletRestart",
	"FrequentDockerRestart", "FrequentContainerdRestart", "FrequentUnregisterNetDevice", "OutOfDisk",
}

// wellNode says how a node fares, where the question is about it or about
// everything. A cordoned node is well: someone wants it so.
func wellNode(n node) (string, bool) {
	if !n.held || !n.x.concerns("Node", n.meta) || len(n.conditions) == 0 {
		return "", true
	}
	for _, c := range n.conditions {
		if c.yes() && slices.Contains(problemConditions, c.kind) || c.no() && customReady(c.kind) {
			return n.quote(c.quote()), false
		}
	}
	ready := n.find("Ready")
	if !ready.yes() {
		return n.quote(ready.quote()), false
	}
	line := "Ready, no pressure"
	if n.spec.Unschedulable {
		line += ", cordoned: it takes no new pods, as someone wants it"
	}
	return n.quote(line), true
}

// customReady says whether a condition is one of those of other controllers that
// are bad when false: NetworkingReady, StorageReady.
func customReady(kind string) bool {
	return kind != "Ready" && (strings.HasSuffix(kind, "Ready") || strings.HasSuffix(kind, "Healthy"))
}
