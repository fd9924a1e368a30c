package policy

import (
	"math"
	"strings"
	"testing"

	"salve/internal/incident"
)

// The bounds are those of statsmodels' proportion_confint(method="wilson").
func TestLowerBound(t *testing.T) {
	for _, c := range []struct {
		helped, failed int
		want           float64
	}{{0, 0, 0}, {1, 0, 0.2065}, {10, 0, 0.7225}, {20, 0, 0.8389}, {40, 0, 0.9124}, {100, 0, 0.9630}, {95, 5, 0.8882}, {0, 10, 0}, {50, 50, 0.4038}} {
		if got := (TrackRecord{Helped: c.helped, Failed: c.failed}).LowerBound(); math.Abs(got-c.want) > 0.0005 {
			t.Errorf("%d of %d: %.4f, want %.4f", c.helped, c.helped+c.failed, got, c.want)
		}
	}
}

const asking = `
rules:
  - name: asks
    cause: pod.oom_killed
    level: 2
    ladder: [{steps: [{action: k8s.pod.restart}, {action: k8s.deployment.resources, mode: approve}]}]
  - name: written
    cause: pod.evicted
    level: 2
    ladder: [{steps: [{action: k8s.pod.restart, mode: approve}]}]
  - name: risky
    cause: node.not_ready
    level: 2
    ladder: [{steps: [{action: k8s.deployment.rollback}]}]
  - name: free
    cause: pod.liveness_failed
    level: 3
    ladder: [{steps: [{action: k8s.pod.restart}]}]
`

func TestProposes(t *testing.T) {
	p := load(t, asking)
	for name, c := range map[string]struct {
		record TrackRecord
		want   bool
	}{
		"enough":                   {TrackRecord{"pod.oom_killed", "k8s.pod.restart", "prod/shop", 40, 0}, true},
		"too few":                  {TrackRecord{"pod.oom_killed", "k8s.pod.restart", "prod/shop", 19, 0}, false},
		"not sure enough":          {TrackRecord{"pod.oom_killed", "k8s.pod.restart", "prod/shop", 30, 0}, false},
		"too many failures":        {TrackRecord{"pod.oom_killed", "k8s.pod.restart", "prod/shop", 95, 5}, false},
		"its mode is written out":  {TrackRecord{"pod.evicted", "k8s.pod.restart", "prod/shop", 100, 0}, false},
		"nobody asks":              {TrackRecord{"pod.liveness_failed", "k8s.pod.restart", "prod/shop", 100, 0}, false},
		"a remedy no rule takes":   {TrackRecord{"pod.oom_killed", "k8s.deployment.rollback", "prod/shop", 100, 0}, false},
		"a cause no rule is about": {TrackRecord{"job.backoff_exceeded", "k8s.pod.restart", "prod/shop", 100, 0}, false},
	} {
		reason, ok := p.Proposes(c.record)
		if ok != c.want || ok && !strings.Contains(reason, "helped against pod.oom_killed in prod/shop 40 of 40 times: at least 91 %") {
			t.Errorf("%s: %t, %q", name, ok, reason)
		}
	}
	if _, ok := load(t, "autonomy: {ceiling: 2}\n"+asking).Proposes(TrackRecord{"pod.oom_killed", "k8s.pod.restart", "prod/shop", 100, 0}); ok {
		t.Error("beyond the ceiling")
	}
}

func TestPromotedIsOneLevelUp(t *testing.T) {
	p := load(t, asking)
	promote := func(cause, action, scope string) func(*Facts) {
		return func(f *Facts) {
			f.State.Promoted = []incident.Promotion{{Cause: cause, Action: action, Scope: scope, DecidedBy: "ines"}}
		}
	}
	for name, c := range map[string]struct {
		cause   string
		change  func(*Facts)
		verdict incident.Verdict
		modes   []incident.Mode
		level   int
	}{
		"not promoted":              {"pod.oom_killed", func(*Facts) {}, incident.VerdictApprove, []incident.Mode{incident.Approve, incident.Approve}, 2},
		"promoted":                  {"pod.oom_killed", promote("pod.oom_killed", "k8s.pod.restart", "default/production"), incident.VerdictRepair, []incident.Mode{incident.Auto, incident.Approve}, 3},
		"promoted elsewhere":        {"pod.oom_killed", promote("pod.oom_killed", "k8s.pod.restart", "default/staging"), incident.VerdictApprove, []incident.Mode{incident.Approve, incident.Approve}, 2},
		"promoted for another":      {"pod.oom_killed", promote("pod.evicted", "k8s.pod.restart", "default/production"), incident.VerdictApprove, []incident.Mode{incident.Approve, incident.Approve}, 2},
		"a written mode stays":      {"pod.evicted", promote("pod.evicted", "k8s.pod.restart", "default/production"), incident.VerdictApprove, []incident.Mode{incident.Approve}, 2},
		"high risk gets a window":   {"node.not_ready", promote("node.not_ready", "k8s.deployment.rollback", "default/production"), incident.VerdictHold, []incident.Mode{incident.Hold}, 3},
		"level 3 is at its ceiling": {"pod.liveness_failed", promote("pod.liveness_failed", "k8s.pod.restart", "default/production"), incident.VerdictRepair, []incident.Mode{incident.Auto}, 3},
		"a storm asks all the same": {"pod.oom_killed", func(f *Facts) {
			promote("pod.oom_killed", "k8s.pod.restart", "default/production")(f)
			f.State.Storm = incident.Storm{ID: incident.ID{1}}
		}, incident.VerdictBlocked, []incident.Mode{incident.Approve, incident.Approve}, 3},
	} {
		d := p.Decide(with(crash(c.cause), c.change))
		var modes []incident.Mode
		for _, s := range d.Steps {
			modes = append(modes, s.Mode)
		}
		if d.Verdict != c.verdict || len(modes) != len(c.modes) || d.Level != c.level {
			t.Errorf("%s: %s, %v at level %d: %v", name, d.Verdict, modes, d.Level, d.Reasons)
			continue
		}
		for i := range modes {
			if modes[i] != c.modes[i] {
				t.Errorf("%s: %v, want %v", name, modes, c.modes)
			}
		}
	}
}
