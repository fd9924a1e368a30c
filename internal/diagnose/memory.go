package diagnose

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// reasonOOM is what the runtime reports when the kernel's OOM killer ended the
// container. It is the only proof: exit code 137 says no more than SIGKILL.
const reasonOOM = "OOMKilled"

func oomDeath(c container) (death, bool) {
	d, ok := c.death()
	return d, ok && d.Reason == reasonOOM && c.current(d)
}

func oomKilled(c container) (finding, bool) {
	d, ok := oomDeath(c)
	if !ok {
		return finding{}, false
	}
	f := finding{
		confidence: certain,
		symptom:    c.symptom(),
		quotes:     []string{c.quoteDeath(d)},
		because:    c.title() + " used more memory than it may have and was killed by the kernel (OOMKilled)",
	}
	if c.sinceDeath(d) > freshDeath {
		f.confidence = likely
	}
	limit, limited := c.spec.Resources.Limits[corev1.ResourceMemory]
	if limited {
		f.quotes = append(f.quotes, c.quote("resources.limits.memory="+limit.String()))
		f.because = c.title() + " exceeded its memory limit of " + limit.String() + " and was killed by the kernel (OOMKilled)"
	} else {
		f.alternatives = []alternative{{causeNodeOOM, slight}}
	}
	return f, true
}

// nodeOOM needs the node's own word. With a limit of its own the container may
// just as well have exceeded that.
func nodeOOM(c container) (finding, bool) {
	d, ok := oomDeath(c)
	if !ok {
		return victim(c)
	}
	if _, limited := c.spec.Resources.Limits[corev1.ResourceMemory]; !ok || limited {
		return finding{}, false
	}
	for i := len(c.nodeEvents) - 1; i >= 0; i-- {
		e := c.nodeEvents[i]
		if e.Reason != "SystemOOM" || !near(eventTime(e), d.FinishedAt.Time, 5*time.Minute) {
			continue
		}
		return finding{
			confidence:   likely,
			symptom:      c.symptom(),
			quotes:       []string{c.quoteDeath(d), quoteEvent(e)},
			because:      "node " + c.Spec.NodeName + " ran out of memory and the kernel killed " + c.title() + ", which has no memory limit",
			alternatives: []alternative{{causeOOMKilled, slight}},
		}, true
	}
	return finding{}, false
}

// victim finds a container whose end by SIGKILL the runtime did not understand,
// and whose program the node's SystemOOM event names at that moment.
func victim(c container) (finding, bool) {
	d, died := c.death()
	if !died || !c.current(d) || d.ExitCode != 137 || d.FinishedAt.IsZero() {
		return finding{}, false
	}
	for i := len(c.nodeEvents) - 1; i >= 0; i-- {
		e := c.nodeEvents[i]
		_, named, _ := strings.Cut(e.Message, "victim process: ")
		named = firstWord(named)
		at := eventTime(e)
		if e.Reason != "SystemOOM" || len(named) < 3 || !strings.Contains(c.name+" "+c.spec.Image, named) || at.IsZero() || at.Sub(d.FinishedAt.Time).Abs() > time.Minute {
			continue
		}
		return finding{
			confidence:   fair,
			symptom:      c.symptom(),
			quotes:       []string{c.quoteDeath(d), quoteEvent(e)},
			because:      "node " + c.Spec.NodeName + " ran out of memory and the kernel killed " + named + " at the moment when " + c.title() + " ended",
			alternatives: []alternative{{causeOOMKilled, slight}},
		}, true
	}
	return finding{}, false
}

// near is true for unknown times: an event of the right kind about the right
// object is evidence even without one.
func near(a, b time.Time, within time.Duration) bool {
	return a.IsZero() || b.IsZero() || a.Sub(b).Abs() <= within
}
