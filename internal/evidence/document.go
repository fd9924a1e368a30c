package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// What a file of documents may hold.
const (
	maxDocuments = 5_000
	maxYAML      = 5 << 20
)

// isDocument says whether a text is JSON or YAML rather than printed for people.
func isDocument(text string) bool { return isJSON(text) || isYAML(text) }

// isJSON asks for an object, or for an array of objects: many a log line begins
// with a bracket.
func isJSON(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	if rest, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimLeft(rest, " \t\r\n")
		return strings.HasPrefix(text, "{") || strings.TrimSpace(text) == "]"
	}
	return strings.HasPrefix(text, "{")
}

// isYAML asks for a key that evidence or a Kubernetes object has at the margin.
func isYAML(text string) bool {
	for line := range lines(clip(text, maxLook*maxLookLine)) {
		if line == "" || line[0] == '#' || line == "---" {
			continue
		}
		key, _, ok := strings.Cut(line, ":")
		return ok && (slices.Contains(documentKeys, key) || slices.Contains(Keys(), key))
	}
	return false
}

var documentKeys = []string{"apiVersion", "kind", "items", "metadata", "observedAt", "cluster", "evidence"}

// documents reads one or several documents, one after another.
func (r *reader) documents(pointer string, text []byte) {
	if isJSON(string(text[:min(len(text), maxLookLine)])) {
		r.jsonDocuments(pointer, text)
	} else {
		r.yamlDocuments(pointer, text)
	}
	r.sortObjects()
}

func (r *reader) jsonDocuments(pointer string, text []byte) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for n := range maxDocuments {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line := 1 + bytes.Count(text[:min(int(decoder.InputOffset()), len(text))], []byte("\n"))
			r.problem(pointer, fmt.Sprintf("document %d, from line %d on, is no whole JSON: %v", n+1, line, err))
			return
		}
		r.document(pointer, raw)
	}
	r.problem(pointer, fmt.Sprintf("more than %d documents: the first are used", maxDocuments))
}

func (r *reader) yamlDocuments(pointer string, text []byte) {
	if len(text) > maxYAML {
		r.problem(pointer, fmt.Sprintf("%d bytes of YAML; at most %d are read: give JSON (-o json)", len(text), maxYAML))
		return
	}
	n := 0
	for part := range strings.SplitSeq("\n"+string(text), "\n---") {
		if n++; n > maxDocuments {
			r.problem(pointer, fmt.Sprintf("more than %d documents: the first are used", maxDocuments))
			return
		}
		if strings.TrimSpace(part) == "" {
			continue
		}
		raw, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			r.problem(pointer, fmt.Sprintf("document %d is no YAML: %s", n, clip(strings.TrimPrefix(err.Error(), "yaml: "), 200)))
			continue
		}
		r.document(pointer, raw)
	}
}

// shape is what a document may be, told from its keys.
type shape struct {
	is   func(map[string]json.RawMessage) bool
	read func(r *reader, pointer string, raw json.RawMessage, in map[string]json.RawMessage)
}

func shapes() []shape {
	return []shape{
		{isKubernetes, func(r *reader, at string, raw json.RawMessage, in map[string]json.RawMessage) { r.object(at, raw, in) }},
		{holding("evidence"), func(r *reader, at string, _ json.RawMessage, in map[string]json.RawMessage) {
			r.look(at+"/evidence", in["evidence"])
		}},
		{isAggregate, func(r *reader, at string, raw json.RawMessage, _ map[string]json.RawMessage) {
			r.keyed("aggregate", at, raw)
		}},
		{isAlert, func(r *reader, at string, _ json.RawMessage, _ map[string]json.RawMessage) {
			r.problem(at, "this is an alert without evidence{}: add evidence, or give what kubectl get pod,events -o json prints")
		}},
		{isEvidence, func(r *reader, at string, raw json.RawMessage, _ map[string]json.RawMessage) { r.look(at, raw) }},
	}
}

// document reads one document by its shape.
func (r *reader) document(pointer string, raw json.RawMessage) {
	if firstByte(raw) == '[' {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return
		}
		for i, item := range items[:min(len(items), maxDocuments)] {
			if firstByte(item) == '{' {
				r.document(pointer+"/"+strconv.Itoa(i), item)
			}
		}
		return
	}
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) == nil {
		for _, s := range shapes() {
			if s.is(in) {
				s.read(r, pointer, raw, in)
				return
			}
		}
	}
	r.strangers++
}

func holding(names ...string) func(map[string]json.RawMessage) bool {
	return func(in map[string]json.RawMessage) bool {
		for _, name := range names {
			if absent(in[name]) {
				return false
			}
		}
		return true
	}
}

func isKubernetes(in map[string]json.RawMessage) bool {
	return word(in["kind"]) != "" && (word(in["apiVersion"]) != "" || strings.HasSuffix(word(in["kind"]), "List") || !absent(in["metadata"]))
}

func isAggregate(in map[string]json.RawMessage) bool {
	tells := !absent(in["window"]) || !absent(in["sources"]) || !absent(in["service"]) && firstByte(in["service"]) == '"'
	return firstByte(in["metrics"]) == '{' && tells
}

func isAlert(in map[string]json.RawMessage) bool {
	return !absent(in["alerts"]) && (!absent(in["receiver"]) || !absent(in["groupKey"])) ||
		!absent(in["severity"]) && (!absent(in["message"]) || !absent(in["labels"]))
}

func isEvidence(in map[string]json.RawMessage) bool {
	for _, name := range append(Keys(), "observedAt") {
		if first := firstByte(in[name]); first == '{' || first == '[' || name == "observedAt" && first != 0 {
			return true
		}
	}
	return false
}

func word(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// look reads evidence as one look of its own: it may say when it was made.
func (r *reader) look(pointer string, raw json.RawMessage) {
	if !r.file {
		r.problem(pointer, "evidence within a tool's output is not read: give it as it is")
		return
	}
	ev, problems := Parse(raw, r.received)
	for _, p := range problems {
		r.problem(pointer+p.Pointer, p.Detail)
	}
	if len(r.looks) < maxItems {
		r.looks = append(r.looks, ev)
	}
}

// keyed reads a part as the key of that name reads it.
func (r *reader) keyed(name, pointer string, raw json.RawMessage) {
	for _, k := range keys() {
		if k.name == name {
			k.read(r, pointer, raw)
		}
	}
}
