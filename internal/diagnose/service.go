package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// unit is one systemd unit.
type unit struct {
	x *examination
	evidence.Service
}

func (x *examination) units() []unit {
	var out []unit
	asked := x.q.Target.Host != "" && isUnit(x.q.Target.Service)
	for _, s := range x.ev.Services {
		if x.concernsHost(s.Host) && (!asked || sameUnit(s.Unit, x.q.Target.Service)) {
			out = append(out, unit{x, s})
		}
	}
	return out
}

// isUnit says whether a name is one of systemd's, with a suffix.
func isUnit(name string) bool {
	for _, suffix := range []string{".service", ".socket", ".timer", ".mount", ".path", ".target"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func sameUnit(a, b string) bool {
	return strings.TrimSuffix(a, ".service") == strings.TrimSuffix(b, ".service")
}

func (u unit) place() place {
	p := u.x.factPlace("Unit", u.Host, u.Unit, 2)
	if isUnit(u.Unit) || p.subject.Service == "" {
		p.subject.Service = u.Unit
	}
	return p
}

func (u unit) title() string {
	name := orElse(u.Unit, "a unit that is not named")
	if u.Host == "" {
		return name
	}
	return name + " on " + u.Host
}

func (u unit) quote() string {
	line := "systemctl show " + u.title() + ":"
	for _, p := range []struct{ key, value string }{
		{"LoadState", u.LoadState}, {"ActiveState", u.ActiveState}, {"SubState", u.SubState}, {"Result", u.Result},
		{"ExecMainStatus", known(u.ExecMainStatus)}, {"UnitFileState", string(u.Enabled)}, {"NRestarts", known(u.Restarts)}, {"TriggeredBy", u.TriggeredBy},
	} {
		if p.value != "" {
			line += " " + p.key + "=" + p.value
		}
	}
	return line
}

func known(n evidence.Number) string {
	if !n.Known {
		return ""
	}
	return n.String()
}

// unitResults say why a unit failed: systemd.service(5), $SERVICE_RESULT.
var unitResults = map[string]string{
	"exit-code":       "its program exited with an error",
	"signal":          "a signal killed its program",
	"core-dump":       "its program crashed and dumped core",
	"oom-kill":        "the kernel killed it for memory",
	"timeout":         "it did not start or stop in time",
	"watchdog":        "its watchdog was not fed in time",
	"start-limit-hit": "it failed so often that systemd starts it no more",
	"resources":       "systemd lacked the resources to start it",
	"protocol":        "it did not speak systemd's protocol at start",
	"exec-condition":  "its start condition was not met",
	"dependency":      "a unit that it needs did not start",
}

// exitStatuses are those that systemd itself gives: systemd.exec(5), PROCESS EXIT CODES.
var exitStatuses = map[float64]string{
	200: "its working directory is not there", 203: "its program could not be executed: not there, or not executable", 208: "its standard input could not be set up",
	209: "its standard output could not be set up", 216: "its group does not exist", 217: "its user does not exist", 226: "its name spaces could not be set up",
	233: "its runtime directory could not be made", 238: "its state directory could not be made", 239: "its cache directory could not be made", 240: "its log directory could not be made",
}

var signals = map[float64]string{2: "INT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 11: "SEGV", 15: "TERM"}

func (u unit) why() string {
	status, known := u.ExecMainStatus.Value, u.ExecMainStatus.Known
	why := unitResults[u.Result]
	switch {
	case why == "":
		return "systemd gives no reason"
	case !known || status == 0:
	case exitStatuses[status] != "" && u.Result != "signal" && u.Result != "core-dump":
		return fmt.Sprintf("%s (status %s)", exitStatuses[status], u.ExecMainStatus)
	case signals[status] != "" && (u.Result == "signal" || u.Result == "core-dump"):
		return why + " (SIG" + signals[status] + ")"
	default:
		return why + " (status " + u.ExecMainStatus.String() + ")"
	}
	return why
}

// noDisk are the reasons to fail with which a full disk has nothing to do.
var noDisk = []string{"oom-kill", "watchdog", "exec-condition", "dependency"}

func unitFailed(u unit) (finding, bool) {
	looping := u.ActiveState == "activating" && u.SubState == "auto-restart"
	if u.ActiveState != "failed" && u.SubState != "failed" && !looping {
		return finding{}, false
	}
	f := finding{symptom: u.title() + " has failed", because: u.why(), quotes: []string{u.quote()}, never: u.notFor()}
	if looping {
		f.symptom = u.title() + " restarts again and again"
	}
	if line := u.lastWords(); line != "" {
		f.quotes = append(f.quotes, line)
	} else {
		f.missing = []string{"the end of the journal of " + u.title()}
	}
	if u.x.q.Target.Host != "" || u.Host != "" {
		f.wants = []string{CollectService}
	}
	return f, true
}

// notFor are the causes that this failure is no symptom of.
func (u unit) notFor() []string {
	status := u.ExecMainStatus.Value
	missing := status == 203 || status == 216 || status == 217
	if slices.Contains(noDisk, u.Result) || missing || u.Result == "signal" && status == 9 {
		return []string{"host.*"}
	}
	return nil
}

// atRest says whether a unit is inactive as it should be: it runs once and ends
// well, something else starts it when it is time, or nobody wants it to run.
func (u unit) atRest() bool {
	if u.ActiveState != "inactive" || u.LoadState == "not-found" || u.Result != "" && u.Result != "success" && u.Result != "exec-condition" {
		return false
	}
	switch u.Enabled {
	case "static", "disabled", "masked", "masked-runtime", "indirect", "alias", "generated", "transient", "linked":
		return true
	}
	return u.Type == "oneshot" || u.TriggeredBy != "" || u.periodic() || u.LoadState == "masked"
}

func (u unit) restsBecause() string {
	switch {
	case u.LoadState == "masked" || strings.HasPrefix(string(u.Enabled), "masked"):
		return "somebody masked it"
	case u.Enabled == "disabled":
		return "is not enabled to start by itself"
	case u.TriggeredBy != "":
		return "waits for " + u.TriggeredBy
	}
	return "runs only when something starts it"
}

// periodic says whether a unit is known, by its name, to run once at a time: the
// keys of evidence do not hold its type.
func (u unit) periodic() bool {
	name, kind, _ := strings.Cut(u.Unit, ".")
	if kind != "" && kind != "service" || strings.HasSuffix(name, "@") {
		return kind != "socket" && kind != "mount"
	}
	return slices.ContainsFunc(periodicUnits, func(p string) bool { return strings.Contains(name, p) })
}

var periodicUnits = []string{
	"logrotate", "certbot", "acme", "apt-daily", "dnf-", "unattended", "fstrim", "man-db", "mandb", "e2scrub", "backup", "cleanup", "clean-up", "report", "tmpfiles",
	"fwupd-refresh", "motd", "plocate", "updatedb", "dpkg-db", "cloud-init", "cloud-config", "cloud-final", "raid-check", "mdcheck", "sysstat-", "rotate", "sync-", "-sync", "-job",
}

// wanted says whether the question is about this unit being down.
func (u unit) wanted() bool { return u.x.q.Family == "service" }

func unitStopped(u unit) (finding, bool) {
	if u.ActiveState != "inactive" || u.atRest() || u.LoadState == "not-found" {
		return finding{}, false
	}
	f := finding{symptom: u.title() + " does not run", because: "it is enabled, and was stopped", quotes: []string{u.quote()}, never: []string{"host.*"}}
	switch {
	case u.Enabled != "enabled" && u.Enabled != "enabled-runtime":
		f.confidence, f.because = fair, "it is inactive"
		f.missing = append(f.missing, "whether "+u.title()+" is enabled (UnitFileState)")
	case u.Type == "" && !isDaemon(u.Unit):
		f.confidence = fair + 0.05
		f.missing = append(f.missing, "the Type of "+u.title()+": what runs once is inactive when it has ended")
	}
	return f, true
}

// isDaemon knows the names of programs that are to run all the time.
func isDaemon(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "@")
	return slices.ContainsFunc(daemons, func(d string) bool { return strings.HasPrefix(name, d) })
}

var daemons = []string{
	"nginx", "apache2", "httpd", "haproxy", "caddy", "traefik", "envoy", "varnish", "mysql", "mariadb", "postgresql", "patroni", "pgbouncer", "redis", "mongod", "memcached",
	"rabbitmq", "kafka", "elasticsearch", "opensearch", "docker", "containerd", "crio", "kubelet", "k3s", "etcd", "consul", "vault", "nomad", "ssh", "cron", "rsyslog", "chrony",
	"ntp", "named", "bind9", "unbound", "dnsmasq", "postfix", "dovecot", "exim4", "php", "tomcat", "jenkins", "gitlab", "grafana", "prometheus", "alertmanager", "node_exporter", "node-exporter",
	"loki", "promtail", "fluent", "telegraf", "influxdb", "keepalived", "squid", "minio", "nfs-server", "smbd", "supervisor", "gunicorn", "uwsgi", "puma", "sidekiq", "celery", "zabbix",
}

func unitMissing(u unit) (finding, bool) {
	f := finding{quotes: []string{u.quote()}, symptom: u.title() + " does not run", never: []string{"host.*"}}
	switch {
	case u.LoadState == "not-found":
		f.because = "systemd does not know the unit: it is not installed, or has another name"
	case u.LoadState == "error" || u.LoadState == "bad-setting":
		f.because = "systemd cannot load the unit (LoadState=" + u.LoadState + ")"
	case u.ActiveState == "inactive" && u.wanted() && (u.Enabled == "masked" || u.LoadState == "masked"):
		f.because = "somebody masked the unit"
	case u.ActiveState == "inactive" && u.wanted() && u.Enabled == "disabled" && u.Type != "oneshot" && u.TriggeredBy == "":
		f.because = "it was stopped, and is not enabled to start by itself"
	default:
		return finding{}, false
	}
	if u.ActiveState == "active" {
		return finding{}, false // its file was removed or broken while it runs
	}
	return f, true
}

// maxLogsRead bounds how many logs are looked through for a unit's name.
const maxLogsRead = 50

// lastWords is the end of the unit's journal, where the evidence holds one.
func (u unit) lastWords() string {
	name := strings.TrimSuffix(u.Unit, ".service")
	if name == "" {
		return ""
	}
	for _, l := range u.x.ev.Logs[:min(len(u.x.ev.Logs), maxLogsRead)] {
		if l.Pod != "" || l.Host != "" && u.Host != "" && !sameHost(l.Host, u.Host) {
			continue
		}
		last := ""
		for line := range strings.SplitSeq(l.Text, "\n") {
			if strings.Contains(line, name) {
				last = line
			}
		}
		if last != "" {
			return "journal of " + u.Unit + ": " + last
		}
	}
	return ""
}

func unitWell(u unit) (string, bool) {
	state := u.title() + " is " + orElse(u.ActiveState, "in an unknown state")
	if u.SubState != "" {
		state += " (" + u.SubState + ")"
	}
	switch {
	case u.ActiveState == "active" || u.ActiveState == "reloading" || u.ActiveState == "refreshing":
		return state, true
	case u.atRest():
		return state + ", and " + u.restsBecause(), true
	}
	return state + ": " + u.quote(), false
}
