package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"salve/migrations"
)

// undefinedTable is what Postgres answers before the first migration made goose's own table.
const undefinedTable = "42P01"

// Migrate brings the database up to this program's schema. Any number of replicas may call it at once: one works under
// a session-level advisory lock, the others wait and find nothing left to do. A database that is newer than the program
// is refused untouched.
func Migrate(ctx context.Context, url string) error {
	return migrate(ctx, url, migrations.FS)
}

func migrate(ctx context.Context, url string, files fs.FS) error {
	db, err := openForMigration(url)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	defer db.Close()
	provider, err := newProvider(db, files)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	// A newer replica may have come first while this one waited for the lock.
	if err := refuseNewer(ctx, provider); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// openForMigration takes the same address as the pool does; an address that does not parse is reported without its
// password by pgx.
func openForMigration(url string) (*sql.DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config.ConnConfig), nil
}

func newProvider(db *sql.DB, files fs.FS) (*goose.Provider, error) {
	// Once a second, for up to ten minutes: the longest migration that another replica may be running.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600), lock.WithUnlockTimeout(1, 30))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

func refuseNewer(ctx context.Context, provider *goose.Provider) error {
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("its schema is at version %d and this program knows %d: start the newer program, or restore a backup from before the upgrade", have, want)
	}
	return nil
}

// MigrationVersion says which schema the database has and which one this program wants; the program is ready when they
// are equal. A database that was never migrated has version 0.
func MigrationVersion(ctx context.Context, pool *pgxpool.Pool) (have, want int64, err error) {
	want, err = newestMigration(migrations.FS)
	if err != nil {
		return 0, 0, fmt.Errorf("migration version: %w", err)
	}
	const query = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	err = pool.QueryRow(ctx, query).Scan(&have)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == undefinedTable {
		return 0, want, nil
	}
	if err != nil {
		return 0, want, fmt.Errorf("migration version: %w", err)
	}
	return have, want, nil
}

func newestMigration(files fs.FS) (newest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s does not start with a number", name)
		}
		newest = max(newest, version)
	}
	return newest, nil
}
