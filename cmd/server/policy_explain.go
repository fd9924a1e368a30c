package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/policy"
	"salve/internal/triage"
)

type policyExplain struct {
	Alert      string `arg:"" help:"An alert as a file: native, or what Alertmanager sends; evidence inside is looked at. - is standard input."`
	Policy     string `help:"Policy file; without it the default."`
	Cause      string `help:"What is wrong, where the alert brings no evidence: pod.oom_killed."`
	Automation string `default:"live" enum:"live,dry_run,paused" help:"The mode to decide in: live, dry_run or paused."`
	Now        string `help:"The time to decide at, as 2026-11-20T03:15:00Z; now, unless said."`
}

// Run says which rule would apply to an alert, and why the others would not.
func (c policyExplain) Run(env *environment) error {
	p, err := loadPolicy(c.Policy)
	if err != nil {
		return err
	}
	at := now()
	if c.Now != "" {
		if at, err = time.Parse(time.RFC3339, c.Now); err != nil {
			return fmt.Errorf("--now: %q is no time; 2026-11-20T03:15:00Z would be right", c.Now)
		}
	}
	events, err := c.read(p, at)
	if err != nil {
		return err
	}
	for i, e := range events {
		if i > 0 {
			fmt.Fprintln(env.stdout)
		}
		if err := c.explain(env.stdout, p, e, at); err != nil {
			return err
		}
	}
	return nil
}

func (c policyExplain) read(p *policy.Policy, at time.Time) ([]incident.Event, error) {
	body, err := readFileOrStdin(c.Alert)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	set := p.Settings()
	in := intake.Input{Body: body, DefaultCluster: set.DefaultCluster, ReceivedAt: at, IDs: new(idSource).next}
	if len(set.TrustedEvidence) > 0 {
		in.Subject = set.TrustedEvidence[0]
	}
	source := intake.Native()
	if strings.Contains(string(body), `"groupLabels"`) {
		if source, err = intake.Lookup("alertmanager"); err != nil {
			return nil, err
		}
	}
	parsed, err := source.Parse(in)
	if err != nil {
		return nil, fmt.Errorf("explain %s: %w", c.Alert, err)
	}
	var events []incident.Event
	for _, item := range parsed.Items {
		for _, problem := range item.Rejected {
			return nil, fmt.Errorf("explain %s: %s: %s", c.Alert, problem.Pointer, problem.Detail)
		}
		events = append(events, triage.Locate(item.Event))
	}
	return events, nil
}

func (c policyExplain) explain(out io.Writer, p *policy.Policy, e incident.Event, at time.Time) error {
	o := triage.Run(p, triage.Facts{
		New: true, Incident: incident.Incident{ID: new(idSource).next(), Key: e.Key()}, Automation: incident.Automation(c.Automation),
	}, []triage.Arrival{{Event: e}}, at, new(idSource).next)
	d, diagnosis := o.Decision, o.Diagnosis
	if c.Cause != "" {
		facts := policy.Facts{
			Incident: o.Incident, Diagnosis: incident.Diagnosis{Cause: c.Cause, Confidence: 1, Subject: e.Target, Owner: e.Target}, Labels: e.Labels,
			Severity: e.Severity, Automation: incident.Automation(c.Automation), Trusted: true, ObservedAt: at, Now: at,
		}
		facts.Suppose()
		d, diagnosis = p.Decide(facts), facts.Diagnosis
	}
	fmt.Fprintf(out, "%s: %s about %s\n", e.Name, diagnosis.Cause, o.Incident.Target)
	if diagnosis.Cause == incident.CauseUnknown && c.Cause == "" {
		fmt.Fprintf(out, "  missing: %s\n  --cause says what to assume\n", strings.Join(diagnosis.Missing, ", "))
	}
	tab := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range d.Record.Rules {
		fmt.Fprintf(tab, "  %s\t%s\t%s\n", map[bool]string{true: "applies", false: "not"}[r.Applies], r.Rule, r.Why)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if n := d.Record.Others; n > 0 {
		fmt.Fprintf(out, "  %s about other causes\n", plural(n, "other rule"))
	}
	fmt.Fprintf(out, "verdict %s", d.Verdict)
	if d.Level > 0 {
		fmt.Fprintf(out, ", level %d, risk %s", d.Level, d.Risk)
	}
	fmt.Fprintln(out)
	for _, reason := range d.Reasons {
		fmt.Fprintf(out, "  %s\n", reason)
	}
	for _, s := range d.Steps {
		fmt.Fprintf(out, "  step %s (%s)\n", s.Action, s.Mode)
	}
	for _, g := range d.Guards {
		fmt.Fprintf(out, "  guard %s: %s: %s\n", g.Guard, map[bool]string{true: "stops", false: "lets pass"}[g.Stops], g.Reading)
	}
	return nil
}

func readFileOrStdin(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, 16<<20))
	}
	return os.ReadFile(name)
}
