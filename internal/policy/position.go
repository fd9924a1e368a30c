package policy

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// within maps a place inside a text (line from 1, column from 0) to the place
// in the file where a person wrote it, through quotes, escapes, indentation and
// folded lines.
func (r *reader) within(n ast.Node, text string, line, column int) (int, int) {
	src := &cursor{lines: r.lines}
	src.line, src.column = place(n)
	if _, block := n.(*ast.LiteralNode); block {
		src.line, src.column = src.line+1, 1
	} else if c := src.rune(); c == '"' || c == '\'' {
		src.column++
	}
	want := offsetOf(text, line, column)
	for i, c := range []rune(text) {
		src.seek(c)
		if i >= want {
			break
		}
		src.column++
	}
	return src.line, src.column
}

func offsetOf(text string, line, column int) int {
	offset := 0
	for range line - 1 {
		before, after, found := strings.Cut(text, "\n")
		if !found {
			break
		}
		offset += len([]rune(before)) + 1
		text = after
	}
	return offset + max(column, 0)
}

// cursor walks over the file's characters.
type cursor struct {
	lines        []string
	line, column int // from 1
}

// rune is the character under the cursor, newline at a line's end, 0 behind the file.
func (c *cursor) rune() rune {
	if c.line < 1 || c.line > len(c.lines) {
		return 0
	}
	line := []rune(c.lines[c.line-1])
	if c.column > len(line) {
		return '\n'
	}
	return line[c.column-1]
}

// seek moves on to where the character of the value was written. White space of
// the value was some white space of the file; what is in between (indentation,
// the mark of an escape) is passed over.
func (c *cursor) seek(want rune) {
	blank := want == ' ' || want == '\n'
	for {
		switch got := c.rune(); {
		case got == want, got == 0, blank && (got == '\n' || got == ' '):
			return
		case got == '\n':
			c.line, c.column = c.line+1, 1
		case got == ' ', got == '\t', got == '\\', got == '\'':
			c.column++
		default:
			return // an escape that looks different: near enough
		}
	}
}
