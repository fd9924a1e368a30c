package redact

import (
	"encoding/base64"
	"strings"
)

// secretEnds are how a name ends whose value is a secret, without - _ and dots.
// The bare word secret is not among them: it mostly names a Secret.
var secretEnds = []string{
	"password", "passwd", "passphrase", "token", "apikey", "accesskey", "secretkey", "privatekey", "clientsecret", "authorization",
	"cookie", "credential", "credentials", "creds", "connectionstring", "dockerconfigjson", "dockercfg", "accountkey", "tlskey", "pwd",
	"signingkey", "encryptionkey", "clientkeydata", "kubeconfig", "webhooksecret", "secretaccess",
}

// endsSecret is by the last two letters of a name.
var endsSecret = func() (table [1 << 10]bool) {
	for _, end := range secretEnds {
		table[classes[end[len(end)-2]]<<5|classes[end[len(end)-1]]] = true
	}
	return table
}()

// secretKey says whether a key's plain text value is a secret by its name.
func secretKey(key string) bool {
	if n := len(key); n < 3 || !endsSecret[classes[key[n-2]]<<5|classes[key[n-1]]] {
		return false
	}
	var buf [40]byte
	name := buf[:0]
	for i := max(0, len(key)-cap(buf)); i < len(key); i++ {
		if c := key[i]; c != '-' && c != '_' && c != '.' {
			name = append(name, lower(c))
		}
	}
	for _, end := range secretEnds {
		if len(name) >= len(end) && string(name[len(name)-len(end):]) == end {
			return true
		}
	}
	return false
}

// attributes follow the name of a secret where not its value is meant.
var attributes = []string{
	"file", "path", "name", "ref", "ttl", "length", "expir", "policy", "type", "url", "uri", "endpoint", "count", "size", "min", "max",
	"enabled", "mode", "dir", "format", "rotation", "version", "request", "review", "reset", "id",
}

// notTheSecret says that a name such as password-file or token_ttl is about a secret.
func notTheSecret(name string) bool {
	i := strings.LastIndexAny(name, "-_.")
	if i < 0 {
		return false
	}
	last := strings.ToLower(name[i+1:])
	for _, a := range attributes {
		if strings.HasPrefix(last, a) {
			return true
		}
	}
	return false
}

// harmless are values that say something about a secret and are none.
func harmless(value string) bool {
	value = strings.ToLower(strings.Trim(value, ".:)(]}"))
	switch value {
	case "", "yes", "no", "true", "false", "null", "none", "nil", "<nil>", "empty", "unset", "required", "missing", "invalid", "incorrect", "wrong", "expired", "not",
		"is", "was", "must", "cannot", "failed", "denied", "redacted", "unexpected", "no-such", "could", "unable", "error":
		return true
	}
	return strings.HasPrefix(value, "${") || strings.HasPrefix(value, "$(") || strings.HasPrefix(value, "***")
}

// looksRandom tells a token from words and from the names of objects, which are
// made of short parts: api-gateway-7d9f5b8c6-x7k2m.
func looksRandom(s string) bool {
	if isUUID(s) {
		return true
	}
	letters, digits, longest := 0, 0, longestPart(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case isLetter(c):
			letters++
		case c == ' ':
			return false
		}
	}
	mixed := strings.ToLower(s) != s && strings.ToUpper(s) != s
	switch {
	case len(s) < 8 || letters == 0:
		return false
	case longest > 10 && digits > 0:
		return true
	case mixed && digits > 1 && len(s) >= 16:
		return true
	}
	return longest >= 20 && mixed && entropy(s) > 3.5
}

// longestPart is the length of the longest part of a name.
func longestPart(s string) (longest int) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-./:@_", r) }) {
		longest = max(longest, len(part))
	}
	return longest
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return false
		}
	}
	return true
}

// namesDigest says that a name is one of a sum of something, not of a key to it.
func namesDigest(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"checksum", "digest", "fingerprint", "hash", "sha256", "etag", "uid", "traceparent"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// isUserAndPassword reads base64, as HTTP and container registries want it.
func isUserAndPassword(s string) bool {
	if len(s) < 6 || len(s) > 4096 {
		return false
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return false
	}
	user, _, ok := strings.Cut(string(raw), ":")
	return ok && !strings.ContainsFunc(user, func(r rune) bool { return r < ' ' || r == '\uFFFD' })
}

// valueFollows says whether a name that stands at at is given a value.
func valueFollows(s string, at int) bool { return valueOf(s, at) > 0 }

// valueOf is the end of the value that is given to a name that stands at at; 0
// where it has not the length and variety that gitleaks' generic rule wants.
func valueOf(s string, at int) int {
	i := run(s[:min(len(s), at+32)], at, func(c byte) bool { return isWord(c) || c == ' ' || c == '\t' })
	i = run(s[:min(len(s), i+6)], i, isQuoteOrBlank)
	if i >= len(s) || strings.IndexByte("=:>,|?", s[i]) < 0 {
		return 0
	}
	i = run(s[:min(len(s), i+18)], i, func(c byte) bool { return isQuoteOrBlank(c) || strings.IndexByte("=:>,|?`\n", c) >= 0 })
	seen, distinct := [256]bool{}, 0
	end := run(s[:min(len(s), i+160)], i, isToken)
	for _, c := range []byte(s[i:end]) {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	if distinct < 12 { // can't have an entropy over 3.5
		return 0
	}
	return end
}

// tokenFollows asks for a run of what tokens are made of.
func tokenFollows(s string, at int) bool {
	end := min(len(s), at+20)
	return end-at == 20 && run(s[:end], at, isToken) == end
}

func wordStart(s string, low, at int) int {
	for at > low && isWord(s[at-1]) {
		at--
	}
	return at
}

func lineEnd(s string, at int) int {
	if i := strings.IndexByte(s[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(s)
}
