package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// ready is the line that tells who started this where the cluster is.
type ready struct {
	URL        string `json:"url"`
	CAFile     string `json:"ca_file"`
	AdminToken string `json:"admin_token"` // may do everything
	N8NToken   string `json:"n8n_token"`   // of the service account n8n in salve, which -apply made
	Kubeconfig string `json:"kubeconfig"`  // the administrator's
}

func main() {
	dir := flag.String("dir", "", "folder for the cluster's state (default: a temporary one, removed at the end)")
	var files []string
	flag.Func("apply", "file of manifests that make n8n's service account and its rights; may be given again", func(file string) error {
		files = append(files, file)
		return nil
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin) // ends when whoever started this does
		stop()
	}()
	if err := run(ctx, *dir, files); err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, files []string) error {
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	dir, cleanUp, err := stateDir(dir)
	if err != nil {
		return err
	}
	defer cleanUp()
	began := time.Now()
	etcd, err := startEtcd(filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	defer etcd.Close()
	// etcd goes last: an API server whose store is gone does not end in time.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := startAPIServer(ctx, dir, "http://"+etcd.Clients[0].Addr().String())
	if err != nil {
		return err
	}
	line, err := populate(ctx, dir, server, files)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "kube: ready after %s\n", time.Since(began).Round(time.Millisecond))
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	err = <-server.ended // when ctx does
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the API server ended: %w", err)
}

// populate starts what lives in the cluster and makes the credentials.
func populate(ctx context.Context, dir string, server *apiServer, files []string) (ready, error) {
	config := rest.CopyConfig(server.loopback)
	config.QPS, config.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return ready{}, err
	}
	if err := server.waitReady(ctx, client); err != nil {
		return ready{}, err
	}
	if err := startControllers(ctx, config, client); err != nil {
		return ready{}, fmt.Errorf("controllers: %w", err)
	}
	if err := startNode(ctx, client); err != nil {
		return ready{}, fmt.Errorf("node: %w", err)
	}
	if err := waitDefaults(ctx, client); err != nil {
		return ready{}, fmt.Errorf("the default namespace: %w", err)
	}
	n8n, err := grantN8N(ctx, config, client, files)
	if err != nil {
		return ready{}, fmt.Errorf("n8n's permissions: %w", err)
	}
	return writeAccess(dir, server, n8n)
}

func stateDir(dir string) (string, func(), error) {
	if dir != "" {
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "salve-kube-")
	return dir, func() { os.RemoveAll(dir) }, err
}
