package evidence

import (
	"errors"
	"strings"
)

var errNoX509 = errors.New("openssl x509 (-enddate, -dates, -subject, -issuer or -text), openssl s_client or a PEM is expected")

func looksLikeOpenSSL(l look) bool {
	return l.starts("notAfter=", "notBefore=", "Not After :", "Not Before:", "Verify return code:", "Verification error:", "CONNECTED(", "depth=")
}

// readOpenSSL reads x509 and s_client, and the certificate itself where it is printed.
func readOpenSSL(r *reader, p printout) error {
	var c Certificate
	for line := range lines(p.text) {
		c.opensslLine(strings.TrimSpace(line))
	}
	said := c.Subject != "" || c.Issuer != "" || !c.NotAfter.IsZero() || !c.NotBefore.IsZero() || c.VerifyError != ""
	served, err := certificates(p.text)
	if err != nil && !said {
		if hasPEM(p.text) {
			return err
		}
		return errNoX509
	}
	c.Host = p.host
	if at := p.value("-servername", "-connect"); at != "" {
		c.Host, _, _ = strings.Cut(at, ":")
	}
	if err == nil {
		fill(&c, certificateOf(telling(served)[0], c.Host))
	}
	r.certificate(c)
	return nil
}

// opensslKeys are the beginnings of lines that name one thing each.
var opensslKeys = []struct {
	prefix string
	set    func(c *Certificate, value string)
}{
	{"notAfter=", func(c *Certificate, v string) { c.NotAfter.set(v) }},
	{"Not After :", func(c *Certificate, v string) { c.NotAfter.set(v) }},
	{"notBefore=", func(c *Certificate, v string) { c.NotBefore.set(v) }},
	{"Not Before:", func(c *Certificate, v string) { c.NotBefore.set(v) }},
	{"subject=", func(c *Certificate, v string) { c.name(v) }},
	{"Subject:", func(c *Certificate, v string) { c.name(v) }},
	{"issuer=", func(c *Certificate, v string) { c.issuedBy(v) }},
	{"Issuer:", func(c *Certificate, v string) { c.issuedBy(v) }},
	{"DNS:", func(c *Certificate, v string) { c.names("DNS:" + v) }},
	{"verify error:", func(c *Certificate, v string) { c.unverified(afterColon(v)) }},
	{"Verification error:", func(c *Certificate, v string) { c.unverified(v) }},
	{"Verify return code:", func(c *Certificate, v string) { c.returnCode(v) }},
}

// opensslLine takes the first of each: a chain is printed from the served
// certificate up, and what s_client says of a session comes last.
func (c *Certificate) opensslLine(line string) {
	for _, k := range opensslKeys {
		if value, ok := strings.CutPrefix(line, k.prefix); ok {
			k.set(c, strings.TrimSpace(value))
			return
		}
	}
}

func (t *Time) set(text string) {
	if at, ok := ParseTime(text); ok && t.IsZero() {
		t.Time = at
	}
}

func (c *Certificate) name(dn string) {
	if c.Subject == "" {
		c.Subject = commonName(dn)
	}
}

func (c *Certificate) issuedBy(dn string) {
	if c.Issuer == "" {
		c.Issuer = dn
	}
}

func (c *Certificate) names(list string) {
	if c.DNSNames != nil {
		return
	}
	for name := range strings.SplitSeq(list, ",") {
		if dns, ok := strings.CutPrefix(strings.TrimSpace(name), "DNS:"); ok && len(c.DNSNames) < maxItems {
			c.DNSNames = append(c.DNSNames, dns)
		}
	}
}

func (c *Certificate) unverified(why string) {
	if c.VerifyError == "" {
		c.VerifyError = why
	}
}

// returnCode reads "10 (certificate has expired)"; 0 is well.
func (c *Certificate) returnCode(text string) {
	code, rest := cutWord(text)
	if code != "0" {
		c.unverified(strings.Trim(rest, "()"))
	}
}

// afterColon reads "num=10:certificate has expired".
func afterColon(text string) string {
	_, after, ok := strings.Cut(text, ":")
	if !ok {
		return text
	}
	return after
}

// commonName finds CN in "C = US, CN = a.example.com", "/C=US/CN=a.example.com"
// and "CN=a.example.com"; a name without one is kept as it stands.
func commonName(dn string) string {
	for _, part := range strings.FieldsFunc(dn, func(r rune) bool { return r == ',' || r == '/' }) {
		key, value, ok := strings.Cut(part, "=")
		if ok && strings.TrimSpace(key) == "CN" {
			return strings.TrimSpace(value)
		}
	}
	return dn
}
