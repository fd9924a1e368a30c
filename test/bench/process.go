package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopGrace is how long a server has to finish before it is killed.
const stopGrace = 20 * time.Second

// process is a server that this program started and will stop.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // valid once done is closed
}

// startProcess writes the program's output to a file: read by nobody while the
// cells run, shown when the program fails.
func startProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	// Ctrl-C at a terminal must reach this program alone: it stops the servers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: logFile, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopGrace):
		p.cmd.Process.Kill()
		<-p.done
	}
}

// failure tells how the program ended, with the end of its output.
func (p *process) failure(what string) error {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %s\n%s", filepath.Base(p.cmd.Path), what, text[max(0, len(text)-2000):])
}

// awaitReady asks until the server says that it is ready.
func (p *process) awaitReady(ctx context.Context, url string) error {
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for pause := time.NewTicker(20 * time.Millisecond); ; {
		if _, err := get(limit, url, ""); err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failure(fmt.Sprintf("ended before it was ready (%v)", p.err))
		case <-limit.Done():
			return p.failure(fmt.Sprintf("not ready at %s: %v", url, limit.Err()))
		case <-pause.C:
		}
	}
}

// get is for the few requests that are not measured.
func get(ctx context.Context, url, token string) (body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxAnswer))
}

// freeAddr finds a loopback port that nobody has at this moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
