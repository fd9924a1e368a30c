//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// alertmanager is a real one whose only receiver is n8n's webhook.
type alertmanager struct {
	url     string
	process *process
}

// alert is what Prometheus sends to Alertmanager.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
}

const alertmanagerConfig = `
route:
  receiver: n8n
  group_by: [alertname, cluster, namespace]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: n8n
    webhook_configs:
      - url: %s/webhook/salve-alert
        send_resolved: true
        http_config:
          authorization: {type: Bearer, credentials: %s}
`

func startAlertmanager(ctx context.Context, dir string, port, clusterPort int, n8nURL, secret string) (*alertmanager, error) {
	bin, err := exec.LookPath("prometheus-alertmanager") // Debian's name
	if err != nil {
		bin, err = exec.LookPath("alertmanager")
	}
	if err != nil {
		return nil, fmt.Errorf("no Alertmanager: run scripts/need.sh alertmanager: %w", err)
	}
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, alertmanagerConfig, n8nURL, secret), 0o600); err != nil {
		return nil, err
	}
	a := &alertmanager{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	a.process, err = launch(dir, "alertmanager", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, bin,
		"--config.file="+config, "--storage.path="+filepath.Join(dir, "alertmanager"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
		fmt.Sprintf("--cluster.listen-address=127.0.0.1:%d", clusterPort))
	if err != nil {
		return nil, err
	}
	if err := a.process.ready(ctx, a.url+"/-/ready"); err != nil {
		a.process.stop()
		return nil, err
	}
	return a, nil
}

// send does what Prometheus does when a rule fires or stops firing.
func (a *alertmanager) send(ctx context.Context, alerts ...alert) error {
	body, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/api/v2/alerts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("alertmanager answered %d", resp.StatusCode)
	}
	return nil
}
