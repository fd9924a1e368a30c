//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"salve/test/standin"
)

// asked asks for a report as the schedule does, and gives the status of the execution.
func asked(t *testing.T, kind string) int {
	t.Helper()
	code, _, err := theWorld.n8n.post(t.Context(), "salve-test-report", object{"kind": kind})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func writes() (n int) {
	for _, r := range theWorld.github.Seen() {
		if strings.HasPrefix(r, "PUT /contents/reports/") {
			n++
		}
	}
	return n
}

// A report goes to Slack and into Git, once: what is there already is not committed again.
func TestReports(t *testing.T) {
	week := time.Now().UTC().AddDate(0, 0, -7)
	year, number := week.ISOWeek()
	name := "reports/weekly/" + time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") + "-W" + string(rune('0'+number/10)) + string(rune('0'+number%10)) + ".md"
	before := writes()
	theWorld.slack.Fail(standin.Failure{Method: "POST", Path: "/api/chat.postMessage", Status: 503})
	code := asked(t, "week")
	theWorld.slack.Heal()
	if code == 200 {
		t.Error("Slack was away, and the execution ended well")
	}
	content, _ := theWorld.github.File("main", name)
	if !strings.HasPrefix(content, "# Week of ") || !strings.Contains(content, "## Needs attention") {
		t.Errorf("%s holds %q", name, content)
	}
	if got := writes() - before; got != 1 {
		t.Errorf("%d files were written, want 1: Slack's trouble keeps nothing from Git", got)
	}
	if code := asked(t, "week"); code != 200 {
		t.Fatalf("the execution ended with %d", code)
	}
	told := false
	for _, r := range theWorld.slack.Matching("POST", "/api/chat.postMessage") {
		told = told || strings.Contains(string(r.Body), `"type":"markdown"`) && strings.Contains(string(r.Body), "# Week of ") && r.Authorized
	}
	if !told {
		t.Error("Slack was not told of the week")
	}
	if code := asked(t, "week"); code != 200 {
		t.Errorf("asked again: the execution ended with %d", code)
	}
	if got := writes() - before; got != 1 {
		t.Errorf("asked twice: %d files were written, want 1", got)
	}

	if code := asked(t, "day"); code != 200 {
		t.Errorf("the day: the execution ended with %d", code)
	}
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	if content, _ := theWorld.github.File("main", "reports/daily/"+yesterday+".md"); !strings.HasPrefix(content, "# Record of "+yesterday) {
		t.Errorf("the day of %s holds %q", yesterday, content)
	}
	if code := asked(t, "briefing"); code != 200 {
		t.Errorf("the briefing: the execution ended with %d", code)
	}
}

// What Slack or GitHub refused must not look like work: the execution fails.
func TestReportThatIsRefused(t *testing.T) {
	theWorld.github.Fail(standin.GitHubFails{Request: "GET /contents/reports/", Status: 500})
	code := asked(t, "week")
	theWorld.github.Heal()
	if code == 200 {
		t.Error("GitHub was unwell, and the execution ended well")
	}
	if code := asked(t, "fortnight"); code == 200 {
		t.Error("there is no such report, and the execution ended well")
	}
}
