package diagnose

// certSoon is when a certificate is to be renewed, certUrgent when it is late
// (SPEC section 5).
const (
	certSoon      = 30     // days
	certUrgent    = 7      // days
	longestExpiry = 20_000 // days: a date further away, either way, is a mistake
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
		Name: "cert-chain-expired", Cause: "cert.expired", Confidence: likely,
		When:     "whoever checks the certificate says that it has expired, though its own notAfter has not passed or is not known: another of its chain has",
		Quotes:   "what the check said; subject, issuer and notAfter",
		RulesOut: []string{"cert.expiring"},
	}, certChainExpired},
	{Rule{
		Name: "cert-expiring", Cause: "cert.expiring", Confidence: certain,
		When:   "notAfter comes within 30 days (within 7 it is urgent); of a certificate that lives for less than 60 days, within a third of its life",
		Quotes: "subject, issuer and notAfter",
	}, certExpiring},
}
