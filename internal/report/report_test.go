package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/report"
)

var night = time.Date(2026, 11, 27, 3, 15, 0, 0, time.UTC)

func outOfMemory() report.Case {
	raise := incident.Intent{
		ID: incident.ID{2}, ShortID: "INT-2", Action: "git.pull_request", Effect: incident.Change, State: incident.Succeeded, Risk: incident.RiskLow,
		Summary: "Open a pull request.", Target: incident.Target{Namespace: "shop", Kind: "Deployment", Name: "api"}, Params: json.RawMessage(`{"from":"512Mi","to":"768Mi"}`),
	}
	return report.Case{
		Incident: incident.Incident{
			ShortID: "INC-7", Title: "KubePodCrashLooping: <script>*pod*</script>", Severity: incident.Warning, State: incident.StateResolved, Cause: "pod.oom_killed",
			Summary: "it was killed", Target: raise.Target, OpenedAt: night, ResolvedAt: night.Add(143 * time.Second), Resolution: "verified: healthy for 2m", Recurrence: 2,
		},
		Judged: []report.Judged{
			{At: night, Diagnosis: incident.Diagnosis{Cause: "unknown", Missing: []string{"the pod"}}},
			{At: night.Add(time.Second), Diagnosis: incident.Diagnosis{Cause: "pod.oom_killed", Confidence: 0.95, Summary: "killed | at 512Mi", Evidence: []string{"OOMKilled, exit code 137"}}},
			{At: night.Add(2 * time.Second), Diagnosis: incident.Diagnosis{Cause: "pod.oom_killed", Confidence: 0.95}},
		},
		Intents: []incident.Intent{{ShortID: "INT-1", Action: "collect.pod", Effect: incident.Observe, State: incident.Succeeded}, raise,
			{ID: incident.ID{3}, ShortID: "INT-3", Action: "k8s.pod.restart", Effect: incident.Change, State: incident.Failed, Risk: incident.RiskLow, Summary: "Restart.", ApprovedBy: "ines"}},
		Results: map[incident.ID]incident.Result{
			{2}: {Status: incident.ResultSucceeded, Output: json.RawMessage(`{"url":"https://git.example/pull/4"}`), StartedAt: night, FinishedAt: night.Add(4 * time.Second)},
			{3}: {Status: incident.ResultFailed, Error: "Kubernetes answered 403", Output: json.RawMessage(`["odd"]`)},
		},
		Similar:  []report.Past{{ShortID: "INC-3", Target: "shop/Deployment/cart", OpenedAt: night.AddDate(0, 0, -3), Resolution: "verified"}},
		Remedies: []report.Remedy{{Action: "k8s.pod.restart", Tried: 4, Helped: 3}},
	}
}

// An on-call reader finds what was seen, what was done, and what to do next.
func TestIncidentAsMarkdown(t *testing.T) {
	got := report.Of(outOfMemory()).Markdown()
	for _, want := range []string{
		"# INC-7: KubePodCrashLooping: \\<script\\>\\*pod\\*\\</script\\>",
		"| Lasted | 2 min 23 s |", "| How it ended | verified: healthy for 2m |",
		"- 2026-11-27 03:15 UTC — **unknown**, 0 % sure:", "  - not known: the pod",
		"**pod.oom\\_killed**, 95 % sure: killed \\| at 512Mi", "  - OOMKilled, exit code 137",
		"- INT-2 **succeeded** (git.pull\\_request, risk low): Open a pull request. It took 4 s. <https://git.example/pull/4>",
		"- INT-3 **failed** (k8s.pod.restart, risk low): Restart. Approved by ines. It failed: Kubernetes answered 403",
		"went from 512Mi to 768Mi here", "It came back 2 times", "levels off or keeps growing",
		"- k8s.pod.restart helped 3 of 4 times against this cause.", "- INC-3, 2026-11-24 03:15 UTC, shop/Deployment/cart — verified",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Count(got, "sure:") != 2 {
		t.Errorf("a diagnosis that says the same again is there:\n%s", got)
	}
}

// A link is one only where it is an address and nothing else.
func TestOddLinks(t *testing.T) {
	for _, odd := range []string{"javascript:alert(1)", "https://a b", "https://a><script>", "http://git.example/1"} {
		c := outOfMemory()
		output, err := json.Marshal(map[string]string{"url": odd})
		if err != nil {
			t.Fatal(err)
		}
		c.Results[incident.ID{2}] = incident.Result{Output: output}
		if got := report.Of(c).Markdown(); strings.Contains(got, "<"+odd) {
			t.Errorf("%q became a link", odd)
		}
	}
}

// Every cause has advice, or none of its family does: unknown has none.
func TestAdvice(t *testing.T) {
	for cause, want := range map[string]int{"pod.oom_killed": 3, "cert.expiring": 3, "unknown": 2} {
		c := outOfMemory()
		c.Incident.Cause = cause
		if got := report.Of(c).Prevention; len(got) != want {
			t.Errorf("%s: %q", cause, got)
		}
	}
}

func change(id byte, action string, state incident.IntentState, approved string) incident.Intent {
	return incident.Intent{ID: incident.ID{id}, IncidentID: incident.ID{id}, Action: action, Effect: incident.Change, State: state, Mode: incident.Auto, Risk: incident.RiskLow, ApprovedBy: approved}
}

func TestWeek(t *testing.T) {
	f := report.Figures{
		From: night, To: night.AddDate(0, 0, 7), ByHand: 23 * time.Minute, Words: 4,
		Incidents: []incident.Incident{
			{ID: incident.ID{1}, State: incident.StateResolved, Cause: "pod.oom_killed"},
			{ID: incident.ID{2}, State: incident.StateResolved, Cause: "pod.oom_killed"},
			{ID: incident.ID{3}, State: incident.StateEscalated, Cause: "unknown"},
		},
		Changes: []incident.Intent{
			change(1, "k8s.pod.restart", incident.Succeeded, ""), change(2, "k8s.pod.restart", incident.Succeeded, "ines"), change(3, "k8s.pod.restart", incident.Expired, ""),
		},
		Repairs: []incident.Repair{
			{Outcome: incident.RepairVerified, BeganAt: night, EndedAt: night.Add(3 * time.Minute)},
			{Outcome: incident.RepairVerified, BeganAt: night, EndedAt: night.Add(30 * time.Minute)}, // slower than by hand: nothing is saved
			{Outcome: incident.RepairIneffective, BeganAt: night, EndedAt: night.Add(time.Minute)},
		},
	}
	for range 11 {
		f.Changes = append(f.Changes, change(9, "host.logs.clean", incident.Succeeded, ""))
	}
	for _, s := range []incident.IntentState{incident.Failed, incident.Lost, incident.Succeeded} {
		f.Changes = append(f.Changes, change(8, "cert.renew", s, ""))
	}
	f.Changes = append(f.Changes, change(7, "backup.run", incident.Failed, "")) // one failure of one says nothing
	got := report.OfWeek(f)
	want := report.Week{
		From: f.From, To: f.To, Opened: 3, Resolved: 2, WithoutHuman: 1, ByCause: map[string]int{"pod.oom_killed": 2, "unknown": 1},
		Changes: 17, Succeeded: 14, ByRisk: map[string]int{"low": 17}, ByApproval: map[string]int{"auto": 17},
		ByAction:      []report.ActionCount{{"backup.run", 1, 0}, {"cert.renew", 3, 1}, {"host.logs.clean", 11, 11}, {"k8s.pod.restart", 2, 2}},
		Interventions: 4, Verified: 2, MedianRepair: 1800, SavedSeconds: 1200, ByHandSeconds: 1380,
		Attention: []string{"cert.renew failed 2 of 3 times.", "host.logs.clean was done 11 times: what is behind it?"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the week differs (-want +got):\n%s", diff)
	}
	if md := got.Markdown(); !strings.Contains(md, "17 changes were executed, 82 % of them with success") || !strings.Contains(md, "| cert.renew | 3 | 33 % |") {
		t.Errorf("as Markdown:\n%s", md)
	}
}

func TestBriefing(t *testing.T) {
	got := report.OfMorning(report.Morning{
		At: night.Add(4 * time.Hour), Since: night.Add(-9 * time.Hour), Mode: incident.Live,
		Open:      []incident.Incident{{ShortID: "INC-9", Severity: incident.Warning, State: incident.StateEscalated, Cause: "cert.expiring", Summary: "5 days left", BeganAt: night}},
		Overnight: []incident.Incident{{ShortID: "INC-8", State: incident.StateResolved, OpenedAt: night}, {ShortID: "INC-1", State: incident.StateResolved, OpenedAt: night.AddDate(0, 0, -2)}},
		Waiting:   []incident.Intent{{ShortID: "INT-5", Summary: "Renew it.", ExpiresAt: night.Add(5 * time.Hour)}},
		Repairs:   []incident.Repair{{Outcome: incident.RepairVerified}, {}},
	}).Markdown()
	for _, want := range []string{
		"# Morning of Friday, 27 November 2026", "1 incidents are open. Mode: live. Since 18:15 UTC 1 were opened and 2 resolved; repairs: 1 verified, 1 under way.",
		"## To watch: certificates, disks, backups, trends\n\n- INC-9", "- INT-5 Renew it. Silence until 2026-11-27 08:15 UTC is a no.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
