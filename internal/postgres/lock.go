package postgres

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// dirLock is the right to use a data directory. The kernel gives it back when the process ends, however it ends, so it
// can't go stale. The file itself stays: removing it would let two processes lock two different files of one name.
type dirLock struct{ file *os.File }

func acquire(path string) (*dirLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		return nil, inUse(file, err)
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &dirLock{file: file}, nil
}

func inUse(file *os.File, cause error) error {
	if cause != syscall.EWOULDBLOCK {
		return fmt.Errorf("lock %s: %w", file.Name(), cause)
	}
	owner := "another process"
	text, _ := io.ReadAll(io.LimitReader(file, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		owner = fmt.Sprintf("process %d", pid)
	}
	return fmt.Errorf("the data directory is in use by %s: stop it, or give this instance a data directory of its own (SALVE_DATA_DIR) or DATABASE_URL", owner)
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func (l *dirLock) release() {
	// Closing the last descriptor is what unlocks.
	l.file.Close()
}
