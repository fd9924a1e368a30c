package policy

import (
	"fmt"
	"sort"
	"strings"
)

// Error is one thing that is wrong with a policy file, and where.
type Error struct {
	File    string
	Line    int
	Column  int
	Message string // what is wrong; what would be right
}

// Error is the line an editor can jump to.
func (e Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors is everything that is wrong with a policy file, in the file's order.
type Errors []Error

// Error has one line for each error.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

func (es Errors) sorted() Errors {
	sort.SliceStable(es, func(i, j int) bool {
		if es[i].Line != es[j].Line {
			return es[i].Line < es[j].Line
		}
		return es[i].Column < es[j].Column
	})
	return es
}
