package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// about asks about one object of namespace production; a Node has none.
func about(kind, name string) diagnose.Question {
	t := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: kind, Name: name}
	if kind == "Node" {
		t.Namespace = ""
	}
	return diagnose.Question{Target: t}
}

// everything is a question that names nothing.
var everything = diagnose.Question{Family: "workload"}

// note is an event on any object of namespace production.
func note(kind, name, eventType, reason, message string, last time.Duration) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Event","metadata":{"name":"%[2]s.%[4]s","namespace":"production","uid":"%[2]s-%[4]s-%[6]s"},
 "involvedObject":{"kind":%[1]q,"name":%[2]q%[7]s},"type":%[3]q,"reason":%[4]q,"message":%[5]q,"count":3,"lastTimestamp":%[6]q}`,
		kind, name, eventType, reason, message, ago(last), map[bool]string{false: `,"namespace":"production"`}[kind == "Node"])
}

func refused(kind, name, message string, last time.Duration) string {
	return note(kind, name, "Warning", "FailedCreate", "Error creating: "+message, last)
}

// deployment is one of revision 24 with the given status members.
func deployment(name string, wanted int, status string, more ...string) string {
	return fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":%q,"namespace":"production","uid":"dep-%s","generation":24,
 "annotations":{"deployment.kubernetes.io/revision":"24"}%s},"spec":{"replicas":%d,"selector":{"matchLabels":{"app":%q}},
 "template":{"metadata":{"labels":{"app":%q}},"spec":{"containers":[{"name":"app","image":"registry.example.com/shop/app:2"}]}}},"status":{"observedGeneration":24,%s}}`,
		name, name, strings.Join(more, ""), wanted, name, name, status)
}

func conditionsJSON(list ...string) string { return `"conditions":[` + strings.Join(list, ",") + `]` }

func cond(kind, status, reason, message string) string {
	return fmt.Sprintf(`{"type":%q,"status":%q,"reason":%q,"message":%q,"lastTransitionTime":%q}`, kind, status, reason, message, ago(10*time.Minute))
}

var timedOut = cond("Progressing", "False", "ProgressDeadlineExceeded", `ReplicaSet "api-gateway-7d9f5b8c6" has timed out progressing.`)

func key(name string, objects ...string) string {
	return fmt.Sprintf("%q:[%s]", name, strings.Join(objects, ","))
}

func replicaSet(name, revision string, wanted, ready int) string {
	return fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":%q,"namespace":"production","uid":%q,"annotations":{"deployment.kubernetes.io/revision":%q},
 "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"api-gateway","uid":"dep-api-gateway","controller":true}]},
 "spec":{"replicas":%d,"template":{"spec":{"containers":[{"name":"app","image":"registry.example.com/shop/app:%s"}]}}},"status":{"observedGeneration":1,"replicas":%d,"readyReplicas":%d}}`,
		name, map[bool]string{true: "rs-1", false: "rs-" + name}[name == "api-gateway-7d9f5b8c6"], revision, wanted, revision, wanted, ready)
}

const quotaText = `pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9`

func TestRefusalWords(t *testing.T) {
	const quota, admission = "workload.quota_exceeded", "workload.admission_denied"
	for text, want := range map[string]string{
		quotaText: quota,
		`pods "x" is forbidden: Exceeded quota: object-counts, requested: pods=1, used: pods=20, limited: pods=20`:                                  quota,
		`pods "x" is forbidden: failed quota: compute: must specify limits.cpu for: app; limits.memory for: app`:                                    quota,
		`pods "x" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)`:                                          admission,
		`pods "x" is forbidden: unable to validate against any pod security policy: [spec.containers[0].securityContext.privileged: Invalid value]`: admission,
		`pods "x" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable]`:             admission,
		`admission webhook "mutate.kyverno.svc-fail" denied the request: policy require-limits: exceeded quota of patience`:                         admission,
		`Internal error occurred: failed calling webhook "pod.x.io": Post "https://x.svc:443/": context deadline exceeded`:                          admission,
		`Internal error occurred: failed calling admission webhook "x": the server could not find the requested resource`:                           admission,
		`pods "x" is forbidden: minimum cpu usage per Container is 100m, but request is 10m`:                                                        admission,
		`pods "x" is forbidden: error looking up service account a/b: serviceaccount "b" not found`:                                                 admission,
		`pods "x" is forbidden: no PriorityClass with name gold was found`:                                                                          admission,
		`pods "x" is forbidden: pod rejected: RuntimeClass "gvisor" not found`:                                                                      admission,
		`pods "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'demo' denied request: failed expression`:                             admission,
		`pods "x" is forbidden: something that nobody has seen yet`:                                                                                 admission,
		`Timeout: request did not complete within requested timeout - context deadline exceeded`:                                                    admission,
		`pods "x" is forbidden: unable to create new content in namespace a because it is being terminated`:                                         "unknown",
		`pods is forbidden: User "system:serviceaccount:ops:runner" cannot create resource "pods" in API group "" in the namespace "a"`:             "unknown",
		`etcdserver: request timed out`: "unknown",
	} {
		d := diagnose.Diagnose(parse(t, sent(nil, []string{refused("ReplicaSet", "api-gateway-7d9f5b8c6", text, time.Minute)})), everything)
		if d.Cause != want {
			t.Errorf("%s: %s, want %s", text, d.Cause, want)
		}
		if want != "unknown" && d.Subject.Name != "api-gateway-7d9f5b8c6" {
			t.Errorf("%s: subject %v", text, d.Subject)
		}
	}
}

func TestRefusals(t *testing.T) {
	const rs = "api-gateway-7d9f5b8c6"
	event := refused("ReplicaSet", rs, quotaText, 5*time.Minute)
	created := func(last time.Duration) string {
		return note("ReplicaSet", rs, "Normal", "SuccessfulCreate", "Created pod: x", last)
	}
	full := key("deployments", deployment("api-gateway", 3, `"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3`))
	short := key("deployments", deployment("api-gateway", 3, `"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2,"unavailableReplicas":1`))
	quota := func(used string) string {
		return key("quotas", `{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"team","namespace":"production"},"status":{"hard":{"pods":"9","services":"5"},"used":{"pods":"`+used+`","services":"5"}}}`)
	}
	runDiseases(t, []diseaseCase{
		{name: "of a Deployment's ReplicaSet, known by its name", ask: about("Deployment", "api-gateway"), cause: "workload.quota_exceeded", says: "exceeded quota: team", atMost: 0.9, doc: sent(nil, []string{event})},
		{name: "of another Deployment's ReplicaSet", ask: about("Deployment", "api"), cause: "unknown", doc: sent(nil, []string{event})},
		{name: "in another namespace", ask: diagnose.Question{Target: incident.Target{Namespace: "staging", Kind: "Deployment", Name: "api-gateway"}}, cause: "unknown", doc: sent(nil, []string{event})},
		{name: "after which a pod was created", ask: everything, cause: "unknown", doc: sent(nil, []string{event, created(time.Minute)})},
		{name: "in the second in which others were created", ask: everything, cause: "workload.quota_exceeded", doc: sent(nil, []string{event, created(5 * time.Minute)})},
		{name: "before which others were created", ask: everything, cause: "workload.quota_exceeded", doc: sent(nil, []string{event, created(10 * time.Minute)})},
		{name: "of a Deployment that is complete again", ask: about("Deployment", "api-gateway"), cause: "healthy", doc: sent(nil, []string{event}, full)},
		{name: "of a ReplicaSet that has its pods again", ask: everything, cause: "healthy", doc: sent(nil, []string{event}, key("replicaSets", strings.Replace(replicaSet(rs, "24", 3, 3), "api-gateway\",\"uid\"", "gone\",\"uid\"", 1)), full)},
		{name: "of a Deployment that lacks pods", ask: about("Deployment", "api-gateway"), cause: "workload.quota_exceeded", says: "replicas wanted 3, there 2", atLeast: 0.9, doc: sent(nil, []string{event}, short, key("replicaSets", strings.Replace(replicaSet(rs, "24", 3, 2), `"replicas":3,"readyReplicas"`, `"replicas":2,"readyReplicas"`, 1)+","+replicaSet("api-gateway-6c5d7f8b9", "23", 0, 0)), quota("9"))},
		{name: "with the quota that refused", ask: about("Deployment", "api-gateway"), cause: "workload.quota_exceeded", says: "pods 9 of 9", doc: sent(nil, []string{event}, short, quota("9"))},
		{name: "unquoted, with a quota that is used up", ask: about("Deployment", "api-gateway"), cause: "workload.quota_exceeded", says: "FailedCreate events", atMost: 0.65, other: "workload.admission_denied", doc: sent(nil, nil, short, quota("9"))},
		{name: "unquoted, with a quota that still has room for pods", ask: about("Deployment", "api-gateway"), cause: "unknown", says: "ready 2", doc: sent(nil, nil, short, quota("8"))},
		{name: "of a quota, asked about by name", ask: about("ResourceQuota", "team"), cause: "workload.quota_exceeded", says: "exceeded quota: team", atLeast: 0.85, doc: sent(nil, []string{event}, quota("9"))},
		{name: "too vague to be sure", ask: everything, cause: "workload.admission_denied", atMost: 0.65, doc: sent(nil, []string{refused("ReplicaSet", rs, "Timeout: request did not complete within requested timeout", time.Minute)})},
	})
}

func TestStalledRollouts(t *testing.T) {
	old := pod{name: "api-gateway-6c5d7f8b9-aaaaa", uid: "old", owner: `{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-gateway-6c5d7f8b9","uid":"rs-api-gateway-6c5d7f8b9","controller":true}`}
	oldOOM := old
	oldOOM.statuses = []string{st("app", false, 7, crashLoop, ended("OOMKilled", 137, time.Minute))}
	exits := pod{statuses: []string{st("app", false, 7, crashLoop, ended("Error", 1, time.Minute))}}.json()
	sets := key("replicaSets", replicaSet("api-gateway-7d9f5b8c6", "24", 1, 0), replicaSet("api-gateway-6c5d7f8b9", "23", 3, 3))
	none := key("replicaSets", replicaSet("api-gateway-7d9f5b8c6", "24", 3, 0), replicaSet("api-gateway-6c5d7f8b9", "23", 0, 0))
	stands := func(status string, more ...string) string {
		return key("deployments", deployment("api-gateway", 3, status+","+conditionsJSON(timedOut), more...))
	}
	const serving, down = `"replicas":4,"updatedReplicas":1,"readyReplicas":3,"availableReplicas":3,"unavailableReplicas":1`, `"replicas":3,"updatedReplicas":3,"unavailableReplicas":3`
	first := strings.Replace(stands(down), `revision":"24"`, `revision":"1"`, 1)
	runDiseases(t, []diseaseCase{
		{name: "with the pods' cause under it", ask: aboutDeployment(), cause: "workload.rollout_stalled", container: "app", says: "revision 23 (image registry.example.com/shop/app:23) still serves with 3 ready", atLeast: 0.95, doc: sent([]string{exits}, nil, stands(serving), sets)},
		{name: "asked about the new pod", cause: "workload.rollout_stalled", container: "app", doc: sent([]string{exits}, nil, stands(serving), sets)},
		{name: "nothing of the old serves, and the template is at fault", ask: aboutDeployment(), cause: "workload.rollout_stalled", container: "app", says: "nothing of the revision before serves", doc: sent([]string{exits}, nil, stands(down), none)},
		{name: "what is ready is of the new template", ask: aboutDeployment(), cause: "workload.rollout_stalled", container: "app", says: "nothing of the revision before serves", doc: sent([]string{exits}, nil, stands(`"replicas":3,"updatedReplicas":3,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":2`))},
		{name: "what is ready is of an old template, by the counts alone", ask: aboutDeployment(), cause: "workload.rollout_stalled", container: "app", says: "pods of the template before still serve (3 ready)", doc: sent([]string{exits}, nil, stands(serving))},
		{name: "the first revision", ask: aboutDeployment(), cause: "pod.startup_failed", container: "app", says: "exits by itself", doc: sent([]string{exits}, nil, first, key("replicaSets", replicaSet("api-gateway-7d9f5b8c6", "1", 3, 0)))},
		{name: "an old pod's trouble does not lie under it", ask: aboutDeployment(), cause: "pod.oom_killed", container: "app", doc: sent([]string{oldOOM.json()}, nil, stands(serving), sets)},
		{name: "no pod is seen", ask: aboutDeployment(), cause: "workload.rollout_stalled", says: "the pods of the newest template", atMost: 0.9, doc: sent(nil, nil, stands(serving), sets)},
		{name: "a status of the generation before", ask: aboutDeployment(), cause: "workload.rollout_stalled", says: "the present generation", atMost: 0.8, doc: sent(nil, nil, strings.Replace(stands(serving), `"observedGeneration":24`, `"observedGeneration":23`, 1), sets)},
		{name: "over", ask: aboutDeployment(), cause: "healthy", says: "3 of 3 replicas ready", doc: sent(nil, nil, stands(`"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3`))},
		{name: "scaled to zero since", ask: aboutDeployment(), cause: "healthy", says: "scaled to 0", doc: sent(nil, nil, strings.Replace(stands(`"replicas":0`), `"replicas":3,"selector"`, `"replicas":0,"selector"`, 1))},
		{name: "a ready pod of a stalled rollout is ready", ask: aboutPod("api-gateway-6c5d7f8b9-aaaaa"), cause: "healthy",
			doc: sent([]string{pod{name: "api-gateway-6c5d7f8b9-aaaaa", owner: old.owner, statuses: []string{st("app", true, 0, running(time.Hour), "")}}.json()}, nil, stands(serving), sets)},
		{name: "other reasons not to progress", ask: aboutDeployment(), cause: "unknown", doc: sent(nil, nil, strings.Replace(stands(`"replicas":2,"updatedReplicas":2,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":2`), "ProgressDeadlineExceeded", "Whatever", 1))},
	})
}

// TestManyWorkloads asks about the last of more objects than are examined.
func TestManyWorkloads(t *testing.T) {
	var many, budgets []string
	for i := range 700 {
		name := fmt.Sprintf("api-%03d", i)
		status := `"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1`
		if i == 699 {
			status = `"replicas":2,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":1,` + conditionsJSON(timedOut)
		}
		many = append(many, deployment(name, 1, status))
		budgets = append(budgets, strings.Replace(budget(1, 2, 1, 2), `"name":"api"`, `"name":"`+name+`"`, 1))
	}
	budgets[699] = strings.Replace(budget(0, 1, 1, 1), `"name":"api"`, `"name":"api-699"`, 1)
	ev := parse(t, sent(nil, nil, key("deployments", many...), key("pdbs", budgets...)))
	for kind, want := range map[string]string{"Deployment": "workload.rollout_stalled", "PodDisruptionBudget": "workload.pdb_blocked"} {
		if d := diagnose.Diagnose(ev, about(kind, "api-699")); d.Cause != want {
			t.Errorf("%s: %s, want %s: %s", kind, d.Cause, want, d.Summary)
		}
	}
}

// TestBystandersProveNoHealth: that its budget, its autoscaler and its quota are
// in order says nothing of a Deployment that is not seen.
func TestBystandersProveNoHealth(t *testing.T) {
	doc := sent(nil, nil, hpaJSON(2, 10, cpuAt(10)), key("pdbs", budget(1, 2, 1, 2)), key("quotas", `{"metadata":{"name":"team","namespace":"production"},"status":{"hard":{"pods":"9"},"used":{"pods":"1"}}}`))
	for _, ask := range []diagnose.Question{about("Deployment", "api-gateway"), {Target: incident.Target{Kind: "Namespace", Name: "production"}}} {
		if d := diagnose.Diagnose(parse(t, doc), ask); d.Cause != incident.CauseUnknown {
			t.Errorf("%v: %s: %s", ask.Target, d.Cause, d.Summary)
		}
	}
}
