package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// sorting is the objects of a file, sorted into the keys that read them.
type sorting struct {
	objects map[string][]json.RawMessage
	at      map[string][]string // where each of them came from
	ignored map[string]int      // kinds that nothing reads
	count   int
}

// object sorts a Kubernetes object, or those of a List.
func (r *reader) object(pointer string, raw json.RawMessage, in map[string]json.RawMessage) {
	kind := word(in["kind"])
	if kind != "List" && r.place(kind, word(in["apiVersion"]), pointer, raw) {
		return
	}
	var items []json.RawMessage
	if !strings.HasSuffix(kind, "List") || json.Unmarshal(in["items"], &items) != nil {
		r.sorting.ignored[clip(kind, 60)]++
		return
	}
	for i, item := range items[:min(len(items), maxDocuments)] {
		var head struct{ Kind, APIVersion string }
		_ = json.Unmarshal(item, &head) // what is no object has no kind
		if kind != "List" && head.Kind == "" {
			head.Kind, head.APIVersion = strings.TrimSuffix(kind, "List"), word(in["apiVersion"])
		}
		if !r.place(head.Kind, head.APIVersion, pointer+"/items/"+strconv.Itoa(i), item) {
			r.sorting.ignored[clip(head.Kind, 60)]++
		}
	}
}

// place finds the key for an object, or for a whole list of one kind.
func (r *reader) place(kind, apiVersion, pointer string, raw json.RawMessage) bool {
	single := strings.TrimSuffix(kind, "List")
	key := kindOf(single).key
	if isGitOps(single) {
		key = "gitops"
	}
	s := &r.sorting
	switch {
	case s.count >= maxDocuments:
		return true
	case key != "":
		s.objects[key], s.at[key] = append(s.objects[key], raw), append(s.at[key], pointer)
	case !r.foreign(kind, apiVersion, pointer, raw):
		return false
	}
	s.count++
	return true
}

// sortObjects reads what was sorted, and says what was not.
func (r *reader) sortObjects() {
	s := r.sorting
	r.sorting = newSorting()
	for _, k := range keys() {
		if raws := s.objects[k.name]; raws != nil {
			from := len(r.problems)
			k.read(r, "", slices.Concat([]byte("["), bytes.Join(asBytes(raws), []byte(",")), []byte("]")))
			r.relocate(from, s.at[k.name])
		}
	}
	if s.count >= maxDocuments {
		r.problem("", fmt.Sprintf("more than %d objects: the first are used", maxDocuments))
	}
	var names []string
	for _, kind := range slices.Sorted(maps.Keys(s.ignored)) {
		names = append(names, fmt.Sprintf("%s (%d)", kind, s.ignored[kind]))
	}
	if len(names) > 0 {
		r.problem("", "not read, for nothing is known of these kinds: "+strings.Join(names[:min(len(names), maxColumns)], ", "))
	}
}

func asBytes(raws []json.RawMessage) [][]byte {
	out := make([][]byte, len(raws))
	for i, raw := range raws {
		out[i] = raw
	}
	return out
}

func newSorting() sorting {
	return sorting{objects: map[string][]json.RawMessage{}, at: map[string][]string{}, ignored: map[string]int{}}
}

// relocate makes pointers into the sorted objects pointers into the file.
func (r *reader) relocate(from int, at []string) {
	for i := range r.problems[from:] {
		p := &r.problems[from+i]
		number, rest, _ := strings.Cut(strings.TrimPrefix(p.Pointer, "/"), "/")
		n, err := strconv.Atoi(number)
		if err != nil || n >= len(at) {
			continue
		}
		if p.Pointer = at[n]; rest != "" {
			p.Pointer += "/" + rest
		}
	}
}
