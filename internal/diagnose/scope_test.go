package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

func readyPod(name string) string {
	return pod{name: name, statuses: []string{st("app", true, 0, running(time.Hour), "")}}.json()
}

func oomPod(name string) string {
	return pod{name: name, statuses: []string{st("app", false, 7, crashLoop, ended("OOMKilled", 137, time.Minute))}}.json()
}

func TestTargets(t *testing.T) {
	const sibling = "api-gateway-7d9f5b8c6-aaaaa"
	going := pod{meta: `,"deletionTimestamp":"` + ago(time.Second) + `"`, statuses: []string{st("app", false, 0, ended("Error", 137, time.Second), "")}}.json()
	stranger := pod{name: "other-1", owner: "none", labels: `,"app":"other"`, statuses: []string{st("app", false, 7, crashLoop, ended("OOMKilled", 137, time.Minute))}}.json()
	target := func(kind, name string) diagnose.Question {
		return diagnose.Question{Family: "pod", Target: incident.Target{Namespace: "production", Kind: kind, Name: name}}
	}
	runDiseases(t, []diseaseCase{
		{name: "a deployment is as ill as its worst pod", ask: aboutDeployment(), cause: "pod.oom_killed", container: "app", says: "1 of 2 pods are affected",
			doc: sent([]string{readyPod(sibling), oomPod(apiPod)}, nil, ownersJSON)},
		{name: "a deployment with ready pods is healthy", ask: aboutDeployment(), cause: "healthy", says: "2 of 2 pods ready",
			doc: sent([]string{readyPod(sibling), readyPod(apiPod)}, nil, ownersJSON)},
		{name: "a deployment by the template hash alone", ask: aboutDeployment(), cause: "pod.oom_killed", container: "app",
			doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "a replica set", ask: target("ReplicaSet", "api-gateway-7d9f5b8c6"), cause: "pod.oom_killed", container: "app", doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "pods without owner count by selector", ask: aboutDeployment(), cause: "pod.oom_killed", container: "app",
			doc: sent([]string{pod{owner: "none", statuses: []string{st("app", false, 7, crashLoop, ended("OOMKilled", 137, time.Minute))}}.json()}, nil, ownersJSON)},
		{name: "an empty selector matches nothing", ask: aboutDeployment(), cause: "unknown", says: "the pod JSON",
			doc: sent([]string{stranger}, nil, `"deployments":{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"api-gateway","namespace":"production"},"spec":{"selector":{}}}`)},
		{name: "the pod that was asked about is the only one that counts", cause: "healthy", doc: sent([]string{readyPod(apiPod), oomPod(sibling)}, nil, ownersJSON)},
		{name: "a deleted pod's siblings answer for it", cause: "healthy", says: "is not there any more", doc: sent([]string{readyPod(sibling)}, nil, ownersJSON)},
		{name: "a deleted pod's siblings, by names alone", cause: "pod.oom_killed", container: "app", says: "is not there any more", doc: sent([]string{oomPod(sibling)}, nil)},
		{name: "a pod on its way out is replaced by its siblings", cause: "healthy", says: "is not there any more", doc: sent([]string{going, readyPod(sibling)}, nil, ownersJSON)},
		{name: "strangers do not answer for a deleted pod", cause: "unknown", says: "the pod JSON", doc: sent([]string{stranger}, nil)},
		{name: "a pod of another namespace is another pod", ask: diagnose.Question{Target: incident.Target{Namespace: "staging", Kind: "Pod", Name: apiPod}}, cause: "unknown", doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "a deployment of a like name does not answer for it", ask: aboutPod("api-gateway-worker-5d8f9c7b6d-abcde"), cause: "unknown", says: "the pod JSON", doc: sent([]string{oomPod(sibling)}, nil, ownersJSON)},
		{name: "a name that no deployment gives", ask: aboutPod("api-gateway-solo"), cause: "unknown", says: "the pod JSON", doc: sent([]string{oomPod(sibling)}, nil, ownersJSON)},
		{name: "a name in two namespaces", ask: diagnose.Question{Target: incident.Target{Kind: "Pod", Name: apiPod}}, cause: "unknown", says: "the namespace of " + apiPod,
			doc: sent([]string{oomPod(apiPod), strings.Replace(oomPod(apiPod), `"namespace":"production"`, `"namespace":"staging"`, 1)}, nil)},
		{name: "no target: the evidence is the target", ask: diagnose.Question{Family: "pod"}, cause: "pod.oom_killed", container: "app", doc: sent([]string{oomPod(apiPod), readyPod(sibling)}, nil)},
		{name: "a service with pods as evidence", ask: diagnose.Question{Target: incident.Target{Service: "api"}, Family: "pod"}, cause: "pod.oom_killed", container: "app", doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "a host is not judged by pods", ask: diagnose.Question{Target: incident.Target{Host: "web-01"}, Family: "host"}, cause: "unknown", says: "core dumps of web-01", doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "a node is not judged by pods", ask: diagnose.Question{Target: incident.Target{Kind: "Node", Name: "node-1"}, Family: "node"}, cause: "unknown", doc: sent([]string{oomPod(apiPod)}, nil)},
		{name: "nothing at all", ask: diagnose.Question{Family: "pod"}, cause: "unknown", says: "namespace, kind and name", doc: `{}`},
		{name: "a job that succeeded at the second try is healthy", ask: target("Job", "import"), cause: "healthy", says: "1 completed", doc: sent([]string{
			jobPod("import-aaaaa", "Failed", 20*time.Minute, ended("Error", 1, 15*time.Minute)), jobPod("import-bbbbb", "Succeeded", 10*time.Minute, ended("Completed", 0, 5*time.Minute))}, nil)},
		{name: "an evicted pod that was replaced does not count", ask: aboutDeployment(), cause: "healthy", doc: sent([]string{
			pod{name: sibling, age: 2 * time.Hour, phase: "Failed", status: `,"reason":"Evicted"`}.json(), readyPod(apiPod)}, nil)},
		{name: "the container that was asked about comes first among equals", cause: "pod.startup_failed", container: "b",
			ask: diagnose.Question{Target: incident.Target{Namespace: "production", Kind: "Pod", Name: apiPod, Container: "b"}},
			doc: sent(one(pod{containers: box("a", "") + "," + box("b", ""), statuses: []string{
				st("a", false, 5, crashLoop, ended("Error", 1, time.Minute)), st("b", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil)},
	})
}

func jobPod(name, phase string, age time.Duration, state string) string {
	return pod{name: name, age: age, phase: phase, spec: `,"restartPolicy":"Never"`, statuses: []string{st("app", false, 0, state, "")},
		owner: `{"apiVersion":"batch/v1","kind":"Job","name":"import","uid":"job-1","controller":true}`}.json()
}

func TestSubjectAndOwner(t *testing.T) {
	rs := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "ReplicaSet", Name: "api-gateway-7d9f5b8c6", UID: "rs-1"}
	dep := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Deployment", Name: "api-gateway", UID: "dep-1"}
	complete := dep
	complete.Generation = 24
	onlyRS, _, _ := strings.Cut(ownersJSON, ",\n\"deployments\"")
	for _, tc := range []struct {
		name string
		more []string
		want incident.Target
	}{
		{"pod alone: what its owner reference says", nil, rs},
		{"replica set too: what its owner reference says", []string{onlyRS}, dep},
		{"an owner of another life does not count", []string{strings.ReplaceAll(ownersJSON, `"uid":"rs-1"`, `"uid":"rs-0"`)}, rs},
		{"all of them: with UID and generation", []string{ownersJSON}, complete},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := diagnose.Diagnose(parse(t, sent([]string{oomPod(apiPod)}, nil, tc.more...)), aboutPod(apiPod))
			subject := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Pod", Name: apiPod, UID: "uid-" + apiPod, Container: "app"}
			if diff := cmp.Diff([]incident.Target{subject, tc.want}, []incident.Target{d.Subject, d.Owner}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWants(t *testing.T) {
	kill137 := pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 137, time.Minute))}}
	target := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: "Pod", Name: apiPod}
	seen := target
	seen.UID, seen.Container = "uid-"+apiPod, "app"
	for _, tc := range []struct {
		name string
		doc  string
		ask  diagnose.Question
		want []incident.Want
	}{
		{"nothing yet: the pod is wanted", `{}`, aboutPod(apiPod), []incident.Want{{Action: "collect.pod", Target: target}}},
		{"events were never asked for", sent(one(kill137), nil), aboutPod(apiPod), []incident.Want{{Action: "collect.pod", Target: seen}}},
		{"events are there and do not decide", sent(one(kill137), []string{}), aboutPod(apiPod), nil},
		{"a decided diagnosis wants nothing", sent([]string{oomPod(apiPod)}, nil), aboutPod(apiPod), nil},
		{"without a namespace nothing can be fetched", `{}`, diagnose.Question{Target: incident.Target{Kind: "Pod", Name: apiPod}}, nil},
		{"of a host nothing is known to ask for", `{}`, diagnose.Question{Target: incident.Target{Host: "web-01"}}, nil},
		{"a host's disk is asked of the host", `{}`, diagnose.Question{Target: incident.Target{Host: "web-01"}, Family: "host"}, []incident.Want{{Action: "collect.disk", Target: incident.Target{Host: "web-01"}}}},
		{"a node is asked for by name", `{}`, diagnose.Question{Target: incident.Target{Cluster: "prod-eu", Kind: "Node", Name: "node-1"}}, []incident.Want{{Action: "collect.node", Target: incident.Target{Cluster: "prod-eu", Kind: "Node", Name: "node-1"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := diagnose.Diagnose(parse(t, tc.doc), tc.ask)
			if diff := cmp.Diff(tc.want, d.Wants); diff != "" {
				t.Error(diff)
			}
			if !d.Decided() && len(d.Missing) == 0 {
				t.Error("unknown, and nothing is missing")
			}
		})
	}
}

// The first hypothesis is named where nothing decides, and nowhere else.
func TestSuspicion(t *testing.T) {
	q := diagnose.Question{Target: incident.Target{Host: "web-01"}, Family: "host", Hypothesis: "host.disk_full"}
	want := []incident.Alternative{{Cause: "host.disk_full", Confidence: 0.35}}
	if diff := cmp.Diff(want, diagnose.Diagnose(parse(t, `{}`), q).Alternatives); diff != "" {
		t.Error(diff)
	}
	q.Target = aboutPod(apiPod).Target
	if got := diagnose.Diagnose(parse(t, sent([]string{oomPod(apiPod)}, nil)), q).Alternatives; len(got) > 1 {
		t.Errorf("a decided diagnosis still suspects: %v", got)
	}
}

func TestSelector(t *testing.T) {
	full := parse(t, sent([]string{oomPod(apiPod)}, nil, ownersJSON))
	empty := parse(t, `{"deployments":{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"api-gateway","namespace":"production"},"spec":{"selector":{}}}}`)
	for _, tc := range []struct {
		name   string
		ev     evidence.Evidence
		target incident.Target
		want   string
	}{
		{"deployment", full, aboutDeployment().Target, "app=api-gateway"},
		{"pod: that of its top controller", full, aboutPod(apiPod).Target, "app=api-gateway"},
		{"a pod that is gone: that of its siblings", full, aboutPod("api-gateway-7d9f5b8c6-zzzzz").Target, "app=api-gateway"},
		{"replica set", full, incident.Target{Namespace: "production", Kind: "ReplicaSet", Name: "api-gateway-7d9f5b8c6"}, "app=api-gateway,pod-template-hash=7d9f5b8c6"},
		{"another namespace", full, incident.Target{Namespace: "staging", Kind: "Deployment", Name: "api-gateway"}, ""},
		{"an empty selector is none", empty, aboutDeployment().Target, ""},
		{"unknown", evidence.Evidence{}, aboutPod(apiPod).Target, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := diagnose.Selector(tc.ev, tc.target); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
