package diagnose_test

import (
	"fmt"
	"testing"
	"time"
)

func hpaJSON(now, most int, metric string, conditions ...string) string {
	return key("hpas", fmt.Sprintf(`{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"api","namespace":"production","uid":"hpa-1"},
 "spec":{"scaleTargetRef":{"kind":"Deployment","name":"api-gateway"},"minReplicas":2,"maxReplicas":%d,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":70}}}]},
 "status":{"currentReplicas":%d,"currentMetrics":[%s],%s}}`, most, now, metric, conditionsJSON(conditions...)))
}

func cpuAt(percent int) string {
	return fmt.Sprintf(`{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":%d,"averageValue":"1"}}}`, percent)
}

func TestAutoscalers(t *testing.T) {
	many, within := cond("ScalingLimited", "True", "TooManyReplicas", "the desired replica count is more than the maximum replica count"), cond("ScalingLimited", "False", "DesiredWithinRange", "")
	fast := cond("ScalingLimited", "True", "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
	noCPU := cond("ScalingActive", "False", "FailedGetResourceMetric", "the HPA was unable to compute the replica count: no metrics returned from resource metrics API")
	noRequest := cond("ScalingActive", "False", "FailedGetResourceMetric", "failed to get cpu utilization: missing request for cpu in container app of Pod x")
	failing := note("HorizontalPodAutoscaler", "api", "Warning", "FailedGetResourceMetric", "unable to fetch metrics from resource metrics API", 5*time.Minute)
	scaled := func(last time.Duration) string {
		return note("HorizontalPodAutoscaler", "api", "Normal", "SuccessfulRescale", "New size: 4", last)
	}
	down := []string{oomPod(apiPod)}
	half := []string{oomPod(apiPod), readyPod("api-gateway-7d9f5b8c6-aaaaa")}
	ask := about("HorizontalPodAutoscaler", "api")
	runDiseases(t, []diseaseCase{
		{name: "wants more than it may have", ask: ask, cause: "workload.hpa_maxed", says: "cpu 90% against a target of 70%", atLeast: 0.95, doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(90), many))},
		{name: "and nobody knows the metric", ask: ask, cause: "workload.hpa_maxed", says: "the present metrics", atMost: 0.9, doc: sent(nil, nil, hpaJSON(10, 10, "", many))},
		{name: "without a condition, above its target", ask: ask, cause: "workload.hpa_maxed", atMost: 0.86, doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(90)))},
		{name: "below its maximum", ask: ask, cause: "healthy", doc: sent(nil, nil, hpaJSON(9, 10, cpuAt(90), many))},
		{name: "back at its target", ask: ask, cause: "healthy", doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(70), many))},
		{name: "within its tolerance", ask: ask, cause: "healthy", doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(76), many))},
		{name: "at its maximum and content", ask: ask, cause: "healthy", doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(90), within))},
		{name: "only slowed down", ask: ask, cause: "healthy", doc: sent(nil, nil, hpaJSON(8, 10, cpuAt(200), fast))},
		{name: "asked about its Deployment", ask: about("Deployment", "api-gateway"), cause: "workload.hpa_maxed", doc: sent([]string{readyPod(apiPod)}, nil, hpaJSON(10, 10, cpuAt(90), many))},
		{name: "a ready pod is ready", cause: "healthy", doc: sent([]string{readyPod(apiPod)}, nil, hpaJSON(10, 10, cpuAt(90), many))},
		{name: "of another Deployment", ask: about("Deployment", "api"), cause: "unknown", doc: sent(nil, nil, hpaJSON(10, 10, cpuAt(90), many))},
		{name: "no metrics", ask: ask, cause: "workload.hpa_metrics_missing", says: "no metrics returned", atLeast: 0.95, doc: sent(nil, nil, hpaJSON(2, 10, "", noCPU))},
		{name: "no metrics, for every pod is down", ask: ask, cause: "pod.oom_killed", container: "app", says: "OOMKilled", doc: sent(down, nil, hpaJSON(2, 10, "", noCPU))},
		{name: "no metrics, though a pod is up", ask: ask, cause: "workload.hpa_metrics_missing", doc: sent(half, nil, hpaJSON(2, 10, "", noCPU))},
		{name: "no requests, and every pod is down", ask: ask, cause: "workload.hpa_metrics_missing", doc: sent(down, nil, hpaJSON(2, 10, "", noRequest))},
		{name: "its target's trouble is not its own", ask: ask, cause: "healthy", doc: sent(down, nil, hpaJSON(2, 10, cpuAt(60), within))},
		{name: "events alone", ask: ask, cause: "workload.hpa_metrics_missing", atMost: 0.8, doc: sent(nil, []string{failing, scaled(time.Hour)})},
		{name: "events of a failure that is over", ask: ask, cause: "unknown", doc: sent(nil, []string{failing, scaled(time.Minute)})},
		{name: "an old event beside a condition", ask: ask, cause: "healthy", doc: sent(nil, []string{failing}, hpaJSON(2, 10, cpuAt(60), cond("ScalingActive", "True", "ValidMetricFound", "")))},
		{name: "switched off", ask: ask, cause: "healthy", says: "switched off", doc: sent(nil, []string{failing}, hpaJSON(0, 10, "", cond("ScalingActive", "False", "ScalingDisabled", "")))},
		{name: "two for one target", ask: ask, cause: "unknown", says: "AmbiguousSelector", doc: sent(nil, nil, hpaJSON(2, 10, "", cond("ScalingActive", "False", "AmbiguousSelector", "pods by selector are controlled by multiple HPAs")))},
	})
}

// TestDescribedAutoscaler reads what kubectl describe prints.
func TestDescribedAutoscaler(t *testing.T) {
	describe := func(now, conditions string) string {
		return sent(nil, nil, key("raw", fmt.Sprintf(`{"tool":"kubectl describe hpa","text":%q}`, `Name:                                                  web
Namespace:                                             production
Labels:                                                <none>
Annotations:                                           <none>
CreationTimestamp:                                     Fri, 23 Feb 2026 10:21:21 +0100
Reference:                                             Deployment/web
Metrics:                                               ( current / target )
  resource cpu on pods  (as a percentage of request):  `+now+` / 70%
Min replicas:                                          1
Max replicas:                                          4
Deployment pods:                                       4 current / 4 desired
Conditions:
  Type            Status  Reason            Message
  ----            ------  ------            -------
`+conditions+`Events:           <none>
`)))
	}
	const many = "  ScalingLimited  True    TooManyReplicas   the desired replica count is more than the maximum replica count\n"
	const none = "  ScalingActive   False   FailedGetResourceMetric   the HPA was unable to compute the replica count: no metrics returned from resource metrics API\n"
	runDiseases(t, []diseaseCase{
		{name: "above its target", ask: everything, cause: "workload.hpa_maxed", says: "cpu 182% against a target of 70%", atLeast: 0.95, doc: describe("182% (910m)", many)},
		{name: "back below it", ask: everything, cause: "healthy", says: "cpu 41%", doc: describe("41% (205m)", many)},
		{name: "unknown", ask: everything, cause: "workload.hpa_metrics_missing", doc: describe("<unknown>", none)},
	})
}
