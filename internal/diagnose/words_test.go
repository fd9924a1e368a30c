package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
)

const (
	refusedLine = "2026-11-23 03:14:40 ERROR pool: connection to server at \"orders-db\" (10.96.5.5), port 5432 failed: Connection refused\n"
	served      = "2026-11-23 03:10:00 INFO  Started ApiApplication in 4.1 seconds\n2026-11-23 03:10:00 INFO  listening on :8080\n"
)

func initPod(command, state, log string) string {
	var logs []string
	if log != "" {
		logs = []string{logKey(logEntry(apiPod, "wait", false, log))}
	}
	return sent(one(pod{phase: "Pending", age: 20 * minute, spec: `,"initContainers":[` + box("wait", `,"command":["sh","-c",`+quoted(command)+`]`) + `]`,
		statuses: []string{st("app", false, 0, waiting("PodInitializing", ""), "")}, status: `,"initContainerStatuses":[` + st("wait", false, 0, state, "") + `]`}), nil, logs...)
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// TestWords weighs what a program says against how its container fares.
func TestWords(t *testing.T) {
	exit1 := ended("Error", 1, time.Minute)
	loop := []string{st("app", false, 5, crashLoop, exit1)}
	notReady := []string{st("app", false, 0, running(30*time.Minute), "")}
	unhealthy := []string{warn("app", "Unhealthy", ready, 50, 5*time.Second)}
	runDiseases(t, []diseaseCase{
		{name: "not ready because a dependency is down", cause: "pod.dependency_unavailable", container: "app", says: "cannot reach orders-db:5432", atLeast: 0.85,
			doc: sent(one(pod{containers: app(probes), statuses: notReady}), unhealthy, logOf("app", false, served+refusedLine+refusedLine))},
		{name: "not ready, and the dependency came back", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: notReady}), unhealthy, logOf("app", false, served+refusedLine+"2026-11-23 03:14:45 INFO pool: connected to orders-db:5432\n"))},
		{name: "another dependency came back", cause: "pod.dependency_unavailable", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: notReady}), unhealthy, logOf("app", false, served+refusedLine+"2026-11-23 03:14:45 INFO connected to redis:6379\n"))},
		{name: "not ready without a log asks for it", cause: "pod.readiness_failed", container: "app", says: "the log of container app", atLeast: 0.9,
			doc: sent(one(pod{containers: app(probes), statuses: notReady}), unhealthy)},
		{name: "an information is no failure", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: notReady}), unhealthy, logOf("app", false, served+strings.Replace(refusedLine, "ERROR", "DEBUG", 1)))},
		{name: "liveness killed it while its database was away", cause: "pod.dependency_unavailable", container: "app", atLeast: 0.7, atMost: 0.88,
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 5, crashLoop, ended("Error", 137, time.Minute))}}),
				[]string{warn("app", "Unhealthy", live, 12, 90*time.Second), event("app", "Normal", "Killing", kill, 4, 80*time.Second)}, logOf("app", true, served+refusedLine+refusedLine))},
		{name: "liveness killed it in a deadlock", cause: "pod.liveness_failed", container: "app",
			doc: sent(one(pod{containers: app(probes), statuses: []string{st("app", false, 5, crashLoop, ended("Error", 137, time.Minute))}}),
				[]string{warn("app", "Unhealthy", live, 12, 90*time.Second), event("app", "Normal", "Killing", kill, 4, 80*time.Second)}, logOf("app", true, served+"WARN Found one Java-level deadlock\n"))},
		{name: "killed by nobody knows whom, with a word", cause: "pod.dependency_unavailable", container: "app", atMost: 0.6, says: "who killed container app", other: "pod.liveness_failed",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 137, time.Minute))}}), nil, logOf("app", true, served+refusedLine))},
		{name: "killed with a full heap is no proof of the kernel", cause: "pod.startup_failed", container: "app", atMost: 0.65, says: "its own heap is full", other: "pod.oom_killed",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 137, time.Minute))}}), nil, logOf("app", true, "java.lang.OutOfMemoryError: Java heap space\n"))},
		{name: "OOMKilled beats any word", cause: "pod.oom_killed", container: "app",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("OOMKilled", 137, time.Minute))}}), nil, logOf("app", true, refusedLine))},
		{name: "retried with success, then a fault of its own", cause: "pod.startup_failed", container: "app", says: "NullPointerException",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, refusedLine+"INFO connected to orders-db\nException in thread \"main\" java.lang.NullPointerException: Cannot invoke \"A.b()\"\n\tat A.main(A.java:3)\n"))},
		{name: "a port that did not matter", cause: "pod.startup_failed", container: "app", says: "DATABASE_URL",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, "WARN debug agent: listen tcp :6060: bind: address already in use\nINFO listening on :8080\nERROR environment variable DATABASE_URL is not set\n"))},
		{name: "a port that did not matter, and no other word", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, "WARN debug agent: listen tcp :6060: bind: address already in use\nINFO listening on :8080\nbye\n"))},
		{name: "a pool that ran dry because the database is down", cause: "pod.dependency_unavailable", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, refusedLine+"ERROR HikariPool-1 - Connection is not available, request timed out after 30000ms.\n"))},
		{name: "an error long before the end", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, refusedLine+strings.Repeat("GET /orders 200\n", 40)+"bye\n"))},
		{name: "an error that came back again and again", cause: "pod.dependency_unavailable", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, strings.Repeat(refusedLine, 3)+strings.Repeat("GET /orders 200\n", 40)+"bye\n"))},
		{name: "what a server tells its clients", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, "2026-11-23 03:14:00.000 UTC [70] FATAL:  password authentication failed for user \"x\"\n2026-11-23 03:14:01.000 UTC [71] FATAL:  the database system is starting up\n"))},
		{name: "a permission noise before another end is less sure", cause: "pod.permission_denied", container: "app", atMost: 0.75, other: "pod.startup_failed",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, "chmod: /app/tmp: Operation not permitted\npanic: the queue is inconsistent\n"))},
		{name: "a job's log that names no container", cause: "pod.dependency_unavailable", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("", true, refusedLine))},
		{name: "a log that names no container, of two", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{containers: app("") + "," + box("proxy", ""), statuses: []string{loop[0], st("proxy", true, 0, running(time.Hour), "")}}), nil, logOf("", true, refusedLine))},
		{name: "an exit of hours ago", cause: "healthy",
			doc: sent(one(pod{age: 200 * time.Hour, statuses: []string{st("app", true, 1, running(5*time.Hour), ended("Error", 1, 5*time.Hour))}}), nil, logOf("app", true, refusedLine))},
		{name: "the log of another pod", cause: "pod.startup_failed", container: "app", says: "previous log of container app", atMost: 0.6,
			doc: sent(one(pod{statuses: loop}), nil, logKey(logEntry("api-gateway-7d9f5b8c6-other", "app", true, refusedLine)))},
		{name: "a sidecar's log is not the app's", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{containers: app("") + "," + box("proxy", ""), statuses: []string{loop[0], st("proxy", true, 0, running(time.Hour), "")}}), nil, logOf("proxy", false, refusedLine))},
		{name: "the present log of a container that waits is that of its last run", cause: "pod.dependency_unavailable", container: "app", atLeast: 0.9,
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", false, refusedLine))},
		{name: "the present log of a container that runs again is another run's", cause: "pod.dependency_unavailable", container: "app", atMost: 0.85,
			doc: sent(one(pod{statuses: []string{st("app", true, 5, running(30*time.Second), exit1)}}), nil, logOf("app", false, refusedLine))},
		{name: "the termination message is a log", cause: "pod.dependency_unavailable", container: "app", says: "lastState.terminated.message",
			doc: sent(one(pod{statuses: []string{strings.Replace(loop[0], `"reason":"Error"`, `"reason":"Error","message":"dial tcp 10.0.0.9:6379: connect: connection refused"`, 1)}}), nil)},
		{name: "a local port is a neighbour's", cause: "pod.dependency_unavailable", container: "app", says: "container sql-proxy of the same pod", atMost: 0.65,
			doc: sent(one(pod{containers: app("") + "," + box("sql-proxy", `,"ports":[{"containerPort":5432}]`), statuses: []string{loop[0], st("sql-proxy", true, 0, running(time.Hour), "")}}), nil,
				logOf("app", true, "ERROR dial tcp 127.0.0.1:5432: connect: connection refused\n"))},
		{name: "a neighbour that is down is the root", cause: "pod.startup_failed", container: "sql-proxy", ask: diagnose.Question{Family: "pod"}, says: "refuses its credentials",
			doc: sent(one(pod{containers: app("") + "," + box("sql-proxy", `,"ports":[{"containerPort":5432}]`), statuses: []string{loop[0], st("sql-proxy", false, 5, crashLoop, exit1)}}), nil,
				logKey(logEntry(apiPod, "app", true, "ERROR dial tcp 127.0.0.1:5432: connect: connection refused\n"), logEntry(apiPod, "sql-proxy", true, "401 Unauthorized: invalid_client\n")))},

		{name: "an exec probe names the dependency", cause: "pod.dependency_unavailable", container: "app", says: "cannot reach redis-master:6379",
			doc: sent(one(pod{containers: app(`,"readinessProbe":{"exec":{"command":["sh","-c","redis-cli -h redis-master ping"]}}`), statuses: notReady}),
				[]string{warn("app", "Unhealthy", "Readiness probe failed: Could not connect to Redis at redis-master:6379: Connection refused\n", 40, 5*time.Second)})},
		{name: "an exec probe of its own port", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{containers: app(`,"readinessProbe":{"exec":{"command":["redis-cli","ping"]}}`), statuses: notReady}),
				[]string{warn("app", "Unhealthy", "Readiness probe failed: Could not connect to Redis at 127.0.0.1:6379: Connection refused\n", 40, 5*time.Second)})},
		{name: "the probe's own connection is no dependency", cause: "pod.readiness_failed", container: "app",
			doc: sent(one(pod{statuses: notReady}), []string{warn("app", "Unhealthy", "Readiness probe failed: dial tcp 10.0.0.7:8080: connect: connection refused", 40, 5*time.Second)})},
		{name: "an exec probe of a server without slots", cause: "db.connections_exhausted", container: "app",
			doc: sent(one(pod{statuses: notReady}), []string{warn("app", "Unhealthy", "Readiness probe failed: psql: FATAL:  sorry, too many clients already", 13, 5*time.Second)})},

		{name: "exit code 127 with its word", cause: "pod.command_invalid", container: "app", says: "next: not found", atLeast: 0.85,
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 127, time.Minute))}}), nil, logOf("app", true, "> web@1.0.0 start\n> next start\n\nsh: 1: next: not found\n"))},
		{name: "exit code 127 without a word", cause: "pod.command_invalid", container: "app", atMost: 0.62, other: "pod.startup_failed", says: "previous log",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 127, time.Minute))}}), nil)},
		{name: "exit code 127 for a shared library", cause: "pod.startup_failed", container: "app", says: "not in the image",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 127, time.Minute))}}), nil, logOf("app", true, "/app/server: error while loading shared libraries: libssl.so.1.1: cannot open shared object file: No such file or directory\n"))},
		{name: "exit code 126", cause: "pod.command_invalid", container: "app", other: "pod.permission_denied",
			doc: sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 126, time.Minute))}}), nil, logOf("app", true, "/bin/sh: 1: /app/start.sh: Permission denied\n"))},
		{name: "a command that is missed but not needed", cause: "pod.startup_failed", container: "app",
			doc: sent(one(pod{statuses: loop}), nil, logOf("app", true, "/entrypoint.sh: line 3: tput: command not found\nstopped\n"))},

		{name: "an init container that waits, by its log", cause: "pod.dependency_unavailable", container: "wait", says: "still waits for orders-db",
			doc: initPod("exit 0", running(15*time.Minute), "waiting for orders-db\nwaiting for orders-db\n")},
		{name: "an init container that waits, by the error it sees", cause: "pod.dependency_unavailable", container: "wait", says: "orders-db:5432", atLeast: 0.85,
			doc: initPod("exit 0", running(15*time.Minute), "nc: orders-db (10.96.5.5:5432): Connection refused\nwaiting for db\n")},
		{name: "an init container that waits, by its command", cause: "pod.dependency_unavailable", container: "wait", says: "the log of init container wait", atMost: 0.7,
			doc: initPod("until nc -z orders-db 5432; do sleep 2; done", running(15*time.Minute), "")},
		{name: "an init container may wait for a moment", cause: "healthy",
			doc: strings.Replace(initPod("until nc -z orders-db 5432; do sleep 2; done", running(time.Minute), ""), ago(20*minute), ago(2*minute), 2)},
		{name: "an init container that works is not one that waits", cause: "unknown",
			doc: initPod("rsync -a /seed /data", running(15*time.Minute), "copying 1400 files\n")},
	})
}

func TestCrashLoopWithoutLogWantsIt(t *testing.T) {
	d := diagnose.Diagnose(parse(t, sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil)), aboutPod(apiPod))
	if len(d.Wants) != 1 || d.Wants[0].Action != diagnose.CollectLogs || d.Wants[0].Target.Container != "app" || d.Wants[0].Target.Name != apiPod {
		t.Errorf("wants %+v", d.Wants)
	}
	if d.Confidence < 0.55 || d.Confidence > 0.62 {
		t.Errorf("confidence %.2f", d.Confidence)
	}
}

// TestBareLogs has nothing but logs to judge by.
func TestBareLogs(t *testing.T) {
	open := diagnose.Question{Family: "pod"}
	runDiseases(t, []diseaseCase{
		{name: "an end of many", ask: open, cause: "pod.dependency_unavailable", atMost: 0.6, atLeast: 0.5, says: "only a log was seen", doc: sent(nil, nil, logKey(logEntry("", "", false, refusedLine)))},
		{name: "the pod is named", ask: open, cause: "db.connections_exhausted", container: "app", atMost: 0.6, says: "pod " + apiPod + "/app", doc: sent(nil, nil, logOf("app", false, "FATAL: sorry, too many clients already"))},
		{name: "a fault may have been survived", ask: open, cause: "pod.startup_failed", atMost: 0.4, doc: sent(nil, nil, logKey(logEntry("", "", false, "TypeError: Cannot read properties of undefined (reading 'id')")))},
		{name: "nothing decisive", ask: open, cause: "unknown", doc: sent(nil, nil, logKey(logEntry("", "", false, served)))},
		{name: "a question about a pod is not answered by the log of a host", cause: "unknown", says: "the pod JSON", doc: sent(nil, nil, logKey(logEntry("", "", false, refusedLine)))},
		{name: "pods count more than a host's log", ask: open, cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, logKey(logEntry("", "", false, refusedLine)))},
	})
}

// TestReadyWithTrouble has pods whose probes are content.
func TestReadyWithTrouble(t *testing.T) {
	runDiseases(t, []diseaseCase{
		{name: "again and again", cause: "pod.dependency_unavailable", container: "app", atMost: 0.6, says: "is ready, but cannot do its work", doc: sent([]string{readyPod(apiPod)}, nil, logOf("app", false, served+strings.Repeat(refusedLine, 3)))},
		{name: "twice", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, logOf("app", false, served+strings.Repeat(refusedLine, 2)))},
		{name: "and then it was well", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, logOf("app", false, served+strings.Repeat(refusedLine, 5)+"INFO connected to orders-db:5432\n"))},
		{name: "faults of its own that it lives with", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, logOf("app", false, strings.Repeat("ERROR java.lang.NullPointerException\n", 9)))},
	})
}

// TestLevels has one line that says "connection refused" in the ways of loggers.
func TestLevels(t *testing.T) {
	for _, tc := range []struct {
		line  string
		quiet bool
	}{
		{"2026-11-23 03:14:00.120  INFO 1 --- [main] c.e.X : connection refused", true},
		{"2026-11-23 03:14:00.120 ERROR 1 --- [main] c.e.X : connection refused", false},
		{`time="2026-11-23T03:14:00Z" level=debug msg="connection refused"`, true},
		{`time="2026-11-23T03:14:00Z" level="info" msg="connection refused"`, true},
		{`time="2026-11-23T03:14:00Z" level=error msg="connection refused"`, false},
		{`{"level":"info","msg":"connection refused"}`, true},
		{`{"severity":"ERROR","message":"connection refused"}`, false},
		{`{"level":30,"msg":"connection refused"}`, true},
		{`{"level":50,"msg":"connection refused"}`, false},
		{`{"t":{"$date":"2026-11-23T03:14:00Z"},"s":"I","c":"NETWORK","msg":"connection refused"}`, true},
		{"I1123 03:14:00.000001       1 main.go:1] connection refused", true},
		{"E1123 03:14:00.000001       1 main.go:1] connection refused", false},
		{"I, [2026-11-23T03:14:00 #1]  INFO -- : connection refused", true},
		{"1:M 23 Nov 2026 03:14:00.000 * connection refused", true},
		{"1:M 23 Nov 2026 03:14:00.000 # connection refused", false},
		{"2026-11-23T03:14:00Z 0 [Note] connection refused", true},
		{"2026/11/23 03:14:00 [error] 1#1: connection refused", false},
		{"INFO:     connection refused", true},
		{"info: Shop.Worker[0]\n      connection refused", true},
		{"fail: Shop.Worker[0]\n      connection refused", false},
		{"2026-11-23T03:14:00.000Z\tinfo\tmain.go:1\tconnection refused", true},
		{"\x1b[32mINFO\x1b[0m connection refused", true},
		{"[31mERROR connection refused", false},
		{"2026-11-23T03:14:00.123456789Z  INFO app: connection refused", true},
		{"2026-11-23T03:14:00.123456789Z stdout F connection refused", false},
		{"# connection refused", true},
		{"+ curl db # connection refused", true},
		{"the information of the log: connection refused", false},
		{"connection refused", false},
	} {
		doc := sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil, logOf("app", true, tc.line))
		if got := diagnose.Diagnose(parse(t, doc), aboutPod(apiPod)).Cause; (got == "pod.startup_failed") != tc.quiet {
			t.Errorf("%q: %s", tc.line, got)
		}
	}
}
