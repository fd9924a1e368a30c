package diagnose

const (
	dailyHours    = 24
	backupSlack   = 2.0  // hours that a run may take or start late
	slackShare    = 0.08 // of the period, for those that run seldom
	retentionSoon = 3    // days (SPEC section 5)
	longestAge    = 20 * 365 * 24
)

var backupRules = []row[backup]{
	{Rule{
		Name: "backup-failed", Cause: "backup.failed", Confidence: 0.95,
		When:     "the last run failed, or succeeded only in part, or runs failed since the last success",
		Quotes:   "status, message and errors of the last run; the last success",
		Explains: []string{"backup.stale"},
	}, backupFailed},
	{Rule{
		Name: "backup-stale", Cause: "backup.stale", Confidence: 0.95,
		When:   "the last success is older than maxAgeHours, or than its schedule allows (26 hours where neither is known), or there never was one",
		Quotes: "the last success, its age and how old it may be",
	}, backupStale},
	{Rule{
		Name: "backup-retention", Cause: "backup.retention_expiring", Confidence: 0.95,
		When:   "the last good backup is kept for less than 3 days more",
		Quotes: "the days left",
	}, backupRetention},
}
