package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// helperEnv makes the test binary act as a small Salve: it starts a server and stays until it is told to go or killed.
const helperEnv = "SALVE_POSTGRES_TEST_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperEnv); dir != "" {
		os.Exit(helper(dir))
	}
	os.Exit(m.Run())
}

func helper(dir string) int {
	server, err := Start(context.Background(), Options{DataDir: dir, FastForTests: true})
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println("ready", server.PID(), server.URL())
	io.Copy(io.Discard, os.Stdin)
	if err := server.Stop(context.Background()); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

func startServer(t *testing.T, dir string) *Server {
	t.Helper()
	server, err := Start(t.Context(), Options{DataDir: dir, FastForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	return server
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func ask(t *testing.T, url, sql string) string {
	t.Helper()
	conn := connect(t, url)
	defer conn.Close(context.Background())
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestStartStopRestartKeepsData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startServer(t, dir)
	run(t, server.URL(), "CREATE TABLE kept AS SELECT 'yes' AS answer")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatalf("first stop: %v", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatalf("stop again: %v", err)
	}
	again := startServer(t, dir)
	if got := ask(t, again.URL(), "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("after a restart the table holds %q, want yes", got)
	}
}

func TestServerIsPrivateAndDurable(t *testing.T) {
	t.Parallel()
	server, err := Start(t.Context(), Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop(context.Background())
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"server_encoding": "UTF8", "timezone": "UTC", "data_checksums": "on", "max_connections": "50",
	} {
		if got := ask(t, server.URL(), "SHOW "+setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if got := ask(t, server.URL(), "SELECT datcollate||' '||current_user FROM pg_database WHERE datname = current_database()"); got != "C salve" {
		t.Errorf("collation and user = %q, want C salve", got)
	}
	info, err := os.Stat(server.socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory has mode %v, want 0700: whoever opens the socket is trusted", info.Mode().Perm())
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startServer(t, dir)
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil {
		t.Fatal("a second instance started on the same data")
	}
	if want := fmt.Sprintf("in use by process %d", os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	if got := ask(t, server.URL(), "SELECT 'alive'"); got != "alive" {
		t.Errorf("the first instance answered %q", got)
	}
	if err := Remove(t.Context(), dir); err == nil {
		t.Error("Remove took the data from under a living server")
	}
}

func TestRacingStartsHaveOneWinner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	results := make(chan error, 4)
	servers := make(chan *Server, 4)
	for range 4 {
		go func() {
			server, err := Start(context.Background(), Options{DataDir: dir, FastForTests: true})
			if err == nil {
				servers <- server
			}
			results <- err
		}()
	}
	winners := 0
	for range 4 {
		if err := <-results; err == nil {
			winners++
		}
	}
	close(servers)
	for server := range servers {
		server.Stop(context.Background())
	}
	if winners != 1 {
		t.Errorf("%d starts won, want 1", winners)
	}
}

func TestKilledPostmaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startServer(t, dir)
	run(t, server.URL(), "CREATE TABLE kept AS SELECT 'yes' AS answer")
	syscall.Kill(server.PID(), syscall.SIGKILL)
	<-server.Done()
	if err := server.Stop(t.Context()); err == nil {
		t.Error("stopping a killed server reported a clean end")
	}
	again := startServer(t, dir)
	if got := ask(t, again.URL(), "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("after the crash the table holds %q, want yes", got)
	}
}

func TestBusyBackendOfKilledPostmasterIsStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startServer(t, dir)
	conn := connect(t, server.URL())
	defer conn.Close(context.Background())
	backend := conn.PgConn().PID()
	go conn.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 1e12)")
	err := poll(t.Context(), func() bool {
		return ask(t, server.URL(), fmt.Sprintf("SELECT state FROM pg_stat_activity WHERE pid = %d", backend)) == "active"
	})
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(server.PID(), syscall.SIGKILL)
	// Stop would wait for the busy backend to give up the log's pipe; a new Salve after a crash does not have that.
	server.lock.release()
	startServer(t, dir)
	if alive(int(backend)) {
		t.Errorf("backend %d still works on the data beside the new server", backend)
	}
}

// child starts the test binary as another Salve.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	pid    int
	url    string
	answer string
}

func startChild(t *testing.T, binary, dir string, credential *syscall.Credential) *child {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), helperEnv+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	cmd.Dir = "/"
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	answer, _ := bufio.NewReader(stdout).ReadString('\n')
	c := &child{cmd: cmd, stdin: stdin, answer: strings.TrimSpace(answer)}
	if _, err := fmt.Sscanf(answer, "ready %d %s", &c.pid, &c.url); err != nil {
		t.Fatalf("helper answered %q", answer)
	}
	return c
}

func TestKilledSalve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startChild(t, os.Args[0], dir, nil)
	run(t, first.url, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	first.cmd.Process.Kill()
	first.cmd.Wait()
	again := startServer(t, dir)
	if got := ask(t, again.URL(), "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("after Salve was killed the table holds %q, want yes", got)
	}
	if alive(first.pid) {
		t.Errorf("the server %d of the killed Salve is still there", first.pid)
	}
}

// startOrphan runs a server that no Salve owns, as a platform without a parent-death signal would leave it.
func startOrphan(t *testing.T, dir string) *process {
	t.Helper()
	startServer(t, dir).Stop(t.Context())
	home, err := openLayout(dir)
	if err != nil {
		t.Fatal(err)
	}
	account, err := chooseAccount(home.data())
	if err != nil {
		t.Fatal(err)
	}
	programs, err := findPrograms(t.Context(), home, account, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	orphan, err := launch(programs, account, home.data(), home.socketDir(), Options{Log: io.Discard, FastForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := orphan.waitReady(t.Context(), home.data()); err != nil {
		t.Fatal(err)
	}
	return orphan
}

func TestOrphanIsStoppedAndReplaced(t *testing.T) {
	t.Parallel()
	dir := shortTempDir(t)
	orphan := startOrphan(t, dir)
	server := startServer(t, dir)
	<-orphan.done
	if server.PID() == orphan.pid() {
		t.Error("the orphan was taken for the new server")
	}
}

func TestRemoveStopsOrphan(t *testing.T) {
	t.Parallel()
	dir := shortTempDir(t)
	orphan := startOrphan(t, dir)
	if err := Remove(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	<-orphan.done
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// A stale postmaster.pid may name a process that got the number later, here this test itself.
func TestStalePIDOfStranger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, dir).Stop(t.Context())
	stale := fmt.Sprintf("%d\n%s\n%d\n5432\n\n\n\nready\n", os.Getppid(), dir, time.Now().Unix())
	if err := os.WriteFile(filepath.Join(dir, "postgres", "postmaster.pid"), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	startServer(t, dir)
	if !alive(os.Getppid()) {
		t.Fatal("unreachable: the stranger was stopped")
	}
}

func TestInterruptedInitIsDoneAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	half := filepath.Join(dir, "postgres.init-123")
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	startServer(t, dir)
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half-made cluster is still there: %v", err)
	}
}

func TestCancelledStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{DataDir: dir, FastForTests: true}); err == nil {
		t.Fatal("a cancelled start succeeded")
	}
	startServer(t, dir)
}

func TestLongPathAndSpaces(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, strings.Repeat("a long name with 'quotes' and spaces ", 3), strings.Repeat("x", 100), "données")
	server := startServer(t, dir)
	if got := ask(t, server.URL(), "SELECT 'ok'"); got != "ok" {
		t.Errorf("answer %q", got)
	}
	if strings.HasPrefix(server.socket, dir) {
		t.Errorf("socket in %s: too long for a unix socket", server.socket)
	}
	socket := server.socket
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory is left behind: %v", err)
	}
}

func TestOddCharactersInPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shortTempDir(t), "a+b c&d=é%20'")
	server := startServer(t, dir)
	if got := ask(t, server.URL(), "SELECT 'ok'"); got != "ok" {
		t.Errorf("answer %q", got)
	}
	if !strings.HasPrefix(server.socket, dir) {
		t.Errorf("socket in %s, want it in the data directory, whose path is short", server.socket)
	}
}

func TestOtherMajorVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startServer(t, dir).Stop(t.Context())
	if err := os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "written by PostgreSQL 9") {
		t.Errorf("error %v does not say which version wrote the data", err)
	}
}

func TestForeignDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "postgres", "somebody's"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "holds no database") {
		t.Errorf("error %v, want a refusal of a directory that is no cluster", err)
	}
}

// Everything above runs as whoever runs the tests. When that is root, this runs the other case: an ordinary user.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Log("the tests run as an ordinary user already; the other tests are this test")
		return
	}
	dir := shortTempDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	binary, data := filepath.Join(dir, "salve.test"), filepath.Join(dir, "data")
	copyFile(t, os.Args[0], binary)
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, uid, gid); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, binary, data, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	run(t, c.url, "CREATE TABLE kept AS SELECT 'yes' AS answer")
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	// The same data, now started by root: it runs as the data's owner.
	server := startServer(t, data)
	if got := ask(t, server.URL(), "SELECT answer FROM kept"); got != "yes" {
		t.Errorf("started by root the table holds %q, want yes", got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
