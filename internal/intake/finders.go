package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// finders are for alerts that are about something else than one kind of
// Kubernetes object.
var finders = map[string]way{
	"Host":          clues.hostItself,
	"Unit":          clues.unit,
	"Probe":         clues.probed,
	"Scraped":       clues.scraped,
	"Instance":      clues.scrapedInstance,
	"CertificateOf": clues.certificate,
	"Flux":          clues.flux,
	"Database":      clues.database,
	"SLO":           clues.serviceLevel,
}

// hostItself is the machine that an exporter on it tells of.
func (c clues) hostItself(f *findings) incident.Target {
	if t := c.machine(f); !t.IsZero() {
		return t
	}
	if t := hostTarget(f.name(c.labels, "node"), f); !t.IsZero() {
		return t
	}
	return c.instance(f)
}

// unit is a systemd unit on its machine.
func (c clues) unit(f *findings) incident.Target {
	t := c.hostItself(f)
	if name := f.name(c.labels, "name"); !t.IsZero() && validUnit(name) {
		t.Service = name
	}
	return t
}

// probed is the host of the address that a prober looks at. It stands in
// instance, or in target where that was not relabelled.
func (c clues) probed(f *findings) incident.Target {
	for _, label := range [...]string{"instance", "target"} {
		if host := hostOf(f.name(c.labels, label)); host != "" && exporterIn(host) == ofItself {
			return hostTarget(host, f)
		}
	}
	return incident.Target{}
}

// scraped is the process whose metrics these are. Here, and only here, the
// labels of the scrape name the patient, an exporter too. Nothing else of such
// an alert names one.
func (c clues) scraped(f *findings) incident.Target {
	if t := c.scrapedPod(); !t.IsZero() {
		return t
	}
	if t := c.scrapedService(f); !t.IsZero() {
		return t
	}
	return cmp.Or(hostTarget(hostOf(c.labels["instance"]), f), incident.Target{Kind: kindService, Service: c.fallback})
}

// scrapedInstance is the same, of which one instance is meant and not all.
func (c clues) scrapedInstance(f *findings) incident.Target {
	if t := c.scrapedPod(); !t.IsZero() {
		return t
	}
	if t := hostTarget(hostOf(c.labels["instance"]), f); !t.IsZero() {
		return t
	}
	return c.scraped(f)
}

func (c clues) scrapedPod() incident.Target {
	t := incident.Target{Kind: "Pod", Namespace: c.scrapedIn(), Name: c.labels["pod"]}
	if t.Namespace == "" || !validSubdomain(t.Name) {
		return incident.Target{}
	}
	return t
}

func (c clues) scrapedService(f *findings) incident.Target {
	name := cmp.Or(c.service, f.name(c.labels, "service", "job"))
	if name == "" {
		return incident.Target{}
	}
	return incident.Target{Kind: kindService, Namespace: c.scrapedIn(), Service: name}
}

// scrapedIn is the namespace of the process that was scraped.
func (c clues) scrapedIn() string {
	namespace := cmp.Or(c.namespace, c.labels["namespace"])
	if !validLabel(namespace) {
		return ""
	}
	return namespace
}

// certificate is a secret that x509-certificate-exporter has read, a
// Certificate of cert-manager, or what serves it at an address.
func (c clues) certificate(f *findings) incident.Target {
	if secret := c.labels["secret_name"]; secret != "" {
		t := incident.Target{Kind: "Secret", Namespace: c.labels["secret_namespace"], Name: secret}
		if f.possible(t, true) {
			return t
		}
	}
	if !strings.Contains(c.labels["instance"], "://") {
		if t := c.expect("Certificate", f); !t.IsZero() {
			return t
		}
	}
	if t := c.expect("Node", f); !t.IsZero() && !c.exportersNode() {
		return t
	}
	if subject := f.name(c.labels, "subject_CN"); subject != "" {
		return c.serviceTarget(subject)
	}
	return c.instance(f)
}

// expect is the object of a kind that the alert may be about.
func (c clues) expect(kind string, f *findings) incident.Target {
	o, _ := objectOf(kind)
	return c.wanted(o, f)
}

// fluxKinds are the objects that Flux reconciles.
var fluxKinds = map[string]bool{
	"Kustomization": true, "HelmRelease": true, "HelmChart": true, "HelmRepository": true, "GitRepository": true, "OCIRepository": true,
	"Bucket": true, "ImageRepository": true, "ImagePolicy": true, "ImageUpdateAutomation": true,
}

// flux is an object of Flux; which kind, a label says.
func (c clues) flux(f *findings) incident.Target {
	kind := cmp.Or(c.labels["customresource_kind"], c.labels["kind"])
	if !fluxKinds[kind] {
		return incident.Target{}
	}
	return c.labelled(objectLabel{kind: kind, askedFor: true}, c.labels["name"], f)
}

// database is the server that an exporter looks at: the pod that both are in,
// the address that the exporter names, the cluster, the machine that both are
// on. It is never the exporter.
func (c clues) database(f *findings) incident.Target {
	if t := c.expect("Cluster", f); !t.IsZero() {
		return t
	}
	if t := c.expect("Pod", f); !t.IsZero() {
		return t
	}
	if server := hostOf(f.name(c.labels, "server")); server != "" && !loopback(server) {
		return hostTarget(server, f)
	}
	if scope := f.name(c.labels, "scope"); scope != "" {
		return c.serviceTarget(scope)
	}
	return c.instance(f)
}

// serviceLevel is the service that an objective is about, or the objective.
func (c clues) serviceLevel(f *findings) incident.Target {
	return c.serviceTarget(cmp.Or(c.service, f.name(c.labels, "sloth_service"), c.labelledService(f), f.name(c.labels, "slo")))
}
