package diagnose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// now is when all evidence of these tests was observed.
var now = time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC)

const minute = time.Minute

// ago is an RFC 3339 time before now.
func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

// pod is a pod as kubectl prints it. Empty parts have the usual value.
type pod struct {
	name, uid, labels, owner, meta string
	age                            time.Duration // default an hour
	spec                           string        // members of spec besides containers
	containers, phase, status      string        // containers: array elements; status: members
	statuses                       []string
}

const apiPod = "api-gateway-7d9f5b8c6-x7k2m"

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (p pod) json() string {
	if p.age == 0 {
		p.age = time.Hour
	}
	name := or(p.name, apiPod)
	owner := or(p.owner, `{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-gateway-7d9f5b8c6","uid":"rs-1","controller":true,"blockOwnerDeletion":true}`)
	if owner == "none" {
		owner = ""
	}
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"production","uid":%q,"creationTimestamp":%q,
  "labels":{"app":"api-gateway","pod-template-hash":"7d9f5b8c6"%s},"ownerReferences":[%s]%s},
 "spec":{"nodeName":"node-1","containers":[%s]%s},
 "status":{"phase":%q,"startTime":%q,"qosClass":"Burstable","containerStatuses":[%s]%s}}`,
		name, or(p.uid, "uid-"+name), ago(p.age), p.labels, owner, p.meta,
		or(p.containers, app("")), p.spec,
		or(p.phase, "Running"), ago(p.age), strings.Join(p.statuses, ","), p.status)
}

// app is the spec of container app, with more members.
func app(more string) string { return box("app", more) }

func box(name, more string) string {
	return fmt.Sprintf(`{"name":%q,"image":"registry.example.com/shop/%s:1.2.3","imagePullPolicy":"IfNotPresent"%s}`, name, name, more)
}

const probes = `,"livenessProbe":{"httpGet":{"path":"/healthz","port":8080},"periodSeconds":10,"failureThreshold":3},"readinessProbe":{"httpGet":{"path":"/ready","port":8080},"periodSeconds":10,"failureThreshold":3}`

const startupProbe = `,"startupProbe":{"httpGet":{"path":"/healthz","port":8080},"periodSeconds":10,"failureThreshold":30}`

// st is a container status.
func st(name string, ready bool, restarts int, state, last string) string {
	return fmt.Sprintf(`{"name":%q,"ready":%t,"started":%t,"restartCount":%d,"image":"registry.example.com/shop/%s:1.2.3","imageID":"","state":%s,"lastState":%s}`,
		name, ready, strings.HasPrefix(state, `{"running"`), restarts, name, state, or(last, "{}"))
}

func running(since time.Duration) string {
	return fmt.Sprintf(`{"running":{"startedAt":%q}}`, ago(since))
}

func waiting(reason, message string) string {
	return fmt.Sprintf(`{"waiting":{"reason":%q,"message":%q}}`, reason, message)
}

const crashLoop = `{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s restarting failed container=app pod=api-gateway-7d9f5b8c6-x7k2m_production(uid)"}}`

// ended is a termination that began a minute before it finished.
func ended(reason string, code int, finished time.Duration) string {
	return fmt.Sprintf(`{"terminated":{"exitCode":%d,"reason":%q,"startedAt":%q,"finishedAt":%q,"containerID":"containerd://1"}}`,
		code, reason, ago(finished+time.Minute), ago(finished))
}

// event is a core/v1 event on apiPod; about is the container.
func event(about, kind, reason, message string, count int, last time.Duration) string {
	return eventOn(apiPod, about, kind, reason, message, count, last)
}

func eventOn(podName, about, kind, reason, message string, count int, last time.Duration) string {
	path := ""
	if about != "" {
		path = fmt.Sprintf(`,"fieldPath":"spec.containers{%s}"`, about)
	}
	uid := fmt.Sprintf("%s-%s-%d-%d-%s", podName, reason, last, len(message), about)
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Event","metadata":{"name":%q,"namespace":"production","uid":%q},
 "involvedObject":{"apiVersion":"v1","kind":"Pod","name":%q,"namespace":"production","uid":%q%s},
 "type":%q,"reason":%q,"message":%q,"count":%d,"firstTimestamp":%q,"lastTimestamp":%q,"source":{"component":"kubelet","host":"node-1"}}`,
		podName+"."+reason, uid, podName, "uid-"+podName, path, kind, reason, message, count, ago(last+time.Hour), ago(last))
}

func warn(about, reason, message string, count int, last time.Duration) string {
	return event(about, "Warning", reason, message, count, last)
}

// sent puts together the keys of one evidence document.
func sent(pods []string, events []string, more ...string) string {
	parts := []string{fmt.Sprintf(`"observedAt":%q,"cluster":"prod-eu"`, ago(0))}
	if pods != nil {
		parts = append(parts, `"pods":[`+strings.Join(pods, ",")+`]`)
	}
	if events != nil {
		parts = append(parts, `"events":{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[`+strings.Join(events, ",")+`]}`)
	}
	return "{" + strings.Join(append(parts, more...), ",") + "}"
}

const ownersJSON = `"replicaSets":[{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"api-gateway-7d9f5b8c6","namespace":"production","uid":"rs-1","generation":1,"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"api-gateway","uid":"dep-1","controller":true}]},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"api-gateway","pod-template-hash":"7d9f5b8c6"}}},"status":{"replicas":3}}],
"deployments":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api-gateway","namespace":"production","uid":"dep-1","generation":24},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"api-gateway"}},"template":{}},"status":{"replicas":3}}`

func parse(t testing.TB, doc string) evidence.Evidence {
	t.Helper()
	ev, problems := evidence.Parse(json.RawMessage(doc), now)
	if len(problems) > 0 {
		t.Fatalf("evidence has problems: %v\n%s", problems, doc)
	}
	return ev
}

func aboutPod(name string) diagnose.Question {
	return diagnose.Question{Family: "pod", Target: incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Pod", Name: name}}
}

func aboutDeployment() diagnose.Question {
	return diagnose.Question{Family: "pod", Target: incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Deployment", Name: "api-gateway"}}
}

func one(p pod) []string { return []string{p.json()} }
