package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"salve/internal/store"
	"salve/internal/store/storetest"
)

func emptyDatabase(t *testing.T) string {
	t.Helper()
	url := storetest.New(t)
	execSQL(t, url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
	return url
}

func execSQL(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func openPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestReplicasMigrateAtOnce(t *testing.T) {
	url := emptyDatabase(t)
	pool := openPool(t, url)
	have, want, err := store.MigrationVersion(t.Context(), pool)
	if err != nil || have != 0 || want < 1 {
		t.Fatalf("empty database: have %d, want %d, %v; want 0 and at least 1", have, want, err)
	}
	var replicas errgroup.Group
	for range 3 {
		replicas.Go(func() error { return store.Migrate(t.Context(), url) })
	}
	if err := replicas.Wait(); err != nil {
		t.Fatal(err)
	}
	if have, want, err = store.MigrationVersion(t.Context(), pool); err != nil || have != want {
		t.Errorf("after migrating: have %d, want %d, %v", have, want, err)
	}
	var applied int64
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version WHERE version_id > 0").Scan(&applied); err != nil {
		t.Fatal(err)
	}
	if applied != want {
		t.Errorf("%d migrations were recorded, want each of the %d once", applied, want)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	url := storetest.New(t)
	execSQL(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	err := store.Migrate(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "its schema is at version 9999 and this program knows") {
		t.Errorf("error %v, want a refusal that names both versions", err)
	}
}

func TestMigrateHidesThePassword(t *testing.T) {
	err := store.Migrate(t.Context(), "postgres://salve:secret@localhost:notaport/salve")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v: want one, without the password", err)
	}
}
