//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"salve/test/cluster"
)

// A sender posts past n8n, and a person says yes past n8n: no answer that n8n gets
// names what is ready. Its heartbeat fetches all of it, each once.
func TestHeartbeatFetchesWhatWasOfferedToNobody(t *testing.T) {
	s := newRealStory(t, "shop-direct")
	s.apply(deployment, 2, `sim/needs-memory: 320Mi, sim/pods: "1", sim/restarts: "7"`)
	ill := s.untilPod("CrashLoopBackOff")

	var answer struct {
		Intents []struct{ State string }
	}
	if err := theWorld.salve.call(s.ctx, http.MethodPost, "/v1/alerts/alertmanager", theWorld.salve.sender, s.webhookPayload(), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Intents) == 0 || answer.Intents[0].State != "ready" {
		t.Errorf("the sender was answered %+v, want something that is ready", answer)
	}
	s.untilIncident("the pod was restarted", func(i incidentView) bool { return i.has("k8s.pod.restart", "succeeded") })
	s.wantReplaced(ill)

	const raise = "k8s.deployment.resources"
	i := s.untilIncident("the raise waits for a yes", func(i incidentView) bool { return i.has(raise, "awaiting_approval") })
	s.approve(i, raise)
	i = s.untilIncident("the raise was made", func(i incidentView) bool { return i.has(raise, "succeeded") })
	s.wantRows("each change was made once, by n8n", `
		select i.action, i.worker, count(*) from intents i join results r on r.intent_id = i.id and r.flag = ''
		where i.incident_id = '`+i.ID+`' and i.effect = 'change' group by 1, 2 order by 1`,
		[][]string{{raise, "n8n", "1"}, {"k8s.pod.restart", "n8n", "1"}})
	s.wantRows("where it was given something twice, the second claim was refused", `
		select count(*) from audit where incident_id = '`+i.ID+`' and operation = 'claim.refused' and reason not like 'already_claimed: %'`,
		[][]string{{"0"}})
	deployments, err := theWorld.cluster.Items(s.ctx, "/apis/apps/v1/namespaces/shop-direct/deployments")
	if err != nil || len(deployments) != 1 {
		t.Fatalf("%d deployments, %v", len(deployments), err)
	}
	if got := cluster.At(deployments[0], "spec", "template", "spec", "containers", 0, "resources", "limits", "memory"); got != "384Mi" {
		t.Errorf("the memory limit is %v, want half as much again as 256Mi", got)
	}
}

// approve says yes as a person, to the plan that was shown.
func (s *story) approve(i incidentView, action string) {
	s.t.Helper()
	for _, in := range i.Intents {
		if in.Action != action || in.State != "awaiting_approval" {
			continue
		}
		body, err := json.Marshal(map[string]string{"plan_hash": in.PlanHash, "reason": "seen"})
		if err != nil {
			s.t.Fatal(err)
		}
		var decided struct{ State string }
		if err := theWorld.salve.call(s.ctx, http.MethodPost, "/v1/intents/"+in.ID+"/approve", theWorld.salve.human, body, &decided); err != nil {
			s.t.Fatal(err)
		}
	}
}
