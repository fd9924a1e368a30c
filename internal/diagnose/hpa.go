package diagnose

import (
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// hpa is one HorizontalPodAutoscaler. One that only events tell of has no
// conditions.
type hpa struct {
	object
	conditions
	target  string // the key of what it scales
	scales  string // the same, for people
	now     int32
	most    int32
	metrics []hpaMetric
}

// hpaMetric is one metric that an autoscaler goes by. What is not measured is
// not known.
type hpaMetric struct {
	name         string
	now, target  float64
	unit         string
	known, above bool
}

// scaleTolerance is how far a metric may be off its target before the autoscaler
// acts: its controller's default.
const scaleTolerance = 1.1

func (x *examination) hpas() []hpa {
	const kind = "HorizontalPodAutoscaler"
	var out []hpa
	for _, h := range distinct(x.ev.HPAs, x.besides(kind)) {
		one := x.readHPA(h)
		if x.concerns(kind, one.meta) || x.concernsAny(one.bears()) {
			out = append(out, one)
		}
	}
	for _, o := range x.heardOf(func(k string) bool { return k == kind }) {
		if x.concerns(kind, o.meta) {
			out = append(out, hpa{object: o})
		}
	}
	return out
}

func (x *examination) readHPA(h *autoscalingv2.HorizontalPodAutoscaler) hpa {
	ref := h.Spec.ScaleTargetRef
	out := hpa{
		object: x.object("HorizontalPodAutoscaler", &h.ObjectMeta), conditions: conditionsOf(h.Status.Conditions, hpaCondition),
		target: objectKey(ref.Kind, h.Namespace, ref.Name), scales: ref.Kind + " " + clip(ref.Name, 253),
		now: h.Status.CurrentReplicas, most: h.Spec.MaxReplicas,
	}
	for _, spec := range h.Spec.Metrics[:min(len(h.Spec.Metrics), maxMetrics)] {
		out.metrics = append(out.metrics, readMetric(spec, h.Status.CurrentMetrics))
	}
	return out
}

const maxMetrics = 20 // of one autoscaler

func readMetric(spec autoscalingv2.MetricSpec, current []autoscalingv2.MetricStatus) hpaMetric {
	name, target := metricTarget(spec)
	m := hpaMetric{name: name}
	for _, status := range current {
		if named, value := metricValue(status); named == name && status.Type == spec.Type {
			m.compare(target, value)
			break
		}
	}
	return m
}

// compare takes the value of the kind that the target is of.
func (m *hpaMetric) compare(t autoscalingv2.MetricTarget, v autoscalingv2.MetricValueStatus) {
	switch {
	case t.AverageUtilization != nil && v.AverageUtilization != nil:
		m.now, m.target, m.unit = float64(*v.AverageUtilization), float64(*t.AverageUtilization), "%"
	case t.AverageValue != nil && v.AverageValue != nil:
		m.now, m.target = v.AverageValue.AsApproximateFloat64(), t.AverageValue.AsApproximateFloat64()
	case t.Value != nil && v.Value != nil:
		m.now, m.target = v.Value.AsApproximateFloat64(), t.Value.AsApproximateFloat64()
	default:
		return
	}
	m.known, m.above = true, m.now > m.target*scaleTolerance
}

func (m hpaMetric) String() string {
	if !m.known {
		return clip(m.name, 100) + " unknown"
	}
	return fmt.Sprintf("%s %g%s against a target of %g%s", clip(m.name, 100), m.now, m.unit, m.target, m.unit)
}

func metricTarget(s autoscalingv2.MetricSpec) (string, autoscalingv2.MetricTarget) {
	switch {
	case s.Resource != nil:
		return string(s.Resource.Name), s.Resource.Target
	case s.ContainerResource != nil:
		return string(s.ContainerResource.Name) + " of " + s.ContainerResource.Container, s.ContainerResource.Target
	case s.Pods != nil:
		return s.Pods.Metric.Name, s.Pods.Target
	case s.Object != nil:
		return s.Object.Metric.Name, s.Object.Target
	case s.External != nil:
		return s.External.Metric.Name, s.External.Target
	}
	return string(s.Type), autoscalingv2.MetricTarget{}
}

func metricValue(s autoscalingv2.MetricStatus) (string, autoscalingv2.MetricValueStatus) {
	switch {
	case s.Resource != nil:
		return string(s.Resource.Name), s.Resource.Current
	case s.ContainerResource != nil:
		return string(s.ContainerResource.Name) + " of " + s.ContainerResource.Container, s.ContainerResource.Current
	case s.Pods != nil:
		return s.Pods.Metric.Name, s.Pods.Current
	case s.Object != nil:
		return s.Object.Metric.Name, s.Object.Current
	case s.External != nil:
		return s.External.Metric.Name, s.External.Current
	}
	return string(s.Type), autoscalingv2.MetricValueStatus{}
}

func (h hpa) bears() []string {
	if h.target == "" {
		return nil
	}
	return []string{h.target}
}

func (h hpa) place() place {
	p := h.x.objectPlace(h.kind, h.meta, 1)
	p.bears = h.bears()
	return p
}

// load says what is measured, and whether something is above its target and
// whether all of it is back at it.
func (h hpa) load() (line string, above, back bool) {
	var parts []string
	back = len(h.metrics) > 0
	for _, m := range h.metrics {
		parts = append(parts, m.String())
		above = above || m.above
		back = back && m.known && !m.above
	}
	return strings.Join(parts, ", "), above, back
}

// hpaMaxed does not take an autoscaler for maxed out that only remembers a peak:
// with its metrics back at their targets it will scale down by itself.
func hpaMaxed(h hpa) (finding, bool) {
	limited := h.find("ScalingLimited")
	wantsMore := limited.yes() && limited.reason == "TooManyReplicas"
	load, above, back := h.load()
	if h.most <= 0 || h.now < h.most || back || !wantsMore && (!above || limited.no()) {
		return finding{}, false
	}
	f := finding{
		confidence: likely,
		symptom:    fmt.Sprintf("%s holds %s at its maximum of %d replicas", h.title(), h.scales, h.most),
		quotes:     []string{h.quote(fmt.Sprintf("currentReplicas=%d, maxReplicas=%d, %s", h.now, h.most, load))},
		because:    "the load asks for more replicas than it may have",
	}
	if wantsMore {
		f.confidence = strong
		f.quotes = append(f.quotes, h.quote(limited.quote()))
	}
	if above {
		f.because += ": " + load
		f.confidence += 0.05
	} else {
		f.missing = append(f.missing, "the present metrics of "+h.title())
		f.wants = append(f.wants, CollectWorkload)
	}
	return f, true
}

// metricReasons are the reasons of conditions and events that tell that a metric
// could not be had or used.
var metricReasons = []string{
	"FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetPodsMetric", "FailedGetObjectMetric", "FailedGetExternalMetric",
	"FailedComputeMetricsReplicas", "InvalidMetricSourceType", "InvalidSelector", "SelectorRequired", "FailedConvertHPA",
}

func hpaMetricsMissing(h hpa) (finding, bool) {
	active := h.find("ScalingActive")
	f := finding{symptom: h.title() + " does not scale"}
	message := active.message
	switch {
	case active.yes():
		return finding{}, false
	case active.no() && slices.Contains(metricReasons, active.reason):
		f.confidence = 0.95
		f.quotes = []string{h.quote(active.quote())}
	default:
		e, ok := h.lately(metricReasons, []string{"SuccessfulRescale"})
		if !ok || active.no() {
			return finding{}, false
		}
		f.confidence, message = likely, e.Message
		f.quotes = []string{quoteEvent(e)}
	}
	f.because = "it cannot have or use the metrics that it scales by: " + message
	f.from = h.deadTarget(message)
	return f, true
}

// deadTarget are the causes that explain missing metrics, where there are none
// because no pod of the target is there to be measured.
func (h hpa) deadTarget(message string) []string {
	if strings.Contains(message, "missing request for") {
		return nil
	}
	pods, ready := 0, 0
	for _, p := range h.x.pods {
		if slices.Contains(p.within, h.target) {
			pods++
			if p.ready() {
				ready++
			}
		}
	}
	if pods > 0 && ready == 0 || strings.Contains(message, "pods might be unready") {
		return []string{"pod.*", "node.*", causeRolloutStalled}
	}
	return nil
}

func wellHPA(h hpa) (string, bool) {
	if len(h.conditions) == 0 || h.x.aboutPods() {
		return "", true
	}
	line := fmt.Sprintf("%d replicas of at most %d", h.now, h.most)
	if load, _, _ := h.load(); load != "" {
		line += ", " + load
	}
	active, able := h.find("ScalingActive"), h.find("AbleToScale")
	switch {
	case active.no() && active.reason != "ScalingDisabled":
		return h.quote(active.quote()), false
	case able.no() && strings.HasPrefix(able.reason, "Failed"):
		return h.quote(able.quote()), false
	case active.reason == "ScalingDisabled":
		return h.quote("scaling is switched off: its target has 0 replicas"), true
	}
	return h.quote(line), true
}
