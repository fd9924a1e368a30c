package n8n

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lint checks workflow files against every rule and says what is wrong, one
// sentence each, beginning with the file.
func Lint(workflows []Workflow, c Catalogue) []string {
	var problems []string
	for _, w := range workflows {
		for _, rule := range rules(c) {
			for _, problem := range rule(w) {
				problems = append(problems, w.File+": "+problem)
			}
		}
	}
	return append(problems, together(workflows)...)
}

type rule func(Workflow) []string

func rules(c Catalogue) []rule {
	return []rule{
		ids, knownNodes(c), connections, reachable, references, expressions,
		environment, secrets, requests, retries, leaks, successes, afterClaim, branches,
		keepsNothing, linksOnlyShow,
	}
}

var (
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	secret    = regexp.MustCompile(`(?i)bearer\s+[\w.-]{8,}|xox[abp]-|eyJ[\w-]{10,}|-----BEGIN|AKIA[A-Z0-9]{16}`)
	host      = regexp.MustCompile(`https?://([\w.-]+)`)
	openHosts = []string{"127.0.0.1", "slack.com", "hooks.slack.com", "api.github.com", "api.linear.app", "api.twilio.com"}
)

// together is what no file can see alone.
func together(workflows []Workflow) []string {
	var problems []string
	known := map[string]string{}
	for _, w := range workflows {
		for _, id := range append([]string{w.ID}, nodeIDs(w)...) {
			if other, taken := known[id]; taken {
				problems = append(problems, fmt.Sprintf("%s: id %s is taken by %s", w.File, id, other))
			}
			known[id] = w.File
		}
	}
	for _, w := range workflows {
		called := []string{w.Settings.ErrorWorkflow}
		for _, n := range w.Nodes {
			if id, ok := n.at("workflowId", "value").(string); ok {
				called = append(called, id)
			}
		}
		for _, id := range called {
			if id != "" && known[id] == "" {
				problems = append(problems, fmt.Sprintf("%s: calls workflow %s, which is in no file", w.File, id))
			}
		}
	}
	return problems
}

func nodeIDs(w Workflow) []string {
	var out []string
	for _, n := range w.Nodes {
		out = append(out, n.ID)
	}
	return out
}

func ids(w Workflow) []string {
	var problems, names []string
	if len(w.ID) > 36 {
		problems = append(problems, "its id is longer than the 36 characters n8n keeps")
	}
	for _, n := range w.Nodes {
		if !uuid.MatchString(n.ID) {
			problems = append(problems, n.Name+" has no stable id")
		}
		if slices.Contains(names, n.Name) {
			problems = append(problems, n.Name+" is the name of two nodes")
		}
		names = append(names, n.Name)
	}
	return problems
}

func knownNodes(c Catalogue) rule {
	return func(w Workflow) []string {
		var problems []string
		for _, n := range w.Nodes {
			d, known := c.Nodes[n.Type]
			if !known || d.Version != n.TypeVersion {
				problems = append(problems, fmt.Sprintf("%s: n8n %s has no %s %v in nodes.json", n.Name, c.N8N, n.Type, n.TypeVersion))
				continue
			}
			for parameter := range n.Parameters {
				if !slices.Contains(d.Parameters, parameter) {
					problems = append(problems, fmt.Sprintf("%s: %s takes no parameter %s", n.Name, n.Type, parameter))
				}
			}
		}
		return problems
	}
}

func connections(w Workflow) []string {
	var problems []string
	for from := range w.Connections {
		for _, name := range append([]string{from}, slices.Concat(w.outputs(from)...)...) {
			if _, there := w.node(name); !there {
				problems = append(problems, fmt.Sprintf("a connection of %s leads to or from %s, which is not there", from, name))
			}
		}
	}
	return problems
}

// reachable: a node that nothing leads to never runs, and nobody notices.
func reachable(w Workflow) []string {
	var problems []string
	led := slices.Concat([]string{}, triggers(w))
	for from := range w.Connections {
		led = append(led, slices.Concat(w.outputs(from)...)...)
	}
	for _, n := range w.Nodes {
		if !n.is("stickyNote") && !slices.Contains(led, n.Name) {
			problems = append(problems, n.Name+" is connected to nothing")
		}
	}
	return problems
}

func triggers(w Workflow) []string {
	var out []string
	for _, n := range w.Nodes {
		if n.is("webhook") || strings.HasSuffix(n.Type, "Trigger") {
			out = append(out, n.Name)
		}
	}
	return out
}

// references: $('Node').first() looks at the output that leads here the shortest
// way, which after an error output is the wrong one: the output must be named.
func references(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		for _, m := range reference.FindAllStringSubmatch(n.source(), -1) {
			target, there := w.node(m[1])
			switch {
			case !there:
				problems = append(problems, fmt.Sprintf("%s refers to %s, which is not there", n.Name, m[1]))
			case target.OnError == "continueErrorOutput" && !strings.HasPrefix(m[3], "0"):
				problems = append(problems, fmt.Sprintf("%s refers to %s without naming the output: write $('%s').first(0)", n.Name, m[1], m[1]))
			}
		}
	}
	return problems
}

func expressions(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		for _, s := range n.strings() {
			if !strings.HasPrefix(s, "=") {
				if strings.Contains(s, "{{") && !n.is("stickyNote") && !n.is("code") {
					problems = append(problems, n.Name+": an expression without its =: "+s)
				}
				continue
			}
			for _, code := range segments(s) {
				if !balanced(code) {
					problems = append(problems, n.Name+": n8n ends an expression at the first }}, write } } inside: "+code)
				}
			}
		}
	}
	return problems
}

// environment: reading it fails where n8n blocks it, which is the default.
func environment(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		for _, s := range n.strings() {
			if strings.Contains(s, "$env") && (n.Name != "Config" || !strings.Contains(s, "catch")) {
				problems = append(problems, n.Name+" reads $env: only Config may, and only with a fallback")
			}
			if strings.Contains(s, "$vars") {
				problems = append(problems, n.Name+" reads $vars, which the community edition leaves empty")
			}
		}
	}
	return problems
}

func secrets(w Workflow) []string {
	var problems []string
	if len(w.PinData) > 0 {
		problems = append(problems, "it holds pinned data")
	}
	for _, n := range w.Nodes {
		for kind, ref := range n.Credentials {
			if url, _ := n.Parameters["url"].(string); strings.Contains(url, "/v1/alerts") && kind == "httpBearerAuth" && ref["id"] != "salveIntakeTok01" {
				problems = append(problems, n.Name+": what anybody may post goes on with n8n's own token, whose evidence is trusted: take the Salve intake token")
			}
			if len(ref) != 2 || ref["id"] == "" || ref["name"] == "" {
				problems = append(problems, fmt.Sprintf("%s: credential %s must be id and name, nothing else", n.Name, kind))
			}
		}
		for _, s := range n.strings() {
			if found := secret.FindString(s); found != "" {
				problems = append(problems, n.Name+" holds what looks like a secret")
			}
			for _, m := range host.FindAllStringSubmatch(s, -1) {
				if !slices.Contains(openHosts, m[1]) {
					problems = append(problems, n.Name+" names the address "+m[1])
				}
			}
		}
	}
	return problems
}
