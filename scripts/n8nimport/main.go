// Command n8nimport brings the workflows of n8n-workflows into a user's n8n, and
// again when they have changed. What the user set stays: the credentials that
// nodes have, the addresses in Config, and what is published.
//
//	make n8n-import                                        n8n on PATH, or the one of docker compose
//	make n8n-import N8N="docker exec -i my-n8n n8n"        n8n's command, wherever it is
//	make n8n-import N8N_URL=https://n8n.example.com        n8n's public API; N8N_API_KEY from the environment
//
// n8n's command keeps the ids of the files, which is why it comes first. Its own
// import takes what is published out of service and leaves it so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir := flag.String("dir", "n8n-workflows", "folder of the workflow files")
	publish := flag.Bool("publish", false, "publish what is not published yet, too")
	flag.Parse()
	if err := run(ctx, *dir, *publish, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "n8n-import:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, publish bool, getenv func(string) string, out io.Writer) error {
	files, err := readFiles(dir)
	if err != nil {
		return err
	}
	to, err := open(ctx, getenv)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "to %s:\n", to)
	there, err := to.workflows(ctx)
	if err != nil {
		return err
	}
	credentials, err := to.credentials(ctx)
	if err != nil {
		return err
	}
	p, err := newPlan(files, there, credentials)
	if err != nil {
		return err
	}
	if err := p.carryOut(ctx, to, publish, out); err != nil {
		return err
	}
	p.remains(out)
	return nil
}

// n8n is a user's n8n, by whichever door it was reached.
type n8n interface {
	fmt.Stringer
	workflows(context.Context) ([]workflow, error)
	credentials(context.Context) ([]credential, error)
	// write brings in a workflow, new or changed, at the latest with finish, and
	// gives its id there. What is published need not stay so.
	write(context.Context, workflow, standing) (id string, err error)
	finish(context.Context) error
	publish(ctx context.Context, id string) error
	// late says whether an n8n that runs is not told of what was published.
	late() bool
}

// standing is how a workflow stands in n8n before it is written.
type standing struct {
	there, published bool
}

type credential struct{ ID, Name, Type string }

func readFiles(dir string) ([]workflow, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no workflow files in %s", dir)
	}
	var files []workflow
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		w, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, w)
	}
	return calledFirst(files), nil
}
