//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/test/cluster"
	"salve/test/standin"
)

// Scenario 1 as far as this version goes: a pod is killed for memory, and nobody
// is woken.
func TestPodOutOfMemory(t *testing.T) {
	s := newStory(t, "oom")
	s.fires()
	s.untilIncident("its repair is watched", func(i incidentView) bool { return i.State == "verifying" })
	s.resolves()
	i := s.untilIncident("it is resolved", func(i incidentView) bool { return i.State == "resolved" })
	told := s.untilTold(i)
	s.untilIncident("nothing is under way", func(i incidentView) bool { return len(i.live()) == 0 })

	s.wantRows("the cause was found", `
		select count(*) > 0 from decisions where incident_id = '`+i.ID+`' and cause = 'pod.oom_killed'`, [][]string{{"t"}})
	s.wantEvicted(1)
	s.wantAuthorized()
	if !told.Authorized || !strings.Contains(string(told.Body), "api-gateway") {
		t.Errorf("the message does not say what it is about: %s", told.Body)
	}
	s.wantRows("every action that counts was done once, by n8n", `
		select distinct action, state, worker from intents
		where incident_id = '`+i.ID+`' and action in ('collect.pod', 'k8s.pod.restart', 'notify.slack') and state = 'succeeded' order by 1`,
		[][]string{{"collect.pod", "succeeded", "n8n"}, {"k8s.pod.restart", "succeeded", "n8n"}, {"notify.slack", "succeeded", "n8n"}})
	s.wantRows("every execution ended in one result that counts", `
		select count(*) from intents i where incident_id = '`+i.ID+`' and state in ('succeeded', 'failed')
		and (select count(*) from results r where r.intent_id = i.id and r.flag = '') <> 1`, [][]string{{"0"}})
	s.wantRows("the alert is known as resolved", `select status from alerts where incident_id = '`+i.ID+`'`, [][]string{{"resolved"}})
	s.wantStory(i, "incident.opened", "intent.issued", "intent.claim", "intent.succeed", "incident.resolved")
}

// A cluster that refuses, or does not answer, must come back to Salve as a result,
// not as silence.
func TestRefusedEvictionIsReported(t *testing.T) {
	for name, tc := range map[string]struct {
		failure standin.Failure
		says    string
	}{
		"refusing":  {standin.Failure{Status: 500}, "Kubernetes answered 500: the stand-in was told to fail"},
		"forbidden": {standin.Failure{Status: 403}, "Kubernetes answered 403: the stand-in was told to fail"},
		"conflict":  {standin.Failure{Status: 409}, "Kubernetes answered 409: the stand-in was told to fail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, name)
			tc.failure.Method, tc.failure.Path = "POST", "/eviction"
			s.cluster.Fail(tc.failure)
			s.fires()
			i := s.untilIncident("the restart has failed", func(i incidentView) bool { return i.has("k8s.pod.restart", "failed") })
			s.wantRows("the result says what the cluster said", `
				select r.status, r.doc->>'error' from results r join intents i on i.id = r.intent_id
				where i.incident_id = '`+i.ID+`' and i.action = 'k8s.pod.restart' and r.flag = ''`,
				[][]string{{"failed", tc.says}})
			s.wantRows("no token came with it", `
				select count(*) from results r where r.incident_id = '`+i.ID+`' and r.doc::text ~ '`+theWorld.kubeToken()+`|Bearer'`, [][]string{{"0"}})
			if got := len(s.cluster.Matching("POST", "/eviction")); got != 1 {
				t.Errorf("the eviction was sent %d times: n8n must not retry an execution", got)
			}
		})
	}
}

// An eviction that was sent and not answered may have been done: that is no failure.
// The execution ends without a result, Salve has a look, and since the pod is still
// there the eviction is issued once more.
func TestUnansweredEvictionIsLookedAt(t *testing.T) {
	s := newStory(t, "unanswered")
	s.cluster.Fail(standin.Failure{Method: "POST", Path: "/eviction", Status: 500, Delay: time.Minute, Times: 1})
	s.fires()
	i := s.untilIncident("it is lost, and done anew", func(i incidentView) bool {
		return i.has("k8s.pod.restart", "lost") && i.has("k8s.pod.restart", "succeeded")
	})
	s.wantRows("the lost one has no result", `
		select count(*) from results r join intents i on i.id = r.intent_id where i.incident_id = '`+i.ID+`' and i.state = 'lost'`, [][]string{{"0"}})
	if got := len(s.cluster.Matching("POST", "/eviction")); got != 2 {
		t.Errorf("the eviction was sent %d times, want once, and once more after the look", got)
	}
}

// The pod may be gone by the time it is looked for: no error, but a fact.
func TestVanishedPodIsMissingNotAnError(t *testing.T) {
	s := newStory(t, "vanished")
	s.cluster.Fail(standin.Failure{Method: "GET", Path: "/pods/" + standin.CrashingPod, Status: 404})
	s.fires()
	i := s.untilIncident("the evidence has come", func(i incidentView) bool { return i.has("collect.pod", "succeeded") })
	s.wantRows("the result names what is missing", `
		select r.status, r.doc->'output'->'missing'->>0 from results r join intents i on i.id = r.intent_id
		where i.incident_id = '`+i.ID+`' and i.action = 'collect.pod' order by r.received_at limit 1`,
		[][]string{{"succeeded", "/api/v1/namespaces/production/pods/" + standin.CrashingPod}})
	s.wantEvicted(0)
}

// Alertmanager's peers both send, and n8n runs things twice now and then.
func TestDeliveredTwiceAtOnce(t *testing.T) {
	s := newStory(t, "twice")
	payload := s.webhookPayload()
	codes := make(chan int, 2)
	for range 2 {
		go func() { codes <- s.postWebhook(payload, intakeSecret) }()
	}
	if got := []int{<-codes, <-codes}; !cmp.Equal(got, []int{200, 200}) {
		t.Fatalf("the webhook answered %v, want 200 twice", got)
	}
	i := s.untilIncident("its repair is watched", func(i incidentView) bool { return i.State == "verifying" })
	s.wantEvicted(1)
	s.wantRows("one incident", `select count(*) from incidents where target->>'cluster' = 'twice'`, [][]string{{"1"}})
	s.wantRows("one restart", `select count(*) from intents where incident_id = '`+i.ID+`' and action = 'k8s.pod.restart'`, [][]string{{"1"}})
}

// Whoever does not hold the webhook's secret gets nowhere.
func TestWebhookWantsItsSecret(t *testing.T) {
	s := newStory(t, "twice")
	if got := s.postWebhook(s.webhookPayload(), "wrong"); got != 403 {
		t.Errorf("the webhook answered %d to a wrong secret, want 403", got)
	}
}

// Salve's refusals go back to the sender as they are.
func TestRefusalIsPassedOn(t *testing.T) {
	s := newStory(t, "twice")
	if got := s.postWebhook([]byte(`{"severity":"sideways","message":"x"}`), intakeSecret); got != 422 {
		t.Errorf("the webhook answered %d to an alert that Salve refuses, want 422", got)
	}
}

// A cluster that cannot be reached, or that n8n was never told of, must come
// back as a failed result: silence would look like work.
func TestClusterThatIsNotThere(t *testing.T) {
	for cluster, want := range map[string]string{
		deadCluster: "%ECONNREFUSED%",
		"unlisted":  `cluster "unlisted" is not in the KUBERNETES_URLS of this n8n`,
	} {
		t.Run(cluster, func(t *testing.T) {
			s := newStory(t, cluster)
			s.fires()
			i := s.untilIncident("the collect has failed", func(i incidentView) bool { return i.has("collect.pod", "failed") })
			s.wantRows("the result says why", `
				select r.status, r.doc->>'error' like '`+want+`' from results r join intents i on i.id = r.intent_id
				where i.incident_id = '`+i.ID+`' and i.action = 'collect.pod' order by r.received_at limit 1`,
				[][]string{{"failed", "t"}})
		})
	}
}

// n8n dies with a lease in hand. Its error workflow tells Salve at the next
// start, long before the lease would have ended.
func TestN8NKilledBetweenClaimAndResult(t *testing.T) {
	s := newStory(t, "killed")
	s.cluster.Fail(standin.Failure{Method: "POST", Path: "/eviction", Status: 500, Delay: time.Hour})
	s.fires()
	s.untilIncident("the restart is claimed", func(i incidentView) bool { return i.has("k8s.pod.restart", "running") })
	theWorld.n8n.process.kill()
	if err := theWorld.n8n.start(s.ctx); err != nil {
		t.Fatal(err)
	}
	i := s.untilIncident("its lease is known to be lost", func(i incidentView) bool { return i.has("k8s.pod.restart", "lost") })
	s.wantRows("the lease did not end by itself", `
		select reason from audit where incident_id = '`+i.ID+`' and operation = 'intent.lose'`,
		[][]string{{"the execution crashed before it reported a result"}})
}

// Somebody switches the executor off while an alert is on its way: nothing is claimed,
// nothing is lost, and once it is on again the heartbeat brings the work, each once.
func TestWorkflowSwitchedOffMeanwhile(t *testing.T) {
	s := newStory(t, "switched")
	s.turn("unpublish")
	s.fires()
	i := s.untilIncident("there is something to be done", func(i incidentView) bool { return i.has("collect.pod", "ready") })
	s.wantRows("nobody has it", `select count(*) from intents where incident_id = '`+i.ID+`' and worker <> ''`, [][]string{{"0"}})
	s.turn("publish")
	i = s.untilIncident("its repair is watched", func(i incidentView) bool { return i.has("k8s.pod.restart", "succeeded") })
	s.wantEvicted(1)
	s.wantRows("each thing was done once", `
		select count(*) from (select intent_id from results where incident_id = '`+i.ID+`' and flag = '' group by 1 having count(*) > 1) twice`, [][]string{{"0"}})
}

// turn switches the executor on or off, as an editor does, and waits until that is so.
func (s *story) turn(command string) {
	s.t.Helper()
	n := theWorld.n8n
	if _, err := run(s.ctx, n.commandEnv(), n.command(command+":workflow", "--id=salveExecuteIntent")...); err != nil {
		s.t.Fatal(err)
	}
	if err := cluster.Until(s.ctx, func() (bool, error) { return n.settled(s.ctx) }); err != nil {
		s.t.Fatal(err)
	}
}

// Alertmanager retries 5xx only: while Salve is away its alerts must not be
// taken for delivered, and must arrive when it is back.
func TestSalveAway(t *testing.T) {
	s := newStory(t, "twice")
	theWorld.salve.process.stop()
	if got := s.postWebhook(s.webhookPayload(), intakeSecret); got != 503 {
		t.Errorf("the webhook answered %d while Salve was away, want 503", got)
	}
	if err := theWorld.salve.start(s.ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.postWebhook(s.webhookPayload(), intakeSecret); got != 200 {
		t.Errorf("the webhook answered %d when Salve was back, want 200", got)
	}
}

// What n8n's own code says about the files, beside what test/n8n knows.
func TestWorkflowsPassN8NsOwnChecks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(workflowDir(), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow files: %v", err)
	}
	env := append(theWorld.n8n.env, "N8N_NODE_MODULES="+theWorld.n8n.modules)
	for _, script := range []string{"lint-sdk.js", "lint-params.js"} {
		argv := append([]string{theWorld.n8n.node, filepath.Join("..", "n8n", script)}, files...)
		if _, err := run(t.Context(), env, argv...); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
	reduced, err := run(t.Context(), env, theWorld.n8n.node, filepath.Join("..", "n8n", "reduce-nodes.js"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join("..", "n8n", "nodes.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(reduced), string(kept)); diff != "" {
		t.Errorf("nodes.json is not what reduce-nodes.js makes (-want +got):\n%s", diff)
	}
}

func (s *story) wantEvicted(n int) {
	s.t.Helper()
	evictions := s.cluster.Matching("POST", "/pods/"+standin.CrashingPod+"/eviction")
	if len(evictions) != n {
		s.t.Fatalf("the cluster was sent %d evictions of the pod, want %d", len(evictions), n)
	}
	for _, e := range evictions {
		var body struct {
			DeleteOptions struct{ Preconditions struct{ UID string } }
		}
		if err := json.Unmarshal(e.Body, &body); err != nil || body.DeleteOptions.Preconditions.UID == "" {
			s.t.Errorf("an eviction without a precondition on the pod's uid: %s", e.Body)
		}
	}
}

// wantAuthorized says that the right credential went to the right place.
func (s *story) wantAuthorized() {
	s.t.Helper()
	for _, r := range s.cluster.Requests() {
		if !r.Authorized {
			s.t.Errorf("%s %s came without its token", r.Method, r.Path)
		}
	}
}

func (s *story) wantRows(what, query string, want [][]string) {
	s.t.Helper()
	got, err := theWorld.salve.sql(s.ctx, query)
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s: rows differ (-want +got):\n%s", what, diff)
	}
}

// wantStory looks for operations in the audit, in this order.
func (s *story) wantStory(i incidentView, operations ...string) {
	s.t.Helper()
	rows, err := theWorld.salve.sql(s.ctx, `select operation from audit where incident_id = '`+i.ID+`' order by seq`)
	if err != nil {
		s.t.Fatal(err)
	}
	next := 0
	var seen []string
	for _, row := range rows {
		seen = append(seen, row[0])
		if next < len(operations) && row[0] == operations[next] {
			next++
		}
	}
	if next < len(operations) {
		s.t.Errorf("the audit does not tell of %s after %v: %s", operations[next], operations[:next], strings.Join(seen, ", "))
	}
}

// untilTold waits for a message about the incident: others tell Slack, too.
func (s *story) untilTold(i incidentView) (told standin.Request) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		for _, r := range theWorld.slack.Matching("POST", "/api/chat.postMessage") {
			if strings.Contains(string(r.Body), i.ShortID+" ") {
				told = r
			}
		}
		return told.Body != nil, nil
	})
	if err != nil {
		s.t.Fatalf("waiting for a message about %s: %v", i.ShortID, err)
	}
	return told
}
