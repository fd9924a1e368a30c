package diagnose

// meaning is what a sign in a log tells.
type meaning struct {
	cause  string
	says   string // of the container, "cannot reach %s", or of another, "%s refuses"; %s is whom or what it is about
	what   string // stands for %s where the log does not tell it
	sure   float64
	about  func(line string) string // finds what it is about in the sign's line, or in one of its entry; nil: nothing to find
	remote bool                     // about is a dependency; a connection made later heals it
	depth  int
	others []alternative
}

// How a meaning stands to the others in one log: what is shallow is what an
// earlier, deeper one leads to.
const (
	wrapper  = iota // says only that the program gave up
	follower        // is what a failing dependency leads to
	vague           // blames a dependency, and does not say how it fails
	ordinary
	flood // makes everything after it fail
)

// The meanings, by what they lead to.
var (
	depRefuses     = remote("cannot reach %s: the connection is refused", strong+0.03)
	depSilent      = remote("cannot reach %s: no answer in time", strong)
	depUnreachable = &meaning{cause: causeDependency, says: "cannot reach %s", what: "a dependency", sure: strong, about: targetOf, remote: true, depth: vague}
	depUnresolved  = remote("cannot reach %s: the name cannot be resolved", strong+0.03)
	depUntrusted   = remote("cannot talk to %s: TLS fails, certificate or handshake", strong)
	depNotServing  = remote("is sent away by %s, which does not serve yet or any more", strong)
	depAwaited     = &meaning{cause: causeDependency, says: "still waits for %s", what: "a dependency", sure: likely, about: targetOf, remote: true, depth: follower}
	depDeniesLogin = &meaning{cause: causeStartupFailed, says: "%s refuses its credentials", what: "a dependency", sure: strong, about: targetOf, remote: true, depth: ordinary,
		others: []alternative{{causeDependency, slight}, {causePermissionDenied, slight - 0.1}}}

	connsTaken = &meaning{cause: causeConnections, says: "%s has no connection left to give", what: "the database", sure: 0.95, about: targetOf, remote: true, depth: ordinary}
	poolEmpty  = &meaning{cause: causeConnections, says: "its own connection pool has none left to give in time", sure: 0.75, remote: true, depth: follower,
		others: []alternative{{causeDependency, slight}}}

	portTaken     = &meaning{cause: causePortConflict, says: "cannot listen on %s: it is taken already", what: "its port", sure: 0.95, about: ownPort, depth: ordinary}
	portForbidden = &meaning{cause: causePermissionDenied, says: "may not listen on %s: ports below 1024 need a privilege", what: "its port", sure: 0.95, about: ownPort, depth: ordinary}
	fileForbidden = &meaning{cause: causePermissionDenied, says: "may not use %s", what: "a file", sure: strong, about: pathOf, depth: ordinary}
	fileReadOnly  = &meaning{cause: causePermissionDenied, says: "may not write to %s: the file system is read-only", what: "its file system", sure: strong, about: pathOf, depth: ordinary}
	apiForbidden  = &meaning{cause: causePermissionDenied, says: "is forbidden by the Kubernetes API: %s", what: "its service account lacks a permission", sure: strong, about: forbiddenOf, depth: ordinary}
	rightsLacking = &meaning{cause: causePermissionDenied, says: "is denied what it asks for: %s", what: "a permission is lacking", sure: likely, about: wholeLine, depth: ordinary}

	platformWrong = &meaning{cause: causeImageWrongPlatform, says: "holds a program for another platform than the node's (exec format error)", sure: likely + 0.05, depth: flood,
		others: []alternative{{causeCommandInvalid, slight - 0.1}}}
	programMissing = &meaning{cause: causeCommandInvalid, says: "is told to run what is not there: %s", what: "its command", sure: strong, about: wholeLine, depth: ordinary}
	commandMissing = &meaning{cause: causeCommandInvalid, says: "is told to run what is not there: %s", what: "its command", sure: strong, about: wholeLine, depth: ordinary}

	selfHeapFull       = own("its own heap is full: %s", "memory that the program may use by its own settings", wholeLine, strong+0.02, flood)
	selfDiskFull       = own("the disk that it writes to is full: %s", "no space left", wholeLine, strong, flood)
	selfFilesOpen      = own("it may not open more files or processes: %s", "a limit is reached", wholeLine, strong, flood)
	selfFileMissing    = own("a file is missing: %s", "it does not exist", wholeLine, strong, ordinary)
	selfSettingMissing = own("a setting or environment variable is missing: %s", "it is not set", wholeLine, strong, ordinary)
	selfConfigBad      = own("its configuration or arguments are not valid: %s", "it cannot be read", wholeLine, strong, ordinary)
	selfDataUnfit      = own("its data does not suit the program: %s", "it was written by another version", wholeLine, strong, ordinary)
	selfCodeMissing    = own("code that it needs is not in the image: %s", "a module", wholeLine, strong, ordinary)
	selfMigration      = own("a database migration failed: %s", "its schema is not as expected", wholeLine, strong, follower)
	selfFault          = own("it crashes by a fault of its own: %s", "an error that nothing handles", wholeLine, strong, ordinary)
	selfEnd            = own("%s", "it gives up", wholeLine, strong-0.02, wrapper)
)

// remote is about a dependency that does not serve.
func remote(says string, sure float64) *meaning {
	return &meaning{cause: causeDependency, says: says, what: "a dependency", sure: sure, about: targetOf, remote: true, depth: ordinary}
}

// own is why a program ends that has nobody else to blame.
func own(says, what string, about func(string) string, sure float64, depth int) *meaning {
	return &meaning{cause: causeStartupFailed, says: says, what: what, sure: sure, about: about, depth: depth}
}

// yieldsTo says whether an earlier sign of the same log is the root of this one.
func (m *meaning) yieldsTo(earlier *meaning) bool {
	switch {
	case earlier.depth == flood || m.depth == wrapper:
		return earlier.depth > m.depth
	case m.depth == follower || m.depth == vague:
		return earlier.remote && earlier.depth > m.depth
	}
	return false
}
