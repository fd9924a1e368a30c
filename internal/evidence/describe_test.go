package evidence_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"salve/internal/evidence"
)

func kindMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func metaAt(text string) metav1.Time { return metav1.Time{Time: at(text).Time} }

func controlledBy(apiVersion, kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, Controller: new(true)}}
}

// describedEvent is one line of the Events of an object.
func describedEvent(kind, namespace, name, path, typ, reason, from, message string, count int32, first, last time.Duration) corev1.Event {
	e := listedEvent(kind, namespace, name, typ, reason, message, count, first, last)
	e.InvolvedObject.FieldPath, e.Source.Component = path, from
	return e
}

const gatewayPod = "api-gateway-7d9f5b8c6-x7k2m"

var gatewayLimits = corev1.ResourceRequirements{
	Limits:   corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("512Mi")},
	Requests: corev1.ResourceList{"memory": resource.MustParse("256Mi")},
}

func gatewayContainers() []corev1.Container {
	tcp := intstr.FromInt32(9000)
	return []corev1.Container{
		{Name: "app", Image: "registry.example.com/api-gateway:v1.2.3", Resources: gatewayLimits, LivenessProbe: &corev1.Probe{
			ProbeHandler:        corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080), Scheme: "HTTP"}},
			InitialDelaySeconds: 10, TimeoutSeconds: 1, PeriodSeconds: 10, SuccessThreshold: 1, FailureThreshold: 3}},
		{Name: "proxy", Image: "registry.example.com/proxy:9",
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: tcp}}, TimeoutSeconds: 1, PeriodSeconds: 5, SuccessThreshold: 1, FailureThreshold: 3},
			StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "/tmp/up"}}},
				TimeoutSeconds: 1, PeriodSeconds: 5, SuccessThreshold: 1, FailureThreshold: 30}},
	}
}

var migrate = corev1.Container{Name: "migrate", Image: "registry.example.com/migrate:1"}

func gateway() corev1.Pod {
	return corev1.Pod{
		TypeMeta: kindMeta("v1", "Pod"),
		ObjectMeta: metav1.ObjectMeta{Name: gatewayPod, Namespace: "production", Labels: map[string]string{"app": "api-gateway", "pod-template-hash": "7d9f5b8c6"},
			Annotations: map[string]string{"prometheus.io/scrape": "true"}, OwnerReferences: controlledBy("apps/v1", "ReplicaSet", "api-gateway-7d9f5b8c6"),
			CreationTimestamp: metaAt("2026-11-23T02:55:01Z")},
		Spec: corev1.PodSpec{NodeName: "node-1", InitContainers: []corev1.Container{migrate}, Containers: gatewayContainers()},
		Status: corev1.PodStatus{
			Phase: "Running", HostIP: "10.0.0.5", PodIP: "10.244.1.7", QOSClass: "Burstable", StartTime: new(metaAt("2026-11-23T02:55:01Z")),
			Conditions: []corev1.PodCondition{
				{Type: "PodReadyToStartContainers", Status: "True"}, {Type: "Initialized", Status: "True"}, {Type: "Ready", Status: "False"},
				{Type: "ContainersReady", Status: "False"}, {Type: "PodScheduled", Status: "True"},
			},
			InitContainerStatuses: []corev1.ContainerStatus{{
				Name: "migrate", Ready: true, Image: migrate.Image, ImageID: "registry.example.com/migrate@sha256:aa", ContainerID: "containerd://11",
				State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: metaAt("2026-11-23T02:55:03Z"), FinishedAt: metaAt("2026-11-23T02:55:05Z")}},
			}},
			ContainerStatuses: []corev1.ContainerStatus{
				{Name: "app", RestartCount: 7, Image: "registry.example.com/api-gateway:v1.2.3", ImageID: "registry.example.com/api-gateway@sha256:bb", ContainerID: "containerd://22",
					State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
					LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
						Reason: "OOMKilled", ExitCode: 137, Message: "fatal: heap full", StartedAt: metaAt("2026-11-23T03:10:11Z"), FinishedAt: metaAt("2026-11-23T03:11:02Z")}}},
				{Name: "proxy", Ready: true, Image: "registry.example.com/proxy:9", ImageID: "x", ContainerID: "containerd://33",
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metaAt("2026-11-23T02:55:06Z")}}},
			},
		},
	}
}

func gatewayEvents() []corev1.Event {
	return []corev1.Event{
		describedEvent("Pod", "production", gatewayPod, "", "Normal", "Scheduled", "default-scheduler", "Successfully assigned production/api-gateway-7d9f5b8c6-x7k2m to node-1", 1, 20*time.Minute, 20*time.Minute),
		describedEvent("Pod", "production", gatewayPod, "spec.containers{app}", "Warning", "Unhealthy", "kubelet", "Liveness probe failed: HTTP probe failed with statuscode: 503\nbody: upstream\nis down", 3, 19*time.Minute, 5*time.Minute),
		describedEvent("Pod", "production", gatewayPod, "spec.containers{app}", "Warning", "BackOff", "kubelet", "Back-off restarting failed container app in pod api-gateway-7d9f5b8c6-x7k2m_production(6d3f)", 25, 10*time.Minute, 121*time.Second),
	}
}

// The outputs are kubectl 1.37's own describers' of objects made up for these
// tests; only what depends on the clock of that moment was cut off.
func TestKubectlDescribe(t *testing.T) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{InitContainers: []corev1.Container{migrate}, Containers: gatewayContainers()}}
	app := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "api-gateway"}}
	gatewaySet := map[string]string{"app": "api-gateway", "pod-template-hash": "7d9f5b8c6"}
	for _, tc := range []struct {
		file string
		want evidence.Evidence
	}{
		{"pod", evidence.Evidence{Pods: []corev1.Pod{gateway()}, Events: gatewayEvents()}},
		{"node", evidence.Evidence{
			Nodes: []corev1.Node{{
				TypeMeta: kindMeta("v1", "Node"),
				ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{"kubernetes.io/hostname": "node-1", "node-role.kubernetes.io/worker": ""},
					CreationTimestamp: metaAt("2026-10-01T08:00:00Z")},
				Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{
					{Key: "dedicated", Value: "db", Effect: "NoExecute"}, {Key: "node.kubernetes.io/disk-pressure", Effect: "NoSchedule"}, {Key: "node.kubernetes.io/unschedulable", Effect: "NoSchedule"}}},
				Status: corev1.NodeStatus{
					Capacity:    corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("16Gi"), "pods": resource.MustParse("110")},
					Allocatable: corev1.ResourceList{"cpu": resource.MustParse("3920m"), "memory": resource.MustParse("15Gi"), "pods": resource.MustParse("110")},
					Conditions: []corev1.NodeCondition{
						{Type: "MemoryPressure", Status: "False", LastHeartbeatTime: metaAt("2026-11-23T03:14:00Z"), LastTransitionTime: metaAt("2026-11-01T00:00:00Z"), Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
						{Type: "DiskPressure", Status: "True", LastHeartbeatTime: metaAt("2026-11-23T03:14:00Z"), LastTransitionTime: metaAt("2026-11-23T03:00:00Z"), Reason: "KubeletHasDiskPressure", Message: "kubelet has disk pressure"},
						{Type: "Ready", Status: "Unknown", LastHeartbeatTime: metaAt("2026-11-23T03:04:00Z"), LastTransitionTime: metaAt("2026-11-23T03:05:00Z"), Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."},
					}},
			}},
			Events: []corev1.Event{
				describedEvent("Node", "", "node-1", "", "Normal", "NodeHasDiskPressure", "kubelet", "Node node-1 status is now: NodeHasDiskPressure", 1, minutes(15), minutes(15)),
				describedEvent("Node", "", "node-1", "", "Warning", "EvictionThresholdMet", "kubelet", "Attempting to reclaim ephemeral-storage", 40, minutes(15), 10*time.Second),
			},
		}},
		{"deployment", evidence.Evidence{
			Deployments: []appsv1.Deployment{{
				TypeMeta: kindMeta("apps/v1", "Deployment"),
				ObjectMeta: metav1.ObjectMeta{Name: "api-gateway", Namespace: "production", Annotations: map[string]string{"deployment.kubernetes.io/revision": "24"},
					CreationTimestamp: metaAt("2026-10-01T08:00:00Z")},
				Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), Selector: app, Template: template, Strategy: appsv1.DeploymentStrategy{Type: "RollingUpdate"}},
				Status: appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1, AvailableReplicas: 3, UnavailableReplicas: 1, Conditions: []appsv1.DeploymentCondition{
					{Type: "Available", Status: "True", Reason: "MinimumReplicasAvailable"}, {Type: "Progressing", Status: "False", Reason: "ProgressDeadlineExceeded"}}},
			}},
			Events: []corev1.Event{describedEvent("Deployment", "production", "api-gateway", "", "Normal", "ScalingReplicaSet", "deployment-controller", "Scaled up replica set api-gateway-7d9f5b8c6 from 0 to 1", 1, minutes(12), minutes(12))},
		}},
		{"replicaset", evidence.Evidence{
			ReplicaSets: []appsv1.ReplicaSet{{
				TypeMeta: kindMeta("apps/v1", "ReplicaSet"),
				ObjectMeta: metav1.ObjectMeta{Name: "api-gateway-7d9f5b8c6", Namespace: "production", Labels: gatewaySet, Annotations: map[string]string{"deployment.kubernetes.io/revision": "24"},
					OwnerReferences: controlledBy("apps/v1", "Deployment", "api-gateway")},
				Spec:   appsv1.ReplicaSetSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: gatewaySet}, Template: template},
				Status: appsv1.ReplicaSetStatus{Replicas: 1, Conditions: []appsv1.ReplicaSetCondition{{Type: "ReplicaFailure", Status: "True", Reason: "FailedCreate"}}},
			}},
			Events: []corev1.Event{describedEvent("ReplicaSet", "production", "api-gateway-7d9f5b8c6", "", "Warning", "FailedCreate", "replicaset-controller",
				`Error creating: pods "api-gateway-7d9f5b8c6-" is forbidden: exceeded quota: compute, requested: limits.memory=512Mi, used: limits.memory=8Gi, limited: limits.memory=8Gi`, 13, minutes(12), 30*time.Second)},
		}},
		{"job", evidence.Evidence{
			Jobs: []batchv1.Job{{
				TypeMeta:   kindMeta("batch/v1", "Job"),
				ObjectMeta: metav1.ObjectMeta{Name: "nightly-28400000", Namespace: "batch", OwnerReferences: controlledBy("batch/v1", "CronJob", "nightly")},
				Spec: batchv1.JobSpec{Parallelism: new(int32(1)), Completions: new(int32(1)), BackoffLimit: new(int32(6)), ActiveDeadlineSeconds: new(int64(600)),
					Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"batch.kubernetes.io/controller-uid": "abc"}},
					Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "run", Image: "registry.example.com/nightly:3"}}}}},
				Status: batchv1.JobStatus{StartTime: new(metaAt("2026-11-23T02:00:00Z")), Failed: 7},
			}},
			Events: []corev1.Event{describedEvent("Job", "batch", "nightly-28400000", "", "Warning", "BackoffLimitExceeded", "job-controller", "Job has reached the specified backoff limit", 1, minutes(70), minutes(70))},
		}},
		{"hpa", evidence.Evidence{
			HPAs: []autoscalingv2.HorizontalPodAutoscaler{{
				TypeMeta:   kindMeta("autoscaling/v2", "HorizontalPodAutoscaler"),
				ObjectMeta: metav1.ObjectMeta{Name: "api-gateway", Namespace: "production", CreationTimestamp: metaAt("2026-10-01T08:00:00Z")},
				Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "api-gateway"},
					MinReplicas: new(int32(2)), MaxReplicas: 10,
					Metrics: []autoscalingv2.MetricSpec{{Type: "Resource", Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu",
						Target: autoscalingv2.MetricTarget{Type: "Utilization", AverageUtilization: new(int32(80))}}}}},
				Status: autoscalingv2.HorizontalPodAutoscalerStatus{CurrentReplicas: 10, DesiredReplicas: 10,
					CurrentMetrics: []autoscalingv2.MetricStatus{{Type: "Resource", Resource: &autoscalingv2.ResourceMetricStatus{Name: "cpu",
						Current: autoscalingv2.MetricValueStatus{AverageUtilization: new(int32(97))}}}}, Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
						{Type: "AbleToScale", Status: "True", Reason: "ReadyForNewScale", Message: "recommended size matches current size"},
						{Type: "ScalingLimited", Status: "True", Reason: "TooManyReplicas", Message: "the desired replica count is more than the maximum replica count"}}},
			}},
			Events: []corev1.Event{describedEvent("HorizontalPodAutoscaler", "production", "api-gateway", "", "Warning", "FailedGetResourceMetric", "horizontal-pod-autoscaler",
				"failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API", 4, minutes(120), minutes(90))},
		}},
		{"pvc", evidence.Evidence{
			PVCs: []corev1.PersistentVolumeClaim{{
				TypeMeta: kindMeta("v1", "PersistentVolumeClaim"), ObjectMeta: metav1.ObjectMeta{Name: "data-db-0", Namespace: "production"},
				Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: new("fast")}, Status: corev1.PersistentVolumeClaimStatus{Phase: "Pending"},
			}},
			Events: []corev1.Event{describedEvent("PersistentVolumeClaim", "production", "data-db-0", "", "Warning", "ProvisioningFailed", "persistentvolume-controller",
				`storageclass.storage.k8s.io "fast" not found`, 9, 26*time.Hour, 40*time.Second)},
		}},
		{"pdb", evidence.Evidence{
			PDBs: []policyv1.PodDisruptionBudget{{
				TypeMeta: kindMeta("policy/v1", "PodDisruptionBudget"), ObjectMeta: metav1.ObjectMeta{Name: "api-gateway", Namespace: "production"},
				Spec:   policyv1.PodDisruptionBudgetSpec{MinAvailable: new(intstr.FromInt32(3)), Selector: app},
				Status: policyv1.PodDisruptionBudgetStatus{CurrentHealthy: 3, DesiredHealthy: 3, ExpectedPods: 3},
			}},
			Events: []corev1.Event{},
		}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			tc.want.ObservedAt = now
			text := testdata(t, "describe-"+tc.file+".txt")
			for _, tool := range []string{"kubectl describe " + tc.file + " x", ""} {
				got, problems := evidence.Parse(rawOf(evidence.Raw{Tool: tool, Text: text}), now)
				if diff := cmp.Diff(tc.want, got); diff != "" || problems != nil {
					t.Errorf("as %q: %s %v", tool, diff, problems)
				}
			}
		})
	}
}

// Several objects come one after another.
func TestKubectlDescribeSeveral(t *testing.T) {
	text := testdata(t, "describe-pod.txt") + "\n\n" + testdata(t, "describe-node.txt")
	got, problems := evidence.FromFile([]byte(text), now)
	if inv := inventory(got); inv != "pods 1 events 5 nodes 1" || problems != nil {
		t.Error(inv, problems)
	}
}

func TestKubectlDescribePodsThatEnded(t *testing.T) {
	head := "Name:   a\nNamespace:  n\nNode:  node-1/10.0.0.5\nIP:  10.0.0.1\n"
	for _, tc := range []struct {
		name, text string
		want       func(*corev1.Pod)
	}{
		{"evicted", "Status:  Failed\nReason:  Evicted\nMessage:  The node was low on resource: memory.\n", func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = "Failed", "Evicted", "The node was low on resource: memory."
			p.Spec.RestartPolicy = "Never"
		}},
		{"done", "Status:  Succeeded\n", func(p *corev1.Pod) { p.Status.Phase, p.Spec.RestartPolicy = "Succeeded", "OnFailure" }},
		{"going", "Status:  Terminating (lasts 3m)\nTermination Grace Period:  30s\n", func(p *corev1.Pod) { p.DeletionTimestamp = new(metaAgo(3 * time.Minute)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := corev1.Pod{TypeMeta: kindMeta("v1", "Pod"), ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "n"}}
			want.Spec.NodeName, want.Status.HostIP, want.Status.PodIP = "node-1", "10.0.0.5", "10.0.0.1"
			tc.want(&want)
			got, problems := evidence.Parse(rawOf(evidence.Raw{Tool: "kubectl describe pod a", Text: head + tc.text + "Events:  <none>\n"}), now)
			if diff := cmp.Diff([]corev1.Pod{want}, got.Pods); diff != "" || problems != nil {
				t.Error(diff, problems)
			}
			if got.Events == nil || len(got.Events) > 0 {
				t.Error("no events are an answer too", got.Events)
			}
		})
	}
}

// Of a kind that nothing reads, the events count.
func TestKubectlDescribeOtherKinds(t *testing.T) {
	text := "Name:  web\nNamespace:  production\nLabels:  <none>\nAnnotations:  <none>\nEvents:\n  Type     Reason   Age   From        Message\n  ----     ------   ----  ----        -------\n  Warning  Sync     2m    controller  failed\n"
	got, problems := evidence.Parse(rawOf(evidence.Raw{Tool: "kubectl -n production describe Ingress web", Text: text}), now)
	want := []corev1.Event{describedEvent("Ingress", "production", "web", "", "Warning", "Sync", "controller", "failed", 1, 2*time.Minute, 2*time.Minute)}
	if diff := cmp.Diff(want, got.Events); diff != "" || problems != nil {
		t.Error(diff, problems)
	}
}

// After a message of several lines kubectl aligns the rest anew.
func TestKubectlDescribeEventsAlignedAnew(t *testing.T) {
	text := `Name:       a
Namespace:  n
Node:       node-1/10.0.0.5
Status:     Running
IP:         10.0.0.1
Events:
  Type     Reason                    Age                 From               Message
  ----     ------                    ----                ----               -------
  Warning  FailedCreatePodSandBox    5m                  kubelet            first
second
  Warning  BackOff  2m  kubelet                                             third  and  last
`
	got, problems := evidence.Parse(rawOf(evidence.Raw{Tool: "kubectl describe pod a", Text: text}), now)
	want := []corev1.Event{
		describedEvent("Pod", "n", "a", "", "Warning", "FailedCreatePodSandBox", "kubelet", "first\nsecond", 1, 5*time.Minute, 5*time.Minute),
		describedEvent("Pod", "n", "a", "", "Warning", "BackOff", "kubelet", "third  and  last", 1, 2*time.Minute, 2*time.Minute),
	}
	if diff := cmp.Diff(want, got.Events); diff != "" || problems != nil {
		t.Error(diff, problems)
	}
}
