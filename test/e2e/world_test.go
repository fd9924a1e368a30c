//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"salve/internal/postgres"
	"salve/test/cluster"
	"salve/test/standin"
)

// The secrets of one run. They are worth nothing outside it.
const (
	intakeSecret = "intake-secret-of-this-run"
	slackToken   = "xoxb-slack-token-of-this-run"
	slackSecret  = "slack-signing-secret-of-this-run"
	githubToken  = "github-token-of-this-run"
)

// clusters are the names of the stand-ins. Every test has one of its own, so
// that no test finds another's guards spent.
var clusters = []string{"oom", "refusing", "forbidden", "conflict", "unanswered", "twice", "vanished", "killed", "switched"}

// realCluster is a real API server; its tests have a namespace each.
const realCluster = "real"

// deadCluster is one that n8n is told of and that nobody serves.
const deadCluster = "dead"

// world is everything that is started once for all tests.
type world struct {
	dir          string
	cluster      *cluster.Cluster
	postgres     *postgres.Server
	salve        *salve
	host         *host
	n8n          *n8n
	alertmanager *alertmanager
	prometheus   *prometheus
	standins     map[string]*standin.Server
	slack        *standin.Server
	github       *standin.GitHub
	tracker      *tracker
	sources      *httptest.Server
	certified    *certified
	stops        []func() // last started, first stopped
}

var theWorld *world

// TestMain starts the world once: n8n alone needs half a minute.
func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	w, err := newWorld(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	theWorld = w
	code := m.Run()
	w.stop()
	if code == 0 {
		os.RemoveAll(w.dir)
	} else {
		fmt.Fprintln(os.Stderr, "e2e: logs are in", w.dir)
	}
	os.Exit(code)
}

func newWorld(ctx context.Context) (*world, error) {
	dir, err := os.MkdirTemp("", "salve-e2e-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, standins: map[string]*standin.Server{}}
	if err := w.start(ctx); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

func (w *world) start(ctx context.Context) error {
	ports, err := freePorts(7)
	if err != nil {
		return err
	}
	if err := w.startCluster(ctx); err != nil {
		return err
	}
	if err := w.startStandins(); err != nil {
		return err
	}
	if err := w.startSalve(ctx, ports[0]); err != nil {
		return err
	}
	if err := w.startHost(ctx, ports[5]); err != nil {
		return err
	}
	if w.prometheus, err = startPrometheus(ctx, w.dir, ports[6]); err != nil {
		return err
	}
	w.stops = append(w.stops, w.prometheus.stop)
	if err := w.startN8N(ctx, ports[1], ports[2]); err != nil {
		return err
	}
	w.alertmanager, err = startAlertmanager(ctx, w.dir, ports[3], ports[4], w.n8n.url, intakeSecret)
	if err != nil {
		return err
	}
	w.stops = append(w.stops, w.alertmanager.process.stop)
	return nil
}

func (w *world) startCluster(ctx context.Context) error {
	program, err := cluster.Program(ctx)
	if err != nil {
		return err
	}
	if w.cluster, err = cluster.Start(ctx, program, w.dir); err != nil {
		return err
	}
	w.stops = append(w.stops, w.cluster.Stop)
	return nil
}

// kubeToken is the token of n8n's service account in the real cluster. The
// stand-ins take the same: one Kubernetes credential serves all clusters.
func (w *world) kubeToken() string { return w.cluster.N8NToken }

func (w *world) startStandins() error {
	for _, name := range clusters {
		s, err := w.startStandin()
		if err != nil {
			return err
		}
		w.standins[name] = s
	}
	w.github = standin.StartGitHub(githubToken, map[string]string{"README.md": "what runs in the shop\n"})
	w.tracker, w.sources = startTracker(), startSources()
	w.stops = append(w.stops, w.github.Close, w.tracker.Close, w.sources.Close)
	var err error
	if w.certified, err = startCertified(); err != nil {
		return err
	}
	w.stops = append(w.stops, w.certified.Close)
	w.slack, err = w.startStandin()
	return err
}

func (w *world) startStandin() (*standin.Server, error) {
	s, err := standin.Start(w.kubeToken(), slackToken, time.Now)
	if err == nil {
		w.stops = append(w.stops, func() { s.Close() })
	}
	return s, err
}

func (w *world) startSalve(ctx context.Context, port int) error {
	var err error
	w.postgres, err = postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(w.dir, "postgres"), FastForTests: true})
	if err != nil {
		return err
	}
	w.stops = append(w.stops, func() { w.postgres.Stop(context.Background()) })
	if w.salve, err = startSalve(ctx, w.dir, w.postgres.URL(), port); err != nil {
		return err
	}
	w.stops = append(w.stops, func() { w.salve.process.stop() }) // whichever it is by then
	return nil
}

// startHost starts the one machine that all names of hosts lead to.
func (w *world) startHost(ctx context.Context, port int) error {
	var err error
	if w.host, err = startHost(ctx, w.dir, port); err == nil {
		w.stops = append(w.stops, w.host.process.stop)
	}
	return err
}

// hosts is what n8n is told: SSH_HOSTS.
func (w *world) hosts() map[string]any {
	there := map[string]any{"address": "127.0.0.1", "port": w.host.port, "user": w.host.user}
	return map[string]any{"web-01": there, "web-02": there, "web-05": there, "web-dead": map[string]any{"address": "127.0.0.1", "port": 1}}
}

func (w *world) startN8N(ctx context.Context, port, brokerPort int) error {
	urls := map[string]any{
		deadCluster: "http://127.0.0.1:1", realCluster: w.cluster.URL,
		"certified": map[string]string{"url": w.certified.URL, "credential": "certificate"},
	}
	for name, s := range w.standins {
		urls[name] = s.URL
	}
	var err error
	w.n8n, err = startN8N(ctx, w.dir, n8nConfig{
		port: port, brokerPort: brokerPort, intakeHeader: "Bearer " + intakeSecret,
		salveURL: w.salve.url, salveToken: w.salve.token, salveIntake: w.salve.intake,
		clusters: urls, kubeToken: w.kubeToken(), caFile: w.cluster.CAFile,
		slackURL: w.slack.URL, slackToken: slackToken,
		certified: w.certified, hosts: w.hosts(), hostKey: w.host.key, relayKey: w.salve.relayKey, relayPublic: w.salve.relayPublic, githubURL: w.github.URL, prometheusURL: w.prometheus.url, trackerURL: w.tracker.URL, sourcesURL: w.sources.URL,
	})
	if err != nil {
		return err
	}
	w.stops = append(w.stops, func() { w.n8n.process.stop() }) // whichever it is by then
	return nil
}

func (w *world) stop() {
	for i := len(w.stops) - 1; i >= 0; i-- {
		w.stops[i]()
	}
	w.stops = nil
}
