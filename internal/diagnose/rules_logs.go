package diagnose

import (
	"fmt"
	"slices"
	"strings"
)

// effects are what people see of a container whose program cannot do its work.
var effects = []string{causeStartupFailed, causeReadinessFailed, causeLivenessFailed, causeStartupProbeFailed}

// logRules are about what a container's program says before it ends, or while it
// is not ready. The table of signs in logsigns.go tells what counts.
var logRules = []row[container]{
	{Rule{
		Name: "log-dependency", Cause: causeDependency, Confidence: 0.93,
		When:     "the last decisive error of an ill container is that something else cannot be reached, resolved, trusted or does not serve; or an init container still waits for it",
		Quotes:   "the container's state; the line of its log, termination message or probe that names the dependency",
		Explains: effects,
	}, logSays(causeDependency)},
	{Rule{
		Name: "log-connections", Cause: causeConnections, Confidence: 0.95,
		When:     "the database refuses one more connection, or the program's own pool has none left",
		Quotes:   "the container's state; the line of its log or probe that says so",
		Explains: append([]string{causeDependency}, effects...),
	}, logSays(causeConnections)},
	{Rule{
		Name: "log-permission", Cause: causePermissionDenied, Confidence: 0.95,
		When:     "the last decisive error of an ill container is that it may not use a file, a port below 1024, or an API",
		Quotes:   "the container's state; the line of its log that says so; its security context",
		Explains: effects,
	}, logSays(causePermissionDenied)},
	{Rule{
		Name: "log-port", Cause: causePortConflict, Confidence: 0.95,
		When:     "the last decisive error of an ill container is that its port is taken",
		Quotes:   "the container's state; the line of its log that says so; who else has that port",
		Explains: effects,
	}, logSays(causePortConflict)},
	{Rule{
		Name: "log-platform", Cause: causeImageWrongPlatform, Confidence: likely + 0.05,
		When:     "the log of a container that ends at once says exec format error",
		Quotes:   "the last termination; the line of its log; the node's architecture",
		Explains: effects, RulesOut: []string{causeCommandInvalid},
	}, logSays(causeImageWrongPlatform)},
	{Rule{
		Name: "log-command", Cause: causeCommandInvalid, Confidence: 0.92,
		When:     "the container ends with code 127 or 126 and its log says that a command is not there or cannot be executed, or no log tells otherwise",
		Quotes:   "the last termination; the line of its log; the command",
		Explains: effects, RulesOut: []string{causePermissionDenied},
	}, commandInvalid},
}

// logSays finds containers whose word has this cause.
func logSays(cause string) func(container) (finding, bool) {
	return func(c container) (finding, bool) {
		if c.word == nil || c.word.means.cause != cause || c.blamesIllNeighbour() {
			return finding{}, false
		}
		return c.byWord()
	}
}

// byWord makes a finding of what the container said, as sure as the way in which
// it is ill allows.
func (c container) byWord() (finding, bool) {
	w := c.word
	f := finding{
		confidence:   w.means.sure,
		symptom:      c.symptom(),
		quotes:       []string{c.quoteState(), w.quote},
		because:      c.title() + " " + w.reason(),
		alternatives: w.otherCauses(),
	}
	if d, died := c.death(); died && (c.ill == exits || c.ill == killed) {
		f.quotes[0] = c.quoteDeath(d)
	}
	if strings.HasPrefix(w.means.says, "%s") || strings.HasPrefix(w.means.says, "its ") {
		f.because = c.title() + ": " + w.reason()
	}
	c.weigh(&f)
	c.nameLocal(&f)
	c.addCircumstances(&f)
	return f, true
}

// weigh lowers the confidence by what speaks against the word.
func (c container) weigh(f *finding) {
	w := c.word
	switch {
	case c.ill == killed && c.probeKilled():
		f.confidence -= 0.1
	case c.ill == killed:
		f.confidence = min(f.confidence, fair-0.1)
		f.alternatives = append(f.alternatives, alternative{causeLivenessFailed, 0.3}, alternative{causeOOMKilled, 0.2})
		f.missing = append(f.missing, "who killed "+c.title()+": "+killers)
	case c.ill == unready:
		f.confidence -= 0.05
	case c.ill == ails:
		f.acute = 1
		f.confidence = min(f.confidence, fair-0.05)
		f.symptom = "pod " + c.Namespace + "/" + c.Name + ": " + c.title() + " is ready, but cannot do its work"
		f.missing = append(f.missing, "what callers see of it: its probes do not fail")
	}
	for _, doubt := range []struct {
		holds bool
		cost  float64
	}{
		{w.guessed, 0.15}, {w.stale, 0.1}, {w.shaken, 0.2}, {w.means.remote && w.about == "" && w.means != poolEmpty && w.means != connsTaken, 0.08}, {len(w.others) > 0, 0.05},
	} {
		if doubt.holds {
			f.confidence -= doubt.cost
		}
	}
	if w.guessed {
		f.missing = append(f.missing, "the log of "+c.title()+", which would say what it waits for")
		f.wants = append(f.wants, CollectLogs)
	}
}

func (c container) probeKilled() bool {
	for _, kind := range []string{liveness, startup} {
		if _, ok := probeKilled(c, kind); ok {
			return true
		}
	}
	return false
}

// nameLocal says whose port of the pod itself does not answer.
func (c container) nameLocal(f *finding) {
	if !c.blamesItself() {
		return
	}
	f.confidence = min(f.confidence, fair)
	f.alternatives = append(f.alternatives, alternative{causeStartupFailed, slight})
	if other := c.neighbour(c.word.about); other != nil {
		f.because += fmt.Sprintf("; that is %s of the same pod", other.title())
		f.quotes = append(f.quotes, other.quoteState())
		return
	}
	f.because += "; that is the pod itself: a sidecar, or a wrong address"
}

// blamesItself says whether what does not answer is the pod itself.
func (c container) blamesItself() bool {
	return c.word != nil && c.word.means.remote && c.word.about != "" && c.isOwn(c.word.about)
}

// blamesIllNeighbour says whether what does not answer may be a container of the
// pod that is down: then its trouble is the root of this one.
func (c container) blamesIllNeighbour() bool { return c.blamesItself() && c.illNeighbour() != nil }

// addCircumstances quotes what makes the word plausible.
func (c container) addCircumstances(f *finding) {
	switch c.word.means.cause {
	case causePermissionDenied:
		if line := c.securityLine(); line != "" {
			f.quotes = append(f.quotes, line)
		}
	case causePortConflict:
		_, port := splitTarget("x:" + digitsOf(c.word.about))
		if other := c.neighbour("localhost:" + port); other != nil {
			f.because += fmt.Sprintf("; %s of the same pod has that port too", other.title())
		} else if c.Spec.HostNetwork {
			f.because += "; the pod shares the network of its node"
			f.quotes = append(f.quotes, c.pod.quote("spec.hostNetwork=true"))
		}
	case causeImageWrongPlatform:
		c.quotePlatform(f)
		c.weighScript(f)
	}
}

// weighScript doubts that a script is of another platform: it fails alike without
// a first line that says by what it is run, and where that program is of another
// platform.
func (c container) weighScript(f *finding) {
	for _, suffix := range []string{".sh:", ".py:", ".rb:", ".pl:", ".js:"} {
		if strings.Contains(c.word.line, suffix) {
			f.confidence = fair
			f.alternatives = []alternative{{causeCommandInvalid, slight}}
			f.missing = append(f.missing, "whether the script begins with #! : without that the kernel says the same of it")
			return
		}
	}
}

func digitsOf(s string) string {
	var out []byte
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// securityLine quotes what narrows the container's rights.
func (c container) securityLine() string {
	var set []string
	if p := c.Spec.SecurityContext; p != nil {
		set = appendSetting(set, "runAsUser", p.RunAsUser)
		set = appendSetting(set, "runAsNonRoot", p.RunAsNonRoot)
		set = appendSetting(set, "fsGroup", p.FSGroup)
	}
	if s := c.spec.SecurityContext; s != nil {
		set = appendSetting(set, "runAsUser", s.RunAsUser)
		set = appendSetting(set, "runAsNonRoot", s.RunAsNonRoot)
		set = appendSetting(set, "readOnlyRootFilesystem", s.ReadOnlyRootFilesystem)
		if s.Capabilities != nil && len(s.Capabilities.Drop) > 0 {
			set = append(set, fmt.Sprintf("capabilities.drop=%v", s.Capabilities.Drop))
		}
	}
	if len(set) == 0 {
		return ""
	}
	slices.Sort(set)
	return c.quote("securityContext " + fmt.Sprint(slices.Compact(set)))
}

func appendSetting[T any](set []string, name string, value *T) []string {
	if value == nil {
		return set
	}
	return append(set, fmt.Sprintf("%s=%v", name, *value))
}
