package diagnose

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

func livenessFailed(c container) (finding, bool) {
	if f, ok := probeKilled(c, liveness); ok {
		return f, true
	}
	return livenessFailing(c)
}

func startupProbeFailed(c container) (finding, bool) {
	if f, ok := probeKilled(c, startup); ok {
		return f, true
	}
	return startupProbeFailing(c)
}

// probeKilled finds a container that kubelet ended for its probe: by the Killing
// event that says so, or by failures of the probe before an end from outside.
func probeKilled(c container, kind string) (finding, bool) {
	d, died := c.death()
	if died && (!c.current(d) || d.Reason == reasonOOM) || !died && c.status.RestartCount == 0 {
		return finding{}, false
	}
	ofDeath := func(e *corev1.Event) bool { return !died || !stale(e, d) }
	unhealthy, failing := c.last(func(e *corev1.Event) bool { return probeOf(e) == kind && ofDeath(e) })
	killing, killed := c.last(func(e *corev1.Event) bool { return probeKill(e) == kind && ofDeath(e) })
	f := finding{symptom: c.symptom(), because: "kubelet killed " + c.title() + " because its " + kind + " probe failed"}
	if died {
		f.quotes = append(f.quotes, c.quoteDeath(d))
	}
	switch {
	case killed:
		f.confidence = strong
		f.quotes = append(f.quotes, quoteEvent(killing))
	case failing && died && (d.killed() || d.ExitCode == 0) && c.DeletionTimestamp == nil:
		f.confidence = likely - 0.05
		f.alternatives = []alternative{{causeOOMKilled, slight / 2}}
	default:
		return finding{}, false
	}
	if failing {
		f.confidence += 0.05
		f.quotes = append(f.quotes, quoteEvent(unhealthy))
	}
	return f, true
}

// stale says whether an event is of an earlier life of the container than the
// one that ended with this death.
func stale(e *corev1.Event, d death) bool {
	at, from := eventTime(e), d.StartedAt.Time
	if from.IsZero() {
		from = d.FinishedAt.Add(-freshDeath)
	}
	return !at.IsZero() && !d.FinishedAt.IsZero() && at.Before(from.Add(-time.Minute))
}

// livenessFailing finds a container that runs, is not ready, and whose liveness
// probe has just failed: kubelet is about to kill it.
func livenessFailing(c container) (finding, bool) {
	if c.status.State.Running == nil || c.status.Ready {
		return finding{}, false
	}
	e, ok := c.lastFailure(liveness)
	if !ok || eventCount(e) < 2 {
		return finding{}, false
	}
	return finding{
		confidence: fair,
		symptom:    c.symptom(),
		quotes:     []string{c.quoteState(), quoteEvent(e)},
		because:    "the liveness probe of " + c.title() + " fails; kubelet is about to kill it",
	}, true
}

// startupProbeFailing leaves a container alone until its probe has had all the
// time that its spec gives it.
func startupProbeFailing(c container) (finding, bool) {
	s := c.status
	if s.State.Running == nil || s.Started != nil && *s.Started || s.Ready || c.runningFor() <= c.probeWindow(startup) {
		return finding{}, false
	}
	e, ok := c.lastFailure(startup)
	if !ok {
		return finding{}, false
	}
	return finding{
		confidence: likely,
		symptom:    c.symptom(),
		quotes:     []string{c.quoteState(), quoteEvent(e)},
		because:    "the startup probe of " + c.title() + " has not succeeded within its time",
	}, true
}

// lastFailure is the newest failure of a probe since the container runs.
func (c container) lastFailure(kind string) (*corev1.Event, bool) {
	var since time.Time
	if run := c.status.State.Running; run != nil {
		since = run.StartedAt.Time
	}
	return c.last(func(e *corev1.Event) bool {
		at := eventTime(e)
		return probeOf(e) == kind && (at.IsZero() || !at.Before(since.Add(-time.Minute)))
	})
}

// readinessFailed needs no event where only a failing probe can explain what is
// seen: a container without a readiness probe is ready as soon as it has started.
func readinessFailed(c container) (finding, bool) {
	s := c.status
	if s.State.Running == nil || s.Ready || c.role == initRole || c.readinessIsYoung() {
		return finding{}, false
	}
	f := finding{symptom: c.symptom(), quotes: []string{c.quoteState()}, because: c.title() + " runs, but its readiness probe fails"}
	e, ok := c.lastFailure(readiness)
	switch {
	case ok:
		f.confidence = strong
		f.quotes = append(f.quotes, quoteEvent(e))
	case c.spec.ReadinessProbe != nil && s.Started != nil && *s.Started && c.runningFor() > max(c.probeWindow(readiness), time.Minute):
		f.confidence = fair
		f.quotes = append(f.quotes, c.quote("readinessProbe is set, started=true"))
	default:
		return finding{}, false
	}
	c.addLog(&f)
	return f, true
}

// addLog quotes what the program says of itself while its probe fails, or asks
// for it: a program that runs may be waiting for another.
func (c container) addLog(f *finding) {
	switch w := c.word; {
	case w != nil && w.means.depth > wrapper && w.means.cause == causeStartupFailed && w.means != selfFault:
		f.because += "; its log says: " + w.reason()
		f.quotes = append(f.quotes, w.quote)
		f.alternatives = append(f.alternatives, w.otherCauses()...)
	case !c.heard:
		f.missing = append(f.missing, "the log of "+c.title()+", which would say whether it waits for another service")
		f.wants = append(f.wants, CollectLogs)
	}
}

// readinessIsYoung forgives a first start its first failures.
func (c container) readinessIsYoung() bool {
	e, ok := c.lastFailure(readiness)
	if !ok || c.status.RestartCount > 0 || c.status.State.Running.StartedAt.IsZero() {
		return false
	}
	threshold := int32(3)
	if p := c.spec.ReadinessProbe; p != nil && p.FailureThreshold > 0 {
		threshold = p.FailureThreshold
	}
	return c.runningFor() < time.Minute && eventCount(e) < threshold
}
