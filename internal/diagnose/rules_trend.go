package diagnose

// Horizons and spans of SPEC section 5, and what makes a rise a trend.
const (
	diskHorizon   = 30.0 // days until a disk is full
	usageHorizon  = 28.0 // days until CPU reaches usageCeiling
	diskSpan      = 7.0  // days of a disk's growth that count
	usageSpan     = 14.0 // days of a series of use that count
	usageCeiling  = 80   // percent
	percentIsFull = 100

	fewestPoints = 6
	fewestDays   = 5    // whole days, for what rises and falls with the day
	shortestSpan = 0.25 // days
	risingAgree  = 0.75 // share of pairs of points that must rise for a trend to be one
	leakAgree    = 0.9
	leakGrowth   = 0.15 // of its first value: what a leak gains at least within the series
	dayLong      = 1.0
	resetShare   = 0.2 // a fall by more than this is a restart
	cleanUpShare = 0.1 // and for disks a clean-up
	mostSeries   = 200 // of one examination
	surestAfter  = 7.0 // days of a trend: before, it is a guess
)

var trendRules = []row[series]{
	{Rule{
		Name: "disk-filling", Cause: "trend.disk_filling", Confidence: likely,
		When:   "by its growth over the last 7 days (the median of all slopes, since the last clean-up) the disk is full within 30 days",
		Quotes: "the first and last value, the growth a day, and when it is full",
	}, diskFilling},
	{Rule{
		Name: "cpu-rising", Cause: "trend.cpu_rising", Confidence: likely,
		When:   "by its growth over at least 5 and at most 14 whole days the CPU in use reaches 80 % within 4 weeks",
		Quotes: "the first and last day, the growth a day, and when it gets there",
	}, cpuRising},
	{Rule{
		Name: "memory-leak", Cause: "trend.memory_leak", Confidence: likely,
		When:     "memory rises steadily between restarts and falls only with them, and the load does not rise with it",
		Quotes:   "the first and last value, the growth a day; the load beside it",
		Explains: []string{"resource.memory_saturated"},
	}, memoryLeak},
}
