package diagnose

// The objectives of SPEC section 3.
const (
	availabilityPercent = 99.9
	errorRatePercent    = 1
	latencyMillis       = 1000
	saturatedPercent    = 90
	surgeFactor         = 2 // how much more load than usual counts as a surge
)

var sloRules = []row[aggregate]{
	{Rule{
		Name: "slo-error-rate", Cause: "slo.error_rate", Confidence: strong,
		When:     "more than 1 % of the requests of the window failed",
		Quotes:   "the metric and its window; what else the aggregate shows: a deployment in the window, saturation, a dependency, more load",
		Explains: []string{"slo.availability"},
	}, sloErrorRate},
	{Rule{
		Name: "slo-availability", Cause: "slo.availability", Confidence: strong,
		When:   "less than 99.9 % available in the window",
		Quotes: "the metric and its window; what else the aggregate shows",
	}, sloAvailability},
	{Rule{
		Name: "slo-latency", Cause: "slo.latency", Confidence: strong,
		When:   "the 99th percentile of the latency (or a lower one) is over 1000 ms",
		Quotes: "the metric and its window; what else the aggregate shows",
	}, sloLatency},
}
