package diagnose

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// node is one node, or what events and pods tell of one.
type node struct {
	object
	conditions
	spec  corev1.NodeSpec
	held  bool   // the evidence holds the node itself
	hosts []*pod // pods in question that are on it
	waits []*pod // pods in question that no node takes
}

// nodes are those that the question is about, those that its pods are on, and,
// where its pods wait for a node, all of them.
func (x *examination) nodes() []node {
	var out []node
	waiting := x.waiting()
	wanted := func(m *metav1.ObjectMeta) bool {
		return x.concerns("Node", m) || len(waiting) > 0 || slices.ContainsFunc(x.pods, func(p *pod) bool { return p.Spec.NodeName == m.Name })
	}
	for _, n := range distinct(x.ev.Nodes, wanted) {
		one := node{object: x.object("Node", &n.ObjectMeta), conditions: conditionsOf(n.Status.Conditions, nodeCondition), spec: n.Spec, held: true}
		out = append(out, one)
	}
	for _, o := range x.heardOf(func(kind string) bool { return kind == "Node" }) {
		out = append(out, node{object: o})
	}
	out = append(out, x.hostsOnly(out)...)
	for i := range out {
		out[i].hosts = x.on(out[i].meta.Name)
		out[i].waits = waiting
	}
	return slices.DeleteFunc(out, func(n node) bool {
		return !x.concerns("Node", n.meta) && len(n.hosts) == 0 && len(n.waits) == 0
	})
}

// hostsOnly are the nodes that only their pods tell of.
func (x *examination) hostsOnly(known []node) []node {
	names := map[string]bool{}
	for _, n := range known {
		names[n.meta.Name] = true
	}
	var out []node
	for _, p := range x.pods {
		if name := p.Spec.NodeName; name != "" && !names[name] {
			names[name] = true
			out = append(out, node{object: object{x: x, kind: "Node", meta: &metav1.ObjectMeta{Name: name}}})
		}
	}
	return out
}

func (x *examination) on(name string) []*pod {
	return slices.DeleteFunc(slices.Clone(x.pods), func(p *pod) bool { return p.Spec.NodeName != name })
}

func (x *examination) waiting() []*pod {
	return slices.DeleteFunc(slices.Clone(x.pods), func(p *pod) bool {
		return p.Spec.NodeName != "" || p.Status.Phase != corev1.PodPending && p.Status.Phase != ""
	})
}

func (n node) place() place { return n.x.objectPlace("Node", n.meta, 2) }

// bearsOn are the pods that no node takes because of this taint, as the scheduler
// says of them. Where it names no taint, any may be meant.
func (n node) bearsOn(taint string) []string {
	var keys []string
	for _, p := range n.waits {
		said := p.schedulers()
		if strings.Contains(said, taint) || strings.Contains(said, "untolerated taint(s)") {
			keys = append(keys, p.within[0])
		}
	}
	return keys
}

// schedulers is what the scheduler says of a pod that it found no node for.
func (p *pod) schedulers() string {
	var said []string
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			said = append(said, c.Message)
		}
	}
	for _, e := range p.events {
		if e.Reason == "FailedScheduling" {
			said = append(said, e.Message)
		}
	}
	return strings.Join(said, "\n")
}

// noted quotes the newest events of the reasons that go with a finding.
func (n node) noted(reasons []string) []string {
	var out []string
	for _, e := range slices.Backward(n.events) {
		if slices.Contains(reasons, e.Reason) && len(out) < maxNoted {
			out = append(out, quoteEvent(e))
		}
	}
	return out
}

const maxNoted = 2

// tainted says whether the node carries one of the taints that the node
// controller derives from conditions.
func (n node) tainted(key string) bool {
	return slices.ContainsFunc(n.spec.Taints, func(t corev1.Taint) bool { return t.Key == key })
}

// at gives a finding the node's place, bearing on the pods that wait because of
// the taint.
func (n node) at(f finding, taint string) finding {
	f.place = n.place()
	f.place.bears = n.bearsOn(taint)
	return f
}

// notReady reads the Ready condition. Without one it goes by the newest events of
// the node, and by what is said of the pods on it.
func notReady(n node) (finding, bool) {
	c := n.find("Ready")
	f := finding{symptom: "node " + n.meta.Name + " is not ready", away: len(n.hosts) == 0}
	switch {
	case c.yes():
		return finding{}, false
	case c.status != "":
		f.confidence = 0.95
		f.because = unreadyWhy(c)
		f.quotes = append([]string{n.quote(c.quote())}, n.noted(unreadyNotes)...)
	case n.tainted(taintNotReady) || n.tainted(taintUnreachable):
		f.confidence, f.quotes = likely, []string{n.quote("taints " + n.taintKeys())}
		f.because = "the node controller has tainted it as not ready or unreachable"
	default:
		e, ok := n.lostLately()
		if !ok {
			return finding{}, false
		}
		f.confidence, f.quotes = fair, []string{quoteEvent(e)}
		f.because = "the node controller found it not ready: " + e.Message
		f.missing, f.wants = []string{"the node object of " + n.meta.Name + ", whose conditions would say since when and why"}, []string{CollectNode}
	}
	return n.at(f, taintNotReady).bearing(n.bearsOn(taintUnreachable)), true
}

func (f finding) bearing(keys []string) finding {
	f.bears = append(f.bears, keys...)
	return f
}

// The taints by which a node that is not ready keeps pods away.
const (
	taintNotReady    = "node.kubernetes.io/not-ready"
	taintUnreachable = "node.kubernetes.io/unreachable"
	taintNetwork     = "node.kubernetes.io/network-unavailable"
)

func (n node) taintKeys() string {
	var keys []string
	for _, t := range n.spec.Taints[:min(len(n.spec.Taints), maxWellLines)] {
		keys = append(keys, t.Key)
	}
	return strings.Join(keys, ", ")
}

// unreadyNotes are the reasons of a node's events that go with its being down.
var unreadyNotes = []string{"NodeNotReady", "ContainerGCFailed", "Rebooted", "SystemOOM", "KubeletSetupFailed", "InvalidDiskCapacity", "KernelDeadlock", "TaskHung", "OOMKilling"}

// unreadyWhy says it in words: kubelet's own where it still speaks.
func unreadyWhy(c condition) string {
	switch {
	case c.status == string(corev1.ConditionUnknown):
		return "kubelet does not report any more, so the node, its kubelet or its network is down: " + c.message
	case strings.Contains(c.message, "PLEG is not healthy"):
		return "its container runtime does not answer in time (PLEG): " + c.message
	case strings.Contains(c.message, "container runtime is down") || strings.Contains(c.message, "container runtime status check"):
		return "its container runtime is down: " + c.message
	}
	return "kubelet says why: " + c.message
}

// lostLately is the newest event that tells that the node is not ready: its own,
// or one of a pod on it.
func (n node) lostLately() (*corev1.Event, bool) {
	e, lost := n.last("NodeNotReady")
	back, ok := n.last("NodeReady")
	switch {
	case lost && ok && !eventTime(back).Before(eventTime(e)), !lost && ok:
		return nil, false
	case lost:
		return e, true
	}
	for _, p := range n.hosts {
		for _, e := range slices.Backward(p.events) {
			if e.Reason == "NodeNotReady" {
				return e, true
			}
		}
	}
	return nil, false
}

// networkSigns are how kubelet says, in the message of Ready, that pods would get
// no network; in lower case.
var networkSigns = []string{
	"cni plugin not initialized", "cni config uninitialized", "networkpluginnotready", "network plugin is not ready",
	"networkready=false", "no networks found in", "no cni configuration file",
}

func networkUnavailable(n node) (finding, bool) {
	f := finding{symptom: "node " + n.meta.Name + " has no network for pods", away: len(n.hosts) == 0}
	c, ready := n.find("NetworkUnavailable"), n.find("Ready")
	switch {
	case c.yes():
		f.confidence, f.quotes = 0.95, []string{n.quote(c.quote())}
		f.because = "its route or network plugin is not set up: " + c.reason + ": " + c.message
	case ready.no() && networkSign(ready.message):
		f.confidence, f.quotes = 0.95, []string{n.quote(ready.quote())}
		f.because = "its network plugin (CNI) is not ready: " + ready.message
	case ready.status != "" || c.status != "":
		return finding{}, false
	default:
		e, ok := n.offlineLately()
		if !ok {
			return finding{}, false
		}
		f.confidence, f.quotes = fair, []string{quoteEvent(e)}
		f.because = "kubelet says so of a pod on it: " + e.Message
		f.missing, f.wants = []string{"the node object of " + n.meta.Name + " and the pods of its network plugin"}, []string{CollectNode}
	}
	return n.at(f, taintNetwork).bearing(n.bearsOn(taintNotReady)), true
}

func networkSign(message string) bool {
	lower := strings.ToLower(clip(message, maxRefusal))
	return slices.ContainsFunc(networkSigns, func(s string) bool { return strings.Contains(lower, s) })
}

// offlineLately is the newest event by which kubelet says that it cannot start a
// pod for want of a network, where the pod has not come up since.
func (n node) offlineLately() (*corev1.Event, bool) {
	for _, p := range n.hosts {
		if p.ready() {
			continue
		}
		for _, e := range slices.Backward(p.events) {
			if e.Reason == "NetworkNotReady" && networkSign(e.Message) {
				return e, true
			}
		}
	}
	return nil, false
}
