package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// How long a server has for each step of a stop that was asked for too late.
	immediateGrace = 5 * time.Second
	killGrace      = 2 * time.Second
	keptLogLines   = 12
)

// process is the postmaster as a child of this process.
type process struct {
	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
	err  error // valid once done is closed
}

// launch starts the postmaster in a process group of its own, so that Ctrl-C at a terminal reaches only Salve, which
// still needs its database to finish what is in flight.
func launch(programs programs, account *account, data, socket string, opts Options) (*process, error) {
	cmd := exec.Command(programs.path("postgres"))
	cmd.SysProcAttr = diesWithParent(syscall.SIGINT)
	cmd.SysProcAttr.Setpgid = true
	names, closeAll, err := account.lend(cmd, data, socket)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	cmd.Args = append(append(cmd.Args, "-D", names[0]), settings(names[1], opts.FastForTests)...)
	cmd.Env = environment()
	p := &process{cmd: cmd, log: &tail{next: opts.Log}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	// Backends hold the log's pipe a moment longer than a killed postmaster.
	cmd.WaitDelay = immediateGrace
	return p, p.run()
}

// run starts the child on a thread that lives as long as the child: the kernel sends the parent-death signal when the
// starting thread ends, not the process.
func (p *process) run() error {
	started := make(chan error, 1)
	go onOwnThread(func() error {
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		close(p.done)
		return nil
	})
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.cmd.Path, err)
	}
	return nil
}

func onOwnThread(work func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return work()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// waitReady follows the status that the postmaster writes into its pid file. After a crash "ready" can take as long as
// the recovery does, so only the caller's context limits it.
func (p *process) waitReady(ctx context.Context, data string) error {
	err := poll(ctx, func() bool {
		select {
		case <-p.done:
			return true
		default:
			file, err := readPIDFile(data)
			return err == nil && file.pid == p.pid() && file.ready
		}
	})
	select {
	case <-p.done:
		return fmt.Errorf("postgres ended at once (%v): %s", p.err, p.log.last())
	default:
	}
	if err != nil {
		stopping, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel()
		p.stop(stopping)
		return fmt.Errorf("postgres was not ready in time: %w: %s", err, p.log.last())
	}
	return nil
}

// stop tries the kind ways first. Only a fast shutdown that ended by itself is a clean one.
func (p *process) stop(ctx context.Context) error {
	p.cmd.Process.Signal(syscall.SIGINT)
	if p.ended(ctx) {
		return p.result()
	}
	for _, step := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGQUIT, immediateGrace}, {syscall.SIGKILL, killGrace}} {
		p.cmd.Process.Signal(step.signal)
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), step.grace)
		ended := p.ended(limit)
		cancel()
		if ended {
			return fmt.Errorf("postgres did not stop in time and got %v: %w", step.signal, ctx.Err())
		}
	}
	return fmt.Errorf("postgres process %d can't be stopped", p.pid())
}

func (p *process) ended(ctx context.Context) bool {
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *process) result() error {
	if p.err != nil {
		return fmt.Errorf("postgres ended with %w: %s", p.err, p.log.last())
	}
	return nil
}

// pidFile is what the postmaster writes about itself into postmaster.pid.
type pidFile struct {
	pid     int
	started time.Time
	ready   bool
}

func readPIDFile(data string) (pidFile, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	return parsePIDFile(string(text))
}

// parsePIDFile reads lines 1 (process id, negative in single-user mode), 3 (start, Unix seconds) and 8 (status). The
// postmaster fills the file line by line, so later ones may be missing.
func parsePIDFile(text string) (pidFile, error) {
	lines := strings.Split(text, "\n")
	var file pidFile
	if _, err := fmt.Sscanf(lines[0], "%d", &file.pid); err != nil || file.pid == 0 {
		return pidFile{}, fmt.Errorf("postmaster.pid: first line %.40q is no process id", lines[0])
	}
	file.pid = max(file.pid, -file.pid)
	var seconds int64
	if len(lines) > 2 {
		fmt.Sscanf(lines[2], "%d", &seconds)
	}
	file.started = time.Unix(seconds, 0)
	file.ready = len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
	return file, nil
}

// tail passes the log on and keeps its end for the error message.
type tail struct {
	mu    sync.Mutex
	next  io.Writer
	lines [][]byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(b) {
		t.lines = append(t.lines, bytes.TrimSpace(bytes.Clone(line)))
	}
	t.lines = t.lines[max(0, len(t.lines)-keptLogLines):]
	t.next.Write(b) // the server does not stop because its log can't be written
	return len(b), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.Join(t.lines, []byte(" | ")))
}
