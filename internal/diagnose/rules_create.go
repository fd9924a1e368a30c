package diagnose

import (
	"fmt"
	"strings"
)

// createRules are about a container that cannot be made, or whose program cannot
// be started. A program that starts and ends by itself is another matter.
var createRules = []row[container]{
	{Rule{
		Name: "config-missing", Cause: causeConfigMissing, Confidence: certain,
		When:     "kubelet names a secret, a config map or a key in one that the container needs and that is not there",
		Quotes:   "the waiting message or the Failed event",
		RulesOut: []string{causeCreateFailed, causeStartupFailed}, Explains: []string{causeVolumeFailed, causeReadinessFailed},
	}, notMade(causeConfigMissing)},
	{Rule{
		Name: "command-invalid", Cause: causeCommandInvalid, Confidence: 0.95,
		When:     "the runtime cannot run the entry point: it is missing, a directory, not executable, or its working directory is missing",
		Quotes:   "the last termination or the waiting message; the command",
		RulesOut: []string{causeCreateFailed, causeStartupFailed, causePermissionDenied}, Explains: []string{causeReadinessFailed},
	}, notMade(causeCommandInvalid)},
	{Rule{
		Name: "runtime-refuses", Cause: causeCreateFailed, Confidence: 0.95,
		When:     "kubelet or the runtime cannot make or start the container, and says nothing of its command or its configuration",
		Quotes:   "the waiting message, the last termination or the Failed event",
		RulesOut: []string{causeStartupFailed, causeLivenessFailed}, Explains: []string{causeReadinessFailed},
	}, notMade(causeCreateFailed)},
	{Rule{
		Name: "platform-at-start", Cause: causeImageWrongPlatform, Confidence: strong,
		When:     "the runtime says `exec format error` as it starts the program",
		Quotes:   "the last termination or the waiting message; the node's architecture",
		RulesOut: []string{causeCreateFailed, causeStartupFailed},
	}, notMade(causeImageWrongPlatform)},
	{Rule{
		Name: "oom-at-start", Cause: causeOOMKilled, Confidence: strong,
		When:     "the runtime itself was OOM-killed while it started the container",
		Quotes:   "the waiting message or the last termination; the memory limit",
		RulesOut: []string{causeCreateFailed, causeStartupFailed},
	}, notMade(causeOOMKilled)},
	{Rule{
		Name: "host-port-in-use", Cause: causePortConflict, Confidence: strong,
		When:     "the runtime cannot bind a port of the node",
		Quotes:   "the waiting message or the last termination",
		RulesOut: []string{causeCreateFailed, causeStartupFailed},
	}, notMade(causePortConflict)},
	{Rule{
		Name: "no-space-to-create", Cause: causeDiskPressure, Confidence: fair,
		When:     "the runtime has no space left on the node to make the container",
		Quotes:   "the waiting message or the last termination",
		RulesOut: []string{causeCreateFailed},
	}, notMade(causeDiskPressure)},
	{Rule{
		Name: "platform-by-log", Cause: causeImageWrongPlatform, Confidence: 0.92,
		When:     "the program ended at once and all that it said is `exec format error`",
		Quotes:   "the last termination; the log line; the node's architecture",
		RulesOut: []string{causeStartupFailed, causePermissionDenied},
	}, platformByLog},
	{Rule{
		Name: "command-by-log", Cause: causeCommandInvalid, Confidence: likely + 0.05,
		When:     "the program ended at once (often with 126 or 127) and all that was said is that it was not found or may not be run",
		Quotes:   "the last termination; the log line",
		RulesOut: []string{causeStartupFailed, causePermissionDenied},
	}, commandByLog},
}

func notMade(cause string) func(container) (finding, bool) {
	return func(c container) (finding, bool) {
		t := c.unmade
		if t == nil || t.cause != cause {
			return finding{}, false
		}
		f := finding{
			place:   place{acute: 2},
			symptom: c.symptom(),
			because: c.title() + " cannot be started: " + t.because,
			quotes:  []string{t.quote},
		}
		if state := c.quoteState(); c.known && state != t.quote {
			f.quotes = append([]string{state}, f.quotes...)
		}
		c.weighCreation(&f)
		return f, true
	}
}

// weighCreation adds what else the evidence says, for some causes.
func (c container) weighCreation(f *finding) {
	switch t := c.unmade; t.cause {
	case causeImageWrongPlatform:
		c.quotePlatform(f)
	case causeOOMKilled:
		f.quotes = append(f.quotes, c.quote("resources.limits.memory="+c.spec.Resources.Limits.Memory().String()))
	case causeCommandInvalid:
		c.quoteCommand(f)
	case causeDiskPressure:
		f.alternatives = []alternative{{"host.disk_full", slight}, {causeCreateFailed, slight}}
		f.missing = []string{"the node's DiskPressure condition, and df of its file systems"}
	case causeCreateFailed:
		if transient(t.text) {
			f.confidence = fair
			f.missing = []string{"whether it passes by itself: kubelet tries again, and what it waited for was the API server or the runtime"}
		}
	}
}

// transient are troubles of kubelet with the API server or with the runtime, that
// pass or else tell of the node.
func transient(message string) bool {
	text := strings.ToLower(message)
	for _, phrase := range []string{"cache: timed out", "have not yet been read", "deadline exceeded", "deadlineexceeded", "name is reserved", "failed to reserve"} {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}

func (c container) quoteCommand(f *finding) {
	if len(c.spec.Command) > 0 {
		f.quotes = append(f.quotes, c.quote("command="+clip(strings.Join(c.spec.Command, " "), 200)))
	} else if c.spec.Image != "" {
		f.quotes = append(f.quotes, c.quote("image="+c.spec.Image+", no command of its own"))
	}
}

// onlyWords gives the end of a program that said one thing only, as a runtime or a
// shell does in its place.
func (c container) onlyWords() (death, string, bool) {
	d, died := c.death()
	if !died || !c.current(d) || d.killed() || neverRan(d.Reason) || c.DeletionTimestamp != nil || d.ExitCode == 0 {
		return d, "", false
	}
	line := strings.ToLower(c.lastWords(d))
	return d, line, line != ""
}

// platformByLog reads what runc leaves in the log where the last step, execve,
// fails. A script without its first line fails alike.
func platformByLog(c container) (finding, bool) {
	d, line, ok := c.onlyWords()
	if !ok || !strings.HasSuffix(strings.Trim(line, `"' .`), "exec format error") {
		return finding{}, false
	}
	f := finding{
		confidence:   strong,
		symptom:      c.symptom(),
		because:      "the program in " + c.title() + " is built for another platform than the node's",
		quotes:       []string{c.quoteDeath(d), c.lastWords(d)},
		alternatives: []alternative{{causeCommandInvalid, slight}},
	}
	c.quotePlatform(&f)
	if script(line) {
		f.confidence = fair - 0.1
		f.alternatives = []alternative{{causeCommandInvalid, 0.45}}
		f.missing = append(f.missing, "whether the script begins with #! : without that the kernel says the same of it")
	}
	return f, true
}

// script says whether the program named in "exec /entrypoint.sh: exec format error"
// is a script: those run on every platform, if they say by what.
func script(line string) bool {
	for _, suffix := range []string{".sh:", ".py:", ".rb:", ".pl:", ".js:"} {
		if strings.Contains(line, suffix) {
			return true
		}
	}
	return false
}

// commandByLog reads what runc leaves in the log of a script whose interpreter is
// not there, and what a shell says of a program that it cannot find or run.
func commandByLog(c container) (finding, bool) {
	d, line, ok := c.onlyWords()
	if !ok {
		return finding{}, false
	}
	line = strings.TrimRight(line, `"' .`)
	byRuntime := strings.Contains(line, "exec user process caused") || strings.Contains(line, "message: exec ") || strings.Contains(line, "log ends: exec ")
	byShell := d.ExitCode == 126 || d.ExitCode == 127
	missing := strings.HasSuffix(line, "no such file or directory") || strings.HasSuffix(line, "not found")
	refused := strings.HasSuffix(line, "permission denied")
	if !(byRuntime || byShell) || !(missing || refused) {
		return finding{}, false
	}
	why := "is not there (for a script: what its first line names; line ends of Windows hide it too)"
	if refused {
		why = "may not be executed"
	}
	f := finding{
		confidence:   likely,
		symptom:      c.symptom(),
		because:      fmt.Sprintf("the program that %s is to run %s (exit code %d)", c.title(), why, d.ExitCode),
		quotes:       []string{c.quoteDeath(d), c.lastWords(d)},
		alternatives: []alternative{{causeStartupFailed, slight}},
	}
	c.quoteCommand(&f)
	return f, true
}
