package diagnose

import "time"

const (
	deployReach        = 30 * time.Minute // a deployment this long before a window may still be its reason
	connectionsPercent = 90
	lagSeconds         = 30
	lagMegabytes       = 100
	mostMembers        = 100
)

var dbRules = []row[database]{
	{Rule{
		Name: "db-primary", Cause: "db.primary_down", Confidence: 0.95,
		When:     "the primary among the members does not run, or none of the members is one and no replica streams from one",
		Quotes:   "every member with its role and state",
		Explains: []string{"db.replication_lag", "db.connections_exhausted", "pod.dependency_unavailable", "slo.*"},
	}, primaryDown},
	{Rule{
		Name: "db-connections", Cause: causeConnections, Confidence: 0.95,
		When:     "at least 90 % of the connections are in use",
		Quotes:   "connections in use, and how many there may be",
		Explains: []string{"pod.dependency_unavailable", "slo.*"},
	}, connectionsExhausted},
	{Rule{
		Name: "db-lag", Cause: "db.replication_lag", Confidence: strong,
		When:   "a replica is more than 30 seconds or 100 MB behind, and it is not merely that nothing was written",
		Quotes: "the lag, and whose it is",
	}, replicationLag},
}
