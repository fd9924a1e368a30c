package evidence

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: kindOf(kind).apiVersion, Kind: kind}
}

// figures are the numbers of a line such as "3 desired | 2 updated | 4 total" or
// "2 current / 3 desired", by their words.
func figures(line string) map[string]int32 {
	out := map[string]int32{}
	for part := range strings.FieldsFuncSeq(clip(line, maxLookLine), func(r rune) bool { return r == '|' || r == '/' }) {
		n, word := cutWord(part)
		out[firstWord(word)] = number32(n)
	}
	return out
}

// selector reads "app=api,tier in (a)"; what cannot be read selects nothing.
func selector(text string) *metav1.LabelSelector {
	s, err := metav1.ParseToLabelSelector(clip(text, maxLookLine))
	if err != nil || text == "" {
		return nil
	}
	if len(s.MatchExpressions) == 0 {
		s.MatchExpressions = nil
	}
	return s
}

func (r *reader) describedDeployment(d described) {
	n := figures(d.get("Replicas"))
	o := appsv1.Deployment{TypeMeta: typeMeta("Deployment"), ObjectMeta: d.meta()}
	o.Spec.Replicas, o.Spec.Selector = new(n["desired"]), selector(d.get("Selector"))
	o.Spec.Strategy.Type = appsv1.DeploymentStrategyType(d.get("StrategyType"))
	o.Spec.Template = d.template()
	o.Status.Replicas, o.Status.UpdatedReplicas = n["total"], n["updated"]
	o.Status.AvailableReplicas, o.Status.UnavailableReplicas = n["available"], n["unavailable"]
	d.conditionRows(func(row row) {
		o.Status.Conditions = append(o.Status.Conditions, appsv1.DeploymentCondition{
			Type: appsv1.DeploymentConditionType(row.get("Type")), Status: corev1.ConditionStatus(row.get("Status")), Reason: row.get("Reason"),
		})
	})
	r.described.Deployments = append(r.described.Deployments, o)
}

// template reads the containers of a Pod Template.
func (d described) template() (t corev1.PodTemplateSpec) {
	lines := d.section("Pod Template").lines
	for i, line := range lines {
		switch strings.TrimSpace(line) {
		case "Init Containers:":
			t.Spec.InitContainers, _ = containers(untilHeading(lines[i+1:]))
		case "Containers:":
			t.Spec.Containers, _ = containers(untilHeading(lines[i+1:]))
		}
	}
	return t
}

// untilHeading are the lines of one part of a template: its headings stand two
// steps in, its containers' names three.
func untilHeading(lines []string) []string {
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") && len(line) > 2 && line[2] != ' ' {
			return lines[:i]
		}
	}
	return lines
}

func (r *reader) describedReplicaSet(d described) {
	n := figures(d.get("Replicas"))
	o := appsv1.ReplicaSet{TypeMeta: typeMeta("ReplicaSet"), ObjectMeta: d.meta()}
	o.Spec.Replicas, o.Spec.Selector, o.Spec.Template = new(n["desired"]), selector(d.get("Selector")), d.template()
	o.Status.Replicas = n["current"]
	d.conditionRows(func(row row) {
		o.Status.Conditions = append(o.Status.Conditions, appsv1.ReplicaSetCondition{
			Type: appsv1.ReplicaSetConditionType(row.get("Type")), Status: corev1.ConditionStatus(row.get("Status")), Reason: row.get("Reason"),
		})
	})
	r.described.ReplicaSets = append(r.described.ReplicaSets, o)
}

func (r *reader) describedStatefulSet(d described) {
	n := figures(d.get("Replicas"))
	o := appsv1.StatefulSet{TypeMeta: typeMeta("StatefulSet"), ObjectMeta: d.meta()}
	o.Spec.Replicas, o.Spec.Selector, o.Spec.Template = new(n["desired"]), selector(d.get("Selector")), d.template()
	o.Status.Replicas = n["total"]
	r.described.StatefulSets = append(r.described.StatefulSets, o)
}

func (r *reader) describedDaemonSet(d described) {
	o := appsv1.DaemonSet{TypeMeta: typeMeta("DaemonSet"), ObjectMeta: d.meta()}
	o.Spec.Selector, o.Spec.Template = selector(d.get("Selector")), d.template()
	o.Status.DesiredNumberScheduled = number32(d.get("Desired Number of Nodes Scheduled"))
	o.Status.CurrentNumberScheduled = number32(d.get("Current Number of Nodes Scheduled"))
	o.Status.UpdatedNumberScheduled = number32(d.get("Number of Nodes Scheduled with Up-to-date Pods"))
	o.Status.NumberAvailable = number32(d.get("Number of Nodes Scheduled with Available Pods"))
	o.Status.NumberMisscheduled = number32(d.get("Number of Nodes Misscheduled"))
	r.described.DaemonSets = append(r.described.DaemonSets, o)
}

func (r *reader) describedJob(d described) {
	n := figures(d.get("Pods Statuses"))
	o := batchv1.Job{TypeMeta: typeMeta("Job"), ObjectMeta: d.meta()}
	o.Spec.Selector, o.Spec.Template = selector(d.get("Selector")), d.template()
	o.Spec.Parallelism, o.Spec.Completions = optional32(d.get("Parallelism")), optional32(d.get("Completions"))
	o.Spec.BackoffLimit = optional32(d.get("Backoff Limit"))
	if seconds := optional32(d.get("Active Deadline Seconds")); seconds != nil {
		o.Spec.ActiveDeadlineSeconds = new(int64(*seconds))
	}
	o.Status.Active, o.Status.Succeeded, o.Status.Failed = n["Active"], n["Succeeded"], n["Failed"]
	if at := metaTime(d.get("Start Time")); !at.IsZero() {
		o.Status.StartTime = &at
	}
	if at := metaTime(d.get("Completed At")); !at.IsZero() {
		o.Status.CompletionTime = &at
	}
	r.described.Jobs = append(r.described.Jobs, o)
}

func optional32(text string) *int32 {
	if text == "" {
		return nil
	}
	return new(number32(text))
}

func (r *reader) describedNode(d described) {
	o := corev1.Node{TypeMeta: typeMeta("Node"), ObjectMeta: d.meta()}
	o.Namespace = ""
	o.Spec.Unschedulable = d.get("Unschedulable") == "true"
	taints := d.section("Taints")
	for _, line := range append([]string{taints.value}, taints.lines[:min(len(taints.lines), maxColumns)]...) {
		if t, ok := taint(strings.TrimSpace(line)); ok {
			o.Spec.Taints = append(o.Spec.Taints, t)
		}
	}
	o.Status.Capacity, o.Status.Allocatable = quantities(d.section("Capacity")), quantities(d.section("Allocatable"))
	d.conditionRows(func(row row) {
		o.Status.Conditions = append(o.Status.Conditions, corev1.NodeCondition{
			Type: corev1.NodeConditionType(row.get("Type")), Status: corev1.ConditionStatus(row.get("Status")),
			LastHeartbeatTime: metaTime(row.get("LastHeartbeatTime")), LastTransitionTime: metaTime(row.get("LastTransitionTime")),
			Reason: row.get("Reason"), Message: row.get("Message"),
		})
	})
	r.described.Nodes = append(r.described.Nodes, o)
}

// taint reads "key=value:NoSchedule".
func taint(text string) (corev1.Taint, bool) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 {
		return corev1.Taint{}, false
	}
	key, value, _ := strings.Cut(text[:i], "=")
	return corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(text[i+1:])}, true
}

func quantities(s section) corev1.ResourceList {
	var out corev1.ResourceList
	for _, line := range s.lines[:min(len(s.lines), maxColumns)] {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		q, err := resource.ParseQuantity(clip(value, 40))
		if err != nil {
			continue
		}
		if out == nil {
			out = corev1.ResourceList{}
		}
		out[corev1.ResourceName(key)] = q
	}
	return out
}

func (r *reader) describedHPA(d described) {
	o := autoscalingv2.HorizontalPodAutoscaler{TypeMeta: typeMeta("HorizontalPodAutoscaler"), ObjectMeta: d.meta()}
	o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name, _ = strings.Cut(d.get("Reference"), "/")
	o.Spec.MinReplicas, o.Spec.MaxReplicas = optional32(d.get("Min replicas")), number32(d.get("Max replicas"))
	n := figures(d.get(o.Spec.ScaleTargetRef.Kind + " pods"))
	o.Status.CurrentReplicas, o.Status.DesiredReplicas = n["current"], n["desired"]
	d.describedMetrics(&o)
	d.conditionRows(func(row row) {
		o.Status.Conditions = append(o.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
			Type: autoscalingv2.HorizontalPodAutoscalerConditionType(row.get("Type")), Status: corev1.ConditionStatus(row.get("Status")),
			Reason: row.get("Reason"), Message: row.get("Message"),
		})
	})
	r.described.HPAs = append(r.described.HPAs, o)
}

func (r *reader) describedPVC(d described) {
	o := corev1.PersistentVolumeClaim{TypeMeta: typeMeta("PersistentVolumeClaim"), ObjectMeta: d.meta()}
	if class := d.get("StorageClass"); class != "" {
		o.Spec.StorageClassName = &class
	}
	o.Spec.VolumeName = d.get("Volume")
	o.Status.Phase = corev1.PersistentVolumeClaimPhase(firstWord(d.get("Status")))
	r.described.PVCs = append(r.described.PVCs, o)
}

func (r *reader) describedPDB(d described) {
	o := policyv1.PodDisruptionBudget{TypeMeta: typeMeta("PodDisruptionBudget"), ObjectMeta: d.meta()}
	o.Spec.Selector = selector(d.get("Selector"))
	if v := d.get("Min available"); v != "" {
		o.Spec.MinAvailable = new(intstr.Parse(v))
	}
	if v := d.get("Max unavailable"); v != "" {
		o.Spec.MaxUnavailable = new(intstr.Parse(v))
	}
	status := pairs(section{lines: d.section("Status").lines}, ":")
	o.Status.CurrentHealthy, o.Status.DesiredHealthy = number32(status["Current"]), number32(status["Desired"])
	o.Status.ExpectedPods = number32(status["Total"])
	for _, line := range d.section("Status").lines {
		if allowed, ok := strings.CutPrefix(strings.TrimSpace(line), "Allowed disruptions:"); ok {
			o.Status.DisruptionsAllowed = number32(strings.TrimSpace(allowed))
		}
	}
	r.described.PDBs = append(r.described.PDBs, o)
}
