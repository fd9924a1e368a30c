package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpuTime is processor time used, told apart because all three share the same
// cores. Where /proc is missing, only the client's own is known.
type cpuTime struct {
	client   time.Duration
	server   time.Duration
	children time.Duration // the server's children: its private Postgres
	machine  time.Duration // everything on this machine
}

// others is what strangers used: much of it, and the cell is worth little.
func (c cpuTime) others() time.Duration {
	return max(c.machine-c.client-c.server-c.children, 0)
}

func (c cpuTime) minus(before cpuTime) cpuTime {
	return cpuTime{c.client - before.client, c.server - before.server, c.children - before.children, c.machine - before.machine}
}

// clockTick is the unit of /proc/PID/stat, fixed by the kernel's interface.
const clockTick = time.Second / 100

func readCPU(pid int) cpuTime {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return cpuTime{}
	}
	c := cpuTime{client: time.Duration(own.Utime.Nano() + own.Stime.Nano()), machine: readMachine()}
	family := readFamily()
	server, known := family[pid]
	if !known {
		return c
	}
	c.server = server.own
	for child, p := range family {
		if family.descends(child, pid) {
			c.children += p.own + p.reaped
		}
	}
	return c
}

func readMachine() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return parseMachine(string(text))
}

// parseMachine sums the first line of /proc/stat but for idle and iowait, and
// for the guests' time, which is in the users' already.
func parseMachine(text string) time.Duration {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0
	}
	return ticks(fields[1:4]) + ticks(fields[6:9])
}

type procStat struct {
	parent      int
	own, reaped time.Duration
}

type family map[int]procStat

func readFamily() family {
	all := family{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		if pid, p, err := parseStat(string(text)); err == nil {
			all[pid] = p
		}
	}
	return all
}

// descends walks up; the bound is for a table that was read while processes
// came and went.
func (f family) descends(pid, ancestor int) bool {
	for range 32 {
		p, known := f[pid]
		if !known || p.parent == 0 {
			return false
		}
		if p.parent == ancestor {
			return true
		}
		pid = p.parent
	}
	return false
}

// parseStat reads one line of /proc/PID/stat. The name in it may hold spaces and
// brackets, so fields are counted from the last bracket.
func parseStat(text string) (int, procStat, error) {
	head, _, found := strings.Cut(text, " (")
	end := strings.LastIndex(text, ") ")
	if !found || end < 0 {
		return 0, procStat{}, fmt.Errorf("no name in %.40q", text)
	}
	fields := strings.Fields(text[end+2:])
	if len(fields) < 15 {
		return 0, procStat{}, fmt.Errorf("%d fields in %.40q", len(fields), text)
	}
	pid, err := strconv.Atoi(head)
	if err != nil {
		return 0, procStat{}, err
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, procStat{}, err
	}
	return pid, procStat{parent: parent, own: ticks(fields[11:13]), reaped: ticks(fields[13:15])}, nil
}

func ticks(fields []string) time.Duration {
	var total int64
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 48)
		if err != nil {
			return 0
		}
		total += n
	}
	return time.Duration(total) * clockTick
}
