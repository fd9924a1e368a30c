package evidence

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What parsing certificates may cost at most.
const (
	maxCertificates    = 50
	maxCertificateSize = 64 << 10
)

var errNoPEM = errors.New("a certificate in PEM is expected: -----BEGIN CERTIFICATE----- and what follows it")

const pemBegin = "-----BEGIN "

func looksLikePEM(l look) bool { return l.starts(pemBegin) }

// readPEM reads a certificate, or a chain of them.
func readPEM(r *reader, p printout) error {
	chain, err := certificates(p.text)
	if err != nil {
		return err
	}
	for _, c := range telling(chain) {
		r.certificate(certificateOf(c, p.host))
	}
	return nil
}

// certificates parses what is in a text between BEGIN and END, in order.
func certificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	rest := []byte(text[max(0, strings.Index(text, pemBegin)):])
	for len(out) < maxCertificates {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if !strings.HasSuffix(block.Type, "CERTIFICATE") {
			if strings.Contains(block.Type, "PRIVATE KEY") {
				return nil, errors.New("this is a private key: it does not belong here, give the certificate")
			}
			continue
		}
		if len(block.Bytes) > maxCertificateSize {
			return nil, fmt.Errorf("a certificate of %d bytes; at most %d are read", len(block.Bytes), maxCertificateSize)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the certificate cannot be parsed: %s", strings.TrimPrefix(err.Error(), "x509: "))
		}
		out = append(out, c)
	}
	if len(out) > 0 {
		return out, nil
	}
	if strings.Contains(text, pemBegin+"CERTIFICATE") {
		return nil, errors.New("the certificate's PEM is cut off or damaged: it must be whole, from BEGIN to END, with its line breaks")
	}
	return nil, errNoPEM
}

// telling leaves out the authorities' certificates above one that is served,
// unless they end before it does: a chain is worth what its shortest link is.
func telling(chain []*x509.Certificate) []*x509.Certificate {
	var first *x509.Certificate
	for _, c := range chain {
		if !c.IsCA && (first == nil || c.NotAfter.Before(first.NotAfter)) {
			first = c
		}
	}
	if first == nil {
		return chain
	}
	return slices.DeleteFunc(slices.Clone(chain), func(c *x509.Certificate) bool { return c.IsCA && !c.NotAfter.Before(first.NotAfter) })
}

func certificateOf(c *x509.Certificate, host string) Certificate {
	return Certificate{
		Subject:   subjectOf(c),
		Host:      host,
		Issuer:    distinguished(c.Issuer),
		DNSNames:  c.DNSNames[:min(len(c.DNSNames), maxItems)],
		NotBefore: Time{c.NotBefore.UTC()},
		NotAfter:  Time{c.NotAfter.UTC()},
	}
}

// subjectOf is the name that people call a certificate by: new ones have no
// common name.
func subjectOf(c *x509.Certificate) string {
	if c.Subject.CommonName == "" && len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return cmp.Or(c.Subject.CommonName, distinguished(c.Subject))
}

// distinguished is a name as openssl prints it.
func distinguished(n pkix.Name) string {
	var parts []string
	for _, set := range n.ToRDNSequence() {
		for _, a := range set {
			short := attributeNames[a.Type.String()]
			parts = append(parts, fmt.Sprintf("%s = %v", cmp.Or(short, a.Type.String()), a.Value))
		}
	}
	return clip(strings.Join(parts, ", "), maxLookLine)
}

var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
}

func (r *reader) certificate(c Certificate) {
	if len(r.ev.Certificates) < maxItems {
		r.ev.Certificates = append(r.ev.Certificates, c)
	}
}

// fillFromPEM reads what the sender left out from the certificate itself.
func (c *Certificate) fillFromPEM() error {
	if strings.TrimSpace(c.PEM) == "" {
		return nil
	}
	chain, err := certificates(c.PEM)
	if err != nil {
		return err
	}
	fill(c, certificateOf(telling(chain)[0], c.Host))
	return nil
}

// hasPEM says whether a text holds a block, whole or not.
func hasPEM(text string) bool { return strings.Contains(text, pemBegin) }
