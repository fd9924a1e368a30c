package diagnose

// unusualFactor is how far beyond the usual is an anomaly; below unusualFloor
// nothing is. Up to usualFactor times what is usual nothing is saturated that was
// not so before: a batch host is to be busy.
const (
	unusualFactor    = 3
	unusualFloor     = 60 // percent
	usualFactor      = 1.1
	wholePercent     = 110 // more than this is a percentage of one core or of a request
	processesQuoted  = 3
	processesLooked  = 200
	usuallySaturated = 80 // percent: what is usually above this is busy by nature
)

var resourceRules = []row[usage]{
	{Rule{
		Name: "attack-signs", Cause: "resource.anomalous", Confidence: strong,
		When:     "a process that is known from break-ins runs, or use is far beyond what is usual at this hour, or the sender's own detector says so",
		Quotes:   "the process, or use beside what is usual",
		Explains: []string{"resource.cpu_saturated", "resource.memory_saturated"},
	}, anomalous},
	{Rule{
		Name: "load-over-target", Cause: "trend.cpu_rising", Confidence: strong,
		When:     "what POST /v1/capacity made of a workload's CPU, now and as forecast, asks for more pods",
		Quotes:   "the CPU in use and forecast, the pods there are and those recommended",
		Explains: []string{"resource.cpu_saturated"},
	}, cpuNeedsPods},
	{Rule{
		Name: "memory-over-target", Cause: "resource.memory_saturated", Confidence: strong,
		When:   "what POST /v1/capacity made of a workload's memory asks for more pods",
		Quotes: "the memory in use, the pods there are and those recommended",
	}, memoryNeedsPods},
	{Rule{
		Name: "cpu-saturated", Cause: "resource.cpu_saturated", Confidence: strong,
		When:   "more than 90 % of the CPU is in use, and that is not usual",
		Quotes: "the percentage; the processes that use most",
	}, cpuSaturated},
	{Rule{
		Name: "memory-saturated", Cause: "resource.memory_saturated", Confidence: strong,
		When:   "more than 90 % of the memory is in use, and that is not usual",
		Quotes: "the percentage; the processes that use most",
	}, memorySaturated},
}
