package redact

import "strings"

// run is the first index from i on whose byte is not of the class.
func run(s string, i int, class func(byte) bool) int {
	for i < len(s) && class(s[i]) {
		i++
	}
	return i
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isLetter(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'f' }

func isWord(c byte) bool { return isBase64URL(c) || c == '.' }

// isValue ends before what usually follows a value.
func isValue(c byte) bool {
	switch c {
	case '"', '\'', ',', ';', '&', '<', '>', '\\':
		return false
	}
	return c > ' '
}

func isBase64URL(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c == '_' || c == '-' }

func isToken(c byte) bool { return isBase64URL(c) || strings.IndexByte(".~+/=", c) >= 0 }

func isQuoteOrBlank(c byte) bool { return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '\\' }
