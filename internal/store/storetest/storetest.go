// Package storetest gives every test a database of its own on a real Postgres, already migrated.
//
// One template is migrated once per test process; each test gets a clone, which costs some tens of milliseconds. Where
// there is no Postgres the test fails: it is never skipped, because silence must not look like success. The package
// must not be imported outside of tests.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"salve/internal/postgres"
	"salve/internal/store"
	"salve/migrations"
)

// URLVariable names a server to use instead of a private one. Its user must be allowed to create databases.
const URLVariable = "SALVE_TEST_DATABASE_URL"

const duplicateDatabase = "42P04"

// templateLock is the advisory lock under which processes that share a server make its template: "salve" in ASCII.
const templateLock = 0x73616c7665

// New returns the address of a fresh, migrated database that is dropped when the test ends.
func New(t testing.TB) string {
	t.Helper()
	home, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	// Clean-ups run after the test's context is cancelled.
	name := "salve_test_" + uuid.New().String()[:13]
	if err := home.admin(context.Background(), "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(home.template)); err != nil {
		t.Fatalf("clone database: %v", err)
	}
	t.Cleanup(func() {
		if err := home.admin(context.Background(), "DROP DATABASE "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return home.with(name)
}

// shared is the one place of this package with state that outlives a test: the server of this test process.
var shared = sync.OnceValues(func() (*server, error) {
	ctx := context.Background()
	home := &server{}
	address := os.Getenv(URLVariable)
	if address == "" {
		if err := home.startPrivate(ctx); err != nil {
			return nil, fmt.Errorf("no Postgres for the tests (install postgresql, or set %s): %w", URLVariable, err)
		}
		address = home.private.URL()
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme == "" {
		return nil, fmt.Errorf("%s is not a postgres:// address", URLVariable)
	}
	home.url = parsed
	if err := home.makeTemplate(ctx); err != nil {
		return nil, fmt.Errorf("template database: %w", err)
	}
	return home, nil
})

// server is where the clones live.
type server struct {
	url      *url.URL
	template string

	// Both are kept so that they are not collected, which would close them.
	private *postgres.Server
	leash   io.Closer
}

// with is the address of another database on the same server.
func (s *server) with(name string) string {
	other := *s.url
	other.Path = "/" + name
	return other.String()
}

func (s *server) admin(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// makeTemplate migrates under a name that nobody clones and renames when it is whole, so that a template that is there
// can be used. Its name holds the migrations' hash: a server that is kept never serves yesterday's schema.
func (s *server) makeTemplate(ctx context.Context) error {
	sum, err := hashFiles(migrations.FS)
	if err != nil {
		return err
	}
	s.template = "salve_template_" + sum
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&exists); err != nil || exists {
		return err
	}
	return s.buildTemplate(ctx)
}

func (s *server) buildTemplate(ctx context.Context) error {
	half := s.template + "_half"
	if err := s.admin(ctx, "DROP DATABASE IF EXISTS "+quote(half)+" WITH (FORCE)", "CREATE DATABASE "+quote(half)); err != nil {
		return err
	}
	if err := store.Migrate(ctx, s.with(half)); err != nil {
		return err
	}
	err := s.admin(ctx, "ALTER DATABASE "+quote(half)+" RENAME TO "+quote(s.template))
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == duplicateDatabase {
		return nil
	}
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func hashFiles(files fs.FS) (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil))[:16], err
}

// startPrivate gives this test process a server that nobody else uses.
func (s *server) startPrivate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "salve-storetest-")
	if err != nil {
		return err
	}
	s.private, err = postgres.Start(ctx, postgres.Options{DataDir: dir, FastForTests: true})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s.leash, err = watch(s.private.PID(), dir)
	return err
}

// undertaker waits for the end of its standard input, then for the server's, and removes the directory.
const undertaker = `trap "" INT TERM HUP; read -r _; kill -INT "$1"; while kill -0 "$1"; do sleep 0.1; done; rm -rf -- "$2"`

// watch leaves the clearing-up to a process of its own. A test process has no last word in which it could do it: it
// ends by os.Exit, a panic, a timeout or a signal. The kernel then closes the pipe, whatever happened.
func watch(pid int, dir string) (io.Closer, error) {
	cmd := exec.Command("/bin/sh", "-c", undertaker, "sh", strconv.Itoa(pid), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return leash, cmd.Start()
}
