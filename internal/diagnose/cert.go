package diagnose

import (
	"fmt"
	"math"
	"strings"

	"salve/internal/evidence"
)

// certificate is one TLS certificate.
type certificate struct {
	x *examination
	evidence.Certificate
}

func (x *examination) certificates() []certificate {
	var out []certificate
	t := x.q.Target
	for _, c := range x.ev.Certificates {
		named := t.Kind == "Certificate" && c.Name != "" && (c.Name != t.Name || c.Namespace != "" && c.Namespace != t.Namespace)
		if one := (certificate{x, c}); !named && (x.concernsHost(c.Host) || t.Kind == "Certificate" || one.isFor(t.Host)) {
			out = append(out, one)
		}
	}
	return out
}

// isFor says whether a certificate is about a name, wherever it was read.
func (c certificate) isFor(host string) bool {
	for _, name := range append([]string{c.title()}, c.DNSNames...) {
		if host != "" && strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}

func (c certificate) place() place {
	p := c.x.factPlace("Certificate", c.Host, c.Namespace+"/"+c.title(), 0)
	switch days, ok := c.days(); {
	case ok && days <= 0:
		p.acute = 2
	case ok && days < certUrgent:
		p.acute = 1
	}
	if c.x.open() && c.Name != "" && c.Namespace != "" {
		p.subject.Kind, p.subject.Namespace, p.subject.Name, p.subject.Host, p.subject.Cluster = "Certificate", c.Namespace, c.Name, "", c.x.cluster
	}
	return p
}

// title is what people call the certificate.
func (c certificate) title() string {
	subject := c.Subject
	if _, cn, ok := strings.Cut(subject, "CN="); ok {
		subject, _, _ = strings.Cut(cn, ",")
	} else if _, cn, ok := strings.Cut(subject, "CN = "); ok {
		subject, _, _ = strings.Cut(cn, ",")
	}
	for _, name := range append([]string{strings.TrimSpace(subject)}, append(c.DNSNames, c.Name, c.Host)...) {
		if name != "" {
			return name
		}
	}
	return "a certificate that is not named"
}

// dates are the two readings of how long a certificate lasts: by its own date,
// and as whoever checked it says.
func (c certificate) dates() (own, said float64, hasOwn, hasSaid bool) {
	at := c.CheckedAt.Time
	if at.IsZero() {
		at = c.x.ev.ObservedAt
	}
	if !c.NotAfter.IsZero() && !at.IsZero() {
		own, hasOwn = c.NotAfter.Sub(at).Hours()/24, true
	}
	return own, c.DaysLeft.Value, hasOwn && own > -longestExpiry/2, c.DaysLeft.Known && math.Abs(c.DaysLeft.Value) < longestExpiry/2
}

// days is how many days are left. The certificate's own date counts, reckoned
// from when it was checked; where nothing says when that was and the sender's
// number of days disagrees, the sender's: it was there.
func (c certificate) days() (float64, bool) {
	own, said, hasOwn, hasSaid := c.dates()
	switch {
	case hasOwn && (!hasSaid || !c.CheckedAt.IsZero() || math.Abs(own-said) <= 1.5):
		return own, true
	case hasSaid && said == 0:
		return 0.5, true // some time today
	}
	return said, hasSaid
}

// disputed says whether the two readings disagree, and nothing decides.
func (c certificate) disputed() bool {
	own, said, hasOwn, hasSaid := c.dates()
	return hasOwn && hasSaid && c.CheckedAt.IsZero() && math.Abs(own-said) > 1.5
}

func (c certificate) quote() string {
	line := "certificate " + c.title() + ":"
	for _, p := range []struct{ key, value string }{
		{"subject", c.Subject}, {"issuer", c.Issuer}, {"notBefore", rfc3339(c.NotBefore)}, {"notAfter", rfc3339(c.NotAfter)}, {"daysLeft", known(c.DaysLeft)},
	} {
		if p.value != "" && p.value != c.title() {
			line += " " + p.key + "=" + p.value
		}
	}
	return line
}

// issuedBy is the issuer as people say it: of C=US, O=Let's Encrypt, CN=R3 the
// organisation.
func (c certificate) issuedBy() string {
	if c.Issuer == "" {
		return ""
	}
	for part := range strings.FieldsFuncSeq(c.Issuer, func(r rune) bool { return r == ',' || r == '/' }) {
		if key, value, ok := strings.Cut(part, "="); ok && strings.TrimSpace(key) == "O" {
			return ", issued by " + strings.TrimSpace(value) + ","
		}
	}
	return ", issued by " + c.Issuer + ","
}

func certExpired(c certificate) (finding, bool) {
	days, known := c.days()
	if !known || days > 0 {
		return finding{}, false
	}
	f := finding{symptom: "clients refuse the certificate of " + c.title(), quotes: []string{c.quote()}, grave: -days}
	f.because = "it expired " + span(-days) + " ago"
	if at := rfc3339(c.NotAfter); at != "" && !c.disputed() {
		f.because += ", at " + at
	}
	if c.VerifyError != "" {
		f.quotes = append(f.quotes, "verification: "+c.VerifyError)
	}
	return c.doubted(f), true
}

// doubted lowers what rests on a number that a date contradicts.
func (c certificate) doubted(f finding) finding {
	if c.disputed() {
		f.confidence = fair
		f.missing = append(f.missing, "when the certificate of "+c.title()+" was checked (checkedAt): daysLeft and notAfter disagree")
	}
	return f
}

// saysExpired reads what OpenSSL, Go, Java and browsers say. A revocation list
// that has expired, and a certificate that is not valid yet, are something else.
func saysExpired(text string) bool {
	text = strings.ToLower(text)
	if strings.Contains(text, "crl has expired") || strings.Contains(text, " is before ") {
		return false
	}
	for _, sign := range []string{"expired", "certexpired", "notafter"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func certChainExpired(c certificate) (finding, bool) {
	days, known := c.days()
	if !saysExpired(c.VerifyError) || known && days <= 0 {
		return finding{}, false
	}
	f := finding{symptom: "clients refuse the certificate of " + c.title(), quotes: []string{"verification: " + c.VerifyError, c.quote()}}
	f.acute = 2
	f.because = "whoever checks it says that it has expired"
	f.missing = []string{"notAfter of every certificate in the chain that is served"}
	if known {
		f.because = fmt.Sprintf("it has itself %s left, so another of its chain has expired, or the checker's clock is wrong", span(days))
		f.confidence = 0.7
	}
	return f, true
}

func certExpiring(c certificate) (finding, bool) {
	days, known := c.days()
	if !known || days <= 0 || days >= certSoon || c.shortLived(days) {
		return finding{}, false
	}
	f := finding{
		symptom: fmt.Sprintf("the certificate of %s expires in %s", c.title(), span(days)),
		because: strings.TrimPrefix(c.issuedBy(), ", ") + " it was not renewed yet",
		quotes:  []string{c.quote()}, grave: -days,
	}
	f.because = strings.TrimSpace(f.because)
	if days < certUrgent {
		f.because += ", and less than 7 days are left"
	} else {
		f.because += fmt.Sprintf(", and less than %d days are left", certSoon)
	}
	if at := rfc3339(c.NotAfter); at != "" && !c.disputed() {
		f.because += " (until " + at + ")"
	}
	if c.Renewal == nil && len(c.Conditions) == 0 {
		f.missing = []string{"how the last renewal of " + c.title() + " ended"}
	}
	return c.doubted(f), true
}

// span is a number of days as people say it.
func span(days float64) string {
	switch {
	case days < 2:
		return fmt.Sprintf("%.0f hours", math.Round(days*24))
	default:
		return fmt.Sprintf("%.0f days", math.Floor(days+0.05))
	}
}

// shortLived says whether a certificate that lives for days or weeks has still a
// third of its life before it: that is when its owner renews it.
func (c certificate) shortLived(daysLeft float64) bool {
	if c.NotBefore.IsZero() || c.NotAfter.IsZero() {
		return false
	}
	life := c.NotAfter.Sub(c.NotBefore.Time).Hours() / 24
	return life > 0 && life < 2*certSoon && daysLeft > life/3
}

func certRenewalFailed(c certificate) (finding, bool) {
	f := finding{symptom: "the certificate of " + c.title() + " is not renewed", quotes: []string{c.quote()}}
	if days, known := c.days(); known && days > 0 {
		f.symptom += ", and has " + span(days) + " left"
	} else if known {
		f.symptom += ", and has expired"
	}
	if r := c.Renewal; r != nil && r.Failed {
		f.because = "the last renewal failed: " + orElse(firstLineOf(r.Error), "no reason is given")
		f.quotes = append(f.quotes, orElse(r.Tool, "renewal")+": "+orElse(r.Error, orElse(r.Status, "failed")))
		return f, true
	}
	for _, cond := range c.Conditions {
		if !failedIssuance(cond) {
			continue
		}
		f.because = "the last issuance failed: " + orElse(firstLineOf(cond.Message), cond.Reason)
		f.quotes = append(f.quotes, fmt.Sprintf("condition %s=%s %s: %s", cond.Type, cond.Status, cond.Reason, cond.Message))
		return f, true
	}
	return finding{}, false
}

func failedIssuance(c evidence.Condition) bool {
	switch {
	case c.Status == "False" && (c.Type == "Issuing" || c.Type == "Ready"):
		return certFailure[c.Reason]
	case c.Status == "True":
		return c.Type == "Failed" || c.Type == "InvalidRequest" || c.Type == "Denied"
	}
	return false
}

// certFailure are the reasons of cert-manager's conditions that mean a failed issuance.
var certFailure = map[string]bool{"Failed": true, "Error": true, "Denied": true, "InvalidKeyPair": true, "IssuerNotReady": true, "IssuerNotFound": true}

func certWell(c certificate) (string, bool) {
	days, known := c.days()
	line := "the certificate of " + c.title()
	if !known {
		line += ": nothing says until when it is valid"
	} else if days > 0 {
		line += " is valid for " + span(days) + " more"
	}
	if c.VerifyError != "" && !verified[strings.ToLower(c.VerifyError)] {
		return line + ", but it does not verify: " + c.VerifyError, false
	}
	for _, cond := range c.Conditions {
		if cond.Type == "Ready" && cond.Status == "False" {
			return line + fmt.Sprintf(", but it is not ready: %s: %s", cond.Reason, cond.Message), false
		}
	}
	return line, known
}

var verified = map[string]bool{"ok": true, "none": true, "0": true, "0 (ok)": true, "false": true, "verified": true}

func firstLineOf(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
