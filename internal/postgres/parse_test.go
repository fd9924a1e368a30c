package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChoosePrograms(t *testing.T) {
	old, fifteen, seventeen := programs{"/a", 12}, programs{"/b", 15}, programs{"/c", 17}
	cases := []struct {
		name string
		have []programs
		want int
		got  programs
		ok   bool
	}{
		{"newest without data", []programs{fifteen, seventeen, old}, 0, seventeen, true},
		{"the data's version before a newer one", []programs{seventeen, fifteen}, 15, fifteen, true},
		{"too old", []programs{old}, 0, programs{}, false},
		{"too old, even for data of that version", []programs{old}, 12, programs{}, false},
		{"data needs another", []programs{seventeen}, 16, programs{}, false},
		{"nothing installed", nil, 0, programs{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := choose(c.have, c.want)
			if got != c.got || ok != c.ok {
				t.Errorf("choose = %v, %v; want %v, %v", got, ok, c.got, c.ok)
			}
		})
	}
}

func TestParseMajor(t *testing.T) {
	for text, want := range map[string]int{
		"postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18beta2\n":                        18,
	} {
		if got, err := parseMajor(text); err != nil || got != want {
			t.Errorf("parseMajor(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "bash 5.2", "postgres (PostgreSQL) x"} {
		if got, err := parseMajor(text); err == nil {
			t.Errorf("parseMajor(%q) = %d, want an error", text, got)
		}
	}
}

func TestParsePIDFile(t *testing.T) {
	started := time.Unix(1795000000, 0)
	cases := []struct {
		name, text string
		want       pidFile
	}{
		{"ready", "42\n/data\n1795000000\n5432\n/run\n\n  123 456\nready   \n", pidFile{42, started, true}},
		{"starting", "42\n/data\n1795000000\n5432\n/run\n\n  123 456\nstarting\n", pidFile{42, started, false}},
		{"not filled yet", "42\n", pidFile{42, time.Unix(0, 0), false}},
		{"single-user mode", "-42\n/data\n1795000000\n", pidFile{42, started, false}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parsePIDFile(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(pidFile{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParsePIDFile(f *testing.F) {
	for _, seed := range []string{"", "0", "-1\n", "1\n2\n3\n4\n5\n6\n7\nready", "x\nready", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parsePIDFile(text)
		if err == nil && file.pid <= 0 {
			t.Errorf("accepted process id %d from %q: signalling it would reach a whole group", file.pid, text)
		}
	})
}
