package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// quietConfig takes alerts in and tells nobody: one group, a receiver without
// integrations. It is the least that Alertmanager can do with an alert.
const quietConfig = `route: {receiver: nobody}
receivers: [{name: nobody}]
`

var errNoAlertmanager = errors.New("no Alertmanager: install Debian's package prometheus-alertmanager, " +
	"or name a binary in ALERTMANAGER")

// findAlertmanager looks where a user would expect; root may install it.
func findAlertmanager(ctx context.Context, root string) (string, error) {
	if named := os.Getenv("ALERTMANAGER"); named != "" {
		return exec.LookPath(named)
	}
	if path, err := installedAlertmanager(); err == nil {
		return path, nil
	}
	need := filepath.Join(root, "scripts", "need.sh")
	if _, err := os.Stat(need); err != nil || os.Geteuid() != 0 {
		return "", errNoAlertmanager
	}
	if err := command(ctx, root, need, "alertmanager"); err != nil {
		return "", fmt.Errorf("%w (%w)", errNoAlertmanager, err)
	}
	return installedAlertmanager()
}

// installedAlertmanager knows Debian's name and the project's own.
func installedAlertmanager() (string, error) {
	if path, err := exec.LookPath("prometheus-alertmanager"); err == nil {
		return path, nil
	}
	return exec.LookPath("alertmanager")
}

// startAlertmanager keeps it to itself: own storage, loopback, no cluster.
func startAlertmanager(ctx context.Context, binary, dir string) (*process, *target, error) {
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte(quietConfig), 0o600); err != nil {
		return nil, nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(binary, "--config.file="+config, "--storage.path="+filepath.Join(dir, "alertmanager"),
		"--web.listen-address="+addr, "--cluster.listen-address=", "--log.level=warn")
	p, err := startProcess(cmd, filepath.Join(dir, "alertmanager.log"))
	if err != nil {
		return nil, nil, fmt.Errorf("start Alertmanager: %w", err)
	}
	if err := p.awaitReady(ctx, "http://"+addr+"/-/ready"); err != nil {
		p.stop()
		return nil, nil, err
	}
	starts := time.Now().Add(-time.Minute)
	return p, &target{name: "alertmanager", addr: addr, pid: p.pid(), template: func(s shape) template {
		return newTemplate("/api/v2/alerts", "", s.batch, postableBody(s.batch, starts))
	}}, nil
}
