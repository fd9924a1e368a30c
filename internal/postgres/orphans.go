package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// orphanGrace is how long a server of an earlier run has to write its checkpoint and go.
const orphanGrace = 30 * time.Second

// stopOrphans ends the server that an earlier, killed Salve left on the data. The caller holds the lock, so nobody
// living can want it. Stopping and starting again is chosen over adopting: there is one way to come up, always with
// this version's programs and settings, and the server is always this process's child.
func stopOrphans(ctx context.Context, data string) error {
	file, err := readPIDFile(data)
	postmaster := 0
	if err == nil && isPostmaster(file, data) {
		postmaster = file.pid
		syscall.Kill(postmaster, syscall.SIGINT)
	}
	grace := orphanGrace
	if postmaster == 0 {
		// Backends of a postmaster that was killed go by themselves, unless they are busy.
		grace = time.Second
	}
	if err := awaitGone(ctx, data, postmaster, grace); err != nil {
		if err := killAll(ctx, data, postmaster); err != nil {
			return err
		}
	}
	return dropForeignPIDFile(data)
}

func awaitGone(ctx context.Context, data string, postmaster int, grace time.Duration) error {
	limit, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	return poll(limit, func() bool { return len(leftovers(data, postmaster)) == 0 })
}

func killAll(ctx context.Context, data string, postmaster int) error {
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		for _, pid := range leftovers(data, postmaster) {
			syscall.Kill(pid, signal)
		}
		if awaitGone(ctx, data, postmaster, immediateGrace) == nil {
			return nil
		}
	}
	return fmt.Errorf("processes %v of an earlier server on this data can't be stopped", leftovers(data, postmaster))
}

func leftovers(data string, postmaster int) []int {
	pids := serverProcesses(data)
	if postmaster != 0 && alive(postmaster) && !slices.Contains(pids, postmaster) {
		pids = append(pids, postmaster)
	}
	return pids
}

// dropForeignPIDFile removes a stale postmaster.pid whose process id belongs to somebody else by now. Postgres would
// take that process for a living postmaster and refuse for ever. It guards itself against surviving backends by the
// shared memory of this directory as well, so nothing is lost with the file.
func dropForeignPIDFile(data string) error {
	file, err := readPIDFile(data)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && !alive(file.pid) {
		return nil
	}
	return os.Remove(filepath.Join(data, "postmaster.pid"))
}
