package checklist

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"salve/internal/policy"
)

const (
	maxChecks = 500
	maxURL    = 2000
)

// sheet reads one file.
type sheet struct{ *policy.Sheet }

func read(name string, src []byte) ([]Check, error) {
	open, root := policy.OpenSheet(name, src, "a checklist", "at least checks (checks: [] checks nothing)")
	s := sheet{open}
	var checks []Check
	if root != nil && s.Mapping(root, "a checklist", []policy.Key{{Name: "checks", Read: func(n policy.Node) { checks = s.checks(n) }}}) &&
		!s.Has(root, "checks") {
		s.Fail(root, "a checklist needs checks; checks: [] checks nothing")
	}
	return checks, s.Err()
}

func (s sheet) checks(n policy.Node) []Check {
	var checks []Check
	for _, item := range s.List(n, "checks", 0, maxChecks) {
		c := s.check(item)
		if c.Name != "" && slices.ContainsFunc(checks, func(o Check) bool { return o.Name == c.Name }) {
			s.Fail(item, "check %q is there twice; each name once would be right", c.Name)
		}
		checks = append(checks, c)
	}
	return checks
}

var (
	nameShape    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	objectShape  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	clusterShape = regexp.MustCompile(`^[A-Za-z0-9._:/@-]{1,253}$`)
	hostShape    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$`)
	unitShape    = regexp.MustCompile(`^[A-Za-z0-9._@:][A-Za-z0-9._@:-]{0,252}$`)
)

func (s sheet) check(n policy.Node) Check {
	var c Check
	word := func(name string, shape *regexp.Regexp, example string, into *string) policy.Key {
		return policy.Key{Name: name, Read: func(n policy.Node) { s.Matching(n, name, shape, example, into) }}
	}
	known := s.Mapping(n, "a check", []policy.Key{
		word("name", nameShape, "lower case, digits and dashes", &c.Name),
		{Name: "kind", Read: func(n policy.Node) { c.Kind, _ = policy.Word(s.Sheet, n, "kind", Kinds()) }},
		{Name: "every", Read: func(n policy.Node) { s.Duration(n, "every", time.Minute, 31*day, &c.Every) }},
		word("cluster", clusterShape, "a name like production", &c.Cluster),
		word("namespace", nameShape, "the name of a namespace", &c.Namespace),
		word("object", objectShape, "the name of an object", &c.Object),
		word("host", hostShape, "a name like web-01", &c.Host),
		word("unit", unitShape, "a systemd unit like nginx.service", &c.Unit),
		{Name: "url", Read: func(n policy.Node) { s.url(n, &c.URL) }},
	})
	if known {
		s.complete(n, &c)
	}
	return c
}

// url takes the addresses that n8n may fetch: of the web, and without a password
// in them, for the checklist is shown to whoever may read.
func (s sheet) url(n policy.Node, into *string) {
	var text string
	s.Matching(n, "url", regexp.MustCompile(`^\S+$`), "an address like https://example.com/healthz", &text)
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", len(text) > maxURL:
		s.Fail(n, "url is no address of the web; https://example.com/healthz would be right")
	case u.User != nil:
		s.Fail(n, "url holds a user or password; credentials are n8n's, and the checklist is shown to readers")
	default:
		*into = text
	}
}

// complete checks what single values cannot show, and fills in how often.
func (s sheet) complete(n policy.Node, c *Check) {
	if !s.Has(n, "name") {
		s.Fail(n, "a check needs a name; results are posted under it")
	}
	if !s.Has(n, "kind") {
		s.Fail(n, "a check needs a kind: %s", words(Kinds()))
	}
	k, known := kindOf(c.Kind)
	if !known {
		return
	}
	if c.Every == 0 && !s.Has(n, "every") {
		c.Every = k.every
	}
	if s.place(n, k) && c.Name != "" && !c.ByItself() {
		if _, err := c.Execute(); err != nil {
			s.Fail(n, "%v", err)
		}
	}
}

func words(all []Kind) string {
	out := make([]string, len(all))
	for i, k := range all {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

var placeKeys = []string{"cluster", "namespace", "object", "host", "unit", "url"}

// place refuses a check that does not say where it looks, or says it twice.
func (s sheet) place(n policy.Node, k kind) bool {
	var right []string
	for _, p := range k.places {
		if s.fits(n, p) {
			return true
		}
		right = append(right, p.String())
	}
	s.Fail(n, "a check of kind %s says where it looks by %s", k.kind, strings.Join(right, ", or by "))
	return false
}

func (s sheet) fits(n policy.Node, p place) bool {
	for _, key := range placeKeys {
		needed, allowed := slices.Contains(p.needs, key), slices.Contains(p.may, key)
		if has := s.Has(n, key); needed && !has || has && !needed && !allowed {
			return false
		}
	}
	return true
}

// String names the keys of a place.
func (p place) String() string {
	text := strings.Join(p.needs, " and ")
	switch {
	case len(p.may) == 0:
		return text
	case text == "":
		return "any of " + strings.Join(p.may, ", ")
	default:
		return text + " (and perhaps " + strings.Join(p.may, ", ") + ")"
	}
}
