package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"salve/test/cluster"
)

// scenario is one trouble, or one thing that only looks like one.
type scenario struct {
	name   string
	labels map[string]string // of the namespace
	steps  []string          // manifests, each applied when the step before shows
	shows  []sight           // one for each step
	then   func(context.Context, *cluster.Cluster, string) error
	later  time.Duration // how long afterwards it is looked at
}

func (s scenario) capture(ctx context.Context, c *cluster.Cluster, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.Namespace(ctx, s.name, s.labels); err != nil {
		return err
	}
	var e evidence
	for i, step := range s.steps {
		if err := c.Apply(ctx, s.name, step); err != nil {
			return err
		}
		err := cluster.Until(ctx, func() (bool, error) {
			var err error
			e, err = gather(ctx, c, s.name)
			return err == nil && s.shows[i](e), err
		})
		if err != nil {
			return fmt.Errorf("step %d never showed: %w: %v", i+1, err, e)
		}
	}
	if s.then != nil {
		if err := s.then(ctx, c, s.name); err != nil {
			return err
		}
	}
	e, err := gather(ctx, c, s.name)
	if err != nil {
		return err
	}
	if err := e.addLogs(ctx, c, s.name); err != nil {
		return err
	}
	return e.save(path, s.later)
}

// one is a scenario of one step.
func one(name string, later time.Duration, shows sight, manifests ...string) scenario {
	return scenario{name: name, later: later, shows: []sight{shows}, steps: []string{strings.Join(manifests, "\n---\n")}}
}

// limited is one whose quota counts before anything else is there.
func limited(name string, shows sight, hard object, manifests ...string) scenario {
	counted := func(e evidence) bool { return cluster.At(first(e.list("quotas")), "status", "hard") != nil }
	return scenario{name: name, later: 5 * time.Minute, shows: []sight{counted, shows}, steps: []string{quota(hard), strings.Join(manifests, "\n---\n")}}
}

func scenarios() []scenario {
	var all []scenario
	for _, family := range [][]scenario{memory(), images(), starts(), probes(), places(), workloads(), jobs(), healthy()} {
		all = append(all, family...)
	}
	return all
}

func memory() []scenario {
	hungry := sim{"needs-memory": "512Mi", "restarts": "7", "pods": "1"}
	return []scenario{
		one("pod-oom-crashloop", time.Minute, both(waiting("CrashLoopBackOff"), counts("deployments", "readyReplicas", 1)), deployment(2, hungry)),
		one("pod-oom-sidecar", time.Minute, waiting("CrashLoopBackOff"), deployment(1, sim{"agent.needs-memory": "128Mi", "agent.restarts": "12"}, beside("agent", "64Mi"))),
		one("pod-oom-last-state", time.Minute, lastEnded("OOMKilled"), deployment(1, sim{"state": "Restarted", "reason": "OOMKilled", "restarts": "3"})),
		one("pod-oom-statefulset", time.Minute, waiting("CrashLoopBackOff"), statefulSet(1, hungry)),
		one("pod-killed-137-not-oom", time.Minute, waiting("CrashLoopBackOff"), deployment(1, sim{"state": "CrashLoopBackOff", "exit-code": "137", "restarts": "4"})),
	}
}

func images() []scenario {
	const pull = `failed to pull and unpack image "` + image + `": failed to resolve reference "` + image + `": `
	failing := func(state, message string) string { return deployment(1, sim{"state": state, "message": message}) }
	const backOff, denied = "ImagePullBackOff", "rpc error: code = Unknown desc = " + pull
	return []scenario{
		one("pod-image-not-found", time.Minute, waiting(backOff), deployment(1, sim{"state": backOff})),
		one("pod-image-not-found-first-try", 0, waiting("ErrImagePull"), deployment(1, sim{"state": "ErrImagePull"})),
		one("pod-image-auth", time.Minute, waiting(backOff), failing(backOff, denied+"failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://registry.example.com/token: 401 Unauthorized")),
		one("pod-image-denied", time.Minute, waiting(backOff), failing(backOff, "rpc error: code = Unknown desc = "+pull+"pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed")),
		one("pod-image-rate-limited", time.Minute, waiting(backOff), failing(backOff, denied+"unexpected status from HEAD request to https://registry.example.com/v2/shop/api/manifests/1.4.2: 429 Too Many Requests")),
		one("pod-image-registry-unreachable", time.Minute, waiting(backOff), failing(backOff, denied+`failed to do request: Head "https://registry.example.com/v2/shop/api/manifests/1.4.2": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host`)),
		one("pod-image-wrong-platform", time.Minute, waiting(backOff), failing(backOff, `rpc error: code = NotFound desc = failed to pull and unpack image "`+image+`": no match for platform in manifest: not found`)),
		one("pod-image-invalid-name", time.Minute, waiting("InvalidImageName"), deployment(1, sim{"state": "InvalidImageName"}, with("image", "registry.example.com/Shop/API:1.4.2"))),
		one("pod-image-init-container", time.Minute, waiting(backOff), deployment(1, sim{"migrate.state": backOff}, of("initContainers", []any{object{"name": "migrate", "image": "registry.example.com/shop/migrate:9"}}))),
	}
}

func starts() []scenario {
	crashing := func(more sim, parts ...part) string {
		so := sim{"state": "CrashLoopBackOff", "restarts": "6"}
		for name, value := range more {
			so[name] = value
		}
		return deployment(1, so, parts...)
	}
	const config, noBinary = "CreateContainerConfigError", `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/app/servr": stat /app/servr: no such file or directory`
	secret := with("env", []any{object{"name": "DATABASE_URL", "valueFrom": object{"secretKeyRef": object{"name": "api-credentials", "key": "url"}}}})
	settings := with("env", []any{object{"name": "REGION", "valueFrom": object{"configMapKeyRef": object{"name": "api-config", "key": "region"}}}})
	init := of("initContainers", []any{object{"name": "migrate", "image": "registry.example.com/shop/migrate:9"}})
	return []scenario{
		one("pod-startup-failed-exit-1", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"previous-log": "reading /etc/api/config.yaml\nfatal: config.yaml: line 14: unknown field \"listen_adr\"\n"})),
		one("pod-startup-failed-no-log", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"exit-code": "2"})),
		one("pod-dependency-refused", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"previous-log": "starting api 1.4.2\nconnecting to postgres\nfatal: dial tcp 10.0.0.5:5432: connect: connection refused\n"})),
		one("pod-init-dependency-dns", time.Minute, waiting("CrashLoopBackOff"), deployment(1, sim{"migrate.state": "CrashLoopBackOff", "migrate.previous-log": "migrate: dial tcp: lookup db.shop.svc on 10.96.0.10:53: no such host\n"}, init)),
		one("pod-permission-denied", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"previous-log": "open /var/lib/api/state.db: permission denied\n"})),
		one("pod-port-conflict", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"previous-log": "listen tcp :8080: bind: address already in use\n"})),
		one("pod-config-missing-secret", time.Minute, waiting(config), deployment(1, sim{"state": config, "message": `secret "api-credentials" not found`}, secret)),
		one("pod-config-missing-key", time.Minute, waiting(config), deployment(1, sim{"state": config, "message": "couldn't find key region in ConfigMap pod-config-missing-key/api-config"}, settings)),
		one("pod-command-invalid", time.Minute, waiting("CrashLoopBackOff"), crashing(sim{"reason": "StartError", "termination-message": noBinary}, with("command", []any{"/app/servr"}))),
		one("pod-container-create-failed", time.Minute, waiting("CreateContainerError"), deployment(1, sim{"state": "CreateContainerError", "message": `failed to reserve container name "app_api_0": name "app_api_0" is reserved for "4f1c"`})),
		one("pod-volume-failed", 5*time.Minute, event("FailedMount", ""), deployment(1, sim{"state": "ContainerCreating", "event-reason": "FailedMount", "message": `MountVolume.SetUp failed for volume "config" : configmap "api-config" not found`},
			of("volumes", []any{object{"name": "config", "configMap": object{"name": "api-config"}}}), with("volumeMounts", []any{object{"name": "config", "mountPath": "/etc/api"}}))),
		one("pod-sandbox-failed", 5*time.Minute, event("FailedCreatePodSandBox", ""), deployment(1, sim{"state": "ContainerCreating", "event-reason": "FailedCreatePodSandBox", "message": `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "7a0d": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized`})),
	}
}

func probes() []scenario {
	ready, live, start := with("readinessProbe", probe("/ready", 10)), with("livenessProbe", probe("/live", 10)), with("startupProbe", probe("/live", 5))
	return []scenario{
		one("pod-readiness-failed", 10*time.Minute, event("Unhealthy", "Readiness"), deployment(2, sim{"state": "NotReady", "pods": "1"}, ready)),
		one("pod-readiness-dependency", 10*time.Minute, event("Unhealthy", "Readiness"), deployment(1, sim{"state": "NotReady", "message": "HTTP probe failed with statuscode: 500", "log": "ready: database: dial tcp 10.0.0.5:5432: connect: connection refused\n"}, ready)),
		one("pod-liveness-failed", time.Minute, event("Killing", "liveness"), deployment(1, sim{"state": "LivenessFailed", "restarts": "5", "message": `Get "http://10.244.0.17:8080/live": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`}, live)),
		one("pod-startup-probe-failed", time.Minute, event("Killing", "startup"), deployment(1, sim{"state": "StartupFailed", "restarts": "4", "message": `Get "http://10.244.0.17:8080/live": dial tcp 10.244.0.17:8080: connect: connection refused`}, start)),
	}
}

// places are troubles of where a pod is to run.
func places() []scenario {
	nowhere := func(name, message string, parts ...part) scenario {
		return one("pod-unschedulable-"+name, 5*time.Minute, event("FailedScheduling", ""), deployment(1, sim{"state": "Unschedulable", "message": message}, parts...))
	}
	claim := manifest("PersistentVolumeClaim", "v1", "data", object{"accessModes": []any{"ReadWriteOnce"}, "resources": object{"requests": object{"storage": "10Gi"}}, "storageClassName": "fast"})
	unbound := nowhere("volume", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
		of("volumes", []any{object{"name": "data", "persistentVolumeClaim": object{"claimName": "data"}}}), with("volumeMounts", []any{object{"name": "data", "mountPath": "/data"}}))
	unbound.steps[0] += "\n---\n" + claim
	return []scenario{
		nowhere("memory", "0/3 nodes are available: 3 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."),
		nowhere("taint", "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: batch}. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."),
		nowhere("affinity", "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", of("nodeSelector", object{"disk": "nvme"})),
		nowhere("too-many-pods", "0/3 nodes are available: 3 Too many pods. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."),
		unbound,
		one("pod-unschedulable-gated", 5*time.Minute, condition("pods", "PodScheduled", "SchedulingGated"), deployment(1, nil, of("schedulingGates", []any{object{"name": "example.com/approval"}}))),
		one("pod-evicted-memory", time.Minute, phases(1, "Failed"), deployment(1, sim{"state": "Evicted"})),
		one("pod-evicted-disk", time.Minute, phases(1, "Failed"), deployment(1, sim{"state": "Evicted", "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 20Gi, available: 18Gi. Container app was using 31Gi, request is 0, has larger consumption of ephemeral-storage. "})),
	}
}

func workloads() []scenario {
	const tried = "FailedCreate"
	stalled := scenario{
		name: "workload-rollout-stalled", later: time.Minute,
		steps: []string{impatient(2, nil), impatient(2, sim{"state": "CrashLoopBackOff", "restarts": "5", "previous-log": "fatal: missing environment variable PAYMENT_URL\n"}, with("image", "registry.example.com/shop/api:1.5.0"))},
		shows: []sight{counts("deployments", "readyReplicas", 2), condition("deployments", "Progressing", "ProgressDeadlineExceeded")},
	}
	quotaStall := limited("workload-quota-rollout-stalled", both(event(tried, "exceeded quota"), condition("deployments", "Progressing", "ProgressDeadlineExceeded")), object{"pods": "2"}, impatient(3, nil))
	restricted := one("workload-admission-podsecurity", time.Minute, event(tried, "violates PodSecurity"), deployment(1, nil))
	restricted.labels = map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	blocked := one("workload-pdb-blocked", time.Minute, both(counts("deployments", "readyReplicas", 1), condition("pdbs", "DisruptionAllowed", "InsufficientPods")), deployment(1, nil), budget(1))
	blocked.then = evictionRefused
	return []scenario{
		limited("workload-quota-exceeded", event(tried, "exceeded quota"), object{"limits.memory": "512Mi"}, deployment(3, nil)),
		limited("workload-quota-nothing-runs", event(tried, "exceeded quota"), object{"pods": "0"}, deployment(2, nil)),
		limited("workload-quota-unspecified", event(tried, "must specify"), object{"limits.cpu": "4"}, deployment(1, nil)),
		quotaStall,
		limited("workload-quota-statefulset", event(tried, "exceeded quota"), object{"pods": "1"}, statefulSet(2, nil)),
		restricted,
		one("workload-admission-limitrange", 5*time.Minute, event(tried, "maximum memory usage"), limitRange("128Mi"), deployment(1, nil)),
		one("workload-service-account-missing", 5*time.Minute, event(tried, "serviceaccount"), deployment(1, nil, of("serviceAccountName", "api"))),
		one("workload-daemonset-crashing", time.Minute, waiting("CrashLoopBackOff"), daemonSet(sim{"state": "CrashLoopBackOff", "restarts": "9"})),
		stalled, blocked,
	}
}

// evictionRefused tries what a drain does.
func evictionRefused(ctx context.Context, c *cluster.Cluster, namespace string) error {
	pods, err := c.Items(ctx, "/api/v1/namespaces/"+namespace+"/pods")
	if err != nil {
		return err
	}
	name, _ := cluster.At(first(pods), "metadata", "name").(string)
	body := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"` + name + `"}}`
	code, answer, err := c.Do(ctx, http.MethodPost, "/api/v1/namespaces/"+namespace+"/pods/"+name+"/eviction", "application/json", []byte(body))
	if err == nil && code != http.StatusTooManyRequests {
		err = fmt.Errorf("the eviction was answered %d %s, want 429", code, answer)
	}
	return err
}

func jobs() []scenario {
	return []scenario{
		one("job-backoff-exceeded", time.Minute, condition("jobs", "Failed", "BackoffLimitExceeded"), job(object{"backoffLimit": 0}, sim{"state": "Error", "exit-code": "1", "log": "migrate: column \"price\" already exists\n"})),
		one("job-backoff-exceeded-oom", time.Minute, condition("jobs", "Failed", "BackoffLimitExceeded"), job(object{"backoffLimit": 0}, sim{"state": "Error", "reason": "OOMKilled"})),
		one("job-deadline-exceeded", time.Minute, condition("jobs", "Failed", "DeadlineExceeded"), job(object{"activeDeadlineSeconds": 2}, nil)),
		limited("job-quota-exceeded", event("FailedCreate", "exceeded quota"), object{"pods": "0"}, job(nil, nil)),
	}
}

func healthy() []scenario {
	ready := with("readinessProbe", probe("/ready", 10))
	return []scenario{
		one("healthy-deployment", time.Hour, counts("deployments", "readyReplicas", 3), deployment(3, nil, ready)),
		one("healthy-statefulset", time.Hour, counts("statefulSets", "readyReplicas", 2), statefulSet(2, nil)),
		one("healthy-job-completed", time.Hour, condition("jobs", "Complete", "CompletionsReached"), job(nil, sim{"state": "Completed"})),
		one("healthy-job-running", time.Minute, phases(1, "Running"), job(nil, nil)),
		one("healthy-starting", 4*time.Second, phases(1, "Running"), deployment(1, sim{"state": "Starting"}, ready)),
		one("healthy-creating", 4*time.Second, waiting("ContainerCreating"), deployment(1, sim{"state": "ContainerCreating"})),
		one("healthy-replaced-after-eviction", time.Hour, both(phases(1, "Failed"), counts("deployments", "readyReplicas", 2)), deployment(2, sim{"state": "Evicted"})),
		limited("healthy-quota-with-room", counts("deployments", "readyReplicas", 2), object{"pods": "2"}, deployment(2, nil)),
	}
}
