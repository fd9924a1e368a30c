package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Cluster is one that runs.
type Cluster struct {
	URL        string `json:"url"`
	CAFile     string `json:"ca_file"`
	AdminToken string `json:"admin_token"`
	N8NToken   string `json:"n8n_token"` // may do what deploy/kubernetes says
	Kubeconfig string `json:"kubeconfig"`

	client *http.Client
	cmd    *exec.Cmd
	stdin  io.Closer
}

// startTimeout is generous: on a busy machine the server needs half a minute.
const startTimeout = 3 * time.Minute

// Program gives the path of the cluster's program and builds it where it is not
// there yet, which takes minutes: progress goes to the caller's standard error.
func Program(ctx context.Context) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "test", "kube", "build.sh"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build the cluster: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func repository() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("cluster: this file has no place")
	}
	return filepath.Join(filepath.Dir(here), "..", ".."), nil
}

// Start starts a cluster that keeps its state and its log in dir, and in which
// n8n has the rights that a user gives it.
func Start(ctx context.Context, program, dir string) (*Cluster, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "kube.log"))
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer log.Close()
	c := &Cluster{cmd: exec.Command(program, "-dir", filepath.Join(dir, "kube"),
		"-apply", filepath.Join(root, "deploy", "kubernetes", "read.yaml"), "-apply", filepath.Join(root, "deploy", "kubernetes", "repair.yaml"))}
	c.cmd.Stderr = log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if err := c.awaitReady(ctx, stdout); err != nil {
		c.Stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("cluster: %w\n%s", err, said)
	}
	return c, nil
}

// awaitReady reads the one line that says where the cluster is.
func (c *Cluster) awaitReady(ctx context.Context, stdout io.Reader) error {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n') // what is cut is no JSON
		line <- text
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-ctx.Done():
		return fmt.Errorf("not ready: %w", ctx.Err())
	case text := <-line:
		if err := json.Unmarshal([]byte(text), c); err != nil {
			return fmt.Errorf("it ended before it was ready (%q)", text)
		}
	}
	return c.trust()
}

func (c *Cluster) trust() error {
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", c.CAFile)
	}
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}
	return nil
}

// Stop closes the program's standard input, which ends it, and ends it by force
// when that takes too long.
func (c *Cluster) Stop() {
	c.stdin.Close()
	force := time.AfterFunc(20*time.Second, func() { syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }) //nolint:errcheck // gone already
	defer force.Stop()
	_ = c.cmd.Wait() // how it ended is in its log
}
