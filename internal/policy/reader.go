package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A policy is written by people; these bounds only stop what is not one.
const (
	maxSource  = 256 << 10
	maxErrors  = 50
	maxNesting = 60
)

// reader walks the syntax tree of one file and collects all errors with their
// places. It knows YAML and nothing about policy.
type reader struct {
	file  string
	lines []string
	errs  Errors
	is    string // what the file is, in words
	least string // what the least of it has, for whoever sends an empty one
}

func newReader(file string, src []byte) *reader {
	return &reader{
		file: file, lines: strings.Split(string(src), "\n"),
		is: "a policy", least: "at least rules (`salve policy show` prints one to start from)",
	}
}

func (r *reader) failAt(line, column int, format string, args ...any) {
	if len(r.errs) < maxErrors {
		r.errs = append(r.errs, Error{r.file, max(line, 1), max(column, 1), fmt.Sprintf(format, args...)})
	}
}

func (r *reader) fail(n ast.Node, format string, args ...any) {
	line, column := place(n)
	r.failAt(line, column, format, args...)
}

// place is where a person would say that the node begins.
func place(n ast.Node) (line, column int) {
	switch x := n.(type) {
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return place(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(x.Key)
	}
	token := n.GetToken()
	if token == nil || token.Position == nil {
		return 1, 1
	}
	return token.Position.Line, token.Position.Column
}

// root parses the source and returns its one document, or nil.
func (r *reader) root(src []byte) ast.Node {
	switch {
	case len(src) > maxSource:
		r.failAt(1, 1, "the file has %d bytes; %s has at most %d", len(src), r.is, maxSource)
		return nil
	case !utf8.Valid(src):
		r.failAt(1, 1, "the file is not UTF-8 text")
		return nil
	case !r.shallow():
		return nil
	}
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		r.syntax(err)
		return nil
	}
	return r.document(file)
}

func (r *reader) document(file *ast.File) ast.Node {
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			r.fail(doc.Body, "a second YAML document; %s is one document", r.is)
			return nil
		default:
			body = doc.Body
		}
	}
	if body == nil {
		r.failAt(1, 1, "the file is empty; %s has %s", r.is, r.least)
	}
	return body
}

// shallow refuses nesting that no policy has before the parser recurses into it.
func (r *reader) shallow() bool {
	depth := 0
	for i, line := range r.lines {
		depth += strings.Count(line, "[") + strings.Count(line, "{")
		if depth > maxNesting || strings.Count(line, "- ")+strings.Count(line, "? ") > maxNesting {
			r.failAt(i+1, 1, "nested deeper than %d levels; %s is flatter", maxNesting, r.is)
			return false
		}
		depth = max(0, depth-strings.Count(line, "]")-strings.Count(line, "}"))
	}
	return true
}

// bareMark is a pattern of an inventory without its quotes.
var bareMark = regexp.MustCompile(`[\[,:-]\s*[*!]`)

func (r *reader) syntax(err error) {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		r.failAt(1, 1, "not YAML: %v", err)
		return
	}
	at, message := located.GetToken().Position, located.GetMessage()
	if at.Line >= 1 && at.Line <= len(r.lines) && bareMark.MatchString(r.lines[at.Line-1]) {
		message += "; a word that begins with * or ! stands in quotes"
	}
	r.failAt(at.Line, at.Column, "not YAML: %s", message)
}

// field is one key of a mapping and what reads its value.
type field struct {
	name string
	read func(ast.Node)
}

// mapping reads the keys of a mapping, each at most once and each known.
func (r *reader) mapping(n ast.Node, what string, fields []field) {
	for _, kv := range r.pairs(n, what) {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == keyOf(kv) })
		switch {
		case at < 0:
			r.unknownKey(kv, what, fields)
		case isNull(kv.Value):
			r.fail(kv.Key, "%s has no value; write one or leave the key out", keyOf(kv))
		default:
			fields[at].read(kv.Value)
		}
	}
}

func (r *reader) unknownKey(kv *ast.MappingValueNode, what string, fields []field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	r.fail(kv.Key, "%s has no key %q; %s", what, clip(keyOf(kv)), didYouMean(keyOf(kv), names))
}

// pairs gives the entries of a mapping. The parser refuses repeated keys.
func (r *reader) pairs(n ast.Node, what string) []*ast.MappingValueNode {
	r.isMapping(n, what)
	return entries(n)
}

// isMapping refuses what is no mapping.
func (r *reader) isMapping(n ast.Node, what string) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	r.wrongType(n, what, "keys and values")
	return false
}

func entries(n ast.Node) []*ast.MappingValueNode {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}
	}
	return nil
}

func hasKey(n ast.Node, key string) bool {
	return slices.ContainsFunc(entries(n), func(kv *ast.MappingValueNode) bool { return keyOf(kv) == key })
}

func (r *reader) wrongType(n ast.Node, what, want string) {
	r.fail(n, "%s is %s; %s would be right", what, kindOf(n), want)
}

// listOf gives the entries of a list, which is neither too short nor too long.
func (r *reader) listOf(n ast.Node, what string, least, most int) []ast.Node {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrongType(n, what, "a list")
		return nil
	}
	if len(seq.Values) < least || len(seq.Values) > most {
		r.fail(n, "%s has %d entries; %d to %d would be right", what, len(seq.Values), least, most)
		return nil
	}
	return seq.Values
}

func keyOf(kv *ast.MappingValueNode) string {
	switch k := kv.Key.(type) {
	case *ast.StringNode:
		return k.Value
	default:
		return strings.TrimSpace(k.String())
	}
}

func isNull(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
}

// kindOf names what was found. Anchors, aliases and tags are no values here:
// a policy is read by people, so it is written out.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	case *ast.TagNode:
		return "a YAML tag (a word that begins with ! stands in quotes)"
	case *ast.AliasNode, *ast.AnchorNode:
		return "a YAML anchor or alias (a policy is written out; a word that begins with * stands in quotes)"
	}
	return "something else"
}
