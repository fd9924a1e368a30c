package diagnose

import (
	"fmt"
	"strings"
)

// startupFailed finds a program that ended by itself. Ends by SIGKILL and SIGTERM
// come from outside, and StartError and its like mean that it never ran.
func startupFailed(c container) (finding, bool) {
	switch d, _ := c.death(); {
	case c.ill == exits:
		return c.ended(d), true
	case c.ill == killed && c.word != nil && c.word.means == selfHeapFull:
		return c.choked(d), true
	}
	return finding{}, false
}

// ended is as sure of why the program ends as its own words are.
func (c container) ended(d death) finding {
	f := finding{
		symptom: c.symptom(),
		quotes:  []string{c.quoteDeath(d)},
		because: fmt.Sprintf("the program in %s exits by itself with code %d%s", c.title(), d.ExitCode, exitMeaning(d)),
	}
	if d.ExitCode == 0 {
		f.because += ", though it is to run for ever"
	}
	last := c.lastWords()
	switch {
	case c.blamesIllNeighbour():
		f.confidence = 0.5
		f.because += fmt.Sprintf(": it %s, and %s of the same pod is down", c.word.reason(), c.illNeighbour().title())
		f.quotes = append(f.quotes, c.word.quote)
	case c.word != nil && c.word.means.cause == causeStartupFailed:
		f.confidence = c.word.means.sure
		f.because += ": " + c.word.reason()
		f.alternatives = c.word.otherCauses()
		f.quotes = append(f.quotes, c.word.quote, last)
	case last != "":
		f.confidence = strong
		f.quotes = append(f.quotes, last)
	case c.heard || c.word != nil:
		f.confidence = likely
	default:
		f.confidence = fair - 0.05
		f.missing = append(f.missing, c.missingLog(d))
		f.wants = append(f.wants, CollectLogs)
	}
	return f
}

// choked is a program that was killed after its own heap had been full: that is
// why it hung, and no proof that the kernel killed it.
func (c container) choked(d death) finding {
	return finding{
		confidence:   fair - 0.05,
		symptom:      c.symptom(),
		quotes:       []string{c.quoteDeath(d), c.word.quote},
		because:      fmt.Sprintf("the program in %s was at its end before it was killed (exit code %d): %s", c.title(), d.ExitCode, c.word.reason()),
		alternatives: []alternative{{causeLivenessFailed, 0.3}, {causeOOMKilled, 0.3}},
		missing:      []string{"who killed " + c.title() + ": " + killers},
	}
}

// killers are those who send SIGKILL and SIGTERM; each leaves another trace.
const killers = "a probe (Killing and Unhealthy events), the kernel for memory (reason OOMKilled, the node's SystemOOM event), an eviction or preemption (the pod's status and events), or a person"

func (c container) missingLog(d death) string {
	if d.field == "state.terminated" {
		return "the log of " + c.title() + ", which would say why the program ends"
	}
	return "the previous log of " + c.title() + ", which would say why the program ends"
}

// exitMeaning says what an exit code means by convention, where it means anything.
func exitMeaning(d death) string {
	switch {
	case d.Signal > 0:
		return fmt.Sprintf(" (signal %d)", d.Signal)
	case exitCodes[d.ExitCode] != "":
		return " (" + exitCodes[d.ExitCode] + ")"
	}
	return ""
}

// exitCodes are the shells' conventions (128 + signal) for what programs rarely
// choose themselves.
var exitCodes = map[int32]string{
	126: "a command that cannot be executed",
	127: "a command that is not found",
	130: "SIGINT: interrupted",
	132: "SIGILL: an instruction that this processor does not know",
	134: "SIGABRT: it aborted itself",
	135: "SIGBUS: memory that is not there",
	136: "SIGFPE: an arithmetic error",
	139: "SIGSEGV: it touched memory that it may not",
	159: "SIGSYS: a system call that is forbidden to it",
}

// commandInvalid finds what the shell's exit codes 127 and 126 mean: there is no
// such command, or it cannot be executed. Code 1 with the runtime's own word that
// it could not run the program means the same.
func commandInvalid(c container) (finding, bool) {
	d, _ := c.death()
	byCode := d.ExitCode == 127 || d.ExitCode == 126
	switch {
	case c.ill != exits || c.word == nil && !byCode:
		return finding{}, false
	case c.word == nil || c.word.means == selfEnd:
		return c.commandByCode(d)
	case c.word.means == programMissing, c.word.means == commandMissing && byCode, c.word.means == fileForbidden && d.ExitCode == 126, c.word.means == selfFileMissing && d.ExitCode == 127:
		f, _ := c.byWord()
		f.confidence = min(f.confidence, strong+0.02)
		f.because = c.title() + " is told to run what is not there or cannot be executed: " + wholeLine(c.word.line)
		f.alternatives = append(f.alternatives, alternative{causeStartupFailed, slight})
		c.quoteCommand(&f)
		return f, true
	}
	return finding{}, false
}

// commandByCode has nothing but the code: a program may choose 127 itself.
func (c container) commandByCode(d death) (finding, bool) {
	if d.ExitCode != 127 && d.ExitCode != 126 {
		return finding{}, false
	}
	f := finding{
		confidence:   fair - 0.05,
		symptom:      c.symptom(),
		quotes:       []string{c.quoteDeath(d)},
		because:      fmt.Sprintf("%s ends with code %d, which shells give for %s", c.title(), d.ExitCode, exitCodes[d.ExitCode]),
		alternatives: []alternative{{causeStartupFailed, slight + 0.05}},
	}
	c.quoteCommand(&f)
	if line := c.lastWords(); line != "" {
		f.quotes = append(f.quotes, line)
	} else {
		f.missing = append(f.missing, c.missingLog(d))
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
func (c container) lastWords() string {
	for _, s := range c.texts() {
		if line := lastLine(s.text); line != "" && !s.stale {
			if s.name != "log" && s.name != "previous log" {
				return c.quote(s.name + ": " + excerpt(line))
			}
			return c.quote(s.name + " ends: " + excerpt(line))
		}
	}
	return ""
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
