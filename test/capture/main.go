// Command capture lets a real API server, its admission and its controllers
// make the objects of known troubles and writes each as an evidence file, for
// the corpus of internal/diagnose.
//
//	go run ./test/capture DIR [NAME...]
//
// What a scheduler or a kubelet writes comes from the simulated node of
// test/kube; all else is real. Objects are as kubectl get -o json prints them,
// without managedFields.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"salve/test/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: capture DIR [NAME...]")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, only []string) error {
	program, err := cluster.Program(ctx)
	if err != nil {
		return err
	}
	state, err := os.MkdirTemp("", "salve-capture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	c, err := cluster.Start(ctx, program, state)
	if err != nil {
		return err
	}
	defer c.Stop()
	for _, s := range scenarios() {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		if err := s.capture(ctx, c, filepath.Join(dir, s.name+".json")); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Println(s.name)
	}
	return nil
}

// patience bounds how long a scenario may take to show.
const patience = time.Minute
