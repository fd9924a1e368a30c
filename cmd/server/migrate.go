package main

import (
	"context"
	"errors"
	"fmt"
)

type migrateCommand struct {
	Database secret `name:"database-url" help:"Postgres to migrate (DATABASE_URL). Unset: the private one in the data directory."`
	DataDir  string `name:"salve-data-dir" default:".salve" help:"Where Salve keeps files of its own (SALVE_DATA_DIR)."`
	LogLevel string `name:"salve-log-level" default:"info" help:"debug, info, warn or error (SALVE_LOG_LEVEL)."`
}

// Run migrates and ends; serve does the same at its start.
func (m migrateCommand) Run(env *environment) (err error) {
	c := config{Database: m.Database, DataDir: m.DataDir, LogLevel: m.LogLevel, LogFormat: "json"}
	s := &service{config: c, log: c.logger(env.stdout)}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.openDatabase(context.WithoutCancel(env.ctx)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.stdout, "the database is up to date")
	return err
}
