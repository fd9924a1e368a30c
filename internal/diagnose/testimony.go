package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/redact"
)

// testimony is what a container's program said of its own trouble: the meaning, and
// where it stands.
type testimony struct {
	reading
	quote   string
	stale   bool // of another run than the one in question
	guessed bool // read from what it was told to do, not from what it said
}

// plight is how a container is ill, as far as its log could tell why.
type plight int

const (
	notIll  plight = iota
	exits          // its program ended by itself
	killed         // from outside
	unready        // it runs, and is not ready
	waits          // an init container that runs on
	ails           // it is ready, and its log is full of one trouble
)

// youngWait is how long an init container may wait for others on any start.
const youngWait = 2 * time.Minute

func (c container) plight() plight {
	d, died := c.death()
	run := c.status.State.Running
	switch {
	case c.DeletionTimestamp != nil:
		return notIll
	case died && c.current(d) && (d.Reason == reasonOOM || neverRan(d.Reason)):
		return notIll
	case died && c.current(d) && d.killed():
		return killed
	case died && c.current(d):
		return exits
	case run == nil:
		return notIll
	case c.role == initRole:
		return given(waits, !c.runsYet(youngWait))
	case !c.status.Ready:
		return given(unready, c.probeFails() || !c.runsYet(time.Minute))
	}
	return notIll
}

func given(p plight, sure bool) plight {
	if sure {
		return p
	}
	return notIll
}

// runsYet says whether the container is known to run for less than that.
func (c container) runsYet(limit time.Duration) bool {
	run := c.status.State.Running
	return run != nil && !run.StartedAt.IsZero() && c.runningFor() < limit
}

func (c container) probeFails() bool {
	for _, look := range []func(container) (finding, bool){readinessFailed, livenessFailing, startupProbeFailing} {
		if _, failing := look(c); failing {
			return true
		}
	}
	return false
}

// said is one text that a container left, and what to call it.
type said struct {
	text  string
	name  string
	stale bool
}

// listen reads what the container said, in the order of trust: what kubelet kept
// of its end, the log of the run in question, the log of another run, and what
// its probes print.
func (c *container) listen() {
	c.ill = c.plight()
	if c.ill == notIll {
		c.listenToReady()
		return
	}
	for _, s := range c.texts() {
		if s.text = strings.TrimSpace(s.text); s.text == "" {
			continue
		}
		c.heard = c.heard || !s.stale
		r, ok := readLog(s.text, c.ill == waits)
		if ok && (c.word == nil || c.word.means.depth == wrapper && r.means.depth > wrapper) {
			c.word = &testimony{reading: r, quote: c.quote(s.name + ": " + excerpt(r.line)), stale: s.stale}
		}
		if c.word != nil && c.word.means.depth > wrapper {
			return
		}
	}
	if w, ok := c.probeWord(); ok {
		c.word = w
		return
	}
	if c.ill == waits && c.word == nil {
		c.word = c.toldToWait()
	}
}

// listenToReady takes the word of a container that is ready only where its log
// says again and again that a dependency, or the Kubernetes API, does not serve it.
func (c *container) listenToReady() {
	if c.status.State.Running == nil || !c.status.Ready || c.role == initRole || c.DeletionTimestamp != nil {
		return
	}
	r, ok := readLog(strings.TrimSpace(c.logText(false)), false)
	if ok && (r.means.remote && r.means.cause != causeStartupFailed || r.means == apiForbidden) && r.times >= oftenEnough {
		c.ill, c.heard = ails, true
		c.word = &testimony{reading: r, quote: c.quote(fmt.Sprintf("log, %d times: %s", r.times, excerpt(r.line)))}
	}
}

// texts lists what the container left. While it waits for its next start,
// kubelet gives the log of the last run with and without --previous.
func (c container) texts() []said {
	now, before := c.logText(false), c.logText(true)
	d, died := c.death()
	switch {
	case c.ill == unready || c.ill == waits:
		return []said{{now, "log", false}}
	case !died:
		return nil
	case d.field == "state.terminated":
		return []said{{d.Message, d.field + ".message", false}, {now, "log", false}, {before, "previous log", true}}
	case c.status.State.Running == nil:
		return []said{{d.Message, d.field + ".message", false}, {before, "previous log", false}, {now, "log", false}}
	default:
		return []said{{d.Message, d.field + ".message", false}, {before, "previous log", false}, {now, "log", true}}
	}
}

// logText is the container's log. One that names no container is that of the
// only one, or of the one that kubectl takes for the default.
func (c container) logText(previous bool) string {
	best := ""
	for _, l := range c.logs {
		if l.Previous == previous && (l.Container == c.name || l.Container == "" && c.isDefault()) && l.Text > best {
			best = l.Text
		}
	}
	return best
}

const defaultContainer = "kubectl.kubernetes.io/default-container"

func (c container) isDefault() bool {
	if name := c.Annotations[defaultContainer]; name != "" {
		return name == c.name
	}
	return len(c.containers) == 1 || c.role == appRole && len(c.Spec.Containers) == 1
}

// excerpt is the part of a line that can be quoted, without secrets.
func excerpt(line string) string {
	const most = longestQuote - 200
	line = redact.Text(strings.TrimSpace(line))
	if len(line) <= most {
		return line
	}
	at := len(line)
	logPhrases.find(lowerASCII(line), func(i int, _ phrase) { at = min(at, i) })
	from := max(0, min(at-80, len(line)-most))
	return strings.ToValidUTF8(line[from:from+most], "")
}

// probeWord reads what the command of an exec probe printed. What kubelet itself
// says of an HTTP, TCP or gRPC probe is about the container's own port.
func (c container) probeWord() (*testimony, bool) {
	for _, kind := range []string{readiness, liveness, startup} {
		e, ok := c.lastFailure(kind)
		if !ok {
			continue
		}
		out, ok := c.printed(kind, e.Message)
		if !ok {
			continue
		}
		r, ok := readLog(out, true)
		if ok && r.means.remote && r.means != depAwaited && (r.means.cause == causeConnections || r.about != "" && !c.isOwn(r.about)) {
			return &testimony{reading: r, quote: quoteEvent(e)}, true
		}
	}
	return nil, false
}

// printed is what the command of an exec probe said.
func (c container) printed(kind, message string) (string, bool) {
	_, out, ok := strings.Cut(message, ":")
	if p := c.probe(kind); !ok || p != nil && p.Exec == nil {
		return "", false
	}
	out = strings.TrimSpace(out)
	for _, own := range []string{"Get \"http", "Get http", "dial tcp", "HTTP probe failed", "timeout: failed to connect service", "service unhealthy", "rpc error", "command "} {
		if strings.HasPrefix(out, own) {
			return "", false
		}
	}
	return out, true
}

// isOwn says whether a target is the pod itself.
func (c container) isOwn(target string) bool {
	host, _ := splitTarget(target)
	return isLocal(target) || host == c.Status.PodIP && host != "" || host == c.Name
}

// neighbour is the container of this pod whose port a local target is.
func (c container) neighbour(target string) *container {
	_, port := splitTarget(target)
	for i := range c.containers {
		other := &c.containers[i]
		if other.name == c.name || port == "" {
			continue
		}
		for _, p := range other.spec.Ports {
			if fmt.Sprint(p.ContainerPort) == port {
				return other
			}
		}
	}
	return nil
}

// illNeighbour is another container of the pod that is down.
func (c container) illNeighbour() *container {
	for i := range c.containers {
		if o := &c.containers[i]; o.name != c.name && o.role != initRole && o.acuteness() == 2 {
			return o
		}
	}
	return nil
}

// reason says in words what the program said, for people.
func (w *testimony) reason() string {
	if !strings.Contains(w.means.says, "%s") {
		return w.means.says
	}
	return strings.Replace(w.means.says, "%s", oneLine(cmp.Or(w.about, w.means.what)), 1)
}

// otherCauses are the readings that the log leaves open.
func (w *testimony) otherCauses() []alternative {
	out := slices.Clone(w.means.others)
	for _, m := range w.others {
		if !slices.ContainsFunc(out, func(a alternative) bool { return a.cause == m.cause }) {
			out = append(out, alternative{m.cause, slight - 0.05})
		}
	}
	if w.shaken {
		out = append(out, alternative{causeStartupFailed, slight})
	}
	return out
}
