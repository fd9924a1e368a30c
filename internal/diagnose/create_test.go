package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
)

const (
	config, created, command = "pod.config_missing", "pod.container_create_failed", "pod.command_invalid"
	platform                 = "pod.image_wrong_platform"
)

// TestCreationWords holds what kubelet, runc, crun, containerd, Docker and CRI-O say
// of containers that cannot be made or started.
func TestCreationWords(t *testing.T) {
	const shim = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: `
	var cases []diseaseCase
	for _, c := range []struct{ name, reason, message, cause string }{
		{"secret", "CreateContainerConfigError", `secret "db-credentials" not found`, config},
		{"config map", "CreateContainerConfigError", `configmap "app-config" not found`, config},
		{"config map, old", "CreateContainerConfigError", `configmaps "app-config" not found`, config},
		{"key", "CreateContainerConfigError", `couldn't find key DB_HOST in ConfigMap production/app-config`, config},
		{"key, old", "CreateContainerConfigError", `Couldn't find key contiv_etcd in ConfigMap kube-system/contiv-config`, config},
		{"a secret that is called not found", "CreateContainerConfigError", `failed to sync secret "not found" cache: timed out waiting for the condition`, created},
		{"cache", "CreateContainerConfigError", `failed to sync configmap cache: timed out waiting for the condition`, created},
		{"runs as root", "CreateContainerConfigError", `container has runAsNonRoot and image will run as root (pod: "api_production(1)", container: app)`, created},
		{"named user", "CreateContainerConfigError", `container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root (pod: "api_production(1)", container: app)`, created},
		{"sub path", "CreateContainerConfigError", `failed to prepare subPath for volumeMount "data" of container "app"`, created},
		{"no words", "CreateContainerConfigError", ``, created},
		{"not found, containerd", "RunContainerError", shim + `exec: "serve": executable file not found in $PATH: unknown`, command},
		{"not found, runc 1.2", "RunContainerError", shim + `error during container init: exec: "/app/server": stat /app/server: no such file or directory: unknown`, command},
		{"not executable", "RunContainerError", shim + `exec: "/entrypoint.sh": permission denied: unknown`, command},
		{"a directory", "RunContainerError", shim + `exec: "/app": is a directory: unknown`, command},
		{"working directory", "RunContainerError", shim + `chdir to cwd ("/srv/app") set in config.json failed: permission denied: unknown`, command},
		{"not found, docker", "RunContainerError", `failed to start container "4c0d": Error response from daemon: OCI runtime create failed: container_linux.go:349: starting container process caused "exec: \"foo\": executable file not found in $PATH": unknown`, command},
		{"not found, CRI-O with runc", "CreateContainerError", `container create failed: time="2026-11-23T03:10:00Z" level=error msg="runc create failed: unable to start container process: exec: \"foo\": executable file not found in $PATH"`, command},
		{"not found, CRI-O with crun", "CreateContainerError", "container create failed: executable file `foo` not found in $PATH: No such file or directory", command},
		{"not executable, crun", "CreateContainerError", "container create failed: open executable: Permission denied", command},
		{"no command, containerd", "CreateContainerError", `failed to generate container "1" spec: failed to generate spec: no command specified`, command},
		{"no command, docker", "CreateContainerError", `Error response from daemon: No command specified`, command},
		{"other platform", "RunContainerError", shim + `exec /app: exec format error: unknown`, platform},
		{"file over directory", "RunContainerError", shim + `error during container init: error mounting "/host/nginx.conf" to rootfs at "/etc/nginx/nginx.conf": mount /host/nginx.conf:/etc/nginx/nginx.conf: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?`, created},
		{"cgroup leak is no full disk", "RunContainerError", `OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/kubepods/besteffort/pod1: no space left on device: unknown`, created},
		{"full disk", "CreateContainerError", `failed to create containerd container: mkdir /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/new-1: no space left on device`, "node.disk_pressure"},
		{"name is taken", "CreateContainerError", `failed to reserve container name "app_api_production_1_0": name "app_api_production_1_0" is reserved for "4c0d"`, created},
		{"runtime is slow", "CreateContainerError", `context deadline exceeded`, created},
		{"AppArmor", "CreateContainerError", `failed to generate container spec: AppArmor profile not found deny-write`, created},
		{"seccomp", "CreateContainerError", `cannot load seccomp profile "/var/lib/kubelet/seccomp/profiles/audit.json": no such file`, created},
		{"GPU", "RunContainerError", shim + `error during container init: error running hook #0: error running prestart hook: nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown`, created},
		{"broken runtime", "RunContainerError", `OCI runtime create failed: unable to retrieve OCI runtime error: fork/exec /usr/bin/nvidia-container-runtime: no such file or directory: unknown`, created},
		{"host port", "RunContainerError", `driver failed programming external connectivity on endpoint k8s_POD: Error starting userland proxy: listen tcp 0.0.0.0:80: bind: address already in use`, ports},
		{"too little memory to start", "RunContainerError", shim + `container init was OOM-killed (memory limit too low?): unknown`, "pod.oom_killed"},
		{"hook", "PostStartHookError", `Exec lifecycle hook ([/bin/setup]) for Container "app" failed - error: exec: "/bin/setup": executable file not found in $PATH`, created},
	} {
		cases = append(cases, diseaseCase{name: c.name, cause: c.cause, container: "app", atLeast: 0.6,
			doc: sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting(c.reason, c.message), "")}}), []string{})})
		if c.message != "" && c.reason == "RunContainerError" {
			start := ended("StartError", 128, time.Minute)
			start = start[:len(start)-2] + `,"message":` + quoteJSON(c.message) + `}}`
			cases = append(cases, diseaseCase{name: c.name + ", in the last state", cause: c.cause, container: "app", atLeast: 0.6,
				doc: sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, start)}}), []string{})})
		}
		if c.message != "" && c.reason != "PostStartHookError" {
			cases = append(cases, diseaseCase{name: c.name + ", events only", ask: diagnose.Question{Family: "pod"}, cause: c.cause, container: "app", atMost: 0.7,
				doc: sent(nil, []string{warn("app", "Failed", "Error: "+c.message, 5, time.Minute)})})
		}
	}
	runDiseases(t, cases)
}

func TestCreation(t *testing.T) {
	said := func(code int, line string) string {
		return sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, ended("Error", code, time.Minute))}}), []string{},
			`"logs":[{"pod":"`+apiPod+`","container":"app","previous":true,"text":`+quoteJSON(line)+`}]`)
	}
	arm := `"nodes":[` + node("node-1", "", "") + `]`
	runDiseases(t, []diseaseCase{
		{name: "exec format error in the log", cause: platform, container: "app", atLeast: 0.85, other: command, doc: said(255, "exec /app/server: exec format error")},
		{name: "exec format error of an old runc", cause: platform, container: "app", atLeast: 0.85, doc: said(1, `standard_init_linux.go:228: exec user process caused: exec format error`)},
		{name: "exec format error, older", cause: platform, container: "app", doc: said(1, `standard_init_linux.go:207: exec user process caused "exec format error"`)},
		{name: "exec format error of a script may be its first line", cause: platform, container: "app", atMost: 0.65, other: command, doc: said(255, "exec /entrypoint.sh: exec format error")},
		{name: "a child that a program cannot start is none of the runtime's", cause: "pod.startup_failed", container: "app", doc: said(1, "fork/exec /usr/bin/git: no such file or directory")},
		{name: "the node's platform", cause: platform, container: "app", says: "linux/arm64",
			doc: sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting("ErrImagePull", "no match for platform in manifest: not found"), "")}}), nil, arm)},
		{name: "the interpreter of a script is missing", cause: command, container: "app", doc: said(255, "exec /entrypoint.sh: no such file or directory")},
		{name: "a shell finds no program", cause: command, container: "app", other: "pod.startup_failed", doc: said(127, "/bin/sh: 1: gunicorn: not found")},
		{name: "a shell may not run a program", cause: command, container: "app", doc: said(126, "/bin/sh: ./start.sh: Permission denied")},
		{name: "a program that misses a file is no missing program", cause: "pod.startup_failed", container: "app", doc: said(1, "open /etc/app/config.yaml: no such file or directory")},
		{name: "the event tells what the status does not", cause: command, container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 6, waiting("RunContainerError", ""), "")}}), []string{warn("app", "Failed", `Error: failed to start container "app": exec: "run": executable file not found in $PATH`, 6, time.Minute)})},
		{name: "a crash loop without its last state", cause: command, container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, "")}}), []string{warn("app", "Failed", `Error: failed to create containerd task: exec: "run": executable file not found in $PATH`, 6, time.Minute)})},
		{name: "an old runtime calls it an error", cause: command, container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, strings.TrimSuffix(ended("Error", 128, time.Minute), "}}")+`,"message":"OCI runtime create failed: exec: \"run\": executable file not found in $PATH"}}`)}}), []string{})},
		{name: "a hook that fails ends the container", cause: created, container: "app", says: "postStart hook",
			doc: sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, ended("Error", 137, time.Minute))}}), []string{warn("app", "FailedPostStartHook", "PostStartHook failed", 6, time.Minute)})},
		{name: "a config map that came at last is history", cause: "healthy",
			doc: sent(one(pod{statuses: []string{st("app", true, 0, running(50*time.Minute), "")}}), []string{warn("app", "Failed", `Error: configmap "app-config" not found`, 9, 52*time.Minute)})},
		{name: "a config map that came at last and a program that fails since", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 6, crashLoop, ended("Error", 1, time.Minute))}}), []string{warn("app", "Failed", `Error: configmap "app-config" not found`, 9, 52*time.Minute)})},
		{name: "the config of an init container", cause: config, container: "migrate", says: "init container migrate",
			doc: sent(one(pod{phase: "Pending", spec: `,"initContainers":[` + box("migrate", "") + `]`, statuses: []string{st("app", false, 0, waiting("PodInitializing", ""), "")},
				status: `,"initContainerStatuses":[` + st("migrate", false, 0, waiting("CreateContainerConfigError", `secret "db" not found`), "") + `]`}), nil)},
	})
}
