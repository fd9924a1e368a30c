package policy

import (
	"strings"
	"testing"
	"time"

	"salve/internal/incident"
)

func TestHours(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	night := Hours{From: 22 * 60, To: 7 * 60}
	sunday := Hours{Days: []time.Weekday{time.Sunday}, From: 2 * 60, To: 5 * 60}
	for _, c := range []struct {
		name         string
		hours        Hours
		zone         *time.Location
		at, from, to string
		on           bool
	}{
		{"in the evening", night, time.UTC, "2026-11-20T22:00:00Z", "2026-11-20T22:00:00Z", "2026-11-21T07:00:00Z", true},
		{"after midnight", night, time.UTC, "2026-11-21T06:59:00Z", "2026-11-20T22:00:00Z", "2026-11-21T07:00:00Z", true},
		{"by day", night, time.UTC, "2026-11-21T07:00:00Z", "2026-11-21T22:00:00Z", "2026-11-22T07:00:00Z", false},
		{"another zone", night, amsterdam, "2026-11-20T21:00:00Z", "2026-11-20T21:00:00Z", "2026-11-21T06:00:00Z", true},
		{"the night the clock goes back", night, amsterdam, "2026-10-24T23:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z", true},
		{"a friday", sunday, time.UTC, "2026-11-20T03:00:00Z", "2026-11-22T02:00:00Z", "2026-11-22T05:00:00Z", false},
		{"the sunday", sunday, time.UTC, "2026-11-22T03:00:00Z", "2026-11-22T02:00:00Z", "2026-11-22T05:00:00Z", true},
		{"just after", sunday, time.UTC, "2026-11-22T05:00:00Z", "2026-11-29T02:00:00Z", "2026-11-29T05:00:00Z", false},
	} {
		from, to := c.hours.next(at(c.at), c.zone)
		if !from.Equal(at(c.from)) || !to.Equal(at(c.to)) || c.hours.on(at(c.at), c.zone).IsZero() == c.on {
			t.Errorf("%s: %s to %s", c.name, from.UTC(), to.UTC())
		}
	}
}

const holding = `
rules:
  - name: held
    cause: node.not_ready
    level: 3
    ladder: [{steps: [{action: k8s.deployment.rollback}, {action: notify.slack}]}]
  - name: patient
    cause: cert.expiring
    level: 3
    when: window
    ladder: [{steps: [{action: k8s.pod.restart}, {action: notify.slack}]}]
`

// It is 03:15 in these tests.
func TestQuietHours(t *testing.T) {
	f := crash("node.not_ready")
	for name, c := range map[string]struct {
		policy    string
		verdict   incident.Verdict
		notBefore time.Time
		reason    string
	}{
		"none":           {"", incident.VerdictHold, time.Time{}, "it runs after a window"},
		"by day":         {"quiet_hours: {from: \"04:00\", to: \"07:00\"}\n", incident.VerdictHold, time.Time{}, "it runs after a window"},
		"another day":    {"quiet_hours: {from: \"22:00\", to: \"07:00\", days: [mon]}\n", incident.VerdictHold, time.Time{}, "it runs after a window"},
		"a yes":          {"quiet_hours: {from: \"22:00\", to: \"07:00\"}\n", incident.VerdictApprove, time.Time{}, "quiet until 2026-11-20T07:00:00Z, and nobody may see an abort window: a human must say yes"},
		"in the morning": {"quiet_hours: {from: \"22:00\", to: \"07:00\", hold: wait}\n", incident.VerdictHold, at("2026-11-20T07:00:00Z"), "it waits until then"},
	} {
		d := load(t, c.policy+"maintenance: [{from: \"02:00\", to: \"03:00\"}]\n"+holding).Decide(f)
		if d.Verdict != c.verdict || !d.Steps[0].NotBefore.Equal(c.notBefore) || !d.Steps[1].NotBefore.IsZero() || !strings.Contains(strings.Join(d.Reasons, "\n"), c.reason) {
			t.Errorf("%s: %s, not before %s: %v", name, d.Verdict, d.Steps[0].NotBefore, d.Reasons)
		}
	}
}

func TestMaintenanceWindow(t *testing.T) {
	f := crash("cert.expiring")
	for window, want := range map[string][2]string{
		`{from: "02:00", to: "03:00"}`: {"2026-11-21T02:00:00Z", "2026-11-21T03:00:00Z"},
		`{from: "03:00", to: "04:00"}`: {"2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z"},
		`{from: "02:00", to: "03:00", days: [sun]}, {from: "02:00", to: "03:00", days: [wed]}`: {"2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z"},
	} {
		d := load(t, "maintenance: ["+window+"]\n"+holding).Decide(f)
		if s := d.Steps[0]; !s.NotBefore.Equal(at(want[0])) || !s.NotAfter.Equal(at(want[1])) || !d.Steps[1].NotBefore.IsZero() {
			t.Errorf("%s: from %s to %s", window, s.NotBefore, s.NotAfter)
		}
	}
}

func TestOnboarding(t *testing.T) {
	src := "onboarding: {days: 7, services: {api: 2026-11-18, shop: 2026-11-01}}\n" + climbing
	f := crash("pod.oom_killed")
	for service, want := range map[string]incident.Verdict{"api": incident.VerdictTell, "shop": incident.VerdictRepair, "else": incident.VerdictRepair} {
		f.Incident.Service = service
		if d := load(t, src).Decide(f); d.Verdict != want || (d.Level == 1) != (want == incident.VerdictTell) {
			t.Errorf("%s: %s at level %d", service, d.Verdict, d.Level)
		}
	}
	f.Incident.Service = "api"
	if d := load(t, strings.Replace(src, "days: 7", "days: 0", 1)).Decide(f); d.Verdict != incident.VerdictRepair {
		t.Errorf("no days: %s", d.Verdict)
	}
}

const own = `
groups: {sre: [ines, "slack:U1"]}
approval: {quorum: 2}
rules:
  - name: own
    cause: pod.oom_killed
    level: 3
    approvers: [root, "group:sre"]
    quorum: 3
    verification: {window: 1h}
    channels: {high: "#own"}
    guards: {cooldown: 30m, budget: 1, blast_radius: {pods: 0, percent: 10}}
    ladder: [{steps: [{action: k8s.pod.restart}]}]
  - name: plain
    cause: pod.evicted
    level: 3
    ladder: [{steps: [{action: k8s.pod.restart}]}]
`

func TestARulesOwnSettings(t *testing.T) {
	p := load(t, own)
	if got := strings.Join(p.Approvers("own"), " "); got != "root group:sre ines slack:U1" || p.Approvers("plain") != nil || p.Approvers("") != nil {
		t.Errorf("approvers %s", got)
	}
	if p.Quorum("own") != 3 || p.Quorum("plain") != 2 || p.Quorum("") != 2 {
		t.Errorf("quorum %d, %d, %d", p.Quorum("own"), p.Quorum("plain"), p.Quorum(""))
	}
	if p.Verification("own") != time.Hour || p.Verification("plain") != 10*time.Minute {
		t.Errorf("watched for %s and %s", p.Verification("own"), p.Verification("plain"))
	}
	if c := p.Channels("own"); c.High != "#own" || c.Critical != "#incidents" || p.Channels("plain").High != "#incidents" {
		t.Errorf("channels %+v", c)
	}
	for guard, state := range map[string]func(*Facts){
		GuardCooldown:    repaired(1, 20*time.Minute, func(*incident.Repair) {}),
		GuardBudget:      repaired(1, 50*time.Minute, func(*incident.Repair) {}),
		GuardBlastRadius: blast(1, 9, 9),
	} {
		f := with(crash("pod.oom_killed"), state)
		if !named(t, p.Guard(f.guardFacts("own", 1, restart)), guard).Stops || named(t, p.Guard(f.guardFacts("plain", 1, restart)), guard).Stops {
			t.Errorf("guard %s is not this rule's own", guard)
		}
	}
}
