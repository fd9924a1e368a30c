// Command demo plays one incident from alert to repair and tells what happens.
//
// It owns everything it touches: a live Salve with a Postgres of its own in a
// directory that is thrown away, keys of its own, and stand-ins for Kubernetes,
// Slack and n8n. It never speaks to a server that runs already. Its exit status
// is 0 only when everything happened as it should.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"salve/test/standin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// limit is for the whole demo; it takes about half a minute.
const limit = 5 * time.Minute

func run(ctx context.Context, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "salve-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	n := &narrator{out: out}
	n.opening()
	salve, err := startSalve(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, salve.stop()) }()
	world, err := standin.Start(kubeToken, slackToken, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	n.started(salve)

	p := &play{narrator: n, salve: salve, world: world}
	if err := p.perform(ctx); err != nil {
		return err
	}
	return p.closing(ctx)
}
