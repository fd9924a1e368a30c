package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"salve/internal/incident"
	"salve/internal/kube"
)

// Shapes are the executable requests that a claim may hand out; n8n's executor has a
// branch for each. What is none of them is not built.
func Shapes() []string {
	return []string{
		"kubernetes", "rollback", "collect", "slack", "ssh", "certificate", "backup", "ansible", "terraform", "pull_request", "ticket", "sms",
	}
}

// checkShape says whether an executable request is of the closed list.
func checkShape(execute json.RawMessage) error {
	var x struct{ Shape string }
	if err := json.Unmarshal(execute, &x); err != nil {
		return err
	}
	if !slices.Contains(Shapes(), x.Shape) {
		return fmt.Errorf("shape %q is not one of %v", x.Shape, Shapes())
	}
	return nil
}

// kubernetesShape is one call to a Kubernetes API server.
type kubernetesShape struct {
	Shape          string          `json:"shape"`
	Cluster        string          `json:"cluster"`
	Method         string          `json:"method"`
	Path           string          `json:"path"`
	ContentType    string          `json:"content_type"`
	Body           json.RawMessage `json:"body"`
	TimeoutSeconds int             `json:"timeout_seconds"`
	Watch          *watch          `json:"watch,omitempty"`
}

// watch is what is read until the change is complete. A list is ready when all
// its pods are, an object when its status says so for its present generation.
type watch struct {
	Path    string `json:"path"`
	Until   string `json:"until"`
	Without string `json:"without_uid,omitempty"` // this pod is on its way out and does not count
}

func kubernetes(cluster string, req kube.Request, timeout time.Duration, w *watch) kubernetesShape {
	return kubernetesShape{
		Shape: "kubernetes", Cluster: cluster,
		Method: req.Method, Path: req.Path, ContentType: req.ContentType, Body: req.Body,
		TimeoutSeconds: int(timeout / time.Second), Watch: w,
	}
}

// collectShape is a list of reads: of a cluster by its API, or of a host by vetted
// scripts that only read.
type collectShape struct {
	Shape          string `json:"shape"`
	Cluster        string `json:"cluster,omitempty"`
	Host           string `json:"host,omitempty"`
	Requests       []read `json:"requests"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

// read is one look. What it answers is added under the evidence key: a list by
// its items, and a key may stand more than once. A log's text comes as
// {pod, container, previous, text}, a script's output as {tool, host, text}.
type read struct {
	EvidenceKey string `json:"evidence_key"`

	Path   string `json:"path,omitempty"`   // GET it from the cluster's API
	Follow string `json:"follow,omitempty"` // owners: walk the controlling owner references too

	Pod       string `json:"pod,omitempty"` // of a log
	Container string `json:"container,omitempty"`
	Previous  bool   `json:"previous,omitempty"`

	Tool   string   `json:"tool,omitempty"`   // what the script runs, as raw[] names it
	Script string   `json:"script,omitempty"` // the vetted script's name
	Args   []string `json:"args,omitempty"`

	Repo  string   `json:"repo,omitempty"` // of files: each that a path matches, with its blob's SHA
	Ref   string   `json:"ref,omitempty"`
	Paths []string `json:"paths,omitempty"`

	Optional bool `json:"optional,omitempty"` // that it cannot be read is no failure of the look
}

// Places are where a read looks; n8n's executor has a branch for each.
func Places() []string { return []string{"cluster", "host", "repository"} }

// place is the one place of a read; empty where it names none, or several.
func (r read) place() string {
	var found []string
	for i, named := range []bool{r.Path != "", r.Script != "", r.Repo != ""} {
		if named {
			found = append(found, Places()[i])
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// slackShape is one message.
type slackShape struct {
	Shape    string `json:"shape"`
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	ThreadTS string `json:"thread_ts,omitempty"`
	Digest   bool   `json:"digest,omitempty"` // it waits for the next digest

	Blocks         json.RawMessage `json:"blocks,omitempty"` // the text with buttons, as Slack's Block Kit
	TimeoutSeconds int             `json:"timeout_seconds"`
}

// verification says how it is seen that a change helped.
type verification struct {
	Summary        string          `json:"summary"`
	Target         incident.Target `json:"target"` // whose pods are looked at
	Until          string          `json:"until"`
	HealthySeconds int             `json:"healthy_seconds"` // for so long, without a restart
	LookSeconds    int             `json:"look_seconds"`    // between two looks
	Path           string          `json:"path,omitempty"`
}

func (r Request) verifyReady(target incident.Target, path string) verification {
	return verification{
		Summary: fmt.Sprintf("the pods of %s %s are ready and stay so for %s without a restart", target.Kind, target.Name, r.HealthyFor),
		Target:  target, Until: "ready", HealthySeconds: int(r.HealthyFor.Seconds()), LookSeconds: int(r.LookEvery.Seconds()), Path: path,
	}
}
