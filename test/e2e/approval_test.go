//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// opens follows the link of a mail, as a person or a mail scanner does.
func (s *story) opens(intent string) (int, string) {
	s.t.Helper()
	return s.page(http.MethodGet, "?intent="+url.QueryEscape(intent), nil)
}

// sends sends the form of the page.
func (s *story) sends(form map[string]string) (int, string) {
	s.t.Helper()
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	return s.page(http.MethodPost, "", values)
}

func (s *story) page(method, query string, form url.Values) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.ctx, method, theWorld.n8n.url+"/webhook/salve-approval"+query, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || resp.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%s: %d %v %s %v", method, resp.StatusCode, resp.Header, body, err)
	}
	return resp.StatusCode, string(body)
}

// A team without Slack: a link in a mail shows the plan, a form with the person's
// own token decides, and n8n keeps nothing of the token.
func TestApprovalByForm(t *testing.T) {
	s := newRealStory(t, "shop-mail")
	s.apply(deployment, 2, `sim/needs-memory: 320Mi, sim/pods: "1", sim/restarts: "7"`)
	s.untilPod("CrashLoopBackOff")
	s.fires()
	const raise = "k8s.deployment.resources"
	i := s.untilIncident("the raise waits for a yes", func(i incidentView) bool { return i.has(raise, "awaiting_approval") })
	id, hash := waiting(i, raise)
	human := theWorld.salve.human

	for range 2 {
		code, shown := s.opens(id)
		if code != 200 || !strings.Contains(shown, hash) || !strings.Contains(shown, `type="password"`) || !strings.Contains(shown, "shop-mail") {
			t.Fatalf("the link showed %d %s", code, shown)
		}
	}
	if code, shown := s.opens("../automation"); code != 404 || !strings.Contains(shown, "No such plan") {
		t.Errorf("a link to something else showed %d %s", code, shown)
	}
	s.wantRows("opening decided nothing", `select state from intents where id = '`+id+`'`, [][]string{{"awaiting_approval"}})

	form := func(change ...string) map[string]string {
		f := map[string]string{"intent": id, "plan_hash": hash, "decision": "approve", "reason": "<b>seen</b>", "token": human}
		for n := 0; n < len(change); n += 2 {
			f[change[n]] = change[n+1]
		}
		return f
	}
	for what, tc := range map[string]struct {
		form map[string]string
		code int
		says string
	}{
		"no token":        {form("token", ""), 422, "no Salve token"},
		"a wrong token":   {form("token", "aaaa.bbbb.cccc"), 401, "does not accept the token"},
		"n8n's own token": {form("token", theWorld.salve.token), 403, "lacks the scope intents:decide"},
		"another plan":    {form("plan_hash", "sha256-of-yesterday"), 409, "not the one that you were shown"},
		"no decision":     {form("decision", "claim"), 422, "neither approve nor reject"},
		"no reason":       {form("reason", " "), 422, "A reason is missing"},
		"another path":    {form("intent", "../automation"), 422, "which plan"},
	} {
		t.Run(what, func(t *testing.T) {
			code, said := s.sends(tc.form)
			if code != tc.code || !strings.Contains(said, tc.says) || !strings.Contains(said, "Nothing was decided") {
				t.Errorf("%d %s, want %d and %q", code, said, tc.code, tc.says)
			}
		})
	}
	s.wantRows("nothing of that decided", `select state, approved_by, json_array_length(approvals) from intents where id = '`+id+`'`,
		[][]string{{"awaiting_approval", "", "0"}})

	code, said := s.sends(form())
	if code != 200 || !strings.Contains(said, "Approved") {
		t.Fatalf("the form was answered %d %s", code, said)
	}
	s.wantRows("the person said yes, in their own name", `
		select i.approved_by, a.actor, a.reason from intents i join audit a on a.intent_id = i.id and a.operation = 'intent.approve' where i.id = '`+id+`'`,
		[][]string{{"alice", "alice", "approved by alice: <b>seen</b>"}})
	s.untilIncident("the raise was made", func(i incidentView) bool { return i.has(raise, "succeeded") })
	if code, said := s.sends(form()); code != 409 || !strings.Contains(said, "Nothing was decided") {
		t.Errorf("a second yes was answered %d %s", code, said)
	}
	if code, shown := s.opens(id); code != 200 || strings.Contains(shown, "<form") {
		t.Errorf("what is decided still shows a form: %d %s", code, shown)
	}
	s.wantKeptNowhere(human, "aaaa.bbbb.cccc")
}

func waiting(i incidentView, action string) (id, hash string) {
	for _, in := range i.Intents {
		if in.Action == action && in.State == "awaiting_approval" {
			return in.ID, in.PlanHash
		}
	}
	return "", ""
}

// wantKeptNowhere looks through every table of n8n's database, until n8n has swept
// out what it does not save, and through its log.
func (s *story) wantKeptNowhere(tokens ...string) {
	s.t.Helper()
	for _, token := range tokens {
		part := token[strings.LastIndex(token, ".")+1:] // the signature alone would do
		log, err := os.ReadFile(filepath.Join(theWorld.n8n.dir, "n8n.log"))
		if err != nil || strings.Contains(string(log), part) {
			s.t.Errorf("a person's token is in n8n's log (%v)", err)
		}
		for tick := time.NewTicker(3 * time.Second); ; {
			found, err := run(s.ctx, theWorld.n8n.env, append(theWorld.n8n.database("find"), part)...)
			if err == nil && len(found) == 0 {
				break
			}
			select {
			case <-s.ctx.Done():
				s.t.Fatalf("a person's token is kept in %s: %v", found, err)
			case <-tick.C:
			}
		}
	}
}
