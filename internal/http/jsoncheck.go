package http

import (
	"fmt"
	"unicode/utf8"

	"salve/internal/fault"
)

// Real payloads nest about 20 deep; a decoder's cost grows with the depth.
const maxJSONDepth = 64

// checkJSON makes sure that body is exactly one JSON value in UTF-8 of bounded
// depth. It accepts what json.Valid accepts, in one pass, and says where it
// goes wrong, so that nothing behind it has to.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return fault.New(fault.Malformed, "The body is not UTF-8 (first at byte %d).", invalidUTF8At(body))
	}
	s := jsonScanner{data: body}
	if s.space(); s.end() {
		return fault.New(fault.Malformed, "The body is empty; send JSON.")
	}
	if err := s.value(1); err != nil {
		return err
	}
	if s.space(); !s.end() {
		return fault.New(fault.Malformed, "There is something after the end of the JSON value, at byte %d; send one value.", s.pos)
	}
	return nil
}

func invalidUTF8At(body []byte) int {
	for i := 0; i < len(body); {
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(body)
}

// jsonScanner walks RFC 8259's grammar without keeping anything.
type jsonScanner struct {
	data []byte
	pos  int
}

func (s *jsonScanner) end() bool { return s.pos >= len(s.data) }

func (s *jsonScanner) space() {
	for s.pos < len(s.data) {
		if c := s.data[s.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return
		}
		s.pos++
	}
}

// peek is the next byte that is not space; zero at the end, which no grammar
// rule expects.
func (s *jsonScanner) peek() byte {
	s.space()
	if s.end() {
		return 0
	}
	return s.data[s.pos]
}

func (s *jsonScanner) value(depth int) error {
	switch c := s.peek(); {
	case c == '{':
		return s.members(depth, '}', s.pair)
	case c == '[':
		return s.members(depth, ']', s.value)
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.wrong("a value")
}

// members walks what stands between two brackets, separated by commas.
func (s *jsonScanner) members(depth int, closing byte, member func(depth int) error) error {
	if depth > maxJSONDepth {
		return fault.New(fault.Malformed, "The JSON is nested deeper than %d levels, at byte %d; flatten it.", maxJSONDepth, s.pos)
	}
	s.pos++
	if s.peek() == closing {
		s.pos++
		return nil
	}
	for {
		if err := member(depth + 1); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case closing:
			s.pos++
			return nil
		default:
			return s.wrong(fmt.Sprintf("a comma or %q", closing))
		}
	}
}

func (s *jsonScanner) pair(depth int) error {
	if s.peek() != '"' {
		return s.wrong("a member's name in double quotes")
	}
	if err := s.text(); err != nil {
		return err
	}
	if s.peek() != ':' {
		return s.wrong("a colon")
	}
	s.pos++
	return s.value(depth)
}

func (s *jsonScanner) text() error {
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.wrong("no bare control character in a string: escape it")
		}
	}
	return s.wrong("the end of a string")
}

// escape leaves the position on the escape's last byte.
func (s *jsonScanner) escape() error {
	s.pos++
	if s.end() {
		return s.wrong("the end of a string")
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		return s.hexDigits()
	}
	return s.wrong(`one of "\/bfnrtu after a backslash`)
}

func (s *jsonScanner) hexDigits() error {
	for range 4 {
		s.pos++
		if s.end() || !isHex(s.data[s.pos]) {
			return s.wrong("four hexadecimal digits")
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (s *jsonScanner) number() error {
	if s.data[s.pos] == '-' {
		s.pos++
	}
	if !s.end() && s.data[s.pos] == '0' {
		s.pos++
	} else if s.digits() == 0 {
		return s.wrong("a digit")
	}
	if s.next('.') && s.digits() == 0 {
		return s.wrong("a digit")
	}
	if s.next('e') || s.next('E') {
		if !s.next('+') {
			s.next('-')
		}
		if s.digits() == 0 {
			return s.wrong("a digit")
		}
	}
	return nil
}

func (s *jsonScanner) next(c byte) bool {
	if s.end() || s.data[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

func (s *jsonScanner) digits() int {
	start := s.pos
	for !s.end() && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

func (s *jsonScanner) literal(word string) error {
	for i := range len(word) {
		if !s.next(word[i]) {
			return s.wrong(word)
		}
	}
	return nil
}

// wrong says what should have stood at the present position.
func (s *jsonScanner) wrong(wanted string) error {
	if s.end() {
		return fault.New(fault.Malformed, "The JSON is cut off at byte %d, where %s should be; send all of it.", len(s.data), wanted)
	}
	return fault.New(fault.Malformed, "The JSON is wrong at byte %d, where %s should be.", s.pos, wanted)
}
