package diagnose_test

import (
	"fmt"
	"testing"
	"time"

	"salve/internal/diagnose"
)

func budget(allowed, healthy, desired, expected int, conditions ...string) string {
	return fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"api","namespace":"production","uid":"pdb-1"},
 "spec":{"minAvailable":%[3]d,"selector":{"matchLabels":{"app":"api-gateway"}}},
 "status":{"observedGeneration":1,"disruptionsAllowed":%[1]d,"currentHealthy":%[2]d,"desiredHealthy":%[3]d,"expectedPods":%[4]d,%[5]s}}`,
		allowed, healthy, desired, expected, conditionsJSON(conditions...))
}

func TestBudgets(t *testing.T) {
	drain := func(text string) string { return key("logs", fmt.Sprintf(`{"text":%q}`, text)) }
	const cannot = `error when evicting pods/"` + apiPod + `" -n "production" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.`
	never, short, fine, empty := budget(0, 1, 1, 1), budget(0, 1, 1, 2), budget(1, 2, 1, 2), budget(0, 0, 0, 0)
	pods := []string{readyPod(apiPod)}
	ask := about("PodDisruptionBudget", "api")
	karpenter := note("Node", "node-1", "Normal", "DisruptionBlocked", "Pdb prevents pod evictions (PodDisruptionBudget=[production/api])", time.Minute)
	runDiseases(t, []diseaseCase{
		{name: "a drain is refused for ever", ask: ask, cause: "workload.pdb_blocked", says: "it can never allow one", atLeast: 0.95, doc: sent(pods, nil, key("pdbs", never), drain(cannot))},
		{name: "a drain was refused, and would not be now", ask: ask, cause: "healthy", says: "disruptionsAllowed=1", doc: sent(pods, nil, key("pdbs", fine), drain(cannot))},
		{name: "the answer's own words", ask: everything, cause: "workload.pdb_blocked", says: "The disruption budget api needs", doc: sent(nil, nil, key("pdbs", never), drain("The disruption budget api needs 1 healthy pods and has 1 currently"))},
		{name: "a drain is refused, and no budget is seen", ask: everything, cause: "workload.pdb_blocked", says: "the PodDisruptionBudget, which", doc: sent(nil, nil, drain(cannot))},
		{name: "a refusal for another budget", ask: everything, cause: "workload.pdb_blocked", says: "other", doc: sent(pods, nil, key("pdbs", fine), drain("The disruption budget other needs 1 healthy pods and has 1 currently"))},
		{name: "an autoscaler's remark", ask: everything, cause: "workload.pdb_blocked", atMost: 0.65, doc: sent(nil, []string{karpenter})},
		{name: "an autoscaler's remark on a budget that is seen", ask: ask, cause: "workload.pdb_blocked", atLeast: 0.9, doc: sent(nil, []string{karpenter}, key("pdbs", never))},
		{name: "a drain is refused, asked about the Deployment", ask: about("Deployment", "api-gateway"), cause: "workload.pdb_blocked", doc: sent(pods, nil, key("pdbs", never), drain(cannot))},
		{name: "nothing is refused, asked about the Deployment", ask: about("Deployment", "api-gateway"), cause: "healthy", doc: sent(pods, nil, key("pdbs", never))},
		{name: "nothing is refused, asked about nothing", ask: everything, cause: "workload.pdb_blocked", atMost: 0.8, doc: sent(pods, nil, key("pdbs", never))},
		{name: "nothing is refused, and something else is unclear", ask: diagnose.Question{Family: "workload"}, cause: "unknown", container: "app", doc: sent(one(pod{statuses: []string{st("app", false, 0, running(time.Hour), "")}}), nil, key("pdbs", never))},
		{name: "too few are healthy", ask: ask, cause: "workload.pdb_blocked", says: "only 1 of its pods are healthy", atMost: 0.65, doc: sent(nil, nil, key("pdbs", short))},
		{name: "too few are healthy, and why", ask: ask, cause: "pod.oom_killed", container: "app", doc: sent([]string{oomPod(apiPod)}, nil, key("pdbs", short))},
		{name: "for ever, whatever its pods do", ask: ask, cause: "workload.pdb_blocked", doc: sent([]string{oomPod(apiPod)}, nil, key("pdbs", budget(0, 1, 2, 2)))},
		{name: "nothing to protect", ask: ask, cause: "healthy", says: "no pods", doc: sent(nil, nil, key("pdbs", empty))},
		{name: "its controller is at a loss", ask: ask, cause: "workload.pdb_blocked", says: "cannot tell what it protects", doc: sent(nil, nil, key("pdbs", budget(0, 0, 0, 0, cond("DisruptionAllowed", "False", "SyncFailed", "found no controllers for pod"))))},
		{name: "a word of disruption is no refusal", ask: everything, cause: "unknown", doc: sent(nil, []string{note("Pod", apiPod, "Normal", "Info", "a disruption was planned", time.Minute)})},
	})
}
