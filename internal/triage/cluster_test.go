package triage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// The target of scenario 1.
const (
	podName    = "api-gateway-7d9f5b8c6-x7k2m"
	replicaSet = "api-gateway-7d9f5b8c6"
	owner      = "default/production/Deployment/api-gateway/pod"
)

var pod = incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: podName}

func firing(name string, target incident.Target) incident.Event {
	return incident.Event{
		Kind: incident.AlertEvent, Source: "alertmanager", Subject: "n8n", Status: incident.Firing, Name: name,
		Episode: incident.Episode{1, name[len(name)-1], target.Name[len(target.Name)-1]}, Severity: incident.Warning,
		Target: target, Family: "pod", Message: "it is ill", StartsAt: night,
	}
}

func resolved(e incident.Event) incident.Event {
	e.Status = incident.Resolved
	return e
}

var crash = firing("KubePodCrashLooping", pod)

// aPod is how one pod of the Deployment fares.
type aPod struct {
	name, uid string
	oom       bool
	going     bool
}

var (
	illPod   = aPod{name: podName, uid: "uid-1", oom: true}
	freshPod = aPod{name: "api-gateway-7d9f5b8c6-n3w0a", uid: "uid-2"}
)

// seen is a look at the Deployment, its ReplicaSet and these pods.
func (w *world) seen(memory string, generation int, pods ...aPod) string {
	at := func(ago time.Duration) string { return w.now.Add(-ago).Format(time.RFC3339Nano) }
	var list []string
	for _, p := range pods {
		ready, restarts, state, last := true, 0, `{"running":{"startedAt":"`+at(time.Hour)+`"}}`, `{}`
		if p.oom {
			ready, restarts = false, 7
			state = `{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s restarting failed container"}}`
			last = `{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":"` + at(4*time.Minute) + `","finishedAt":"` + at(2*time.Minute) + `"}}`
		}
		deleted := ""
		if p.going {
			deleted = `,"deletionTimestamp":"` + at(0) + `"`
		}
		list = append(list, fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"production","uid":%q,"creationTimestamp":%q%s,
			"labels":{"app":"api-gateway","pod-template-hash":"7d9f5b8c6"},
			"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":%q,"uid":"rs-1","controller":true}]},
			"spec":{"restartPolicy":"Always","containers":[{"name":"app","image":"x:1","resources":{"limits":{"memory":%q}}}]},
			"status":{"phase":"Running","startTime":%q,"containerStatuses":[{"name":"app","ready":%t,"started":%t,"restartCount":%d,"image":"x:1","imageID":"","state":%s,"lastState":%s}]}}`,
			p.name, p.uid, at(time.Hour), deleted, replicaSet, memory, at(time.Hour), ready, ready, restarts, state, last))
	}
	return fmt.Sprintf(`{"observedAt":%q,"cluster":"default","events":[],"pods":[%s],
		"replicaSets":[{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":%q,"namespace":"production","uid":"rs-1",
			"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"api-gateway","uid":"dep-1","controller":true}]},
			"spec":{"selector":{"matchLabels":{"app":"api-gateway","pod-template-hash":"7d9f5b8c6"}}},"status":{"replicas":%d}}],
		"deployments":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api-gateway","namespace":"production","uid":"dep-1","generation":%d},
			"spec":{"replicas":1,"selector":{"matchLabels":{"app":"api-gateway"}},"template":{"metadata":{"labels":{"app":"api-gateway"}},
			"spec":{"containers":[{"name":"app","image":"x:1","resources":{"limits":{"memory":%q}}}]}}},"status":{"replicas":%d}}]}`,
		at(0), strings.Join(list, ","), replicaSet, len(pods), generation, memory, len(pods))
}

func (w *world) ill() string  { return w.seen("512Mi", 23, illPod) }
func (w *world) well() string { return w.seen("512Mi", 23, freshPod) }

// diagnosed is a world in which the cause is known and the decision is made.
func diagnosed(t *testing.T, policyText ...string) *world {
	t.Helper()
	w := newWorld(t, policyText...)
	w.alert(crash)
	w.run("collect.pod", w.ill())
	return w
}

// with is the default policy with one text replaced.
func with(t *testing.T, pairs ...string) string {
	t.Helper()
	src := string(policy.Default())
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(src, pairs[i]) != 1 {
			t.Fatalf("the default policy holds %q %d times", pairs[i], strings.Count(src, pairs[i]))
		}
		src = strings.Replace(src, pairs[i], pairs[i+1], 1)
	}
	return src
}

func holdPolicy(t *testing.T) string {
	return with(t, "    level: 3\n    risk: low\n", "    level: 3\n    risk: high\n")
}

func approvePolicy(t *testing.T) string {
	return with(t, "    level: 3\n    risk: low\n", "    level: 2\n    risk: low\n")
}
