package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/incident"
)

// daring is how far a decision goes by itself.
func daring(d incident.Decision) int {
	switch d.Verdict {
	case incident.VerdictRepair, incident.VerdictHold, incident.VerdictApprove:
		most := 0
		for _, s := range d.Steps {
			if effect, _, _ := (fakeCatalogue{}).Effect(s.Action); effect == incident.Change {
				most = max(most, boldness(s.Mode))
			}
		}
		return 1 + most
	case incident.VerdictBlocked:
		return 1 // it may run once its guards clear
	}
	return 0
}

// someFacts are facts of any kind around one cause.
func someFacts(t *rapid.T) Facts {
	f := crash(rapid.SampledFrom([]string{"pod.oom_killed", "pod.liveness_failed", "pod.readiness_failed", "pod.evicted", "unknown"}).Draw(t, "cause"))
	f.Automation = rapid.SampledFrom([]incident.Automation{incident.Live, incident.Live, incident.DryRunAll, incident.Paused, ""}).Draw(t, "automation")
	f.DryRun = rapid.Bool().Draw(t, "dry run")
	f.Trusted = rapid.Bool().Draw(t, "trusted")
	f.Incident.Rounds = rapid.IntRange(0, 4).Draw(t, "rounds")
	f.ObservedAt = now.Add(-time.Duration(rapid.IntRange(0, 8).Draw(t, "age")) * time.Minute)
	f.Incident.Target.Namespace = rapid.SampledFrom([]string{"production", "kube-system", ""}).Draw(t, "namespace")
	if rapid.Bool().Draw(t, "tin") {
		f.Labels["tier"] = "tin"
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "tried") {
		f.Tried = append(f.Tried, someTried(t, i+1))
	}
	return f
}

func someTried(t *rapid.T, rung int) Tried {
	return Tried{
		Action: "k8s.pod.restart", Rung: rung, Independent: rapid.Bool().Draw(t, "independent"),
		State: rapid.SampledFrom(incident.IntentStates()).Draw(t, "state"),
	}
}

// somePolicy is a policy whose ladders any author could write; what Load
// refuses is not one.
func somePolicy(t *rapid.T) *Policy {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		level := rapid.IntRange(2, 4).Draw(t, "level")
		fmt.Fprintf(&b, "  - name: r%d\n    cause: pod.*\n    level: %d\n", i, level)
		fmt.Fprintf(&b, "    if: %s\n    ladder:\n", rapid.SampledFrom([]string{
			"'true'", "target.labels.tier == 'gold'", "target.labels.tier == 'tin'", "incident.severity == 'high'"}).Draw(t, "if"))
		for range rapid.IntRange(1, 3).Draw(t, "rungs") {
			fmt.Fprintf(&b, "      - steps: [{action: %s}]\n", rapid.SampledFrom([]string{
				"k8s.pod.restart", "k8s.pod.restart, mode: approve", "k8s.pod.restart, mode: hold",
				"k8s.deployment.rollback", "notify.slack"}).Draw(t, "step"))
		}
	}
	p, err := Load("drawn", []byte(b.String()), fakeCatalogue{})
	if err != nil {
		t.Skip(err.Error())
	}
	return p
}

var worse = map[string]func(*Facts){
	"pause":                func(f *Facts) { f.Automation = incident.Paused },
	"dry run":              func(f *Facts) { f.DryRun = true },
	"dry run of all":       func(f *Facts) { f.Automation = incident.DryRunAll },
	"doubtful evidence":    func(f *Facts) { f.Trusted = false },
	"older evidence":       func(f *Facts) { f.ObservedAt = now.Add(-time.Hour) },
	"no evidence":          func(f *Facts) { f.ObservedAt = time.Time{} },
	"outside":              func(f *Facts) { f.Diagnosis.Subject.Namespace = "kube-system" },
	"a label that is gone": func(f *Facts) { f.Labels = nil },
	"a freeze":             func(f *Facts) { f.State.Freezes = append(f.State.Freezes, frozen(nil)) },
	"a storm":              func(f *Facts) { f.State.Storm = incident.Storm{ID: incident.ID{1}, BeganAt: now} },
	"a breaker":            func(f *Facts) { f.State.Breakers = []incident.Breaker{{Scope: f.Repair.TargetScope()}} },
	"repairs before":       repaired(3, time.Minute, func(*incident.Repair) {}),
	"what did not help":    repaired(1, time.Minute, func(r *incident.Repair) { r.Outcome = incident.RepairIneffective }),
	"unknown replicas":     func(f *Facts) { f.Blast = nil },
}

func TestMoreDoubtIsNeverBolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := somePolicy(t), someFacts(t)
		for name, makeWorse := range worse {
			before, after := p.Decide(f), p.Decide(with(f, makeWorse))
			if f.Automation != incident.Live && (name == "pause" || name == "dry run of all") {
				continue // from one standstill to another
			}
			if name == "a label that is gone" && f.Labels["tier"] == "tin" {
				continue // a condition on the label now fails instead of holding: another question
			}
			if daring(after) > daring(before) {
				t.Fatalf("%s made %s out of %s:\n%v\n%v\n%s", name, after.Verdict, before.Verdict, before.Reasons, after.Reasons, p.Source())
			}
		}
	})
}

func TestAFailureIsNeverBolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := somePolicy(t), someFacts(t)
		f.Tried = nil
		before := p.Decide(f)
		for rung := 1; rung <= 3; rung++ {
			f.Tried = append(f.Tried, Tried{Action: "k8s.pod.restart", Rung: rung,
				State: rapid.SampledFrom([]incident.IntentState{incident.Failed, incident.Lost, incident.Expired, incident.Succeeded}).Draw(t, "end")})
			after := p.Decide(f)
			if daring(after) > daring(before) {
				t.Fatalf("a failure made %s out of %s:\n%v\n%s", after.Verdict, before.Verdict, after.Reasons, p.Source())
			}
			before = after
		}
	})
}

func TestFewerInInventoryIsNeverBolder(t *testing.T) {
	wide, narrow := load(t, defaultSource), load(t, strings.Replace(defaultSource, `["*", "!kube-*"]`, `["*", "!kube-*", "!prod*"]`, 1))
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts(t)
		if before, after := wide.Decide(f), narrow.Decide(f); daring(after) > daring(before) {
			t.Fatalf("%s out of %s", after.Verdict, before.Verdict)
		}
	})
}

func TestTheSameFactsGiveTheSameDecision(t *testing.T) {
	p := load(t, climbing)
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts(t)
		if a, b := fmt.Sprintf("%+v", p.Decide(f)), fmt.Sprintf("%+v", p.Decide(f)); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}
