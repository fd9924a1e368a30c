package redact

import (
	"encoding/json"
	"strings"
)

// kindScan reads valid JSON once and notes for each object, in the order of
// opening, whether it is a Secret or a ConfigMap (or a list of them): its kind
// comes after its data.
type kindScan struct {
	s     string
	pos   int
	kinds []bool
}

func (k *kindScan) value() {
	k.pos = skipBlank(k.s, k.pos)
	switch k.s[k.pos] {
	case '{':
		k.object()
	case '[':
		k.each(']', k.value)
	case '"':
		k.pos = skipString(k.s, k.pos)
	default:
		k.pos = run(k.s, k.pos, isLiteral)
	}
}

func (k *kindScan) object() {
	self := len(k.kinds)
	k.kinds = append(k.kinds, false)
	k.each('}', func() {
		end := skipString(k.s, k.pos)
		key := k.s[k.pos:end]
		k.pos = skipBlank(k.s, skipBlank(k.s, end)+1)
		from := k.pos
		k.value()
		if unquote(key) == "kind" && secretKind(k.s[from:k.pos]) {
			k.kinds[self] = true
		}
	})
}

func (k *kindScan) each(closing byte, one func()) {
	for {
		k.pos = skipBlank(k.s, k.pos+1)
		if k.s[k.pos] != closing {
			one()
			k.pos = skipBlank(k.s, k.pos)
		}
		if k.s[k.pos] == closing {
			k.pos++
			return
		}
	}
}

func secretKind(raw string) bool {
	if raw[0] != '"' || len(raw) > 100 {
		return false
	}
	kind := strings.TrimSuffix(unquote(raw), "List")
	return kind == "Secret" || kind == "ConfigMap"
}

func skipBlank(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString is the index after the string that begins at i.
func skipString(s string, i int) int {
	for i++; s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// isLiteral is the class of what numbers, true, false and null are made of.
func isLiteral(c byte) bool {
	return isWord(c) || c == '+'
}

func firstByte(s string) byte {
	if i := skipBlank(s, 0); i < len(s) {
		return s[i]
	}
	return 0
}

// unquote reads a JSON string; most have nothing to be read.
func unquote(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return raw
	}
	return s
}
