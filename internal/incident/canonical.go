package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendCanonical appends the one form that all JSON of the same meaning has:
// no white space, keys sorted, numbers as coefficient and exponent, strings
// with the fewest escapes. Numbers keep every digit: 2^53+1 is not 2^53.
func appendCanonical(dst []byte, raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 {
		return append(dst, "null"...), nil
	}
	if !json.Valid(raw) {
		var v any
		return dst, fmt.Errorf("not JSON: %w", json.Unmarshal(raw, &v))
	}
	c := canon{in: raw, out: dst}
	err := c.value()
	return c.out, err
}

// canon walks JSON that is known to be valid.
type canon struct {
	in  []byte
	at  int
	out []byte
}

func (c *canon) value() error {
	switch c.peek() {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		return c.str()
	case 't', 'f', 'n':
		c.out = append(c.out, c.until(" \t\r\n,]}")...)
		return nil
	default:
		return c.number()
	}
}

// peek skips white space and gives the next byte.
func (c *canon) peek() byte {
	for strings.IndexByte(" \t\r\n", c.in[c.at]) >= 0 {
		c.at++
	}
	return c.in[c.at]
}

// until takes everything before the first of the stop bytes.
func (c *canon) until(stops string) []byte {
	start := c.at
	for c.at < len(c.in) && strings.IndexByte(stops, c.in[c.at]) < 0 {
		c.at++
	}
	return c.in[start:c.at]
}

func (c *canon) array() error {
	c.at++
	c.out = append(c.out, '[')
	for n := 0; c.peek() != ']'; n++ {
		if n > 0 {
			c.at++ // the comma
			c.out = append(c.out, ',')
		}
		if err := c.value(); err != nil {
			return err
		}
	}
	c.at++
	c.out = append(c.out, ']')
	return nil
}

// member is one key and its value, as a stretch of the output.
type member struct{ key, text []byte }

func (c *canon) object() error {
	c.at++
	c.out = append(c.out, '{')
	start := len(c.out)
	var few [8]member
	members := few[:0]
	for c.peek() != '}' {
		if c.in[c.at] == ',' {
			c.at++
			c.peek()
			c.out = append(c.out, ',')
		}
		from := len(c.out)
		if err := c.str(); err != nil {
			return err
		}
		to := len(c.out)
		c.peek()
		c.at++ // the colon
		c.out = append(c.out, ':')
		if err := c.value(); err != nil {
			return err
		}
		members = append(members, member{c.out[from:to], c.out[from:]})
	}
	c.at++
	c.sortMembers(start, members)
	c.out = append(c.out, '}')
	return nil
}

// sortMembers rewrites the output from start on with the members in order.
func (c *canon) sortMembers(start int, members []member) {
	byKey := func(a, b member) int { return bytes.Compare(a.key, b.key) }
	if slices.IsSortedFunc(members, byKey) {
		return
	}
	slices.SortStableFunc(members, byKey)
	sorted := make([]byte, 0, len(c.out)-start)
	for i, m := range members {
		if i > 0 {
			sorted = append(sorted, ',')
		}
		sorted = append(sorted, m.text...)
	}
	c.out = append(c.out[:start], sorted...)
}

func (c *canon) str() error {
	start := c.at
	for c.at++; c.in[c.at] != '"'; c.at++ {
		if c.in[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
	quoted := c.in[start:c.at]
	if bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) {
		c.out = append(c.out, quoted...)
		return nil
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return err
	}
	c.out = appendQuoted(c.out, text)
	return nil
}

// appendQuoted escapes only what JSON says must be.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b < ' ':
			dst = fmt.Appendf(dst, `\u%04x`, b)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}

// number writes coefficient and exponent: 1.50, 15e-1 and 0.15E1 are 15e-1.
func (c *canon) number() error {
	text := string(c.until(" \t\r\n,]}"))
	mantissa, written := text, "0"
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, written = text[:i], text[i+1:]
	}
	exponent, err := strconv.ParseInt(written, 10, 32)
	if err != nil {
		return fmt.Errorf("number %s: its exponent is out of range", clip(text, 48))
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= int64(len(fraction))
	coefficient := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(coefficient))
	if coefficient == "" {
		c.out = append(c.out, '0')
		return nil
	}
	if negative {
		c.out = append(c.out, '-')
	}
	c.out = append(c.out, coefficient...)
	if exponent != 0 {
		c.out = append(c.out, 'e')
		c.out = strconv.AppendInt(c.out, exponent, 10)
	}
	return nil
}
