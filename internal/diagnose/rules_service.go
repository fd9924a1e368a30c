package diagnose

import (
	"fmt"
	"strings"

	"salve/internal/evidence"
)

var serviceRules = []row[unit]{
	{Rule{
		Name: "unit-failed", Cause: "service.down", Confidence: 0.95,
		When:   "systemd says that the unit failed, or is in a restart loop",
		Quotes: "ActiveState, SubState, Result and exit status; the end of its journal",
	}, unitFailed},
	{Rule{
		Name: "unit-stopped", Cause: "service.down", Confidence: likely,
		When:   "the unit is to run (enabled) and is inactive",
		Quotes: "ActiveState, SubState and UnitFileState",
	}, unitStopped},
}

// unit is one systemd unit.
type unit struct {
	x *examination
	evidence.Service
}

func (x *examination) units() []unit {
	var out []unit
	for _, s := range x.ev.Services {
		if x.concernsHost(s.Host) && (x.q.Target.Host == "" || !isUnit(x.q.Target.Service) || sameUnit(s.Unit, x.q.Target.Service)) {
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

func (u unit) name() string { return strings.TrimSpace(u.Unit + " on " + u.Host) }

func (u unit) title() string {
	if u.Host == "" {
		return "unit " + u.Unit
	}
	return "unit " + u.Unit + " on " + u.Host
}

func (u unit) quote() string {
	return fmt.Sprintf("systemctl show %s: LoadState=%s ActiveState=%s SubState=%s Result=%s ExecMainStatus=%s UnitFileState=%s",
		u.title(), u.LoadState, u.ActiveState, u.SubState, u.Result, u.ExecMainStatus, u.Enabled)
}

// unitResults say why a unit failed: systemd.service(5), $SERVICE_RESULT.
var unitResults = map[string]string{
	"exit-code":       "its program exited with status %s",
	"signal":          "its program was killed by a signal (%s)",
	"core-dump":       "its program crashed and dumped core (status %s)",
	"oom-kill":        "the kernel killed it for memory (status %s)",
	"timeout":         "it did not start or stop in time (status %s)",
	"watchdog":        "its watchdog was not fed in time (status %s)",
	"start-limit-hit": "it failed so often that systemd starts it no more (status %s)",
	"resources":       "systemd lacked the resources to start it (status %s)",
	"protocol":        "it did not speak systemd's protocol at start (status %s)",
	"exec-condition":  "its start condition was not met (status %s)",
}

func unitFailed(u unit) (finding, bool) {
	looping := u.ActiveState == "activating" && u.SubState == "auto-restart"
	if u.ActiveState != "failed" && u.SubState != "failed" && !looping {
		return finding{}, false
	}
	why := unitResults[u.Result]
	if why == "" {
		why = "systemd gives no reason (status %s)"
	}
	state := "has failed"
	if looping {
		state = "restarts again and again"
	}
	f := finding{
		symptom: u.title() + " " + state,
		because: fmt.Sprintf(why, u.ExecMainStatus),
		quotes:  []string{u.quote()},
	}
	if line := u.lastWords(); line != "" {
		f.quotes = append(f.quotes, line)
	}
	return f, true
}

// unitStopped is for what systemd says is to run. What runs once and ends well,
// and what a timer or socket starts, is at rest and not down.
func unitStopped(u unit) (finding, bool) {
	missing := u.LoadState == "not-found" || u.LoadState == "error" || u.LoadState == "bad-setting"
	stopped := u.ActiveState == "inactive" && u.Enabled == "enabled" && u.Type != "oneshot" && !strings.HasSuffix(u.Unit, ".timer")
	masked := u.ActiveState == "inactive" && (u.LoadState == "masked" || u.Enabled == "masked")
	f := finding{quotes: []string{u.quote()}, symptom: u.title() + " does not run"}
	switch {
	case missing:
		f.confidence, f.because = fair, "systemd cannot load the unit (LoadState="+u.LoadState+")"
	case masked:
		f.confidence, f.because = fair, "somebody masked the unit"
	case stopped:
		f.because = "it is enabled and was stopped (Result=" + u.Result + ")"
	default:
		return finding{}, false
	}
	return f, true
}

// lastWords is the end of the unit's journal, where the evidence holds one.
func (u unit) lastWords() string {
	name := strings.TrimSuffix(u.Unit, ".service")
	for _, l := range u.x.ev.Logs {
		if l.Pod != "" || !strings.Contains(l.Text, name) {
			continue
		}
		if line := lastLine(l.Text); line != "" {
			return "journal of " + u.Unit + " ends: " + line
		}
	}
	return ""
}

func unitWell(u unit) (string, bool) {
	atRest := u.ActiveState == "inactive" && (u.Type == "oneshot" || u.Enabled != "enabled") && u.LoadState != "not-found"
	return u.title() + ": " + u.ActiveState + " (" + u.SubState + ")", u.ActiveState == "active" || atRest
}
