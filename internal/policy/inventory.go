package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Inventory lists where changes may be made at all, whatever labels say. A list
// holds names and patterns with *; a pattern after ! takes away. An empty list
// is nothing, never everything.
type Inventory struct {
	Clusters   []string
	Namespaces []string
	Hosts      []string
	Domains    []string // of certificates

	Repositories []incident.Repository // the first that brings a workload counts
}

var patternShape = regexp.MustCompile(`^!?[A-Za-z0-9*]([A-Za-z0-9*._-]{0,252})$`)

func (i *Inventory) fields(r *reader) []field {
	return []field{
		{"clusters", func(n ast.Node) { r.patterns(n, "clusters", &i.Clusters) }},
		{"namespaces", func(n ast.Node) { r.patterns(n, "namespaces", &i.Namespaces) }},
		{"hosts", func(n ast.Node) { r.patterns(n, "hosts", &i.Hosts) }},
		{"repositories", func(n ast.Node) { r.repositories(n, &i.Repositories) }},
		{"domains", func(n ast.Node) { r.patterns(n, "domains", &i.Domains) }},
	}
}

func (r *reader) patterns(n ast.Node, what string, into *[]string) {
	*into = nil
	r.texts(n, what, func(item ast.Node, s string) {
		if !patternShape.MatchString(s) {
			r.fail(item, "%s: %q cannot be; a name, a pattern like \"team-*\", or what is left out like \"!kube-*\" would be right", what, clip(s))
			return
		}
		*into = append(*into, s)
	})
}

// holds says in words why a target is outside, or that it is inside.
func (i Inventory) holds(t incident.Target) (string, bool) {
	switch {
	case t.Kind == "Certificate" && t.Namespace == "":
		return i.holdsDomain(t)
	case t.Kind == "Host" || (t.Name == "" && t.Host != ""):
		return i.holdsHost(t)
	case t.Name == "":
		return "no object or host is named: nothing that could be in the inventory", false
	case !listed(i.Clusters, t.Cluster):
		return fmt.Sprintf("cluster %q is not in inventory.clusters", t.Cluster), false
	case t.Kind == "Node":
		return fmt.Sprintf("cluster %q is in the inventory", t.Cluster), true
	case !listed(i.Namespaces, t.Namespace):
		return fmt.Sprintf("namespace %q is not in inventory.namespaces", t.Namespace), false
	}
	return fmt.Sprintf("%s in cluster %q is in the inventory", t, t.Cluster), true
}

// holdsDomain wants the domain of a certificate, and the host that it lies on.
func (i Inventory) holdsDomain(t incident.Target) (string, bool) {
	if !listed(i.Domains, t.Name) {
		return fmt.Sprintf("domain %q is not in inventory.domains", t.Name), false
	}
	if t.Host == "" {
		return fmt.Sprintf("domain %q is in the inventory", t.Name), true
	}
	return i.holdsHost(incident.Target{Host: t.Host})
}

func (i Inventory) holdsHost(t incident.Target) (string, bool) {
	host := t.Host
	if host == "" {
		host = t.Name
	}
	if !listed(i.Hosts, host) {
		return fmt.Sprintf("host %q is not in inventory.hosts", host), false
	}
	return fmt.Sprintf("host %q is in the inventory", host), true
}

func listed(patterns []string, name string) bool {
	if name == "" {
		return false
	}
	in := false
	for _, p := range patterns {
		without, taken := strings.CutPrefix(p, "!")
		if !globMatch(without, name) {
			continue
		}
		if taken {
			return false
		}
		in = true
	}
	return in
}

// globMatch knows one wildcard: * for any run of characters.
func globMatch(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	rest := name[len(first) : len(name)-len(last)]
	return !slices.ContainsFunc(parts[1:len(parts)-1], func(p string) bool {
		_, after, found := strings.Cut(rest, p)
		rest = after
		return !found
	})
}
