package policy

import (
	"regexp"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Sheet reads another file that people write beside the policy, with the same care:
// unknown keys, wrong types and numbers out of bounds are named with file, line and column.
type Sheet struct{ r *reader }

// Node is a place in a sheet.
type Node = ast.Node

// Key is one key of a mapping and what reads its value.
type Key struct {
	Name string
	Read func(Node)
}

// OpenSheet parses a file; is says what it is ("a checklist"), least what the least
// of it has. The node is nil where it is none.
func OpenSheet(file string, src []byte, is, least string) (*Sheet, Node) {
	src = canonical(src)
	s := &Sheet{newReader(file, src)}
	s.r.is, s.r.least = is, least
	return s, s.r.root(src)
}

// Err is everything that is wrong, or nil.
func (s *Sheet) Err() error {
	if len(s.r.errs) == 0 {
		return nil
	}
	return s.r.errs.sorted()
}

// Fail names what is wrong at a place, and what would be right.
func (s *Sheet) Fail(n Node, format string, args ...any) { s.r.fail(n, format, args...) }

// Mapping reads keys and values, each key known and there once. It says whether it was one.
func (s *Sheet) Mapping(n Node, what string, keys []Key) bool {
	if !s.r.isMapping(n, what) {
		return false
	}
	fields := make([]field, len(keys))
	for i, k := range keys {
		fields[i] = field{k.Name, k.Read}
	}
	s.r.mapping(n, what, fields)
	return true
}

// Has says whether a mapping has a key.
func (s *Sheet) Has(n Node, key string) bool { return hasKey(n, key) }

// List gives a list's entries.
func (s *Sheet) List(n Node, what string, least, most int) []Node {
	return s.r.listOf(n, what, least, most)
}

// Matching reads words of a certain shape.
func (s *Sheet) Matching(n Node, what string, shape *regexp.Regexp, example string, into *string) {
	if v, ok := s.r.matching(n, what, shape, example); ok {
		*into = v
	}
}

// Duration reads a length of time within bounds.
func (s *Sheet) Duration(n Node, what string, least, most time.Duration, into *time.Duration) {
	s.r.duration(n, what, least, most, into)
}

// Word reads one of a few words.
func Word[T ~string](s *Sheet, n Node, what string, known []T) (T, bool) {
	return oneOf(s.r, n, what, known...)
}
