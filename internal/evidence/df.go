package evidence

import (
	"errors"
	"strings"
)

var errNoDF = errors.New("this is not what df prints: a header such as 'Filesystem 1024-blocks Used Available Capacity Mounted on' and a line a filesystem are expected (LC_ALL=C df -P)")

// measure is what the numbers of a column of df are.
type measure int

const (
	inWords measure = iota
	inBlocks
	inInodes
	inPercent
)

// dfColumn is one column of df.
type dfColumn struct {
	in    measure
	word  func(*Filesystem) *string
	place func(*Filesystem) *Number
}

// dfRoles are df's columns by their heading.
var dfRoles = map[string]dfColumn{
	"filesystem": {inWords, func(f *Filesystem) *string { return &f.Filesystem }, nil},
	"type":       {inWords, func(f *Filesystem) *string { return &f.Type }, nil},
	"mounted":    {inWords, func(f *Filesystem) *string { return &f.Mount }, nil},
	"size":       {inBlocks, nil, func(f *Filesystem) *Number { return &f.SizeBytes }},
	"used":       {inBlocks, nil, func(f *Filesystem) *Number { return &f.UsedBytes }},
	"avail":      {inBlocks, nil, func(f *Filesystem) *Number { return &f.AvailBytes }},
	"use%":       {inPercent, nil, func(f *Filesystem) *Number { return &f.UsePercent }},
	"inodes":     {inInodes, nil, func(f *Filesystem) *Number { return &f.Inodes }},
	"iused":      {inInodes, nil, func(f *Filesystem) *Number { return &f.InodesUsed }},
	"ifree":      {inInodes, nil, func(f *Filesystem) *Number { return &f.InodesFree }},
	"iuse%":      {inPercent, nil, func(f *Filesystem) *Number { return &f.InodesUsePercent }},
}

// dfNames are other headings of the same columns: GNU's with -P and --output,
// busybox', and those of the BSDs and of AIX.
var dfNames = map[string]string{
	"available": "avail", "free": "avail", "capacity": "use%", "%used": "use%", "pcent": "use%", "%iused": "iuse%", "ipcent": "iuse%",
	"target": "mounted", "source": "filesystem", "fstype": "type", "itotal": "inodes", "iavail": "ifree",
}

// dfTable is the header of one table: its columns, and what a bare number of its
// blocks stands for.
type dfTable struct {
	columns []dfColumn
	unit    float64
	base    float64 // what a suffix steps by
}

const maxColumns = 16

func dfHeader(line string, base float64) (dfTable, bool) {
	t := dfTable{unit: 1, base: base}
	if !endsLikeHeader(line) {
		return t, false
	}
	words := strings.Fields(strings.Replace(strings.ToLower(clip(line, maxLookLine)), "mounted on", "mounted", 1))
	if len(words) < 3 || len(words) > maxColumns {
		return t, false
	}
	for _, word := range words {
		if unit, ok := blockSize(word); ok {
			word, t.unit = "size", unit
		}
		if other := dfNames[word]; other != "" {
			word = other
		}
		column, ok := dfRoles[word]
		if !ok {
			return t, false
		}
		t.columns = append(t.columns, column)
	}
	return t, true
}

// endsLikeHeader spares most lines a closer look.
func endsLikeHeader(line string) bool {
	line = strings.TrimRight(line, " \t\r\n")
	if len(line) < len("mounted on") {
		return false
	}
	last := strings.ToLower(line[len(line)-len("mounted on"):])
	return last == "mounted on" || strings.HasSuffix(last, "target") || strings.HasSuffix(last, "mounted")
}

// blockSize reads the heading 1024-blocks, 1K-blocks or 512-blocks.
func blockSize(heading string) (float64, bool) {
	blocks, ok := strings.CutSuffix(heading, "-blocks")
	if !ok {
		return 0, false
	}
	n, ok := size(strings.ToUpper(blocks), 1, 1024)
	return n.Value, ok
}

func (t dfTable) number(in measure, cell string) (Number, bool) {
	switch {
	case cell == "-":
		return Number{}, true
	case in == inPercent:
		return percent(cell)
	case in == inInodes:
		return size(cell, 1, t.base)
	}
	return size(cell, t.unit, t.base)
}

// maxNameWords bounds how many words the name of a filesystem may have, as that
// of a Windows share or of an automounter's map.
const maxNameWords = 8

// row reads one line. Its first and last column may hold spaces: what stands
// between them tells where they end.
func (t dfTable) row(line string) (Filesystem, bool) {
	words := countWords(line, len(t.columns)+maxNameWords)
	for extra := range min(maxNameWords, words-len(t.columns)+1) {
		if f, ok := t.rowNamed(line, 1+extra); ok {
			return f, f.Mount != ""
		}
	}
	return Filesystem{}, false
}

func (t dfTable) rowNamed(line string, nameWords int) (f Filesystem, ok bool) {
	rest := line
	for i, column := range t.columns {
		var cell string
		switch {
		case i == 0:
			cell, rest = cutWords(rest, nameWords)
		case i == len(t.columns)-1:
			cell = strings.TrimSpace(rest)
		default:
			cell, rest = cutWord(rest)
		}
		if cell == "" {
			return f, false
		}
		if column.in == inWords {
			*column.word(&f) = cell
		} else if *column.place(&f), ok = t.number(column.in, cell); !ok {
			return f, false
		}
	}
	return f, true
}

// countWords stops at so many.
func countWords(line string, most int) (n int) {
	for range strings.FieldsSeq(line) {
		if n++; n == most {
			break
		}
	}
	return n
}

// cutWords gives the first n words as they stand, and what follows them.
func cutWords(line string, n int) (words, rest string) {
	line = strings.TrimLeft(line, " \t")
	rest = line
	for range n {
		_, rest = cutWord(rest)
	}
	return strings.TrimRight(line[:len(line)-len(rest)], " \t"), rest
}

func looksLikeDF(l look) bool {
	return l.any(func(line string) bool {
		_, ok := dfHeader(line, 1024)
		return ok
	})
}

// readDF reads the tables of df, one or several after another. A long name
// stands on a line of its own, as it does without -P.
func readDF(r *reader, p printout) error {
	var disks []Disk
	table, wrapped, found := dfTable{}, "", 0
	for line := range lines(p.text) {
		if t, ok := dfHeader(line, p.stepsBy()); ok {
			table, wrapped = t, ""
			if len(disks) <= maxTools {
				disks = append(disks, Disk{Host: p.host})
			}
			continue
		}
		if table.columns == nil || found >= maxItems {
			continue
		}
		f, ok := table.row(wrapped + line)
		if wrapped = ""; ok {
			found++
			disks[len(disks)-1].Filesystems = append(disks[len(disks)-1].Filesystems, f)
		} else if !strings.ContainsAny(line, " \t") {
			wrapped = line
		}
	}
	if found == 0 {
		return errNoDF
	}
	for _, d := range disks {
		r.disk(d)
	}
	return nil
}

// stepsBy is 1000 for df -H and for --si.
func (c command) stepsBy() float64 {
	if c.has('H', "--si") {
		return 1000
	}
	return 1024
}

func (r *reader) disk(d Disk) { r.ev.Disks = append(r.ev.Disks, d) }
