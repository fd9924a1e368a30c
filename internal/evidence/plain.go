package evidence

import "strings"

// plain is a text as it would look in a file: without byte order mark, carriage
// returns at line ends, and the codes that colour a terminal.
func plain(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	if !strings.ContainsRune(text, esc) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		i := strings.IndexByte(text, esc)
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		text = text[i+escapeLength(text[i:]):]
	}
	return b.String()
}

const esc = '\x1b'

// maxEscape bounds how far the end of a code is looked for.
const maxEscape = 64

// escapeLength is that of the code at the start of a text: ESC [ … letter for
// colours and cursors, ESC ] … BEL for titles and links, else ESC alone.
func escapeLength(text string) int {
	if len(text) < 2 {
		return 1
	}
	end := func(b byte) bool { return b >= '@' && b <= '~' }
	switch text[1] {
	case '[':
	case ']':
		end = func(b byte) bool { return b == '\a' || b == '\\' }
	default:
		return 1
	}
	for i := 2; i < min(len(text), maxEscape); i++ {
		if end(text[i]) {
			return i + 1
		}
	}
	return 2
}
