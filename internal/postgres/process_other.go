//go:build !linux

package postgres

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// diesWithParent can't be had here: a server that outlives a killed Salve is stopped by the next start.
func diesWithParent(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// serverProcesses finds none: without /proc a process can't be told to work in a directory. Backends of a killed
// postmaster go by themselves, and Postgres refuses to start beside them.
func serverProcesses(string) []int { return nil }

// isPostmaster tells the server that wrote the pid file from a process that got its number later, by name and start.
func isPostmaster(file pidFile, _ string) bool {
	cmd := exec.Command("ps", "-p", strconv.Itoa(file.pid), "-o", "lstart=", "-o", "comm=")
	cmd.Env = []string{"LC_ALL=C", "PATH=/bin:/usr/bin"}
	out, err := cmd.Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) < 6 || filepath.Base(fields[5]) != "postgres" {
		return false
	}
	started, err := time.ParseInLocation("Mon Jan 2 15:04:05 2006", strings.Join(fields[:5], " "), time.Local)
	return err == nil && started.Sub(file.started).Abs() < 3*time.Second
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || err == syscall.EPERM
}
