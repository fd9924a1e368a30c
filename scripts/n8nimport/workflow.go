package main

import (
	"encoding/json"
	"errors"
	"slices"
)

// workflow is one workflow as JSON: whatever a node holds is passed on.
type workflow map[string]any

type node = map[string]any

func parse(data []byte) (workflow, error) {
	var w workflow
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, err
	}
	if w.id() == "" || w.name() == "" || len(w.nodes()) == 0 {
		return nil, errors.New("not a workflow: it needs an id, a name and nodes")
	}
	return w, nil
}

func (w workflow) id() string   { return text(w["id"]) }
func (w workflow) name() string { return text(w["name"]) }

func (w workflow) published() bool { return w["active"] == true || text(w["activeVersionId"]) != "" }

func (w workflow) nodes() []node {
	var out []node
	list, _ := w["nodes"].([]any)
	for _, item := range list {
		if n, ok := item.(node); ok {
			out = append(out, n)
		}
	}
	return out
}

// calls are the ids of the workflows that this one needs to be published.
func (w workflow) calls() []string {
	var ids []string
	w.eachCall(func(id string) string {
		if id != w.id() {
			ids = append(ids, id)
		}
		return id
	})
	return ids
}

// eachCall visits every place that names another workflow and writes what visit
// gives for it.
func (w workflow) eachCall(visit func(id string) string) {
	if settings, ok := w["settings"].(map[string]any); ok && text(settings["errorWorkflow"]) != "" {
		settings["errorWorkflow"] = visit(text(settings["errorWorkflow"]))
	}
	for _, n := range w.nodes() {
		parameters, _ := n["parameters"].(map[string]any)
		if to, ok := parameters["workflowId"].(map[string]any); ok && text(to["value"]) != "" {
			to["value"] = visit(text(to["value"]))
		}
	}
}

// calledFirst orders workflows so that what is called comes before who calls it.
// A workflow that calls itself, or a circle, stays in the order given.
func calledFirst(files []workflow) []workflow {
	var ordered []workflow
	var seen []string
	var visit func(w workflow)
	visit = func(w workflow) {
		if slices.Contains(seen, w.id()) {
			return
		}
		seen = append(seen, w.id())
		for _, id := range w.calls() {
			if i := slices.IndexFunc(files, func(f workflow) bool { return f.id() == id }); i >= 0 {
				visit(files[i])
			}
		}
		ordered = append(ordered, w)
	}
	for _, w := range files {
		visit(w)
	}
	return ordered
}

// clone is a deep copy: a plan changes what it writes, not what was read.
func (w workflow) clone() workflow {
	data, err := json.Marshal(w)
	if err != nil {
		panic(err) // it came from JSON
	}
	var c workflow
	if err := json.Unmarshal(data, &c); err != nil {
		panic(err)
	}
	return c
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
