package evidence_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
)

func metaAgo(d time.Duration) metav1.Time { return metav1.Time{Time: now.Add(-d)} }

func listedEvent(kind, namespace, name, typ, reason, message string, count int32, first, last time.Duration) corev1.Event {
	return corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: namespace, Name: name},
		Type:           typ, Reason: reason, Message: message, Count: count, FirstTimestamp: metaAgo(first), LastTimestamp: metaAgo(last),
	}
}

func TestKubectlGetEvents(t *testing.T) {
	backOff := listedEvent("Pod", "production", "api-1", "Warning", "BackOff", "Back-off restarting failed container", 1, 2*time.Minute, 2*time.Minute)
	wide := listedEvent("Pod", "production", "api-1", "Warning", "Unhealthy", "Liveness probe failed: EOF", 12, 31*time.Minute, 94*time.Second)
	wide.Name, wide.InvolvedObject.FieldPath, wide.Source.Component = "api-1.17c0", "spec.containers{app}", "kubelet"
	node := listedEvent("Node", "", "node-1", "Warning", "SystemOOM", "System OOM encountered, victim process: java", 1, 5*time.Minute, 5*time.Minute)
	node.Namespace = "default"
	series := listedEvent("Pod", "production", "api-1", "Warning", "BackOff", "Back-off restarting failed container", 25, 10*time.Minute, 121*time.Second)
	events := func(list ...corev1.Event) evidence.Evidence { return evidence.Evidence{Events: list} }
	runTools(t, []toolCase{
		{name: "the table", tool: "kubectl -n production get events", text: "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n2m          Warning   BackOff   pod/api-1   Back-off restarting failed container\n", want: events(backOff)},
		{name: "wide", tool: "kubectl get events -o wide --namespace=production", text: `LAST SEEN   TYPE      REASON      OBJECT      SUBOBJECT              SOURCE            MESSAGE                      FIRST SEEN   COUNT   NAME
94s         Warning   Unhealthy   pod/api-1   spec.containers{app}   kubelet, node-1   Liveness probe failed: EOF   31m          12      api-1.17c0
`, want: events(wide)},
		{name: "of all namespaces", tool: "kubectl get events -A", text: `NAMESPACE    LAST SEEN   TYPE      REASON      OBJECT        MESSAGE
production   2m          Warning   BackOff     pod/api-1     Back-off restarting failed container
default      5m          Warning   SystemOOM   node/node-1   System OOM encountered, victim process: java
`, want: events(backOff, node)},
		{name: "kubectl events", tool: "kubectl events -n production", text: "LAST SEEN              TYPE      REASON    OBJECT      MESSAGE\n2m1s (x25 over 10m)    Warning   BackOff   Pod/api-1   Back-off restarting failed container\n", want: events(series)},
		{name: "none", tool: "kubectl get events -n production", text: "No resources found in production namespace.\n", want: evidence.Evidence{Events: []corev1.Event{}}},
		{name: "objects", tool: "kubectl get events -o json", text: listOf(), want: evidence.Evidence{}},
		{name: "names alone", tool: "kubectl get pods -o name", text: "pod/api-1\n", problem: "kubectl get: kubectl get -o json (or yaml) is expected, or the table of kubectl get events or kubectl get pods"},
	})
}

func TestKubectlGetPods(t *testing.T) {
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
	ended := func(reason string, code, signal int32) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, Signal: signal}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	inApp := func(phase corev1.PodPhase, restarts int32, state corev1.ContainerState) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.Phase = phase
			p.Spec.Containers = []corev1.Container{{}}
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: restarts, State: state}}
		}
	}
	inInit := func(state corev1.ContainerState) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.Phase = corev1.PodPending
			p.Spec.InitContainers = []corev1.Container{{}}
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{State: state}}
		}
	}
	conditioned := func(do func(*corev1.Pod), ready bool) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			do(p)
			status := map[bool]corev1.ConditionStatus{true: "True", false: "False"}[ready]
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
			p.Status.ContainerStatuses[0].Ready = ready
		}
	}
	policy := func(do func(*corev1.Pod), policy corev1.RestartPolicy) func(*corev1.Pod) {
		return func(p *corev1.Pod) { do(p); p.Spec.RestartPolicy = policy }
	}
	for _, tc := range []struct {
		line string // READY, STATUS and RESTARTS
		want func(*corev1.Pod)
	}{
		{"1/1     Running                      0            ", conditioned(inApp("Running", 0, running), true)},
		{"0/1     Running                      3 (2m ago)   ", conditioned(inApp("Running", 3, running), false)},
		{"0/1     CrashLoopBackOff             7 (3m ago)   ", inApp("Running", 7, waiting("CrashLoopBackOff"))},
		{"0/1     ImagePullBackOff             0            ", inApp("Pending", 0, waiting("ImagePullBackOff"))},
		{"0/1     CreateContainerConfigError   0            ", inApp("Pending", 0, waiting("CreateContainerConfigError"))},
		{"0/1     ContainerCreating            0            ", inApp("Pending", 0, waiting("ContainerCreating"))},
		{"0/1     OOMKilled                    2            ", inApp("Running", 2, ended("OOMKilled", 137, 0))},
		{"0/1     Error                        0            ", policy(inApp("Failed", 0, ended("Error", -1, 0)), "Never")},
		{"0/1     ExitCode:2                   1            ", inApp("Running", 1, ended("", 2, 0))},
		{"0/1     Signal:9                     1            ", inApp("Running", 1, ended("", 137, 9))},
		{"0/1     Completed                    0            ", policy(inApp("Succeeded", 0, ended("Completed", 0, 0)), "OnFailure")},
		{"0/1     Init:CrashLoopBackOff        0            ", inInit(waiting("CrashLoopBackOff"))},
		{"0/1     Init:Error                   0            ", inInit(ended("Error", -1, 0))},
		{"0/1     Init:0/2                     0            ", inInit(waiting(""))},
		{"0/1     Pending                      0            ", func(p *corev1.Pod) { p.Status.Phase = "Pending" }},
		{"0/1     Evicted                      0            ", func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = "Failed", "Evicted" }},
		{"0/1     Terminating                  0            ", func(p *corev1.Pod) {
			p.DeletionTimestamp = &metav1.Time{Time: now}
			p.Spec.Containers, p.Status.ContainerStatuses = []corev1.Container{{}}, []corev1.ContainerStatus{{}}
		}},
	} {
		t.Run(tc.line, func(t *testing.T) {
			table := "NAME    READY   STATUS                       RESTARTS     AGE   IP           NODE     NOMINATED NODE   READINESS GATES\n" +
				"api-1   " + tc.line + "5d    10.244.1.7   node-1   <none>           <none>\n"
			want := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "api-1", Namespace: "production", CreationTimestamp: metaAgo(120 * time.Hour)}}
			want.Spec.NodeName, want.Status.PodIP = "node-1", "10.244.1.7"
			tc.want(&want)
			got, problems := evidence.Parse(printed("kubectl get pods -n production -o wide", table), now)
			if diff := cmp.Diff([]corev1.Pod{want}, got.Pods); diff != "" || problems != nil {
				t.Error(diff, problems)
			}
		})
	}
}

// kubectl get all prints tables of many kinds; those of pods are read.
func TestKubectlGetAll(t *testing.T) {
	got, problems := evidence.FromFile([]byte(`NAME          READY   STATUS    RESTARTS   AGE
pod/api-1     1/1     Running   0          5d

NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
service/api   ClusterIP   10.0.0.1     <none>        80/TCP    5d
`), now)
	if len(got.Pods) != 1 || got.Pods[0].Name != "api-1" || problems != nil {
		t.Error(got.Pods, problems)
	}
}

// A table says less than the objects: where these are given, they count.
func TestObjectsCountMoreThanTables(t *testing.T) {
	table := "NAME   READY   STATUS             RESTARTS   AGE\na-1    0/1     CrashLoopBackOff   7          5d\na-2    1/1     Running            0          5d\n"
	described := "Name:   a-2\nNamespace:  production\nNode:  node-1/10.0.0.5\nStatus:  Pending\nIP:  10.0.0.1\nEvents:\n  Type     Reason   Age   From     Message\n  ----     ------   ----  ----     -------\n  Warning  BackOff  2m    kubelet  Back-off\n"
	doc, err := json.Marshal(map[string]any{
		"pods":   json.RawMessage(podJSON("a-1", "1", "Running")),
		"events": json.RawMessage(`{"kind":"Event","apiVersion":"v1","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"a-2"},"reason":"BackOff","message":"Back-off"}`),
		"raw":    []evidence.Raw{{Tool: "kubectl get pods -n production", Text: table}, {Tool: "kubectl describe pod a-2", Text: described}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, string(doc))
	var pods []string
	for _, p := range got.Pods {
		pods = append(pods, p.Name+" "+string(p.Status.Phase))
	}
	if diff := cmp.Diff([]string{"a-1 Running", "a-2 Pending"}, pods); diff != "" {
		t.Error(diff)
	}
	if len(got.Events) != 1 || got.Events[0].Name != "e" {
		t.Error("an event was counted twice", got.Events)
	}
}

func TestKubectlTop(t *testing.T) {
	usages := func(list ...evidence.Usage) evidence.Evidence { return evidence.Evidence{Usages: list} }
	runTools(t, []toolCase{
		{name: "pods", tool: "kubectl top pods -n production", text: "NAME    CPU(cores)   MEMORY(bytes)   \napi-1   250m         480Mi           \napi-2   2            1Gi             \n", want: usages(
			evidence.Usage{Kind: "Pod", Namespace: "production", Name: "api-1", CPUMillicores: of(250), MemoryBytes: of(480 << 20)},
			evidence.Usage{Kind: "Pod", Namespace: "production", Name: "api-2", CPUMillicores: of(2000), MemoryBytes: of(1 << 30)},
		)},
		{name: "containers", tool: "kubectl top pod --containers -A", text: "NAMESPACE    POD     NAME    CPU(cores)   MEMORY(bytes)   \nproduction   api-1   app     250m         480Mi           \n",
			want: usages(evidence.Usage{Kind: "Pod", Namespace: "production", Name: "api-1", Container: "app", CPUMillicores: of(250), MemoryBytes: of(480 << 20)})},
		{name: "nodes", tool: "kubectl top nodes", text: "NAME     CPU(cores)   CPU%        MEMORY(bytes)   MEMORY%     \nnode-1   3900m        97%         15Gi            93%         \nnode-2   <unknown>    <unknown>   <unknown>       <unknown>   \n", want: usages(
			evidence.Usage{Kind: "Node", Name: "node-1", CPUPercent: of(97), MemoryPercent: of(93), CPUMillicores: of(3900), MemoryBytes: of(15 << 30)},
			evidence.Usage{Kind: "Node", Name: "node-2"},
		)},
		{name: "no metrics", tool: "kubectl top pods", text: "error: Metrics API not available\n", problem: `kubectl top failed: "error: Metrics API not available"`},
	})
}

// What kubectl top measures is a percentage where the limit is known.
func TestUsageOfALimit(t *testing.T) {
	doc, err := json.Marshal(map[string]any{
		"pods": json.RawMessage(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"api-1","namespace":"production"},"spec":{"containers":[
			{"name":"app","resources":{"limits":{"memory":"512Mi","cpu":"500m"}}},{"name":"proxy","resources":{"limits":{"memory":"128Mi"}}}]}}`),
		"raw": []evidence.Raw{
			{Tool: "kubectl top pods -n production", Text: "NAME    CPU(cores)   MEMORY(bytes)\napi-1   250m         480Mi\n"},
			{Tool: "kubectl top pods -n production --containers", Text: "POD     NAME   CPU(cores)   MEMORY(bytes)\napi-1   app    250m         480Mi\n"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []evidence.Usage{
		{Kind: "Pod", Namespace: "production", Name: "api-1", MemoryPercent: of(75), CPUMillicores: of(250), MemoryBytes: of(480 << 20)}, // the proxy's CPU has no limit
		{Kind: "Pod", Namespace: "production", Name: "api-1", Container: "app", CPUPercent: of(50), MemoryPercent: of(93.8), CPUMillicores: of(250), MemoryBytes: of(480 << 20)},
	}
	if diff := cmp.Diff(want, parse(t, string(doc)).Usages); diff != "" {
		t.Error(diff)
	}
}
