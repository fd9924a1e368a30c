package evidence_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

// testdata holds outputs as the tools printed them: openssl 3.0's of a
// certificate made for these tests, kubectl 1.37's of objects made up likewise.
func testdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/tools/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func at(text string) evidence.Time {
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return evidence.Time{Time: when.UTC()}
}

func certs(list ...evidence.Certificate) evidence.Evidence {
	return evidence.Evidence{Certificates: list}
}

const letsEncrypt = "C = US, O = Let's Encrypt, CN = R3"

var apiCertificate = evidence.Certificate{
	Subject: "api.example.com", Host: "web-01", Issuer: letsEncrypt, DNSNames: []string{"api.example.com", "www.example.com"},
	NotBefore: at("2026-08-30T12:00:00Z"), NotAfter: at("2026-11-28T12:00:00Z"), DaysLeft: of(5),
}

func TestOpenSSL(t *testing.T) {
	expired := evidence.Certificate{Host: "web-01", NotAfter: at("2026-11-22T12:00:00Z"), DaysLeft: of(-1)}
	named := evidence.Certificate{Host: "web-01", Subject: "api.example.com", Issuer: letsEncrypt, NotBefore: apiCertificate.NotBefore, NotAfter: apiCertificate.NotAfter, DaysLeft: of(5)}
	served := evidence.Certificate{
		Subject: "api.example.com", Host: "api.example.com", Issuer: "C = US, O = Example, CN = api.example.com", DNSNames: []string{"api.example.com", "www.example.com"},
		NotBefore: at("2026-11-25T23:10:25Z"), NotAfter: at("2026-11-30T23:10:25Z"), DaysLeft: of(7), VerifyError: "self-signed certificate",
	}
	runTools(t, []toolCase{
		{name: "enddate", tool: "openssl x509 -enddate -noout -in cert.pem", text: "notAfter=Nov 22 12:00:00 2026 GMT\n", want: certs(expired)},
		{name: "a day of one digit", tool: "openssl x509 -enddate", text: "notAfter=Dec  3 12:00:00 2026 GMT\n",
			want: certs(evidence.Certificate{Host: "web-01", NotAfter: at("2026-12-03T12:00:00Z"), DaysLeft: of(10)})},
		{name: "dates and names", tool: "openssl x509 -noout -dates -subject -issuer", text: "notBefore=Aug 30 12:00:00 2026 GMT\nnotAfter=Nov 28 12:00:00 2026 GMT\nsubject=CN = api.example.com\nissuer=C = US, O = Let's Encrypt, CN = R3\n", want: certs(named)},
		{name: "names with slashes", tool: "openssl x509", text: "subject= /C=US/CN=api.example.com\nnotAfter=Nov 28 12:00:00 2026 GMT\n",
			want: certs(evidence.Certificate{Host: "web-01", Subject: "api.example.com", NotAfter: apiCertificate.NotAfter, DaysLeft: of(5)})},
		{name: "text", tool: "openssl x509 -noout -text", text: testdata(t, "openssl-text.txt"), want: certs(apiCertificate)},
		{name: "s_client", tool: "echo | openssl s_client -connect api.example.com:443 -servername api.example.com", text: testdata(t, "openssl-s_client.txt"), want: certs(served)},
		{name: "a chain in PEM", tool: "cat /etc/letsencrypt/live/api.example.com/fullchain.pem", text: testdata(t, "chain.pem"), want: certs(apiCertificate)},
		{name: "no connection", tool: "openssl s_client -connect api.example.com:443", text: "connect:errno=111\n", problem: `openssl failed: "connect:errno=111"`},
		{name: "no certificate", tool: "openssl x509 -noout -enddate", text: "Could not read certificate from cert.pem\nUnable to load certificate\n", problem: `openssl failed: "Could not read certificate from cert.pem"`},
	})
}

func TestPEM(t *testing.T) {
	chain := testdata(t, "chain.pem")
	leafPEM, _, _ := strings.Cut(chain, "-----END CERTIFICATE-----")
	withPEM := func(pem string) evidence.Certificate {
		c := apiCertificate
		c.Host, c.PEM = "", pem
		return c
	}
	for _, tc := range []struct {
		name, pem, problem string
		want               evidence.Certificate
	}{
		{"a chain", chain, "", withPEM(chain)},
		{"cut off", leafPEM, "the certificate's PEM is cut off or damaged: it must be whole, from BEGIN to END, with its line breaks", evidence.Certificate{PEM: leafPEM}},
		{"no PEM", "AAAA", "a certificate in PEM is expected: -----BEGIN CERTIFICATE----- and what follows it", evidence.Certificate{PEM: "AAAA"}},
		{"no certificate in it", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "the certificate cannot be parsed: malformed certificate",
			evidence.Certificate{PEM: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc, err := json.Marshal(map[string]any{"certificate": map[string]string{"pem": tc.pem}})
			if err != nil {
				t.Fatal(err)
			}
			var problems []evidence.Problem
			if tc.problem != "" {
				problems = []evidence.Problem{{Pointer: "/certificate/pem", Detail: tc.problem}}
			}
			got, found := evidence.Parse(doc, now)
			if diff := cmp.Diff(problems, found); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]evidence.Certificate{tc.want}, got.Certificates); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What certbot and openssl say of one certificate is one fact, but what is
// served and what lies on the disk may be two.
func TestFactsAboutOneCertificate(t *testing.T) {
	certbot := evidence.Raw{Tool: "certbot renew", Text: "Failed to renew certificate api.example.com with error: Some challenges have failed.\n"}
	file := evidence.Raw{Tool: "openssl x509", Text: "subject=CN = api.example.com\nnotAfter=Nov 28 12:00:00 2026 GMT\n"}
	served := evidence.Raw{Tool: "openssl s_client -connect api.example.com:443", Text: "subject=CN = api.example.com\nnotAfter=Nov 24 12:00:00 2026 GMT\n"}
	got, _ := evidence.Parse(rawOf(file, certbot, served), now)
	want := []evidence.Certificate{
		{Name: "api.example.com", Subject: "api.example.com", NotAfter: at("2026-11-28T12:00:00Z"), DaysLeft: of(5),
			Renewal: &evidence.Renewal{Tool: "certbot", Failed: true, Error: "Some challenges have failed."}},
		{Subject: "api.example.com", Host: "api.example.com", NotAfter: at("2026-11-24T12:00:00Z"), DaysLeft: of(1)},
	}
	if diff := cmp.Diff(want, got.Certificates); diff != "" {
		t.Error(diff)
	}
}

func TestCertbot(t *testing.T) {
	renewal := func(failed bool, why string) *evidence.Renewal {
		return &evidence.Renewal{Tool: "certbot", Failed: failed, Error: why}
	}
	runTools(t, []toolCase{
		{name: "a failed renewal", tool: "certbot renew", text: `Saving debug log to /var/log/letsencrypt/letsencrypt.log

- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
Processing /etc/letsencrypt/renewal/api.example.com.conf
- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
Renewing an existing certificate for api.example.com and www.example.com

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: www.example.com
  Type:   unauthorized
  Detail: 203.0.113.10: Invalid response from http://www.example.com/.well-known/acme-challenge/abc: 404

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Failed to renew certificate api.example.com with error: Some challenges have failed.

- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
Processing /etc/letsencrypt/renewal/shop.example.com.conf
- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
Certificate not yet due for renewal

- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
The following certificates are not due for renewal yet:
  /etc/letsencrypt/live/shop.example.com/fullchain.pem expires on 2027-02-20 (skipped)
All renewals failed. The following certificates could not be renewed:
  /etc/letsencrypt/live/api.example.com/fullchain.pem (failure)
- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -
1 renew failure(s), 0 parse failure(s)
Ask for help or search for solutions at https://community.letsencrypt.org.
`, want: certs(
			evidence.Certificate{Name: "api.example.com", Host: "web-01", Renewal: renewal(true,
				"domain www.example.com: unauthorized: 203.0.113.10: Invalid response from http://www.example.com/.well-known/acme-challenge/abc: 404: Some challenges have failed.")},
			evidence.Certificate{Name: "shop.example.com", Host: "web-01", NotAfter: at("2027-02-20T00:00:00Z"), DaysLeft: of(88)},
		)},
		{name: "a good renewal", tool: "certbot renew", text: `Processing /etc/letsencrypt/renewal/api.example.com.conf
Renewing an existing certificate for api.example.com

Congratulations, all renewals succeeded:
  /etc/letsencrypt/live/api.example.com/fullchain.pem (success)
`, want: certs(evidence.Certificate{Name: "api.example.com", Host: "web-01", Renewal: renewal(false, "")})},
		{name: "nothing was due", tool: "certbot renew", text: `The following certificates are not due for renewal yet:
  /etc/letsencrypt/live/api.example.com/fullchain.pem expires on 2027-01-20 (skipped)
No renewals were attempted.
`, want: certs(evidence.Certificate{Name: "api.example.com", Host: "web-01", NotAfter: at("2027-01-20T00:00:00Z"), DaysLeft: of(57)})},
		{name: "nothing there", tool: "certbot renew", text: "No renewals were attempted.\n", want: evidence.Evidence{Certificates: []evidence.Certificate{}}},
		{name: "a rate limit", tool: "certbot certonly -d api.example.com", text: `Requesting a certificate for api.example.com
An unexpected error occurred:
Error creating new order :: too many certificates already issued for: example.com
`, want: certs(evidence.Certificate{Name: "api.example.com", Host: "web-01", Renewal: renewal(true, "Error creating new order :: too many certificates already issued for: example.com")})},
		{name: "a first certificate", tool: "certbot certonly", text: `Successfully received certificate.
Certificate is saved at: /etc/letsencrypt/live/api.example.com/fullchain.pem
Key is saved at:         /etc/letsencrypt/live/api.example.com/privkey.pem
This certificate expires on 2027-02-21.
`, want: certs(evidence.Certificate{Name: "api.example.com", Host: "web-01", NotAfter: at("2027-02-21T00:00:00Z"), DaysLeft: of(89), Renewal: renewal(false, "")})},
		{name: "an older certbot", tool: "certbot renew", text: "Attempting to renew cert (api.example.com) from /etc/letsencrypt/renewal/api.example.com.conf produced an unexpected error: Failed authorization procedure. Skipping.\n",
			want: certs(evidence.Certificate{Name: "api.example.com", Host: "web-01", Renewal: renewal(true, "Failed authorization procedure.")})},
		{name: "the list", tool: "certbot certificates", text: `Found the following certs:
  Certificate Name: api.example.com
    Serial Number: 4a1
    Key Type: ECDSA
    Domains: api.example.com www.example.com
    Expiry Date: 2026-11-28 12:00:00+00:00 (VALID: 5 days)
    Certificate Path: /etc/letsencrypt/live/api.example.com/fullchain.pem
  Certificate Name: old.example.com
    Domains: old.example.com
    Expiry Date: 2026-11-20 12:00:00+00:00 (INVALID: EXPIRED)
  Certificate Name: bad.example.com
    Identifiers: bad.example.com
    Expiry Date: 2027-01-20 12:00:00+00:00 (INVALID: REVOKED)
`, want: certs(
			evidence.Certificate{Name: "api.example.com", Host: "web-01", DNSNames: []string{"api.example.com", "www.example.com"}, NotAfter: at("2026-11-28T12:00:00Z"), DaysLeft: of(5)},
			evidence.Certificate{Name: "old.example.com", Host: "web-01", DNSNames: []string{"old.example.com"}, NotAfter: at("2026-11-20T12:00:00Z"), DaysLeft: of(-3)},
			evidence.Certificate{Name: "bad.example.com", Host: "web-01", DNSNames: []string{"bad.example.com"}, NotAfter: at("2027-01-20T12:00:00Z"), DaysLeft: of(58), VerifyError: "REVOKED"},
		)},
		{name: "something else", tool: "certbot renew", text: "hello\n", problem: "certbot: what certbot renew, certbot certonly or certbot certificates prints is expected"},
	})
}
