package postgres

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	text := "77 (odd ) (name) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"
	got, err := parseStat(text)
	if err != nil {
		t.Fatal(err)
	}
	if want := (processStat{name: "odd ) (name", state: "S", startTicks: 12345}); got != want {
		t.Errorf("parseStat = %+v, want %+v", got, want)
	}
}

func FuzzParseStat(f *testing.F) {
	for _, seed := range []string{"", ")(", "1 (a) S", "1 (a) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 x 0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { parseStat(text) })
}

func TestOwnStartTime(t *testing.T) {
	stat, err := readStat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	started, err := stat.started()
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(started); age < -3*time.Second || age > time.Hour {
		t.Errorf("this process seems to have started %v ago", age)
	}
}

// A process that merely got a postmaster's number, or is a server of other data, must never be signalled.
func TestIsPostmasterRefusesStrangers(t *testing.T) {
	t.Parallel()
	if isPostmaster(pidFile{pid: os.Getpid(), started: time.Now()}, "/nowhere") {
		t.Error("this test was taken for a postmaster")
	}
	dir := t.TempDir()
	server := startServer(t, dir)
	file, err := readPIDFile(dir + "/postgres")
	if err != nil {
		t.Fatal(err)
	}
	if !isPostmaster(file, dir+"/postgres") {
		t.Errorf("server %d was not recognised in its own directory", server.PID())
	}
	if isPostmaster(file, "/some/other/data") {
		t.Error("a server of other data was taken for ours")
	}
}
