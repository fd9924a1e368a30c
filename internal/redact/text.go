package redact

import "strings"

// hole is what stands where a secret stood.
const hole = "[redacted]"

// sign is the beginning of something that may hold a secret. Find says which
// bytes of s, from at on, are the secret; it reads no further than it reports or
// than one run of like characters, so that redaction stays linear.
type sign struct {
	marker string // in lower case
	find   func(s string, at int) (from, to int)
}

// signs by their first byte in lower case. A marker costs next to nothing until
// its first two letters are met.
var signs = func() (table [256][]sign) {
	add := func(find func(string, int) (int, int), markers ...string) {
		for _, m := range markers {
			table[m[0]] = append(table[m[0]], sign{m, find})
		}
	}
	add(assignedAny, "password", "passwd", "passphrase", "pwd", "apikey", "api_key", "api-key", "accesskey", "access_key",
		"access-key", "secretkey", "secret_key", "secret-key", "privatekey", "private_key", "private-key", "client_secret", "clientsecret")
	add(assignedOdd, "secret", "token")
	add(header, "authorization", "cookie")
	add(bearer, "bearer ")
	add(jwt, "eyj")
	add(awsKey, "akia", "asia")
	add(vendorToken, "xoxb-", "xoxp-", "xoxa-", "xoxs-", "xapp-", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-",
		"aiza", "sk_live_", "rk_live_", "sk-ant-", "npm_", "hooks.slack.com/services/")
	add(privateKey, "-----begin ")
	add(urlPassword, "://")
	return table
}()

// pairs says which two bytes, in lower case, begin a sign or a trigger: one look
// a byte passes over nearly everything. Letters have a class each, the few other
// first bytes too; all else is class 0.
type pairs struct {
	class  [256]uint8
	follow [32]uint32 // by the class of the first byte, one bit for the class of the second
}

func (p *pairs) add(marker string) {
	a, b := p.classOf(marker[0]), p.classOf(marker[1])
	p.follow[a] |= 1 << b
}

func (p *pairs) classOf(c byte) uint8 {
	class := uint8(31) // whatever is not a letter
	if c >= 'a' && c <= 'z' {
		class = c - 'a' + 1
		p.class[c-'a'+'A'] = class
	}
	p.class[c] = class
	return class
}

// next is the first index from i on at which a marker may begin, or len(s).
func (p *pairs) next(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	last := p.class[s[i]]
	for i++; i < len(s); i++ {
		class := p.class[s[i]]
		if p.follow[last]&(1<<class) != 0 {
			return i - 1
		}
		last = class
	}
	return len(s)
}

// begins knows the beginnings of all signs.
var begins = func() (p pairs) {
	for _, list := range signs {
		for _, g := range list {
			p.add(g.marker)
		}
	}
	return p
}()

// maybe says whether the marker of a sign stands in s at i.
func (g sign) maybe(s string, i int) bool {
	return len(s)-i >= len(g.marker) && lower(s[i+1]) == g.marker[1] && strings.EqualFold(s[i:i+len(g.marker)], g.marker)
}

// Text replaces what looks like a secret: values given to names such as
// password, bearer tokens, JWTs, AWS keys, private keys, passwords in addresses.
func Text(s string) string {
	var b strings.Builder
	done := 0
	for i := begins.next(s, 0); i < len(s); i = begins.next(s, i+1) {
		from, to := findSecret(s, i)
		if to <= from {
			continue
		}
		b.WriteString(s[done:from])
		b.WriteString(hole)
		done, i = to, to-1
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func findSecret(s string, i int) (from, to int) {
	for _, g := range signs[lower(s[i])] {
		if !g.maybe(s, i) {
			continue
		}
		if from, to = g.find(s, i); to > from {
			return from, to
		}
	}
	return 0, 0
}

// assignedAny finds the value in password=value, "password": "value" and
// --password value; after a blank only where a dash shows that it is an option.
func assignedAny(s string, at int) (from, to int) {
	i := run(near64(s, at), at, isWord)
	if i < len(s) && s[i] == ' ' && optionBefore(s, at) {
		return i + 1, run(s, i+1, isValue)
	}
	if from = assigned(s, at, i); from == 0 {
		return 0, 0
	}
	return from, run(s, from, isValue)
}

// assignedOdd is assignedAny for words that also stand in plain sentences, as in
// "failed to fetch token: unexpected status": there the value must look random.
func assignedOdd(s string, at int) (from, to int) {
	from, to = assignedAny(s, at)
	if to > from && s[from-1] != '=' && !strings.ContainsAny(s[from:to], "0123456789") && to-from < 20 {
		return 0, 0
	}
	return from, to
}

// assigned is where the value begins after a name that ended at i, 0 if none does.
func assigned(s string, at, i int) int {
	i = run(near64(s, at), i, isQuoteOrBlank)
	if i >= len(s) || s[i] != '=' && s[i] != ':' {
		return 0
	}
	return run(near64(s, i), i+1, isQuoteOrBlank)
}

// near64 keeps names and blanks short, so that no run of them is read again and again.
func near64(s string, at int) string { return s[:min(len(s), at+64)] }

func optionBefore(s string, at int) bool {
	for i := at - 1; i >= 0 && at-i < 40 && isWord(s[i]); i-- {
		if s[i] == '-' && (i == 0 || s[i-1] == ' ' || s[i-1] == '"' || s[i-1] == '-') {
			return true
		}
	}
	return false
}

// header takes the rest of a header's value up to the end of the line or quote.
func header(s string, at int) (from, to int) {
	if from = assigned(s, at, run(near64(s, at), at, isWord)); from == 0 {
		return 0, 0
	}
	return from, run(s, from, func(c byte) bool { return c >= ' ' && c != '"' && c != '\'' && c != ',' && c != '\\' })
}

func bearer(s string, at int) (from, to int) {
	from = at + len("bearer ")
	if to = run(s, from, isToken); to-from < 16 {
		return 0, 0
	}
	return from, to
}

// jwt starts at the beginning of a run, so that no run is read twice.
func jwt(s string, at int) (from, to int) {
	if s[at:at+3] != "eyJ" || at > 0 && isBase64URL(s[at-1]) {
		return 0, 0
	}
	dot := run(s, at, isBase64URL)
	end := run(s, min(dot+1, len(s)), isBase64URL)
	if dot >= len(s) || s[dot] != '.' || dot-at < 10 || end-dot < 9 {
		return 0, 0
	}
	if end < len(s) && s[end] == '.' {
		end = run(s, end+1, isBase64URL)
	}
	return at, end
}

func awsKey(s string, at int) (from, to int) {
	to = run(s[:min(len(s), at+21)], at, func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' })
	if at > 0 && isBase64URL(s[at-1]) || to-at != 20 {
		return 0, 0
	}
	return at, to
}

// vendorToken takes a token that its vendor's prefix gives away: long, and not
// the middle of a word.
func vendorToken(s string, at int) (from, to int) {
	to = run(s[:min(len(s), at+256)], at, func(c byte) bool { return isBase64URL(c) || c == '.' || c == '/' })
	if at > 0 && isBase64URL(s[at-1]) || to-at < 20 {
		return 0, 0
	}
	return at, to
}

// privateKey takes the whole block; one that was cut off is taken to the end.
func privateKey(s string, at int) (from, to int) {
	head := s[at+len("-----BEGIN "):]
	head = head[:min(len(head), 60)]
	name, _, ok := strings.Cut(head, "-----")
	if !ok || !strings.HasSuffix(strings.ToUpper(name), "PRIVATE KEY") {
		return 0, 0
	}
	end := strings.Index(s[at:], "-----END ")
	if end < 0 {
		return at, len(s)
	}
	to = at + end + len("-----END ")
	if tail := strings.Index(s[to:min(len(s), to+60)], "-----"); tail >= 0 {
		to += tail + len("-----")
	}
	return at, to
}

// urlPassword finds what stands between :// and @ in an address.
func urlPassword(s string, at int) (from, to int) {
	from = at + len("://")
	to = run(s, from, func(c byte) bool { return c > ' ' && c != '/' && c != '@' && c != '"' && c != '\'' && c != '?' })
	if to >= len(s) || s[to] != '@' || !strings.Contains(s[from:to], ":") {
		return 0, 0
	}
	return from, to
}

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

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// isValue ends before what usually follows a value.
func isValue(c byte) bool {
	switch c {
	case '"', '\'', ',', ';', '&', '<', '>', '\\':
		return false
	}
	return c > ' '
}

func isBase64URL(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func isToken(c byte) bool { return isBase64URL(c) || strings.IndexByte(".~+/=", c) >= 0 }

func isQuoteOrBlank(c byte) bool { return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '\\' }
