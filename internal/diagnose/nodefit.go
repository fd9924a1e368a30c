package diagnose

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// asksForTainted says whether the nodes that the pod asks for are those whose
// taints it does not tolerate, so that the other nodes' reasons do not matter:
// by the nodes in the evidence, else by the words of the pod and of the message.
func (p *pod) asksForTainted(s *schedule) (why string) {
	deep := s.deep
	if deep.depth != atAffinity && deep.depth != atResources {
		return ""
	}
	if n := len(p.x.ev.Nodes); n > 0 && n*len(p.x.scope.pods) <= maxMatches && deep.depth == atAffinity && p.picky() {
		return p.taintedMatch()
	}
	for _, o := range s.real() {
		key, value := o.taint()
		switch {
		case o.depth != atTaint || key == "":
		case deep.depth == atAffinity && p.selects(key, value):
			return "its node selector or affinity asks for nodes with the taint " + clip(key, 253)
		case deep.depth == atResources && ofResource(key, deep.text):
			return "the nodes that have what it asks for carry the taint " + clip(key, 253)
		}
	}
	return ""
}

// maxMatches bounds a comparison of every pod with every node.
const maxMatches = 20_000

// picky says whether the pod may go to some nodes only.
func (p *pod) picky() bool { return len(p.Spec.NodeSelector) > 0 || p.requiredAffinity() != nil }

func (p *pod) requiredAffinity() *corev1.NodeSelector {
	if a := p.Spec.Affinity; a != nil && a.NodeAffinity != nil {
		return a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	return nil
}

// taintedMatch looks for nodes that the pod's selector and affinity match: all of
// them have a taint that it does not tolerate.
func (p *pod) taintedMatch() (why string) {
	var names []string
	for i := range p.x.ev.Nodes {
		n := &p.x.ev.Nodes[i]
		if !p.wants(n) {
			continue
		}
		t := p.untolerated(n)
		if t == nil {
			return ""
		}
		names = append(names, clip(n.Name, 253)+" ("+clip(t.ToString(), 253)+")")
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "the nodes that it asks for are tainted: " + strings.Join(names[:min(len(names), 3)], ", ")
}

// untolerated is the node's first taint that keeps the pod away.
func (p *pod) untolerated(n *corev1.Node) *corev1.Taint {
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !p.tolerates(t) {
			return t
		}
	}
	return nil
}

func (p *pod) tolerates(t *corev1.Taint) bool {
	for i := range p.Spec.Tolerations {
		o := p.Spec.Tolerations[i]
		keyed := o.Key == t.Key || o.Key == "" && o.Operator == corev1.TolerationOpExists
		valued := o.Operator == corev1.TolerationOpExists || o.Value == t.Value
		if keyed && valued && (o.Effect == "" || o.Effect == t.Effect) {
			return true
		}
	}
	return false
}

// wants says whether the pod's node selector and required node affinity match a node.
func (p *pod) wants(n *corev1.Node) bool {
	if !labels.SelectorFromSet(p.Spec.NodeSelector).Matches(labels.Set(n.Labels)) {
		return false
	}
	required := p.requiredAffinity()
	if required == nil {
		return true
	}
	for _, term := range required.NodeSelectorTerms {
		if len(term.MatchExpressions)+len(term.MatchFields) > 0 && matchesTerm(term, n) {
			return true
		}
	}
	return false
}

func matchesTerm(term corev1.NodeSelectorTerm, n *corev1.Node) bool {
	fields := labels.Set{"metadata.name": n.Name}
	return matchesAll(term.MatchExpressions, labels.Set(n.Labels)) && matchesAll(term.MatchFields, fields)
}

var operators = map[corev1.NodeSelectorOperator]selection.Operator{
	corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn, corev1.NodeSelectorOpExists: selection.Exists,
	corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist, corev1.NodeSelectorOpGt: selection.GreaterThan, corev1.NodeSelectorOpLt: selection.LessThan,
}

func matchesAll(list []corev1.NodeSelectorRequirement, set labels.Set) bool {
	for _, r := range list {
		q, err := labels.NewRequirement(r.Key, operators[r.Operator], r.Values)
		if err != nil || !q.Matches(set) {
			return false
		}
	}
	return true
}

// selects says whether the pod's own selector or affinity names what a taint names.
func (p *pod) selects(key, value string) bool {
	for k, v := range p.Spec.NodeSelector {
		if alike(k, v, key, value) {
			return true
		}
	}
	if required := p.requiredAffinity(); required != nil {
		for _, term := range required.NodeSelectorTerms {
			for _, r := range term.MatchExpressions {
				for _, v := range r.Values {
					if alike(r.Key, v, key, value) {
						return true
					}
				}
			}
		}
	}
	return false
}

// alike compares a label with a taint: the same key, or the same value that says
// something.
func alike(k, v, key, value string) bool {
	return strings.EqualFold(k, key) || value != "" && value != "true" && strings.EqualFold(v, value)
}

// ofResource says whether a taint keeps nodes for the resource that the others
// lack: nvidia.com/gpu.
func ofResource(key, text string) bool {
	resource, ok := strings.CutPrefix(text, "insufficient ")
	domain, _, extended := strings.Cut(resource, "/")
	return ok && extended && (key == resource || strings.HasPrefix(key, domain+"/"))
}

// requests sums up what the pod asks for of one resource: its containers' together,
// or one init container's where that is more.
func (p *pod) requests(name corev1.ResourceName) resource.Quantity {
	var sum, most resource.Quantity
	for _, c := range p.containers {
		q := c.spec.Resources.Requests[name]
		if c.role == initRole {
			if q.Cmp(most) > 0 {
				most = q.DeepCopy()
			}
			continue
		}
		sum.Add(q)
	}
	if most.Cmp(sum) > 0 {
		return most
	}
	return sum
}

// quoteRequests adds what the pod asks for of what is lacking, and whether any node
// of the evidence could ever give it.
func (p *pod) quoteRequests(text string, f *finding) {
	name, ok := strings.CutPrefix(text, "insufficient ")
	asked := p.requests(corev1.ResourceName(name))
	if !ok || asked.IsZero() {
		return
	}
	f.quotes = append(f.quotes, p.quote("requests "+name+"="+asked.String()))
	f.because += fmt.Sprintf("; the pod asks for %s %s", asked.String(), name)
	largest := p.x.largestNode(corev1.ResourceName(name))
	if !largest.IsZero() && largest.Cmp(asked) < 0 {
		f.because += ", more than the largest node has (" + largest.String() + ")"
		f.quotes = append(f.quotes, fmt.Sprintf("nodes: the largest allocatable %s is %s", clip(name, 253), largest.String()))
	}
}

// largestNode is the most that any node of the evidence has to give of a resource.
func (x *examination) largestNode(name corev1.ResourceName) (most resource.Quantity) {
	if len(x.ev.Nodes)*len(x.scope.pods) > maxMatches {
		return most
	}
	for i := range x.ev.Nodes {
		if q := x.ev.Nodes[i].Status.Allocatable[name]; q.Cmp(most) > 0 {
			most = q.DeepCopy()
		}
	}
	return most
}

// node is the pod's node, where the evidence holds it.
func (p *pod) node() *corev1.Node {
	for i := range p.x.ev.Nodes {
		if n := &p.x.ev.Nodes[i]; n.Name == p.Spec.NodeName {
			return n
		}
	}
	return nil
}
