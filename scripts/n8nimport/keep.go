package main

import (
	"maps"
	"strings"
)

// keep takes over what the user set in the workflow that is there: the credential
// of each node, and the addresses in Config.
func (w workflow) keep(there workflow) {
	for _, n := range w.nodes() {
		old := there.nodeNamed(text(n["name"]))
		if old == nil || text(old["type"]) != text(n["type"]) {
			continue
		}
		keepCredentials(n, old)
		if text(n["name"]) == "Config" {
			keepAddresses(n, old)
		}
	}
}

func (w workflow) nodeNamed(name string) node {
	for _, n := range w.nodes() {
		if text(n["name"]) == name {
			return n
		}
	}
	return nil
}

func keepCredentials(n, old node) {
	wanted, _ := n["credentials"].(map[string]any)
	chosen, _ := old["credentials"].(map[string]any)
	for kind := range wanted {
		if c, ok := chosen[kind].(map[string]any); ok && text(c["id"]) != "" {
			wanted[kind] = maps.Clone(c)
		}
	}
}

// keepAddresses keeps a value that somebody wrote in place of an expression that
// reads the environment.
func keepAddresses(n, old node) {
	written := map[string]any{}
	for _, a := range assignments(old) {
		if !readsEnvironment(a) {
			written[text(a["name"])] = a["value"]
		}
	}
	for _, a := range assignments(n) {
		if value, ok := written[text(a["name"])]; ok && readsEnvironment(a) {
			a["value"] = value
		}
	}
}

func readsEnvironment(assignment map[string]any) bool {
	return strings.Contains(text(assignment["value"]), "$env")
}

func assignments(n node) []map[string]any {
	parameters, _ := n["parameters"].(map[string]any)
	set, _ := parameters["assignments"].(map[string]any)
	list, _ := set["assignments"].([]any)
	var out []map[string]any
	for _, item := range list {
		if a, ok := item.(map[string]any); ok {
			out = append(out, a)
		}
	}
	return out
}
