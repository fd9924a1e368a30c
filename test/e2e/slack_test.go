//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// fromSlack posts as Slack does: signed over the time and the raw body. It gives the
// status, what was answered, and how long that took.
func (s *story) fromSlack(kind, body, secret string, at time.Time) (int, string, time.Duration) {
	s.t.Helper()
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, theWorld.n8n.url+"/webhook/salve-slack-"+kind, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if kind == "event" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(answer), time.Since(began)
}

// slash types a command, and waits for the answer at its response_url.
func (s *story) slash(user, text string) string {
	s.t.Helper()
	hook := fmt.Sprintf("/commands/T0/%d", time.Now().UnixNano())
	form := url.Values{"command": {"/salve"}, "user_id": {user}, "text": {text}, "response_url": {theWorld.slack.URL + hook}}
	return s.answered(hook, "command", form.Encode())
}

func (s *story) click(user, do, value string) string {
	s.t.Helper()
	hook := fmt.Sprintf("/commands/T0/%d", time.Now().UnixNano())
	payload, err := json.Marshal(object{"type": "block_actions", "user": object{"id": user}, "response_url": theWorld.slack.URL + hook,
		"actions": []any{object{"action_id": do, "value": value}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.answered(hook, "interaction", url.Values{"payload": {string(payload)}}.Encode())
}

func (s *story) answered(hook, kind, body string) string {
	s.t.Helper()
	code, answer, took := s.fromSlack(kind, body, slackSecret, time.Now())
	if code != 200 || answer != "" || took > 3*time.Second {
		s.t.Fatalf("Slack was answered %d %q after %s, want an empty 200 within 3 s", code, answer, took)
	}
	got, err := theWorld.slack.Await(s.ctx, 1, "POST", hook)
	if err != nil {
		s.t.Fatal(err)
	}
	var m struct{ Text string }
	if err := json.Unmarshal(got[0].Body, &m); err != nil {
		s.t.Fatal(err)
	}
	return m.Text
}

// A plan waits; who may not decide is told so; who may sees the plan, and a click says
// yes to exactly that plan, as that person.
func TestSlackDecides(t *testing.T) {
	s := newRealStory(t, "shop-slack")
	s.apply(deployment, 2, `sim/needs-memory: 320Mi, sim/pods: "1", sim/restarts: "7"`)
	s.untilPod("CrashLoopBackOff")
	s.fires()
	const raise = "k8s.deployment.resources"
	i := s.untilIncident("the raise waits for a yes", func(i incidentView) bool { return i.has(raise, "awaiting_approval") })
	var id, hash string
	for _, in := range i.Intents {
		if in.Action == raise {
			id, hash = in.ID, in.PlanHash
		}
	}
	if got := s.slash("U0ALICE", "show "+i.ShortID); !strings.Contains(got, "pod.oom") {
		t.Errorf("show answered %q", got)
	}
	if got := s.slash("U0EVE", "approve "+id); !strings.Contains(got, "may read and abort") {
		t.Errorf("a stranger was answered %q", got)
	}
	if got := s.slash("U0ALICE", "approve "+id); !strings.Contains(got, "Raise") && !strings.Contains(got, "memory") {
		t.Errorf("approve answered %q", got)
	}
	if got := s.click("U0ALICE", "approve", id+" "+hash); !strings.Contains(got, "Approved by <@U0ALICE>") {
		t.Errorf("the click was answered %q", got)
	}
	s.untilIncident("the raise was made", func(i incidentView) bool { return i.has(raise, "succeeded") })
	s.wantRows("it was this person's yes", `select actor from audit where incident_id = '`+i.ID+`' and operation = 'intent.approve'`, [][]string{{"slack:U0ALICE"}})
	if got := s.click("U0ALICE", "reject", id); !strings.Contains(got, "by <@U0ALICE> at") {
		t.Errorf("a late click was answered %q", got)
	}
}

// An announcement is stopped by one word in its thread, and the thread says so.
func TestSlackAbortsByReply(t *testing.T) {
	s := newReleaseStory(t, "shop-reply")
	s.fires()
	i := s.untilIncident("its window is open", func(i incidentView) bool { return i.has("k8s.deployment.rollback", "holding") })
	var where [][]string
	err := cluster.Until(s.ctx, func() (bool, error) {
		var err error
		where, err = theWorld.salve.sql(s.ctx, `select r.doc->'output'->>'channel', r.doc->'output'->>'ts' from results r join intents i on i.id = r.intent_id
			where i.incident_id = '`+i.ID+`' and i.reason = 'announcement' and r.flag = ''`)
		if err != nil {
			where, err = theWorld.salve.sql(s.ctx, `select r.doc->'output'->>'channel', r.doc->'output'->>'ts' from results r join intents i on i.id = r.intent_id
				where i.incident_id = '`+i.ID+`' and i.action = 'notify.slack' and r.flag = '' order by r.received_at limit 1`)
		}
		return len(where) == 1, err
	})
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"type":"event_callback","event":{"type":"message","user":"U0EVE","text":"ABORT","channel":%q,"thread_ts":%q}}`, where[0][0], where[0][1])
	if code, answer, _ := s.fromSlack("event", body, slackSecret, time.Now()); code != 200 || answer != "" {
		t.Fatalf("Slack was answered %d %q", code, answer)
	}
	s.untilIncident("a human has it", func(i incidentView) bool {
		return i.State == "escalated" && i.has("k8s.deployment.rollback", "aborted")
	})
	s.wantImage("1.2.4")
	err = cluster.Until(s.ctx, func() (bool, error) {
		for _, r := range theWorld.slack.Matching("POST", "/api/chat.postMessage") {
			if strings.Contains(string(r.Body), "Aborted by <@U0EVE>") && strings.Contains(string(r.Body), where[0][1]) {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		t.Errorf("the thread was not told: %v", err)
	}
}

// What Slack did not sign, or signed long ago, reaches nobody; and no other address
// than Slack's is ever answered.
func TestSlackRefusals(t *testing.T) {
	s := newStory(t, "twice")
	body := url.Values{"command": {"/salve"}, "user_id": {"U0ALICE"}, "text": {"status"}, "response_url": {theWorld.slack.URL + "/commands/T0/never"}}.Encode()
	for name, tc := range map[string]struct {
		secret string
		at     time.Time
	}{
		"another secret": {"wrong", time.Now()},
		"an old one":     {slackSecret, time.Now().Add(-6 * time.Minute)},
		"from tomorrow":  {slackSecret, time.Now().Add(6 * time.Minute)},
	} {
		if code, _, _ := s.fromSlack("command", body, tc.secret, tc.at); code != 401 {
			t.Errorf("%s: answered %d, want 401", name, code)
		}
	}
	if code, answer, _ := s.fromSlack("event", `{"type":"url_verification","challenge":"abc"}`, slackSecret, time.Now()); code != 200 || !strings.Contains(answer, `"challenge":"abc"`) {
		t.Errorf("the challenge was answered %d %q", code, answer)
	}
	if code, answer, _ := s.fromSlack("event", `{"type":"event_callback","event":{"type":"message","channel":"C1","user":"U0EVE","text":"the disk is 95% full"}}`, slackSecret, time.Now()); code != 200 {
		t.Errorf("a message with a percent sign was answered %d %q", code, answer)
	}
	if code, answer, _ := s.fromSlack("command", "%", "wrong", time.Now()); code != 401 {
		t.Errorf("what is no form was answered %d %q, want 401", code, answer)
	}
	elsewhere := url.Values{"command": {"/salve"}, "user_id": {"U0ALICE"}, "text": {"help"}, "response_url": {theWorld.tracker.URL + "/commands/T0/evil"}}.Encode()
	theWorld.tracker.seen()
	if code, _, _ := s.fromSlack("command", elsewhere, slackSecret, time.Now()); code != 200 {
		t.Errorf("answered %d", code)
	}
	// The next command's answer comes after what would have come of this one.
	if got := s.slash("U0ALICE", "help"); !strings.Contains(got, "What Salve understands") {
		t.Errorf("help answered %q", got)
	}
	if _, auth := theWorld.tracker.seen(); len(auth) != 0 {
		t.Error("an address that is not Slack's was called")
	}
	if got := theWorld.slack.Matching("POST", "/commands/T0/never"); len(got) != 0 {
		t.Error("a request that Slack did not sign was answered")
	}
}

// While Salve is away Slack is answered in time, and nobody is told that something was decided.
func TestSlackWhileSalveIsAway(t *testing.T) {
	s := newStory(t, "twice")
	theWorld.salve.process.stop()
	got := s.slash("U0ALICE", "pause everything burns")
	const thread = "1764212400.000100"
	reply := `{"type":"event_callback","event":{"type":"message","channel":"C0AWAY","user":"U0EVE","text":"abort","ts":"1764212460.000200","thread_ts":"` + thread + `"}}`
	if code, answer, _ := s.fromSlack("event", reply, slackSecret, time.Now()); code != 200 {
		t.Errorf("the reply was answered %d %q", code, answer)
	}
	err := cluster.Until(s.ctx, func() (bool, error) {
		for _, r := range theWorld.slack.Matching("POST", "/api/chat.postMessage") {
			if strings.Contains(string(r.Body), thread) && strings.Contains(string(r.Body), "Salve did not answer") {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		t.Errorf("whoever said ABORT was not told that it did not arrive: %v", err)
	}
	if err := theWorld.salve.start(s.ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, "Salve did not answer") {
		t.Errorf("it was answered %q", got)
	}
	s.wantRows("nothing was decided", `select mode from automation`, [][]string{{"live"}})
}
