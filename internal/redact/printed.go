package redact

import (
	"bytes"
	"strings"
)

// printed leaves out what kubectl and its like print as lines: environments in
// YAML and of kubectl describe, the data of Secrets and ConfigMaps, and the object
// that was last applied. What is no such listing stays as it is.
func printed(s string) string {
	if !listing(s) {
		return s
	}
	p := printer{rest: s, out: make([]byte, 0, len(s))}
	p.document(s)
	for more := true; more; {
		var line string
		line, p.rest, more = strings.Cut(p.rest, "\n")
		p.line(line)
		if more {
			p.out = append(p.out, '\n')
		}
		if strings.HasPrefix(line, "---") {
			p.document(p.rest)
		}
	}
	if !p.changed {
		return s
	}
	return string(p.out)
}

// listing says whether any line can be the head of a block that is read here.
func listing(s string) bool {
	if strings.IndexByte(s, '\n') < 0 {
		return false
	}
	for _, head := range []string{"env:\n", "nvironment:", "data:\n", "Data:\n", "last-applied", "- --", "- \"--", "Data\n===", "env:\r", "data:\r"} {
		if strings.Contains(s, head) {
			return true
		}
	}
	return false
}

// block is what the lines of one block hold.
type block int

const (
	none    block = iota
	env           // a list of name and value
	data          // names with values
	whole         // nothing of it stays
	sums          // what describe prints of a Secret or ConfigMap
	command       // one argument that belongs to an option
)

type printer struct {
	rest    string // what comes after the line
	out     []byte
	changed bool

	block  block
	indent int  // of the block's head
	value  int  // indentation of a value that goes on on the next lines, -1 for none
	secret bool // the document is a Secret or ConfigMap
}

// document looks for the kind of what comes next.
func (p *printer) document(rest string) {
	if end := strings.Index(rest, "\n---"); end >= 0 {
		rest = rest[:end]
	}
	p.secret = strings.Contains(rest, "kind: Secret") || strings.Contains(rest, "kind: ConfigMap") ||
		strings.Contains(rest, "kind: \"Secret") || strings.Contains(rest, "kind: \"ConfigMap")
}

func (p *printer) line(line string) {
	body := strings.TrimLeft(line, " \t")
	indent := len(line) - len(body)
	if p.block != none && !p.within(indent, body) {
		p.block = none
	}
	if p.block != none {
		p.inner(line, indent, body)
		return
	}
	if !p.opens(line, indent, body) {
		p.out = append(p.out, line...)
	}
}

// within says whether a line still belongs to the block.
func (p *printer) within(indent int, body string) bool {
	switch {
	case body == "" || body == "\r":
		return true
	case p.block == command:
		return strings.HasPrefix(body, "- ")
	case p.block == sums:
		return !strings.HasPrefix(body, "Events:")
	case p.block == env && indent == p.indent:
		return strings.HasPrefix(body, "- ") || body == "-"
	}
	return indent > p.indent
}

// opens begins a block where the line is the head of one. What stands on the
// head's own line belongs to it.
func (p *printer) opens(line string, indent int, body string) bool {
	item := strings.TrimPrefix(body, "- ")
	head := strings.TrimRight(item, " \r")
	indent += len(body) - len(item)
	key, rest, _ := strings.Cut(head, ":")
	key = strings.Trim(key, `"' `)
	rest = strings.TrimSpace(rest)
	p.indent, p.value = indent, -1
	switch {
	case head == "env:" || head == "Environment:" || head == "environment:":
		p.block = env
	case head == "stringData:" || p.secret && (head == "data:" || head == "binaryData:"):
		p.block = data
	case isApplied(key) && strings.Contains(head, ":"):
		p.block = whole
		if rest != "" && rest != "|" && rest != ">" {
			return p.hole(line, rest)
		}
	case (head == "Data" || head == "BinaryData") && strings.HasPrefix(p.rest, "==="):
		p.block = sums
	case isOption(strings.Trim(head, `"'`)):
		p.block = command
	}
	return false
}

// inner is one line of the block.
func (p *printer) inner(line string, indent int, body string) {
	body = strings.TrimRight(body, " \r")
	if p.value >= 0 && indent > p.value && p.block != sums {
		p.drop(body)
		return
	}
	p.value = -1
	key, value, ok := strings.Cut(body, ":")
	value = strings.TrimSpace(value)
	switch {
	case body == "" || body == Hole:
	case p.block == whole:
		p.drop(body)
		return
	case p.block == command:
		p.block = none
		if value := strings.Trim(strings.TrimPrefix(body, "- "), `"'`); !strings.HasPrefix(value, "-") && p.hole(line, value) {
			return
		}
	case p.block == sums:
		if !summary(body) {
			p.drop(body)
			return
		}
	case !ok:
		p.drop(body)
		return
	case p.block == env && structural(key, value):
	case value != "" && value != Hole:
		p.value = indent
		if p.hole(line, value) {
			return
		}
	}
	p.out = append(p.out, line...)
}

// structural are the lines of an environment that hold no value.
func structural(key, value string) bool {
	if strings.HasPrefix(value, "<set to the key") || strings.HasPrefix(value, "<unset>") || strings.HasPrefix(value, "(v1:") {
		return true
	}
	switch strings.TrimLeft(key, "- ") {
	case "name", "key", "fieldPath", "apiVersion", "optional", "resource", "containerName", "divisor":
		return true
	}
	return value == "" || value == "[]" || value == "{}"
}

// summary are the lines that describe prints beside the data itself.
func summary(body string) bool {
	if strings.Trim(body, "=-") == "" || strings.HasSuffix(body, " bytes") || body == "BinaryData" {
		return true
	}
	key, rest, ok := strings.Cut(body, ":")
	return ok && rest == "" && !strings.ContainsAny(key, " ={}\"")
}

// hole replaces the end of a line from the value on.
func (p *printer) hole(line, value string) bool {
	at := strings.LastIndex(line, value)
	if value == Hole || value == "" || at < 0 {
		return false
	}
	p.out = append(append(p.out, line[:at]...), Hole...)
	if strings.HasPrefix(line[at+len(value):], `"`) || strings.HasPrefix(line[at+len(value):], "'") {
		p.out = append(p.out, line[at+len(value)])
	}
	p.changed = true
	return true
}

// drop leaves a hole for any number of lines.
func (p *printer) drop(body string) {
	if body == "" {
		return
	}
	if before := bytes.TrimRight(p.out, "\n"); bytes.HasSuffix(before, []byte(Hole)) {
		p.out = before
	} else {
		p.out = append(p.out, Hole...)
	}
	p.changed = true
}
