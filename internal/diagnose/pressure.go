package diagnose

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pressure is one of the three that kubelet reports: its condition, its taint,
// and the events by which it begins and ends.
type pressure struct {
	condition, taint, of string
	begins, ends, notes  []string
	short                []string // of what, in the words of an EvictionThresholdMet event
}

var (
	diskPressure = pressure{
		"DiskPressure", "node.kubernetes.io/disk-pressure", "disk space or inodes",
		[]string{"NodeHasDiskPressure", "FreeDiskSpaceFailed"}, []string{"NodeHasNoDiskPressure"},
		[]string{"EvictionThresholdMet", "FreeDiskSpaceFailed", "ImageGCFailed", "NodeHasDiskPressure"}, []string{"ephemeral-storage", "inodes"},
	}
	memoryPressure = pressure{
		"MemoryPressure", "node.kubernetes.io/memory-pressure", "memory",
		[]string{"NodeHasInsufficientMemory"}, []string{"NodeHasSufficientMemory"},
		[]string{"EvictionThresholdMet", "SystemOOM", "NodeHasInsufficientMemory"}, []string{"memory"},
	}
	pidPressure = pressure{
		"PIDPressure", "node.kubernetes.io/pid-pressure", "process ids",
		[]string{"NodeHasInsufficientPID"}, []string{"NodeHasSufficientPID"},
		[]string{"EvictionThresholdMet", "NodeHasInsufficientPID"}, []string{"pids"},
	}
)

// underPressure reads the condition. Without one it goes by the taint and by the
// newest events; a condition that is Unknown is no pressure.
func underPressure(p pressure) func(node) (finding, bool) {
	return func(n node) (finding, bool) {
		f := finding{symptom: "node " + n.meta.Name + " is short of " + p.of, because: "kubelet reports " + p.condition + " and evicts pods to get some back", away: true}
		c := n.find(p.condition)
		switch {
		case c.yes():
			f.confidence = 0.95
			f.quotes = append([]string{n.quote(c.quote())}, n.noted(p.notes)...)
		case c.status != "":
			return finding{}, false
		case n.tainted(p.taint):
			f.confidence, f.quotes = likely, append([]string{n.quote("taint " + p.taint)}, n.noted(p.notes)...)
		default:
			e, ok := n.pressedLately(p)
			if !ok {
				return finding{}, false
			}
			f.confidence, f.quotes = fair, []string{quoteEvent(e)}
			f.missing, f.wants = []string{"the node object of " + n.meta.Name + ", whose conditions would say whether it lasts"}, []string{CollectNode}
		}
		return n.at(f, p.taint), true
	}
}

// pressedLately is the newest event that tells of the pressure, where none after
// it tells of its end.
func (n node) pressedLately(p pressure) (*corev1.Event, bool) {
	for _, e := range slices.Backward(n.events) {
		switch {
		case slices.Contains(p.ends, e.Reason):
			return nil, false
		case slices.Contains(p.begins, e.Reason):
			return e, true
		case e.Reason == "EvictionThresholdMet" && slices.ContainsFunc(p.short, func(s string) bool { return strings.Contains(e.Message, s) }):
			return e, true
		}
	}
	return nil, false
}

// ranOut finds a node whose kernel killed processes for memory although kubelet
// reports no pressure: it was faster than kubelet's look every ten seconds.
func ranOut(n node) (finding, bool) {
	e, ok := n.pressedLately(pressure{begins: []string{"SystemOOM"}, ends: []string{"NodeHasSufficientMemory"}})
	if !ok || n.find(memoryPressure.condition).yes() {
		return finding{}, false
	}
	return n.at(finding{
		symptom: "node " + n.meta.Name + " ran out of memory",
		because: "the kernel killed a process on it for memory (SystemOOM)",
		quotes:  []string{quoteEvent(e)}, away: true,
		missing: []string{"which pods were killed: those with the last state OOMKilled on " + n.meta.Name},
	}, memoryPressure.taint), true
}
