package diagnose

// The causes that this package names more than once. The closed list is
// incident.Causes.
const (
	causeOOMKilled           = "pod.oom_killed"
	causeNodeOOM             = "pod.node_oom"
	causeLivenessFailed      = "pod.liveness_failed"
	causeReadinessFailed     = "pod.readiness_failed"
	causeStartupProbeFailed  = "pod.startup_probe_failed"
	causeStartupFailed       = "pod.startup_failed"
	causeImageNotFound       = "pod.image_not_found"
	causeImageAuthFailed     = "pod.image_auth_failed"
	causeImageRateLimited    = "pod.image_rate_limited"
	causeRegistryUnreachable = "pod.registry_unreachable"
	causeImageInvalidName    = "pod.image_invalid_name"
	causeImageWrongPlatform  = "pod.image_wrong_platform"

	causeConfigMissing    = "pod.config_missing"
	causeCreateFailed     = "pod.container_create_failed"
	causeCommandInvalid   = "pod.command_invalid"
	causeVolumeFailed     = "pod.volume_failed"
	causeSandboxFailed    = "pod.sandbox_failed"
	causeEvicted          = "pod.evicted"
	causePortConflict     = "pod.port_conflict"
	causeNoResources      = "pod.unschedulable.insufficient_resources"
	causeNoToleration     = "pod.unschedulable.taint"
	causeNoAffinity       = "pod.unschedulable.affinity"
	causeNoVolume         = "pod.unschedulable.volume"
	causeTooManyPods      = "pod.unschedulable.too_many_pods"
	causeGated            = "pod.unschedulable.gated"
	causeDiskPressure     = "node.disk_pressure"
	causeMemoryPressure   = "node.memory_pressure"
	causePIDPressure      = "node.pid_pressure"
	causeNodeNotReady     = "node.not_ready"
	causePermissionDenied = "pod.permission_denied"
	causeDependency       = "pod.dependency_unavailable"
	causeConnections      = "db.connections_exhausted"
)

// Those of workloads, jobs, deployments and nodes.
const (
	causeRolloutStalled     = "workload.rollout_stalled"
	causeQuotaExceeded      = "workload.quota_exceeded"
	causeAdmissionDenied    = "workload.admission_denied"
	causeHPAMaxed           = "workload.hpa_maxed"
	causeHPAMetricsMissing  = "workload.hpa_metrics_missing"
	causePDBBlocked         = "workload.pdb_blocked"
	causeBackoffExceeded    = "job.backoff_exceeded"
	causeDeadlineExceeded   = "job.deadline_exceeded"
	causeDeployFailed       = "deploy.failed"
	causeNetworkUnavailable = "node.network_unavailable"
)
