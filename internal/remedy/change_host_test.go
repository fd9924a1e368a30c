package remedy_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

// onHost is an incident of web-01 with all that the remedies outside Kubernetes read.
func onHost(action string) remedy.Request {
	r := rolledOut(action)
	host := incident.Target{Kind: "Host", Host: "web-01", Service: "nginx"}
	r.Target, r.Incident.Target, r.Incident.Number = host, host, 42
	r.Diagnosis = incident.Diagnosis{Cause: "host.disk_full", Subject: host, Summary: "/ is full", Evidence: []string{"87 % used"}}
	r.Evidence.Certificates = []evidence.Certificate{{Subject: "CN=api.example.com", Host: "web-01", DNSNames: []string{"api.example.com", "www.example.com"}}}
	r.Evidence.Backups = []evidence.Backup{{Tool: "restic", Name: "nightly", Host: "web-01"}}
	r.Evidence.DBs = []evidence.DB{{Cluster: "orders", Members: []evidence.Member{
		{Name: "pg-0", Role: "Leader", State: "stopped"}, {Name: "pg-1", Role: "Replica", State: "streaming", LagMB: evidence.Of(3)},
		{Name: "pg-2", Role: "Replica", State: "running", LagMB: evidence.Of(1)}, {Name: "pg-3", Role: "Replica", State: "running"},
	}}}
	r.Evidence.Logs = []evidence.Log{{Host: "web-01", Tool: "terraform plan", Text: "Plan: 0 to add, 1 to change"}}
	r.Params = needed[action]
	return r
}

func TestChangesOutsideACluster(t *testing.T) {
	for _, c := range []struct {
		action  string
		params  map[string]any
		summary string
		execute map[string]any
	}{
		{"host.logs.clean", nil, "Delete rotated logs under /var/log older than 7 days on host web-01.", map[string]any{
			"shape": "ssh", "host": "web-01", "script": "logs-clean", "args": []any{"--root", "/var/log", "--older-than-days", "7", "--apply"}}},
		{"host.logs.clean", map[string]any{"root": "/srv/log/app", "older_than_days": 30}, "Delete rotated logs under /srv/log/app older than 30 days on host web-01.",
			map[string]any{"args": []any{"--root", "/srv/log/app", "--older-than-days", "30", "--apply"}}},
		{"host.logs.compress", nil, "Compress rotated logs under /var/log larger than 100 MB on host web-01.", map[string]any{
			"script": "logs-compress", "args": []any{"--root", "/var/log", "--larger-than-mb", "100", "--apply"}}},
		{"host.coredumps.delete", map[string]any{"root": "/var/crash"}, "Delete core dumps under /var/crash on host web-01.", map[string]any{
			"script": "coredumps-delete", "args": []any{"--root", "/var/crash", "--apply"}}},
		{"host.service.restart", nil, "Restart unit nginx on host web-01.", map[string]any{"script": "unit-restart", "args": []any{"nginx", "--apply"}}},
		{"host.service.reload", map[string]any{"unit": "haproxy.service"}, "Reload unit haproxy.service on host web-01.", map[string]any{"args": []any{"haproxy.service", "--apply"}}},
		{"db.failover", nil, "Fail database cluster orders over to pg-2, which lags 1 MB behind, on host web-01.", map[string]any{
			"script": "patroni-failover", "args": []any{"--cluster", "orders", "--candidate", "pg-2", "--apply"}}},
		{"cert.renew", map[string]any{"reload": "nginx"}, "Renew the certificate of api.example.com on host web-01 with certbot, then reload nginx.", map[string]any{
			"shape": "certificate", "domain": "api.example.com", "tool": "certbot", "host": "web-01"}},
		{"backup.run", nil, "Run backup nightly now on host web-01.", map[string]any{"shape": "backup", "operation": "run", "tool": "restic", "name": "nightly"}},
		{"backup.verify", nil, "Verify backup nightly on host web-01.", map[string]any{"operation": "verify"}},
		{"backup.extend_retention", map[string]any{"days": 14}, "Keep backup nightly for 14 days more on host web-01.", map[string]any{"operation": "extend_retention", "retention_days": 14.0}},
		{"ansible.run", nil, "Run Ansible playbook harden on host web-01.", map[string]any{"shape": "ansible", "playbook": "harden", "host": "web-01"}},
		{"host.disk.expand", nil, "Expand the disk of host web-01: apply Terraform plan 7b0b5ef8b1e9 in workspace prod.", map[string]any{"shape": "terraform", "workspace": "prod"}},
		{"ticket.create", nil, "Open a ticket in operations: INC-42: host.disk_full on Host/web-01.", map[string]any{
			"shape": "ticket", "queue": "operations", "body": "/ is full\n- 87 % used"}},
		{"notify.sms", nil, "Text on-call about Host/web-01.", map[string]any{"shape": "sms", "to": "on-call", "text": "INC-42 host.disk_full: Host/web-01"}},
		{"notify.digest", map[string]any{"channel": "#devops", "text": "87 % → 64 %"}, "Put into the next digest of #devops in Slack about Host/web-01.",
			map[string]any{"shape": "slack", "digest": true, "text": "87 % → 64 %"}},
	} {
		r := onHost(c.action)
		if c.params != nil {
			r.Params = c.params
		}
		in := build(t, r)
		if c.action == "host.disk.expand" {
			digest, _ := part(t, in.Execute, "plan_digest").(string)
			c.summary = strings.Replace(c.summary, "7b0b5ef8b1e9", digest[:12], 1)
		}
		if in.Summary != c.summary {
			t.Errorf("%s: %q, want %q", c.action, in.Summary, c.summary)
		}
		for path, want := range c.execute {
			if diff := cmp.Diff(want, part(t, in.Execute, path)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.action, path, diff)
			}
		}
		if in.Effect == incident.Change && in.Target.Host != "web-01" {
			t.Errorf("%s is about %+v", c.action, in.Target)
		}
	}
	then := build(t, func() remedy.Request {
		r := onHost("cert.renew")
		r.Params = map[string]any{"reload": "nginx"}
		return r
	}())
	if diff := cmp.Diff([]any{"nginx", "--apply"}, part(t, then.Execute, "then", "args")); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
}

func TestChangesOutsideThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, action string
		change       func(*remedy.Request)
		reason       string
	}{
		{"a root that is everything", "host.logs.clean", set("root", "/"), "want an absolute, clean path at or under /var/log"},
		{"a root that climbs", "host.logs.clean", set("root", "/var/log/../../etc"), "want an absolute, clean path"},
		{"a root beside", "host.logs.clean", set("root", "/var/logs"), "want an absolute, clean path"},
		{"a root with a command", "host.logs.clean", set("root", "/var/log/$(reboot)"), "want an absolute, clean path"},
		{"a root with a space", "host.coredumps.delete", set("root", "/var/crash/a b"), "want an absolute, clean path"},
		{"no days", "host.logs.clean", set("older_than_days", 0), "want a whole number from 1 to 3650"},
		{"a unit that is an option", "host.service.restart", set("unit", "--now"), "want the name of a systemd unit"},
		{"a unit with a command", "host.service.restart", func(r *remedy.Request) {
			r.Diagnosis.Subject.Service, r.Incident.Target.Service, r.Target.Service = "nginx; reboot", "nginx; reboot", "nginx; reboot"
		}, "is no name of a systemd unit"},
		{"another host", "host.service.restart", func(r *remedy.Request) { r.Diagnosis.Subject.Host = "web-02" }, `the incident is on host "web-01", the target on "web-02"`},
		{"no host", "host.logs.clean", func(r *remedy.Request) {
			r.Diagnosis.Subject, r.Target, r.Incident.Target = incident.Target{}, incident.Target{}, incident.Target{}
		}, "no host is named"},
		{"a host that is a command", "host.logs.clean", func(r *remedy.Request) {
			r.Diagnosis.Subject.Host, r.Target.Host, r.Incident.Target.Host = "a;b", "a;b", "a;b"
		}, "is no name and no address"},
		{"the primary may run", "db.failover", func(r *remedy.Request) { r.Evidence.DBs[0].Members[0].State = "in archive recovery" }, "member pg-0 is primary and in archive recovery"},
		{"a primary of which nobody says anything", "db.failover", func(r *remedy.Request) { r.Evidence.DBs[0].Members[0].State = "" }, "member pg-0 is primary and may run"},
		{"a database of another host", "db.failover", func(r *remedy.Request) { r.Evidence.DBs[0].Host = "web-77" }, "no replica of a database of this host"},
		{"two certificates, and neither is named", "cert.renew", func(r *remedy.Request) {
			r.Evidence.Certificates = append(r.Evidence.Certificates, evidence.Certificate{Subject: "CN=b.example.com"})
		}, "shows 2 of kind certificate on the host, and the diagnosis names 0 of them"},
		{"two backups, and neither is named", "backup.run", func(r *remedy.Request) {
			r.Evidence.Backups = append(r.Evidence.Backups, evidence.Backup{Tool: "restic", Name: "weekly"})
		}, "shows 2 of kind backup on the host, and the diagnosis names 0 of them"},
		{"a plan that holds a hole", "host.disk.expand", func(r *remedy.Request) { r.Evidence.Logs[0].Text += " [redacted]" }, "nobody can say yes to what is not seen"},
		{"a plan of no host", "host.disk.expand", func(r *remedy.Request) { r.Evidence.Logs[0].Host = "" }, "collect.terraform brings it"},
		{"a unit that is a directory", "host.service.restart", set("unit", ".."), "want the name of a systemd unit"},
		{"the primary runs", "db.failover", func(r *remedy.Request) { r.Evidence.DBs[0].Members[0].State = "running" }, "member pg-0 is primary and running: there is nothing to fail over"},
		{"nobody could take over", "db.failover", func(r *remedy.Request) { r.Evidence.DBs[0].Members = r.Evidence.DBs[0].Members[3:] }, "that runs and whose lag is known"},
		{"a wildcard", "cert.renew", func(r *remedy.Request) {
			r.Evidence.Certificates[0].DNSNames = []string{"a.example.com", "*.example.com"}
		}, "is a wildcard"},
		{"cert-manager's", "cert.renew", func(r *remedy.Request) { r.Evidence.Certificates[0].Namespace = "shop" }, "is cert-manager's, which renews it itself"},
		{"a domain that is a path", "cert.renew", func(r *remedy.Request) { r.Evidence.Certificates[0].DNSNames = []string{"../../etc"} }, "names no domain that could be renewed"},
		{"no backup", "backup.run", func(r *remedy.Request) { r.Evidence.Backups = nil }, "the evidence shows no backup of host web-01"},
		{"a backup of a hostile name", "backup.run", func(r *remedy.Request) { r.Evidence.Backups[0].Name = "a b" }, "is no name"},
		{"a playbook by path", "ansible.run", set("playbook", "../x.yml"), "want the name of a vetted playbook"},
		{"no playbook", "ansible.run", func(r *remedy.Request) { r.Params = nil }, "playbook is missing"},
		{"no plan was looked at", "host.disk.expand", func(r *remedy.Request) { r.Evidence.Logs = nil }, "collect.terraform brings it"},
		{"a plan of another host", "host.disk.expand", func(r *remedy.Request) { r.Evidence.Logs[0].Host = "web-02" }, "collect.terraform brings it"},
		{"a list that is a number", "notify.sms", set("to", "+31612345678"), "want the name of a list that n8n keeps"},
	} {
		r := onHost(c.action)
		c.change(&r)
		if _, err := remedy.Build(r); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", c.name, err, c.reason)
		}
	}
}

func set(name string, value any) func(*remedy.Request) {
	return func(r *remedy.Request) { r.Params = map[string]any{name: value} }
}

// Every script that is named is one that hosts are given.
func TestScriptsExist(t *testing.T) {
	for _, action := range (remedy.Catalogue{}).Actions() {
		r := onHost(action)
		in, err := remedy.Build(r)
		if err != nil {
			continue // it needs something else, and names no script
		}
		var named struct {
			Script   string
			Requests []struct{ Script string }
		}
		if err := json.Unmarshal(in.Execute, &named); err != nil {
			t.Fatal(err)
		}
		scripts := []string{named.Script}
		for _, read := range named.Requests {
			scripts = append(scripts, read.Script)
		}
		for _, script := range scripts {
			if _, err := os.Stat("../../n8n-workflows/scripts/" + script); err != nil {
				t.Errorf("%s: %v", action, err)
			}
		}
	}
}

// A yes is bound to what will be done: another plan, root or day is another plan.
func TestPlansOutsideAreBoundToTheirHash(t *testing.T) {
	for action, change := range map[string]func(*remedy.Request){
		"host.logs.clean":      set("older_than_days", 8),
		"host.service.restart": set("unit", "other"),
		"host.disk.expand":     func(r *remedy.Request) { r.Evidence.Logs[0].Text += " and 1 to destroy" },
		"db.failover":          func(r *remedy.Request) { r.Evidence.DBs[0].Members[1].LagMB = evidence.Of(0) },
		"cert.renew":           func(r *remedy.Request) { r.Evidence.Certificates[0].DNSNames = []string{"b.example.com"} },
	} {
		r := onHost(action)
		before := build(t, r).PlanHash
		change(&r)
		if build(t, r).PlanHash == before {
			t.Errorf("%s: another plan has the same hash", action)
		}
	}
}

// Of several, the one that is ill is meant; two databases are not mixed.
func TestTheOneThatIsMeant(t *testing.T) {
	r := onHost("cert.renew")
	r.Diagnosis.Summary = "the certificate of api.example.com expires in 5 days"
	r.Evidence.Certificates = []evidence.Certificate{{DNSNames: []string{"fine.example.com"}}, {DNSNames: []string{"api.example.com"}}, {DNSNames: []string{"my-api.example.com"}}}
	if got := part(t, build(t, r).Execute, "domain"); got != "api.example.com" {
		t.Errorf("renews %v", got)
	}
	r = onHost("backup.run")
	r.Diagnosis.Summary = "backup nightly of web-01 failed"
	r.Evidence.Backups = append([]evidence.Backup{{Tool: "restic", Name: "weekly"}}, r.Evidence.Backups...)
	if got := part(t, build(t, r).Execute, "name"); got != "nightly" {
		t.Errorf("runs %v", got)
	}
	r = onHost("db.failover")
	billing := evidence.DB{Cluster: "billing", Members: []evidence.Member{{Name: "bill-1", Role: "Replica", State: "streaming", LagMB: evidence.Of(0)}}}
	r.Evidence.DBs = []evidence.DB{{Cluster: "orders", Members: r.Evidence.DBs[0].Members[:1]}, billing}
	if got := build(t, r).Summary; !strings.Contains(got, "cluster billing over to bill-1") {
		t.Errorf("%s", got)
	}
}
