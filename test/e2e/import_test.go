//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// newcomer is somebody with an n8n of their own, empty at first.
type newcomer struct {
	t        *testing.T
	ctx      context.Context
	n8n      *n8n
	importer string
	files    string // a copy of n8n-workflows
	config   n8nConfig
	browser  *http.Client
}

func arrives(t *testing.T) *newcomer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	u := &newcomer{t: t, ctx: ctx, importer: filepath.Join(dir, "n8nimport"), files: filepath.Join(dir, "files")}
	u.config = n8nConfig{certified: theWorld.certified, port: ports[0], brokerPort: ports[1], intakeHeader: "Bearer " + intakeSecret,
		salveToken: theWorld.salve.token, salveIntake: theWorld.salve.intake, kubeToken: "none", caFile: theWorld.cluster.CAFile, slackToken: slackToken}
	u.n8n = &n8n{url: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), dir: dir, modules: theWorld.n8n.modules, node: theWorld.n8n.node}
	// Nothing of Salve is in its environment: this user writes addresses into Config.
	u.n8n.env = append(u.n8n.environment(u.config), "N8N_BLOCK_ENV_ACCESS_IN_NODE=true", "N8N_SECURE_COOKIE=false")
	if _, err := run(ctx, os.Environ(), "go", "build", "-o", u.importer, "salve/scripts/n8nimport"); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(u.files, os.DirFS(workflowDir())); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u.browser = &http.Client{Jar: jar}
	return u
}

// brings runs make n8n-import's program; env says by which door.
func (u *newcomer) brings(door string, args ...string) string {
	u.t.Helper()
	argv := append([]string{u.importer, "-dir", u.files}, args...)
	env := append(u.n8n.env, strings.Fields(door)...)
	if door == "" {
		env = append(u.n8n.env, "N8N="+strings.Join(u.n8n.command(), " "))
	}
	out, err := run(u.ctx, env, argv...)
	if err != nil {
		u.t.Fatal(err)
	}
	return string(out)
}

// starts starts the user's n8n.
func (u *newcomer) starts() {
	u.t.Helper()
	if err := u.n8n.start(u.ctx); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(u.n8n.process.stop)
}

// keepsCredentials makes them under ids of n8n's choosing, as the editor does.
func (u *newcomer) keepsCredentials() {
	u.t.Helper()
	all := append(credentials(u.config), map[string]any{"name": "Salve intake tokens", "type": "jwtAuth", "data": map[string]string{"keyType": "passphrase", "secret": "x", "algorithm": "HS256"}})
	for i, c := range all {
		c["id"] = fmt.Sprintf("byHandMade%06d", i)
	}
	data, err := json.Marshal(all)
	if err != nil {
		u.t.Fatal(err)
	}
	file := filepath.Join(u.n8n.dir, "made.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		u.t.Fatal(err)
	}
	if _, err := run(u.ctx, u.n8n.env, u.n8n.command("import:credentials", "--input="+file)...); err != nil {
		u.t.Fatal(err)
	}
}

// rest is what the editor does.
func (u *newcomer) rest(method, path string, body, out any) {
	u.t.Helper()
	if code, answer, err := u.asks(method, path, body, out); err != nil || code != http.StatusOK {
		u.t.Fatalf("%s %s: %d %s %v", method, path, code, answer, err)
	}
}

func (u *newcomer) asks(method, path string, body, out any) (int, []byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(u.ctx, method, u.n8n.url+"/rest/"+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := u.browser.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && out != nil {
		err = json.Unmarshal(answer, out)
	}
	return resp.StatusCode, answer, err
}

// apiKey signs up as the owner and makes a key that may do what the import needs.
// n8n marks the owner as active on the first production execution that succeeds, by
// reading the whole user, setting one field and writing the user back
// (WorkflowStatisticsService, UserService.updateSettings in 2.40.5). A sign-up between
// the two is undone: the password is gone, the session with it, and who signs up again
// is let in.
func (u *newcomer) apiKey() string {
	u.t.Helper()
	owner := map[string]string{"email": "ines@example.com", "firstName": "Ines", "lastName": "N", "password": "only-for-this-Run-1"}
	key := map[string]any{"label": "import", "expiresAt": nil, "scopes": []string{
		"workflow:list", "workflow:read", "workflow:create", "workflow:update", "workflow:activate", "credential:list",
	}}
	var made struct{ Data struct{ RawAPIKey string } }
	err := cluster.Until(u.ctx, func() (bool, error) {
		u.rest("POST", "owner/setup", owner, nil)
		code, answer, err := u.asks("POST", "api-keys", key, &made)
		if code == http.StatusUnauthorized {
			u.t.Logf("a key for the API: %d %s: signing up again", code, answer)
			return false, err
		}
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("%d %s", code, answer)
		}
		return true, err
	})
	if err != nil {
		u.t.Fatalf("a key for the API: %v", err)
	}
	return made.Data.RawAPIKey
}

// writesAddress writes Salve's address into Config of a workflow, in the editor.
func (u *newcomer) writesAddress(id string) {
	u.t.Helper()
	var got struct{ Data map[string]any }
	u.rest("GET", "workflows/"+id, nil, &got)
	for _, n := range got.Data["nodes"].([]any) {
		if cluster.At(n, "name") == "Config" {
			for _, a := range cluster.At(n, "parameters", "assignments", "assignments").([]any) {
				if a := a.(map[string]any); a["name"] == "salve_url" {
					a["value"] = theWorld.salve.url
				}
			}
		}
	}
	u.rest("PATCH", "workflows/"+id, map[string]any{"nodes": got.Data["nodes"], "versionId": got.Data["versionId"]}, nil)
	u.rest("GET", "workflows/"+id, nil, &got)
	u.rest("POST", "workflows/"+id+"/activate", map[string]any{"versionId": got.Data["versionId"]}, nil)
}

// sends an alert and gives what the webhook at path answers.
func (u *newcomer) sends(path string) int {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.ctx, http.MethodPost, u.n8n.url+"/webhook/"+path,
		strings.NewReader(`{"severity": "warning", "service": "imported", "message": "hello"}`))
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+intakeSecret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (u *newcomer) untilServed(path string) {
	u.t.Helper()
	var code int
	err := cluster.Until(u.ctx, func() (bool, error) { code = u.sends(path); return code == http.StatusOK, nil })
	if err != nil {
		u.t.Fatalf("the webhook at %s answers %d: %v", path, code, err)
	}
}

// upgrades moves the webhook in the file to another path: what is served shows
// which version it is.
func (u *newcomer) upgrades(from, to string) {
	u.t.Helper()
	file := filepath.Join(u.files, "alert-intake.json")
	data, err := os.ReadFile(file)
	if err != nil {
		u.t.Fatal(err)
	}
	changed := bytes.Replace(data, []byte(`"path": "`+from+`"`), []byte(`"path": "`+to+`"`), 1)
	if bytes.Equal(changed, data) {
		u.t.Fatalf("alert-intake.json has no webhook at %s", from)
	}
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		u.t.Fatal(err)
	}
}

func (u *newcomer) wantSaid(said string, lines ...string) {
	u.t.Helper()
	rest := said
	for _, line := range lines {
		_, after, found := strings.Cut(rest, line)
		if !found {
			u.t.Fatalf("the import does not say %q there:\n%s", line, said)
		}
		rest = after
	}
}

// From nothing to alerts that reach Salve, and through an upgrade in mid-flight, by
// n8n's command.
func TestImportByCommand(t *testing.T) {
	u := arrives(t)
	u.wantSaid(u.brings(""), "new        Salve: execution crashed", "new        Salve: execute intent", "new        Salve: alert intake",
		"missing", "Salve token", "Not published yet", "salveIntentError", "salveExecuteIntent", "salveAlertIntake")
	u.keepsCredentials()
	u.wantSaid(u.brings("", "-publish"), "updated    Salve: execution crashed", "published  Salve: execution crashed",
		"published  Salve: execute intent", "published  Salve: alert intake", "Nothing remains")
	u.starts()
	u.apiKey() // before the first execution, see there
	if code := u.sends("salve-alert"); code != http.StatusServiceUnavailable {
		t.Fatalf("the webhook answered %d before it knew where Salve is, want 503", code)
	}
	u.writesAddress("salveAlertIntake")
	u.untilServed("salve-alert")

	said := u.brings("")
	u.wantSaid(said, "unchanged  Salve: alert intake", "Nothing remains")
	if strings.Contains(said, "updated") {
		t.Errorf("a second import writes:\n%s", said)
	}
	if code := u.sends("salve-alert"); code != http.StatusOK {
		t.Errorf("after a second import the webhook answers %d", code)
	}
	u.upgrades("salve-alert", "salve-alert-2")
	u.wantSaid(u.brings(""), "updated    Salve: alert intake", "published  Salve: alert intake", "Nothing remains")
	u.untilServed("salve-alert-2") // so that credential and address were kept, too
}

// The same by the public API, which gives the workflows ids of its own.
func TestImportByAPI(t *testing.T) {
	u := arrives(t)
	u.keepsCredentials()
	u.starts()
	door := "N8N_URL=" + u.n8n.url + " N8N_API_KEY=" + u.apiKey()
	u.wantSaid(u.brings(door), "new        Salve: alert intake", "Not published yet")
	said := u.brings(door, "-publish")
	u.wantSaid(said, "unchanged  Salve: execute intent", "published  Salve: execute intent", "published  Salve: alert intake", "Nothing remains")

	var list struct{ Data []struct{ ID, Name string } }
	u.rest("GET", "workflows", nil, &list)
	for _, w := range list.Data {
		if w.Name == "Salve: alert intake" {
			u.writesAddress(w.ID)
		}
	}
	u.untilServed("salve-alert")
	u.upgrades("salve-alert", "salve-alert-2")
	u.wantSaid(u.brings(door), "updated    Salve: alert intake", "published  Salve: alert intake", "Nothing remains")
	u.untilServed("salve-alert-2")
}
