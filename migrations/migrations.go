// Package migrations holds the database schema as numbered SQL files, applied in order by internal/store. A file that
// has been released is never changed; what it got wrong is put right by the next number.
package migrations

import "embed"

// FS holds the files themselves. Embedding can't reach out of a directory, hence a package beside the SQL.
//
//go:embed *.sql
var FS embed.FS
