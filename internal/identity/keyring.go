package identity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// Keyring is the public keys this server trusts. It is read from disk and
// read again when the files change; a set that cannot be used is refused as a
// whole and the one before it stays.
type Keyring struct {
	source  string
	current atomic.Pointer[keySet]

	mu       sync.Mutex // one Reload at a time
	snapshot string
}

// OpenKeyring reads source: a directory of public keys in PEM (the kid is the
// file's name without .pub.pem or .pem), or a JWKS file. Every key answers to
// its RFC 7638 thumbprint too.
func OpenKeyring(source string) (*Keyring, error) {
	ring := &Keyring{source: source}
	if _, err := ring.Reload(); err != nil {
		return nil, err
	}
	return ring, nil
}

// Reload reads the keys again when names, sizes or times of the files changed.
func (r *Keyring) Reload() (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// The snapshot comes first: a file that changes while the keys are read
	// is then seen as changed by the next Reload.
	snapshot, err := snapshotFiles(r.source)
	if err != nil {
		return false, fmt.Errorf("keys: %w", err)
	}
	if snapshot == r.snapshot {
		return false, nil
	}
	set, err := loadKeys(r.source)
	if err != nil {
		return false, err
	}
	r.current.Store(set)
	r.snapshot = snapshot
	return true, nil
}

// Len is how many different keys are held.
func (r *Keyring) Len() int { return len(r.current.Load().keys) }

// snapshotFiles describes a file, or the files of a directory, well enough to
// notice a change.
func snapshotFiles(source string) (string, error) {
	paths := []string{source}
	if entries, err := os.ReadDir(source); err == nil {
		for _, entry := range entries {
			paths = append(paths, filepath.Join(source, entry.Name()))
		}
	}
	var text strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
	return text.String(), nil
}
