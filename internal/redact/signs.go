package redact

import "strings"

// signs are this package's own: what has a name in front of it or a shape that
// any length of text may have.
var signs = func() (list []marker) {
	add := func(find finder, markers ...string) {
		for _, m := range markers {
			list = append(list, marker{text: m, find: find})
		}
	}
	add(assignedAny, "password", "passwd", "passphrase", "apikey", "api_key", "api-key", "accesskey", "access_key", "access-key",
		"secretkey", "secret_key", "secret-key", "privatekey", "private_key", "private-key", "client_secret", "clientsecret", "client-secret",
		"accountkey", "account_key", "client-key-data", "dockerconfigjson", "signing_key", "encryption_key")
	add(assignedPlace, "pwd")
	add(assignedOdd, "secret", "token")
	add(assignedQuery, "sig=", "x-amz-signature=", "x-goog-signature=")
	add(quotedAfter, "password '", "identified by '")
	add(header, "authorization", "cookie")
	add(bearer, "bearer ")
	add(basic, "basic ")
	add(registryAuth, `auth"`, `auth\`)
	add(userOption, " -u ", " --user ")
	add(jwt, "eyj")
	add(awsKey, "akia", "asia")
	add(crypted, "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$apr1$")
	add(pgpass, ":5432:", ":6432:")
	add(privateKey, "-----begin ")
	add(urlPassword, "://")
	return list
}()

// assignedAny finds the value in password=value, "password": "value" and
// --password value; after a blank only where a dash shows that it is an option.
func assignedAny(t *text, at int) (from, to int) {
	s := t.s
	i := run(near64(s, at), at, isWord)
	if notTheSecret(s[at:i]) || namesContainer(s, at) {
		return 0, 0
	}
	if i < len(s) && s[i] == ' ' && optionBefore(s, at) {
		from = i + 1
	} else if from = assigned(s, at, i); from == 0 {
		return 0, 0
	}
	to = valueEnd(s, from)
	if to-from <= longestWord && (harmless(s[from:to]) || strings.HasPrefix(s[to:], " bytes")) { // describe gives sizes
		return 0, 0
	}
	return from, to
}

// assignedOdd is assignedAny for words that also stand in plain sentences, as in
// "failed to fetch token: unexpected status", or that name an object: there the
// value must look random.
func assignedOdd(t *text, at int) (from, to int) {
	if namesDigest(t.s[max(0, at-len("checksum/")):at]) {
		return 0, 0
	}
	if from, to = assignedAny(t, at); to <= from {
		return 0, 0
	}
	if to-from > longestWord {
		return from, to
	}
	plain := t.s[from-1] != '=' && t.s[from-1] != '"' || lower(t.s[at]) == 's'
	if plain && !looksRandom(t.s[from:to]) {
		return 0, 0
	}
	return from, to
}

// assignedPlace is assignedAny for pwd, which is also where a program runs.
func assignedPlace(t *text, at int) (from, to int) {
	end := run(near64(t.s, at), at, isWord)
	if from = assigned(t.s, at, end); from == 0 || from < len(t.s) && t.s[from] == '/' {
		return 0, 0
	}
	return assignedAny(t, at)
}

// assignedQuery is a signature that opens an address to whoever has it.
func assignedQuery(t *text, at int) (from, to int) {
	from = at + strings.IndexByte(t.s[at:], '=') + 1
	to = run(t.s, from, func(c byte) bool { return isToken(c) || c == '%' })
	if to-from < 16 || at > 0 && isLetter(t.s[at-1]) {
		return 0, 0
	}
	return from, to
}

// quotedAfter is what SQL says after PASSWORD.
func quotedAfter(t *text, at int) (from, to int) {
	from = at + strings.IndexByte(t.s[at:], '\'') + 1
	return from, run(t.s, from, func(c byte) bool { return c != '\'' && c != '\n' })
}

// assigned is where the value begins after a name that ended at i, 0 if none does.
func assigned(s string, at, i int) int {
	i = run(near64(s, at), i, isQuoteOrBlank)
	if i >= len(s) || s[i] != '=' && s[i] != ':' {
		return 0
	}
	from := run(near64(s, i), i+1, func(c byte) bool { return isQuoteOrBlank(c) || c == '=' || c == ':' || c == '>' || c == '`' })
	if strings.HasPrefix(s[from:], Hole) {
		return 0
	}
	if from < len(s) && s[from] == '[' { // the first of several
		if from = run(near64(s, i), from+1, isQuoteOrBlank); strings.HasPrefix(s[from:], Hole) {
			return 0
		}
	}
	return from
}

// valueEnd is the closing quote of a value that begins with one.
func valueEnd(s string, from int) int {
	quote := s[from-1]
	if quote != '"' && quote != '\'' && quote != '`' {
		return run(s, from, isValue)
	}
	to := run(s, from, func(c byte) bool { return c != quote && c != '\n' })
	if to > from && s[to-1] == '\\' {
		to--
	}
	return to
}

// longestWord is the longest value that may be found to be none: what was read in
// vain is read again, and must be short.
const longestWord = 256

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

// header takes the rest of a header's value up to the end of the line or quote,
// where it is one: a scheme and what follows it, or something random.
func header(t *text, at int) (from, to int) {
	end := run(near64(t.s, at), at, isWord)
	if from = assigned(t.s, at, end); from == 0 || notTheSecret(t.s[at:end]) {
		return 0, 0
	}
	to = run(t.s, from, func(c byte) bool { return c >= ' ' && c != '"' && c != '\'' && c != ',' && c != '\\' })
	value := t.s[from:to]
	if to-from > longestWord || t.s[from-1] == '"' || strings.Contains(value, "=") || looksRandom(value) {
		return from, to
	}
	if scheme, rest, _ := strings.Cut(value, " "); schemes[strings.ToLower(scheme)] && rest != "" {
		return from, to
	}
	return 0, 0
}

var schemes = map[string]bool{
	"basic": true, "bearer": true, "digest": true, "negotiate": true, "ntlm": true, "token": true, "apikey": true, "aws4-hmac-sha256": true,
}

// bearer leaves alone what a challenge says: Bearer realm="…".
func bearer(t *text, at int) (from, to int) {
	from = at + len("bearer ")
	to = run(t.s, from, isToken)
	if to-from < 16 || strings.Contains(strings.TrimRight(t.s[from:to], "="), "=") {
		return 0, 0
	}
	return from, to
}

// basic is a user and a password in base64.
func basic(t *text, at int) (from, to int) { return userAndPassword(t.s, at+len("basic ")) }

// registryAuth is the same in a container registry's configuration.
func registryAuth(t *text, at int) (from, to int) {
	colon := run(near64(t.s, at), at+len("auth"), isQuoteOrBlank)
	if colon >= len(t.s) || t.s[colon] != ':' {
		return 0, 0
	}
	return userAndPassword(t.s, run(near64(t.s, colon), colon+1, isQuoteOrBlank))
}

func userAndPassword(s string, from int) (int, int) {
	to := run(s, from, isToken)
	if !isUserAndPassword(s[from:to]) {
		return 0, 0
	}
	return from, to
}

// userOption is curl's: -u user:password.
func userOption(t *text, at int) (from, to int) {
	from = at + strings.IndexByte(t.s[at+1:], ' ') + 2
	to = run(t.s, from, isValue)
	if colon := strings.IndexByte(t.s[from:to], ':'); colon > 0 && from+colon+1 < to && t.s[from+colon+1] != '[' {
		return from + colon + 1, to
	}
	return 0, 0
}

// jwt starts at the beginning of a run, so that no run is read twice.
func jwt(t *text, at int) (from, to int) {
	s := t.s
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

// awsKey takes the keys of AWS's own examples too, which gitleaks lets pass.
func awsKey(t *text, at int) (from, to int) {
	s := t.s
	to = run(s[:min(len(s), at+21)], at, func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' })
	if at > 0 && isBase64URL(s[at-1]) || to-at != 20 {
		return 0, 0
	}
	return at, to
}

// crypted is a password's hash: it can be guessed at leisure.
func crypted(t *text, at int) (from, to int) {
	to = run(t.s, at, func(c byte) bool { return isToken(c) || c == '$' })
	if to-at < 20 {
		return 0, 0
	}
	return at, to
}

// pgpass is the last of the five fields of a line of a password file.
func pgpass(t *text, at int) (from, to int) {
	to = run(t.s, at, func(c byte) bool { return c > ' ' && c != '"' && c != '\'' })
	fields := strings.SplitN(t.s[at+1:to], ":", 4)
	if len(fields) < 4 || fields[3] == "" || fields[3] == Hole {
		return 0, 0
	}
	return to - len(fields[3]), to
}

// privateKey takes the whole block; one that was cut off is taken to the end.
func privateKey(t *text, at int) (from, to int) {
	s := t.s
	head := s[at+len("-----BEGIN "):]
	head = head[:min(len(head), 60)]
	name, _, ok := strings.Cut(head, "-----")
	if !ok || !strings.Contains(strings.ToUpper(name), "PRIVATE KEY") {
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

const longestName = 63 // of a container

// namesContainer says whether the word is the name of a container in a sentence
// of ours or of kubelet's: "container token-refresher: state.waiting…".
func namesContainer(s string, at int) bool {
	for n := 0; at > 0 && isWord(s[at-1]); n++ {
		if at--; n == longestName {
			return false
		}
	}
	return strings.HasSuffix(s[:at], "container ") || strings.HasSuffix(s[:at], "sidecar ")
}
