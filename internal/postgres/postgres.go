// Package postgres runs the private Postgres server that Salve keeps for itself when it is given no DATABASE_URL.
//
// It owns the server's whole life: finding the programs, making the data directory, starting, stopping, clearing up
// after a crash, and keeping a second Salve off the same data. It knows nothing of the schema and speaks no SQL to the
// running server; that is the store's part.
package postgres

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Both names are fixed: the server serves nobody but Salve.
const (
	superuser = "salve"
	database  = "salve"
)

// Options says where the server lives.
type Options struct {
	// DataDir holds everything: the cluster, the lock, and the socket where its path is short enough. It is made
	// when it is missing.
	DataDir string
	// Log receives the server's own log, line by line. Nil drops it.
	Log io.Writer
	// FastForTests gives up durability (fsync is off) for speed. A power cut then costs the data.
	FastForTests bool
}

// Server is a running private server. Its lock on the data directory is held until Stop or the end of the process.
type Server struct {
	process *process
	lock    *dirLock
	socket  string
	cleanup func()
	once    sync.Once
	stopErr error
}

// Start brings the server up and returns when it takes connections. It recovers from whatever an earlier run left:
// a server that outlived its Salve is stopped first, an initdb that was cut short is done again.
func Start(ctx context.Context, opts Options) (*Server, error) {
	home, err := openLayout(opts.DataDir)
	if err != nil {
		return nil, fmt.Errorf("private Postgres: %w", err)
	}
	lock, err := acquire(home.lockFile())
	if err != nil {
		return nil, fmt.Errorf("private Postgres in %s: %w", home.dir, err)
	}
	server, err := start(ctx, home, opts)
	if err != nil {
		lock.release()
		return nil, fmt.Errorf("private Postgres in %s: %w", home.dir, err)
	}
	server.lock = lock
	return server, nil
}

// start does the work under the lock.
func start(ctx context.Context, home layout, opts Options) (*Server, error) {
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	account, err := chooseAccount(home.data())
	if err != nil {
		return nil, err
	}
	if err := stopOrphans(ctx, home.data()); err != nil {
		return nil, err
	}
	programs, err := findPrograms(ctx, home, account, opts.Log)
	if err != nil {
		return nil, err
	}
	if err := ensureCluster(ctx, home, programs, account, opts.FastForTests); err != nil {
		return nil, err
	}
	return serve(ctx, home, programs, account, opts)
}

// serve starts the postmaster and waits until it is ready.
func serve(ctx context.Context, home layout, programs programs, account *account, opts Options) (*Server, error) {
	socket, cleanup, err := makeSocketDir(home, account)
	if err != nil {
		return nil, err
	}
	process, err := launch(programs, account, home.data(), socket, opts)
	if err == nil {
		err = process.waitReady(ctx, home.data())
	}
	if err != nil {
		cleanup()
		return nil, err
	}
	return &Server{process: process, socket: socket, cleanup: cleanup}, nil
}

// URL is the address of Salve's database: a unix socket, never a port.
func (s *Server) URL() string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	// libpq and pgx read a plus sign as itself, not as a space.
	u.RawQuery = "host=" + strings.ReplaceAll(url.QueryEscape(s.socket), "+", "%20")
	return u.String()
}

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.process.pid() }

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Stop disconnects everybody, writes a checkpoint and waits for the end; when ctx ends first the server is stopped the
// hard way, which loses nothing but costs the next start a recovery. Further calls return the first one's result.
func (s *Server) Stop(ctx context.Context) error {
	s.once.Do(func() {
		s.stopErr = s.process.stop(ctx)
		s.cleanup()
		s.lock.release()
	})
	return s.stopErr
}

// Remove deletes a data directory together with a server that its killed owner left running there. It refuses while a
// living Salve holds the directory.
func Remove(ctx context.Context, dataDir string) error {
	home, err := openLayout(dataDir)
	if err != nil {
		return err
	}
	lock, err := acquire(home.lockFile())
	if err != nil {
		return fmt.Errorf("remove %s: %w", home.dir, err)
	}
	defer lock.release()
	if err := stopOrphans(ctx, home.data()); err != nil {
		return fmt.Errorf("remove %s: %w", home.dir, err)
	}
	home.dropRecordedSocketDir()
	return os.RemoveAll(home.dir)
}

// layout names what lies in a data directory.
type layout struct{ dir string }

func openLayout(dataDir string) (layout, error) {
	if dataDir == "" {
		return layout{}, fmt.Errorf("no data directory given")
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return layout{}, err
	}
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return layout{}, err
	}
	// The kernel names a process's directory without symbolic links, and orphans are found by that name.
	real, err := filepath.EvalSymlinks(abs)
	return layout{dir: real}, err
}

func (l layout) lockFile() string     { return filepath.Join(l.dir, "salve.lock") }
func (l layout) data() string         { return filepath.Join(l.dir, "postgres") }
func (l layout) halfMade() string     { return filepath.Join(l.dir, "postgres.init-*") }
func (l layout) socketDir() string    { return filepath.Join(l.dir, "run") }
func (l layout) socketRecord() string { return filepath.Join(l.dir, "socket-directory") }
func (l layout) downloads() string    { return filepath.Join(l.dir, "postgres-programs") }

// poll asks until the answer is yes or the context ends. Other people's processes and files give no signal to wait for.
func poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
