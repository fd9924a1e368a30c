package http

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the pages are part of the program
	"encoding/base64"
	"fmt"
	"html/template"
	nethttp "net/http"

	"salve/internal/fault"
)

//go:embed openapi.yaml
var openapiYAML []byte

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

// OpenAPI is the document this package serves, for tools and contract tests.
func OpenAPI() []byte { return bytes.Clone(openapiYAML) }

// documentFor is the contract with the address at which people reach this
// server, where it was told one.
func documentFor(publicURL string) []byte {
	doc := OpenAPI()
	if publicURL == "" {
		return doc
	}
	return fmt.Appendf(doc, "\nservers:\n  - url: %q\n", publicURL)
}

// pages are rendered once: they change only with the program.
type pages struct {
	csp      string
	docs     []byte
	template *template.Template
}

func newPages() (*pages, error) {
	doc, err := readDocument(openapiYAML)
	if err != nil {
		return nil, err
	}
	t, err := template.New("pages").Parse(pagesHTML)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pagesCSS))
	p := &pages{
		template: t,
		csp: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
	p.docs, err = p.render("docs", doc)
	return p, err
}

// render fills one template. The style must stand in the page byte for byte as
// it was hashed.
func (p *pages) render(name string, data any) ([]byte, error) {
	var out bytes.Buffer
	page := struct {
		Style template.CSS
		Data  any
	}{template.CSS(pagesCSS), data}
	if err := p.template.ExecuteTemplate(&out, name, page); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return out.Bytes(), nil
}

func (s *Server) openapi(x *exchange) error {
	x.w.Header().Set("Cache-Control", "public, max-age=300")
	x.send(nethttp.StatusOK, "application/yaml", s.document)
	return nil
}

func (s *Server) docs(x *exchange) error {
	s.sendPage(x, s.pages.docs)
	return nil
}

// toDocs is no lasting redirect: a browser must not keep it.
func toDocs(x *exchange) error {
	x.w.Header().Set("Location", "/docs")
	x.send(nethttp.StatusFound, "text/plain; charset=utf-8", []byte("The page is at /docs.\n"))
	return nil
}

// problemPage explains a problem's type, so that the path leads somewhere.
func (s *Server) problemPage(x *exchange) error {
	name, err := x.path("kind")
	if err != nil {
		return err
	}
	kind, known := problemOf(fault.Kind(name))
	if !known {
		return fault.Missing("problem", clip(name))
	}
	page, err := s.pages.render("problem", map[string]any{"Title": kind.title, "Status": kind.status, "Help": kind.help, "Name": name})
	if err != nil {
		return err
	}
	s.sendPage(x, page)
	return nil
}

func (s *Server) sendPage(x *exchange, page []byte) {
	header := x.w.Header()
	header.Set("Content-Security-Policy", s.pages.csp)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "public, max-age=300")
	x.send(nethttp.StatusOK, "text/html; charset=utf-8", page)
}
