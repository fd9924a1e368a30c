package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sleeper is a child that lives until the test is over.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	return cmd
}

func TestAProcessThatDiesTellsWhy(t *testing.T) {
	p, err := startProcess(exec.Command("sh", "-c", "echo no such key >&2; exit 3"), t.TempDir()+"/log")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	err = p.awaitReady(t.Context(), "http://"+addr)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such key") {
		t.Errorf("error %v", err)
	}
	p.stop()
}

func TestCeilingServesAndStops(t *testing.T) {
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveCeiling(ctx, addr) }()
	p := &process{cmd: sleeper(t), done: make(chan struct{})}
	if err := p.awaitReady(ctx, "http://"+addr); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestInheritedEnvironmentNamesNoOtherSalve(t *testing.T) {
	t.Setenv("SALVE_POLICY", "/etc/other.yaml")
	t.Setenv("DATABASE_URL", "postgres://somewhere/production")
	t.Setenv("HARMLESS", "yes")
	env := strings.Join(inherited(), "\n")
	if strings.Contains(env, "SALVE_") || strings.Contains(env, "DATABASE_URL") || !strings.Contains(env, "HARMLESS=yes") {
		t.Errorf("environment:\n%s", env)
	}
}

func TestParseStat(t *testing.T) {
	line := "77 (odd ) (name) S 5 77 77 0 -1 4194560 1 0 0 0 10 20 30 40 20 0 1 0 12345 0 0"
	pid, got, err := parseStat(line)
	want := procStat{parent: 5, own: 300 * time.Millisecond, reaped: 700 * time.Millisecond}
	if err != nil || pid != 77 || got != want {
		t.Errorf("parseStat = %d, %+v, %v; want 77, %+v", pid, got, err, want)
	}
	for _, text := range []string{"", "1", "1 (a) S 2", "x (a)" + line[len("77 (odd ) (name)"):]} {
		if _, _, err := parseStat(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestParseMachineLeavesOutIdleness(t *testing.T) {
	got := parseMachine("cpu  100 10 1 9999 8888 20 2 4 7777 6666\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if diff := cmp.Diff(1370*time.Millisecond, got); diff != "" {
		t.Errorf("machine time (-want +got):\n%s", diff)
	}
	if got := parseMachine("intr 5"); got != 0 {
		t.Errorf("another line was read as %v", got)
	}
}

func TestFamilyTree(t *testing.T) {
	f := family{10: {parent: 1}, 11: {parent: 10}, 12: {parent: 11}, 20: {parent: 1}, 1: {parent: 0}, 30: {parent: 31}, 31: {parent: 30}}
	var found []int
	for _, pid := range []int{10, 11, 12, 20, 30, 99} {
		if f.descends(pid, 10) {
			found = append(found, pid)
		}
	}
	if diff := cmp.Diff([]int{11, 12}, found); diff != "" {
		t.Errorf("descendants of 10 (-want +got):\n%s", diff)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("77 (a) S 5 77 77 0 -1 4194560 1 0 0 0 10 20 30 40 20 0 1")
	f.Add(") (")
	f.Fuzz(func(t *testing.T, text string) {
		if _, p, err := parseStat(text); err == nil && p.own < 0 && !strings.Contains(text, "-") {
			t.Errorf("%q has used %v", text, p.own)
		}
		parseMachine(text)
	})
}

func TestReadCPUSeesThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	if family := readFamily(); family[os.Getpid()].parent != os.Getppid() {
		t.Errorf("own parent is %d, not %d", family[os.Getpid()].parent, os.Getppid())
	}
}
