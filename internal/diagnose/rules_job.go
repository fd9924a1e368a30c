package diagnose

// jobRules are about a Job that its controller gave up.
var jobRules = []row[job]{
	{Rule{
		Name: "job-attempts", Cause: causeBackoffExceeded, Confidence: certain,
		When:     "a Job has the condition Failed after its attempts (BackoffLimitExceeded, PodFailurePolicy, MaxFailedIndexesExceeded), or its newest event says so; that its program failed lies under it, any other cause of its pods is the answer itself",
		Quotes:   "the condition or the event; limits and counts",
		Explains: []string{causeDeployFailed},
	}, jobFailed(attemptReasons...)},
	{Rule{
		Name: "job-deadline", Cause: causeDeadlineExceeded, Confidence: certain,
		When:     "a Job has the condition Failed because its activeDeadlineSeconds were over, or its newest event says so",
		Quotes:   "the condition or the event; the limit",
		Explains: []string{causeDeployFailed},
	}, jobFailed(reasonDeadline)},
}

// jobPodRules are about a pod whose time was over.
var jobPodRules = []row[*pod]{
	{Rule{
		Name: "pod-deadline", Cause: causeDeadlineExceeded, Confidence: 0.95,
		When:     "a pod has failed with the reason DeadlineExceeded",
		Quotes:   "the pod's reason and message",
		Explains: []string{causeStartupFailed, causeReadinessFailed, causeBackoffExceeded},
	}, podDeadline},
}
