package remedy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const (
	podUID        = "7f1c7a52-0c5e-4f0b-8f5a-0d1f7a3a9a01"
	deploymentUID = "0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11"
	replicaSetUID = "9c0f1c7e-2f0e-4c1d-a6b5-1d1a2b3c4d5e"
)

// outOfMemory is scenario 1 of the spec: evidence and diagnosis are complete.
func outOfMemory(action string) remedy.Request {
	return remedy.Request{
		Action:     action,
		HealthyFor: 2 * time.Minute, LookEvery: 30 * time.Second,
		Target:   incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m"},
		Incident: incident.Incident{Target: incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway"}},
		Diagnosis: incident.Diagnosis{
			Cause: "pod.oom_killed", Container: "app",
			Subject: incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-gateway-7d9f5b8c6-x7k2m", UID: podUID},
			Owner:   incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway", UID: deploymentUID},
		},
		Evidence: evidence.Evidence{Pods: []corev1.Pod{illPod()}, Deployments: []appsv1.Deployment{deployment("512Mi", "256Mi")}},
	}
}

func illPod() corev1.Pod {
	yes := true
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "production", Name: "api-gateway-7d9f5b8c6-x7k2m", UID: podUID,
		OwnerReferences: []metav1.OwnerReference{
			{Kind: "Watcher", Name: "no-controller"},
			{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "api-gateway-7d9f5b8c6", UID: replicaSetUID, Controller: &yes},
		},
	}}
}

// deployment has a container and a sidecar; an empty quantity is left out.
func deployment(limit, request string) appsv1.Deployment {
	app := corev1.Container{
		Name:      "app",
		Env:       []corev1.EnvVar{{Name: "DB_PASSWORD", Value: "[redacted]"}},
		Resources: corev1.ResourceRequirements{Limits: memory(limit), Requests: memory(request)},
	}
	sidecar := corev1.Container{Name: "proxy", Resources: corev1.ResourceRequirements{Limits: memory("64Mi")}}
	first := corev1.Container{Name: "migrate", Resources: corev1.ResourceRequirements{Limits: memory("100M")}}
	return appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "production", Name: "api-gateway", UID: deploymentUID, Generation: 7},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "api-gateway"}},
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				Containers: []corev1.Container{sidecar, app}, InitContainers: []corev1.Container{first},
			}},
		},
	}
}

func memory(q string) corev1.ResourceList {
	if q == "" {
		return nil
	}
	return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(q), corev1.ResourceCPU: resource.MustParse("250m")}
}

func build(t testing.TB, r remedy.Request) incident.Intent {
	t.Helper()
	in, err := remedy.Build(r)
	if err != nil {
		t.Fatalf("%s: %v", r.Action, err)
	}
	return in
}

// refused asserts the reason, and that nothing half-built came with it.
func refused(t *testing.T, r remedy.Request, reason string) {
	t.Helper()
	in, err := remedy.Build(r)
	var no *remedy.Refusal
	if !errors.As(err, &no) {
		t.Fatalf("built %s with %v, want a refusal: %s", in.Execute, err, reason)
	}
	if diff := cmp.Diff(remedy.Refusal{Action: r.Action, Reason: reason}, *no); diff != "" {
		t.Errorf("refusal (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(incident.Intent{}, in); diff != "" {
		t.Errorf("a refusal came with an intent:\n%s", diff)
	}
}

// readable lets differences within JSON be seen, and checks the plan's hash.
func readable(t *testing.T, in incident.Intent) map[string]any {
	t.Helper()
	hash, err := incident.PlanHash(in.Action, in.Target, in.Params, in.Execute)
	if err != nil || hash != in.PlanHash {
		t.Errorf("plan hash is %s, %v, want %s", in.PlanHash, err, hash)
	}
	out := map[string]any{
		"action": in.Action, "effect": in.Effect, "risk": in.Risk,
		"target": in.Target, "summary": in.Summary, "timeout": in.Timeout.String(),
	}
	for name, raw := range map[string]json.RawMessage{
		"params": in.Params, "precondition": in.Precondition, "rollback": in.Rollback, "verify": in.Verify, "execute": in.Execute,
	} {
		out[name] = decoded(t, raw)
	}
	return out
}

func decoded(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func TestCatalogue(t *testing.T) {
	var c remedy.Catalogue
	var got []remedy.Entry
	for _, action := range c.Actions() {
		e, ok := c.Entry(action)
		if !ok {
			t.Errorf("%s is listed and has no entry", action)
		}
		effect, risk, ok := c.Effect(action)
		if !ok || effect != e.Effect || risk != e.Risk {
			t.Errorf("%s: effect %s, risk %s, %t; the entry says %s, %s", action, effect, risk, ok, e.Effect, e.Risk)
		}
		if err := c.CheckParams(action, needed[action]); err != nil {
			t.Errorf("%s without parameters: %v", action, err)
		}
		got = append(got, e)
	}
	want := []remedy.Entry{
		{"k8s.pod.restart", incident.Change, incident.RiskLow, false, "one pod; disruption budgets are honoured"},
		{"k8s.deployment.resources", incident.Change, incident.RiskMedium, true, "every pod of one Deployment is replaced, as its strategy says"},
		{"notify.slack", incident.Tell, incident.RiskLow, false, "one message in one channel"},
		{"k8s.deployment.restart", incident.Change, incident.RiskMedium, false, "every pod of one workload is replaced, as its strategy says"},
		{"k8s.deployment.rollback", incident.Change, incident.RiskHigh, true, "every pod of one Deployment is replaced, as its strategy says"},
		{"k8s.deployment.scale", incident.Change, incident.RiskMedium, true, "pods are added, or taken away"},
		{"k8s.node.cordon", incident.Change, incident.RiskMedium, true, "no new pods on one node; those that run stay"},
		{"k8s.job.rerun", incident.Change, incident.RiskMedium, false, "one more Job runs"},
		{"git.pull_request", incident.Change, incident.RiskLow, true, "nothing until people merge it"},
		{"gitops.suspend", incident.Change, incident.RiskMedium, true, "Git is not followed for one application"},
		{"gitops.resume", incident.Change, incident.RiskMedium, true, "what Git says is brought back"},
		{"host.logs.clean", incident.Change, incident.RiskLow, false, "rotated logs of one host are gone"},
		{"host.logs.compress", incident.Change, incident.RiskLow, false, "rotated logs of one host are compressed"},
		{"host.coredumps.delete", incident.Change, incident.RiskLow, false, "core dumps of one host are gone"},
		{"host.service.restart", incident.Change, incident.RiskMedium, false, "one unit of one host stops for a moment"},
		{"host.service.reload", incident.Change, incident.RiskLow, false, "one unit of one host reads its configuration anew"},
		{"db.failover", incident.Change, incident.RiskHigh, false, "the database takes no writes until the new primary is up"},
		{"cert.renew", incident.Change, incident.RiskMedium, false, "one certificate is replaced, and who serves it reloads"},
		{"backup.run", incident.Change, incident.RiskLow, false, "one backup runs"},
		{"backup.verify", incident.Change, incident.RiskLow, false, "one backup is read back"},
		{"backup.extend_retention", incident.Change, incident.RiskLow, false, "backups are kept longer"},
		{"ansible.run", incident.Change, incident.RiskHigh, false, "what the playbook says, on one host"},
		{"host.disk.expand", incident.Change, incident.RiskHigh, false, "what the plan says that was looked at"},
		{"ticket.create", incident.Tell, incident.RiskLow, false, "one ticket"},
		{"notify.sms", incident.Tell, incident.RiskLow, false, "one text message"},
		{"notify.digest", incident.Tell, incident.RiskLow, false, "one line in the next digest"},
	}
	for _, collect := range []string{"pod", "logs", "workload", "node", "files", "gitops", "disk", "service", "backup", "terraform", "database", "certificate", "usage"} {
		want = append(want, remedy.Entry{Action: "collect." + collect, Effect: incident.Observe, Risk: incident.RiskLow, Reversible: true, Blast: "nothing"})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("catalogue (-want +got):\n%s", diff)
	}
}

func TestUnknownAction(t *testing.T) {
	var c remedy.Catalogue
	known := "; the catalogue has " + strings.Join(c.Actions(), ", ")
	for _, action := range []string{"", "k8s.pod.delete", "collect.*", "k8s.pod.restart\n", "' OR 1=1 --"} {
		if _, _, ok := c.Effect(action); ok {
			t.Errorf("%q has an effect", action)
		}
		if err := c.CheckParams(action, nil); err == nil || !strings.HasSuffix(err.Error(), known) {
			t.Errorf("parameters of %q: %v", action, err)
		}
	}
	refused(t, remedy.Request{Action: "k8s.pod.delete"}, `unknown action "k8s.pod.delete"`+known)
}

func TestCheckParams(t *testing.T) {
	const resources, slack = "k8s.deployment.resources", "notify.slack"
	cases := []struct {
		name, action string
		params       map[string]any
		reason       string
	}{
		{"all of resources", resources, map[string]any{"memory_factor": 1.5, "memory_ceiling_factor": uint64(4), "max_raises": int64(2), "take_ownership": true}, ""},
		{"a whole factor", resources, map[string]any{"memory_factor": 2}, ""},
		{"factor that does not raise", resources, map[string]any{"memory_factor": 1}, "memory_factor is 1: want a number from 1.01 to 4"},
		{"factor too big", resources, map[string]any{"memory_factor": 4.5}, "memory_factor is 4.5: want a number from 1.01 to 4"},
		{"factor as text", resources, map[string]any{"memory_factor": "1.5"}, `memory_factor is "1.5": want a number from 1.01 to 4`},
		{"ceiling below one", resources, map[string]any{"memory_ceiling_factor": 0.5}, "memory_ceiling_factor is 0.5: want a number from 1 to 16"},
		{"half a raise", resources, map[string]any{"max_raises": 1.5}, "max_raises is 1.5: want a whole number from 1 to 10"},
		{"no raise", resources, map[string]any{"max_raises": 0}, "max_raises is 0: want a whole number from 1 to 10"},
		{"flag as number", resources, map[string]any{"take_ownership": 1}, "take_ownership is 1: want true or false"},
		{"null", resources, map[string]any{"max_raises": nil}, "max_raises is <nil>: want a whole number from 1 to 10"},
		{"unknown", resources, map[string]any{"memory_facto": 2},
			`unknown parameter "memory_facto": there are memory_factor, memory_ceiling_factor, max_raises, take_ownership`},
		{"two problems", resources, map[string]any{"max_raises": -1, "x": 1},
			`max_raises is -1: want a whole number from 1 to 10; unknown parameter "x": there are memory_factor, memory_ceiling_factor, max_raises, take_ownership`},
		{"restart takes none", "k8s.pod.restart", map[string]any{"force": true}, `unknown parameter "force": there are none`},
		{"collect takes none", "collect.pod", map[string]any{"path": "/api/v1/secrets"}, `unknown parameter "path": there are none`},
		{"all of slack", slack, map[string]any{"channel": "#devops", "text": "hello", "thread_ts": "1712345678.123456"}, ""},
		{"channel by id", slack, map[string]any{"channel": "C0123456789"}, ""},
		{"text as number", slack, map[string]any{"text": 1}, "text is 1: want a text"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			reason := ""
			if err := (remedy.Catalogue{}).CheckParams(c.action, c.params); err != nil {
				reason = err.Error()
			}
			if reason != c.reason {
				t.Errorf("refused with %q, want %q", reason, c.reason)
			}
			if c.reason != "" {
				r := outOfMemory(c.action)
				r.Params = c.params
				refused(t, r, c.reason)
			}
		})
	}
}

func TestClusters(t *testing.T) {
	cases := []struct{ name, target, home, reason string }{
		{"the incident's", "", "prod", ""},
		{"the target's", "arn:aws:eks:eu-1:12:cluster/prod", "", ""},
		{"none", "", "", "no cluster is known"},
		{"another than the incident's", "staging", "prod", `the incident is in cluster "prod", the target in "staging"`},
		{"an expression", "={{$env.KEY}}", "", `cluster "={{$env.KEY}}" is not a name: at most 253 letters, digits and . _ : / @ -`},
		{"a line break", "prod\n", "", `cluster "prod\n" is not a name: at most 253 letters, digits and . _ : / @ -`},
		{"letters beyond", "prоd", "", `cluster "prоd" is not a name: at most 253 letters, digits and . _ : / @ -`},
	}
	for _, action := range []string{"k8s.pod.restart", "k8s.deployment.resources", "collect.pod"} {
		for _, c := range cases {
			t.Run(action+" "+c.name, func(t *testing.T) {
				r := outOfMemory(action)
				r.Target.Cluster, r.Diagnosis.Subject.Cluster, r.Diagnosis.Owner.Cluster = c.target, c.target, c.target
				r.Incident.Target.Cluster = c.home
				if c.reason != "" {
					refused(t, r, c.reason)
					return
				}
				in := build(t, r)
				var shape struct{ Cluster string }
				if err := json.Unmarshal(in.Execute, &shape); err != nil || shape.Cluster != c.target+c.home || in.Target.Cluster != shape.Cluster {
					t.Errorf("cluster is %q and %q, want %q", shape.Cluster, in.Target.Cluster, c.target+c.home)
				}
			})
		}
	}
}

// needed are the parameters without which an action says nothing.
var needed = map[string]map[string]any{
	"k8s.deployment.scale": {"add": 2}, "ansible.run": {"playbook": "harden"}, "host.disk.expand": {"workspace": "prod"},
	"notify.digest": {"channel": "#devops", "text": "a < b"}, "notify.slack": {"channel": "#devops", "text": "a < b"},
}

// The same request gives the same intent, and building changes none of the evidence.
func TestBuildIsPure(t *testing.T) {
	for _, action := range (remedy.Catalogue{}).Actions() {
		r := onHost(action)
		if strings.HasPrefix(action, "k8s.") || strings.HasPrefix(action, "git") || strings.HasPrefix(action, "collect.") {
			r = rolledOut(action)
			r.Params = needed[action]
		}
		switch action {
		case "collect.disk", "collect.service", "collect.backup", "collect.database", "collect.terraform":
			r.Target = incident.Target{Kind: "Host", Host: "web-01"}
		case "collect.certificate":
			r.Target.Kind = "Certificate"
		case "collect.gitops":
			r.Target.Kind = "Application"
		case "git.pull_request", "collect.files":
			r = inGit(action)
		case "k8s.node.cordon":
			r.Diagnosis.Subject = incident.Target{Cluster: "prod", Kind: "Node", Name: "node-1"}
		case "k8s.job.rerun":
			r.Diagnosis.Subject = incident.Target{Cluster: "prod", Namespace: "production", Kind: "Job", Name: "migrate"}
		}
		first, second := build(t, r), build(t, r)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s differs the second time:\n%s", action, diff)
		}
		if diff := cmp.Diff(rolledOut(action).Evidence.Deployments, r.Evidence.Deployments); diff != "" {
			t.Errorf("%s changed the evidence:\n%s", action, diff)
		}
		var shape struct {
			TimeoutSeconds int `json:"timeout_seconds"`
		}
		if err := json.Unmarshal(first.Execute, &shape); err != nil || time.Duration(shape.TimeoutSeconds)*time.Second != first.Timeout {
			t.Errorf("%s: timeout_seconds is %d, the intent's %s", action, shape.TimeoutSeconds, first.Timeout)
		}
	}
}
