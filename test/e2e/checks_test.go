//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"salve/test/cluster"
)

// checkView is what the tests look at of GET /v1/checks.
type checkView struct {
	Name        string `json:"name"`
	LastStatus  string `json:"last_status"`
	LastFinding string `json:"last_finding"`
}

// The checklist alone sets everything going: the heartbeat is given what is due, n8n
// reads cluster, host and address, and what the checks find is repaired and verified.
func TestHeartbeatRunsChecks(t *testing.T) {
	s := newRealStory(t, "shop-checks")
	s.apply(deployment, 2, `sim/needs-memory: 320Mi, sim/pods: "1", sim/restarts: "7"`)
	ill := s.untilPod("CrashLoopBackOff")
	s.checks(fmt.Sprintf(`checks:
  - {name: shop-pods, kind: k8s_pods, every: 1m, cluster: %s, namespace: shop-checks}
  - {name: web-01-disk, kind: disk, every: 1h, host: web-01}
  - {name: salve-answers, kind: http, every: 1h, url: "%s/healthz"}
  - {name: nobody-answers, kind: http, every: 1h, url: "http://127.0.0.1:1/"}
  - {name: unknown-host, kind: disk, every: 1h, host: web-99}
  - {name: audit, kind: security_audit, every: 1h, cluster: %[1]s, namespace: shop-checks}
`, s.name, theWorld.salve.url))

	i := s.untilIncident("the pod that no alert told of was restarted", func(i incidentView) bool { return i.has("k8s.pod.restart", "succeeded") })
	s.wantReplaced(ill)
	s.wantRows("a check found it", `select distinct source, name from alerts where incident_id = '`+i.ID+`'`, [][]string{{"checks", "shop-pods"}})
	for name, want := range map[string][2]string{
		"web-01-disk":    {"healthy", "/ of web-01: 64 % of the space and 10 % of the inodes used"},
		"salve-answers":  {"healthy", theWorld.salve.url + "/healthz answered 200"},
		"nobody-answers": {"unhealthy", "http://127.0.0.1:1/ could not be reached: "},
		"unknown-host":   {"error", `could not look: `},
		"audit":          {"healthy", "the security audit found nothing"},
	} {
		s.wantCheck(name, want[0], want[1])
	}
	s.untilIncident("a later run sees it well", func(i incidentView) bool { return i.State == "resolved" })
	s.wantCheck("shop-pods", "healthy", "")
	s.wantRows("a site that does not answer is an incident", `
		select severity from incidents where target->>'service' = 'nobody-answers'`, [][]string{{"high"}})
	s.wantRows("nothing was handed out twice", `
		select count(*) from checks where name <> 'shop-pods' and offered_at > ran_at`, [][]string{{"0"}})
}

// checks puts a checklist in force until the test ends.
func (s *story) checks(list string) {
	s.t.Helper()
	write := func(text string) {
		if err := os.WriteFile(theWorld.salve.checklist(), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	write(list)
	s.t.Cleanup(func() { write("checks: []\n") })
}

func (s *story) wantCheck(name, status, finding string) {
	s.t.Helper()
	var found checkView
	err := cluster.Until(s.ctx, func() (bool, error) {
		var answer struct{ Items []checkView }
		if err := theWorld.salve.call(s.ctx, http.MethodGet, "/v1/checks", theWorld.salve.human, nil, &answer); err != nil {
			return false, err
		}
		for _, c := range answer.Items {
			if c.Name == name {
				found = c
			}
		}
		return found.LastStatus == status, nil
	})
	if err != nil || len(found.LastFinding) < len(finding) || found.LastFinding[:len(finding)] != finding {
		s.t.Errorf("check %s is %s: %q, want %s: %q (%v)", name, found.LastStatus, found.LastFinding, status, finding, err)
	}
}
