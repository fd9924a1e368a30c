package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Two bytes of JSON can unfold to a kilobyte of Go struct, so the number of
// JSON objects is bounded before anything is decoded.
const (
	maxObjects = 5_000   // Kubernetes objects in one decode
	maxBraces  = 100_000 // JSON objects in one decode
	maxFaults  = 20      // faults that are named one by one
)

// part is one Kubernetes object still to be decoded.
type part struct {
	pointer string
	raw     json.RawMessage
	kind    schema.GroupVersionKind // what it is when it does not say so itself
}

func (p part) orKind(want schema.GroupVersionKind) part {
	if p.kind.Kind == "" {
		p.kind = want
	}
	return p
}

func (f Faults) add(pointer, detail string) Faults {
	switch {
	case len(f) < maxFaults:
		return append(f, Fault{pointer, detail})
	case len(f) == maxFaults:
		return append(f, Fault{"", "more parts could not be read; they are not listed"})
	default:
		return f
	}
}

// split takes apart arrays and Lists (also an array of Lists), reading each
// byte a constant number of times.
func split(raw json.RawMessage) ([]part, Faults) {
	if isNull(raw) {
		return nil, nil
	}
	if n := bytes.Count(raw, []byte{'{'}); n > maxBraces {
		return nil, Faults{{"", fmt.Sprintf("%d nested JSON objects; at most %d are read", n, maxBraces)}}
	}
	parts, faults := splitLevel(part{raw: raw}, 2)
	if len(parts) > maxObjects {
		faults = faults.add("", fmt.Sprintf("%d objects: the first %d are used", len(parts), maxObjects))
		parts = parts[:maxObjects]
	}
	return parts, faults
}

func splitLevel(p part, levels int) ([]part, Faults) {
	prefix := p.pointer + "/"
	elements := p.raw
	var kind schema.GroupVersionKind
	if isObject(p.raw) {
		list, ok := readList(p.raw)
		if !ok {
			return []part{p}, nil
		}
		prefix, elements, kind = p.pointer+"/items/", list.Items, list.itemKind()
	}
	if isNull(elements) {
		return nil, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(elements, &items); err != nil {
		return nil, Faults{{strings.TrimSuffix(prefix, "/"), notAList(elements)}}
	}
	return splitItems(items, prefix, kind, levels)
}

func splitItems(items []json.RawMessage, prefix string, kind schema.GroupVersionKind, levels int) ([]part, Faults) {
	parts := make([]part, 0, len(items))
	var faults Faults
	for i, item := range items {
		p := part{prefix + strconv.Itoa(i), item, kind}
		if levels == 1 || !isObject(item) {
			parts = append(parts, p)
			continue
		}
		inner, bad := splitLevel(p, levels-1)
		parts = append(parts, inner...)
		for _, f := range bad {
			faults = faults.add(f.Pointer, f.Detail)
		}
	}
	return parts, faults
}

type list struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Items      json.RawMessage `json:"items"`
}

// readList looks for a List's head. The search for the word spares most objects
// the second reading.
func readList(raw json.RawMessage) (list, bool) {
	var l list
	if !bytes.Contains(raw, []byte(`"items"`)) || json.Unmarshal(raw, &l) != nil {
		return l, false
	}
	return l, strings.HasSuffix(l.Kind, "List")
}

// itemKind is Pod for a PodList, and nothing for a plain List.
func (l list) itemKind() schema.GroupVersionKind {
	if l.Kind == "List" {
		return schema.GroupVersionKind{}
	}
	return schema.FromAPIVersionAndKind(l.APIVersion, strings.TrimSuffix(l.Kind, "List"))
}

func notAList(raw json.RawMessage) string {
	if c := firstByte(raw); c != '[' {
		return "an object, an array of objects or a List was expected, this is " + jsonKind(raw)
	}
	return "not valid JSON"
}

func isObject(raw []byte) bool { return firstByte(raw) == '{' }

func isNull(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

func firstByte(raw []byte) byte {
	for _, c := range raw {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func jsonKind(raw []byte) string {
	switch c := firstByte(raw); {
	case c == '"':
		return "a string"
	case c == '[':
		return "an array"
	case c == '{':
		return "an object"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case c == 'n':
		return "null"
	default:
		return "not JSON"
	}
}
