package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// database is one database.
type database struct {
	x *examination
	evidence.DB
}

func (x *examination) databases() []database {
	var out []database
	for _, d := range x.ev.DBs {
		if x.concernsHost(d.Host) || x.judgedByPods() || memberNamed(d, x.q.Target.Host) {
			d.Members = slices.Clone(d.Members[:min(len(d.Members), mostMembers)])
			slices.SortStableFunc(d.Members, func(a, b evidence.Member) int { return strings.Compare(a.Name+a.Role+a.State, b.Name+b.Role+b.State) })
			out = append(out, database{x, d})
		}
	}
	return out
}

func memberNamed(d evidence.DB, host string) bool {
	return host != "" && slices.ContainsFunc(d.Members, func(m evidence.Member) bool { return sameHost(m.Name, host) })
}

// place: what depends on a database is not seen from here. A database is on the
// hosts of its members that are down.
func (d database) place() place {
	p := d.x.factPlace("Database", d.Host, d.Engine+"/"+d.Cluster+"/"+d.Name, 1)
	p.bears = []string{everywhere}
	for _, m := range d.Members {
		if down[word(m.State)] && m.Name != "" {
			p.within = append(p.within, d.x.hostKey(m.Name))
		}
	}
	return p
}

func (d database) title() string {
	name := orElse(d.Cluster, d.Name)
	if engine := strings.TrimSpace(d.Engine); engine != "" {
		return strings.TrimSpace(engine + " " + name)
	}
	return "database " + orElse(name, orElse(d.Host, "that is not named"))
}

// primaries are the words for a member that takes writes.
var primaries = words("leader primary master standbyleader writer")

// runs and down are the words of Patroni, repmgr, Sentinel, Galera, group
// replication, MongoDB and CloudNativePG for how a member fares.
var (
	runs = words("running streaming online up ok healthy primary secondary replicating active connected alive available synced ready true inarchiverecovery")
	down = words("stopped stopping crashed failed startfailed restartfailed down offline unreachable notreachable unhealthy dead error missing fenced sdown odown disconnected disabled false starting restarting recovering terminated crashloopbackoff oomkilled evicted notrunning rejoining nomaster")
	late = words("starting restarting stopping recovering") // down now, and perhaps not for long
)

// leads says whether a member is to take writes. MongoDB says so in the state.
func leads(m evidence.Member) bool {
	return primaries[word(m.Role)] || word(m.Role) == "" && primaries[word(m.State)]
}

func (d database) primary() (up, lost []evidence.Member) {
	for _, m := range d.Members {
		switch {
		case !leads(m):
		case down[word(m.State)]:
			lost = append(lost, m)
		default:
			up = append(up, m)
		}
	}
	return up, lost
}

// gone are the ways of saying outright that no member takes writes.
var gone = words("noprimary noleader nomaster primarydown leaderdown masterdown primaryunavailable primaryunreachable readonly")

func primaryDown(d database) (finding, bool) {
	up, lost := d.primary()
	f := finding{symptom: d.title() + " takes no writes", quotes: d.quoteMembers()}
	f.acute = 2
	switch {
	case len(up) > 0:
		return finding{}, false
	case len(lost) > 0:
		m := lost[0]
		f.because = fmt.Sprintf("its primary %s is %s, and no other member has taken over", m.Name, m.State)
		if late[word(m.State)] {
			f.confidence = likely
		}
	case gone[word(d.Status)]:
		f.because = "it says of itself: " + d.Status
		f.quotes = append(f.quotes, d.title()+": status="+d.Status)
	case d.leaderless():
		f.because = fmt.Sprintf("none of its %d members is the primary", len(d.Members))
		if len(d.Members) == 1 {
			f.because, f.confidence = "its only member that is known, "+d.Members[0].Name+", is not the primary", 0.5
			f.missing = []string{"all members of " + d.title()}
		}
	default:
		return finding{}, false
	}
	return f, true
}

// leaderless says whether the roles of all members are known, none is the
// primary's, and no replica receives from one that is not on the list.
func (d database) leaderless() bool {
	for _, m := range d.Members {
		if word(m.Role) == "" || word(m.State) == "streaming" || word(m.State) == "replicating" || word(m.State) == "secondary" {
			return false
		}
	}
	return len(d.Members) > 0
}

func (d database) quoteMembers() []string {
	var out []string
	for _, m := range d.Members[:min(len(d.Members), membersQuoted)] {
		out = append(out, d.quote(m))
	}
	return out
}

const membersQuoted = 7

func (d database) quote(m evidence.Member) string {
	line := fmt.Sprintf("%s member %s:", d.title(), m.Name)
	for _, p := range []struct{ key, value string }{
		{"role", m.Role}, {"state", m.State}, {"timeline", known(m.Timeline)}, {"lagMB", known(m.LagMB)}, {"lagSeconds", known(m.LagSeconds)},
	} {
		if p.value != "" {
			line += " " + p.key + "=" + p.value
		}
	}
	return line
}

// inUse is how many percent of the connections are in use.
func (d database) inUse() (percent float64, known bool) {
	used, most := d.ConnectionsUsed, d.ConnectionsMax
	if used.Known && most.Known && most.Value >= 1 && used.Value >= 0 {
		return used.Value * 100 / most.Value, true
	}
	p := d.ConnectionsPercent
	return p.Value, p.Known && p.Value >= 0 && p.Value <= plausiblyFull
}

func connectionsExhausted(d database) (finding, bool) {
	percent, known := d.inUse()
	if !known || percent < connectionsPercent {
		return finding{}, false
	}
	f := finding{
		symptom: d.title() + " has hardly a connection left", grave: percent,
		because: fmt.Sprintf("%s %% of its connections are in use", amount(percent)),
		quotes:  []string{fmt.Sprintf("%s: connectionsPercent=%s%%", d.title(), amount(percent))},
		missing: []string{"who holds the connections of " + d.title() + ", and how many of them are idle"},
	}
	if d.ConnectionsUsed.Known && d.ConnectionsMax.Known {
		f.because = fmt.Sprintf("%s of %s connections are in use", d.ConnectionsUsed, d.ConnectionsMax)
		f.quotes = []string{fmt.Sprintf("%s: connectionsUsed=%s connectionsMax=%s", d.title(), d.ConnectionsUsed, d.ConnectionsMax)}
	}
	if percent >= 100 {
		f.symptom = d.title() + " refuses connections"
		f.acute = 2
	}
	return f, true
}

// replicationLag counts megabytes before seconds: where nothing is written, the
// seconds since the last write that was replayed grow by themselves.
func replicationLag(d database) (finding, bool) {
	f := finding{symptom: "replicas of " + d.title() + " are behind"}
	add := func(m evidence.Member, because string, size float64) {
		f.quotes = append(f.quotes, d.quote(m))
		if size > f.grave {
			f.grave, f.because = size, because
		}
	}
	for _, m := range d.Members {
		switch {
		case leads(m):
		case m.LagMB.Known && m.LagMB.Value > lagMegabytes:
			add(m, fmt.Sprintf("%s is %s MB behind, and more than %d is too much", m.Name, m.LagMB, lagMegabytes), m.LagMB.Value)
		case m.LagSeconds.Known && m.LagSeconds.Value > lagSeconds && !(m.LagMB.Known && m.LagMB.Value == 0):
			add(m, fmt.Sprintf("%s is %s seconds behind, and more than %d are too many", m.Name, m.LagSeconds, lagSeconds), m.LagSeconds.Value)
		}
	}
	if lag := d.ReplicationLagSeconds; lag.Known && lag.Value > lagSeconds && !d.caughtUp() {
		f.because = orElse(f.because, fmt.Sprintf("the lag is %s seconds, and more than %d are too many", lag, lagSeconds))
		f.quotes = append(f.quotes, fmt.Sprintf("%s: replicationLagSeconds=%s", d.title(), lag))
	}
	return f, len(f.quotes) > 0
}

// caughtUp says whether every replica has received all that was written.
func (d database) caughtUp() bool {
	replicas := 0
	for _, m := range d.Members {
		if leads(m) {
			continue
		}
		if replicas++; !m.LagMB.Known || m.LagMB.Value != 0 {
			return false
		}
	}
	return replicas > 0
}

func databaseWell(d database) (string, bool) {
	up, _ := d.primary()
	for _, m := range d.Members {
		if !runs[word(m.State)] && m.State != "" {
			return fmt.Sprintf("%s: member %s is %s", d.title(), m.Name, m.State), false
		}
	}
	if engine := word(d.Engine); len(up) > 1 && (strings.Contains(engine, "postgres") || engine == "patroni") {
		return fmt.Sprintf("%s has %d primaries at once: %s and %s", d.title(), len(up), up[0].Name, up[1].Name), false
	}
	if down[word(d.Status)] || gone[word(d.Status)] {
		return d.title() + ": status=" + d.Status, false
	}
	var parts []string
	if len(d.Members) > 0 {
		parts = append(parts, fmt.Sprintf("%d members run", len(d.Members)))
	}
	if p, known := d.inUse(); known {
		parts = append(parts, amount(p)+" % of the connections in use")
	}
	if d.ReplicationLagSeconds.Known {
		parts = append(parts, "lag "+d.ReplicationLagSeconds.String()+" s")
	}
	if len(parts) == 0 {
		return d.title() + ": nothing was measured", runs[word(d.Status)]
	}
	return d.title() + ": " + strings.Join(parts, ", "), true
}
