package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inRule puts lines into a rule that is right but for them; the first of the
// lines is line 5 of the file.
func inRule(lines ...string) string {
	return "rules:\n  - name: crashed\n    cause: pod.liveness_failed\n    level: 3\n" + strings.Join(lines, "\n") + "\n"
}

const goodLadder = "    ladder: [{steps: [{action: k8s.pod.restart}]}]"

var loadErrors = []struct {
	name string
	src  string
	want []string
}{
	{"unknown key", "hodl: {window: 30s}\nrules: []\n",
		[]string{`1:1: a policy has no key "hodl"; did you mean hold?`}},
	{"unknown key inside", "hold:\n  windw: 30s\nrules: []\n",
		[]string{`2:3: hold has no key "windw"; did you mean window?`}},
	{"a budget that does not exist", "budgets: {per_target: 3}\nrules: []\n",
		[]string{`1:11: budgets has no key "per_target"; did you mean target?`}},
	{"a budget of an action that does not exist", "budgets: {actions: {k8s.pod.restrt: 3}}\nrules: []\n",
		[]string{`1:21: actions: "k8s.pod.restrt" is not known; did you mean k8s.pod.restart?`}},
	{"guards that are wider", inRule("    guards: {cooldown: 1m, budget: 4, blast_radius: {pods: 2}}", goodLadder),
		[]string{`5:24: cooldown: a rule may only be more careful than the file, which says 10m`,
			`5:36: budget: a rule may only be more careful than the file, which says 3 a target`,
			`5:53: blast_radius: a rule may only be more careful than the file, which says pods 1, percent 25`}},
	{"a window that is none", inRule("    when: window", goodLadder),
		[]string{`5:11: when: window needs a window; maintenance: [{days: [sun], from: "02:00", to: "05:00"}] would be right`}},
	{"hours without an end", "quiet_hours: {from: \"22:00\"}\nrules: []\n",
		[]string{`1:14: quiet_hours needs from and to, like {from: "22:00", to: "07:00"}`}},
	{"hours of nothing", "maintenance: [{from: \"02:00\", to: \"02:00\"}]\nrules: []\n",
		[]string{`1:15: a maintenance window: from and to are the same moment; the whole day is {from: "00:00", to: "23:59"}`}},
	{"an hour that is none", "quiet_hours: {from: \"25:00\", to: \"07:00\", days: [someday]}\nrules: []\n",
		[]string{`1:21: from "25:00" cannot be; a time of day in quotes like "22:00" would be right`, `1:50: days: "someday" is not known; known are sun, mon, tue, wed, thu, fri, sat`}},
	{"an approver that is none", inRule("    approvers: [\"slack:\"]", goodLadder),
		[]string{`5:17: approvers: "slack:" cannot be; a token's subject, slack:U0123ABC, or group:sre would be right`}},
	{"a date that is none", "onboarding: {services: {shop: soon}}\nrules: []\n",
		[]string{`1:31: shop: "soon" is no date; 2026-11-20 would be right`}},
	{"an interval that is none", "monitoring: {sources: {alertmanager: often}}\nrules: []\n",
		[]string{`1:38: alertmanager: "often" is not a duration; it is written like 30s, 10m, 24h or 90d`}},
	{"a guard of a rule that does not exist yet is refused", inRule("    cooldown: 10m", goodLadder),
		[]string{`5:5: a rule has no key "cooldown"; known are name, cause, if, level, risk, dry_run, hold, ladder, approvers, quorum, verification, channels, guards, when`}},
	{"unknown cause", "rules:\n  - {name: a, cause: pod.oom_kiled, level: 1}\n",
		[]string{`2:22: cause "pod.oom_kiled" is not known; did you mean pod.oom_killed?`}},
	{"unknown family", "rules:\n  - name: a\n    cause: [pod.*, pods.*]\n    level: 1\n",
		[]string{`3:20: cause "pods.*" is not known; did you mean pod.*?`}},
	{"half a family", "rules:\n  - {name: a, cause: pod.image_*, level: 1}\n",
		[]string{`2:22: cause "pod.image_*" is not known; known are pod.oom_killed, pod.node_oom, pod.liveness_failed, pod.readiness_failed, pod.startup_probe_failed, pod.startup_failed, pod.image_not_found, pod.image_auth_failed, pod.image_rate_limited, pod.registry_unreachable, pod.image_invalid_name, pod.image_wrong_platform, pod.config_missing, pod.container_create_failed, pod.command_invalid, pod.volume_failed, pod.sandbox_failed, pod.evicted, pod.dependency_unavailable, pod.permission_denied, pod.port_conflict, pod.unschedulable.insufficient_resources, pod.unschedulable.taint, pod.unschedulable.affinity, pod.unschedulable.volume, pod.unschedulable.too_many_pods, pod.unschedulable.gated`}},
	{"no cause is not every cause", "rules:\n  - {name: a, cause: [], level: 1}\n",
		[]string{`2:22: cause is an empty list; an empty list is not everything: name the causes`}},
	{"level out of range", "rules:\n  - {name: a, cause: pod.*, level: 5}\n",
		[]string{`2:36: level is 5; 1 to 4 would be right`}},
	{"level in words", "rules:\n  - {name: a, cause: pod.*, level: three}\n",
		[]string{`2:36: level is text; a whole number would be right`}},
	{"missing keys", "rules:\n  - dry_run: true\n", []string{
		"2:5: a rule needs a name; it stands in every decision",
		"2:5: a rule needs a cause, like cause: pod.oom_killed or cause: [pod.*, job.*]",
		"2:5: a rule needs a level: 1 tell, 2 suggest, 3 repair, then tell, 4 autonomous",
	}},
	{"a level that changes without a ladder", "rules:\n  - {name: a, cause: pod.*, level: 3}\n",
		[]string{`2:36: level 3 needs a ladder of remedies; level 1 only tells`}},
	{"a change at level 1", "rules:\n  - name: a\n    cause: pod.*\n    level: 1\n" + goodLadder + "\n",
		[]string{`5:23: level 1 only tells, and k8s.pod.restart is a change; level 2 asks before it`}},
	{"repairing the unknown", "rules:\n  - name: a\n    cause: unknown\n    level: 3\n" + goodLadder + "\n",
		[]string{`4:12: level 3 for cause unknown: nobody knows what would be repaired; level 1 or 2 would be right`}},
	{"same name twice", "rules:\n  - {name: a, cause: pod.*, level: 1}\n  - {name: a, cause: job.*, level: 1}\n",
		[]string{`3:5: rule "a" is there twice, first in line 2; each name once would be right`}},
	{"never reached", "rules:\n  - {name: a, cause: pod.*, level: 1}\n  - {name: b, cause: pod.evicted, level: 1}\n",
		[]string{`3:5: rule "b" is never reached: the rules above take all its causes without a condition; it belongs above them`}},
	{"unknown action", inRule("    ladder:", "      - steps:", "          - action: k8s.pod.restrat"),
		[]string{`7:21: action "k8s.pod.restrat" is not known; did you mean k8s.pod.restart?`}},
	{"unknown parameter", inRule("    ladder:", "      - steps:", "          - action: k8s.pod.restart", "            params:", "              grace: 3"),
		[]string{`9:15: k8s.pod.restart: unknown parameter "grace"`}},
	{"mode for a message", inRule("    ladder:", "      - steps:", "          - action: notify.slack", "            mode: auto"),
		[]string{`8:19: notify.slack changes nothing and needs no mode; leave it out`}},
	{"bolder than its level", "rules:\n  - name: a\n    cause: pod.*\n    level: 2\n    ladder: [{steps: [{action: k8s.pod.restart, mode: auto}]}]\n",
		[]string{`5:55: mode auto is bolder than level 2 allows at risk low; approve would be right`}},
	{"bolder than its risk", inRule("    ladder: [{steps: [{action: k8s.deployment.rollback, mode: auto}]}]"),
		[]string{`5:63: mode auto is bolder than level 3 allows at risk high; hold would be right`}},
	{"a failure makes nothing bolder", inRule("    ladder:", "      - steps: [{action: k8s.pod.restart, mode: approve}]", "      - steps: [{action: k8s.pod.restart}]"),
		[]string{`7:9: rung 2 changes by auto where the one before it only goes as far as approve: a failure must not make Salve bolder; write mode: approve`}},
	{"a rung without steps", inRule("    ladder:", "      - if: 'true'"),
		[]string{`6:9: a rung needs steps, a list of actions`}},
	{"a step without an action", inRule("    ladder: [{steps: [{mode: auto}]}]"),
		[]string{`5:23: a step needs an action; known are backup.extend_retention, backup.run, cert.renew, collect.pod, db.failover, git.pull_request, host.coredumps.delete, host.logs.clean, host.logs.compress, host.service.restart, k8s.deployment.resources, k8s.deployment.restart, k8s.deployment.rollback, k8s.deployment.scale, k8s.node.cordon, k8s.pod.restart, notify.slack, ticket.create`}},
	{"misspelt field", inRule("    if: incident.severty == 'high'", goodLadder),
		[]string{`5:17: if: undefined field 'severty'; did you mean severity?`}},
	{"misspelt field of an object", inRule("    if: diagnosis.owner.knd == 'Deployment'", goodLadder),
		[]string{`5:24: if: undefined field 'knd'; did you mean kind?`}},
	{"misspelt variable", inRule("    if: incdent.severity == 'high'", goodLadder),
		[]string{`5:9: if: undeclared reference to 'incdent' (did you mean 'incident'?)`}},
	{"wrong comparison", inRule("    if: history.failures == 'two'", goodLadder),
		[]string{`5:26: if: found no matching overload for '_==_' applied to '(int, string)'`}},
	{"one = too few", inRule("    if: target.name = 'x'", goodLadder), []string{
		`5:21: if: Syntax error: token recognition error at: '= '; == compares`,
		`5:23: if: Syntax error: extraneous input ''x'' expecting <EOF>`,
	}},
	{"not true or false", inRule("    if: target.name", goodLadder),
		[]string{`5:9: if: the condition gives string; a condition gives true or false`}},
	{"empty condition", inRule("    if: ' '", goodLadder),
		[]string{`5:9: if: a condition has 1 to 4096 characters; leave if out where there is none`}},
	{"error in a block", inRule("    if: |", "      incident.severity == 'high' &&", "", "        target.nam == 'x'", goodLadder),
		[]string{`8:15: if: undefined field 'nam'; did you mean name?`}},
	{"error in folded text", inRule("    if: >-", "      incident.severity == 'high' &&", "      target.nam == 'x'", goodLadder),
		[]string{`7:13: if: undefined field 'nam'; did you mean name?`}},
	{"error on the second line of plain text", inRule("    if: incident.severity == 'high' &&", "      target.nam == 'x'", goodLadder),
		[]string{`6:13: if: undefined field 'nam'; did you mean name?`}},
	{"error behind quotes", inRule("    if: 'target.name == ''é'' && target.nam == \"x\"'", goodLadder),
		[]string{`5:40: if: undefined field 'nam'; did you mean name?`}},
	{"error behind escapes", inRule(`    if: "target.name == \"é\" && target.nam == 'x'"`, goodLadder),
		[]string{`5:40: if: undefined field 'nam'; did you mean name?`}},
	{"duration without a unit", "hold: {window: 30}\nrules: []\n",
		[]string{`1:16: window is a number; text would be right`}},
	{"duration that is none", "recurrence: soon\nrules: []\n",
		[]string{`1:13: recurrence: "soon" is not a duration; it is written like 30s, 10m, 24h or 90d`}},
	{"a hold that is an auto in disguise", "hold: {window: 0s}\nrules: []\n",
		[]string{`1:16: window is 0s; 5s to 1d would be right`}},
	{"size", "evidence: {max_bytes: 5 MB}\nrules: []\n",
		[]string{`1:23: max_bytes: "5 MB" is not a size; it is written like 512KiB or 5MiB`}},
	{"time zone", "timezone: Europe/Amsterdm\nrules: []\n",
		[]string{`1:11: timezone "Europe/Amsterdm" is not known; a name like UTC or Europe/Amsterdam would be right`}},
	{"channel", "channels: {high: incidents}\nrules: []\n",
		[]string{`1:18: high "incidents" cannot be; a channel in quotes like "#incidents" would be right`}},
	{"pattern", "inventory: {namespaces: ['a b']}\nrules: []\n",
		[]string{`1:26: namespaces: "a b" cannot be; a name, a pattern like "team-*", or what is left out like "!kube-*" would be right`}},
	{"looks are rarer than the window is long", "verification: {window: 1m, look_every: 2m}\nrules: []\n",
		[]string{`1:1: verification: look_every (2m) and healthy_for (2m) must be shorter than window (1m)`}},
	{"a key without a value", "hold:\nrules: []\n",
		[]string{`1:1: hold has no value; write one or leave the key out`}},
	{"no rules", "timezone: UTC\n", []string{`1:1: a policy needs rules; rules: [] only tells`}},
	{"not a mapping", "- a\n", []string{`1:1: a policy is a list; keys and values would be right`}},
	{"empty", "# nothing\n", []string{"1:1: the file is empty; a policy has at least rules (`salve policy show` prints one to start from)"}},
	{"two documents", "rules: []\n---\nrules: []\n", []string{`3:1: a second YAML document; a policy is one document`}},
	{"a key twice", "rules: []\nrules: []\n", []string{`2:1: not YAML: mapping key "rules" already defined at [1:1]`}},
	{"an unquoted star", "inventory:\n  clusters: [*]\nrules: []\n",
		[]string{`2:15: not YAML: unexpected scalar value type; a word that begins with * or ! stands in quotes`}},
	{"an unquoted exclamation mark", "rules: []\ninventory:\n  namespaces: !kube-*\n",
		[]string{`3:15: namespaces is a YAML tag (a word that begins with ! stands in quotes); text would be right`}},
	{"an alias", "timezone: &z UTC\ndefault_cluster: *z\nrules: []\n", []string{
		`1:11: timezone is a YAML anchor or alias (a policy is written out; a word that begins with * stands in quotes); text would be right`,
		`2:18: default_cluster is a YAML anchor or alias (a policy is written out; a word that begins with * stands in quotes); text would be right`,
	}},
	{"not UTF-8", "rules: \xff", []string{`1:1: the file is not UTF-8 text`}},
	{"too deep", "rules: " + strings.Repeat("[", 100), []string{`1:1: nested deeper than 60 levels; a policy is flatter`}},
	{"too long", "rules: []\n" + strings.Repeat("#\n", maxSource), []string{`1:1: the file has 524298 bytes; a policy has at most 262144`}},
	{"everything at once", "timezone: Mars\nrules:\n  - name: Bad Name\n    cause: disk.full_of_cats\n    level: 9\n", []string{
		`1:11: timezone "Mars" is not known; a name like UTC or Europe/Amsterdam would be right`,
		`3:11: name "Bad Name" cannot be; lower case, digits and dashes would be right`,
		`4:12: cause "disk.full_of_cats" is not known; known are unknown, pod.*, workload.*, job.*, deploy.*, node.*, host.*, service.*, cert.*, backup.*, slo.*, db.*, resource.*, security.*, trend.*`,
		`5:12: level is 9; 1 to 4 would be right`,
	}},
}

func TestLoadErrors(t *testing.T) {
	for _, c := range loadErrors {
		t.Run(c.name, func(t *testing.T) {
			p, err := Load("policy.yaml", []byte(c.src), fakeCatalogue{})
			if p != nil || err == nil {
				t.Fatal("it was loaded")
			}
			var errs Errors
			if !errors.As(err, &errs) {
				t.Fatalf("%T is not Errors", err)
			}
			var want []string
			for _, w := range c.want {
				want = append(want, "policy.yaml:"+w)
			}
			if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVersionIsOfTheContent(t *testing.T) {
	unix, dos := load(t, "rules: []\n"), load(t, "\xef\xbb\xbfrules: []\r\n")
	if unix.Version() != dos.Version() || len(unix.Version()) != 64 {
		t.Errorf("versions %s and %s: the same policy has one", unix.Version(), dos.Version())
	}
	if other := load(t, "rules: [] # really\n"); other.Version() == unix.Version() {
		t.Error("another file has the same version")
	}
	if got := string(dos.Source()); got != "rules: []\n" {
		t.Errorf("source %q", got)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(defaultSource)
	for _, c := range loadErrors {
		if len(c.src) < 4096 {
			f.Add(c.src)
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Load("f", []byte(src), fakeCatalogue{})
		if err == nil {
			for _, cause := range Causes() {
				p.Decide(crash(cause))
			}
			return
		}
		var errs Errors
		if !errors.As(err, &errs) || len(errs) == 0 {
			t.Fatalf("%v is not Errors", err)
		}
		for _, e := range errs {
			if e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("no place or message: %#v", e)
			}
		}
	})
}
