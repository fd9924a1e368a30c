package redact

import "strings"

// urlPassword finds what stands between :// and @ in an address: a name and a
// password, or a token alone.
func urlPassword(t *text, at int) (from, to int) {
	from = at + len("://")
	s := t.s[:min(len(t.s), from+maxUserinfo)]
	to = run(s, from, func(c byte) bool { return c > ' ' && c != '"' && c != '\'' })
	host := run(s, from, func(c byte) bool { return c > ' ' && strings.IndexByte(`"'/?#@`, c) < 0 })
	if host < to && s[host] == '@' {
		to = host // as it should be written
	} else if to = strayPassword(s[:to], from, host); to < from {
		return 0, 0
	}
	user, _, both := strings.Cut(s[from:to], ":")
	if !both && !looksRandom(user) || s[from:to] == Hole {
		return 0, 0
	}
	return from, to
}

// strayPassword is the end of a password that holds what an address may not, such
// as a slash; before from where there is none. Where it could be a port as well,
// a port behind the @ decides.
func strayPassword(s string, from, host int) int {
	at := from + strings.LastIndexByte(s[from:], '@')
	if at < from || !strings.Contains(s[from:host], ":") {
		return from - 1
	}
	if hasPort(s[from:host]) && (strings.Contains(s[host:at], "?") || !strings.Contains(s[at:], ":")) {
		return from - 1
	}
	return at
}

// maxUserinfo bounds what is read for a name and a password.
const maxUserinfo = 1024

// hasPort tells host:9090 from user:password.
func hasPort(s string) bool {
	_, port, _ := strings.Cut(s, ":")
	return port != "" && strings.Trim(port, "0123456789") == ""
}
