package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// longestSocketPath is what fits into a unix socket's address everywhere: 104 bytes with the closing zero on macOS,
// 108 on Linux.
const longestSocketPath = 103

const socketFile = ".s.PGSQL.5432"

// makeSocketDir gives the directory for the socket, open to its owner alone. It lies in the data directory unless that
// has too long a path; then it lies in a short private one, recorded so that the next start after a crash removes it.
func makeSocketDir(home layout, account *account) (dir string, cleanup func(), err error) {
	home.dropRecordedSocketDir()
	if fitsSocket(home.socketDir()) {
		dir, err = home.socketDir(), os.MkdirAll(home.socketDir(), 0o700)
		cleanup = func() {}
	} else {
		dir, err = shortDir(home)
		cleanup = home.dropRecordedSocketDir
	}
	if err == nil {
		err = account.own(dir)
	}
	if err != nil {
		return "", nil, fmt.Errorf("directory for the socket: %w", err)
	}
	return dir, cleanup, nil
}

func fitsSocket(dir string) bool {
	return len(filepath.Join(dir, socketFile)) <= longestSocketPath
}

func shortDir(home layout) (string, error) {
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if base == "" || !fitsSocket(filepath.Join(base, "salve-0123456789")) {
			continue
		}
		dir, err := os.MkdirTemp(base, "salve-")
		if err != nil {
			continue
		}
		return dir, os.WriteFile(home.socketRecord(), []byte(dir+"\n"), 0o600)
	}
	return "", fmt.Errorf("no writable directory with a short path (tried XDG_RUNTIME_DIR, the temporary directory and /tmp)")
}

// dropRecordedSocketDir removes only what postgres makes there, one file at a time: a wrong record must not cost
// anybody a directory tree.
func (l layout) dropRecordedSocketDir() {
	text, err := os.ReadFile(l.socketRecord())
	if err != nil {
		return
	}
	dir := strings.TrimSpace(string(text))
	if filepath.IsAbs(dir) {
		os.Remove(filepath.Join(dir, socketFile))
		os.Remove(filepath.Join(dir, socketFile+".lock"))
		os.Remove(dir)
	}
	os.Remove(l.socketRecord())
}
