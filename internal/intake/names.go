package intake

import (
	"net/netip"
	"strings"
)

const maxDNSLabel = 63

// validLabel says whether s is a DNS-1123 label: a namespace, a container.
func validLabel(s string) bool { return len(s) <= maxDNSLabel && dns1123(s, false) }

// validSubdomain says whether s is a DNS-1123 subdomain: a pod, a node, a
// deployment.
func validSubdomain(s string) bool { return len(s) <= maxName && dns1123(s, true) }

func dns1123(s string, dots bool) bool {
	last := byte('.') // a name begins as one goes on after a dot
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z':
		case c == '-' && last != '.':
		case c == '.' && dots && last != '.' && last != '-':
		default:
			return false
		}
		last = s[i]
	}
	return last != '.' && last != '-'
}

// validKind says whether s could be the kind of a Kubernetes object.
func validKind(s string) bool {
	for i := range len(s) {
		c := s[i]
		upper, lower := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !upper && (i == 0 || !lower) {
			return false
		}
	}
	return s != "" && len(s) <= maxDNSLabel
}

// validUnit says whether s could be a systemd unit: nginx.service.
func validUnit(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && (i == 0 || strings.IndexByte(`:-_.\@`, c) < 0) {
			return false
		}
	}
	return strings.IndexByte(s, '.') > 0 && len(s) <= maxName
}

// hostOf finds the host in what exporters put into instance: a name, an
// address, either with a port, or a URL. It gives "" where there is none.
func hostOf(instance string) string {
	s := instance
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if rest, ok := strings.CutPrefix(s, "["); ok {
		s, _, _ = strings.Cut(rest, "]")
	} else if name, port, ok := strings.Cut(s, ":"); ok && digits(port) {
		s = name
	}
	if !validHost(s) {
		return ""
	}
	return s
}

func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return validSubdomain(strings.ReplaceAll(strings.ToLower(s), "_", "-"))
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
