package intake

import (
	"cmp"
	"net/netip"
	"strings"

	"salve/internal/incident"
)

// Kinds of targets that are no Kubernetes objects.
const (
	kindHost    = "Host"
	kindService = "Service"
)

// way is one way to find a target; it gives none where it finds nothing.
type way func(clues, *findings) incident.Target

// ways are tried in order; the first that finds something decides.
var ways = []way{
	clues.spelledOut, clues.expected, clues.object, clues.machine, clues.bareService, clues.instance, clues.job, clues.namespaceAlone,
}

// target finds what an alert is about. It always finds something: what nothing
// else can place is put under the alert's own name.
func (c clues) target(f *findings) incident.Target {
	t := incident.Target{Kind: kindService, Service: c.fallback}
	for _, way := range ways {
		if found := way(c, f); !found.IsZero() {
			t = found
			break
		}
	}
	t.Cluster = c.cluster
	return t
}

// spelledOut is the target{} of a native alert.
func (c clues) spelledOut(f *findings) incident.Target {
	if c.given == nil {
		return incident.Target{}
	}
	if t := c.given.object(c.namespace, f); !t.IsZero() {
		return t
	}
	if t := hostTarget(c.given.Host, f); !t.IsZero() {
		t.Service = c.given.Service
		return t
	}
	return c.serviceTarget(c.given.Service)
}

// expected looks for what the alert's name speaks of.
func (c clues) expected(f *findings) incident.Target {
	if find := finders[c.about]; find != nil {
		return find(c, f)
	}
	if o, ok := objectOf(c.about); ok {
		return c.wanted(o, f)
	}
	return incident.Target{}
}

var hostLabels = []string{"hostname", "host", "nodename"}

// machine is the host that a field or a label names. Where the scrape's labels
// pushed others aside it is of a proxy, and host is what somebody asked it for.
func (c clues) machine(f *findings) incident.Target {
	if c.exported {
		return hostTarget(c.host, f)
	}
	return hostTarget(cmp.Or(c.host, f.name(c.labels, hostLabels...)), f)
}

func (c clues) bareService(f *findings) incident.Target {
	if c.service == "" && c.exporter() && !c.exported {
		return incident.Target{}
	}
	return c.serviceTarget(cmp.Or(c.service, c.labelledService(f)))
}

// instance is the scraped machine. It is a guess, so a service comes before it.
func (c clues) instance(f *findings) incident.Target {
	switch {
	case c.exported, c.tells == ofObjects, c.tells == ofOthers, c.tells == ofNeighbour && c.labels["pod"] != "":
		return hostTarget(hostOf(c.labels["exported_instance"]), f)
	case c.tells == ofProbed:
		return c.probed(f)
	}
	return hostTarget(hostOf(c.labels["instance"]), f)
}

func (c clues) job(f *findings) incident.Target { return c.serviceTarget(c.jobName(f)) }

// namespaceAlone is for alerts that name nothing else, as of quotas.
func (c clues) namespaceAlone(*findings) incident.Target {
	namespace := c.space()
	if !validLabel(namespace) {
		return incident.Target{}
	}
	return incident.Target{Kind: "Namespace", Name: namespace}
}

func hostTarget(host string, f *findings) incident.Target {
	switch {
	case host == "":
	case len(host) > maxName || !validHost(host):
		f.note("%q is no name of a host: not taken as the target", clip(host, quoted))
	case loopback(host):
		f.note("%q is another machine for everyone who reads it: not taken as the target", host)
	default:
		return incident.Target{Kind: kindHost, Host: host}
	}
	return incident.Target{}
}

// loopback says whether a host is whoever looks it up.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost") || strings.HasPrefix(strings.ToLower(host), "localhost.")
	}
	return address.Unmap().IsLoopback() || address.IsUnspecified()
}

func (c clues) serviceTarget(service string) incident.Target {
	if service == "" {
		return incident.Target{}
	}
	t := incident.Target{Kind: kindService, Service: service}
	if namespace := c.space(); validLabel(namespace) {
		t.Namespace = namespace
	}
	return t
}
