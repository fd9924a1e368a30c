package checklist

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"slices"
	"time"
)

//go:embed default.yaml
var defaultSource string

// Default is the checklist of a fresh installation: it checks nothing that it cannot know.
func Default() []byte { return []byte(defaultSource) }

// Kind is what a check looks at.
type Kind string

// The kinds of checks.
const (
	Pods          Kind = "k8s_pods"
	Services      Kind = "services"
	Disk          Kind = "disk"
	Certificates  Kind = "certificates"
	Backups       Kind = "backups"
	ResourceUsage Kind = "resource_usage"
	SecurityAudit Kind = "security_audit"
	HTTP          Kind = "http"
	Custom        Kind = "custom" // a script looks by itself and posts what it saw
)

// Check is one line of the checklist.
type Check struct {
	Name  string
	Kind  Kind
	Every time.Duration

	// Where it looks: a namespace of a cluster, an object in it, a host, or an address.
	Cluster   string
	Namespace string
	Object    string // the name of a certificate of cert-manager
	Host      string
	Unit      string // a systemd unit
	URL       string // of the web
}

// Checklist is one loaded file. It does not change.
type Checklist struct {
	source  []byte
	version string
	checks  []Check
}

// Load reads a checklist. What is wrong with it comes all at once, as policy.Errors.
func Load(name string, src []byte) (*Checklist, error) {
	checks, err := read(name, src)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(src)
	return &Checklist{source: slices.Clone(src), version: hex.EncodeToString(sum[:]), checks: checks}, nil
}

// Version is the SHA-256 of the file.
func (c *Checklist) Version() string { return c.version }

// Checks are its lines in the file's order. They are not to be changed.
func (c *Checklist) Checks() []Check { return c.checks }

// Find gives the check of a name.
func (c *Checklist) Find(name string) (Check, bool) {
	at := slices.IndexFunc(c.checks, func(k Check) bool { return k.Name == name })
	if at < 0 {
		return Check{}, false
	}
	return c.checks[at], true
}
