package remedy

import (
	"fmt"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// CollectFiles reads what a workload is made of from its repository.
const CollectFiles = "collect.files"

const collectTimeout = 30 * time.Second

// collection is one way of looking at a target. Nothing is changed by any.
type collection struct {
	action string
	what   string // is read of the target, in words
	reads  func(Request, incident.Target) ([]read, error)
}

// The collections, by where they look: a cluster's API, or a host.
var (
	ofCluster = []collection{
		{diagnose.CollectPod, "its owners, pods and events", readPod},
		{diagnose.CollectLogs, "the current and the previous log of its container", readLogs},
		{diagnose.CollectWorkload, "its pods, autoscaler, disruption budgets, quotas and their events", readWorkload},
		{diagnose.CollectNode, "its conditions and events", readNode},
		{CollectFiles, "the manifests in Git that it is made of", readFiles},
		{diagnose.CollectGitOps, "what it deploys, and how its last run ended", readGitOps},
	}
	ofHost = []collection{
		{diagnose.CollectDisk, "file systems, inodes, the biggest directories and core dumps", readDisk},
		{diagnose.CollectService, "its failed units, and the state of the unit in question", readService},
		{diagnose.CollectBackup, "when its backups last succeeded", readBackup},
		{"collect.terraform", "the Terraform plan for its disk; nothing is applied", readTerraform},
		{diagnose.CollectDatabase, "its database's connections, members and replication lag", readDatabase},
	}
	ofEither = []collection{
		{diagnose.CollectCertificate, "the certificate, and how its last renewal ended", readCertificate},
		{diagnose.CollectUsage, "the CPU and memory in use", readUsage},
	}
)

func collects() []remedy {
	var rows []remedy
	add := func(list []collection, place func(Request) (incident.Target, error)) {
		for _, c := range list {
			build := func(r Request) (plan, error) { return c.build(r, place) }
			rows = append(rows, remedy{Entry{c.action, incident.Observe, incident.RiskLow, true, "nothing"}, checkNone, build, nil})
		}
	}
	add(ofCluster, Request.onCluster)
	add(ofHost, Request.onHost)
	add(ofEither, Request.onEither)
	return rows
}

func (c collection) build(r Request, place func(Request) (incident.Target, error)) (plan, error) {
	if err := checkNone(r.Params); err != nil {
		return plan{}, err
	}
	target, err := place(r)
	if err != nil {
		return plan{}, err
	}
	requests, err := c.reads(r, target)
	if err != nil {
		return plan{}, err
	}
	for _, read := range requests {
		if read.place() == "" {
			return plan{}, fmt.Errorf("a read for %s names no one place to look at", read.EvidenceKey)
		}
	}
	return plan{
		target:  target,
		summary: "Read " + nameOf(target) + ", " + c.what + "; nothing is changed.",
		timeout: collectTimeout,
		execute: collectShape{"collect", target.Cluster, target.Host, requests, int(collectTimeout / time.Second)},
	}, nil
}

func nameOf(t incident.Target) string {
	switch {
	case t.Host != "":
		return "host " + t.Host
	case t.Namespace != "":
		return t.Kind + " " + t.Namespace + "/" + t.Name
	default:
		return t.Kind + " " + t.Name
	}
}

// onCluster is the target within the one cluster that it and the incident agree on.
func (r Request) onCluster() (incident.Target, error) {
	t := r.Target
	var err error
	t.Cluster, err = r.cluster(t)
	return t, err
}

// onHost is the target as a host alone: n8n picks the credential by it.
func (r Request) onHost() (incident.Target, error) {
	t := r.Target
	t.Cluster = ""
	return t, checkHost(t.Host)
}

func (r Request) onEither() (incident.Target, error) {
	if r.Target.Host != "" {
		return r.onHost()
	}
	return r.onCluster()
}

// checkHost refuses what can be neither a name nor an address: it goes to n8n as
// the name of a credential, and to no command line.
func checkHost(host string) error {
	if host == "" {
		return fmt.Errorf("no host is named")
	}
	if len(host) > 253 || !hostLike(host) {
		return fmt.Errorf("host %q is no name and no address: at most 253 letters, digits and . : _ -", clip(host, 60))
	}
	return nil
}

func hostLike(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !word && (i == 0 || c != '.' && c != '-' && c != '_' && c != ':') {
			return false
		}
	}
	return true
}
