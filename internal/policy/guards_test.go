package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

// guardCases is the table of what each guard stops. Each case breaks one thing
// in facts that allow a repair; nothing but the named guard may notice.
var guardCases = []struct {
	name    string
	guard   string
	breakIt func(*Facts)
	verdict incident.Verdict
	reading string
}{
	{"dry run", GuardMode, func(f *Facts) { f.Automation = incident.DryRunAll }, incident.VerdictDryRun,
		"automation is dry_run: changes are shown, none is made"},
	{"dry run of one request", GuardMode, func(f *Facts) { f.DryRun = true }, incident.VerdictDryRun, "the request asked for a dry run"},
	{"dry run of the incident", GuardMode, func(f *Facts) { f.Incident.DryRun = true }, incident.VerdictDryRun, "the request asked for a dry run"},
	{"kill switch", GuardMode, func(f *Facts) { f.Automation = incident.Paused }, incident.VerdictBlocked,
		"automation is paused: nothing is changed"},
	{"no mode known", GuardMode, func(f *Facts) { f.Automation = "" }, incident.VerdictBlocked,
		`automation is "", which is not a mode: nothing is changed`},
	{"no evidence", GuardEvidence, func(f *Facts) { f.ObservedAt = time.Time{} }, incident.VerdictCollect, "there is no evidence"},
	{"anybody's evidence", GuardEvidence, func(f *Facts) { f.Trusted = false }, incident.VerdictCollect,
		"the evidence came neither through a lease nor from a trusted sender"},
	{"old evidence", GuardEvidence, func(f *Facts) { f.ObservedAt = now.Add(-5*time.Minute - time.Second) }, incident.VerdictCollect,
		"the evidence is 5m1s old, older than 5m"},
	{"evidence from the future", GuardEvidence, func(f *Facts) { f.ObservedAt = now.Add(2 * time.Minute) }, incident.VerdictCollect,
		"the evidence is 2m0s ahead of the clock"},
	{"all rounds used", GuardEvidence, func(f *Facts) { f.Trusted, f.Incident.Rounds = false, 3 }, incident.VerdictEscalate,
		"the evidence came neither through a lease nor from a trusted sender"},
	{"Kubernetes' own namespace", GuardInventory, func(f *Facts) { f.Incident.Target.Namespace = "kube-system" }, incident.VerdictBlocked,
		`namespace "kube-system" is not in inventory.namespaces`},
	{"labels say one thing, evidence another", GuardInventory, func(f *Facts) { f.Diagnosis.Subject.Namespace = "kube-system" },
		incident.VerdictBlocked, `namespace "kube-system" is not in inventory.namespaces`},
	{"the owner lives elsewhere", GuardInventory, func(f *Facts) { f.Diagnosis.Owner.Namespace = "kube-system" },
		incident.VerdictBlocked, `namespace "kube-system" is not in inventory.namespaces`},
	{"a host", GuardInventory, func(f *Facts) {
		f.Incident.Target, f.Diagnosis = incident.Target{Host: "web-01"}, incident.Diagnosis{Cause: f.Diagnosis.Cause}
	}, incident.VerdictBlocked, `host "web-01" is not in inventory.hosts`},
	{"nothing named", GuardInventory, func(f *Facts) {
		f.Incident.Target, f.Diagnosis = incident.Target{Service: "api"}, incident.Diagnosis{Cause: f.Diagnosis.Cause}
	}, incident.VerdictBlocked, "no object or host is named: nothing that could be in the inventory"},
}

func TestEachGuardStopsAChange(t *testing.T) {
	p := load(t, defaultSource)
	covered := map[string]bool{}
	for _, c := range guardCases {
		t.Run(c.name, func(t *testing.T) {
			covered[c.guard] = true
			f := with(crash("pod.oom_killed"), c.breakIt)
			d := p.Decide(f)
			if d.Verdict != c.verdict || !strings.Contains(d.Reasons[len(d.Reasons)-1], c.reading) {
				t.Errorf("%s: %s; want %s: %s", d.Verdict, d.Reasons, c.verdict, c.reading)
			}
			checkReadings(t, d.Guards, c.guard, c.reading)
			checkReadings(t, p.Guard(f.guardFacts("")), c.guard, c.reading)
		})
	}
	for _, name := range GuardNames() {
		if !covered[name] {
			t.Errorf("guard %s stops nothing in this table", name)
		}
	}
}

func checkReadings(t *testing.T, readings []incident.Reading, guard, words string) {
	t.Helper()
	var names []string
	for _, r := range readings {
		names = append(names, r.Guard)
		if r.Stops != (r.Guard == guard) {
			t.Errorf("guard %s: stops %t (%s)", r.Guard, r.Stops, r.Reading)
		}
		if r.Guard == guard && r.Reading != words {
			t.Errorf("guard %s reads %q, want %q", guard, r.Reading, words)
		}
	}
	if diff := cmp.Diff([]string{"mode", "evidence", "inventory"}, names); diff != "" {
		t.Errorf("guards (-want +got):\n%s", diff)
	}
}

func TestGuardsStopChangesOnly(t *testing.T) {
	p := load(t, defaultSource)
	worst := GuardFacts{Automation: incident.Paused}
	for effect, want := range map[incident.Effect]int{
		incident.Observe: 0, incident.Tell: 0, incident.Change: 3, "": 3, "else": 3,
	} {
		worst.Effect = effect
		stops := 0
		for _, r := range p.Guard(worst) {
			if r.Stops {
				stops++
			}
		}
		if stops != want {
			t.Errorf("effect %q: %d guards stop it, want %d", effect, stops, want)
		}
	}
	told := crash("pod.image_not_found")
	told.Automation = incident.Paused
	if d := p.Decide(told); d.Verdict != incident.VerdictTell || len(d.Guards) != 0 {
		t.Errorf("%s with %v: a paused Salve still calls for help", d.Verdict, d.Guards)
	}
}

// Nobody is asked to approve what is old or made up. Once approved, an intent
// waits for its claim without growing too old; where it came from still counts.
func TestEvidenceForAnApproval(t *testing.T) {
	p := load(t, defaultSource)
	old := with(crash("pod.readiness_failed"), func(f *Facts) { f.ObservedAt = now.Add(-time.Hour) })
	if d := p.Decide(old); d.Verdict != incident.VerdictCollect {
		t.Errorf("%s on old evidence", d.Verdict)
	}
	claim := old.guardFacts("")
	claim.Mode = incident.Approve
	want := incident.Reading{Guard: GuardEvidence, Reading: "the evidence is trusted and 1h0m0s old; its age was looked at with the yes"}
	if diff := cmp.Diff(want, p.Guard(claim)[1]); diff != "" {
		t.Errorf("reading at the claim (-want +got):\n%s", diff)
	}
	claim.Trusted = false
	if !p.Guard(claim)[1].Stops {
		t.Error("a yes made anybody's evidence true")
	}
}

func TestADryRunIsShownWhateverElseStopsIt(t *testing.T) {
	p := load(t, defaultSource)
	f := with(crash("pod.oom_killed"), func(f *Facts) {
		f.DryRun, f.Automation, f.Incident.Target.Namespace = true, incident.Paused, "kube-system"
	})
	d := p.Decide(f)
	want := `shown only; guard mode: the request asked for a dry run; guard inventory: namespace "kube-system" is not in inventory.namespaces`
	if got := d.Reasons[len(d.Reasons)-1]; d.Verdict != incident.VerdictDryRun || got != want || len(d.Steps) != 2 {
		t.Errorf("%s, %d steps: %s", d.Verdict, len(d.Steps), got)
	}
}

func TestAClaimReadsTheRulesDryRun(t *testing.T) {
	p := load(t, climbing)
	f := crash("job.backoff_exceeded")
	facts := f.guardFacts("watched")
	if r := p.Guard(facts)[0]; !r.Stops || r.Reading != "rule watched is a dry run" {
		t.Errorf("%+v", r)
	}
	facts.Targets = nil
	if r := p.Guard(facts)[2]; !r.Stops || r.Reading != "no target is named; an empty target is not everything" {
		t.Errorf("%+v", r)
	}
}

func TestInventory(t *testing.T) {
	inv := Inventory{Clusters: []string{"prod-*", "stage"}, Namespaces: []string{"!team-x-*", "team-*", "shop"}, Hosts: []string{"web-*.example.com"}}
	pod := func(cluster, namespace string) incident.Target {
		return incident.Target{Cluster: cluster, Namespace: namespace, Kind: "Pod", Name: "p"}
	}
	cases := []struct {
		name   string
		target incident.Target
		in     bool
	}{
		{"pattern", pod("prod-1", "team-a"), true},
		{"name", pod("stage", "shop"), true},
		{"other cluster", pod("dev", "shop"), false},
		{"no cluster", pod("", "shop"), false},
		{"other namespace", pod("stage", "shopping"), false},
		{"taken away, whatever the order", pod("stage", "team-x-1"), false},
		{"no namespace", pod("stage", ""), false},
		{"node", incident.Target{Cluster: "stage", Kind: "Node", Name: "n1"}, true},
		{"node of another cluster", incident.Target{Cluster: "dev", Kind: "Node", Name: "n1"}, false},
		{"host", incident.Target{Host: "web-01.example.com"}, true},
		{"host by name", incident.Target{Kind: "Host", Name: "web-01.example.com"}, true},
		{"host with a tail", incident.Target{Host: "web-01.example.com.evil.org"}, false},
		{"pod on a listed host", incident.Target{Cluster: "dev", Namespace: "shop", Kind: "Pod", Name: "p", Host: "web-01.example.com"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if words, in := inv.holds(c.target); in != c.in || words == "" {
				t.Errorf("%t: %s", in, words)
			}
		})
	}
	all := defaultSettings().Inventory
	for _, nameless := range []incident.Target{pod("", "shop"), pod("stage", "")} {
		if words, in := all.holds(nameless); in {
			t.Errorf("* is also what nobody named: %s", words)
		}
	}
	if words, in := (Inventory{}).holds(pod("stage", "shop")); in {
		t.Errorf("an empty inventory is everything: %s", words)
	}
}

func TestGlob(t *testing.T) {
	for pattern, names := range map[string][2]string{
		"*": {"a ab kube-system", ""}, "a": {"a", "ab b"}, "a*": {"a ab abc", "ba"}, "*a": {"a ba", "ab"},
		"a*b": {"ab acb", "a b ba abc"}, "a*b*c": {"abc axbxc", "ac acb abcb"}, "a*a": {"aa aba", "a"},
	} {
		for i, want := range []bool{true, false} {
			for _, name := range strings.Fields(names[i]) {
				if globMatch(pattern, name) != want {
					t.Errorf("%s matches %s: want %t", pattern, name, want)
				}
			}
		}
	}
}
