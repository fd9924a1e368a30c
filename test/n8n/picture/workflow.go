package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// workflow is what a picture shows of a workflow file.
type workflow struct {
	Name        string
	Nodes       []node
	Connections map[string]struct {
		Main [][]struct {
			Node  string
			Index int
		}
	}
}

type node struct {
	Name        string
	Type        string
	Position    [2]float64
	Parameters  map[string]any
	Credentials map[string]any
	OnError     string
	Disabled    bool
}

func parse(data []byte) (workflow, error) {
	var w workflow
	if err := json.Unmarshal(data, &w); err != nil {
		return w, err
	}
	if w.Name == "" || len(w.Nodes) == 0 {
		return w, errors.New("not a workflow: it needs a name and nodes")
	}
	return w, nil
}

func (n node) kind() string { return n.Type[strings.LastIndex(n.Type, ".")+1:] }

func (n node) trigger() bool {
	return n.kind() == "webhook" || strings.HasSuffix(strings.ToLower(n.kind()), "trigger")
}

// at reads a nested parameter.
func (n node) at(path ...string) any {
	var v any = n.Parameters
	for _, step := range path {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	return v
}

func (n node) text(path ...string) string {
	s, _ := n.at(path...).(string)
	return s
}

// output is one of a node's ways out.
type output struct {
	label string
	fails bool
}

// outputs are a node's ways out, as n8n labels them.
func (n node) outputs() []output {
	var out []output
	switch n.kind() {
	case "if":
		out = []output{{label: "true"}, {label: "false"}}
	case "splitInBatches":
		out = []output{{label: "done"}, {label: "loop"}}
	case "switch":
		out = n.branches()
	case "stickyNote":
		return nil
	case "stopAndError":
		return nil
	default:
		out = []output{{}}
	}
	if n.OnError == "continueErrorOutput" {
		out = append(out, output{label: "error", fails: true})
	}
	return out
}

func (n node) branches() []output {
	var out []output
	rules, _ := n.at("rules", "values").([]any)
	for i, rule := range rules {
		r := node{Parameters: map[string]any{"rule": rule}}
		label := r.text("rule", "outputKey")
		if label == "" {
			label = fmt.Sprint(i)
		}
		out = append(out, output{label: label})
	}
	if n.at("options", "fallbackOutput") == "extra" {
		out = append(out, output{label: "else"})
	}
	return out
}

// what says under a node's name what kind it is.
func (n node) what() string {
	switch n.kind() {
	case "httpRequest":
		if method := n.text("method"); method != "" && !strings.HasPrefix(method, "=") {
			return method
		}
		if n.text("method") != "" {
			return "HTTP request"
		}
		return "GET"
	case "webhook":
		if method := n.text("httpMethod"); method != "" {
			return method + " /" + n.text("path")
		}
		return "GET /" + n.text("path")
	case "executeWorkflow":
		return "sub-workflow"
	}
	if label, ok := whats[n.kind()]; ok {
		return label
	}
	return n.kind()
}

var whats = map[string]string{
	"set": "edit fields", "code": "code", "if": "if", "switch": "switch", "filter": "filter", "splitOut": "split out",
	"splitInBatches": "loop", "merge": "merge", "aggregate": "aggregate", "wait": "wait", "noOp": "nothing",
	"respondToWebhook": "answer", "scheduleTrigger": "schedule", "executeWorkflowTrigger": "called by others",
	"errorTrigger": "on errors", "formTrigger": "form", "form": "form page", "emailSend": "e-mail", "ssh": "SSH",
	"crypto": "crypto", "jwt": "JWT", "stopAndError": "stop with an error", "manualTrigger": "by hand",
}
