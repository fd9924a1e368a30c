package http

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestDocumentNamesThePublicAddress(t *testing.T) {
	for address, want := range map[string]int{"": 0, "https://salve.example.org": 1} {
		doc, err := openapi3.NewLoader().LoadFromData(documentFor(address))
		if err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		if len(doc.Servers) != want || want == 1 && doc.Servers[0].URL != address {
			t.Errorf("%q: servers are %v", address, doc.Servers)
		}
	}
}
