package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// givenTarget is target{} as a native sender may spell it out.
type givenTarget struct {
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Host      string `json:"host"`
	Service   string `json:"service"`
	Container string `json:"container"`
}

// clusterScoped are the kinds that have no namespace. Of a custom resource
// nobody here knows: it takes the alert's namespace and does not need one.
var clusterScoped = map[string]bool{"Node": true, "Namespace": true, "PersistentVolume": true, "APIService": true}

// object is the Kubernetes object that the target names. Kinds of the common
// objects may be written in any case; those of custom resources are kept.
func (g *givenTarget) object(namespace string, f *findings) incident.Target {
	if g.Name == "" {
		return incident.Target{}
	}
	t := incident.Target{Namespace: g.Namespace, Kind: g.Kind, Name: g.Name, UID: g.UID, Container: g.Container}
	kind, namespaced := canonical(g.Kind)
	if !validKind(kind) {
		f.note("target %q has no Kubernetes kind, like Pod or Deployment: not taken as the target", clip(g.Name, quoted))
		return incident.Target{}
	}
	t.Kind = kind
	t.Namespace = cmp.Or(t.Namespace, namespace)
	if clusterScoped[kind] {
		t.Namespace = ""
	}
	if !f.possible(t, namespaced) {
		return incident.Target{}
	}
	if !validLabel(t.Container) {
		t.Container = ""
	}
	return t
}

// canonical gives a kind in Kubernetes' own writing, and whether such an object
// must have a namespace.
func canonical(kind string) (string, bool) {
	for _, o := range objectLabels {
		if strings.EqualFold(o.kind, kind) {
			return o.kind, o.scope == inNamespace
		}
	}
	for known := range clusterScoped {
		if strings.EqualFold(known, kind) {
			return known, false
		}
	}
	return kind, false
}

// names says whether the target names anything at all.
func (g *givenTarget) names() bool { return g != nil && g.Name+g.Host+g.Service != "" }

// parts are what identifies the target, for a fingerprint.
func (g *givenTarget) parts() []string {
	if g == nil {
		return nil
	}
	return []string{g.Namespace, g.Kind, g.Name, g.Host, g.Service, g.Container}
}

func (g *givenTarget) cluster() string {
	if g == nil {
		return ""
	}
	return g.Cluster
}

func (g *givenTarget) check(f *findings) {
	if g == nil {
		return
	}
	f.checkName("/target/cluster", g.Cluster)
	f.checkName("/target/namespace", g.Namespace)
	f.checkName("/target/kind", g.Kind)
	f.checkName("/target/name", g.Name)
	f.checkName("/target/uid", g.UID)
	f.checkName("/target/host", g.Host)
	f.checkName("/target/service", g.Service)
	f.checkName("/target/container", g.Container)
}
