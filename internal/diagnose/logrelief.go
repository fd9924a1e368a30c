package diagnose

import (
	"slices"
	"strings"
)

// relief is a line that tells of something that works now.
type relief int

const (
	noRelief  relief = iota
	connected        // a dependency answers
	serving          // the program listens
)

// reliefPhrases tell of what works; of is the relief.
var reliefPhrases = func() (b phraseBook) {
	for _, p := range []string{
		"connected to", "connection established", "successfully connected", "connected successfully", "reconnected", "connection restored", "connection successful", "connection ok",
		"connection to the database established", "database connected", "connection has been established", " is up\n", " is up -", " is up and", " is up!", " is up.", " is ready", "start completed", "added connection", "accepting connections",
		"retry succeeded", "succeeded after", "recovered", "is now available", "is reachable", "connect success", "(tcp) succeeded", ") open", "connection succeeded",
	} {
		b.add(p, int(connected))
	}
	for _, p := range []string{
		"listening on", "listening at", "listening for", "server started", "started server", "ready to accept connections", "ready for connections", "server is running", "server running", "running on http",
		"application startup complete", "now listening", "start worker process", "ready to handle connections", "startup complete", "jvm running for", "process running for", "serving on", "serving at", "server is ready", "booting worker",
	} {
		b.add(p, int(serving))
	}
	return b
}()

// denials turn words of relief into their contrary.
var denials = says("not ", "n't ", "fail", "error", "refused", "unable", "disconnected", "waiting", "until", "before", "cannot", "could", "timed out", "timeout", "retry ", "trying", "check ", "attempt", "identify", "already")

func (p *page) findRelief() {
	i := 0
	reliefPhrases.find(p.lower, func(at int, f phrase) {
		for i < len(p.lines)-1 && p.lines[i].to < at {
			i++
		}
		l := &p.lines[i]
		if l.relief != noRelief || l.sign != nil && l.sign.means != depAwaited {
			return
		}
		line := p.lowerOf(l)
		if !slices.ContainsFunc(denials, func(d string) bool { return strings.Contains(line, d) }) {
			l.relief, l.sign = relief(f.of), nil
		}
	})
}

// healed says whether a dependency that failed answered later; a line that names
// another product than the failed one is no answer.
func healed(failed string, answers []string) bool {
	return slices.ContainsFunc(answers, func(a string) bool { return a == failed || a == "" || failed == "" })
}
