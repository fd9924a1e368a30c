package remedy_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

// rolledOut is a Deployment at revision 24 whose last good one, 23, still serves,
// beside a node, a failed Job and the Argo CD application that brings all of it.
func rolledOut(action string) remedy.Request {
	r := outOfMemory(action)
	d := &r.Evidence.Deployments[0]
	d.Annotations = map[string]string{"deployment.kubernetes.io/revision": "24"}
	four := int32(4)
	d.Spec.Replicas, d.Status.ReadyReplicas = &four, 3
	r.Evidence.ReplicaSets = []appsv1.ReplicaSet{replicaSet("22", "api:1.2.2", 0), replicaSet("24", "api:1.2.4", 0), replicaSet("23", "api:1.2.3", 3)}
	r.Evidence.Nodes = []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "node-1", UID: "node-uid"}}}
	r.Evidence.Jobs = []batchv1.Job{{
		ObjectMeta: metav1.ObjectMeta{Namespace: "production", Name: "migrate", UID: "0123456789abcdef", Labels: map[string]string{"app": "migrate", "controller-uid": "x"}},
		Spec: batchv1.JobSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"controller-uid": "x"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "migrate", "batch.kubernetes.io/job-name": "migrate"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "migrate", Image: "api:1"}}},
			},
		},
	}}
	r.Evidence.GitOps = []evidence.GitOps{{Kind: "Application", Namespace: "argocd", Name: "api", AutoSync: true,
		Resources: []evidence.GitOpsResource{{Kind: "Deployment", Namespace: "production", Name: "api-gateway"}}}}
	return r
}

func replicaSet(revision, image string, ready int32) appsv1.ReplicaSet {
	yes := true
	return appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "production", Name: "api-gateway-" + revision, UID: types.UID("rs-uid-" + revision),
			Annotations:     map[string]string{"deployment.kubernetes.io/revision": revision},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Name: "api-gateway", UID: deploymentUID, Controller: &yes}},
		},
		Spec:   appsv1.ReplicaSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}}}}},
		Status: appsv1.ReplicaSetStatus{ReadyReplicas: ready},
	}
}

// recommended is a scale by what POST /v1/capacity made of a use.
func recommended(now, then float64, bounds map[string]any) func(*remedy.Request) {
	return func(r *remedy.Request) {
		r.Params = map[string]any{"recommended": true}
		maps.Copy(r.Params, bounds)
		r.Evidence.HPAs = []autoscalingv2.HorizontalPodAutoscaler{}
		r.Evidence.Usages = []evidence.Usage{{Namespace: "production", Kind: "Deployment", Name: "api-gateway", Measured: map[string]evidence.Number{
			evidence.PresentReplicas: evidence.Of(now), evidence.RecommendedReplicas: evidence.Of(then),
		}}}
	}
}

// part reads one member of an intent's part by its path of keys.
func part(t *testing.T, raw json.RawMessage, path ...string) any {
	t.Helper()
	return member(raw, path...)
}

func member(raw json.RawMessage, path ...string) any {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func TestChangesWithinACluster(t *testing.T) {
	for _, c := range []struct {
		action  string
		change  func(*remedy.Request)
		summary string
		execute map[string]any // by path
		undo    string         // the summary of its rollback
	}{
		{"k8s.deployment.restart", nil, "Restart Deployment production/api-gateway; its pods are replaced step by step.", map[string]any{
			"method": "PATCH", "path": "/apis/apps/v1/namespaces/production/deployments/api-gateway?fieldManager=salve&force=true",
			"body.metadata.uid": deploymentUID, "watch.until": "ready",
			"body.spec.template.metadata.annotations.kubectl~kubernetes~io/restartedAt": "by salve after generation 7",
		}, ""},
		{"k8s.deployment.rollback", nil, "Roll back Deployment production/api-gateway from revision 24 to 23 (api:1.2.3); its pods are replaced step by step.", map[string]any{
			"shape": "rollback", "deployment": "api-gateway", "deployment_uid": deploymentUID, "replica_set": "api-gateway-23", "replica_set_uid": "rs-uid-23",
			"revision": 23.0, "cluster": "prod", "namespace": "production",
		}, "Bring Deployment production/api-gateway forward again to revision 24."},
		{"k8s.deployment.rollback", func(r *remedy.Request) { r.Evidence.ReplicaSets[2].Status.ReadyReplicas = 0 },
			"Roll back Deployment production/api-gateway from revision 24 to 23 (api:1.2.3); its pods are replaced step by step.",
			map[string]any{"revision": 23.0}, "Bring Deployment production/api-gateway forward again to revision 24."},
		{"k8s.deployment.rollback", func(r *remedy.Request) {
			r.Evidence.ReplicaSets[0].Status.ReadyReplicas, r.Evidence.ReplicaSets[2].Status.ReadyReplicas = 1, 0
		},
			"Roll back Deployment production/api-gateway from revision 24 to 22 (api:1.2.2); its pods are replaced step by step.",
			map[string]any{"revision": 22.0}, "Bring Deployment production/api-gateway forward again to revision 24."},
		{"k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 2} }, "Scale Deployment production/api-gateway from 4 to 6 replicas.",
			map[string]any{"body.spec.replicas": 6.0}, "Scale Deployment production/api-gateway back to 4 replicas."},
		{"k8s.deployment.scale", recommended(4, 7, nil), "Scale Deployment production/api-gateway from 4 to 7 replicas.",
			map[string]any{"body.spec.replicas": 7.0}, "Scale Deployment production/api-gateway back to 4 replicas."},
		{"k8s.deployment.scale", recommended(4, 70, map[string]any{"max": 6}), "Scale Deployment production/api-gateway from 4 to 6 replicas.",
			map[string]any{"body.spec.replicas": 6.0}, "Scale Deployment production/api-gateway back to 4 replicas."},
		{"k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 20, "max": 5} }, "Scale Deployment production/api-gateway from 4 to 5 replicas.",
			map[string]any{"body.spec.replicas": 5.0}, "Scale Deployment production/api-gateway back to 4 replicas."},
		{"k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"replicas": 2, "min": 3} }, "Scale Deployment production/api-gateway from 4 to 3 replicas.",
			map[string]any{"body.spec.replicas": 3.0}, "Scale Deployment production/api-gateway back to 4 replicas."},
		{"k8s.node.cordon", func(r *remedy.Request) {
			r.Diagnosis.Subject = incident.Target{Cluster: "prod", Kind: "Node", Name: "node-1"}
		},
			"Cordon node node-1: it takes no new pods; those that run stay.", map[string]any{
				"path": "/api/v1/nodes/node-1?fieldManager=salve&force=true", "body.spec.unschedulable": true, "body.metadata.uid": "node-uid", "body.apiVersion": "v1",
			}, "Uncordon node node-1."},
		{"k8s.job.rerun", func(r *remedy.Request) {
			r.Diagnosis.Subject = incident.Target{Cluster: "prod", Namespace: "production", Kind: "Job", Name: "migrate"}
		}, "Run Job production/migrate once more, as migrate-rerun-01234567.", map[string]any{
			"method": "POST", "path": "/apis/batch/v1/namespaces/production/jobs?fieldManager=salve", "body.metadata.name": "migrate-rerun-01234567",
			"body.spec.selector": nil, "body.spec.template.metadata.labels": map[string]any{"app": "migrate"}, "body.metadata.labels": map[string]any{"app": "migrate"},
		}, ""},
		{"gitops.suspend", nil, "Suspend Application argocd/api: Git is not followed until it is resumed.", map[string]any{
			"path": "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/api?fieldManager=salve", "content_type": "application/merge-patch+json",
			"body.metadata.annotations.argocd~argoproj~io/skip-reconcile": "true",
		}, "Resume Application argocd/api: Git is followed again."},
		{"gitops.resume", func(r *remedy.Request) { r.Evidence.GitOps[0].Kind = "Kustomization" }, "Resume Kustomization argocd/api: Git is followed again.",
			map[string]any{"body.spec.suspend": false}, "Suspend Kustomization argocd/api: Git is not followed until it is resumed."},
	} {
		r := rolledOut(c.action)
		if c.change != nil {
			c.change(&r)
		}
		in := build(t, r)
		if in.Summary != c.summary {
			t.Errorf("%s: %q, want %q", c.action, in.Summary, c.summary)
		}
		for path, want := range c.execute {
			keys := strings.Split(path, ".")
			for i := range keys {
				keys[i] = strings.ReplaceAll(keys[i], "~", ".")
			}
			if diff := cmp.Diff(want, part(t, in.Execute, keys...)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.action, path, diff)
			}
		}
		back, err := remedy.Rollback(in)
		switch {
		case c.undo == "" && err == nil, c.undo != "" && (err != nil || back.Summary != c.undo || back.PlanHash == in.PlanHash):
			t.Errorf("%s is undone by %q, %v; want %q", c.action, back.Summary, err, c.undo)
		case c.undo != "" && (back.Timeout != in.Timeout || back.Target.Generation != 0):
			t.Errorf("%s: its rollback has %s and %+v", c.action, back.Timeout, back.Target)
		}
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	node := func(r *remedy.Request) {
		r.Diagnosis.Subject = incident.Target{Cluster: "prod", Kind: "Node", Name: "node-1"}
	}
	job := func(r *remedy.Request) {
		r.Diagnosis.Subject = incident.Target{Cluster: "prod", Namespace: "production", Kind: "Job", Name: "migrate"}
	}
	yes := true
	for _, c := range []struct {
		name, action string
		change       func(*remedy.Request)
		reason       string
	}{
		{"no workload", "k8s.deployment.restart", func(r *remedy.Request) { r.Evidence = evidence.Evidence{} }, "the evidence does not hold production/Deployment/api-gateway"},
		{"another of that name", "k8s.deployment.restart", func(r *remedy.Request) { r.Evidence.Deployments[0].UID = "new" },
			"the evidence holds another Deployment production/api-gateway: its UID is new, the owner is " + deploymentUID},
		{"no revision", "k8s.deployment.rollback", func(r *remedy.Request) { r.Evidence.Deployments[0].Annotations = nil },
			"the evidence does not say which revision Deployment api-gateway is at"},
		{"nothing older", "k8s.deployment.rollback", func(r *remedy.Request) { r.Evidence.ReplicaSets = r.Evidence.ReplicaSets[1:2] },
			"the evidence holds no older revision of Deployment api-gateway than 24 to go back to"},
		{"somebody else's ReplicaSets", "k8s.deployment.rollback", func(r *remedy.Request) {
			for i := range r.Evidence.ReplicaSets {
				r.Evidence.ReplicaSets[i].OwnerReferences[0].UID = "else"
			}
		}, "the evidence does not hold the ReplicaSet of revision 24 of Deployment api-gateway"},
		{"a name that is a path", "k8s.deployment.rollback", func(r *remedy.Request) { r.Evidence.ReplicaSets[2].Name = "../../x" },
			`ReplicaSet name "../../x"`},
		{"scaled by itself", "k8s.deployment.scale", func(r *remedy.Request) {
			r.Params = map[string]any{"add": 1}
			r.Evidence.HPAs = []autoscalingv2.HorizontalPodAutoscaler{{
				ObjectMeta: metav1.ObjectMeta{Namespace: "production", Name: "api"},
				Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "api-gateway"}},
			}}
		}, "autoscaler api owns the replicas of Deployment production/api-gateway: its bounds are what may be changed"},
		{"at its bound", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 1, "max": 4} },
			"Deployment production/api-gateway has 4 replicas already, within 1 and 4"},
		{"over its bound", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 1, "max": 3} },
			"Deployment production/api-gateway has 4 replicas already, over max, which is 3"},
		{"under its bound", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": -1, "min": 6} },
			"Deployment production/api-gateway has 4 replicas already, under min, which is 6"},
		{"recommended, and over the bound", "k8s.deployment.scale", recommended(4, 7, map[string]any{"max": 2}), "over max, which is 2"},
		{"recommended for another size", "k8s.deployment.scale", recommended(3, 5, nil), "5 replicas are recommended for Deployment production/api-gateway where it has 3, and it has 4"},
		{"fewer recommended", "k8s.deployment.scale", recommended(4, 2, nil), "2 are recommended for Deployment production/api-gateway, which has 4: not more"},
		{"half a replica recommended", "k8s.deployment.scale", recommended(4, 4.5, nil), "not more"},
		{"nobody looked for autoscalers", "k8s.deployment.scale", func(r *remedy.Request) { recommended(4, 7, nil)(r); r.Evidence.HPAs = nil }, "nobody looked whether an autoscaler owns"},
		{"recommended for another", "k8s.deployment.scale", func(r *remedy.Request) { recommended(4, 7, nil)(r); r.Evidence.Usages[0].Name = "other" },
			"nothing in the evidence says how many replicas Deployment production/api-gateway should have"},
		{"both ways", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 1, "replicas": 4} }, "give one of replicas, add and recommended"},
		{"not a node", "k8s.node.cordon", nil, `the diagnosis is about "Pod", not about a Node`},
		{"cordoned already", "k8s.node.cordon", func(r *remedy.Request) { node(r); r.Evidence.Nodes[0].Spec.Unschedulable = true }, "node node-1 takes no new pods already"},
		{"a CronJob's", "k8s.job.rerun", func(r *remedy.Request) {
			job(r)
			r.Evidence.Jobs[0].OwnerReferences = []metav1.OwnerReference{{Kind: "CronJob", Name: "nightly", Controller: &yes}}
		}, "job migrate belongs to CronJob nightly, which makes the next one by itself"},
		{"still running", "k8s.job.rerun", func(r *remedy.Request) { job(r); r.Evidence.Jobs[0].Status.Active = 1 }, "job migrate still runs"},
		{"a secret was left out", "k8s.job.rerun", func(r *remedy.Request) {
			job(r)
			r.Evidence.Jobs[0].Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "[redacted]"}}
		}, "its execute would hold [redacted]"},
		{"nobody brings it", "gitops.suspend", func(r *remedy.Request) { r.Evidence.GitOps = nil }, "the evidence shows 0 Argo CD or Flux objects"},
		{"a hostile name", "gitops.suspend", func(r *remedy.Request) { r.Evidence.GitOps[0].Name = "a/b" }, `Application name "a/b"`},
	} {
		r := rolledOut(c.action)
		if c.change != nil {
			c.change(&r)
		}
		if _, err := remedy.Build(r); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", c.name, err, c.reason)
		}
	}
}

func TestBlast(t *testing.T) {
	pct := func(s string) *intstr.IntOrString { v := intstr.Parse(s); return &v }
	strategy := func(unavailable, surge string) func(*remedy.Request) {
		return func(r *remedy.Request) {
			r.Evidence.Deployments[0].Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxUnavailable: pct(unavailable), MaxSurge: pct(surge)}
		}
	}
	ready := func(r *remedy.Request) {
		r.Evidence.Pods[0].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	for _, c := range []struct {
		name, action               string
		change                     func(*remedy.Request)
		unavailable, replicas, now int
		known                      bool
	}{
		{"a pod that does not serve", "k8s.pod.restart", nil, 0, 0, 0, true},
		{"a pod that serves", "k8s.pod.restart", ready, 1, 4, 3, true},
		{"a pod nobody saw", "k8s.pod.restart", func(r *remedy.Request) { r.Evidence.Pods = nil }, 0, 0, 0, false},
		{"a pod whose workload nobody saw", "k8s.pod.restart", func(r *remedy.Request) { ready(r); r.Evidence.Deployments = nil }, 0, 0, 0, false},
		{"a quarter", "k8s.deployment.restart", nil, 1, 4, 3, true},
		{"half", "k8s.deployment.rollback", strategy("50%", "25%"), 2, 4, 3, true},
		{"rounded down", "k8s.deployment.resources", strategy("40%", "25%"), 1, 4, 3, true},
		{"none, with room beside", "k8s.deployment.restart", strategy("0", "1"), 0, 4, 3, true},
		{"no room at all", "k8s.deployment.restart", strategy("0", "0"), 1, 4, 3, true},
		{"three", "k8s.deployment.restart", strategy("3", "0"), 3, 4, 3, true},
		{"all at once", "k8s.deployment.restart", func(r *remedy.Request) {
			r.Evidence.Deployments[0].Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		}, 4, 4, 3, true},
		{"no selector", "k8s.deployment.restart", func(r *remedy.Request) { r.Evidence.Deployments[0].Spec.Selector = nil }, 0, 0, 0, false},
		{"a selector of everything", "k8s.deployment.restart", func(r *remedy.Request) { r.Evidence.Deployments[0].Spec.Selector = &metav1.LabelSelector{} }, 0, 0, 0, false},
		{"more", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": 2} }, 0, 4, 3, true},
		{"fewer", "k8s.deployment.scale", func(r *remedy.Request) { r.Params = map[string]any{"add": -3} }, 3, 4, 3, true},
		{"a node takes no new ones", "k8s.node.cordon", nil, 0, 0, 0, true},
		{"no such action", "k8s.pod.delete", nil, 0, 0, 0, false},
	} {
		r := rolledOut(c.action)
		if c.change != nil {
			c.change(&r)
		}
		got := remedy.Blast(r)
		if got.Unavailable != c.unavailable || got.Replicas != c.replicas || got.Ready != c.now || got.Known != c.known || got.Words == "" {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestManaged(t *testing.T) {
	r := rolledOut("")
	// The other workloads of the tool chain bear their marks as labels or annotations.
	for mark, tool := range map[string]string{
		"": "GitOps", "argocd.argoproj.io/tracking-id": "Argo CD", "kustomize.toolkit.fluxcd.io/name": "Flux", "meta.helm.sh/release-name": "Helm",
	} {
		r.Evidence.Deployments[0].Annotations = map[string]string{mark: "api:apps/Deployment:production/api-gateway"}
		if got := remedy.Managed(r); got != tool {
			t.Errorf("%q: %q, want %q", mark, got, tool)
		}
	}
	r.Evidence.GitOps, r.Evidence.Deployments[0].Annotations = nil, nil
	if got := remedy.Managed(r); got != "" {
		t.Errorf("nobody's: %q", got)
	}
}
