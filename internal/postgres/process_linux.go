package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTicks per second in /proc/PID/stat: fixed by the kernel's interface on every architecture that Go runs on.
const clockTicks = 100

func diesWithParent(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}

// serverProcesses finds every postgres process that works in the data directory, postmaster or not. Where /proc may not
// be read (root in a container, without the right to trace) it finds none, and the pid file has to do.
func serverProcesses(data string) []int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil || !worksIn(pid, data) {
			continue
		}
		if stat, err := readStat(pid); err == nil && stat.server() && stat.state != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == dir
}

// isPostmaster tells the server that wrote the pid file from a process that got its number later.
func isPostmaster(file pidFile, data string) bool {
	stat, err := readStat(file.pid)
	if err != nil || stat.state == "Z" || !stat.server() {
		return false
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", file.pid)); err == nil {
		return cwd == data
	}
	started, err := stat.started()
	return err == nil && started.Sub(file.started).Abs() < 3*time.Second
}

// alive does not count zombies: they only wait for their parent to look.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	if err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	stat, err := readStat(pid)
	return err != nil || stat.state != "Z"
}

// processStat is the part of /proc/PID/stat that everybody may read.
type processStat struct {
	name, state string
	startTicks  int64
}

func (s processStat) server() bool { return s.name == "postgres" }

func readStat(pid int) (processStat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processStat{}, err
	}
	return parseStat(string(text))
}

// parseStat copes with names that hold spaces and brackets: the name ends at the last bracket.
func parseStat(text string) (processStat, error) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return processStat{}, fmt.Errorf("process status %.60q has no name", text)
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 20 {
		return processStat{}, fmt.Errorf("process status has %d fields after the name, want 20", len(fields))
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return processStat{}, fmt.Errorf("process status: start time: %w", err)
	}
	return processStat{name: text[open+1 : end], state: fields[0], startTicks: ticks}, nil
}

func (s processStat) started() (time.Time, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, err
	}
	for line := range bytes.Lines(text) {
		var boot int64
		if n, _ := fmt.Sscanf(string(line), "btime %d", &boot); n == 1 {
			return time.Unix(boot, 0).Add(time.Duration(s.startTicks) * time.Second / clockTicks), nil
		}
	}
	return time.Time{}, errors.New("/proc/stat does not say when the machine started")
}
