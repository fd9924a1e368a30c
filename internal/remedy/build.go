package remedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/redact"
	"salve/internal/slack"
)

// Request is one step of a rung and what is known about the case.
type Request struct {
	Action    string
	Target    incident.Target // collect and notify: what about. Changes take theirs from the diagnosis
	Incident  incident.Incident
	Diagnosis incident.Diagnosis
	Evidence  evidence.Evidence
	Params    map[string]any
	Buttons   []slack.Button // notify.slack: what people may answer with

	HealthyFor time.Duration // policy's: healthy for so long is healthy
	LookEvery  time.Duration // policy's: between two looks

	Repositories []incident.Repository // policy's

	RaisedBefore int    // k8s.deployment.resources: how often this limit was raised in this incident
	FirstLimit   string // the limit before the first of these raises; empty when there was none
}

// Refusal says why an action is not asked for. It is for people.
type Refusal struct {
	Action string
	Reason string
}

func (r *Refusal) Error() string { return r.Action + " refused: " + r.Reason }

// plan is what a builder makes of a request. A nil part is an empty object.
type plan struct {
	target  incident.Target
	summary string // one sentence for a person at three in the morning
	timeout time.Duration

	params, precondition, rollback, verify, execute any
}

// Build renders one intent. The caller fills in ids, mode, state, reason and
// times. Every error for a reason that lies in the case is a *Refusal.
func Build(r Request) (incident.Intent, error) {
	row, err := find(r.Action)
	if err != nil {
		return incident.Intent{}, &Refusal{r.Action, err.Error()}
	}
	p, err := row.build(r)
	if err != nil {
		return incident.Intent{}, &Refusal{r.Action, err.Error()}
	}
	in, err := p.intent(row.Entry)
	if err != nil {
		return incident.Intent{}, err
	}
	if part := redactedPart(in); part != "" {
		return incident.Intent{}, &Refusal{r.Action, "its " + part + " would hold " + redact.Hole + ", where a secret was left out: what was redacted is never written back"}
	}
	return in, nil
}

// redactedPart names the part of a plan that rests on something that was
// redacted; nothing where none does. A message may quote a hole: it is read by
// people and written into nothing.
func redactedPart(in incident.Intent) string {
	if in.Effect == incident.Tell {
		return ""
	}
	target, err := encode(in.Target)
	if err != nil {
		return "target"
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
	}{
		{"target", target}, {"params", in.Params}, {"precondition", in.Precondition}, {"rollback", in.Rollback}, {"verify", in.Verify}, {"execute", in.Execute},
	} {
		if bytes.Contains(part.raw, []byte(redact.Hole)) || bytes.Contains(part.raw, []byte(url.QueryEscape(redact.Hole))) {
			return part.name
		}
	}
	return ""
}

func (p plan) intent(e Entry) (incident.Intent, error) {
	in := incident.Intent{
		Action: e.Action, Effect: e.Effect, Risk: e.Risk,
		Target: p.target, Summary: p.summary, Timeout: p.timeout,
	}
	for _, part := range []struct {
		name string
		from any
		to   *json.RawMessage
	}{
		{"params", p.params, &in.Params}, {"precondition", p.precondition, &in.Precondition},
		{"rollback", p.rollback, &in.Rollback}, {"verify", p.verify, &in.Verify}, {"execute", p.execute, &in.Execute},
	} {
		raw, err := encode(part.from)
		if err != nil {
			return incident.Intent{}, fmt.Errorf("%s of %s: %w", part.name, e.Action, err)
		}
		*part.to = raw
	}
	if err := checkShape(in.Execute); err != nil {
		return incident.Intent{}, fmt.Errorf("execute of %s: %w", e.Action, err)
	}
	hash, err := incident.PlanHash(in.Action, in.Target, in.Params, in.Execute)
	if err != nil {
		return incident.Intent{}, err
	}
	in.PlanHash = hash
	return in, nil
}

// encode leaves & as it is, so that a path reads as a path.
func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// cluster is the one cluster that target and incident agree on: n8n picks the
// credential by it, and evidence must not be able to point at another one.
func (r Request) cluster(target incident.Target) (string, error) {
	name, home := target.Cluster, r.Incident.Target.Cluster
	if name == "" {
		name = home
	}
	switch {
	case name == "":
		return "", fmt.Errorf("no cluster is known")
	case home != "" && name != home:
		return "", fmt.Errorf("the incident is in cluster %q, the target in %q", clip(home, 60), clip(name, 60))
	case len(name) > 253 || strings.ContainsFunc(name, notInCluster):
		return "", fmt.Errorf("cluster %q is not a name: at most 253 letters, digits and . _ : / @ -", clip(name, 60))
	}
	return name, nil
}

func notInCluster(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("._:/@-", r)
}

// clip keeps hostile text in a reason short.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
