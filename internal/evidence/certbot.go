package evidence

import (
	"errors"
	"path"
	"strconv"
	"strings"
)

var errNoCertbot = errors.New("what certbot renew, certbot certonly or certbot certificates prints is expected")

func looksLikeCertbot(l look) bool {
	return l.starts("Saving debug log to /var/log/letsencrypt", "Processing /etc/letsencrypt/renewal/", "Certificate Name:", "No renewals were attempted",
		"Certbot failed to authenticate", "The following certificates are not due for renewal", "Found the following certs:", "All renewals failed.",
		"Congratulations, all renewals succeeded", "Successfully received certificate.", "No certificates found.", "No renewals failed.")
}

// certbotRun is what one run of certbot has said so far, certificate by certificate.
type certbotRun struct {
	host    string
	order   []string
	certs   map[string]*Certificate
	current string // the certificate being worked on
	trouble []string
	after   func(line string) // what to do with the line to come
	settled bool              // something was said of the whole run
}

// readCertbot reads renew, certonly and certificates.
func readCertbot(r *reader, p printout) error {
	run := certbotRun{host: p.host, certs: map[string]*Certificate{}}
	for line := range lines(p.text) {
		if line = strings.TrimSpace(line); line != "" {
			run.line(line)
		}
	}
	run.leftover()
	if len(run.order) == 0 && !run.settled {
		return errNoCertbot
	}
	if r.ev.Certificates == nil {
		r.ev.Certificates = []Certificate{}
	}
	for _, name := range run.order {
		r.certificate(*run.certs[name])
	}
	return nil
}

func (run *certbotRun) cert(name string) *Certificate {
	c, ok := run.certs[name]
	if ok {
		return c
	}
	c = &Certificate{Name: name, Host: run.host}
	if len(run.order) < maxItems {
		run.order = append(run.order, name)
	}
	run.certs[name] = c
	return c
}

// certbotLines are the beginnings of lines that say something.
var certbotLines = []struct {
	prefix string
	do     func(run *certbotRun, rest string)
}{
	{"Processing ", func(run *certbotRun, rest string) { run.begin(strings.TrimSuffix(path.Base(rest), ".conf")) }},
	{"Renewing an existing certificate for ", func(run *certbotRun, rest string) { run.request(rest) }},
	{"Requesting a certificate for ", func(run *certbotRun, rest string) { run.request(rest) }},
	{"Certificate Name: ", func(run *certbotRun, rest string) { run.begin(rest) }},
	{"Domains: ", func(run *certbotRun, rest string) { run.domains(strings.Fields(rest)) }},
	{"Identifiers: ", func(run *certbotRun, rest string) { run.domains(strings.Fields(rest)) }},
	{"Expiry Date: ", (*certbotRun).expiry},
	{"Domain: ", func(run *certbotRun, rest string) { run.troubled("domain " + rest) }},
	{"Identifier: ", func(run *certbotRun, rest string) { run.troubled("domain " + rest) }},
	{"Type: ", func(run *certbotRun, rest string) { run.troubled(rest) }},
	{"Detail: ", func(run *certbotRun, rest string) { run.troubled(rest) }},
	{"Failed to renew certificate ", (*certbotRun).failedWith},
	{"Attempting to renew cert (", (*certbotRun).unexpected},
	{"An unexpected error occurred:", func(run *certbotRun, rest string) { run.after = run.troubled }},
	{"Certificate is saved at: ", func(run *certbotRun, rest string) { run.saved(rest) }},
	{"This certificate expires on ", func(run *certbotRun, rest string) {
		run.expires(strings.TrimSuffix(rest, "."))
	}},
	{"/etc/letsencrypt/live/", func(run *certbotRun, rest string) { run.summary("/" + rest) }},
	{"No renewals were attempted", (*certbotRun).settle},
	{"No certificates found", (*certbotRun).settle},
	{"No renewals failed", (*certbotRun).settle},
	{"Congratulations", (*certbotRun).settle},
}

func (run *certbotRun) line(line string) {
	if next := run.after; next != nil {
		run.after = nil
		next(line)
		return
	}
	for _, l := range certbotLines {
		if rest, ok := strings.CutPrefix(line, l.prefix); ok {
			l.do(run, strings.TrimSpace(rest))
			return
		}
	}
}

func (run *certbotRun) settle(string) { run.settled = true }

func (run *certbotRun) begin(name string) {
	run.current, run.trouble = name, nil
	run.cert(name)
}

// request names the certificate where no file of a renewal did: "a.example.com
// and 2 more domains".
func (run *certbotRun) request(domains string) {
	if run.current == "" {
		first, _ := cutWord(domains)
		run.begin(strings.TrimSuffix(first, ","))
	}
}

func (run *certbotRun) domains(names []string) {
	if run.current != "" {
		run.cert(run.current).DNSNames = names[:min(len(names), maxItems)]
	}
}

// maxTrouble bounds what is remembered of one certificate's errors.
const maxTrouble = 12

func (run *certbotRun) troubled(what string) {
	if len(run.trouble) < maxTrouble {
		run.trouble = append(run.trouble, clip(what, maxLookLine))
	}
}

// failedWith reads "a.example.com with error: Some challenges have failed."
func (run *certbotRun) failedWith(rest string) {
	name, why, _ := strings.Cut(rest, " with error: ")
	run.fail(name, why)
}

// unexpected reads "a.example.com) from /etc/… produced an unexpected error: why. Skipping."
func (run *certbotRun) unexpected(rest string) {
	name, rest, _ := strings.Cut(rest, ")")
	_, why, _ := strings.Cut(rest, "unexpected error: ")
	run.fail(name, strings.TrimSuffix(why, " Skipping."))
}

// fail says why with the authority's own words first: they name the cause.
func (run *certbotRun) fail(name, why string) {
	c := run.cert(name)
	said := run.trouble
	if why != "" {
		said = append(said, why)
	}
	if c.Renewal == nil || c.Renewal.Error == "" {
		c.Renewal = &Renewal{Tool: "certbot", Failed: true, Error: strings.Join(said, ": ")}
	}
	c.Renewal.Failed, run.trouble = true, nil
}

// leftover is an error that no summary was printed for: the run ended with it.
func (run *certbotRun) leftover() {
	if len(run.trouble) == 0 {
		return
	}
	name := run.current
	for _, t := range run.trouble {
		if domain, ok := strings.CutPrefix(t, "domain "); ok && name == "" {
			name = domain
		}
	}
	run.fail(name, "")
}

// summary reads "/a.example.com/fullchain.pem (success)" and "… expires on 2027-02-20 (skipped)".
func (run *certbotRun) summary(rest string) {
	file, rest := cutWord(rest)
	c := run.cert(path.Base(path.Dir(file)))
	switch {
	case strings.Contains(rest, "(success)"):
		c.Renewal = &Renewal{Tool: "certbot"}
	case strings.Contains(rest, "(failure)") && (c.Renewal == nil || !c.Renewal.Failed):
		run.fail(c.Name, "")
	}
	if _, date, ok := strings.Cut(rest, "expires on "); ok {
		day, _ := cutWord(date)
		c.NotAfter.set(day)
	}
}

func (run *certbotRun) saved(file string) {
	run.current = path.Base(path.Dir(file))
	run.cert(run.current).Renewal = &Renewal{Tool: "certbot"}
}

func (run *certbotRun) expires(date string) {
	if run.current != "" {
		run.cert(run.current).NotAfter.set(date)
	}
}

// expiry reads "2026-11-28 12:00:00+00:00 (VALID: 5 days)" and "(INVALID: EXPIRED)".
func (run *certbotRun) expiry(rest string) {
	if run.current == "" {
		return
	}
	c := run.cert(run.current)
	date, standing, _ := strings.Cut(rest, " (")
	c.NotAfter.set(date)
	standing = strings.TrimSuffix(standing, ")")
	if why, ok := strings.CutPrefix(standing, "INVALID: "); ok && why != "EXPIRED" {
		c.VerifyError = why
	}
	if days, ok := strings.CutSuffix(strings.TrimPrefix(standing, "VALID: "), " days"); ok {
		if n, err := strconv.Atoi(days); err == nil {
			c.DaysLeft = Of(float64(n))
		}
	}
}
