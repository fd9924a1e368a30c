package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
)

// diseaseCase is one piece of evidence and what it must be taken for.
type diseaseCase struct {
	name      string
	doc       string
	ask       diagnose.Question // zero: the pod apiPod
	cause     string
	container string
	says      string // in summary or evidence
	other     string // an alternative that must be named
	atLeast   float64
	atMost    float64
}

func runDiseases(t *testing.T, cases []diseaseCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ask := tc.ask
			if ask.Target.IsZero() && ask.Family == "" {
				ask = aboutPod(apiPod)
			}
			checkDisease(t, tc, ask)
		})
	}
}

func checkDisease(t *testing.T, tc diseaseCase, ask diagnose.Question) {
	d := diagnose.Diagnose(parse(t, tc.doc), ask)
	if d.Cause != tc.cause || d.Container != tc.container {
		t.Fatalf("cause %s in %q, want %s in %q\n%s\n%s", d.Cause, d.Container, tc.cause, tc.container, d.Summary, strings.Join(d.Evidence, "\n"))
	}
	text := d.Summary + "\n" + strings.Join(d.Evidence, "\n") + "\n" + strings.Join(d.Missing, "\n")
	if !strings.Contains(text, tc.says) {
		t.Errorf("nothing says %q:\n%s", tc.says, text)
	}
	if d.Confidence < tc.atLeast || tc.atMost > 0 && d.Confidence > tc.atMost {
		t.Errorf("confidence %.2f, want %.2f to %.2f", d.Confidence, tc.atLeast, tc.atMost)
	}
	named := tc.other == ""
	for _, a := range d.Alternatives {
		named = named || a.Cause == tc.other && a.Confidence < max(d.Confidence, 0.5)
	}
	if !named {
		t.Errorf("alternative %s is not named: %v", tc.other, d.Alternatives)
	}
	if d.Decided() && len(d.Evidence) == 0 {
		t.Error("a decided diagnosis quotes nothing")
	}
}

const (
	live  = "Liveness probe failed: HTTP probe failed with statuscode: 503"
	ready = "Readiness probe failed: Get \"http://10.0.0.7:8080/ready\": dial tcp 10.0.0.7:8080: connect: connection refused"
	kill  = "Container app failed liveness probe, will be restarted"
)

func TestMemory(t *testing.T) {
	limit := app(`,"resources":{"limits":{"memory":"512Mi"}}`)
	oom := ended("OOMKilled", 137, time.Minute)
	runDiseases(t, []diseaseCase{
		{name: "OOM in lastState while the container waits", cause: "pod.oom_killed", container: "app", atLeast: 0.95,
			says: "pod production/" + apiPod + ": container app: lastState.terminated.reason=OOMKilled, exitCode=137, restartCount=7",
			doc:  sent(one(pod{containers: limit, statuses: []string{st("app", false, 7, crashLoop, oom)}}), nil)},
		{name: "OOM names the limit", cause: "pod.oom_killed", container: "app", says: "memory limit of 512Mi",
			doc: sent(one(pod{containers: limit, statuses: []string{st("app", false, 7, crashLoop, oom)}}), nil)},
		{name: "OOM in lastState while the container runs and is ready again", cause: "pod.oom_killed", container: "app",
			doc: sent(one(pod{containers: limit, statuses: []string{st("app", true, 7, running(time.Minute), oom)}}), nil)},
		{name: "OOM in the present state", cause: "pod.oom_killed", container: "app", says: "state.terminated.reason=OOMKilled",
			doc: sent(one(pod{containers: limit, statuses: []string{st("app", false, 0, oom, "")}}), nil)},
		{name: "OOM of a sidecar beside a healthy app", cause: "pod.oom_killed", container: "proxy",
			doc: sent(one(pod{containers: app("") + "," + box("proxy", ""), statuses: []string{
				st("app", true, 0, running(time.Hour), ""), st("proxy", false, 4, crashLoop, oom)}}), nil)},
		{name: "OOM of an init container", cause: "pod.oom_killed", container: "migrate", says: "init container migrate",
			doc: sent(one(pod{phase: "Pending", spec: `,"initContainers":[` + box("migrate", "") + `]`, statuses: []string{st("app", false, 0, waiting("PodInitializing", ""), "")},
				status: `,"initContainerStatuses":[` + st("migrate", false, 3, crashLoop, oom) + `]`}), nil)},
		{name: "OOM of a native sidecar", cause: "pod.oom_killed", container: "mesh", says: "sidecar mesh",
			doc: sent(one(pod{spec: `,"initContainers":[` + box("mesh", `,"restartPolicy":"Always"`) + `]`, statuses: []string{st("app", true, 0, running(time.Hour), "")},
				status: `,"initContainerStatuses":[` + st("mesh", false, 3, crashLoop, oom) + `]`}), nil)},
		{name: "an OOM of hours ago is history", cause: "healthy",
			doc: sent(one(pod{age: 200 * time.Hour, statuses: []string{st("app", true, 1, running(5*time.Hour), ended("OOMKilled", 137, 5*time.Hour))}}), nil)},
		{name: "an OOM of hours ago counts while restarts go on", cause: "pod.oom_killed", container: "app", atMost: 0.85,
			doc: sent(one(pod{age: 24 * time.Hour, statuses: []string{st("app", true, 9, running(2*time.Hour), ended("OOMKilled", 137, 2*time.Hour))}}), nil)},
		{name: "an old OOM does not hide today's failed pull of a neighbour", cause: "pod.image_not_found", container: "proxy",
			doc: sent(one(pod{containers: limit + "," + box("proxy", ""), statuses: []string{
				st("app", true, 1, running(40*time.Minute), ended("OOMKilled", 137, 40*time.Minute)),
				st("proxy", false, 0, waiting("ErrImagePull", "rpc error: code = NotFound desc = failed to pull and unpack image: not found"), "")}}), nil)},
		{name: "OOM beside liveness failures: the death says OOM", cause: "pod.oom_killed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 7, crashLoop, oom)}}), []string{warn("app", "Unhealthy", live, 9, 90*time.Second)})},
		{name: "OOM without a limit may be the node's", cause: "pod.oom_killed", container: "app", other: "pod.node_oom",
			doc: sent(one(pod{statuses: []string{st("app", false, 7, crashLoop, oom)}}), nil)},
		{name: "node OOM by the node's own word", cause: "pod.node_oom", container: "app", says: "SystemOOM", other: "pod.oom_killed",
			doc: sent(one(pod{statuses: []string{st("app", false, 7, crashLoop, oom)}}), []string{
				`{"kind":"Event","apiVersion":"v1","metadata":{"name":"n","namespace":"default","uid":"n"},"involvedObject":{"kind":"Node","name":"node-1","uid":"node-1"},"type":"Warning","reason":"SystemOOM","message":"System OOM encountered, victim process: java, pid: 4711","count":1,"lastTimestamp":"` + ago(time.Minute) + `"}`})},
		{name: "node OOM does not excuse a container over its own limit", cause: "pod.oom_killed", container: "app",
			doc: sent(one(pod{containers: limit, statuses: []string{st("app", false, 7, crashLoop, oom)}}), []string{
				`{"kind":"Event","apiVersion":"v1","metadata":{"name":"n","namespace":"default","uid":"n"},"involvedObject":{"kind":"Node","name":"node-1"},"type":"Warning","reason":"SystemOOM","message":"System OOM encountered","count":1,"lastTimestamp":"` + ago(time.Minute) + `"}`})},
		{name: "other words of the node are no OOM", cause: "pod.oom_killed", container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 7, crashLoop, oom)}}), []string{
				`{"kind":"Event","apiVersion":"v1","metadata":{"name":"n","namespace":"default","uid":"n"},"involvedObject":{"kind":"Node","name":"node-1"},"type":"Normal","reason":"NodeReady","message":"Node is ready","count":1,"lastTimestamp":"` + ago(time.Minute) + `"}`})},
	})
}

func TestProbes(t *testing.T) {
	killed := ended("Error", 137, time.Minute)
	loop := func(last string) []string { return []string{st("app", false, 5, crashLoop, last)} }
	runDiseases(t, []diseaseCase{
		{name: "exit code 137 alone decides nothing", cause: "unknown", container: "app", says: "who killed container app", other: "pod.oom_killed", atMost: 0.1,
			doc: sent(one(pod{statuses: loop(killed)}), []string{warn("app", "BackOff", "Back-off restarting failed container app in pod api", 20, time.Minute)})},
		{name: "exit code 143 alone decides nothing", cause: "unknown", container: "app", says: "exit code 143",
			doc: sent(one(pod{statuses: loop(ended("Error", 143, time.Minute))}), []string{})},
		{name: "liveness by the Killing event", cause: "pod.liveness_failed", container: "app", says: "will be restarted", atLeast: 0.9,
			doc: sent(one(pod{containers: app(probes), statuses: loop(killed)}), []string{
				warn("app", "Unhealthy", live, 12, 90*time.Second), event("app", "Normal", "Killing", kill, 4, 80*time.Second)})},
		{name: "liveness by its failures alone is less sure", cause: "pod.liveness_failed", container: "app", atLeast: 0.7, atMost: 0.85,
			doc: sent(one(pod{containers: app(probes), statuses: loop(killed)}), []string{warn("app", "Unhealthy", live, 12, 90*time.Second)})},
		{name: "liveness kill of a program that ends gracefully", cause: "pod.liveness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: loop(ended("Completed", 0, time.Minute))}), []string{event("app", "Normal", "Killing", kill, 4, 80*time.Second)})},
		{name: "liveness kill while the container runs again", cause: "pod.liveness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", true, 3, running(time.Minute), killed)}}), []string{event("app", "Normal", "Killing", kill, 3, 80*time.Second)})},
		{name: "the newest event is not the cause", cause: "pod.liveness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: loop(killed)}), []string{
				event("app", "Normal", "Killing", kill, 4, 80*time.Second), warn("app", "BackOff", "Back-off restarting failed container app in pod", 30, time.Second),
				event("app", "Normal", "Pulled", "Container image \"registry.example.com/shop/app:1.2.3\" already present on machine", 5, 2*time.Second)})},
		{name: "a program that dies by itself fails its probes too", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: loop(ended("Error", 1, time.Minute))}), []string{warn("app", "Unhealthy", live, 2, 90*time.Second)})},
		{name: "a liveness kill of a former life is not this death", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: loop(ended("Error", 1, time.Minute))}), []string{event("app", "Normal", "Killing", kill, 1, 50*time.Minute)})},
		{name: "events of the pod's former incarnation do not count", cause: "unknown", container: "app",
			doc: sent(one(pod{uid: "another", statuses: loop(killed)}), []string{event("app", "Normal", "Killing", kill, 4, 80*time.Second)})},
		{name: "a probe's answer may speak of other probes", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 0, running(30*time.Minute), "")}}), []string{
				warn("app", "Unhealthy", "Readiness probe failed: Liveness probe failed: upstream", 30, time.Minute)})},
		{name: "liveness of a sidecar without a field path", cause: "pod.liveness_failed", container: "proxy",
			doc: sent(one(pod{containers: app("") + "," + box("proxy", probes), statuses: []string{
				st("app", true, 0, running(time.Hour), ""), st("proxy", false, 4, crashLoop, killed)}}), []string{
				warn("", "Unhealthy", live, 12, 90*time.Second), event("", "Normal", "Killing", "Container proxy failed liveness probe, will be restarted", 4, 80*time.Second)})},
		{name: "liveness fails and kubelet is about to kill", cause: "pod.liveness_failed", container: "app", atMost: 0.7,
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 0, running(30*time.Minute), "")}}), []string{warn("app", "Unhealthy", live, 2, 5*time.Second)})},
		{name: "one failure of liveness kills nobody", cause: "unknown", container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 0, running(30*time.Minute), "")}}), []string{warn("app", "Unhealthy", live, 1, 5*time.Second)})},
		{name: "readiness may fail at first", cause: "healthy", says: "starting",
			doc: sent(one(pod{age: 20 * time.Second, containers: app(probes), statuses: []string{st("app", false, 0, running(15*time.Second), "")}}), []string{warn("app", "Unhealthy", ready, 1, 5*time.Second)})},
		{name: "but not as often as its threshold", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{age: 50 * time.Second, containers: app(probes), statuses: []string{st("app", false, 0, running(45*time.Second), "")}}), []string{warn("app", "Unhealthy", ready, 4, 5*time.Second)})},
		{name: "events.k8s.io/v1 events count alike", cause: "pod.liveness_failed", container: "app", says: "x12",
			doc: sent(one(pod{containers: app(probes), statuses: loop(killed)}), []string{`{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e","namespace":"production","uid":"e"},"eventTime":"2026-11-23T02:15:00.123456Z","series":{"count":12,"lastObservedTime":"2026-11-23T03:13:50.123456Z"},"reportingController":"kubelet","reportingInstance":"node-1","action":"Killing","reason":"Killing","type":"Normal","note":"Container app failed liveness probe, will be restarted","regarding":{"kind":"Pod","namespace":"production","name":"` + apiPod + `","fieldPath":"spec.containers{app}"}}`})},
		{name: "readiness of a pod that never restarts", cause: "pod.readiness_failed", container: "app", says: "connection refused", atLeast: 0.85,
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 0, running(30*time.Minute), "")}}), []string{warn("app", "Unhealthy", ready, 180, 5*time.Second)})},
		{name: "readiness inferred without events", cause: "pod.readiness_failed", container: "app", atMost: 0.7,
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 0, running(30*time.Minute), "")}}), []string{})},
		{name: "readiness long after an old crash", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{age: 90 * time.Hour, containers: app(probes), statuses: []string{st("app", false, 1, running(20*time.Hour), ended("Error", 1, 20*time.Hour))}}), []string{warn("app", "Unhealthy", ready, 180, 5*time.Second)})},
		{name: "a readiness failure that has passed is healthy", cause: "healthy",
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", true, 0, running(30*time.Minute), "")}}), []string{warn("app", "Unhealthy", ready, 3, 25*time.Minute)})},
		{name: "startup probe by the Killing event", cause: "pod.startup_probe_failed", container: "app",
			doc: sent(one(pod{containers: app(startupProbe + probes), statuses: loop(killed)}), []string{
				warn("app", "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 500", 30, 90*time.Second),
				event("app", "Normal", "Killing", "Container app failed startup probe, will be restarted", 4, 80*time.Second)})},
		{name: "startup probe that is out of time", cause: "pod.startup_probe_failed", container: "app",
			doc: sent(one(pod{containers: app(startupProbe), statuses: []string{strings.Replace(st("app", false, 0, running(6*time.Minute), ""), `"started":true`, `"started":false`, 1)}}), []string{
				warn("app", "Unhealthy", "Startup probe failed: dial tcp 10.0.0.7:8080: connect: connection refused", 36, 5*time.Second)})},
		{name: "startup probe that still has time", cause: "healthy", says: "starting",
			doc: sent(one(pod{age: 2 * time.Minute, containers: app(startupProbe), statuses: []string{strings.Replace(st("app", false, 0, running(2*time.Minute), ""), `"started":true`, `"started":false`, 1)}}), []string{
				warn("app", "Unhealthy", "Startup probe failed: dial tcp 10.0.0.7:8080: connect: connection refused", 12, 5*time.Second)})},
	})
}

func TestExits(t *testing.T) {
	exit1 := ended("Error", 1, time.Minute)
	job := `{"apiVersion":"batch/v1","kind":"Job","name":"import","uid":"job-1","controller":true}`
	runDiseases(t, []diseaseCase{
		{name: "the program exits by itself", cause: "pod.startup_failed", container: "app", says: "previous log of container app", atMost: 0.89,
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, exit1)}}), nil)},
		{name: "its log says why", cause: "pod.startup_failed", container: "app", says: "DATABASE_URL is not set", atLeast: 0.9,
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, exit1)}}), nil, `"logs":[{"pod":"`+apiPod+`","container":"app","previous":true,"text":"starting\npanic: DATABASE_URL is not set\n\n"}]`)},
		{name: "exit code 0 of a server is a failure", cause: "pod.startup_failed", container: "app", says: "run for ever",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Completed", 0, time.Minute))}}), nil)},
		{name: "a segmentation fault", cause: "pod.startup_failed", container: "app", says: "code 139",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 139, time.Minute))}}), nil)},
		{name: "an init container that fails", cause: "pod.startup_failed", container: "migrate",
			doc: sent(one(pod{phase: "Pending", spec: `,"initContainers":[` + box("migrate", "") + `]`, statuses: []string{st("app", false, 0, waiting("PodInitializing", ""), "")},
				status: `,"initContainerStatuses":[` + st("migrate", false, 3, crashLoop, exit1) + `]`}), nil)},
		{name: "an init container that succeeded at last", cause: "healthy",
			doc: sent(one(pod{spec: `,"initContainers":[` + box("migrate", "") + `]`, statuses: []string{st("app", true, 0, running(50*time.Minute), "")},
				status: `,"initContainerStatuses":[` + st("migrate", true, 1, ended("Completed", 0, 55*time.Minute), ended("OOMKilled", 137, 57*time.Minute)) + `]`}), nil)},
		{name: "a program that never ran is none that exits", cause: "pod.command_invalid", container: "app", says: "executable file not found",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, waiting("RunContainerError", "exec: \"serve\": executable file not found in $PATH"), ended("StartError", 128, time.Minute))}}), []string{})},
		{name: "a completed job pod is healthy", cause: "healthy", says: "1 completed",
			doc: sent(one(pod{owner: job, phase: "Succeeded", spec: `,"restartPolicy":"Never"`, statuses: []string{st("app", false, 0, ended("Completed", 0, 10*time.Minute), "")}}), nil)},
		{name: "a failed job pod is not", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{owner: job, phase: "Failed", spec: `,"restartPolicy":"Never"`, statuses: []string{st("app", false, 0, ended("Error", 2, 10*time.Minute), "")}}), nil)},
		{name: "one container of a job pod may be done before the other", cause: "healthy",
			doc: sent(one(pod{owner: job, spec: `,"restartPolicy":"OnFailure"`, containers: app("") + "," + box("log", ""), statuses: []string{
				st("app", false, 0, ended("Completed", 0, 10*time.Minute), ""), st("log", true, 0, running(time.Hour), "")}}), nil)},
		{name: "an evicted pod was ended from outside", cause: "pod.evicted", says: "The node was low on resource: memory",
			doc: sent(one(pod{phase: "Failed", status: `,"reason":"Evicted","message":"The node was low on resource: memory."`}), []string{})},
		{name: "a pod being deleted is not diagnosed by its end", cause: "unknown", container: "app", says: "being deleted",
			doc: sent(one(pod{meta: `,"deletionTimestamp":"` + ago(time.Minute) + `"`, statuses: []string{st("app", false, 0, ended("Error", 1, time.Second), "")}}), []string{})},
		{name: "normal start-up is healthy", cause: "healthy", says: "starting",
			doc: sent(one(pod{age: 20 * time.Second, phase: "Pending", statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}}), []string{event("app", "Normal", "Pulling", "Pulling image", 1, time.Second)})},
		{name: "an old pod that is still creating is not starting", cause: "pod.config_missing", says: "FailedMount",
			doc: sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}}), []string{warn("", "FailedMount", "MountVolume.SetUp failed for volume \"cfg\" : configmap \"cfg\" not found", 20, time.Minute)})},
		{name: "a pod that is quiet for too long is not starting", cause: "unknown",
			doc: sent(one(pod{phase: "Pending", statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}}), []string{})},
		{name: "ready again just now is not yet healthy", cause: "unknown", container: "app",
			doc: sent(one(pod{statuses: []string{st("app", true, 1, running(time.Minute), ended("Error", 137, time.Minute))}}), []string{})},
		{name: "a young pod with a warning is not starting normally", cause: "pod.volume_failed",
			doc: sent(one(pod{age: 40 * time.Second, phase: "Pending", statuses: []string{st("app", false, 0, waiting("ContainerCreating", ""), "")}}), []string{warn("", "FailedMount", "MountVolume.SetUp failed", 2, time.Second)})},
		{name: "all ready is healthy", cause: "healthy", says: "1 of 1 pods ready",
			doc: sent(one(pod{statuses: []string{st("app", true, 0, running(time.Hour), "")}}), nil)},
	})
}

func TestEffectsAreNoAlternatives(t *testing.T) {
	doc := sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 7, running(time.Minute), ended("OOMKilled", 137, time.Minute))}}),
		[]string{warn("app", "Unhealthy", ready, 9, time.Second)})
	d := diagnose.Diagnose(parse(t, doc), aboutPod(apiPod))
	for _, a := range d.Alternatives {
		if d.Cause == "pod.oom_killed" && a.Cause == "pod.readiness_failed" {
			t.Error("a container that was killed is not ready: that is no other cause")
		}
	}
}
