package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const folder = "../../n8n-workflows/scripts"

// shells are those that hosts have: dash or whatever /bin/sh is, and BusyBox.
func shells(t *testing.T) map[string][]string {
	found := map[string][]string{"sh": {"sh"}}
	if path, err := exec.LookPath("busybox"); err == nil {
		found["busybox"] = []string{path, "sh"}
	}
	return found
}

// answer is what the scripts print that free room.
type answer struct {
	Applied      bool  `json:"applied"`
	Files        int   `json:"files"`
	Freed        int64 `json:"freed_bytes"`
	Kept, Failed int
	Complete     bool
	Error        string
}

// installed is the folder as a host has it, with the directories it may work in.
var installed = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "salve-scripts")
	if err = errors.Join(err, os.CopyFS(filepath.Join(dir, "scripts"), os.DirFS(folder))); err != nil {
		panic(err)
	}
	return filepath.Join(dir, "scripts")
})

// before are the rooms that were there before the first test: another's, or of a script
// that was killed.
var before = rooms()

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(filepath.Dir(installed()))
	os.Exit(code)
}

func run(t *testing.T, shell []string, path, script string, args ...string) (answer, int) {
	t.Helper()
	cmd := exec.Command(shell[0], slices.Concat(shell[1:], []string{filepath.Join(installed(), script)}, args)...)
	cmd.Env = []string{"PATH=" + path, "LC_ALL=C"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s %q printed %q (%v), %s", script, args, out, err, stderr.String())
	}
	return a, code
}

var systemPath = os.Getenv("PATH")

// tree is a directory of logs: odd names, links, and what must be left alone.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.OpenFile(filepath.Join(installed(), "roots"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintln(roots, root)
	must(t, err, roots.Close())
	return tree{t, root}
}

// write makes a file of some bytes and age, and gives its path.
func (tr tree) write(name string, bytes int, age time.Duration) string {
	tr.t.Helper()
	path := filepath.Join(tr.root, name)
	then := time.Now().Add(-age)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(strings.Repeat("x", bytes)), 0o600), os.Chtimes(path, then, then))
	if err != nil {
		tr.t.Fatal(err)
	}
	return path
}

func (tr tree) there(name string) bool {
	_, err := os.Lstat(filepath.Join(tr.root, name))
	return err == nil
}

const old = 30 * 24 * time.Hour

// odd are names of rotated logs that a careless script trips over.
var odd = []string{
	"access.log.1", "access.log.2.gz", "app.log-20260101", "syslog.1", "a b.log.1", "-rf.log.1", "quote'\".log.1", "new\nline.log.1",
	"back\\slash\\n.log.1", "star*.log.1", "$(reboot).log.1", "`id`.log.1", ";x.log.1", "deep/er/error.log.3", "trail\n/x.log.1",
	"app_log.20260101", "app.log.2026-01-01.zst", "maillog-20260101", "Error.LOG.12.xz",
}

func TestLogsClean(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			for _, file := range odd {
				tr.write(file, 100, old)
			}
			left := []string{"access.log", "fresh.log.1", "audit/audit.log.1", "audit.log.2", "postgresql/postgresql.log.1", "mysqld.log.1", "notes.txt", "app.log.bak", "open.log.1",
				"auth.log.1", "secure-20260101", "btmp-20260101", "wtmp.1", "Audit/App.log.1", "MySQL/x.log.1", "mongod.log.2026-01-01", "redis-server.log.1.gz",
				"pgsql/wal.log.1", "etcd/raft.log.1", "kafka-logs/000.log.1", "export-20260101", "report.1.gz", "data.log-2of3.csv", "x.log.1\n", "photos.log.1999"}
			for _, file := range left {
				tr.write(file, 100, old)
			}
			tr.write("fresh.log.1", 100, time.Hour)
			held, err := os.Open(filepath.Join(tr.root, "open.log.1"))
			if err != nil {
				t.Fatal(err)
			}
			defer held.Close()
			outside := newTree(t)
			treasure := outside.write("treasure.log.1", 100, old)
			must(t, os.Symlink(treasure, filepath.Join(tr.root, "link.log.1")), os.Symlink(outside.root, filepath.Join(tr.root, "linked")),
				os.Link(tr.write("two.log.1", 100, old), filepath.Join(tr.root, "names.log.1")))
			left = append(left, "link.log.1", "linked", "two.log.1", "names.log.1")

			if a, code := run(t, shell, systemPath, "logs-clean", "--root", tr.root, "--older-than-days", "7"); code != 0 || a.Applied || a.Files < len(odd)-1 {
				t.Errorf("dry run: %d, %+v", code, a)
			}
			for _, file := range odd {
				if !tr.there(file) {
					t.Errorf("a dry run deleted %q", file)
				}
			}
			a, code := run(t, shell, systemPath, "logs-clean", "--root", tr.root, "--older-than-days", "7", "--apply")
			if code != 0 || !a.Applied || a.Kept != 1 || a.Failed != 0 || a.Freed != int64(100*a.Files) {
				t.Errorf("%d, %+v", code, a)
			}
			for _, file := range odd {
				if tr.there(file) && file != "trail\n/x.log.1" { // a directory whose name ends a line is left alone
					t.Errorf("%q is still there", file)
				}
			}
			for _, file := range left {
				if !tr.there(file) {
					t.Errorf("%q is gone", file)
				}
			}
			if _, err := os.Stat(treasure); err != nil {
				t.Error("a link was followed")
			}
		})
	}
}

func TestLogsCompress(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			tr.write("big one.log.1", 2<<20, old)
			tr.write("small.log.1", 100, old)
			tr.write("big.log", 2<<20, old)
			tr.write("big.log.2.gz", 2<<20, old)
			tr.write("taken.log.1", 2<<20, old)
			tr.write("taken.log.1.gz", 5, old)
			a, code := run(t, shell, systemPath, "logs-compress", "--root", tr.root, "--larger-than-mb", "1", "--apply")
			if code != 0 || a.Files != 1 || a.Freed < 1<<20 || a.Freed >= 2<<20 || a.Kept != 2 {
				t.Errorf("%d, %+v", code, a)
			}
			for file, want := range map[string]bool{"big one.log.1": false, "big one.log.1.gz": true, "small.log.1": true, "big.log": true, "taken.log.1": true} {
				if tr.there(file) != want {
					t.Errorf("%q: %t", file, !want)
				}
			}
		})
	}
}

func TestCoreDumps(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			gone := []string{"core", "core.1234", "_usr_bin_app.1000.crash", "deep/core.a b.0.0123456789abcdef0123456789abcdef.77.1790000000000000.zst"}
			left := []string{"core.log.1", "score.txt", "core.py", "core-site.xml", "core.js", "app.core", "notes.crash", "core.1.log", "core.busy", "x\ncore.1", "core.a.b.c.d.e"}
			for _, file := range slices.Concat(gone, left) {
				tr.write(file, 1000, time.Hour)
			}
			tr.write("core.77", 1000, 0) // it is being written
			a, code := run(t, shell, systemPath, "coredumps-delete", "--root", tr.root, "--apply")
			if code != 0 || a.Files != len(gone) || !a.Complete {
				t.Errorf("%d, %+v", code, a)
			}
			for _, file := range gone {
				if tr.there(file) {
					t.Errorf("%q is still there", file)
				}
			}
			for _, file := range append(left, "core.77") {
				if !tr.there(file) {
					t.Errorf("%q is gone", file)
				}
			}
		})
	}
}

// Who cannot see what is open takes nothing; what cannot be read is said; and a full
// disk does not stop who makes room on it.
func TestBlindAndFull(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			tr.write("app.log.1", 100, old)
			clean := []string{"--root", tr.root, "--older-than-days", "7", "--apply"}
			nothing := standIn(t, "find", fmt.Sprintf(`case $1 in /proc/*) exit 0 ;; esac; exec %s "$@"`, find(t)))
			if a, code := run(t, []string{"sh"}, nothing, "logs-clean", clean...); code != 1 || !strings.Contains(a.Error, "it cannot be seen what is open") || !tr.there("app.log.1") {
				t.Errorf("blind: %d, %+v", code, a)
			}
			nowhere := standIn(t, "mktemp", "exit 1")
			if a, code := run(t, []string{"sh"}, nowhere, "logs-clean", clean...); code != 1 || a.Error == "" || !tr.there("app.log.1") {
				t.Errorf("no room: %d, %+v", code, a)
			}
			partly := standIn(t, "find", fmt.Sprintf(`%s "$@"; code=$?; case $1 in /proc/*) exit $code ;; esac; exit 1`, find(t)))
			if a, code := run(t, []string{"sh"}, partly, "logs-clean", clean...); code != 0 || a.Complete || a.Files != 1 || tr.there("app.log.1") {
				t.Errorf("partly: %d, %+v", code, a)
			}
			tr.write("app.log.1", 100, old)
			theirs := standIn(t, "id", "echo 65534")
			if a, code := run(t, []string{"sh"}, theirs, "logs-clean", clean...); code != 0 || a.Files != 0 || !tr.there("app.log.1") {
				t.Errorf("another's file: %d, %+v", code, a)
			}
			if a, code := run(t, shell, systemPath, "logs-clean", clean...); code != 0 || !a.Complete || tr.there("app.log.1") {
				t.Errorf("%d, %+v", code, a)
			}
		})
	}
	// Another's script may run at this moment, and then takes its room along soon.
	left := func() []string {
		return slices.DeleteFunc(rooms(), func(room string) bool { return slices.Contains(before, room) })
	}
	for end := time.Now().Add(10 * time.Second); len(left()) > 0 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if found := left(); len(found) > 0 {
		t.Errorf("left behind: %s", found)
	}
}

// rooms are the directories in which scripts keep their lists.
func rooms() (found []string) {
	for _, dir := range []string{"/dev/shm", "/run", os.TempDir()} {
		there, _ := filepath.Glob(filepath.Join(dir, "salve-room.????????"))
		found = append(found, there...)
	}
	return found
}

func find(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("find")
	must(t, err)
	return path
}

func TestCalledWrongly(t *testing.T) {
	tr := newTree(t)
	elsewhere, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	must(t, os.Symlink(tr.root, filepath.Join(tr.root, "link")), os.MkdirAll(filepath.Join(tr.root, "a"), 0o755))
	for name, shell := range shells(t) {
		for _, args := range [][]string{
			{"logs-clean"}, {"logs-clean", "--root", "/", "--older-than-days", "7"}, {"logs-clean", "--root", tr.root + "/../..", "--older-than-days", "7"},
			{"logs-clean", "--root", "relative", "--older-than-days", "7"}, {"logs-clean", "--root", filepath.Join(tr.root, "link"), "--older-than-days", "7"},
			{"logs-clean", "--root", filepath.Join(tr.root, "link", "a"), "--older-than-days", "7"},
			{"logs-clean", "--root", elsewhere, "--older-than-days", "7"}, {"coredumps-delete", "--root", filepath.Dir(tr.root)},
			{"logs-clean", "--root", tr.root, "--older-than-days", "08"}, {"logs-clean", "--root", tr.root, "--older-than-days", "-1"}, {"logs-clean", "--root", tr.root, "--older-than-days", "7; reboot"},
			{"logs-clean", "--root", tr.root, "--older-than-days"}, {"logs-clean", "--root", tr.root, "--older-than-days", "7", "--all"},
			{"logs-compress", "--root", tr.root}, {"coredumps-delete", "--root", "/nowhere"},
			{"unit-restart"}, {"unit-restart", "-h"}, {"unit-restart", "a;b", "--apply"}, {"unit-reload", "nginx", "--force"},
			{"patroni-failover", "--cluster", "a b", "--candidate", "c"}, {"patroni-failover", "--cluster", "a"},
		} {
			if a, code := run(t, shell, systemPath, args[0], args[1:]...); code != 64 || a.Error == "" {
				t.Errorf("%s: %q: %d, %+v", name, args, code, a)
			}
		}
	}
}

// standIn puts a program of our own before the system's.
func standIn(t *testing.T, name, body string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755))
	return dir + string(os.PathListSeparator) + systemPath
}

func TestUnits(t *testing.T) {
	called := filepath.Join(t.TempDir(), "called")
	const systemctl = `case "$*" in
	*LoadState*ghost*) echo not-found ;;
	*LoadState*) echo loaded ;;
	*ActiveState*broken*) echo failed ;;
	*ActiveState*once*) echo inactive ;;
	*ActiveState*) echo active ;;
	*Type*once*) echo oneshot ;;
	*Type*) echo simple ;;
	*Result*once-bad*) echo exit-code ;;
	*Result*) echo success ;;
	*) echo "$*" >> %s ;;
esac`
	path := standIn(t, "systemctl", fmt.Sprintf(systemctl, called))
	for _, c := range []struct {
		script, unit, apply string
		code                int
		called              string
	}{
		{"unit-restart", "nginx", "", 0, ""},
		{"unit-restart", "nginx.service", "--apply", 0, "restart -- nginx.service"},
		{"unit-reload", "nginx@1", "--apply", 0, "reload -- nginx@1"},
		{"unit-restart", "broken", "--apply", 1, "restart -- broken"},
		{"unit-restart", "ghost", "--apply", 1, ""},
		{"unit-restart", "once", "--apply", 0, "restart -- once"}, // it ran, and ended well
		{"unit-restart", "once-bad", "--apply", 1, "restart -- once-bad"},
		{"unit-restart", "poweroff.target", "--apply", 64, ""},
		{"unit-restart", "systemd-journald.service", "--apply", 64, ""},
	} {
		_ = os.Remove(called)
		args := []string{c.unit}
		if c.apply != "" {
			args = append(args, c.apply)
		}
		_, code := run(t, []string{"sh"}, path, c.script, args...)
		got, _ := os.ReadFile(called)
		if code != c.code || strings.TrimSpace(string(got)) != c.called {
			t.Errorf("%s %s %s: %d, called %q", c.script, c.unit, c.apply, code, got)
		}
	}
}

func TestFailover(t *testing.T) {
	called := filepath.Join(t.TempDir(), "called")
	patronictl := func(leader string) string {
		return standIn(t, "patronictl", fmt.Sprintf(`case $1 in
	list) printf 'Cluster\tMember\tHost\tRole\tState\tTL\tLag in MB\norders\tpg-0\th\tLeader\t%s\t3\t\norders\tpg-1\th\tReplica\tstreaming\t3\t0\n' ;;
	*) echo "$*" >> %s ;;
esac`, leader, called))
	}
	for _, c := range []struct {
		leader, candidate string
		code              int
		called            string
	}{
		{"stopped", "pg-1", 0, "failover --candidate pg-1 --force orders"},
		{"crashed", "pg-1", 0, "failover --candidate pg-1 --force orders"},
		{"running", "pg-1", 1, ""},
		{"in archive recovery", "pg-1", 1, ""},
		{"", "pg-1", 1, ""},
		{"stopped", "pg-9", 1, ""},
	} {
		_ = os.Remove(called)
		_, code := run(t, []string{"sh"}, patronictl(c.leader), "patroni-failover", "--cluster", "orders", "--candidate", c.candidate, "--apply")
		got, _ := os.ReadFile(called)
		if code != c.code || strings.TrimSpace(string(got)) != c.called {
			t.Errorf("leader %s, candidate %s: %d, called %q", c.leader, c.candidate, code, got)
		}
	}
}

// What Salve names is there, and can be run.
func TestEveryScriptIsThere(t *testing.T) {
	for _, name := range []string{
		"logs-clean", "logs-compress", "coredumps-delete", "unit-restart", "unit-reload", "patroni-failover", "disk-space", "disk-inodes", "disk-biggest",
		"disk-core-dumps", "units-failed", "unit-show", "unit-log", "certificate-served", "certificate-renewal", "usage", "backup-status", "database-status", "terraform-plan",
	} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s: %v, %v", name, err, info)
		}
	}
	if out, err := exec.Command("sh", filepath.Join(folder, "disk-space")).Output(); err != nil || !strings.Contains(string(out), "Mounted on") {
		t.Errorf("disk-space: %v, %s", err, out)
	}
	var use struct{ CPUPercent, MemoryPercent float64 }
	if out, err := exec.Command("sh", filepath.Join(folder, "usage")).Output(); err != nil || json.Unmarshal(out, &use) != nil || use.MemoryPercent <= 0 {
		t.Errorf("usage: %v, %s", err, out)
	}
}

// The cluster is told once, above its members.
func TestDatabaseStatus(t *testing.T) {
	path := standIn(t, "patronictl", `printf '[{"Cluster": "orders", "Member": "pg-0", "Role": "Leader", "State": "running", "TL": 3},\n {"Cluster": "orders", "Member": "pg-1", "Role": "Replica", "State": "streaming", "TL": 3, "Lag in MB": 2}]'`)
	cmd := exec.Command("sh", filepath.Join(folder, "database-status"))
	cmd.Env = []string{"PATH=" + path}
	out, err := cmd.Output()
	must(t, err)
	var db struct {
		Engine, Cluster string
		Members         []struct {
			Name, Role, State string
			Timeline, LagMB   int
		}
	}
	must(t, json.Unmarshal(out, &db))
	if db.Cluster != "orders" || len(db.Members) != 2 || db.Members[0].Role != "Leader" || db.Members[1].Name != "pg-1" || db.Members[1].LagMB != 2 {
		t.Errorf("%s", out)
	}
	cmd = exec.Command("sh", filepath.Join(folder, "database-status"))
	cmd.Env = []string{"PATH=" + standIn(t, "patronictl", "exit 1")}
	if out, err := cmd.Output(); err == nil || len(out) > 0 {
		t.Errorf("patronictl failed: %v, %s", err, out)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
