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

	{"frozen", GuardFreeze, func(f *Facts) { f.State.Freezes = []incident.Freeze{frozen(nil)} }, incident.VerdictBlocked,
		"frozen until 2026-11-20T04:15:00Z by alice: month's end"},
	{"frozen namespace", GuardFreeze, func(f *Facts) { f.State.Freezes = []incident.Freeze{frozen(&incident.Match{Namespace: "prod*"})} },
		incident.VerdictBlocked, "frozen until 2026-11-20T04:15:00Z by alice: month's end"},
	{"frozen environment", GuardFreeze, func(f *Facts) { f.State.Freezes = []incident.Freeze{frozen(&incident.Match{Environment: "prod"})} },
		incident.VerdictBlocked, "frozen until 2026-11-20T04:15:00Z by alice: month's end"},
	{"frozen action", GuardFreeze, func(f *Facts) { f.State.Freezes = []incident.Freeze{frozen(&incident.Match{Action: "k8s.pod.*"})} },
		incident.VerdictBlocked, "frozen until 2026-11-20T04:15:00Z by alice: month's end"},
	{"budget of the target", GuardBudget, repaired(3, 50*time.Minute, func(r *incident.Repair) {}), incident.VerdictBlocked,
		"3 rungs were begun within 1h for the target, 3 are allowed; the next at 2026-11-20T03:25:00Z"},
	{"budget of the service", GuardBudget, repaired(10, 50*time.Minute, func(r *incident.Repair) { r.Target, r.Namespace = "other", "" }),
		incident.VerdictBlocked, "10 rungs were begun within 1h for service api, 10 are allowed; the next at 2026-11-20T03:25:00Z"},
	{"budget of the namespace", GuardBudget, repaired(20, 50*time.Minute, func(r *incident.Repair) { r.Target, r.Service = "other", "" }),
		incident.VerdictBlocked, "20 rungs were begun within 1h for namespace production, 20 are allowed; the next at 2026-11-20T03:25:00Z"},
	{"budget of the cluster", GuardBudget, repaired(40, 50*time.Minute, func(r *incident.Repair) { r.Target, r.Service, r.Namespace = "other", "", "" }),
		incident.VerdictBlocked, "40 rungs were begun within 1h for cluster default, 40 are allowed; the next at 2026-11-20T03:25:00Z"},
	{"budget of all", GuardBudget, repaired(60, 50*time.Minute, func(r *incident.Repair) {
		r.Target, r.Service, r.Namespace, r.Cluster = "other", "", "", "elsewhere"
	}), incident.VerdictBlocked, "60 rungs were begun within 1h for everything, 60 are allowed; the next at 2026-11-20T03:25:00Z"},
	{"cooldown", GuardCooldown, repaired(1, 9*time.Minute, func(r *incident.Repair) {}), incident.VerdictBlocked,
		"k8s.pod.restart on the target began 9m0s ago; it is left alone for 10m"},
	{"cooldown since the end", GuardCooldown, repaired(1, 30*time.Minute, func(r *incident.Repair) {
		r.EndedAt, r.Outcome = now.Add(-time.Minute), incident.RepairVerified
	}), incident.VerdictBlocked, "k8s.pod.restart on the target ended 1m0s ago; it is left alone for 10m"},
	{"breaker", GuardBreaker, func(f *Facts) {
		f.State.Breakers = []incident.Breaker{{Scope: "target the target", OpenedAt: now.Add(-time.Hour), Reason: "it failed"}}
	}, incident.VerdictBlocked, "the breaker of target the target is open since 2026-11-20T02:15:00Z: it failed; a human resets it"},
	{"failures elsewhere, and no breaker yet", GuardBreaker, repaired(3, 50*time.Minute, func(r *incident.Repair) {
		r.Target, r.Outcome, r.EndedAt = "other", incident.RepairFailed, now.Add(-time.Minute)
	}), incident.VerdictBlocked, "3 repairs of action k8s.pod.restart in default failed or did not help within 1h"},
	{"nobody knows the replicas", GuardBlastRadius, func(f *Facts) { f.Blast = nil }, incident.VerdictBlocked,
		"how many replicas would become unavailable is not known, which counts as the worst case"},
	{"too many replicas", GuardBlastRadius, blast(3, 8, 8), incident.VerdictBlocked,
		"3 of 8 replicas would become unavailable, 2 may (1, or 25 %)"},
	{"the last ready one", GuardBlastRadius, blast(1, 3, 1), incident.VerdictBlocked,
		"1 of 1 ready replicas would become unavailable: never the last ready one"},
	{"ineffective elsewhere in the ladder", GuardIneffective, nil, "", ""}, // see TestWhatDidNotHelp
	{"storm", GuardStorm, func(f *Facts) { f.State.Storm = incident.Storm{ID: incident.ID{1}, BeganAt: now.Add(-time.Minute)} }, incident.VerdictBlocked,
		"too many new incidents since 2026-11-20T03:14:00Z: a human must say yes to each change"},
	{"blind", GuardBlindness, func(f *Facts) { f.State.Seen = map[string]time.Time{"alertmanager": now.Add(-11 * time.Minute)} }, incident.VerdictBlocked,
		"source alertmanager was last heard of 11m0s ago, longer than 10m: who is blind does not operate"},
}

func frozen(m *incident.Match) incident.Freeze {
	return incident.Freeze{Reason: "month's end", By: "alice", StartsAt: now.Add(-time.Hour), EndsAt: now.Add(time.Hour), Match: m}
}

func blast(unavailable, replicas, ready int) func(*Facts) {
	return func(f *Facts) {
		f.Blast = func(incident.Step) incident.Blast {
			return incident.Blast{Unavailable: unavailable, Replicas: replicas, Ready: ready, Known: true}
		}
	}
}

// repaired is a target that was repaired n times, a while ago, by other incidents.
func repaired(n int, ago time.Duration, change func(*incident.Repair)) func(*Facts) {
	return func(f *Facts) {
		for i := range n {
			r := f.Repair
			r.ID, r.IncidentID, r.Rung, r.Action = incident.ID{2, byte(i)}, incident.ID{3, byte(i)}, 1, "k8s.pod.restart"
			r.Outcome, r.BeganAt, r.EndedAt = incident.RepairVerified, now.Add(-ago), now.Add(-ago)
			change(&r)
			f.State.Repairs = append(f.State.Repairs, r)
		}
	}
}

// watched is the default policy with a source that must report.
var watched = strings.Replace(defaultSource, "sources: {}", "sources: {alertmanager: 5m}", 1)

func TestEachGuardStopsAChange(t *testing.T) {
	p := load(t, watched)
	covered := map[string]bool{}
	for _, c := range guardCases {
		covered[c.guard] = true
		if c.breakIt == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			f := with(crash("pod.oom_killed"), c.breakIt)
			d := p.Decide(f)
			if d.Verdict != c.verdict || !strings.Contains(d.Reasons[len(d.Reasons)-1], c.reading) {
				t.Errorf("%s: %s; want %s: %s", d.Verdict, d.Reasons, c.verdict, c.reading)
			}
			checkReadings(t, d.Guards, c.guard, c.reading)
			checkReadings(t, p.Guard(f.guardFacts("", 1, restart)), c.guard, c.reading)
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
	if diff := cmp.Diff(GuardNames(), names); diff != "" {
		t.Errorf("guards (-want +got):\n%s", diff)
	}
}

var restart = incident.Step{Action: "k8s.pod.restart", Mode: incident.Auto}

func named(t *testing.T, readings []incident.Reading, guard string) incident.Reading {
	t.Helper()
	for _, r := range readings {
		if r.Guard == guard {
			return r
		}
	}
	t.Fatalf("no reading of %s", guard)
	return incident.Reading{}
}

func TestGuardsStopChangesOnly(t *testing.T) {
	p := load(t, defaultSource)
	worst := GuardFacts{Automation: incident.Paused}
	for effect, want := range map[incident.Effect]int{
		incident.Observe: 0, incident.Tell: 0, incident.Change: 4, "": 4, "else": 4,
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
	claim := old.guardFacts("", 1, restart)
	claim.Mode = incident.Approve
	want := incident.Reading{Guard: GuardEvidence, Reading: "the evidence is trusted and 1h0m0s old; its age was looked at with the yes"}
	if diff := cmp.Diff(want, named(t, p.Guard(claim), GuardEvidence)); diff != "" {
		t.Errorf("reading at the claim (-want +got):\n%s", diff)
	}
	claim.Trusted = false
	if !named(t, p.Guard(claim), GuardEvidence).Stops {
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
	facts := f.guardFacts("watched", 1, restart)
	if r := named(t, p.Guard(facts), GuardMode); !r.Stops || r.Reading != "rule watched is a dry run" {
		t.Errorf("%+v", r)
	}
	facts.Targets = nil
	if r := named(t, p.Guard(facts), GuardInventory); !r.Stops || r.Reading != "no target is named; an empty target is not everything" {
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

// What did not help is left out of the ladder; at the claim it stops.
func TestWhatDidNotHelp(t *testing.T) {
	p := load(t, climbing)
	noHelp := repaired(1, 30*time.Minute, func(r *incident.Repair) { r.Outcome = incident.RepairIneffective })
	f := with(crash("pod.oom_killed"), noHelp)
	d := p.Decide(f)
	if d.Rung != 2 || !strings.Contains(strings.Join(d.Reasons, "\n"), "rung 1 is left out: k8s.pod.restart did not help against pod.oom_killed 30m0s ago") {
		t.Errorf("rung %d: %v", d.Rung, d.Reasons)
	}
	facts := f.guardFacts("crashed", 1, restart)
	checkReadings(t, p.Guard(facts), GuardIneffective, "k8s.pod.restart did not help against pod.oom_killed 30m0s ago")
	for name, change := range map[string]func(*incident.Repair){
		"another cause":     func(r *incident.Repair) { r.Outcome, r.Cause = incident.RepairIneffective, "pod.evicted" },
		"another target":    func(r *incident.Repair) { r.Outcome, r.Target = incident.RepairIneffective, "other" },
		"another action":    func(r *incident.Repair) { r.Outcome, r.Action = incident.RepairIneffective, "k8s.deployment.rollback" },
		"nobody saw":        func(r *incident.Repair) { r.Outcome = incident.RepairInconclusive },
		"more than a day":   func(r *incident.Repair) { r.Outcome, r.EndedAt = incident.RepairIneffective, now.Add(-25*time.Hour) },
		"it helped at last": func(r *incident.Repair) { r.Outcome = incident.RepairVerified },
	} {
		if d := p.Decide(with(crash("pod.oom_killed"), repaired(1, 30*time.Minute, change))); d.Rung != 1 {
			t.Errorf("%s: rung %d, %v", name, d.Rung, d.Reasons)
		}
	}
	both := with(f, repaired(1, 20*time.Minute, func(*incident.Repair) {}))
	if d := p.Decide(both); d.Rung != 1 {
		t.Errorf("it helped the last time: rung %d, %v", d.Rung, d.Reasons)
	}
}

// A rung's first claim spends; what belongs to the rung rides on it. A ladder that
// is climbed does not wait for the cooldown.
func TestOneRungSpendsOnce(t *testing.T) {
	p := load(t, defaultSource)
	f := crash("pod.oom_killed")
	f.Incident.ID = incident.ID{9}
	f.Repair.IncidentID = f.Incident.ID
	own := func(f *Facts) {
		for i := range f.State.Repairs {
			f.State.Repairs[i].IncidentID = f.Repair.IncidentID
		}
	}
	f = with(with(f, repaired(3, time.Minute, func(r *incident.Repair) { r.Outcome, r.EndedAt = "", time.Time{} })), own)
	for guard, want := range map[string]string{
		GuardBudget:      "its rung was begun already: the first claim spent for all of it",
		GuardIneffective: "its rung was begun already",
		GuardCooldown:    "the target was not repaired before, as far as is looked back",
	} {
		if r := named(t, p.Guard(f.guardFacts("", 1, restart)), guard); r.Stops || r.Reading != want {
			t.Errorf("%+v", r)
		}
	}
	next := p.Guard(f.guardFacts("", 2, restart))
	if !named(t, next, GuardBudget).Stops || named(t, next, GuardCooldown).Stops {
		t.Errorf("the next rung: %+v", next)
	}
	f.Incident.BeganAt = now // it came back: another stretch
	if again := p.Guard(f.guardFacts("", 1, restart)); !named(t, again, GuardBudget).Stops || !named(t, again, GuardCooldown).Stops {
		t.Errorf("the next stretch: %+v", again)
	}
}

func TestBudgetOfAnAction(t *testing.T) {
	p := load(t, "budgets: {actions: {k8s.pod.restart: 2}}\n"+climbing)
	f := with(crash("pod.oom_killed"), repaired(2, 50*time.Minute, func(r *incident.Repair) { r.Target, r.Cluster = "other", "elsewhere" }))
	checkReadings(t, p.Guard(f.guardFacts("", 1, restart)), GuardBudget,
		"2 rungs were begun within 1h for k8s.pod.restart, 2 are allowed; the next at 2026-11-20T03:25:00Z")
	if r := named(t, p.Guard(f.guardFacts("", 1, incident.Step{Action: "k8s.deployment.rollback"})), GuardBudget); r.Stops {
		t.Errorf("another action: %s", r.Reading)
	}
}

// A breaker counts from its last reset, and opens once.
func TestBreakersTrip(t *testing.T) {
	s := load(t, defaultSource).Settings()
	f := with(crash("pod.oom_killed"), repaired(3, 20*time.Minute, func(r *incident.Repair) { r.Outcome = incident.RepairIneffective }))
	last := f.State.Repairs[2]
	scopes := func(trips []incident.Breaker) (all string) {
		for _, b := range trips {
			all += b.Scope + "; "
		}
		return all
	}
	const both = "target the target; action k8s.pod.restart in default; "
	if got := scopes(s.Trips(f.State, last, now)); got != both {
		t.Errorf("three failures open %q", got)
	}
	for name, c := range map[string]struct {
		change func(*GuardState)
		want   string
	}{
		"open already": {func(g *GuardState) { g.Breakers = []incident.Breaker{{Scope: last.TargetScope()}} }, "action k8s.pod.restart in default; "},
		"reset since": {func(g *GuardState) {
			g.Breakers = []incident.Breaker{{Scope: last.TargetScope(), ResetAt: now.Add(-time.Minute)}}
		}, "action k8s.pod.restart in default; "},
		"reset before": {func(g *GuardState) {
			g.Breakers = []incident.Breaker{{Scope: last.TargetScope(), ResetAt: now.Add(-30 * time.Minute)}}
		}, both},
		"two":             {func(g *GuardState) { g.Repairs = g.Repairs[1:] }, ""},
		"one was skipped": {func(g *GuardState) { g.Repairs[0].Outcome = incident.RepairSkipped }, ""},
		"one is too old":  {func(g *GuardState) { g.Repairs[0].EndedAt = now.Add(-time.Hour) }, ""},
	} {
		state := f.State
		state.Repairs = append([]incident.Repair(nil), state.Repairs...)
		c.change(&state)
		if got := scopes(s.Trips(state, last, now)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestBlindness(t *testing.T) {
	p := load(t, watched)
	for name, c := range map[string]struct {
		family  string
		sources []string
		seen    time.Duration // ago; zero: never
		stops   bool
	}{
		"never heard of is not blind":           {"pod", nil, 0, false},
		"just in time":                          {"pod", nil, 10 * time.Minute, false},
		"too late":                              {"pod", nil, 10*time.Minute + time.Second, true},
		"an objective wants all":                {"slo", []string{"a", "b"}, 0, true},
		"an objective wants two":                {"slo", []string{"a"}, time.Minute, true},
		"an objective that two see":             {"slo", []string{"a", "b"}, time.Minute, false},
		"a trend that nobody in particular saw": {"trend", nil, time.Minute, true},
	} {
		f := crash("pod.oom_killed")
		facts := f.guardFacts("", 1, restart)
		facts.Family, facts.Sources = c.family, c.sources
		if c.seen > 0 {
			facts.State.Seen = map[string]time.Time{"alertmanager": now.Add(-c.seen)}
		}
		if r := named(t, p.Guard(facts), GuardBlindness); r.Stops != c.stops {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestBlastRadius(t *testing.T) {
	p := load(t, defaultSource)
	for _, c := range []struct {
		unavailable, replicas, ready int
		stops                        bool
	}{
		{0, 1, 0, false}, {0, 0, 0, false}, {1, 2, 2, false}, {1, 1, 1, true}, {2, 8, 8, false}, {2, 7, 7, true}, {1, 10, 1, true}, {3, 12, 3, true}, {5, 20, 20, false},
	} {
		f := with(crash("pod.oom_killed"), blast(c.unavailable, c.replicas, c.ready))
		if r := named(t, p.Guard(f.guardFacts("", 1, restart)), GuardBlastRadius); r.Stops != c.stops {
			t.Errorf("%+v: %+v", c, r)
		}
	}
}

// The table guard × mode × who may override, cell by cell.
func TestWhoMayOverride(t *testing.T) {
	p := load(t, watched)
	want := map[string]Override{
		GuardMode: ByNobody, GuardFreeze: ByAdmin, GuardInventory: ByNobody, GuardBudget: ByApprover, GuardCooldown: ByApprover,
		GuardBreaker: ByNobody, GuardBlastRadius: ByAdmin, GuardStorm: ByApprover, GuardBlindness: ByNobody, GuardEvidence: ByNobody,
		GuardIneffective: ByApprover,
	}
	for _, c := range guardCases {
		if c.breakIt == nil {
			continue
		}
		f := with(crash("pod.oom_killed"), c.breakIt)
		for _, mode := range []incident.Mode{incident.Auto, incident.Hold, incident.Approve} {
			facts := f.guardFacts("", 1, restart)
			facts.Mode = mode
			stops := !(c.guard == GuardEvidence && mode == incident.Approve && c.name == "old evidence") // looked at with the yes
			if r := named(t, p.Guard(facts), c.guard); r.Stops != stops {
				t.Errorf("%s in mode %s: %+v", c.name, mode, r)
			}
			facts.Overridden = map[string]string{c.guard: "alice"}
			r := named(t, p.Guard(facts), c.guard)
			if may := want[c.guard] != ByNobody; r.Stops != (stops && !may) || may && !strings.HasSuffix(r.Reading, "; overridden by alice") {
				t.Errorf("%s in mode %s, overridden: %+v", c.name, mode, r)
			}
		}
	}
	for _, name := range GuardNames() {
		if OverrideOf(name) != want[name] {
			t.Errorf("%s is overridden by %s, want %s", name, OverrideOf(name), want[name])
		}
	}
	if OverrideOf("else") != ByNobody {
		t.Error("what is no guard may be overridden")
	}
}
