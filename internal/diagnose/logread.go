package diagnose

import (
	"regexp"
	"slices"
	"strings"
)

// How much of a log is read, and how far from its end a sign still counts.
const (
	longestLog  = 64 << 10
	longestLine = 4 << 10 // of one line
	nearTheEnd  = 30      // entries that may follow a sign
	oftenEnough = 3       // a sign that comes back so often counts anywhere
	mostTries   = 50      // lines in which one name is looked for
)

// reading is what a log tells of why its program fares as it does.
type reading struct {
	means  *meaning
	line   string // the line that says so
	about  string // whom or what it is about
	times  int    // lines that say the same
	shaken bool   // something else went wrong after it
	others []*meaning
}

// page is a log, line by line. Entries are lines with what is indented under them.
type page struct {
	text, lower string
	lines       []logLine
}

type logLine struct {
	from, to int
	head     int      // the first line of its entry
	sign     *logSign // the first row of the table that the line shows
	row      int      // its number
	relief   relief
}

// readLog finds the last decisive error before the end of a log, or the root of
// it where an earlier one made it fail. What was survived does not count, nor
// what the log itself calls information. Waiting is true for a program that is
// there to wait: then everything that it says is about that.
func readLog(text string, waiting bool) (reading, bool) {
	p := openPage(text)
	p.findSigns(waiting)
	p.findRelief()
	return p.decide()
}

func openPage(text string) *page {
	if len(text) > longestLog {
		text = text[len(text)-longestLog:]
		text = text[strings.IndexByte(text, '\n')+1:]
	}
	text = withoutColours(text)
	p := &page{text: text, lower: lowerASCII(text)}
	for from := 0; from < len(text); {
		to := len(text)
		if i := strings.IndexByte(text[from:], '\n'); i >= 0 {
			to = from + i
		}
		if strings.TrimSpace(text[from:to]) != "" {
			n := len(p.lines)
			l := logLine{from: from, to: to, head: n}
			if n > 0 && continues(text[from:to]) {
				l.head = p.lines[n-1].head
			}
			p.lines = append(p.lines, l)
		}
		from = to + 1
	}
	return p
}

func (p *page) of(l *logLine) string { return p.text[l.from:min(l.to, l.from+longestLine)] }

func (p *page) lowerOf(l *logLine) string { return p.lower[l.from:min(l.to, l.from+longestLine)] }

// stamp is the time that kubectl logs --timestamps and the CRI put before a line.
var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?`)

// continues says whether a line belongs to the entry before it: a stack trace, a
// message of several lines.
func continues(line string) bool {
	rest := unstamped(line)
	if len(rest) < len(line) { // some loggers put two spaces after their own time
		if strings.HasPrefix(rest, "    ") || strings.HasPrefix(rest, "\t") {
			return true
		}
	} else if rest[0] == ' ' || rest[0] == '\t' {
		return true
	}
	for _, begin := range []string{"Caused by", "at ", "Suppressed:", "... ", "---> ", "[signal ", "goroutine "} {
		if strings.HasPrefix(rest, begin) {
			return true
		}
	}
	return false
}

// findSigns marks every line with the first row of the table that it shows. Each
// row is tried once a line, so that a line of nothing but signs costs no more.
func (p *page) findSigns(waiting bool) {
	i, tried := 0, map[int]bool{}
	logPhrases.find(p.lower, func(at int, f phrase) {
		for i < len(p.lines)-1 && p.lines[i].to < at {
			i++
			clear(tried)
		}
		l := &p.lines[i]
		s := &logSigns[f.of]
		if tried[f.of] || l.sign != nil && l.row <= f.of || at+len(f.text) > l.to || s.means == depAwaited && !waiting || withinWord(p.lower, at) {
			return
		}
		tried[f.of] = true
		if s.holds(p.lowerOf(l)) && (waiting || !p.isQuiet(l)) {
			l.sign, l.row = s, f.of
		}
	})
}

// withinWord says whether a phrase begins in the middle of a word: the enotfound
// of ModuleNotFoundError is none of Node's.
func withinWord(text string, at int) bool {
	return at > 0 && isAlnum(text[at]) && isAlnum(text[at-1])
}

func isAlnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func (s *logSign) holds(line string) bool {
	within := func(part string) bool { return strings.Contains(line, part) }
	return (len(s.also) == 0 || slices.ContainsFunc(s.also, within)) && !slices.ContainsFunc(s.unless, within) && !(s.client && serverLine.MatchString(line))
}

// serverLine is how Postgres logs what it told a client.
var serverLine = regexp.MustCompile(`\[\d+(-\d+)?\]:? (\S+ )?(fatal|error|detail):`)

// isQuiet says whether a line is no word of failure: information by its own
// level, or by that of the entry that it belongs to, a comment, or a command
// that a shell is about to run.
func (p *page) isQuiet(l *logLine) bool {
	line := p.of(l)
	if own := levelOf(unstamped(line)); own != unsaid {
		return own == quiet
	}
	head := p.of(&p.lines[l.head])
	if levelOf(unstamped(head)) == quiet {
		return true
	}
	line = strings.TrimSpace(unstamped(line))
	return strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "+ ")
}

// unstamped is a line without the time that was put before it.
func unstamped(line string) string {
	if line == "" || line[0] < '0' || line[0] > '9' {
		return line
	}
	return line[len(stamp.FindString(line[:min(len(line), 64)])):]
}

// decide goes through the signs from the end of the log to its beginning.
func (p *page) decide() (reading, bool) {
	hits := p.standing()
	var chosen *hit
	var r reading
	for i := range hits {
		h := &hits[i]
		switch {
		case chosen == nil:
			chosen = h
		case chosen.means().yieldsTo(h.means()):
			r.shaken = r.shaken || chosen.means().depth == wrapper && !h.means().remote && h.head != chosen.head
			chosen = h
		}
	}
	if chosen == nil {
		return reading{}, false
	}
	chosen = p.fullest(hits, chosen)
	r.means = chosen.means()
	r.line = p.of(chosen.logLine)
	r.about = p.about(chosen)
	for i := range hits {
		switch m := hits[i].means(); {
		case m == r.means:
			r.times++
		case m.cause != r.means.cause && !r.means.yieldsTo(m) && !slices.Contains(r.others, m):
			r.others = append(r.others, m)
		}
	}
	return r, true
}

// fullest is the first line of the same entry that means the same and says whom
// or what it is about: the last one of a stack trace is often only a code.
func (p *page) fullest(hits []hit, chosen *hit) *hit {
	if chosen.means().about == nil {
		return chosen
	}
	tries := 0
	for i := len(hits) - 1; i >= 0 && tries < mostTries; i-- {
		h := &hits[i]
		if h.head != chosen.head || h.means() != chosen.means() {
			continue
		}
		if tries++; h.means().about(p.of(h.logLine)) != "" {
			return h
		}
	}
	return chosen
}

// hit is a sign that nothing after it took back.
type hit struct {
	*logLine
	index int
	after int // entries that follow
}

func (h *hit) means() *meaning { return h.sign.means }

// standing lists the signs that count, the last first.
func (p *page) standing() []hit {
	var hits []hit
	times := map[*meaning]int{}
	var served bool
	var answers []string // of dependencies, later in the log
	after := 0
	for i := len(p.lines) - 1; i >= 0; i-- {
		l := &p.lines[i]
		switch {
		case l.relief == connected:
			answers = append(answers, product(p.lowerOf(l)))
		case l.relief == serving:
			served = true
		case l.sign == nil:
		case l.sign.means.remote && healed(product(p.lowerOf(l)), answers):
		case served && !l.sign.means.remote && l.sign.means.depth != flood:
		default:
			times[l.sign.means]++
			hits = append(hits, hit{l, i, after})
		}
		if l.head == i {
			after++
		}
	}
	return slices.DeleteFunc(hits, func(h hit) bool { return h.after > nearTheEnd && times[h.means()] < oftenEnough })
}

// withoutColours takes the escape sequences of terminals out of a log.
func withoutColours(text string) string {
	if !strings.Contains(text, "\x1b[") {
		return text
	}
	return colours.ReplaceAllString(text, "")
}

var colours = regexp.MustCompile(`\x1b\[[0-9;?]{0,16}[A-Za-z]`)
