package storetest_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/store/storetest"
)

const helperEnv = "SALVE_STORETEST_HELPER"

func TestClonesAreMigratedAndApart(t *testing.T) {
	first, second := connect(t, storetest.New(t)), connect(t, storetest.New(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here ()"); err != nil {
		t.Fatal(err)
	}
	for _, table := range []struct {
		name string
		conn *pgx.Conn
		want bool
	}{{"incidents", first, true}, {"incidents", second, true}, {"only_here", first, true}, {"only_here", second, false}} {
		var found bool
		if err := table.conn.QueryRow(t.Context(), "SELECT to_regclass($1) IS NOT NULL", table.name).Scan(&found); err != nil {
			t.Fatal(err)
		}
		if found != table.want {
			t.Errorf("table %s found = %v, want %v", table.name, found, table.want)
		}
	}
}

func TestCloneIsDroppedWithItsTest(t *testing.T) {
	var address string
	t.Run("user", func(t *testing.T) {
		address = storetest.New(t)
		connect(t, address) // still open when the clone is dropped
	})
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		conn.Close(context.Background())
		t.Error("the database outlived its test")
	}
}

// A killed test process takes its server and its files with it.
func TestServerGoesWithItsProcess(t *testing.T) {
	if os.Getenv(helperEnv) != "" {
		os.Stdout.WriteString(storetest.New(t) + "\n")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerGoesWithItsProcess$")
	cmd.Env = append(os.Environ(), helperEnv+"=1", storetest.URLVariable+"=")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dir := socketDir(t, stdout)
	cmd.Process.Kill()
	cmd.Wait()
	waitGone(t, dir)
}

func socketDir(t *testing.T, stdout io.Reader) string {
	t.Helper()
	line := make([]byte, 512)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(string(line[:n-1]))
	if err != nil {
		t.Fatal(err)
	}
	return address.Query().Get("host")
}

// waitGone looks until the directory is gone: the undertaker is nobody's child any more and gives no signal.
func waitGone(t *testing.T, dir string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s is still there", dir)
		case <-tick.C:
		}
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
