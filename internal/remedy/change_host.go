package remedy

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// sshShape is one vetted script on one host, by name. Its arguments are an array:
// nothing becomes a command line.
type sshShape struct {
	Shape          string   `json:"shape"`
	Host           string   `json:"host"`
	Script         string   `json:"script"`
	Args           []string `json:"args"`
	TimeoutSeconds int      `json:"timeout_seconds"`
}

// hostChange is one row: a script, and what its arguments are made of.
type hostChange struct {
	Entry
	script  string
	timeout time.Duration
	verify  string // what is seen when it helped
	read    func(Request, *reader) (args []string, params any, what string, err error)
}

// hostChanges are what may be done on a host. The scripts lie in
// n8n-workflows/scripts, and do nothing unless they are told --apply.
func hostChanges() []remedy {
	rows := []hostChange{
		{Entry{"host.logs.clean", change, low, false, "rotated logs of one host are gone"}, "logs-clean", 300 * time.Second, "the file system is under its threshold", readLogsClean},
		{Entry{"host.logs.compress", change, low, false, "rotated logs of one host are compressed"}, "logs-compress", 600 * time.Second, "the file system is under its threshold", readLogsCompress},
		{Entry{"host.coredumps.delete", change, low, false, "core dumps of one host are gone"}, "coredumps-delete", 300 * time.Second, "the file system is under its threshold", readCoreDumps},
		{Entry{"host.service.restart", change, medium, false, "one unit of one host stops for a moment"}, "unit-restart", 120 * time.Second, "the unit is active and stays so", readUnitChange("Restart")},
		{Entry{"host.service.reload", change, low, false, "one unit of one host reads its configuration anew"}, "unit-reload", 60 * time.Second, "the unit is active and stays so", readUnitChange("Reload")},
		{Entry{"db.failover", change, high, false, "the database takes no writes until the new primary is up"}, "patroni-failover", 180 * time.Second, "the database has a primary that takes writes", readFailover},
	}
	var list []remedy
	for _, row := range rows {
		list = append(list, remedy{row.Entry, row.check, row.build, nil})
	}
	return list
}

// check reads what policy says; what only the moment of building knows may be missing.
func (h hostChange) check(params map[string]any) error {
	p := &reader{given: params}
	_, _, _, _ = h.read(Request{Params: params}, p)
	return p.done()
}

func (h hostChange) build(r Request) (plan, error) {
	p := &reader{given: r.Params}
	host, err := r.host()
	if err != nil {
		return plan{}, err
	}
	args, params, what, err := h.read(r, p)
	if err := cmp.Or(p.done(), err); err != nil {
		return plan{}, err
	}
	target := incident.Target{Kind: "Host", Host: host, Service: r.Incident.Target.Service}
	return plan{
		target: target, summary: what + " on host " + host + ".", timeout: h.timeout, params: params,
		verify:  r.verifyHost(host, h.verify),
		execute: sshShape{"ssh", host, h.script, append(args, "--apply"), int(h.timeout / time.Second)},
	}, nil
}

// verifyHost says how it is seen that a change on a host helped.
func (r Request) verifyHost(host, summary string) verification {
	return verification{
		Summary: summary, Target: incident.Target{Kind: "Host", Host: host, Service: r.Incident.Target.Service}, Until: "healthy",
		HealthySeconds: int(r.HealthyFor.Seconds()), LookSeconds: int(r.LookEvery.Seconds()),
	}
}

// host is the one host that the diagnosis and the incident agree on.
func (r Request) host() (string, error) {
	named := ""
	for _, t := range []incident.Target{r.Diagnosis.Subject, r.Diagnosis.Owner, r.Target, r.Incident.Target} {
		if t.Host != "" {
			named = t.Host
			break
		}
	}
	if home := r.Incident.Target.Host; home != "" && named != home {
		return "", fmt.Errorf("the incident is on host %q, the target on %q", clip(home, 60), clip(named, 60))
	}
	return named, checkHost(named)
}

// logRoots are where logs may be cleaned at all.
var logRoots = []string{"/var/log", "/srv/log", "/opt/log"}

// root reads a directory within the allow-list: absolute, clean, and not above it.
func (p *reader) root(name string, allowed []string) string {
	want := "an absolute, clean path at or under " + strings.Join(allowed, ", ")
	dir := p.text(name, want, func(s string) bool {
		odd := func(r rune) bool {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
			return !letter && !strings.ContainsRune("/._-", r)
		}
		return path.IsAbs(s) && path.Clean(s) == s && len(s) <= 200 && !strings.ContainsFunc(s, odd) &&
			slices.ContainsFunc(allowed, func(root string) bool { return s == root || strings.HasPrefix(s, root+"/") })
	})
	return cmp.Or(dir, allowed[0])
}

type cleanParams struct {
	Root      string `json:"root"`
	OlderDays int    `json:"older_than_days,omitempty"`
	LargerMB  int    `json:"larger_than_mb,omitempty"`
}

func readLogsClean(_ Request, p *reader) ([]string, any, string, error) {
	c := cleanParams{Root: p.root("root", logRoots), OlderDays: p.whole("older_than_days", 7, 1, 3650)}
	return []string{"--root", c.Root, "--older-than-days", strconv.Itoa(c.OlderDays)}, c,
		fmt.Sprintf("Delete rotated logs under %s older than %d days", c.Root, c.OlderDays), nil
}

func readLogsCompress(_ Request, p *reader) ([]string, any, string, error) {
	c := cleanParams{Root: p.root("root", logRoots), LargerMB: p.whole("larger_than_mb", 100, 1, 1<<20)}
	return []string{"--root", c.Root, "--larger-than-mb", strconv.Itoa(c.LargerMB)}, c,
		fmt.Sprintf("Compress rotated logs under %s larger than %d MB", c.Root, c.LargerMB), nil
}

// dumpRoots are where systems keep core dumps.
var dumpRoots = []string{"/var/lib/systemd/coredump", "/var/crash", "/var/cores"}

func readCoreDumps(_ Request, p *reader) ([]string, any, string, error) {
	c := cleanParams{Root: p.root("root", dumpRoots)}
	return []string{"--root", c.Root}, c, "Delete core dumps under " + c.Root, nil
}

type unitParams struct {
	Unit string `json:"unit"`
}

// readUnitChange is about the unit that policy names, else the one that is ill.
func readUnitChange(verb string) func(Request, *reader) ([]string, any, string, error) {
	return func(r Request, p *reader) ([]string, any, string, error) {
		unit := p.text("unit", "the name of a systemd unit", func(s string) bool { _, err := unitName(s); return err == nil })
		for _, t := range []incident.Target{r.Diagnosis.Subject, r.Diagnosis.Owner, r.Target, r.Incident.Target} {
			unit = cmp.Or(unit, t.Service)
		}
		unit, err := unitName(unit)
		return []string{unit}, unitParams{unit}, verb + " unit " + unit, err
	}
}

type failoverParams struct {
	Cluster   string `json:"cluster"`
	Candidate string `json:"candidate"`
}

// readFailover makes the replica primary that lags least, where the primary is
// seen to be down. A primary that may run is never taken down.
func readFailover(r Request, p *reader) ([]string, any, string, error) {
	named := p.text("cluster", "the name of a Patroni cluster", func(s string) bool { _, err := unitName(s); return err == nil })
	host, _ := r.host()
	for _, db := range r.Evidence.DBs {
		name := cmp.Or(named, db.Cluster)
		if db.Host != "" && db.Host != host || named != "" && db.Cluster != "" && db.Cluster != named {
			continue
		}
		best, lag, err := candidate(db.Members)
		if err != nil {
			return nil, nil, "", err
		}
		if best == "" {
			continue
		}
		if _, err := unitName(name); err != nil {
			return nil, nil, "", fmt.Errorf("the name of the database's cluster is not known")
		}
		if _, err := unitName(best); err != nil {
			return nil, nil, "", err
		}
		return []string{"--cluster", name, "--candidate", best}, failoverParams{name, best},
			fmt.Sprintf("Fail database cluster %s over to %s, which lags %.0f MB behind,", name, best, lag), nil
	}
	return nil, nil, "", fmt.Errorf("the evidence shows no replica of a database of this host that runs and whose lag is known")
}

// down are Patroni's words for a member that does not run. Any other word of a
// primary may mean that it does.
var down = []string{"stopped", "crashed", "start failed", "stop failed"}

// candidate is the member to fail over to, unless the primary may run.
func candidate(members []evidence.Member) (best string, lag float64, err error) {
	for _, m := range members {
		role, state := strings.ToLower(m.Role), strings.ToLower(m.State)
		primary := role == "leader" || role == "primary" || role == "master" || role == "standby leader" || role == "standby_leader"
		switch {
		case primary && !slices.Contains(down, state):
			return "", 0, fmt.Errorf("member %s is primary and %s: there is nothing to fail over", clip(m.Name, 60), cmp.Or(clip(state, 60), "may run"))
		case !primary && (state == "running" || state == "streaming") && m.LagMB.Known && (best == "" || m.LagMB.Value < lag):
			best, lag = m.Name, m.LagMB.Value
		}
	}
	return best, lag, nil
}
