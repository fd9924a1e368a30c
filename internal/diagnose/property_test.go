package diagnose_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// drawPod draws a pod of the api-gateway with one to three containers, each in
// one of the conditions that the tables know.
func drawPod(t *rapid.T, name string) (string, []string) {
	ends := []string{ended("OOMKilled", 137, time.Minute), ended("Error", 137, time.Minute), ended("Error", 1, time.Minute), ended("Completed", 0, time.Minute), ended("OOMKilled", 137, 9*time.Hour)}
	var boxes, statuses, events []string
	for i := range rapid.IntRange(1, 3).Draw(t, "containers") {
		c := fmt.Sprintf("c%d", i)
		last := rapid.SampledFrom(ends).Draw(t, "last")
		boxes = append(boxes, box(c, rapid.SampledFrom([]string{"", probes, startupProbe}).Draw(t, "probes")))
		statuses = append(statuses, rapid.SampledFrom([]string{
			st(c, true, 0, running(time.Hour), ""), st(c, false, 0, running(time.Hour), ""), st(c, false, 4, crashLoop, last),
			st(c, true, 4, running(time.Minute), last), st(c, false, 0, waiting("ImagePullBackOff", "Back-off"), ""), st(c, false, 0, waiting("ErrImagePull", "manifest unknown"), ""),
			st(c, false, 0, waiting("CreateContainerConfigError", `secret "db" not found`), ""), st(c, false, 2, waiting("RunContainerError", `exec: "x": executable file not found in $PATH`), ""),
			st(c, false, 0, waiting("ContainerCreating", ""), ""),
		}).Draw(t, "status"))
		for _, e := range []string{
			eventOn(name, c, "Warning", "Unhealthy", live, 5, 90*time.Second), eventOn(name, c, "Warning", "Unhealthy", ready, 50, 10*time.Second),
			eventOn(name, c, "Normal", "Killing", "Container "+c+" failed liveness probe, will be restarted", 5, 80*time.Second),
			eventOn(name, c, "Warning", "Failed", "Failed to pull image \"x\": toomanyrequests: slow down", 2, 5*time.Minute),
			eventOn(name, c, "Warning", "Failed", `Error: configmap "cfg" not found`, 3, 4*time.Minute),
			eventOn(name, "", "Warning", "FailedMount", `MountVolume.SetUp failed for volume "v" : secret "db" not found`, 3, 3*time.Minute),
			eventOn(name, "", "Warning", "FailedAttachVolume", `Multi-Attach error for volume "v"`, 1, 5*time.Minute),
			eventOn(name, "", "Warning", "FailedCreatePodSandBox", "network: failed to assign an IP address to container", 7, 2*time.Minute),
			eventOn(name, c, "Warning", "BackOff", "Back-off restarting failed container", 9, time.Second),
		} {
			if rapid.Bool().Draw(t, "event") {
				events = append(events, e)
			}
		}
	}
	return pod{name: name, containers: strings.Join(boxes, ","), statuses: statuses}.json(), events
}

func drawEvidence(t *rapid.T) evidence.Evidence {
	var pods, events []string
	for i := range rapid.IntRange(1, 3).Draw(t, "pods") {
		p, e := drawPod(t, fmt.Sprintf("api-gateway-7d9f5b8c6-%05d", i))
		pods, events = append(pods, p), append(events, e...)
	}
	ev, problems := evidence.Parse(json.RawMessage(sent(pods, events, ownersJSON, logKey(drawLogs(t)...))), now)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return ev
}

// drawLogs draws what some of the containers said.
func drawLogs(t *rapid.T) []string {
	var logs []string
	for i := range rapid.IntRange(0, 4).Draw(t, "logs") {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			"INFO listening on :8080", "INFO connected to db:5432", "ERROR dial tcp 10.0.0.9:5432: connect: connection refused", "FATAL: sorry, too many clients already",
			"java.lang.OutOfMemoryError: Java heap space", "Caused by: java.net.UnknownHostException: kafka", "open /etc/app.yaml: permission denied", "listen tcp :8080: bind: address already in use", "bye",
		}), 0, 5).Draw(t, "lines")
		name := fmt.Sprintf("api-gateway-7d9f5b8c6-%05d", rapid.IntRange(0, 2).Draw(t, "pod"))
		logs = append(logs, logEntry(name, fmt.Sprintf("c%d", i%3), rapid.Bool().Draw(t, "previous"), strings.Join(lines, "\n")))
	}
	return logs
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvidence(t)
		want := diagnose.Diagnose(ev, aboutDeployment())
		shuffle(ev, rapid.Uint64().Draw(t, "seed"))
		if diff := cmp.Diff(want, diagnose.Diagnose(ev, aboutDeployment())); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOrderOfEventsAloneDoesNotMatter asks about what only events tell of.
func TestOrderOfEventsAloneDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvidence(t)
		ev.Pods = nil
		want := diagnose.Diagnose(ev, diagnose.Question{})
		shuffle(ev, rapid.Uint64().Draw(t, "seed"))
		if diff := cmp.Diff(want, diagnose.Diagnose(ev, diagnose.Question{})); diff != "" {
			t.Error(diff)
		}
		if want.Decided() && want.Confidence > 0.7 {
			t.Errorf("%s at %.2f from events alone", want.Cause, want.Confidence)
		}
	})
}

func shuffle(ev evidence.Evidence, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	mix(r, ev.Pods)
	mix(r, ev.Events)
	mix(r, ev.Logs)
	for i := range ev.Pods {
		mix(r, ev.Pods[i].Spec.Containers)
		mix(r, ev.Pods[i].Status.ContainerStatuses)
	}
}

func mix[T any](r *rand.Rand, s []T) { r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }

// TestStrangersDoNotMatter adds a healthy pod of the same deployment, and an ill
// one of another together with its events.
func TestStrangersDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvidence(t)
		want := diagnose.Diagnose(ev, aboutDeployment())
		more := parseNoT(sent([]string{
			readyPod("api-gateway-7d9f5b8c6-wells"),
			pod{name: "stranger", owner: "none", labels: `,"app":"other"`, statuses: []string{st("app", false, 4, crashLoop, ended("OOMKilled", 137, time.Minute))}}.json(),
		}, []string{eventOn("stranger", "c0", "Normal", "Killing", "Container c0 failed startup probe, will be restarted", 3, time.Second)}))
		ev.Pods = append(ev.Pods, more.Pods...)
		ev.Events = append(ev.Events, more.Events...)
		got := diagnose.Diagnose(ev, aboutDeployment())
		if got.Cause != want.Cause || got.Container != want.Container || got.Confidence != want.Confidence || got.Subject != want.Subject && want.Cause != incident.CauseHealthy {
			t.Errorf("%s %s became %s %s", want.Cause, want.Subject, got.Cause, got.Subject)
		}
	})
}

func parseNoT(doc string) evidence.Evidence {
	ev, _ := evidence.Parse(json.RawMessage(doc), now)
	return ev
}

// TestQuotesCarryTheDiagnosis takes away what the diagnosis quotes: events, the
// last ends, and the present states. It must not stay as sure as it was.
func TestQuotesCarryTheDiagnosis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := drawEvidence(t)
		before := diagnose.Diagnose(ev, aboutDeployment())
		if !before.Decided() || before.Cause == incident.CauseHealthy {
			t.Skip("nothing was found")
		}
		ev.Events = slices.DeleteFunc(ev.Events, func(e corev1.Event) bool {
			return slices.ContainsFunc(before.Evidence, func(q string) bool {
				return strings.HasPrefix(q, "event") && strings.Contains(q, e.InvolvedObject.Name) && strings.HasSuffix(q, e.Message)
			})
		})
		for i := range ev.Pods {
			if ev.Pods[i].Name == before.Subject.Name {
				forget(ev.Pods[i].Status.ContainerStatuses, before.Subject.Container)
			}
		}
		after := diagnose.Diagnose(ev, aboutDeployment())
		if after.Cause == before.Cause && after.Subject == before.Subject && after.Confidence >= before.Confidence {
			t.Errorf("%s stays at %.2f without %q", after.Cause, after.Confidence, before.Evidence)
		}
	})
}

func forget(statuses []corev1.ContainerStatus, name string) {
	for i := range statuses {
		if statuses[i].Name == name {
			statuses[i].State, statuses[i].LastTerminationState = corev1.ContainerState{}, corev1.ContainerState{}
		}
	}
}

func TestMergeOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawEvidence(t), drawEvidence(t)
		b.ObservedAt = rapid.SampledFrom([]time.Time{now, now.Add(-time.Minute)}).Draw(t, "at")
		if diff := cmp.Diff(a.Merge(b), b.Merge(a)); diff != "" {
			t.Error(diff)
		}
		once := a.Merge(b)
		if diff := cmp.Diff(once, once.Merge(b)); diff != "" {
			t.Errorf("merging twice: %s", diff)
		}
	})
}

func FuzzParseEvidence(f *testing.F) {
	f.Add([]byte(sent([]string{oomPod(apiPod)}, []string{warn("app", "Unhealthy", live, 3, time.Minute)}, ownersJSON)))
	for _, doc := range []string{
		`{"disk":{"host":"a","mount":"/","use_percent":"87%","history":[["2026-11-20",5]]},"service":{"unit":"a","status":"failed (x)"},"certificate":{"subject":{"cn":"a"},"daysLeft":5},"backup":{"cron":"0 2 * * *","ageHours":9}}`,
		`{"usage":{"cpu":"250m","data":{"result":[{"metric":{"__name__":"memory"},"values":[[1795132800,"NaN"],[1,"2"]]}]},"errorRate":0.4,"cpuGrowthPerDay":2},"db":{"members":[{"role":"leader","state":"stopped"}]},"aggregate":{"metrics":{"p99":"2s"}}}`,
		`{}`, `null`, `{"pods":{"kind":"PodList","items":[{}]}}`, `{"pods":[[]],"logs":{}}`, `{"events":[{"apiVersion":"events.k8s.io/v1","kind":"Event"}]}`, `{"observedAt":1}`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		ev, _ := evidence.Parse(doc, now)
		d := diagnose.Diagnose(ev, diagnose.Question{})
		if d.Cause == "" || d.Confidence < 0 || d.Confidence > 1 || d.Evidence == nil || d.Chain == nil || d.Missing == nil || d.Alternatives == nil {
			t.Errorf("incomplete diagnosis %+v", d)
		}
		diagnose.Selector(ev, aboutPod(apiPod).Target)
		ev.Merge(ev)
	})
}

// FuzzLog reads any text as the log of a container that ended, and as one that
// came alone.
func FuzzLog(f *testing.F) {
	for _, text := range []string{refusedLine, "\x1b[31mERROR\x1b[0m x\n", "{\"level\":30,\"msg\":\"connection refused\"}", "2026-11-23T03:14:00Z ", "Caused by:", strings.Repeat("econnrefused ", 200)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc := sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil, logOf("app", true, text))
		for _, ev := range []evidence.Evidence{parseNoT(doc), parseNoT(sent(nil, nil, logKey(logEntry("", "", false, text))))} {
			d := diagnose.Diagnose(ev, diagnose.Question{})
			if d.Cause == "" || d.Confidence < 0 || d.Confidence > 1 || d.Decided() && len(d.Evidence) == 0 {
				t.Errorf("%+v", d)
			}
		}
	})
}
