//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"salve/test/cluster"
)

// prometheus is a real one that scrapes what the test serves.
type prometheus struct {
	url     string
	target  *httptest.Server
	process *process
}

// measured is what the scraped program says: one request in eight fails.
const measured = `# TYPE shop_error_percent gauge
shop_error_percent{service="checkout"} 12.5
shop_error_percent{service="cart"} 12.5
# TYPE shop_p99_milliseconds gauge
shop_p99_milliseconds{service="checkout"} 640
`

func startPrometheus(ctx context.Context, dir string, port int) (*prometheus, error) {
	bin, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, fmt.Errorf("no Prometheus: run scripts/need.sh prometheus: %w", err)
	}
	p := &prometheus{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	p.target = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(measured))
	}))
	config := filepath.Join(dir, "prometheus.yml")
	scrape := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: shop\n    static_configs: [{targets: [%q]}]\n", strings.TrimPrefix(p.target.URL, "http://"))
	if err := os.WriteFile(config, []byte(scrape), 0o600); err != nil {
		return nil, err
	}
	if err := remember(ctx, dir); err != nil {
		return nil, err
	}
	p.process, err = launch(dir, "prometheus", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, bin, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "prometheus"), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	if err := p.process.ready(ctx, p.url+"/-/ready"); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *prometheus) stop() {
	p.process.stop()
	p.target.Close()
}

// watched is what n8n is told to ask about: MONITORING_SERVICES.
func watched() []map[string]any {
	return []map[string]any{{
		"service": "checkout", "cluster": "oom",
		"prometheus": map[string]string{
			"as_of":       `max(timestamp(shop_error_percent{service="checkout"}))`,
			"error_rate":  `shop_error_percent{service="checkout"}`,
			"p99_latency": `shop_p99_milliseconds{service="checkout"}`,
		},
		"pagerduty": map[string]string{"service_id": "PABC123"},
	}, {
		"service": "cart", "cluster": "oom",
		"prometheus": map[string]string{
			"as_of": `max(timestamp(shop_error_percent{service="cart"}))`, "error_rate": `shop_error_percent{service="cart"}`,
		},
		"cloudwatch": map[string]string{"error_rate": "100 * errors / requests"},
		"datadog":    map[string]string{"error_rate": "avg:cart.errors{*}"},
		"pagerduty":  map[string]string{"service_id": "PDEF456"},
		"github":     map[string]string{"repo": "acme/cart", "environment": "production"},
	}}
}

// A real Prometheus is asked by a real n8n; a source that fails is marked and stops
// nothing; what misses its objective by far is told at once.
func TestMonitoringAggregate(t *testing.T) {
	s := newStory(t, "oom")
	err := cluster.Until(s.ctx, func() (bool, error) {
		resp, err := http.Get(theWorld.prometheus.url + "/api/v1/query?query=shop_error_percent")
		if err != nil {
			return false, nil
		}
		defer resp.Body.Close()
		var answer struct {
			Data struct{ Result []any }
		}
		return json.NewDecoder(resp.Body).Decode(&answer) == nil && len(answer.Data.Result) == 2, nil
	})
	if err != nil {
		t.Fatal("Prometheus did not scrape: ", err)
	}
	if code, answer, err := theWorld.n8n.post(s.ctx, "salve-test-monitoring", object{}); err != nil || code != 200 {
		t.Fatalf("the execution ended with %d %s, %v", code, answer, err)
	}
	s.wantRows("the error rate is an incident, and it is critical", `
		select i.cause, i.severity from incidents i where i.service = 'checkout' and i.family = 'slo'`, [][]string{{"slo.error_rate", "critical"}})
	s.wantRows("what was measured, and what was not, is kept", `
		select distinct (doc->'sources'->'prometheus'->>'ok')::bool, (doc->'sources'->'pagerduty'->>'ok')::bool, doc->'metrics'->>'error_rate'
		from monitoring_windows where service = 'checkout'`, [][]string{{"t", "f", "12.5"}})
	s.wantRows("all five sources were asked, each with its credential, and say what they measured", `
		select string_agg(name || ' ' || (of->>'ok') || ' ' || coalesce(of->'metrics'->>'error_rate', of->>'error', '-'), ', ' order by name)
		from (select doc from monitoring_windows where service = 'cart' order by ended_at desc limit 1) newest, json_each(doc->'sources') as s(name, of)`,
		[][]string{{"cloudwatch true 12.25, datadog true 12.25, github true -, pagerduty true -, prometheus true 12.5"}})
	s.wantRows("the worst of them, the deployment of this hour, and what fires elsewhere", `
		select doc->'metrics'->>'error_rate', doc->'deployments'->0->>'version', json_array_length(doc->'deployments')::text, doc->'alerts'->>0
		from monitoring_windows where service = 'cart' order by ended_at desc limit 1`, [][]string{{"12.5", "v2.8.0", "1", "carts are lost"}})
}
