package intake

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

var update = flag.Bool("update", false, "write docs/alerts.md anew")

func TestTableMakesSense(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range readAlerts(alertTable) {
		line := fmt.Sprint(a.name, a.words, a.label, a.value)
		if seen[line] {
			t.Errorf("%s stands there twice", a.name)
		}
		seen[line] = true
		if err := a.wrong(); err != "" {
			t.Errorf("%s (%s): %s", a.name, a.group, err)
		}
	}
}

// wrong says what makes no sense in a line.
func (a alert) wrong() string {
	_, object := objectOf(a.about)
	base, known := alerts.exact[a.name]
	switch {
	case a.group == "":
		return "stands under no rule set"
	case a.hypothesis != "" && !incident.IsCause(a.hypothesis) && !incident.IsFamily(a.hypothesis):
		return a.hypothesis + " is neither a cause nor a family"
	case a.about == aboutNothing && (a.hypothesis != "" || a.suppress == a.name+" "):
		return "is no incident, and does not say why, or has a hypothesis"
	case a.about != "" && a.about != aboutNothing && !object && finders[a.about] == nil:
		return "nobody finds a " + a.about
	case a.words && incident.IsCause(a.hypothesis):
		return "words alone do not say a cause"
	case a.label != "" && (!known || base.about != a.about || a.cause() == ""):
		return "says no more than its name"
	case strings.ContainsAny(a.name, "{}*="):
		return "is no name"
	}
	return ""
}

func TestWrongLinesAreFound(t *testing.T) {
	tests := map[string]string{
		"A pod.oom Pod":                      "pod.oom is neither a cause nor a family",
		"A pod Pud":                          "nobody finds a Pud",
		"A* pod.oom_killed Pod":              "words alone do not say a cause",
		"A - Nothing":                        "is no incident, and does not say why, or has a hypothesis",
		"A{x=y} pod.oom_killed Pod":          "says no more than its name",
		"KubeNodePressure{x=y} node Node":    "says no more than its name",
		"A{x=y pod Pod":                      "says no more than its name",
		"A pod Pod # odd":                    "",
		"A - - ":                             "",
		"A":                                  "",
		"A - Nothing because of the weather": "",
	}
	for line, want := range tests {
		if got := readAlerts("## g\n" + line)[0].wrong(); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// Every alert that these rule sets ship is known by its exact name.
func TestRuleSetsAreKnown(t *testing.T) {
	n := 0
	for line := range strings.Lines(string(payload(t, "rulesets.txt"))) {
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' {
			continue
		}
		n++
		if _, ok := alerts.exact[name]; !ok {
			t.Errorf("%s is not in the table", name)
		}
	}
	if n < 200 {
		t.Errorf("only %d alerts were read", n)
	}
}

func TestSuppressedSayWhy(t *testing.T) {
	want := map[string]string{
		"Watchdog":                               "Watchdog always fires: it proves that alerts arrive",
		"DeadMansSwitch":                         "DeadMansSwitch always fires: it proves that alerts arrive",
		"InfoInhibitor":                          "InfoInhibitor only mutes alerts of severity info",
		"PrometheusAlertmanagerE2eDeadManSwitch": "PrometheusAlertmanagerE2eDeadManSwitch always fires: it proves that alerts arrive",
	}
	got := map[string]string{}
	for _, a := range readAlerts(alertTable) {
		if a.suppress != "" {
			got[a.name] = a.suppress
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("suppressed (-want +got):\n%s", diff)
	}
}

// The document shows the table, and nothing else.
func TestAlertsDocument(t *testing.T) {
	const file = "../../docs/alerts.md"
	want := document(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the table (-) and docs/alerts.md (+) differ; go test ./internal/intake -run Document -update writes it:\n%s", diff)
	}
}

const preface = `# Alerts that Salve knows

Made from ` + "`internal/intake/alerts.txt`" + `. For each alert: what it is about, which decides where among its labels Salve looks for the
target, and the first hypothesis, which is a cause where the name says one and a family of causes otherwise. A hypothesis is
where diagnosis begins; only evidence decides. Every other alert is taken too: its target is found by its labels, its family
by the words that its name begins with, or by the kind of the target.

Labels that Prometheus puts on what it scrapes (` + "`pod`, `container`, `service`, `namespace`, `instance`, `job`" + `) name the patient
only where they cannot be an exporter's own. Where a metric's own labels were pushed aside (` + "`exported_namespace`," + `
` + "`exported_pod`" + `, …), those are the patient's.

| what an alert is about | its target |
|---|---|
`

// inWords says what the finders look for.
var inWords = map[string]string{
	"Host":          "the host in `hostname`, `host`, `nodename` or `node`, else the scraped machine",
	"Unit":          "the host as above, with the systemd unit in `name`",
	"Probe":         "the host of the address in `instance` or `target`",
	"Scraped":       "the scraped process itself: `pod`, else `service`, else `job`, else `instance`",
	"Instance":      "the scraped process itself: `pod`, else the host in `instance`",
	"CertificateOf": "the Secret in `secret_name`, the Certificate in `name`, the Node in `node`, the subject, else the probed address",
	"Flux":          "the object in `name`, of the kind in `customresource_kind` or `kind`",
	"Database":      "the cluster, the pod beside the exporter, the host in `server`, the `scope`, else the host in `instance`; never the exporter",
	"SLO":           "the service in `sloth_service` or `service`, else the objective in `slo`",
}

func document(t *testing.T) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, o := range objectLabels {
		fmt.Fprintf(&b, "| %s | the object in `%s`", o.kind, o.label)
		if o.also != "" {
			fmt.Fprintf(&b, " or `%s`", o.also)
		}
		b.WriteString(" |\n")
	}
	for _, a := range []string{"Host", "Unit", "Probe", "Scraped", "Instance", "CertificateOf", "Flux", "Database", "SLO"} {
		fmt.Fprintf(&b, "| %s | %s |\n", a, inWords[a])
	}
	if len(inWords) != len(finders) {
		t.Errorf("%d finders, %d of them in words", len(finders), len(inWords))
	}
	group := ""
	for _, a := range readAlerts(alertTable) {
		if a.group != group {
			group = a.group
			fmt.Fprintf(&b, "\n## %s\n\n| alert | about | first hypothesis |\n|---|---|---|\n", strings.ToUpper(group[:1])+group[1:])
		}
		b.WriteString(a.row())
	}
	return b.String()
}

func (a alert) row() string {
	name, about := "`"+a.name+"`", a.about
	if a.words {
		name += " …"
	}
	if a.label != "" {
		name += fmt.Sprintf(" with `%s=%s`", a.label, a.value)
	}
	if a.suppress != "" {
		return fmt.Sprintf("| %s | | none: it%s |\n", name, strings.TrimPrefix(a.suppress, a.name))
	}
	return fmt.Sprintf("| %s | %s | %s |\n", name, about, a.hypothesis)
}
