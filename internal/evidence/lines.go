package evidence

import "strings"

// Printed text is read line by line in one pass; what one line or one text may
// hold is bounded, so that hostile output costs linear time and little memory.
const (
	maxLook     = 60    // lines that tell what a text is
	maxLookLine = 2_000 // bytes of one of them
	maxLine     = 16 << 10
	maxLines    = 200_000
)

// look is the beginning of a text, without blank lines: what it is recognised by.
type look []string

func lookAt(text string) look {
	head := look{}
	for line := range strings.Lines(text) {
		if line = clip(strings.TrimRight(line, " \t\r\n"), maxLookLine); line != "" {
			head = append(head, line)
		}
		if len(head) == maxLook {
			break
		}
	}
	return head
}

// any says whether one of the lines is so.
func (l look) any(is func(line string) bool) bool {
	for _, line := range l {
		if is(line) {
			return true
		}
	}
	return false
}

// starts says whether a line begins so, but for spaces before it.
func (l look) starts(prefixes ...string) bool {
	return l.any(func(line string) bool {
		line = strings.TrimLeft(line, " \t")
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) {
				return true
			}
		}
		return false
	})
}

// header says whether a line has these words as its first, in this order.
func (l look) header(words ...string) bool {
	return l.any(func(line string) bool { return isHeader(line, words) })
}

func isHeader(line string, words []string) bool {
	for _, want := range words {
		var word string
		word, line = cutWord(line)
		if !strings.EqualFold(word, want) {
			return false
		}
	}
	return true
}

// cutWord gives the first word of a line and what follows it.
func cutWord(line string) (word, rest string) {
	line = strings.TrimLeft(line, " \t")
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], " \t")
}

// lines are the lines of a text without their ends: as many as a tool may print,
// and none longer.
func lines(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		n := 0
		for line := range strings.Lines(text) {
			if n++; n > maxLines || !yield(clip(strings.TrimRight(line, "\r\n"), maxLine)) {
				return
			}
		}
	}
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
