package triage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
)

// crashes is a pod whose program ends by itself, and nothing says why.
func (w *world) crashes() string {
	return fmt.Sprintf(`{"observedAt":%q,"pods":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"api-gateway-7d9f5b8c6-x7k2m","namespace":"production","uid":"pod-1",
 "labels":{"pod-template-hash":"7d9f5b8c6"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-gateway-7d9f5b8c6","uid":"rs-1","controller":true}]},
 "spec":{"restartPolicy":"Always","containers":[{"name":"app","image":"shop/app:1"}]},
 "status":{"phase":"Running","containerStatuses":[{"name":"app","ready":false,"restartCount":7,"image":"shop/app:1","imageID":"",
  "state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s"}},
  "lastState":{"terminated":{"exitCode":1,"reason":"Error","finishedAt":%q}}}]}}],"events":[]}`, at(w.now), at(w.now))
}

func at(t time.Time) string { return t.Format(time.RFC3339) }

// What is decided and could be told better is asked for once; then it is acted on.
func TestTheLogIsAskedForOnce(t *testing.T) {
	for name, end := range map[string]func(*world){
		"it says nothing":   func(w *world) { w.run("collect.logs", fmt.Sprintf(`{"observedAt":%q,"logs":[]}`, at(w.now))) },
		"nobody fetches it": func(w *world) { w.advance(2*time.Minute + time.Second) },
		"it cannot be had":  func(w *world) { w.claim("collect.logs"); w.result("collect.logs", incident.ResultFailed, "") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.alert(crash)
			w.run("collect.pod", w.crashes())
			w.wantLive("collect.logs ready")
			w.wantVerdict(incident.VerdictCollect, "before anything is done about pod.startup_failed, this is asked for once: the previous log")
			if got := w.find("collect.logs", incident.Ready).Target; got.Container != "app" || got.Name != "api-gateway-7d9f5b8c6-x7k2m" {
				t.Errorf("the log of %+v is asked for", got)
			}
			end(w)
			w.wantState(incident.StateRepairing)
			w.wantVerdict(incident.VerdictRepair, "pod-crashed")
			w.find("k8s.pod.restart", incident.Ready)
			asked := 0
			for _, in := range w.facts.Intents {
				if in.Action == "collect.logs" && in.Attempt == 0 {
					asked++
				}
			}
			if asked != 1 {
				t.Errorf("the log was asked for %d times", asked)
			}
		})
	}
}

// Two looks asked for at once are one round.
func TestRoundsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.alert(crash)
	for range 10 {
		if !strings.Contains(strings.Join(w.live(), ","), "collect.pod ready") {
			break
		}
		w.run("collect.pod", fmt.Sprintf(`{"observedAt":%q,"pods":[]}`, at(w.now)))
		w.advance(time.Second)
	}
	if got, bound := w.facts.Incident.Rounds, w.policy.Settings().Evidence.Rounds; got != bound {
		t.Errorf("%d rounds, want %d", got, bound)
	}
	w.wantState(incident.StateEscalated)
	w.wantVerdict(incident.VerdictTell, "not-understood")
	if d := w.facts.Diagnosis; d.Cause != incident.CauseUnknown || len(d.Missing) == 0 {
		t.Errorf("it ended with %s, missing %q", d.Cause, d.Missing)
	}
}

// Each target is looked at by what can see it.
func TestLooksFitTheTarget(t *testing.T) {
	for name, tc := range map[string]struct {
		target incident.Target
		family string
		want   string
	}{
		"a pod":         {incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-1"}, "pod", "collect.pod"},
		"a deployment":  {incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api"}, "workload", "collect.workload"},
		"a node":        {incident.Target{Cluster: "prod", Kind: "Node", Name: "node-1"}, "node", "collect.node"},
		"a disk":        {incident.Target{Kind: "Host", Host: "web-01"}, "host", "collect.disk"},
		"a unit":        {incident.Target{Kind: "Host", Host: "web-01", Service: "nginx.service"}, "service", "collect.service"},
		"a certificate": {incident.Target{Kind: "Host", Host: "api.example.com"}, "cert", "collect.certificate"},
		"an app":        {incident.Target{Cluster: "prod", Namespace: "argocd", Kind: "Application", Name: "api"}, "deploy", "collect.gitops"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := crash
			e.Target, e.Family = tc.target, tc.family
			w.alert(e)
			w.wantLive(tc.want + " ready")
		})
	}
}
