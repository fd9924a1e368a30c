package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest version that Salve is tested with.
const oldestMajor = 15

// programs is a directory with postgres and initdb of one major version.
type programs struct {
	dir   string
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// findPrograms prefers what is installed; existing data decides the version, for no other can read it.
func findPrograms(ctx context.Context, home layout, account *account, log io.Writer) (programs, error) {
	want, err := clusterMajor(home.data())
	if err != nil {
		return programs{}, err
	}
	installed := inspectAll(ctx, installedDirs(os.Getenv("PATH")))
	if found, ok := choose(installed, want); ok {
		return found, nil
	}
	dir, err := download(ctx, home, account, want, log)
	if err != nil {
		return programs{}, errMissing(installed, want, err)
	}
	return inspect(ctx, dir)
}

// choose returns the newest version that will do; want 0 means any that is new enough.
func choose(candidates []programs, want int) (programs, bool) {
	fitting := slices.DeleteFunc(slices.Clone(candidates), func(p programs) bool {
		return p.major < oldestMajor || (want != 0 && p.major != want)
	})
	if len(fitting) == 0 {
		return programs{}, false
	}
	return slices.MaxFunc(fitting, func(a, b programs) int { return cmp.Compare(a.major, b.major) }), true
}

func errMissing(installed []programs, want int, cause error) error {
	var have []string
	for _, p := range installed {
		have = append(have, fmt.Sprintf("%d in %s", p.major, p.dir))
	}
	if want != 0 {
		return fmt.Errorf("the data was written by PostgreSQL %d and needs the programs of that version (found: %s; %w): install postgresql-%d, or move the data with pg_dump",
			want, cmp.Or(strings.Join(have, ", "), "none"), cause, want)
	}
	return fmt.Errorf("no PostgreSQL of version %d or newer (found: %s; %w): install it (Debian: apt-get install postgresql; macOS: brew install postgresql@17) or set DATABASE_URL",
		oldestMajor, cmp.Or(strings.Join(have, ", "), "none"), cause)
}

// installedDirs lists where distributions put the server's programs; Debian keeps them out of PATH.
func installedDirs(path string) []string {
	dirs := filepath.SplitList(path)
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	return dirs
}

func inspectAll(ctx context.Context, dirs []string) []programs {
	var all []programs
	for _, dir := range dirs {
		found, err := inspect(ctx, dir)
		if err == nil && !slices.Contains(all, found) {
			all = append(all, found)
		}
	}
	return all
}

// inspect follows a link such as /usr/local/bin/postgres to the directory that has initdb beside it.
func inspect(ctx context.Context, dir string) (programs, error) {
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return programs{}, err
	}
	p := programs{dir: filepath.Dir(real)}
	if _, err := os.Stat(p.path("initdb")); err != nil {
		return programs{}, err
	}
	out, err := exec.CommandContext(ctx, p.path("postgres"), "--version").Output()
	if err != nil {
		return programs{}, fmt.Errorf("%s --version: %w", p.path("postgres"), err)
	}
	p.major, err = parseMajor(string(out))
	return p, err
}

// versionNumber is the first number after the product's name: "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
var versionNumber = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d{1,4})`)

func parseMajor(version string) (int, error) {
	match := versionNumber.FindStringSubmatch(version)
	if match == nil {
		return 0, fmt.Errorf("not the version of a PostgreSQL server: %.80q", version)
	}
	return strconv.Atoi(match[1])
}

// clusterMajor is the version that wrote the data, 0 when there is none yet.
func clusterMajor(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(data); err == nil {
			return 0, fmt.Errorf("%s is there but holds no database (no PG_VERSION): move it away and start again", data)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || major <= 0 {
		return 0, fmt.Errorf("%s/PG_VERSION says %.20q, which is no version", data, text)
	}
	return major, nil
}
