//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// certified is an API server that knows its callers by their certificates alone.
type certified struct {
	*httptest.Server
	ca, cert, key string // in PEM: what n8n is given
}

func startCertified() (*certified, error) {
	authority, authorityKey, err := issue(&x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	if err != nil {
		return nil, err
	}
	server, serverKey, err := issue(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, authority, authorityKey)
	if err != nil {
		return nil, err
	}
	client, clientKey, err := issue(&x509.Certificate{Subject: pkix.Name{CommonName: "n8n"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, authority, authorityKey)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(clientKey)
	if err != nil {
		return nil, err
	}
	callers := x509.NewCertPool()
	callers.AddCert(authority)
	c := &certified{ca: inPEM("CERTIFICATE", authority.Raw), cert: inPEM("CERTIFICATE", client.Raw), key: inPEM("PRIVATE KEY", key)}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body)
			_, _ = fmt.Fprintf(w, `{"kind":"Node","type":%q,"authorization":%q,"patch":%s}`, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), body)
			return
		}
		_, _ = fmt.Fprintf(w, `{"kind":"Node","apiVersion":"v1","metadata":{"name":%q}}`, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	c.Server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}}, ClientCAs: callers, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	c.StartTLS()
	return c, nil
}

// issue makes a certificate that is good for an hour; without an issuer it signs itself.
func issue(template, by *x509.Certificate, byKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	if by == nil {
		by, byKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, byKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// A cluster that wants a client certificate gets it, and no token: for reads and for changes.
func TestClusterByCertificate(t *testing.T) {
	got := called(t, "salveCollectEvidence", object{"execute": object{
		"shape": "collect", "cluster": "certified", "timeout_seconds": 20, "requests": []any{object{"evidence_key": "nodes", "path": "/api/v1/nodes/n8n"}},
	}})
	nodes, _ := got["evidence"].(object)["nodes"].([]any)
	if got["status"] != "succeeded" || len(nodes) != 1 || nodes[0].(object)["metadata"].(object)["name"] != "n8n" {
		t.Errorf("it read %v", got)
	}
	got = called(t, "salveKubernetes", object{
		"cluster": "certified", "method": "PATCH", "path": "/api/v1/nodes/n8n?fieldManager=salve", "content_type": "application/apply-patch+yaml", "body": `{"spec":{"unschedulable":true}}`,
	})
	if got["statusCode"] != 200.0 || got["data"] != `{"kind":"Node","type":"application/apply-patch+yaml","authorization":"","patch":{"spec":{"unschedulable":true}}}` {
		t.Errorf("a change: %v", got)
	}
}
