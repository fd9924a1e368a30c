package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ceilingEnv makes this program the server with the empty handler: its address
// is the value. It is a process of its own, so that it shares neither scheduler
// nor garbage collector with the client, as no other target does.
const ceilingEnv = "SALVE_BENCH_CEILING"

// serveCeiling answers every request as briefly as net/http can, once it has
// read it.
func serveCeiling(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func startCeiling(ctx context.Context, dir string) (*process, *target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), ceilingEnv+"="+addr)
	p, err := startProcess(cmd, filepath.Join(dir, "http.log"))
	if err != nil {
		return nil, nil, fmt.Errorf("start the empty handler: %w", err)
	}
	if err := p.awaitReady(ctx, "http://"+addr+"/"); err != nil {
		p.stop()
		return nil, nil, err
	}
	header := "Authorization: Bearer " + strings.Repeat("x", 300) + "\r\n"
	return p, &target{name: "http", addr: addr, pid: p.pid(), forgets: true, template: func(s shape) template {
		return newTemplate("/", header, s.batch, postableBody(s.batch, time.Now()))
	}}, nil
}
