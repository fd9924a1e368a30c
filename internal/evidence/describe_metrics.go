package evidence

import (
	"regexp"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// How kubectl describe prints what an autoscaler goes by: now against its target.
//
//	resource cpu on pods  (as a percentage of request):  82% (410m) / 70%
//	"queue_depth" (target average value):                85 / 30
var (
	describedUse    = regexp.MustCompile(`^\s+resource (\S+)(?: of container \S+)? on pods\s+\(as a percentage of request\):\s+(\d{1,6})%(?: \([^)]*\))? / (\d{1,6})%`)
	describedMetric = regexp.MustCompile(`^\s+"([^"]+)".*\(target average value\):\s+(\S+) / (\S+)`)
)

// describedMetrics adds the metrics that are known; <unknown> is left out.
func (d described) describedMetrics(o *autoscalingv2.HorizontalPodAutoscaler) {
	lines := d.section("Metrics").lines
	for _, line := range lines[:min(len(lines), maxColumns)] {
		line = clip(line, maxLookLine)
		if m := describedUse.FindStringSubmatch(line); m != nil {
			addUse(o, corev1.ResourceName(m[1]), optional32(m[2]), optional32(m[3]))
		} else if m := describedMetric.FindStringSubmatch(line); m != nil {
			addMetric(o, m[1], m[2], m[3])
		}
	}
}

func addUse(o *autoscalingv2.HorizontalPodAutoscaler, name corev1.ResourceName, now, target *int32) {
	const kind = autoscalingv2.ResourceMetricSourceType
	o.Spec.Metrics = append(o.Spec.Metrics, autoscalingv2.MetricSpec{Type: kind, Resource: &autoscalingv2.ResourceMetricSource{
		Name: name, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: target},
	}})
	o.Status.CurrentMetrics = append(o.Status.CurrentMetrics, autoscalingv2.MetricStatus{Type: kind, Resource: &autoscalingv2.ResourceMetricStatus{
		Name: name, Current: autoscalingv2.MetricValueStatus{AverageUtilization: now},
	}})
}

// addMetric takes any other metric for an external one: describe does not tell.
func addMetric(o *autoscalingv2.HorizontalPodAutoscaler, name, has, wants string) {
	now, err := resource.ParseQuantity(clip(has, 40))
	target, err2 := resource.ParseQuantity(clip(wants, 40))
	if err != nil || err2 != nil {
		return
	}
	const kind = autoscalingv2.ExternalMetricSourceType
	id := autoscalingv2.MetricIdentifier{Name: name}
	o.Spec.Metrics = append(o.Spec.Metrics, autoscalingv2.MetricSpec{Type: kind, External: &autoscalingv2.ExternalMetricSource{
		Metric: id, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: &target},
	}})
	o.Status.CurrentMetrics = append(o.Status.CurrentMetrics, autoscalingv2.MetricStatus{Type: kind, External: &autoscalingv2.ExternalMetricStatus{
		Metric: id, Current: autoscalingv2.MetricValueStatus{AverageValue: &now},
	}})
}
