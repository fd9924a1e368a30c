package diagnose_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/diagnose"
	"salve/internal/evidence"
)

// drawWorld draws what stands around the pods of the api-gateway: its Deployment
// and ReplicaSets, an autoscaler, a budget, a quota, a node, a Job and an
// Application, each in one of the conditions that the tables know.
func drawWorld(t *rapid.T) evidence.Evidence {
	of := func(label string, list ...string) string { return rapid.SampledFrom(list).Draw(t, label) }
	status := of("deployment", `"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3`, `"replicas":4,"updatedReplicas":1,"readyReplicas":3,"availableReplicas":3,"unavailableReplicas":1,`+conditionsJSON(timedOut),
		`"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2,"unavailableReplicas":1,`+conditionsJSON(timedOut, cond("ReplicaFailure", "True", "FailedCreate", quotaText)), `"replicas":3,"updatedReplicas":3,"unavailableReplicas":3,`+conditionsJSON(timedOut))
	var events []string
	for _, e := range []string{
		refused("ReplicaSet", "api-gateway-7d9f5b8c6", quotaText, 5*time.Minute), note("ReplicaSet", "api-gateway-7d9f5b8c6", "Normal", "SuccessfulCreate", "Created pod: x", time.Minute),
		note("Node", "node-1", "Normal", "NodeNotReady", "Node node-1 status is now: NodeNotReady", 9*time.Minute), note("Node", "node-1", "Warning", "EvictionThresholdMet", "Attempting to reclaim inodes", time.Minute),
		note("Job", "import", "Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit", time.Minute), note("HorizontalPodAutoscaler", "api", "Warning", "FailedGetResourceMetric", "no metrics", time.Minute),
	} {
		if rapid.Bool().Draw(t, "event") {
			events = append(events, e)
		}
	}
	parts := []string{key("deployments", deployment("api-gateway", 3, status)), key("replicaSets", replicaSet("api-gateway-7d9f5b8c6", "24", 1, 0), replicaSet("api-gateway-6c5d7f8b9", "23", 3, rapid.IntRange(0, 3).Draw(t, "old")))}
	for _, p := range []string{
		hpaJSON(10, 10, cpuAt(rapid.IntRange(10, 200).Draw(t, "cpu")), cond("ScalingLimited", "True", "TooManyReplicas", "")), key("pdbs", budget(0, 1, rapid.IntRange(1, 2).Draw(t, "desired"), 2)),
		nodeJSON("", cond("Ready", of("ready", "True", "False", "Unknown"), "x", "y"), cond("DiskPressure", of("disk", "True", "False"), "x", "y")),
		key("jobs", jobJSON("import", of("job", `,"active":1`, `,"failed":5,`+conditionsJSON(cond("Failed", "True", "BackoffLimitExceeded", "x"))))),
		application("", of("app", `"health":{"status":"Degraded"}`, `"sync":{"status":"Synced"},"health":{"status":"Healthy"}`, `"operationState":{"phase":"Failed","message":"x"}`)),
		key("quotas", `{"metadata":{"name":"team","namespace":"production"},"status":{"hard":{"pods":"9"},"used":{"pods":"`+of("used", "3", "9")+`"}}}`),
	} {
		if rapid.Bool().Draw(t, "part") {
			parts = append(parts, p)
		}
	}
	name := "api-gateway-7d9f5b8c6-00000"
	p, e := drawPod(t, name)
	return parseNoT(sent([]string{p}, append(events, e...), parts...))
}

func drawQuestion(t *rapid.T) diagnose.Question {
	return rapid.SampledFrom([]diagnose.Question{
		{}, aboutDeployment(), aboutPod("api-gateway-7d9f5b8c6-00000"), about("Node", "node-1"), about("HorizontalPodAutoscaler", "api"),
		about("PodDisruptionBudget", "api"), about("Job", "import"), about("ResourceQuota", "team"), about("Namespace", "production"),
	}).Draw(t, "question")
}

func TestOrderDoesNotMatterToWorkloads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev, q := drawWorld(t), drawQuestion(t)
		want := diagnose.Diagnose(ev, q)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		mix(r, ev.Events)
		mix(r, ev.ReplicaSets)
		for i := range ev.Deployments {
			mix(r, ev.Deployments[i].Status.Conditions)
		}
		for i := range ev.Nodes {
			mix(r, ev.Nodes[i].Status.Conditions)
		}
		if diff := cmp.Diff(want, diagnose.Diagnose(ev, q)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStrangersDoNotMatterToWorkloads puts the same kinds of objects beside them,
// ill, in another namespace and on another node.
func TestStrangersDoNotMatterToWorkloads(t *testing.T) {
	strange := func(kind, name, more string) string {
		return fmt.Sprintf(`{"kind":%q,"metadata":{"name":%q,"namespace":"elsewhere","uid":"strange-%s"},%s}`, kind, name, name, more)
	}
	more := parseNoT(sent(nil, nil,
		key("deployments", `{"metadata":{"name":"api-gateway","namespace":"elsewhere"},"spec":{"replicas":3},"status":{"observedGeneration":1,`+conditionsJSON(timedOut)+`}}`),
		key("jobs", `{"metadata":{"name":"import","namespace":"elsewhere"},"status":{"failed":1,`+conditionsJSON(cond("Failed", "True", "DeadlineExceeded", "x"))+`}}`),
		key("nodes", `{"metadata":{"name":"node-9"},"status":{`+conditionsJSON(cond("Ready", "Unknown", "x", "y"), cond("MemoryPressure", "True", "x", "y"))+`}}`),
		key("hpas", `{"metadata":{"name":"api","namespace":"elsewhere"},"spec":{"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"api-gateway"}},"status":{"currentReplicas":2,`+conditionsJSON(cond("ScalingLimited", "True", "TooManyReplicas", ""))+`}}`),
		key("gitops", strange("Application", "other", `"spec":{"destination":{"namespace":"elsewhere"}},"status":{"health":{"status":"Degraded"}}`)),
		key("pdbs", `{"metadata":{"name":"api","namespace":"elsewhere"},"spec":{"selector":{"matchLabels":{"app":"api-gateway"}}},"status":{"expectedPods":1,"desiredHealthy":1}}`),
	))
	rapid.Check(t, func(t *rapid.T) {
		ev, q := drawWorld(t), drawQuestion(t)
		if q.Target.Name == "" {
			t.Skip("the evidence is the question: nothing in it is a stranger")
		}
		want := diagnose.Diagnose(ev, q)
		ev.Deployments, ev.Jobs, ev.Nodes = append(ev.Deployments, more.Deployments...), append(ev.Jobs, more.Jobs...), append(ev.Nodes, more.Nodes...)
		ev.HPAs, ev.GitOps, ev.PDBs = append(ev.HPAs, more.HPAs...), append(ev.GitOps, more.GitOps...), append(ev.PDBs, more.PDBs...)
		if diff := cmp.Diff(want, diagnose.Diagnose(ev, q)); diff != "" {
			t.Errorf("%v: %s", q.Target, diff)
		}
	})
}
