package diagnose

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/evidence"
)

// certSoon is when a certificate is to be renewed, certUrgent when it is late
// (SPEC section 5).
const (
	certSoon   = 30 // days
	certUrgent = 7
)

var certRules = []row[certificate]{
	{Rule{
		Name: "cert-renewal-failed", Cause: "cert.renewal_failed", Confidence: 0.95,
		When:     "the last attempt to renew or issue the certificate failed",
		Quotes:   "what the ACME client or cert-manager said; notAfter",
		Explains: []string{"cert.expiring", "cert.expired"},
	}, certRenewalFailed},
	{Rule{
		Name: "cert-expired", Cause: "cert.expired", Confidence: certain,
		When:     "notAfter has passed",
		Quotes:   "subject, issuer and notAfter",
		RulesOut: []string{"cert.expiring"},
	}, certExpired},
	{Rule{
		Name: "cert-expiring", Cause: "cert.expiring", Confidence: certain,
		When:   "notAfter comes within 30 days (within 7 days it is urgent), and the certificate's own lifetime is longer than that",
		Quotes: "subject, issuer and notAfter",
	}, certExpiring},
}

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
		if !named && x.concernsHost(c.Host) {
			out = append(out, certificate{x, c})
		}
	}
	return out
}

func (c certificate) place() place {
	p := c.x.factPlace("Certificate", c.Host, c.Namespace+"/"+c.title(), 0)
	if days, ok := c.days(); ok && days <= certUrgent {
		p.acute = 1
	}
	if days, ok := c.days(); ok && days <= 0 {
		p.acute = 2
	}
	if c.x.open() && c.Name != "" && c.Namespace != "" {
		p.subject.Kind, p.subject.Namespace, p.subject.Name = "Certificate", c.Namespace, c.Name
	}
	return p
}

func (c certificate) title() string {
	switch {
	case c.Subject != "":
		return c.Subject
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case c.Name != "":
		return c.Name
	default:
		return c.Host
	}
}

// days is how many days are left, reckoned from when it was checked.
func (c certificate) days() (float64, bool) {
	at := c.CheckedAt.Time
	if at.IsZero() {
		at = c.x.ev.ObservedAt
	}
	if !c.NotAfter.IsZero() && !at.IsZero() {
		return c.NotAfter.Sub(at).Hours() / 24, true
	}
	return c.DaysLeft.Value, c.DaysLeft.Known
}

func (c certificate) quote() string {
	return fmt.Sprintf("certificate %s: issuer=%s notAfter=%s daysLeft=%s", c.title(), c.Issuer, c.until(), c.DaysLeft)
}

func (c certificate) until() string {
	if c.NotAfter.IsZero() {
		return "?"
	}
	return c.NotAfter.Format(time.RFC3339)
}

func certExpired(c certificate) (finding, bool) {
	days, known := c.days()
	said := strings.Contains(strings.ToLower(c.VerifyError), "expired")
	if !said && (!known || days > 0) {
		return finding{}, false
	}
	f := finding{symptom: "clients refuse the certificate of " + c.title(), because: "it expired at " + c.until(), quotes: []string{c.quote()}}
	if said {
		f.quotes = append(f.quotes, "verification: "+c.VerifyError)
	}
	if !known || days > 0 {
		f.confidence, f.because = likely, "a client says that it has expired: "+c.VerifyError
	}
	return f, true
}

func certExpiring(c certificate) (finding, bool) {
	days, known := c.days()
	if !known || days <= 0 || days >= certSoon || c.shortLived(days) {
		return finding{}, false
	}
	f := finding{
		symptom: fmt.Sprintf("the certificate of %s expires in %.0f days", c.title(), days),
		because: "notAfter is " + c.until(), quotes: []string{c.quote()},
	}
	if days < certUrgent {
		f.because += ", less than 7 days away"
	}
	return f, true
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
	if r := c.Renewal; r != nil && r.Failed {
		f.because = "the last renewal failed: " + orElse(firstLineOf(r.Error), "no reason is given")
		f.quotes = append(f.quotes, r.Tool+": "+r.Error)
		return f, true
	}
	for _, cond := range c.Conditions {
		failed := cond.Status == "False" && (cond.Type == "Issuing" || cond.Type == "Ready") && certFailure[cond.Reason] ||
			cond.Status == "True" && (cond.Type == "Failed" || cond.Type == "InvalidRequest")
		if !failed {
			continue
		}
		f.because = "the last issuance failed: " + orElse(firstLineOf(cond.Message), cond.Reason)
		f.quotes = append(f.quotes, fmt.Sprintf("condition %s=%s %s: %s", cond.Type, cond.Status, cond.Reason, cond.Message))
		return f, true
	}
	return finding{}, false
}

// certFailure are the reasons of cert-manager's conditions that mean a failed issuance.
var certFailure = map[string]bool{"Failed": true, "Error": true, "Denied": true, "InvalidKeyPair": true, "IssuerNotReady": true, "IssuerNotFound": true}

func certWell(c certificate) (string, bool) {
	days, known := c.days()
	line := fmt.Sprintf("certificate %s: %.0f days left", c.title(), days)
	if c.VerifyError != "" && !strings.EqualFold(c.VerifyError, "ok") {
		return line + ", but it does not verify: " + c.VerifyError, false
	}
	return line, known
}

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
