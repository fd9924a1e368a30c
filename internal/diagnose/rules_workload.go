package diagnose

// workloadRules are about what makes pods.
var workloadRules = []row[*workload]{
	{Rule{
		Name: "quota-refusal", Cause: causeQuotaExceeded, Confidence: certain,
		When:     "the API server refuses the pods of a controller because of a ResourceQuota (condition ReplicaFailure, or its newest FailedCreate event), and it still lacks them",
		Quotes:   "the refusal with what was requested, used and allowed; how many pods are there; the quota",
		Explains: []string{causeRolloutStalled, causeDeadlineExceeded, causeDeployFailed, causeHPAMetricsMissing, causePDBBlocked},
	}, refused(causeQuotaExceeded)},
	{Rule{
		Name: "quota-without-refusal", Cause: causeQuotaExceeded, Confidence: fair,
		When:     "a controller has fewer pods than it wants while a quota of its namespace that counts pods, CPU or memory is used up, and nothing quotes the refusal",
		Quotes:   "how many pods are there; the quota",
		Explains: []string{causeRolloutStalled, causeDeployFailed},
	}, shortOfPods},
	{Rule{
		Name: "admission-refusal", Cause: causeAdmissionDenied, Confidence: certain,
		When:     "the API server refuses the pods of a controller: a webhook, Pod Security, a LimitRange, a missing service account or another admission rule, and it still lacks them",
		Quotes:   "the refusal; how many pods are there",
		Explains: []string{causeRolloutStalled, causeDeadlineExceeded, causeDeployFailed, causeHPAMetricsMissing, causePDBBlocked},
	}, refused(causeAdmissionDenied)},
	{Rule{
		Name: "progress-deadline", Cause: causeRolloutStalled, Confidence: 0.95,
		When:     "a Deployment's condition Progressing is False with ProgressDeadlineExceeded and the rollout is not complete; the pods' cause lies under it where going back would help",
		Quotes:   "the condition; revisions, images and ready replicas of the new and the old ReplicaSet",
		Explains: []string{causeDeployFailed, causeHPAMetricsMissing},
	}, rolloutStalled},
	{Rule{
		Name: "set-stalled", Cause: causeRolloutStalled, Confidence: likely,
		When:     "not all pods of a StatefulSet or DaemonSet are of its newest template, and one that is is down",
		Quotes:   "how many are updated; the pod of the newest template",
		Explains: []string{causeDeployFailed},
	}, setStalled},
}

// quotaRules are about a ResourceQuota as such.
var quotaRules = []row[quota]{
	{Rule{
		Name: "quota-full", Cause: causeQuotaExceeded, Confidence: fair,
		When:   "what a ResourceQuota counts has reached its limit, though no refusal is seen; not beside workloads that have what they want",
		Quotes: "what is used and allowed",
	}, quotaFull},
}

// hpaRules are about a HorizontalPodAutoscaler.
var hpaRules = []row[hpa]{
	{Rule{
		Name: "hpa-at-maximum", Cause: causeHPAMaxed, Confidence: 0.95,
		When:   "it has as many replicas as it may, wants more (ScalingLimited, TooManyReplicas), and no metric is back at its target",
		Quotes: "the condition; present and highest replicas; metrics and targets",
	}, hpaMaxed},
	{Rule{
		Name: "hpa-without-metrics", Cause: causeHPAMetricsMissing, Confidence: 0.95,
		When:   "it cannot read or use the metrics that it scales by (ScalingActive False, or its newest events say so); not when it is switched off by zero replicas",
		Quotes: "the condition or the event",
	}, hpaMetricsMissing},
}

// pdbRules are about a PodDisruptionBudget, or an eviction that one refused.
var pdbRules = []row[pdb]{
	{Rule{
		Name: "eviction-refused", Cause: causePDBBlocked, Confidence: 0.95,
		When:   "an eviction was refused because of a disruption budget: an event or a tool's output says so, or a node is being emptied of pods whose budget allows none",
		Quotes: "the refusal; what the budget allows, wants and has",
	}, evictionRefused},
	{Rule{
		Name: "budget-allows-none", Cause: causePDBBlocked, Confidence: likely,
		When:   "a disruption budget allows no eviction: by its numbers it never will, or too few of its pods are healthy; only where the question is about it, or nothing else is wrong",
		Quotes: "what the budget allows, wants and has",
	}, budgetAllowsNone},
}
