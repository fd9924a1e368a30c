package diagnose

import "strings"

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
