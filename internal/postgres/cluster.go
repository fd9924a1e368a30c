package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// ensureCluster makes the data directory when it is missing. It is made under another name and renamed when it is
// whole: a data directory that is there is a good one.
func ensureCluster(ctx context.Context, home layout, programs programs, account *account, fast bool) error {
	if _, err := os.Stat(home.data()); err == nil {
		return nil
	}
	sweepHalfMade(home)
	half, err := os.MkdirTemp(home.dir, filepath.Base(home.halfMade()))
	if err != nil {
		return err
	}
	err = account.own(half)
	if err == nil {
		err = initCluster(ctx, half, programs, account, fast)
	}
	if err != nil {
		os.RemoveAll(half)
		return err
	}
	if err := os.Rename(half, home.data()); err != nil {
		return err
	}
	return syncDir(home.dir)
}

// sweepHalfMade removes what an interrupted start left. Names are never reused, so leftovers that can't be removed yet
// do no harm and are tried again next time.
func sweepHalfMade(home layout) {
	leftovers, _ := filepath.Glob(home.halfMade())
	for _, dir := range leftovers {
		os.RemoveAll(dir)
	}
}

// initCluster trusts everybody who can open the socket, because only its directory (0700) lets them: password-less peer
// authentication would compare names of accounts, and root's Salve talks to a server of another account.
func initCluster(ctx context.Context, dir string, programs programs, account *account, fast bool) error {
	args := []string{"--username=" + superuser, "--encoding=UTF8", "--locale=C", "--data-checksums",
		"--auth-local=trust", "--auth-host=reject"}
	if fast {
		args = append(args, "--no-sync")
	}
	if err := runTool(ctx, account, programs.path("initdb"), dir, "", args...); err != nil {
		return err
	}
	create := fmt.Sprintf("CREATE DATABASE %s;\n", database)
	return runTool(ctx, account, programs.path("postgres"), dir, create, "--single", "-c", "exit_on_error=on", "-c", "log_checkpoints=off", "postgres")
}

// runTool runs one of the programs on a data directory to its end. Its output is worth showing only when it failed.
func runTool(ctx context.Context, account *account, path, dir, stdin string, args ...string) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.SysProcAttr = diesWithParent(syscall.SIGKILL)
	names, closeAll, err := account.lend(cmd, dir)
	if err != nil {
		return err
	}
	defer closeAll()
	// postgres wants --single first and the database last, so -D goes in before the last argument.
	last := len(args) - 1
	cmd.Args = append(append(cmd.Args, args[:last]...), "-D", names[0], args[last])
	cmd.Env = environment()
	cmd.Stdin = strings.NewReader(stdin)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := onOwnThread(cmd.Run); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(path), err, lastLines(output.String(), 5))
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}

// environment keeps Salve's own settings, and its secrets, away from the server.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=/"}
}

// syncDir makes a rename in the directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
