package diagnose

// containerRules are about one container of a pod: init containers and sidecars
// count alike.
var containerRules = []row[container]{
	{Rule{
		Name: "node-oom", Cause: causeNodeOOM, Confidence: likely,
		When:     "OOMKilled without a memory limit while the node itself ran out of memory",
		Quotes:   "the last termination; the node's SystemOOM event",
		RulesOut: []string{causeOOMKilled, causeLivenessFailed, causeStartupFailed}, Explains: []string{causeReadinessFailed, causeMemoryPressure},
	}, nodeOOM},
	{Rule{
		Name: "oom-status", Cause: causeOOMKilled, Confidence: certain,
		When:     "the last end of the container has the reason OOMKilled; exit code 137 alone is not enough",
		Quotes:   "the last termination; the memory limit",
		RulesOut: []string{causeLivenessFailed, causeStartupProbeFailed, causeStartupFailed}, Explains: []string{causeReadinessFailed},
	}, oomKilled},
	{Rule{
		Name: "startup-probe", Cause: causeStartupProbeFailed, Confidence: 0.95,
		When:     "the startup probe failed until kubelet gave up on the container",
		Quotes:   "the last termination; the Killing and Unhealthy events",
		RulesOut: []string{causeLivenessFailed, causeStartupFailed}, Explains: []string{causeReadinessFailed},
	}, startupProbeFailed},
	{Rule{
		Name: "liveness-probe", Cause: causeLivenessFailed, Confidence: 0.95,
		When:     "kubelet killed the container, or is about to, for its liveness probe",
		Quotes:   "the last termination; the Killing and Unhealthy events",
		RulesOut: []string{causeStartupFailed}, Explains: []string{causeReadinessFailed},
	}, livenessFailed},
	{Rule{
		Name: "exits", Cause: causeStartupFailed, Confidence: 0.92,
		When:     "the program ended by itself, though it should run on or had to succeed",
		Quotes:   "the last termination; the last words of its log",
		Explains: []string{causeReadinessFailed},
	}, startupFailed},
	{Rule{
		Name: "readiness-probe", Cause: causeReadinessFailed, Confidence: strong,
		When:   "the container runs and its readiness probe fails",
		Quotes: "the present state; the Unhealthy events",
	}, readinessFailed},
}
