package diagnose

// nodeRules are about a node. Where a question is about pods, the pressure of
// their node counts as far as it explains them.
var nodeRules = []row[node]{
	{Rule{
		Name: "node-not-ready", Cause: causeNodeNotReady, Confidence: 0.95,
		When:     "the condition Ready is False or Unknown; without the node itself, its newest event or one of a pod on it says so (then at most fair)",
		Quotes:   "the condition, the taint or the event; what the node's other events tell of it",
		Explains: []string{causeReadinessFailed, causeEvicted, causeSandboxFailed, causeNoToleration, causePDBBlocked},
	}, notReady},
	{Rule{
		Name: "node-network", Cause: causeNetworkUnavailable, Confidence: 0.95,
		When:     "the condition NetworkUnavailable is True, or Ready is False because the network plugin is not ready",
		Quotes:   "the condition or the event",
		Explains: []string{causeNodeNotReady, causeReadinessFailed, causeSandboxFailed, causeNoToleration},
	}, networkUnavailable},
	{Rule{
		Name: "node-disk", Cause: causeDiskPressure, Confidence: 0.95,
		When:     "the condition DiskPressure is True; without it, the taint or the newest events say so",
		Quotes:   "the condition, the taint or the event; evictions and failed clean-ups",
		Explains: []string{causeNodeNotReady, causeEvicted, causeNoToleration},
	}, underPressure(diskPressure)},
	{Rule{
		Name: "node-memory", Cause: causeMemoryPressure, Confidence: 0.95,
		When:     "the condition MemoryPressure is True; without it, the taint or the newest events say so",
		Quotes:   "the condition, the taint or the event; evictions and kernel kills",
		Explains: []string{causeNodeNotReady, causeEvicted, causeNoToleration},
	}, underPressure(memoryPressure)},
	{Rule{
		Name: "node-system-oom", Cause: causeMemoryPressure, Confidence: fair,
		When:   "the kernel killed processes for memory on the node, though kubelet reports no pressure",
		Quotes: "the SystemOOM event",
	}, ranOut},
	{Rule{
		Name: "node-pids", Cause: causePIDPressure, Confidence: 0.95,
		When:     "the condition PIDPressure is True; without it, the taint or the newest events say so",
		Quotes:   "the condition, the taint or the event; evictions",
		Explains: []string{causeNodeNotReady, causeEvicted, causeNoToleration},
	}, underPressure(pidPressure)},
}
