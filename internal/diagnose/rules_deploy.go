package diagnose

// deployRules are about a GitOps object.
var deployRules = []row[gitop]{
	{Rule{
		Name: "gitops-failed", Cause: causeDeployFailed, Confidence: 0.95,
		When:   "Argo CD's last operation failed, a condition names an error or the health is Degraded; Flux is not ready for a reason that is a failure; what it deploys explains it where that is ill",
		Quotes: "the condition, or sync, health, operation, revision and message; what is degraded",
	}, deployFailed},
	{Rule{
		Name: "gitops-stalled", Cause: causeRolloutStalled, Confidence: likely,
		When:     "Argo CD says of a Deployment that it exceeded its progress deadline, and the Deployment itself is not in the evidence",
		Quotes:   "the health of the Deployment in the Application",
		Explains: []string{causeDeployFailed},
	}, gitopsStall},
}

// aggregateRules are about what monitoring merged of a service.
var aggregateRules = []row[release]{
	{Rule{
		Name: "release-failed", Cause: causeDeployFailed, Confidence: likely,
		When:   "the newest deployment of a service in an aggregate has the status failure",
		Quotes: "version, status and time of the deployment",
	}, releaseFailed},
}
