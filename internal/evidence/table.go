package evidence

import "strings"

// table reads kubectl's, velero's and restic's tables: the headings tell where
// the columns begin, so that a cell may be empty and the last may hold anything.
type table struct {
	names  []string
	starts []int // in runes
}

// tableOf reads a header: headings stand at least two spaces apart, so that they
// may be of two words (LAST SEEN).
func tableOf(line string) table {
	var t table
	runes, from := []rune(line), -1
	for i := 0; i <= len(runes); i++ {
		gap := i >= len(runes) || runes[i] == '\t' || runes[i] == ' ' && (i+1 >= len(runes) || runes[i+1] == ' ' || runes[i+1] == '\t')
		switch {
		case from < 0 && !gap && runes[i] != ' ':
			from = i
		case from >= 0 && gap:
			t.names = append(t.names, string(runes[from:i]))
			t.starts = append(t.starts, from)
			from = -1
		}
		if len(t.names) == maxColumns {
			break
		}
	}
	return t
}

// has says whether all these columns are there.
func (t table) has(names ...string) bool {
	for _, name := range names {
		if t.index(name) < 0 {
			return false
		}
	}
	return true
}

func (t table) index(name string) int {
	for i, n := range t.names {
		if n == name {
			return i
		}
	}
	return -1
}

// row is one line of a table.
type row struct {
	table table
	cells []string
}

func (r row) get(name string) string {
	if i := r.table.index(name); i >= 0 && i < len(r.cells) && r.cells[i] != "<none>" {
		return r.cells[i]
	}
	return ""
}

// row takes a line apart. Where a cell runs into the next column, or two cells
// fall into one, the line was aligned otherwise (a message of several lines makes
// kubectl begin anew), and two spaces tell cells apart.
func (t table) row(line string) row {
	runes := []rune(line)
	cells := make([]string, len(t.starts))
	for i, from := range t.starts {
		if from >= len(runes) {
			break
		}
		if from > 0 && runes[from-1] != ' ' && runes[from-1] != '\t' {
			return row{t, t.apart(line)}
		}
		to := len(runes)
		if i+1 < len(t.starts) {
			to = min(to, t.starts[i+1])
		}
		cells[i] = strings.TrimSpace(string(runes[from:to]))
		if i+1 < len(t.starts) && strings.Contains(cells[i], "  ") {
			return row{t, t.apart(line)}
		}
	}
	return row{t, cells}
}

// apart splits at tabs and runs of spaces; the last column keeps the rest.
func (t table) apart(line string) []string {
	var cells []string
	rest := strings.TrimLeft(line, " \t")
	for len(cells) < len(t.names)-1 {
		end := strings.Index(rest, "  ")
		if tab := strings.IndexByte(rest, '\t'); tab >= 0 && (end < 0 || tab < end) {
			end = tab
		}
		if end < 0 {
			break
		}
		cells = append(cells, rest[:end])
		rest = strings.TrimLeft(rest[end:], " \t")
	}
	return append(cells, strings.TrimSpace(rest))
}

// rows calls do for every row of every table in the text. is tells headers.
func rows(text string, is func(table) bool, do func(row)) {
	var t table
	for line := range lines(text) {
		if strings.TrimSpace(line) == "" {
			t = table{}
			continue
		}
		if firstIsUpper(line) {
			if header := tableOf(line); is(header) {
				t = header
				continue
			}
		}
		if t.names != nil {
			do(t.row(line))
		}
	}
}

func firstIsUpper(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return line != "" && line[0] >= 'A' && line[0] <= 'Z'
}
