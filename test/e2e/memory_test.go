//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// inGit is the Deployment as the team's repository has it.
const inGit = `# The shop's API.
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop-gitops}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: app
          image: registry.example.com/shop/api:1.4.2
          resources: {limits: {memory: 256Mi}} # measured in May
`

// Scenario 1 of SPEC section 10: a pod out of memory is restarted now, a pull request
// raises its limit for good, both results are recorded, and nobody is woken.
func TestScenarioOutOfMemory(t *testing.T) {
	s := newRealStory(t, "shop-gitops")
	theWorld.github.Write("main", "apps/api.yaml", inGit)
	s.apply(deployment, 2, `sim/needs-memory: 320Mi, sim/pods: "1", sim/restarts: "7"`)
	ill := s.untilPod("CrashLoopBackOff")

	s.fires()
	i := s.untilIncident("it is verified", func(i incidentView) bool { return i.State == "resolved" })
	i = s.untilIncident("nothing is under way", func(i incidentView) bool { return len(i.live()) == 0 })
	s.wantReplaced(ill)
	fresh, _ := s.pods()[0]["metadata"].(map[string]any)["name"].(string)
	s.wantRows("both changes were made once, by n8n, without a human", `
		select i.action, i.mode, i.state, i.worker, coalesce(r.doc->'output'->>'url', '') from intents i join results r on r.intent_id = i.id and r.flag = ''
		where i.incident_id = '`+i.ID+`' and i.effect = 'change' order by 1`,
		[][]string{{"git.pull_request", "auto", "succeeded", "n8n", "https://github.example/acme/deploy/pull/" + s.pull()}, {"k8s.pod.restart", "auto", "succeeded", "n8n", ""}})
	s.wantRows("the new pod's name is recorded", `
		select count(*) from results r join intents i on i.id = r.intent_id
		where i.incident_id = '`+i.ID+`' and i.action = 'k8s.pod.restart' and r.doc->'output'->'new_pods'->>0 <> '`+ill+`'`, [][]string{{"1"}})
	if fresh == ill {
		t.Errorf("pod %s is still there", ill)
	}
	branch := theWorld.github.Pulls[len(theWorld.github.Pulls)-1].Head
	if content, _ := theWorld.github.File(branch, "apps/api.yaml"); content != strings.Replace(inGit, "256Mi", "384Mi", 1) {
		t.Errorf("the branch %s holds\n%s", branch, content)
	}
	told := s.untilTold(i)
	if !strings.Contains(string(told.Body), "#devops") {
		t.Errorf("what was repaired is told elsewhere: %s", told.Body)
	}
}

// pull is the number of the newest pull request.
func (s *story) pull() string {
	s.t.Helper()
	if len(theWorld.github.Pulls) == 0 {
		s.t.Fatal("no pull request was opened")
	}
	url := theWorld.github.Pulls[len(theWorld.github.Pulls)-1].URL
	return url[strings.LastIndex(url, "/")+1:]
}
