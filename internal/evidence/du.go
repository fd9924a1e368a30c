package evidence

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"
)

var errNoSizes = errors.New("lines of a size and a path are expected, as du -x -d1 -b, find -printf '%s %p\\n', ls -l and coredumpctl list print them")

// maxTop is how many of the biggest paths are kept.
const maxTop = 100

// readSizes reads what du, find, stat, ls and coredumpctl say of paths. Which of
// them printed a line is seen in the line; the command only tells the unit.
func readSizes(r *reader, p printout) error {
	disk, dir, found := Disk{Host: p.host}, p.listed(), false
	for line := range lines(p.text) {
		if at, ok := listedDirectory(line); ok {
			dir = at
			continue
		}
		entry, ok := sizeLine(line, p.unit(line), p.stepsBy())
		found = found || ok || isTotal(line)
		if !ok || entry.Path == "total" || !entry.Bytes.Known {
			continue
		}
		if dir != "" && !strings.HasPrefix(entry.Path, "/") && !strings.Contains(entry.Path, " (pid ") {
			entry.Path = path.Join(dir, entry.Path)
		}
		disk.add(entry, isCoreDump(entry.Path) || p.arg(0) != "du" && path.Base(entry.Path) == "core") // du means a directory
	}
	if !found && !saysNone(p.text) && !(p.forCores() && strings.TrimSpace(p.text) == "") {
		return errNoSizes
	}
	disk.Top, disk.CoreDumps = biggest(disk.Top), biggest(disk.CoreDumps)
	if p.forCores() && disk.CoreDumps == nil {
		disk.CoreDumps = []PathSize{}
	}
	r.disk(disk)
	return nil
}

// saysNone says whether a listing is of nothing.
func saysNone(text string) bool {
	text = strings.TrimSpace(text)
	return text == "No coredumps found." || text == "No coredumps found"
}

// forCores says whether core dumps were asked for, so that none seen is none there.
func (c command) forCores() bool {
	for _, w := range slices.Concat(c.words, c.opts) {
		if strings.Contains(w, "core") || strings.Contains(w, "/crash") {
			return true
		}
	}
	return false
}

func (d *Disk) add(entry PathSize, core bool) {
	to := &d.Top
	if core {
		to = &d.CoreDumps
	}
	if *to = append(*to, entry); len(*to) > 10*maxTop {
		*to = biggest(*to)
	}
}

// biggest first; of equal ones by path.
func biggest(list []PathSize) []PathSize {
	slices.SortFunc(list, func(a, b PathSize) int {
		return cmp.Or(cmp.Compare(b.Bytes.Value, a.Bytes.Value), cmp.Compare(a.Path, b.Path))
	})
	return list[:min(len(list), maxTop)]
}

// isCoreDump goes by where systemd, apport, kdump and kernels put them.
func isCoreDump(p string) bool {
	if strings.Contains(p, "(pid ") {
		return true
	}
	dir, name := path.Split(p)
	for _, kept := range []string{"/systemd/coredump/", "/crash/", "/cores/", "/coredumps/", "/coredump/"} {
		if strings.HasSuffix(dir, kept) && name != "" {
			return true
		}
	}
	rest, is := strings.CutPrefix(name, "core.")
	if is {
		return strings.Trim(rest, "0123456789.") == "" || strings.Count(rest, ".") >= 2
	}
	return name == "vmcore" || strings.HasSuffix(name, ".core")
}

// sizeLine reads one line of any of the listings.
func sizeLine(line string, unit, base float64) (PathSize, bool) {
	if len(line) > 0 && line[0] == '/' {
		return pathThenSize(line)
	}
	line = strings.TrimLeft(line, " ")
	word, rest := cutWord(line)
	if n, ok := size(word, unit, base); ok && rest != "" {
		if entry, ok := listLine(rest, base); ok { // ls -ls, find -ls
			return entry, true
		}
		aPath := strings.ContainsRune(rest, '/') || !strings.Contains(rest, " ") || line[len(word)] == '\t'
		return PathSize{strings.TrimSpace(rest), n}, aPath
	}
	if entry, ok := listLine(line, base); ok {
		return entry, true
	}
	return coreLine(line)
}

func pathThenSize(line string) (PathSize, bool) {
	i := strings.LastIndexAny(strings.TrimRight(line, " \t"), " \t")
	if i < 0 {
		return PathSize{}, false
	}
	n, ok := size(strings.TrimSpace(line[i:]), 1, 1024)
	return PathSize{strings.TrimSpace(line[:i]), n}, ok
}

// listLine reads a file of ls -l, with any style of time. What is no plain file
// has no size that counts, but is a line of a listing all the same.
func listLine(line string, base float64) (PathSize, bool) {
	mode, rest := cutWord(line)
	if !isMode(mode) {
		_, rest = cutWord(line) // find -ls: the blocks stand before the mode
		if mode, rest = cutWord(rest); !isMode(mode) {
			return PathSize{}, false
		}
	}
	if mode[0] != '-' {
		return PathSize{}, true
	}
	_, rest = cutWords(rest, 3) // links, owner, group
	bytes, rest := cutWord(rest)
	n, ok := size(bytes, 1, base)
	date, _ := cutWord(rest)
	words := 3 // Nov 23 03:15
	if strings.Count(date, "-") == 2 {
		words = 2 // 2026-11-23 03:15
	}
	_, name := cutWords(rest, words)
	if zone, after := cutWord(name); words == 2 && len(zone) == 5 && (zone[0] == '+' || zone[0] == '-') {
		name = after // --full-time
	}
	return PathSize{strings.TrimSpace(name), n}, ok && name != ""
}

func isMode(word string) bool {
	return len(word) >= 10 && len(word) <= 11 && strings.IndexByte("-dlbcps", word[0]) >= 0 && strings.Trim(word[1:10], "rwxsStT-") == ""
}

// listedDirectory reads the line that ls prints above the files of each directory.
func listedDirectory(line string) (string, bool) {
	dir, ok := strings.CutSuffix(line, ":")
	return dir, ok && strings.HasPrefix(dir, "/")
}

func isTotal(line string) bool {
	word, rest := cutWord(line)
	return word == "total" && rest != "" && !strings.Contains(rest, " ")
}

// corefile are coredumpctl's words for what became of the file.
var corefile = keySet("present,missing,none,truncated,journal,error,inaccessible")

// coreLine reads one line of coredumpctl list: day, date, time, zone, PID, UID,
// GID, signal, what became of the file, program, size.
func coreLine(line string) (PathSize, bool) {
	f := strings.Fields(line)
	if len(f) < 10 || len(f) > 11 || !corefile[f[8]] || !countOrNot(f[4]).Known {
		return PathSize{}, false
	}
	entry := PathSize{Path: f[9] + " (pid " + f[4] + ")"}
	if len(f) == 11 {
		entry.Bytes, _ = size(f[10], 1, 1024)
	}
	return entry, true
}

// unit is what a bare number counts: kibibytes for du, bytes for all else, unless
// the command says otherwise. An output without a name is du's where a tab
// follows the number.
func (c command) unit(line string) float64 {
	if c.arg(0) != "du" && (c.arg(0) != "" || !strings.Contains(clip(line, 24), "\t")) {
		return 1
	}
	if blocks := c.value("--block-size", "-B"); blocks != "" {
		if n, ok := size(blocks, 1, 1024); ok {
			return n.Value
		}
		n, _ := size("1"+blocks, 1, 1024)
		return cmp.Or(n.Value, 1024)
	}
	switch {
	case c.has('b', "--bytes"):
		return 1
	case c.has('m', ""):
		return 1 << 20
	}
	return 1024
}

// listed is the one directory that ls was told to list: it then prints bare names.
func (c command) listed() string {
	if c.arg(0) == "ls" && len(c.words) == 2 && !strings.ContainsAny(c.words[1], "*?[") {
		return c.words[1]
	}
	return ""
}

// looksLikeSizes asks for lines of nothing else: a number before a path is in
// many a log.
func looksLikeSizes(l look) bool {
	seen := 0
	for _, line := range l {
		entry, ok := sizeLine(line, 1024, 1024)
		_, isDir := listedDirectory(line)
		switch {
		case ok && (entry.Path == "" || strings.ContainsRune(entry.Path, '/') || isMode(firstWord(line))):
			seen++
		case strings.HasPrefix(line, "du: ") || isTotal(line) || isDir || strings.HasSuffix(line, "\ttotal") || strings.HasPrefix(line, "TIME "):
		default:
			return false
		}
	}
	return seen > 0
}

func firstWord(line string) string {
	word, _ := cutWord(line)
	return word
}
