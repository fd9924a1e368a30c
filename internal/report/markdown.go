package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// page is a Markdown document under way.
type page struct{ b strings.Builder }

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

func (p *page) title(level int, format string, args ...any) {
	if p.b.Len() > 0 {
		p.line("")
	}
	p.line(strings.Repeat("#", level)+" "+format, args...)
	p.line("")
}

func (p *page) list(items []string, none string) {
	if len(items) == 0 {
		p.line("%s", none)
		return
	}
	for _, item := range items {
		p.line("- %s", item)
	}
}

func (p *page) table(head []string, rows [][]string, none string) {
	if len(rows) == 0 {
		p.line("%s", none)
		return
	}
	p.line("| %s |", strings.Join(head, " | "))
	p.line("|%s", strings.Repeat("---|", len(head)))
	for _, row := range rows {
		p.line("| %s |", strings.Join(row, " | "))
	}
}

// text makes what comes from data plain text within a line of Markdown.
func text(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
		case strings.ContainsRune("\\`*_{}[]<>#|~!&", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.Format("2006-01-02 15:04 MST")
}

// lasted is a time as people say it: seconds matter only below an hour.
func lasted(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d <= 0:
		return "—"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
