//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// task runs one of Salve's tasks now, as its administrator.
func (s *story) task(name string, out any) {
	s.t.Helper()
	if err := theWorld.salve.call(s.ctx, http.MethodPost, "/v1/tasks/"+name+"/run", theWorld.salve.admin, []byte(`{"again":true}`), out); err != nil {
		s.t.Fatal(err)
	}
}

// A disk that will be full in about 20 days is seen in what the checks measured, and
// cleaned early over SSH once a second source sees it, too.
func TestDiskThatFillsIsCleanedEarly(t *testing.T) {
	h := theWorld.host
	h.write(t, "var/log/nginx/debug.log.3", "old", 30)
	s := newStory(t, "")
	s.host = "web-05"
	// A check, a look over SSH, a cleaning and the watch after it, each at the heartbeat's pace.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s.ctx = ctx

	// What the check saw in the past cannot be lived through here; the present is real:
	// n8n is given the check, runs df on the host, and hands it in.
	var past []object
	const hours = 8 * 24
	for i := range hours { // the last was an hour ago
		use := 68 - 1.8*float64(hours-i)/24
		past = append(past, object{"name": "web-05-disk", "kind": "disk", "host": "web-05", "observed_at": time.Now().Add(-time.Duration(hours-i) * time.Hour),
			"evidence": object{"disk": object{"host": "web-05", "filesystems": []object{{"mount": "/", "usePercent": use}}}}})
	}
	body, err := json.Marshal(past)
	if err != nil {
		t.Fatal(err)
	}
	if err := theWorld.salve.call(s.ctx, http.MethodPost, "/v1/checks", theWorld.salve.token, body, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	s.checks("checks:\n  - {name: web-05-disk, kind: disk, every: 1h, host: web-05}\n")
	var asked struct{}
	err = cluster.Until(s.ctx, func() (bool, error) { // until the checklist is read
		var answer struct{ Items []struct{ Listed bool } }
		err := theWorld.salve.get(s.ctx, "/v1/checks", &answer)
		return err == nil && len(answer.Items) > 0 && answer.Items[0].Listed, err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.task("full-checks", &asked)
	err = cluster.Until(s.ctx, func() (bool, error) {
		rows, err := theWorld.salve.sql(s.ctx, `select count(*) from checks where name = 'web-05-disk' and doc->>'finding' like '/ of web-05: 68 \% of the space%'`)
		return err == nil && rows[0][0] == "1", err
	})
	if err != nil {
		t.Fatalf("the check did not run: %v", err)
	}

	var ran struct {
		LastSummary string `json:"last_summary"`
		Trends      []struct {
			About, State, Cause string
			Until               float64 `json:"days_until"`
		}
	}
	s.task("resource-trends", &ran)
	if len(ran.Trends) == 0 || ran.Trends[0].State != "rising" || ran.Trends[0].Cause != "trend.disk_filling" || ran.Trends[0].Until < 15 || ran.Trends[0].Until > 25 {
		t.Fatalf("%+v, want the disk to be full in about 20 days", ran)
	}
	i := s.untilIncident("one source does not suffice", func(i incidentView) bool { return i.has("host.logs.clean", "blocked") })
	if i.Cause != "trend.disk_filling" {
		t.Errorf("the cause is %s, want trend.disk_filling", i.Cause)
	}

	alert := `{"severity": "warning", "message": "the file system is predicted to be full", "hostname": "web-05", "kind": "trend.disk_filling", "labels": {"alertname": "NodeFilesystemSpaceFillingUp", "instance": "web-05", "mountpoint": "/"}}`
	if got := s.postWebhook([]byte(alert), intakeSecret); got != 200 {
		t.Fatalf("the webhook answered %d", got)
	}
	s.untilIncident("it is cleaned", func(i incidentView) bool { return i.has("host.logs.clean", "succeeded") })
	if h.has("var/log/nginx/debug.log.3") {
		t.Error("the old log is still there")
	}
	i = s.untilIncident("it is verified", func(i incidentView) bool { return i.State == "resolved" })
	s.wantRows("two sources saw it", `select distinct source from alerts where incident_id = '`+i.ID+`' order by 1`, [][]string{{"checks"}, {"native"}})
}

// n8n's heartbeat is the clock of Salve's own tasks: each runs by itself. What another
// test asked for by hand stands in the record under that hand.
func TestTasksRunByThemselves(t *testing.T) {
	s := newStory(t, "")
	ran := ""
	err := cluster.Until(s.ctx, func() (bool, error) {
		rows, err := theWorld.salve.sql(s.ctx, `select count(distinct task), count(distinct task) filter (where run_by = 'salve') >= 7 from task_runs where succeeded`)
		if err == nil {
			ran = strings.Join(rows[0], " ")
		}
		return ran == "9 t", err
	})
	if err != nil {
		t.Fatalf("not every task ran: %s, %v", ran, err)
	}
	s.wantRows("none failed", `select task, summary from task_runs where not succeeded`, nil)
}
