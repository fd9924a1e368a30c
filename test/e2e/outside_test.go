//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/test/standin"
)

// called calls a sub-workflow in n8n as execute intent does, and gives its one item.
func called(t *testing.T, workflow string, input object) object {
	t.Helper()
	_, answer, err := theWorld.n8n.post(t.Context(), "salve-test-call", merge(object{"workflow": workflow}, input))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(answer), githubToken) || strings.Contains(string(answer), outsideSecret) {
		t.Errorf("a token came with the answer: %s", answer)
	}
	var got object
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("%s: %v in %q", workflow, err, answer)
	}
	return got
}

// says is how a sub-workflow ended: its error, or what it threw.
func says(answer object) string {
	for _, key := range []string{"error", "thrown"} {
		if text, is := answer[key].(string); is {
			return strings.Split(text, " [line")[0]
		}
	}
	return ""
}

const manifest = "# the shop\nkind: Deployment\nmetadata: {name: api}\n"

func change(t *testing.T, n int, more object) object {
	t.Helper()
	path := fmt.Sprintf("apps/pr-%d.yaml", n)
	theWorld.github.Write("main", path, manifest)
	_, blob := theWorld.github.File("main", path)
	return merge(object{
		"shape": "pull_request", "repo": standin.Repo, "base": "main", "branch": fmt.Sprintf("salve/inc-%d", n), "title": "Raise the limit", "body": "because",
		"files": []any{object{"path": path, "blob_sha": blob, "content": manifest + "# more\n"}},
	}, more)
}

// One pull request, whether it is asked for once, twice, or again after a failure in
// the middle.
func TestPullRequest(t *testing.T) {
	x := change(t, 1, nil)
	first := called(t, "salveOpenPullRequest", object{"execute": x})
	output, _ := first["output"].(object)
	if first["status"] != "succeeded" || output["existing"] != false || !strings.HasPrefix(fmt.Sprint(output["url"]), "https://github.example/") {
		t.Fatalf("it ended with %v", first)
	}
	if content, _ := theWorld.github.File("salve/inc-1", "apps/pr-1.yaml"); content != manifest+"# more\n" {
		t.Errorf("the branch holds %q", content)
	}
	if content, _ := theWorld.github.File("main", "apps/pr-1.yaml"); content != manifest {
		t.Errorf("main holds %q: nothing may be written to it", content)
	}
	again := called(t, "salveOpenPullRequest", object{"execute": x})
	if out, _ := again["output"].(object); out["number"] != output["number"] || out["existing"] != true {
		t.Errorf("asked for twice: %v, then %v", first, again)
	}

	x = change(t, 2, nil)
	theWorld.github.Fail(standin.GitHubFails{Request: "POST /pulls", Status: 500, Times: 1})
	if got := called(t, "salveOpenPullRequest", object{"execute": x}); got["status"] != "failed" || says(got) != "the branch is there, its pull request is not: GitHub answered 500: the stand-in was told to fail" {
		t.Errorf("cut off: %v", got)
	}
	if got := called(t, "salveOpenPullRequest", object{"execute": x}); got["status"] != "succeeded" {
		t.Errorf("taken up again: %v", got)
	}
}

// What cannot be done is said in words, and nothing is written.
func TestPullRequestThatCannotBe(t *testing.T) {
	for i, tc := range []struct {
		name  string
		more  object
		fails standin.GitHubFails
		says  string
	}{
		{"another repository", object{"repo": "acme/payroll"}, standin.GitHubFails{}, `repository "acme/payroll" is not in the REPOSITORIES of this n8n`},
		{"changed meanwhile", object{"files": []any{object{"path": "apps/pr-11.yaml", "blob_sha": "0000", "content": "x"}}}, standin.GitHubFails{}, "apps/pr-11.yaml was changed meanwhile"},
		{"a file that is gone", object{"files": []any{object{"path": "apps/none.yaml", "blob_sha": "0000", "content": "x"}}}, standin.GitHubFails{}, "apps/none.yaml cannot be read: GitHub answered 404: Not Found"},
		{"a path that climbs", object{"files": []any{object{"path": "apps/../../x", "blob_sha": "0000", "content": "x"}}}, standin.GitHubFails{}, `"apps/../../x" is no path that is written to`},
		{"no such base", object{"base": "trunk"}, standin.GitHubFails{}, "branch trunk cannot be read: GitHub answered 404: Not Found"},
		{"forbidden", nil, standin.GitHubFails{Request: "POST /git/trees", Status: 403}, "the files were not taken: GitHub answered 403"},
		{"unwell", nil, standin.GitHubFails{Request: "GET /git/ref", Status: 502}, "branch salve/inc-16 cannot be read: GitHub answered 502"},
		{"another was quicker", nil, standin.GitHubFails{Request: "POST /git/refs", Status: 422}, "branch salve/inc-17 was not made: GitHub answered 422"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := change(t, 10+i, tc.more)
			if tc.fails.Request != "" {
				theWorld.github.Fail(tc.fails)
				defer theWorld.github.Heal()
			}
			pulls := len(theWorld.github.Pulls)
			got := called(t, "salveOpenPullRequest", object{"execute": x})
			if got["status"] == "succeeded" || !strings.HasPrefix(says(got), tc.says) {
				t.Errorf("it ended with %v, want %q", got, tc.says)
			}
			if len(theWorld.github.Pulls) != pulls {
				t.Error("a pull request was opened")
			}
		})
	}
}

// The files that policy lists come as evidence, each with the version that it is.
func TestReadFiles(t *testing.T) {
	g := theWorld.github
	g.Write("main", "read/a.yaml", "a: 1\n")
	g.Write("main", "read/deep/b.yaml", "b: 2\n")
	g.Write("main", "read/secret.yaml", "c: 3\n")
	g.Write("main", "read/picture.yaml", "\x00\x01")
	g.Write("main", "read/huge.yaml", strings.Repeat("x", 200001))
	g.Write("main", "read/a+yaml", "no dot\n")
	_, a := g.File("main", "read/a.yaml")
	got := called(t, "salveReadFiles", object{"repo": standin.Repo, "ref": "main", "paths": []any{"read/*.yaml", "!read/secret.yaml"}})
	files, _ := got["evidence"].(object)["files"].([]any)
	if len(files) != 2 {
		t.Fatalf("it read %v", got)
	}
	first, second := files[0].(object), files[1].(object)
	delete(first, "ref")
	if diff := cmp.Diff(object{"repo": standin.Repo, "path": "read/a.yaml", "blobSHA": a, "content": "a: 1\n"}, first); diff != "" || second["path"] != "read/deep/b.yaml" {
		t.Errorf("it read %v: %s", files, diff)
	}
	output := got["output"].(object)
	if diff := cmp.Diff([]any{"read/huge.yaml"}, output["too_large"]); diff != "" || !strings.Contains(fmt.Sprint(output["failed"]), "it is no text") {
		t.Errorf("it left out %v: %s", output, diff)
	}
	if got := called(t, "salveReadFiles", object{"repo": standin.Repo, "ref": "main", "paths": []any{"nothing/*"}}); got["status"] != "succeeded" || fmt.Sprint(got["output"].(object)["missing"]) != "[nothing/*]" {
		t.Errorf("nothing there: %v", got)
	}
	if got := called(t, "salveReadFiles", object{"repo": "acme/payroll", "ref": "main", "paths": []any{"*"}}); says(got) != `repository "acme/payroll" is not in the REPOSITORIES of this n8n` {
		t.Errorf("another repository: %v", got)
	}
}

// outsideSecret is what n8n holds for the trackers and for Twilio.
const outsideSecret = "outside-secret-of-this-run"

// tracker plays Jira, Linear and Twilio: it remembers what was made, and tells who
// came with what.
type tracker struct {
	*httptest.Server
	mu   sync.Mutex
	made []string
	auth []string
}

func startTracker() *tracker {
	k := &tracker{}
	k.Server = httptest.NewServer(http.HandlerFunc(k.serve))
	return k
}

func (k *tracker) seen() (made, auth []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	made, auth = k.made, k.auth
	k.made, k.auth = nil, nil
	return made, auth
}

func (k *tracker) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	k.auth = append(k.auth, user+password+r.Header.Get("Authorization")[:min(6, len(r.Header.Get("Authorization")))])
	answer := func(status int, o object) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(o)
	}
	switch {
	case r.URL.Path == "/rest/api/3/search/jql":
		found := []any{object{"key": "OPS-1", "fields": object{"summary": "INC-1: almost the same"}}}
		if strings.Contains(r.URL.Query().Get("jql"), "INC-7") {
			found = append(found, object{"key": "OPS-7", "fields": object{"summary": "INC-7: disk is full"}})
		}
		answer(200, object{"issues": found})
	case r.URL.Path == "/rest/api/3/issue":
		k.made = append(k.made, string(body))
		answer(201, object{"key": "OPS-8"})
	case r.URL.Path == "/graphql" && strings.Contains(string(body), "issueCreate"):
		k.made = append(k.made, string(body))
		answer(200, object{"data": object{"issueCreate": object{"success": true, "issue": object{"identifier": "WEB-3", "url": "https://linear.example/WEB-3"}}}})
	case r.URL.Path == "/graphql":
		answer(200, object{"data": object{"issues": object{"nodes": []any{}}}})
	case strings.HasSuffix(r.URL.Path, "/Messages.json"):
		k.made = append(k.made, r.URL.Path+"?"+string(body))
		if strings.Contains(string(body), "%2B4915100000002") {
			answer(400, object{"code": 21211, "message": "The 'To' number +4915100000002 is not a valid phone number."})
			return
		}
		answer(201, object{"sid": "SM1"})
	default:
		answer(404, object{"message": "nothing here"})
	}
}

// A ticket goes to the tracker of its queue, with that tracker's credential; the same
// ticket twice is one.
func TestTicket(t *testing.T) {
	k := theWorld.tracker
	ticket := func(queue, title string) object {
		return called(t, "salveCreateTicket", object{"execute": object{"shape": "ticket", "queue": queue, "title": title, "body": "line one\n\n- line two"}})
	}
	for _, tc := range []struct {
		name, queue, title, key string
		existing                bool
		made                    string
	}{
		{"GitHub", "operations", "INC-5: disk is full", "#1", false, ""},
		{"GitHub, again", "operations", "INC-5: disk is full", "#1", true, ""},
		{"Jira", "storage", "INC-8: disk is full", "OPS-8", false, `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"INC-8: disk is full","description":{"type":"doc","version":1,"content":[{"type":"paragraph","content":[{"type":"text","text":"line one"}]},{"type":"paragraph","content":[]},{"type":"paragraph","content":[{"type":"text","text":"- line two"}]}]}}}`},
		{"Jira, open already", "storage", "INC-7: disk is full", "OPS-7", true, ""},
		{"Linear", "web", "INC-9: disk is full", "WEB-3", false, `"variables":{"input":{"teamId":"team-1","title":"INC-9: disk is full","description":"line one\n\n- line two"}}`},
	} {
		k.seen()
		got := ticket(tc.queue, tc.title)
		output, _ := got["output"].(object)
		made, auth := k.seen()
		if got["status"] != "succeeded" || output["key"] != tc.key || output["existing"] != tc.existing {
			t.Errorf("%s: %v", tc.name, got)
		}
		if (tc.made == "") != (len(made) == 0) || tc.made != "" && !strings.Contains(made[0], tc.made) {
			t.Errorf("%s: made %v, want %s", tc.name, made, tc.made)
		}
		for _, a := range auth {
			if want := map[string]string{"storage": "ops@example.com" + outsideSecret + "Basic ", "web": outsideSecret[:6]}[tc.queue]; a != want {
				t.Errorf("%s: came with %q, want %q", tc.name, a, want)
			}
		}
	}
	if got := ticket("nobody", "x"); got["status"] != "failed" && says(got) != `queue "nobody" is not in the TICKET_QUEUES of this n8n` || says(got) == "" {
		t.Errorf("an unknown queue: %v", got)
	}
	theWorld.github.Fail(standin.GitHubFails{Request: "POST /issues", Status: 410})
	defer theWorld.github.Heal()
	if got := ticket("operations", "INC-6: x"); got["status"] != "failed" || says(got) != "the issue was not taken: GitHub answered 410: the stand-in was told to fail" {
		t.Errorf("issues are switched off: %v", got)
	}
}

// Everybody on the list is texted; one who cannot be reached does not keep the others
// from it, and no number comes back.
func TestSMS(t *testing.T) {
	k := theWorld.tracker
	send := func(list string) object {
		return called(t, "salveSendSMS", object{"execute": object{"shape": "sms", "to": list, "text": "INC-1 & more: disk is full"}})
	}
	k.seen()
	got := send("on-call")
	made, _ := k.seen()
	const account = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json?"
	if diff := cmp.Diff([]string{
		account + "To=%2B4915100000001&From=%2B4915100000009&Body=INC-1%20%26%20more%3A%20disk%20is%20full",
		account + "To=%2B4915100000002&From=%2B4915100000009&Body=INC-1%20%26%20more%3A%20disk%20is%20full",
	}, made); diff != "" {
		t.Errorf("Twilio was sent (-want +got):\n%s", diff)
	}
	want := object{"status": "succeeded", "output": object{"sent": []any{object{"to": "…01", "sid": "SM1"}},
		"refused": []any{object{"to": "…02", "http_code": 400.0, "message": "The 'To' number a number is not a valid phone number."}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it ended (-want +got):\n%s", diff)
	}
	if got := send("broken"); got["status"] != "failed" || says(got) != "…02: Twilio answered 400: The 'To' number a number is not a valid phone number." {
		t.Errorf("nobody was reached: %v", got)
	}
	for list, want := range map[string]string{"nobody": `list "nobody" is not in the SMS_LISTS of this n8n, or is empty`, "odd": `list "odd": a number that ends in 23 is none such as +491701234567`} {
		if got := send(list); says(got) != want {
			t.Errorf("list %s: %v", list, got)
		}
	}
}
