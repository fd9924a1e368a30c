package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"salve/internal/incident"
)

// style is how a diagnosis looks: on a terminal with colours and as wide as that
// is, elsewhere plain.
type style struct {
	colour bool
	width  int
}

const (
	plainWidth = 100
	label      = 10 // columns before the text of a section
)

func terminalWidth(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width >= 50 {
		return min(width, 140)
	}
	return plainWidth
}

// The colours: red is ill, yellow is unknown, green is healthy, dim is detail.
const (
	red, yellow, green, dim, bold = "31", "33", "32", "2", "1"
)

func (s style) in(code, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// printDiagnosis tells a person: what it is and how sure, where, why, and on what
// that rests.
func printDiagnosis(w io.Writer, d incident.Diagnosis, s style) error {
	var b strings.Builder
	mark, code := "✗", red
	switch d.Cause {
	case incident.CauseHealthy:
		mark, code = "✓", green
	case incident.CauseUnknown:
		mark, code = "?", yellow
	}
	fmt.Fprintf(&b, "%s %s", s.in(code, mark), s.in(code+";"+bold, d.Cause))
	if d.Decided() {
		fmt.Fprintf(&b, "  %s", s.in(dim, fmt.Sprintf("%.0f %% sure", math.Round(d.Confidence*100))))
	}
	b.WriteByte('\n')
	if where := whereOf(d); where != "" {
		fmt.Fprintf(&b, "  %s\n", s.in(dim, where))
	}
	fmt.Fprintf(&b, "\n  %s\n", strings.Join(wrap(d.Summary, s.width-2), "\n  "))
	if len(d.Chain) > 2 { // symptom and cause alone are the summary
		s.section(&b, "Chain", steps(d.Chain))
	}
	s.section(&b, "Evidence", bullets(d.Evidence))
	s.section(&b, "Missing", bullets(d.Missing))
	if d.Cause != incident.CauseHealthy {
		s.section(&b, "Or else", others(d.Alternatives))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func whereOf(d incident.Diagnosis) string {
	where := d.Subject.String()
	if d.Container != "" {
		where += ", container " + d.Container
	}
	if owner := d.Owner.String(); owner != "" && owner != d.Subject.String() {
		where += "  (" + d.Owner.Kind + " " + d.Owner.Name + ")"
	}
	return strings.TrimPrefix(where, ", ")
}

// steps draws the way from symptom to cause.
func steps(chain []string) []string {
	out := make([]string, len(chain))
	for i, line := range chain {
		if i > 0 {
			line = strings.Repeat("   ", i-1) + "└─ " + line
		}
		out[i] = line
	}
	return out
}

func bullets(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = "• " + line
	}
	return out
}

const mostOthers = 4

func others(alternatives []incident.Alternative) []string {
	var out []string
	for i, a := range alternatives {
		if i == mostOthers {
			break
		}
		out = append(out, fmt.Sprintf("%s  %.0f %%", a.Cause, math.Round(a.Confidence*100)))
	}
	return out
}

// section writes a heading with its lines, each wrapped under itself.
func (s style) section(b *strings.Builder, heading string, lines []string) {
	for i, line := range lines {
		if i == 0 {
			fmt.Fprintf(b, "\n  %s%s", s.in(bold, heading), strings.Repeat(" ", max(1, label-len(heading))))
		} else {
			b.WriteString(strings.Repeat(" ", label+2))
		}
		hang := utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " └─•"))
		for j, part := range wrap(line, s.width-label-2-hang) {
			if j > 0 {
				b.WriteString(strings.Repeat(" ", label+2+hang))
			}
			b.WriteString(part + "\n")
		}
	}
}

// wrap breaks text at blanks into lines of at most width characters; a longer
// word stands alone.
func wrap(text string, width int) []string {
	width = max(width, 20)
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	var lines []string
	line, used := indent, utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			line, used = line+word, used+n
		case used+1+n > width:
			lines = append(lines, line)
			line, used = word, n
		default:
			line, used = line+" "+word, used+1+n
		}
	}
	return append(lines, line)
}
