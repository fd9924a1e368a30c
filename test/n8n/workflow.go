package n8n

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Workflow is one workflow file, as far as the rules look at it.
type Workflow struct {
	File        string `json:"-"`
	ID          string `json:"id"`
	Name        string `json:"name"`
	Nodes       []Node `json:"nodes"`
	Connections map[string]struct {
		Main [][]struct {
			Node string `json:"node"`
		} `json:"main"`
	} `json:"connections"`
	Settings struct {
		ErrorWorkflow            string `json:"errorWorkflow"`
		SaveDataSuccessExecution string `json:"saveDataSuccessExecution"`
		SaveDataErrorExecution   string `json:"saveDataErrorExecution"`
		SaveManualExecutions     *bool  `json:"saveManualExecutions"`
		SaveExecutionProgress    *bool  `json:"saveExecutionProgress"`
	} `json:"settings"`
	PinData json.RawMessage `json:"pinData"`
}

// Node is one node of a workflow.
type Node struct {
	ID          string                       `json:"id"`
	Name        string                       `json:"name"`
	Type        string                       `json:"type"`
	TypeVersion float64                      `json:"typeVersion"`
	Parameters  map[string]any               `json:"parameters"`
	Credentials map[string]map[string]string `json:"credentials"`
	RetryOnFail bool                         `json:"retryOnFail"`
	OnError     string                       `json:"onError"`
}

// Catalogue is what n8n's own descriptions say about the nodes that may be used.
type Catalogue struct {
	N8N   string `json:"n8n"`
	Nodes map[string]struct {
		Version    float64  `json:"version"`
		Parameters []string `json:"parameters"`
	} `json:"nodes"`
}

// Parse reads a workflow file.
func Parse(file string, data []byte) (Workflow, error) {
	w := Workflow{File: file}
	if err := json.Unmarshal(data, &w); err != nil {
		return w, fmt.Errorf("%s: not a workflow: %w", file, err)
	}
	if w.ID == "" || w.Name == "" || len(w.Nodes) == 0 {
		return w, fmt.Errorf("%s: not a workflow: it needs an id, a name and nodes", file)
	}
	return w, nil
}

func (w Workflow) node(name string) (Node, bool) {
	i := slices.IndexFunc(w.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return Node{}, false
	}
	return w.Nodes[i], true
}

// outputs gives the names of the nodes behind each output of a node.
func (w Workflow) outputs(name string) [][]string {
	var out [][]string
	for _, main := range w.Connections[name].Main {
		var to []string
		for _, c := range main {
			to = append(to, c.Node)
		}
		out = append(out, to)
	}
	return out
}

// after lists what can be reached from the first output of a node, without
// going past the nodes named in until. The start is not among them.
func (w Workflow) after(start string, until ...string) []string {
	var seen []string
	var visit func(name string)
	visit = func(name string) {
		if slices.Contains(seen, name) {
			return
		}
		seen = append(seen, name)
		if slices.Contains(until, name) {
			return
		}
		for _, to := range slices.Concat(w.outputs(name)...) {
			visit(to)
		}
	}
	if outs := w.outputs(start); len(outs) > 0 {
		for _, to := range outs[0] {
			visit(to)
		}
	}
	return seen
}

// strings gives every string of a node's parameters.
func (n Node) strings() []string { return stringsIn(n.Parameters) }

func stringsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, stringsIn(item)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, item := range v {
			out = append(out, stringsIn(item)...)
		}
		return out
	}
	return nil
}

// at reads a nested parameter; nil when a step is missing.
func (n Node) at(path ...string) any {
	var v any = n.Parameters
	for _, step := range path {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	return v
}

// source is the JavaScript of a node: its expressions and its code.
func (n Node) source() string {
	var out []string
	for _, s := range n.strings() {
		if strings.HasPrefix(s, "=") || n.is("code") {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n")
}

func (n Node) is(name string) bool { return n.Type == "n8n-nodes-base."+name }

var reference = regexp.MustCompile(`\$\('([^']+)'\)(\.\w+\(([^)]*)\))?`)

// segments cuts an expression into what stands between {{ and the next }}: n8n
// ends there, whatever JavaScript thinks.
func segments(expression string) []string {
	var out []string
	rest := expression
	for {
		_, after, found := strings.Cut(rest, "{{")
		if !found {
			return out
		}
		code, tail, _ := strings.Cut(after, "}}")
		out = append(out, code)
		rest = tail
	}
}

// balanced says whether every bracket outside quotes is closed in order.
func balanced(code string) bool {
	closers := map[rune]rune{'(': ')', '[': ']', '{': '}'}
	var open []rune
	var quote, last rune
	for _, r := range code {
		switch {
		case quote != 0:
			if r == quote && last != '\\' {
				quote = 0
			}
		case last != '\\' && (r == '\'' || r == '"' || r == '`'):
			quote = r
		case closers[r] != 0:
			open = append(open, closers[r])
		case r == ')' || r == ']' || r == '}':
			if len(open) == 0 || open[len(open)-1] != r {
				return false
			}
			open = open[:len(open)-1]
		}
		last = r
	}
	return len(open) == 0 && quote == 0
}
