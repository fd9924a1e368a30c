package redact

import (
	"encoding/json"
	"strings"
)

// objectKind is what has to be known of an object before its first member.
type objectKind struct {
	secret bool // a Secret or a ConfigMap, or a list of them
	named  bool // its name says that its value is a secret
}

// kindScan reads valid JSON once and notes the kind of each object, in the order
// of opening: kind comes after data, and name after value.
type kindScan struct {
	s     string
	pos   int
	kinds []objectKind
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
	k.kinds = append(k.kinds, objectKind{})
	k.each('}', func() {
		end := skipString(k.s, k.pos)
		key := k.s[k.pos:end]
		k.pos = skipBlank(k.s, skipBlank(k.s, end)+1)
		from := k.pos
		k.value()
		switch raw := k.s[from:k.pos]; unquote(key) {
		case "kind":
			k.kinds[self].secret = k.kinds[self].secret || secretKind(raw)
		case "name", "key":
			k.kinds[self].named = k.kinds[self].named || raw[0] == '"' && secretKey(unquote(raw))
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

func isNumber(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

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
