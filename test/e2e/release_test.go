//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"salve/test/cluster"
	"salve/test/standin"
)

// release is a Deployment at one version, whose rollout gives up after some seconds.
const release = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}}
spec:
  replicas: 2
  progressDeadlineSeconds: 4
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations: {%s}
    spec:
      containers:
        - {name: app, image: "registry.example.com/shop/api:%s"}`

const deployments = "/apis/apps/v1/namespaces/%s/deployments/api"

// newReleaseStory brings out a version that serves and then one that does not start.
func newReleaseStory(t *testing.T, namespace string) *story {
	t.Helper()
	s := newRealStory(t, namespace)
	s.apply(release, "sim/state: Running", "1.2.3")
	s.untilDeployment("it serves", func(d cluster.Object) bool { return cluster.At(d, "status", "availableReplicas") == 2.0 })
	s.apply(release, `sim/state: CrashLoopBackOff, sim/exit-code: "1", sim/previous-log: "starting\nfatal: no such option --cache\n"`, "1.2.4")
	s.untilDeployment("its rollout has stalled", func(d cluster.Object) bool {
		conditions, _ := cluster.At(d, "status", "conditions").([]any)
		for _, c := range conditions {
			if c.(cluster.Object)["reason"] == "ProgressDeadlineExceeded" {
				return true
			}
		}
		return false
	})
	s.alertname, s.about = "KubeDeploymentRolloutStuck", map[string]string{"deployment": "api"}
	return s
}

func (s *story) untilDeployment(what string, as func(cluster.Object) bool) (last cluster.Object) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		code, answer, err := theWorld.cluster.As(s.ctx, theWorld.kubeToken(), http.MethodGet, fmt.Sprintf(deployments, s.namespace), "", nil)
		if err != nil || code != http.StatusOK {
			return false, err
		}
		last = nil
		return json.Unmarshal(answer, &last) == nil && as(last), nil
	})
	if err != nil {
		s.t.Fatalf("waiting until %s: %v; the Deployment is %v", what, err, last)
	}
	return last
}

func (s *story) wantImage(version string) {
	s.t.Helper()
	s.untilDeployment("its image is "+version, func(d cluster.Object) bool {
		image, _ := cluster.At(d, "spec", "template", "spec", "containers", 0, "image").(string)
		return strings.HasSuffix(image, ":"+version)
	})
}

// Scenario 3 of SPEC section 10: a release that does not start is announced, rolled
// back after the window by the template that lies in the cluster, watched to the end,
// and verified.
func TestScenarioRollback(t *testing.T) {
	s := newReleaseStory(t, "shop-release")
	s.fires()
	i := s.untilIncident("it is verified", func(i incidentView) bool { return i.State == "resolved" })
	s.wantImage("1.2.3")
	s.wantRows("it was announced, rolled back once, and watched until all pods were ready", `
		select i.action, i.mode, i.state, i.worker, r.doc->'output'->>'watched' from intents i join results r on r.intent_id = i.id and r.flag = ''
		where i.incident_id = '`+i.ID+`' and i.effect = 'change'`,
		[][]string{{"k8s.deployment.rollback", "hold", "succeeded", "n8n", "2 of 2 pods are updated, 2 available"}})
	announced := s.untilTold(i)
	if !strings.Contains(string(announced.Body), "#incidents") && !strings.Contains(string(announced.Body), "#devops") {
		t.Errorf("the message went elsewhere: %s", announced.Body)
	}
	s.wantStory(i, "incident.opened", "intent.issued", "intent.claim", "intent.succeed", "incident.resolved")
}

// A no within the window, and nothing is touched.
func TestAbortStopsTheRollback(t *testing.T) {
	s := newReleaseStory(t, "shop-abort")
	s.fires()
	i := s.untilIncident("its window is open", func(i incidentView) bool { return i.has("k8s.deployment.rollback", "holding") })
	for _, in := range i.Intents {
		if in.Action == "k8s.deployment.rollback" {
			var decided struct{ State string }
			if err := theWorld.salve.call(s.ctx, http.MethodPost, "/v1/intents/"+in.ID+"/abort", theWorld.salve.human, []byte(`{"reason":"it is mine"}`), &decided); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.untilIncident("a human has it", func(i incidentView) bool { return i.State == "escalated" && len(i.live()) == 0 })
	s.wantImage("1.2.4")
}

// While Slack is away nobody can have seen the announcement: a window nobody sees is
// no consent, so a human is asked.
func TestSlackAwayIsNoConsent(t *testing.T) {
	s := newReleaseStory(t, "shop-unheard")
	theWorld.slack.Fail(standin.Failure{Method: "POST", Path: "/api/chat.postMessage", Status: 503})
	t.Cleanup(theWorld.slack.Heal)
	s.fires()
	i := s.untilIncident("a human is asked", func(i incidentView) bool { return i.has("k8s.deployment.rollback", "awaiting_approval") })
	s.wantRows("the message is known to be undelivered", `
		select distinct r.status, r.doc->>'error' from results r join intents i on i.id = r.intent_id
		where i.incident_id = '`+i.ID+`' and i.action = 'notify.slack' and r.status = 'failed'`, [][]string{{"failed", "Slack answered 503: no reason"}})
	s.wantImage("1.2.4")
}
