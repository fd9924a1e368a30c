package diagnose

import (
	"fmt"
	"strings"
)

// startupFailed finds a program that ended by itself. Ends by SIGKILL and SIGTERM
// come from outside, and StartError and its like mean that it never ran.
func startupFailed(c container) (finding, bool) {
	d, died := c.death()
	if !died || !c.current(d) || d.killed() || neverRan(d.Reason) || d.Reason == reasonOOM || c.DeletionTimestamp != nil {
		return finding{}, false
	}
	f := finding{
		confidence: likely + 0.05,
		symptom:    c.symptom(),
		quotes:     []string{c.quoteDeath(d)},
		because:    fmt.Sprintf("the program in %s exits by itself with code %d", c.title(), d.ExitCode),
	}
	if d.ExitCode == 0 {
		f.confidence = likely - 0.05
		f.because += ", though it is to run for ever"
	}
	if line := c.lastWords(d); line != "" {
		f.confidence = strong + 0.02
		f.quotes = append(f.quotes, line)
	} else {
		f.missing = append(f.missing, "the previous log of container "+c.name+", which would say why the program ends")
		f.wants = append(f.wants, CollectLogs)
	}
	return f, true
}

func neverRan(reason string) bool {
	switch reason {
	case "StartError", "ContainerCannotRun", "ContainerStatusUnknown", "DeadlineExceeded", "Evicted":
		return true
	}
	return false
}

// lastWords quotes the end of what the program said before it ended: its
// termination message, or the log of that run.
func (c container) lastWords(d death) string {
	if m := lastLine(d.Message); m != "" {
		return c.quote(d.field + ".message: " + m)
	}
	previous := d.field == "lastState.terminated"
	best := ""
	for _, l := range c.logs {
		if l.Container != c.name && !(l.Container == "" && len(c.containers) == 1) || l.Previous != previous {
			continue
		}
		if line := lastLine(l.Text); line > best {
			best = line
		}
	}
	if best == "" {
		return ""
	}
	if previous {
		return c.quote("previous log ends: " + best)
	}
	return c.quote("log ends: " + best)
}

// lastLine is the last line that says something.
func lastLine(text string) string {
	for text != "" {
		var line string
		if i := strings.LastIndexByte(text, '\n'); i >= 0 {
			text, line = text[:i], text[i+1:]
		} else {
			text, line = "", text
		}
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
