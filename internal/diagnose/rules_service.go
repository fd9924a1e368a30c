package diagnose

var serviceRules = []row[unit]{
	{Rule{
		Name: "unit-failed", Cause: "service.down", Confidence: 0.95,
		When:   "systemd says that the unit failed, or starts it again and again",
		Quotes: "ActiveState, SubState, Result and exit status; the end of its journal",
	}, unitFailed},
	{Rule{
		Name: "unit-stopped", Cause: "service.down", Confidence: likely,
		When:   "the unit is enabled and inactive, and is none that runs once and ends, or that a timer or socket starts",
		Quotes: "ActiveState, SubState and UnitFileState",
	}, unitStopped},
	{Rule{
		Name: "unit-missing", Cause: "service.down", Confidence: fair,
		When:   "systemd cannot load the unit; or the unit that was asked about is disabled or masked, and inactive",
		Quotes: "LoadState, ActiveState and UnitFileState",
	}, unitMissing},
}
