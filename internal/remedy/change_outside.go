package remedy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/kube"
	"salve/internal/redact"
)

// The changes that other tools make: certificates, backups, Ansible, Terraform.
func outsideChanges() []remedy {
	return []remedy{
		{Entry{"cert.renew", change, medium, false, "one certificate is replaced, and who serves it reloads"}, checkRenew, buildRenew, nil},
		{Entry{"backup.run", change, low, false, "one backup runs"}, checkNone, buildBackup("run", "Run backup %s now"), nil},
		{Entry{"backup.verify", change, low, false, "one backup is read back"}, checkNone, buildBackup("verify", "Verify backup %s"), nil},
		{Entry{"backup.extend_retention", change, low, false, "backups are kept longer"}, checkRetention, buildRetention, nil},
		{Entry{"ansible.run", change, high, false, "what the playbook says, on one host"}, checkPlaybook, buildPlaybook, nil},
		{Entry{"host.disk.expand", change, high, false, "what the plan says that was looked at"}, checkWorkspace, buildExpand, nil},
	}
}

type certificateShape struct {
	Shape          string    `json:"shape"`
	Host           string    `json:"host"`
	Domain         string    `json:"domain"`
	Tool           string    `json:"tool"`
	Then           *sshShape `json:"then,omitempty"` // once it is renewed
	TimeoutSeconds int       `json:"timeout_seconds"`
}

type renewParams struct {
	Domain string `json:"domain"`
	Tool   string `json:"tool"`
	Reload string `json:"reload,omitempty"`
}

const renewTimeout = 180 * time.Second

func readRenew(params map[string]any) (renewParams, error) {
	p := reader{given: params}
	out := renewParams{
		Tool:   cmp.Or(p.text("tool", "certbot or acme.sh", func(s string) bool { return s == "certbot" || s == "acme.sh" }), "certbot"),
		Reload: p.text("reload", "the name of a systemd unit", func(s string) bool { _, err := unitName(s); return err == nil }),
	}
	return out, p.done()
}

func checkRenew(params map[string]any) error {
	_, err := readRenew(params)
	return err
}

// buildRenew renews the certificate that the evidence shows, and reloads who
// serves it. What cert-manager keeps it renews itself, and a wildcard needs DNS.
func buildRenew(r Request) (plan, error) {
	params, err := readRenew(r.Params)
	if err != nil {
		return plan{}, err
	}
	host, err := r.host()
	if err != nil {
		return plan{}, err
	}
	c, err := r.certificate(host)
	if err != nil {
		return plan{}, err
	}
	params.Domain = namesOf(c)[0]
	if err := kube.CheckSubdomain("domain", params.Domain); err != nil {
		return plan{}, fmt.Errorf("the evidence names no domain that could be renewed: %w", err)
	}
	target := incident.Target{Kind: "Certificate", Name: params.Domain, Host: host}
	x := certificateShape{"certificate", host, params.Domain, params.Tool, nil, int(renewTimeout / time.Second)}
	summary := fmt.Sprintf("Renew the certificate of %s on host %s with %s.", params.Domain, host, params.Tool)
	if params.Reload != "" {
		x.Then = &sshShape{"ssh", host, "unit-reload", []string{params.Reload, "--apply"}, 60}
		summary = strings.TrimSuffix(summary, ".") + ", then reload " + params.Reload + "."
	}
	return plan{
		target: target, summary: summary, timeout: renewTimeout, params: params,
		verify: verification{
			Summary: "the certificate that is served is good for longer than policy asks", Target: target, Until: "healthy",
			HealthySeconds: int(r.HealthyFor.Seconds()), LookSeconds: int(r.LookEvery.Seconds()),
		},
		execute: x,
	}, nil
}

// certificate is the one that the diagnosis is about: the only one of the host, or
// the one whose name the diagnosis says.
func (r Request) certificate(host string) (evidence.Certificate, error) {
	var found []evidence.Certificate
	for _, c := range r.Evidence.Certificates {
		switch {
		case c.Namespace != "":
			return c, fmt.Errorf("certificate %s/%s is cert-manager's, which renews it itself", clip(c.Namespace, 60), clip(c.Name, 60))
		case c.Host == "" || c.Host == host:
			found = append(found, c)
		}
	}
	c, err := pick(r.Diagnosis.Summary, "certificate", found, namesOf)
	if err != nil {
		return c, err
	}
	for _, name := range namesOf(c) {
		if strings.HasPrefix(name, "*.") {
			return c, fmt.Errorf("certificate of %s is a wildcard: it is proven by DNS, which n8n does not hold", clip(name, 60))
		}
	}
	return c, nil
}

func namesOf(c evidence.Certificate) []string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames
	}
	return []string{strings.TrimPrefix(c.Subject, "CN=")}
}

// pick takes of several things the one that the diagnosis names: the wrong one is
// worse than none.
func pick[T any](summary, what string, all []T, names func(T) []string) (one T, err error) {
	if len(all) == 1 {
		return all[0], nil
	}
	n := 0
	for _, t := range all {
		if slices.ContainsFunc(names(t), func(name string) bool { return name != "" && says(summary, name) }) {
			one, n = t, n+1
		}
	}
	if n != 1 {
		return one, fmt.Errorf("the evidence shows %d of kind %s on the host, and the diagnosis names %d of them, not one", len(all), what, n)
	}
	return one, nil
}

// says whether a text holds a name as a whole word.
func says(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return !isNameRune(r) }), name)
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-*", r)
}

type backupShape struct {
	Shape          string `json:"shape"`
	Host           string `json:"host"`
	Tool           string `json:"tool"`
	Name           string `json:"name"`
	Operation      string `json:"operation"` // run, verify, extend_retention
	RetentionDays  int    `json:"retention_days,omitempty"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

type backupParams struct {
	Tool          string `json:"tool"`
	Name          string `json:"name"`
	RetentionDays int    `json:"retention_days,omitempty"`
}

const backupTimeout = 3600 * time.Second

// backup is the one backup job that the evidence shows on the host.
func (r Request) backup() (backupShape, error) {
	host, err := r.host()
	if err != nil {
		return backupShape{}, err
	}
	var found []evidence.Backup
	for _, b := range r.Evidence.Backups {
		if b.Host == "" || b.Host == host {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		return backupShape{}, fmt.Errorf("the evidence shows no backup of host %s", host)
	}
	b, err := pick(r.Diagnosis.Summary, "backup", found, func(b evidence.Backup) []string { return []string{cmp.Or(b.Name, b.Schedule)} })
	if err != nil {
		return backupShape{}, err
	}
	name := cmp.Or(b.Name, b.Schedule)
	if _, err := unitName(name); err != nil {
		return backupShape{}, fmt.Errorf("backup: %w", err)
	}
	if _, err := unitName(b.Tool); err != nil {
		return backupShape{}, fmt.Errorf("tool of backup %s: %w", name, err)
	}
	return backupShape{Shape: "backup", Host: host, Tool: b.Tool, Name: name, TimeoutSeconds: int(backupTimeout / time.Second)}, nil
}

func (r Request) planBackup(x backupShape, summary string) plan {
	target := incident.Target{Kind: "Host", Host: x.Host, Service: r.Incident.Target.Service}
	return plan{
		target: target, summary: summary + " on host " + x.Host + ".", timeout: backupTimeout,
		params: backupParams{x.Tool, x.Name, x.RetentionDays}, execute: x,
		verify: r.verifyHost(x.Host, "the backup's last run succeeded"),
	}
}

func buildBackup(operation, summary string) func(Request) (plan, error) {
	return func(r Request) (plan, error) {
		if err := checkNone(r.Params); err != nil {
			return plan{}, err
		}
		x, err := r.backup()
		if err != nil {
			return plan{}, err
		}
		x.Operation = operation
		return r.planBackup(x, fmt.Sprintf(summary, x.Name)), nil
	}
}

func readRetention(params map[string]any) (int, error) {
	p := reader{given: params}
	days := p.whole("days", 7, 1, 3650)
	return days, p.done()
}

func checkRetention(params map[string]any) error {
	_, err := readRetention(params)
	return err
}

func buildRetention(r Request) (plan, error) {
	days, err := readRetention(r.Params)
	if err != nil {
		return plan{}, err
	}
	x, err := r.backup()
	if err != nil {
		return plan{}, err
	}
	x.Operation, x.RetentionDays = "extend_retention", days
	return r.planBackup(x, fmt.Sprintf("Keep backup %s for %d days more", x.Name, days)), nil
}

type ansibleShape struct {
	Shape          string `json:"shape"`
	Host           string `json:"host"`
	Playbook       string `json:"playbook"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

type playbookParams struct {
	Playbook string `json:"playbook"`
}

const playbookTimeout = 900 * time.Second

func readPlaybook(params map[string]any) (playbookParams, error) {
	p := reader{given: params}
	out := playbookParams{p.text("playbook", "the name of a vetted playbook: lower-case letters, digits and -", isLabel)}
	return out, p.done()
}

func isLabel(s string) bool { return kube.CheckLabel("name", s) == nil }

func checkPlaybook(params map[string]any) error {
	out, err := readPlaybook(params)
	if err == nil && out.Playbook == "" {
		err = fmt.Errorf("playbook is missing: the name of a vetted one")
	}
	return err
}

func buildPlaybook(r Request) (plan, error) {
	if err := checkPlaybook(r.Params); err != nil {
		return plan{}, err
	}
	params, _ := readPlaybook(r.Params)
	host, err := r.host()
	if err != nil {
		return plan{}, err
	}
	return plan{
		target:  incident.Target{Kind: "Host", Host: host, Service: r.Incident.Target.Service},
		summary: fmt.Sprintf("Run Ansible playbook %s on host %s.", params.Playbook, host), timeout: playbookTimeout,
		verify: r.verifyHost(host, "what was wrong on the host is well"),
		params: params, execute: ansibleShape{"ansible", host, params.Playbook, int(playbookTimeout / time.Second)},
	}, nil
}

// terraformShape applies exactly the plan that was looked at.
type terraformShape struct {
	Shape          string `json:"shape"`
	Host           string `json:"host"`
	Workspace      string `json:"workspace"`
	PlanDigest     string `json:"plan_digest"` // SHA-256 of what terraform show printed of it
	TimeoutSeconds int    `json:"timeout_seconds"`
}

type expandParams struct {
	Workspace  string `json:"workspace"`
	PlanDigest string `json:"plan_digest,omitempty"`
}

const terraformTimeout = 900 * time.Second

// terraformPlan is the tool under which a plan stands in the evidence.
const terraformPlan = "terraform plan"

func readWorkspace(params map[string]any) (expandParams, error) {
	p := reader{given: params}
	out := expandParams{Workspace: p.text("workspace", "the name of a Terraform workspace: lower-case letters, digits and -", isLabel)}
	return out, p.done()
}

func checkWorkspace(params map[string]any) error {
	out, err := readWorkspace(params)
	if err == nil && out.Workspace == "" {
		err = fmt.Errorf("workspace is missing: the name of a Terraform workspace")
	}
	return err
}

// buildExpand applies a plan that lies in the evidence, so that a yes is bound to
// its digest.
func buildExpand(r Request) (plan, error) {
	if err := checkWorkspace(r.Params); err != nil {
		return plan{}, err
	}
	params, _ := readWorkspace(r.Params)
	host, err := r.host()
	if err != nil {
		return plan{}, err
	}
	for _, log := range r.Evidence.Logs {
		if log.Tool == terraformPlan && log.Host == host && strings.TrimSpace(log.Text) != "" {
			if strings.Contains(log.Text, redact.Hole) {
				return plan{}, fmt.Errorf("the Terraform plan of host %s holds %s, where a secret was left out: nobody can say yes to what is not seen", host, redact.Hole)
			}
			sum := sha256.Sum256([]byte(log.Text))
			params.PlanDigest = hex.EncodeToString(sum[:])
		}
	}
	if params.PlanDigest == "" {
		return plan{}, fmt.Errorf("the evidence holds no Terraform plan of host %s: collect.terraform brings it", host)
	}
	return plan{
		target:  incident.Target{Kind: "Host", Host: host},
		summary: fmt.Sprintf("Expand the disk of host %s: apply Terraform plan %.12s in workspace %s.", host, params.PlanDigest, params.Workspace),
		timeout: terraformTimeout, params: params, verify: r.verifyHost(host, "the file system is under its threshold"),
		execute: terraformShape{"terraform", host, params.Workspace, params.PlanDigest, int(terraformTimeout / time.Second)},
	}, nil
}
