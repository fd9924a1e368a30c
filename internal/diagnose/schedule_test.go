package diagnose_test

import (
	"fmt"
	"testing"
	"time"

	"salve/internal/diagnose"
)

// unscheduled is a pod that no node takes, with the scheduler's message.
func unscheduled(message, spec string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"production","uid":"uid-%s","creationTimestamp":%q},
 "spec":{"containers":[{"name":"app","image":"app:1","resources":{"requests":{"cpu":"6","memory":"8Gi"}}}]%s},
 "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","lastTransitionTime":%q,"message":%q}]}}`,
		apiPod, apiPod, ago(time.Hour), spec, ago(time.Hour), message)
}

func node(name, labels, taints string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Node","metadata":{"name":%q,"labels":{"kubernetes.io/hostname":%q%s}},"spec":{"taints":[%s]},"status":{"allocatable":{"cpu":"4","memory":"16Gi"},"nodeInfo":{"operatingSystem":"linux","architecture":"arm64"}}}`, name, name, labels, taints)
}

const (
	resources, taint, affinity = "pod.unschedulable.insufficient_resources", "pod.unschedulable.taint", "pod.unschedulable.affinity"
	volume, tooMany, ports     = "pod.unschedulable.volume", "pod.unschedulable.too_many_pods", "pod.port_conflict"
)

// TestSchedulerWords holds messages of the scheduler from 1.5 to 1.36.
func TestSchedulerWords(t *testing.T) {
	const notHelpful = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
	var cases []diseaseCase
	for _, c := range []struct {
		name, message, cause, other string
		atLeast, atMost             float64
	}{
		{"one reason is sure", "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.", resources, "", 0.95, 0},
		{"the control plane is background", "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory." + notHelpful, resources, "", 0.95, 0},
		{"old words for taints", "0/4 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 3 Insufficient cpu.", resources, "", 0.95, 0},
		{"older words for taints", "0/2 nodes are available: 2 node(s) had taints that the pod didn't tolerate.", taint, "", 0.95, 0},
		{"new words without the taint", "0/3 nodes are available: 3 node(s) had untolerated taint(s). no new claims to deallocate," + notHelpful, taint, "", 0.95, 0},
		{"only a control plane", "0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }." + notHelpful, taint, "", 0.95, 0},
		{"nodes that are not ready", "0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.", taint, "", 0.95, 0},
		{"cordoned nodes", "0/2 nodes are available: 2 node(s) were unschedulable.", taint, "", 0.95, 0},
		{"node selector", "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 4 node(s) didn't match Pod's node affinity/selector." + notHelpful, affinity, "", 0.95, 0},
		{"old node selector", "0/2 nodes are available: 2 node(s) didn't match node selector.", affinity, "", 0.95, 0},
		{"nodes of another sort do not decide", "0/9 nodes are available: 3 Insufficient nvidia.com/gpu, 6 node(s) didn't match Pod's node affinity/selector.", resources, affinity, 0, 0.85},
		{"foreign taints do not decide either", "0/9 nodes are available: 8 node(s) had untolerated taint {team: data}, 1 Insufficient cpu.", resources, taint, 0, 0.85},
		{"the taint of the resource's own nodes decides", "0/5 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}, 4 Insufficient nvidia.com/gpu.", taint, resources, 0.7, 0.8},
		{"topology spread", "0/6 nodes are available: 2 node(s) had untolerated taint {dedicated: db}, 4 node(s) didn't match pod topology spread constraints (missing required label).", affinity, taint, 0, 0.85},
		{"anti-affinity", "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.", affinity, "", 0.95, 0},
		{"old anti-affinity", "0/3 nodes are available: 3 node(s) didn't match pod affinity/anti-affinity, 3 node(s) didn't satisfy existing pods anti-affinity rules.", affinity, "", 0.95, 0},
		{"where the partner is there is no room", "0/3 nodes are available: 1 Too many pods, 2 node(s) didn't match pod affinity rules. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.", tooMany, affinity, 0, 0.85},
		{"most nodes have no room", "0/6 nodes are available: 1 node(s) had volume node affinity conflict, 2 Insufficient cpu, 2 node(s) had untolerated taint {controller: true}, 3 Insufficient memory.", resources, volume, 0, 0.85},
		{"volume elsewhere", "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had volume node affinity conflict.", volume, resources, 0, 0.85},
		{"new words for a volume elsewhere", "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match PersistentVolume's node affinity. no new claims to deallocate," + notHelpful, volume, taint, 0, 0.85},
		{"volume limit", "0/2 nodes are available: 2 node(s) exceed max volume count.", volume, "", 0.95, 0},
		{"unbound claims", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", volume, "", 0.95, 0},
		{"unbound claims, repeated", "pod has unbound immediate PersistentVolumeClaims (repeated 2 times)", volume, "", 0.7, 0},
		{"a missing claim", `0/3 nodes are available: persistentvolumeclaim "anti-affinity" not found.`, volume, "", 0.95, 0},
		{"a missing claim, old", `persistentvolumeclaim "data" not found`, volume, "", 0.7, 0},
		{"too many pods", "0/2 nodes are available: 2 Too many pods.", tooMany, "", 0.95, 0},
		{"host ports", "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't have free ports for the requested pod ports.", ports, "", 0.9, 0},
		{"predicates of 1.8", "No nodes are available that match all of the predicates: Insufficient cpu (2), MatchNodeSelector (1).", resources, affinity, 0, 0.85},
		{"predicates of 1.5", "pod (web-1) failed to fit in any node\nfit failure summary on nodes : PodToleratesNodeTaints (1)", taint, "", 0.7, 0},
		{"no nodes at all", "no nodes available to schedule pods", resources, "", 0.5, 0.7},
		{"Karpenter", `Failed to schedule pod, incompatible with nodepool "default", daemonset overhead={"cpu":"150m"}, no instance type satisfied resources {"cpu":"96"}`, resources, "", 0.5, 0.9},
	} {
		cases = append(cases,
			diseaseCase{name: c.name, cause: c.cause, other: c.other, atLeast: c.atLeast, atMost: c.atMost, says: "PodScheduled=False", doc: sent([]string{unscheduled(c.message, "")}, nil)},
			diseaseCase{name: c.name + ", event only", ask: diagnose.Question{Family: "pod"}, cause: c.cause, other: c.other, atMost: 0.7, says: "the pod JSON",
				doc: sent(nil, []string{warn("", "FailedScheduling", c.message, 12, time.Minute)})})
	}
	runDiseases(t, cases)
}

func TestSchedule(t *testing.T) {
	const selector = "0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 2 node(s) didn't match Pod's node affinity/selector."
	const short = "0/2 nodes are available: 2 Insufficient cpu."
	dedicated := `{"key":"dedicated","value":"db","effect":"NoSchedule"}`
	nodes := func(list ...string) string {
		out := `"nodes":[`
		for i, n := range list {
			if i > 0 {
				out += ","
			}
			out += n
		}
		return out + "]"
	}
	affine := func(op, values string) string {
		return `,"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"disk","operator":"` + op + `"` + values + `}]}]}}}`
	}
	fast := nodes(node("n1", "", ""), node("n2", "", ""), node("n3", `,"disk":"fast"`, dedicated))
	scaled := func(reason string, age time.Duration) []string {
		return []string{event("", "Normal", reason, "pod triggered scale-up: [{eks-a 1->2 (max: 5)}]", 1, age)}
	}
	runDiseases(t, []diseaseCase{
		{name: "a selector that no node but tainted ones could fit is not seen", cause: affinity, other: taint, doc: sent([]string{unscheduled(selector, `,"nodeSelector":{"disk":"fast"}`)}, nil)},
		{name: "the selector names what the taint names", cause: taint, says: "asks for nodes with the taint dedicated", doc: sent([]string{unscheduled(selector, `,"nodeSelector":{"dedicated":"db"}`)}, nil)},
		{name: "the affinity names what the taint names", cause: taint, doc: sent([]string{unscheduled(selector, `,"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"pool","operator":"In","values":["db"]}]}]}}}`)}, nil)},
		{name: "the nodes tell that the ones asked for are tainted", cause: taint, says: "n3 (dedicated=db:NoSchedule)", doc: sent([]string{unscheduled(selector, `,"nodeSelector":{"disk":"fast"}`)}, nil, fast)},
		{name: "the nodes tell it of an affinity too", cause: taint, says: "n3 (dedicated=db:NoSchedule)", doc: sent([]string{unscheduled(selector, affine("In", `,"values":["fast"]`))}, nil, fast)},
		{name: "the nodes tell that none is asked for", cause: affinity, doc: sent([]string{unscheduled(selector, `,"nodeSelector":{"dedicated":"db","disk":"none"}`)}, nil, fast)},
		{name: "a node that matches and is free of taints tells nothing", cause: affinity, doc: sent([]string{unscheduled(selector, affine("DoesNotExist", ""))}, nil, fast)},
		{name: "a tolerated taint is none", cause: affinity, doc: sent([]string{unscheduled(selector, `,"nodeSelector":{"disk":"fast"},"tolerations":[{"key":"dedicated","operator":"Equal","value":"db"}]`)}, nil, fast)},
		{name: "the pod is larger than any node", cause: resources, says: "asks for 6 cpu, more than the largest node has (4)", doc: sent([]string{unscheduled(short, "")}, nil, fast)},
		{name: "a node was ordered", cause: resources, atMost: 0.65, says: "may still come", doc: sent([]string{unscheduled(short, "")}, scaled("TriggeredScaleUp", time.Minute))},
		{name: "a node was ordered long ago", cause: resources, atLeast: 0.9, says: "a node was ordered", doc: sent([]string{unscheduled(short, "")}, scaled("TriggeredScaleUp", 30*time.Minute))},
		{name: "the autoscaler does not help", cause: resources, atLeast: 0.9, says: "adds no node", doc: sent([]string{unscheduled(short, "")}, scaled("NotTriggerScaleUp", time.Minute))},
		{name: "scheduled meanwhile", cause: "healthy", doc: sent(one(pod{statuses: []string{st("app", true, 0, running(time.Hour), "")}}), []string{warn("", "FailedScheduling", short, 3, 55*time.Minute)})},
		{name: "a message without reasons does not decide", cause: "unknown", doc: sent([]string{unscheduled("skip schedule deleting pod: production/api", "")}, nil)},
		{name: "gates", cause: "pod.unschedulable.gated", atLeast: 0.95, says: "kueue.x-k8s.io/admission",
			doc: sent([]string{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + apiPod + `","namespace":"production"},"spec":{"schedulingGates":[{"name":"kueue.x-k8s.io/admission"}],"containers":[{"name":"app"}]},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated","message":"Scheduling is blocked due to non-empty scheduling gates"}]}}`}, nil)},
		{name: "the pod's own claim tells why", cause: volume, says: "no persistent volumes available for this claim and no storage class is set",
			doc: sent([]string{unscheduled("0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.", `,"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data"}}]`)},
				[]string{`{"kind":"Event","apiVersion":"v1","metadata":{"name":"e","namespace":"production"},"involvedObject":{"kind":"PersistentVolumeClaim","name":"data","namespace":"production"},"type":"Normal","reason":"FailedBinding","message":"no persistent volumes available for this claim and no storage class is set","count":9,"lastTimestamp":"` + ago(time.Minute) + `"}`},
				`"pvcs":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"production"},"spec":{},"status":{"phase":"Pending"}}]`)},
	})
}
