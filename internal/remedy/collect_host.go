package remedy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"salve/internal/incident"
)

// On a host n8n runs vetted scripts that only read, by name. What they print
// comes back as raw[] {tool, host, text}; the tool says how it is read.

func readDisk(Request, incident.Target) ([]read, error) {
	return []read{
		{EvidenceKey: "raw", Tool: "df -P", Script: "disk-space"},
		{EvidenceKey: "raw", Tool: "df -Pi", Script: "disk-inodes", Optional: true},
		{EvidenceKey: "raw", Tool: "du -x -b", Script: "disk-biggest", Optional: true},
		{EvidenceKey: "raw", Tool: "find core dumps", Script: "disk-core-dumps", Optional: true},
	}, nil
}

func readService(_ Request, target incident.Target) ([]read, error) {
	requests := []read{{EvidenceKey: "raw", Tool: "systemctl show", Script: "units-failed"}}
	if target.Service == "" {
		return requests, nil
	}
	unit, err := unitName(target.Service)
	if err != nil {
		return nil, err
	}
	return append(requests,
		read{EvidenceKey: "raw", Tool: "systemctl show", Script: "unit-show", Args: []string{unit}},
		read{EvidenceKey: "raw", Tool: "journalctl", Script: "unit-log", Args: []string{unit}, Optional: true},
	), nil
}

// unitName refuses what is no name of a unit: it becomes a script's argument.
func unitName(name string) (string, error) {
	odd := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("._-@:", r)
	}
	if name == "" || len(name) > 253 || name[0] == '-' || strings.Trim(name, ".") == "" || strings.ContainsFunc(name, odd) {
		return "", fmt.Errorf("%q is no name of a systemd unit: at most 253 letters, digits and . : _ @ -", clip(name, 60))
	}
	if ext := path.Ext(name); slices.Contains(noServices, ext) || strings.HasPrefix(name, "systemd-") {
		return "", fmt.Errorf("%q is not a unit that is looked at or restarted: services, sockets and timers are, and none of systemd", clip(name, 60))
	}
	return name, nil
}

// noServices are kinds of units that can switch a machine off, or hold others.
var noServices = []string{".target", ".slice", ".scope", ".mount", ".swap", ".device"}

func readBackup(Request, incident.Target) ([]read, error) {
	return []read{{EvidenceKey: "backup", Script: "backup-status"}}, nil
}

// readTerraform makes the plan where Terraform is run, which is not the host itself.
func readTerraform(_ Request, target incident.Target) ([]read, error) {
	return []read{{EvidenceKey: "raw", Tool: terraformPlan, Script: "terraform-plan", Args: []string{"--host", target.Host}}}, nil
}

func readDatabase(Request, incident.Target) ([]read, error) {
	return []read{{EvidenceKey: "db", Script: "database-status"}}, nil
}

// readCertificate reads the certificate that a host serves, or cert-manager's object.
func readCertificate(_ Request, target incident.Target) ([]read, error) {
	if target.Host == "" {
		return paths(object("Certificate", target.Namespace, target.Name, ""), eventsOf("Certificate", target.Namespace, target.Name))
	}
	return []read{
		{EvidenceKey: "raw", Tool: "openssl x509", Script: "certificate-served"},
		{EvidenceKey: "raw", Tool: "certbot", Script: "certificate-renewal", Optional: true},
	}, nil
}

func readUsage(r Request, target incident.Target) ([]read, error) {
	if target.Host == "" {
		return metricsReads(r, target)
	}
	return []read{{EvidenceKey: "usage", Script: "usage"}}, nil
}
