package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// running is the real run on a port of its own.
type running struct {
	url    string
	log    *logFile
	cancel context.CancelFunc
	ended  chan error
}

// serve starts the server: serve [NAME=VALUE]... Settings last for the script.
func (s *script) serve(args []string) error {
	if s.server != nil {
		return errors.New("it runs already; halt it first")
	}
	for _, setting := range args {
		name, value, _ := strings.Cut(setting, "=")
		s.settings[name] = value
	}
	r, err := startRun(s.settings, filepath.Join(s.dir, "server.log"))
	if err != nil {
		return err
	}
	s.server = r
	s.ts.Setenv("SERVER", r.url)
	return nil
}

// halt asks the server to end, and waits: halt. It must end without an error.
// (stop is testscript's own word: it ends the script.)
func (s *script) halt([]string) error {
	if s.server == nil {
		return errors.New("it does not run")
	}
	r := s.server
	s.server = nil
	return r.stop()
}

// sql changes the database behind the server's back, for what would otherwise
// take half an hour: sql STATEMENT.
func (s *script) sql(args []string) error {
	if err := wants(args, 1, 1, "sql STATEMENT"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.settings["DATABASE_URL"])
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tag, err := conn.Exec(ctx, string(s.fillIn([]byte(args[0]))))
	if err == nil && tag.RowsAffected() == 0 && !strings.HasPrefix(args[0], "alter") && !strings.HasPrefix(args[0], "do ") {
		err = errors.New("it changed nothing")
	}
	return err
}

func startRun(settings map[string]string, logPath string) (*running, error) {
	log, err := newLogFile(logPath)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{log: log, cancel: cancel, ended: make(chan error, 1)}
	go func() {
		r.ended <- run(ctx, nil, func(name string) string { return settings[name] }, log)
	}()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case <-log.ready:
	case err := <-r.ended:
		cancel()
		return nil, errors.Join(err, log.file.Close())
	case <-limit.C:
		cancel()
		return nil, errors.Join(errors.New("it was not ready after a minute"), <-r.ended)
	}
	address, err := os.ReadFile(filepath.Join(settings["SALVE_DATA_DIR"], "address"))
	r.url = "http://" + strings.TrimSpace(string(address))
	return r, err
}

func (r *running) stop() error {
	r.cancel()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case err := <-r.ended:
		return errors.Join(err, r.log.file.Close())
	case <-limit.C:
		return errors.New("it had not ended a minute after it was asked to")
	}
}

// logFile keeps what the server prints, and says when it is ready.
type logFile struct {
	mu    sync.Mutex
	file  *os.File
	ready chan struct{}
	seen  bool
}

func newLogFile(path string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &logFile{file: file, ready: make(chan struct{})}, nil
}

func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.seen && bytes.Contains(line, []byte("salve is ready")) {
		l.seen = true
		close(l.ready)
	}
	return l.file.Write(line)
}
