package main

import (
	"bytes"
	"context"
	"regexp"
	"testing"
	"time"
)

// The demo is a promise of the README: it must go through, in bounded time, and
// tell the whole story.
func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, &out)
	t.Logf("%s", &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`alertmanager  KubePodCrashLooping is firing`,
		`salve         does not know yet, and does not guess`,
		`salve         diagnoses pod.oom_killed`,
		`“[^”]*OOMKilled[^”]*”`,
		`n8n           INT-\d+ k8s.pod.restart`,
		`512Mi → 768Mi`,
		`ines          says yes`,
		`Slack #devops`,
		`INC-1 is resolved`,
		`incident.opened`,
		`audit         holds`,
		`Everything happened as it should\.`,
	} {
		if !regexp.MustCompile(line).Match(out.Bytes()) {
			t.Errorf("the demo does not tell %s", line)
		}
	}
}

// Silence must not look like success: what did not happen is named.
func TestChecksSeeWhatIsMissing(t *testing.T) {
	p := &play{}
	for name, err := range map[string]error{
		"an incident that is not resolved": p.checkStory(incidentStory{State: "verifying"}),
		"an audit that is broken":          checkAudit(verification{Rows: 3, Broken: "row 2"}),
		"an audit without rows":            checkAudit(verification{OK: true}),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
