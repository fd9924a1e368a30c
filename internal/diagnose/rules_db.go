package diagnose

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/evidence"
)

const (
	deployReach        = 30 * time.Minute // a deployment this long before a window may still be its reason
	connectionsPercent = 90
	lagSeconds         = 30
	lagMegabytes       = 100
)

var dbRules = []row[database]{
	{Rule{
		Name: "db-primary", Cause: "db.primary_down", Confidence: 0.95,
		When:     "none of the members is a primary that runs",
		Quotes:   "every member with its role and state",
		Explains: []string{"db.replication_lag", "db.connections_exhausted", "pod.dependency_unavailable", "slo.*"},
	}, primaryDown},
	{Rule{
		Name: "db-connections", Cause: "db.connections_exhausted", Confidence: 0.95,
		When:     "at least 90 % of the connections are in use",
		Quotes:   "connections in use, and how many there may be",
		Explains: []string{"pod.dependency_unavailable", "slo.*"},
	}, connectionsExhausted},
	{Rule{
		Name: "db-lag", Cause: "db.replication_lag", Confidence: strong,
		When:   "a replica is more than 30 seconds or 100 MB behind",
		Quotes: "the lag, and whose it is",
	}, replicationLag},
}

// database is one database.
type database struct {
	x *examination
	evidence.DB
}

func (x *examination) databases() []database {
	var out []database
	for _, d := range x.ev.DBs {
		if x.concernsHost(d.Host) || x.judgedByPods() {
			out = append(out, database{x, d})
		}
	}
	return out
}

// place is everywhere: what depends on a database is not seen from here.
func (d database) place() place {
	p := d.x.factPlace("Database", d.Host, d.Engine+"/"+d.Cluster+"/"+d.Name, 1)
	p.at = everywhere
	return p
}

func (d database) title() string {
	return strings.TrimSpace(orElse(d.Engine, "database") + " " + orElse(d.Cluster, d.Name))
}

// primaries are the words for the one member that takes writes.
var primaries = map[string]bool{"leader": true, "primary": true, "master": true, "standbyleader": true, "writer": true}

var memberRuns = map[string]bool{"running": true, "streaming": true, "online": true, "up": true, "ok": true, "healthy": true, "primary": true, "secondary": true, "": true, "inarchiverecovery": true}

func primaryDown(d database) (finding, bool) {
	if len(d.Members) == 0 {
		return finding{}, false
	}
	f := finding{symptom: d.title() + " takes no writes", because: "no member is the primary"}
	for _, m := range d.Members {
		f.quotes = append(f.quotes, d.quote(m))
		if !primaries[word(m.Role)] {
			continue
		}
		if memberRuns[word(m.State)] {
			return finding{}, false
		}
		f.because = fmt.Sprintf("its primary %s is in the state %q", m.Name, m.State)
	}
	f.acute = 2
	return f, true
}

func (d database) quote(m evidence.Member) string {
	return fmt.Sprintf("%s member %s: role=%s state=%s timeline=%s lagMB=%s", d.title(), m.Name, m.Role, m.State, m.Timeline, m.LagMB)
}

func connectionsExhausted(d database) (finding, bool) {
	used, most := d.ConnectionsUsed, d.ConnectionsMax
	if !used.Known || !most.Known || most.Value <= 0 || used.Value*100 < most.Value*connectionsPercent {
		return finding{}, false
	}
	f := finding{
		symptom: d.title() + " has hardly a connection left",
		because: fmt.Sprintf("%s of %s connections are in use", used, most),
		quotes:  []string{fmt.Sprintf("%s: connectionsUsed=%s connectionsMax=%s", d.title(), used, most)},
	}
	if used.Value >= most.Value {
		f.symptom = d.title() + " refuses connections"
		f.acute = 2
	}
	return f, true
}

func replicationLag(d database) (finding, bool) {
	f := finding{symptom: "replicas of " + d.title() + " are behind"}
	if lag := d.ReplicationLagSeconds; lag.Known && lag.Value > lagSeconds {
		f.because = fmt.Sprintf("the lag is %s seconds, at most %d are normal", lag, lagSeconds)
		f.quotes = append(f.quotes, fmt.Sprintf("%s: replicationLagSeconds=%s", d.title(), lag))
	}
	for _, m := range d.Members {
		if !primaries[word(m.Role)] && m.LagMB.Known && m.LagMB.Value > lagMegabytes {
			f.because = orElse(f.because, fmt.Sprintf("%s is %s MB behind", m.Name, m.LagMB))
			f.quotes = append(f.quotes, d.quote(m))
		}
	}
	return f, len(f.quotes) > 0
}

func databaseWell(d database) (string, bool) {
	for _, m := range d.Members {
		if !memberRuns[word(m.State)] {
			return fmt.Sprintf("%s: member %s is %s", d.title(), m.Name, m.State), false
		}
	}
	known := len(d.Members) > 0 || d.ConnectionsUsed.Known || d.ReplicationLagSeconds.Known
	return fmt.Sprintf("%s: %d members, %s of %s connections, lag %s s", d.title(), len(d.Members), d.ConnectionsUsed, d.ConnectionsMax, d.ReplicationLagSeconds), known
}
