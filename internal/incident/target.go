package incident

import "strings"

// Target is what an incident or an intent is about: a Kubernetes object
// (cluster, namespace, kind, name), a host, or a bare service.
type Target struct {
	Cluster    string `json:"cluster,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Kind       string `json:"kind,omitempty"` // Kubernetes' own word: Pod, Deployment, Node; or Host, Service
	Name       string `json:"name,omitempty"`
	UID        string `json:"uid,omitempty"`
	Generation int64  `json:"generation,omitempty"`
	Container  string `json:"container,omitempty"`
	Host       string `json:"host,omitempty"`
	Service    string `json:"service,omitempty"`
}

// IsZero says whether nothing at all is named.
func (t Target) IsZero() bool { return t.Name == "" && t.Host == "" && t.Service == "" }

// String is the short form for people: production/Pod/api-gateway-x7k2m.
func (t Target) String() string {
	var parts []string
	name := t.Name
	if name == "" {
		name = t.Host
	}
	if name == "" {
		name = t.Service
	}
	for _, p := range []string{t.Namespace, t.Kind, name} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "/")
}

// Key is an incident's key: (cluster or host, top controller or other target,
// family of causes). One open incident holds a key. Parts are escaped, so that
// no two targets share a key.
func (t Target) Key(family string) string {
	parts := []string{t.Cluster, t.Namespace, t.Kind, t.Name, family}
	if t.Name == "" {
		place, name := t.Cluster, t.Service
		if t.Host != "" {
			place, name = t.Host, t.Host
			if family == familyService && t.Service != "" {
				name = t.Service // units of one host fail by themselves
			}
		}
		parts = []string{place, t.Namespace, t.Kind, name, family}
	}
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(keyEscape.Replace(p))
	}
	return b.String()
}

// familyService is the family of causes that befall one unit of a host.
const familyService = "service"

var keyEscape = strings.NewReplacer("%", "%25", "/", "%2F")

// Family is the part of a cause before its dot: pod for pod.oom_killed.
func Family(cause string) string {
	family, _, _ := strings.Cut(cause, ".")
	return family
}
