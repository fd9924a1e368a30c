package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// tool is a command, or several whose output is of one form.
type tool struct {
	calls string          // how it is called: programs, or program and sub-command
	looks func(look) bool // how its output is told without a name
	read  func(*reader, printout) error
}

// tools is everything whose output is read, in the order in which an output
// that nobody named is tried.
func tools() []tool {
	return []tool{
		{"velero", looksLikeVelero, readVelero}, // its describe looks like kubectl's
		{"kubectl describe", looksLikeDescribe, readDescribe},
		{"kubectl top", looksLikeTop, readTop},
		{"kubectl get, kubectl events", looksLikeListing, readListing},
		{"kubectl logs", nil, readPodLog},
		{"df", looksLikeDF, readDF},
		{"systemctl", looksLikeSystemctl, readSystemctl},
		{"openssl", looksLikeOpenSSL, readOpenSSL},
		{"pem", looksLikePEM, readPEM},
		{"certbot", looksLikeCertbot, readCertbot},
		{"patronictl", looksLikePatroni, readPatroni},
		{"pg_isready", looksLikePgIsReady, readPgIsReady},
		{"restic", looksLikeRestic, readRestic},
		{"pgbackrest", looksLikePgBackRest, readPgBackRest},
		{"borg", nil, readBorg},
		{"du, find, stat, ls, coredumpctl", looksLikeSizes, readSizes},
	}
}

// calledBy finds the tool of a command, and how it is called.
func calledBy(c command) (t tool, call string, ok bool) {
	for _, t := range tools() {
		for call := range strings.SplitSeq(t.calls, ", ") {
			program, sub, _ := strings.Cut(call, " ")
			if c.arg(0) == program && (sub == "" || c.arg(1) == sub) {
				return t, call, true
			}
		}
	}
	return tool{}, "", false
}

func knownProgram(name string) bool {
	for _, t := range tools() {
		for call := range strings.SplitSeq(t.calls, ", ") {
			if program, _, _ := strings.Cut(call, " "); program == name {
				return true
			}
		}
	}
	return false
}

// lookingLike finds the tool that printed a text.
func lookingLike(text string) (tool, bool) {
	head := lookAt(text)
	for _, t := range tools() {
		if t.looks != nil && t.looks(head) {
			return t, true
		}
	}
	return tool{}, false
}

// raw reads what commands printed, each by the tool that printed it.
func (r *reader) raw(pointer string, raw json.RawMessage) {
	r.each(pointer, raw, func(at string, item json.RawMessage) {
		var one Raw
		if err := decodeObject(item, &one, "must be an object {tool, text}"); err != nil {
			r.problem(at, err.Error())
			return
		}
		if err := r.printed(at, one); err != nil {
			r.problem(at, err.Error())
		}
	})
}

// maxTools bounds the commands of one line whose output is looked for.
const maxTools = 4

// printed adds what one command's output tells to the evidence. A tool that is
// not known is recognised by its output; where that fails too, the output is
// kept as a log of the host.
func (r *reader) printed(pointer string, one Raw) error {
	p := printout{pointer: pointer, host: one.Host, text: plain(one.Text)}
	var firstErr error
	read := map[string]bool{}
	for _, c := range commands(one.Tool) {
		t, call, known := calledBy(c)
		if !known || read[t.calls] || len(read) == maxTools {
			continue
		}
		p.command, read[t.calls] = c, true
		err := t.read(r, p)
		if err == nil {
			return r.rest(p, one.Tool, read)
		}
		if firstErr == nil {
			firstErr = explain(call, p.text, err)
		}
	}
	if firstErr != nil {
		return firstErr
	}
	return r.unnamed(p, one.Tool)
}

// rest reads what the further commands of a line printed after the first.
func (r *reader) rest(p printout, line string, read map[string]bool) error {
	for _, c := range commands(line) {
		if t, _, known := calledBy(c); known && !read[t.calls] && len(read) < maxTools {
			p.command, read[t.calls] = c, true
			_ = t.read(r, p) // it may have printed nothing
		}
	}
	return nil
}

// unnamed reads what a tool printed that nobody named, or that is not known.
func (r *reader) unnamed(p printout, name string) error {
	if strings.TrimSpace(p.text) == "" {
		return errors.New("the output is empty")
	}
	p.command = command{}
	if isDocument(p.text) && !r.file && r.printedDocuments(p) == nil {
		return nil
	}
	if t, ok := lookingLike(p.text); ok {
		return t.read(r, p)
	}
	if said, failed := failure(p.text); failed {
		return fmt.Errorf("the command failed: %q", said)
	}
	r.log(Log{Host: p.host, Tool: clip(name, maxLookLine), Text: p.text})
	return nil
}

// explain says that a command failed, where that is why its output is of no use.
func explain(call, text string, err error) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("%s: the output is empty; %w", call, err)
	}
	if said, failed := failure(text); failed {
		return fmt.Errorf("%s failed: %q", call, said)
	}
	return fmt.Errorf("%s: %w", call, err)
}

// failures are what shells, ssh, kubectl and openssl print in place of an output.
var failures = []string{
	"command not found", ": not found", "Permission denied", "permission denied", "No such file or directory", "not permitted",
	"Unable to connect to the server", "The connection to the server", "Error from server", "error: ", "Error: ", "sudo: ", "a password is required",
	"Connection refused", "Connection timed out", "connect:errno", "Could not resolve hostname", "Host key verification failed", "Unauthorized", "Metrics API not available",
	"nable to load certificate", "Could not read", "Could not open file", "Failed to ", "Fatal: ", "Access denied", "is not running", "timed out",
}

// maxFailure is how many lines an output has at most that says no more than
// that the command failed.
const maxFailure = 5

// failure finds the line that says why a command failed, in an output that says
// nothing else.
func failure(text string) (string, bool) {
	head := lookAt(text)
	if len(head) > maxFailure {
		return "", false
	}
	for _, line := range head {
		for _, f := range failures {
			if strings.Contains(line, f) {
				return clip(strings.TrimSpace(line), 200), true
			}
		}
	}
	return "", false
}

// readPodLog reads kubectl logs: the command says whose.
func readPodLog(r *reader, p printout) error {
	l := Log{Pod: strings.TrimPrefix(p.arg(2), "pod/"), Container: p.value("-c", "--container"), Previous: p.has('p', "--previous"), Text: p.text}
	if said, failed := failure(p.text); failed && (strings.HasPrefix(said, "Error from server") || strings.HasPrefix(said, "error: ")) {
		return errNoLog
	}
	if strings.TrimSpace(p.text) == "" {
		return errNoLog
	}
	if strings.Contains(l.Pod, "/") { // deploy/api: which pod's is not said
		l.Tool, l.Pod = "kubectl logs "+l.Pod, ""
	}
	if l.Container == "" && len(p.words) > 3 {
		l.Container = p.words[3]
	}
	r.log(l)
	return nil
}

var errNoLog = errors.New("no log")
