package diagnose

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// pdb is one PodDisruptionBudget, or an eviction that was refused by one that the
// evidence does not hold.
type pdb struct {
	object
	conditions
	budget  *policyv1.PodDisruptionBudget // nil: only the refusal tells of it
	pods    []*corev1.Pod                 // those that it protects
	over    []string                      // keys of what it bears on: they and their controllers
	refused []eviction                    // the newest last
}

func (x *examination) pdbs() []pdb {
	refused := x.refusedEvictions()
	var out []pdb
	for _, b := range distinct(x.ev.PDBs, x.besides("PodDisruptionBudget")) {
		one := x.readPDB(b)
		one.refused, refused = one.take(refused, len(x.ev.PDBs) == 1)
		if x.concerns(one.kind, one.meta) || x.concernsAny(one.over) {
			out = append(out, one)
		}
	}
	for _, e := range refused {
		if one := x.unseenPDB(e); x.concerns(one.kind, one.meta) || x.concernsAny(one.over) {
			out = append(out, one)
		}
	}
	return out
}

func (x *examination) readPDB(b *policyv1.PodDisruptionBudget) pdb {
	out := pdb{
		object: x.object("PodDisruptionBudget", &b.ObjectMeta), conditions: conditionsOf(b.Status.Conditions, metaCondition), budget: b,
	}
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return out
	}
	for _, p := range x.everyPod() {
		if p.Namespace == b.Namespace && selector.Matches(labels.Set(p.Labels)) && len(out.pods) < maxProtected {
			out.pods = append(out.pods, p)
			out.over = append(out.over, objectKey("Pod", p.Namespace, p.Name))
		}
	}
	for i := range x.ev.Deployments {
		if d := &x.ev.Deployments[i]; d.Namespace == b.Namespace && selector.Matches(labels.Set(d.Spec.Template.Labels)) {
			out.over = append(out.over, objectKey("Deployment", d.Namespace, d.Name))
		}
	}
	for i := range x.ev.StatefulSets {
		if s := &x.ev.StatefulSets[i]; s.Namespace == b.Namespace && selector.Matches(labels.Set(s.Spec.Template.Labels)) {
			out.over = append(out.over, objectKey("StatefulSet", s.Namespace, s.Name))
		}
	}
	slices.Sort(out.over)
	return out
}

// maxProtected bounds the pods of one budget that are looked at.
const maxProtected = 200

func (p pdb) bears() []string { return p.over }

func (p pdb) place() place {
	acute := 0
	if len(p.refused) > 0 {
		acute = 1
	}
	out := p.x.objectPlace(p.kind, p.meta, acute)
	out.bears = p.over
	return out
}

// numbers are what the budget says of itself.
func (p pdb) numbers() string {
	b := p.budget
	rule := ""
	switch {
	case b.Spec.MinAvailable != nil:
		rule = "minAvailable=" + b.Spec.MinAvailable.String() + ", "
	case b.Spec.MaxUnavailable != nil:
		rule = "maxUnavailable=" + b.Spec.MaxUnavailable.String() + ", "
	}
	s := b.Status
	return fmt.Sprintf("%sdisruptionsAllowed=%d, currentHealthy=%d, desiredHealthy=%d, expectedPods=%d", rule, s.DisruptionsAllowed, s.CurrentHealthy, s.DesiredHealthy, s.ExpectedPods)
}

// blocks says whether the budget allows no eviction, and there are pods to evict.
func (p pdb) blocks() bool {
	if p.budget == nil {
		return false
	}
	s := p.budget.Status
	return s.DisruptionsAllowed <= 0 && (s.ExpectedPods > 0 || p.find(policyv1.DisruptionAllowedCondition).reason == policyv1.SyncFailedReason)
}

// never says whether the budget's own numbers allow no eviction, however healthy
// its pods are.
func (p pdb) never() bool {
	s := p.budget.Status
	return s.ExpectedPods > 0 && s.DesiredHealthy >= s.ExpectedPods
}

// why says in words why it allows none.
func (p pdb) why() string {
	c := p.find(policyv1.DisruptionAllowedCondition)
	s := p.budget.Status
	switch {
	case c.reason == policyv1.SyncFailedReason:
		return "its controller cannot tell what it protects, and then none may be evicted: " + c.message
	case p.never():
		return fmt.Sprintf("it wants %d of its %d pods healthy, so it can never allow one to be evicted", s.DesiredHealthy, s.ExpectedPods)
	default:
		return fmt.Sprintf("only %d of its pods are healthy, and %d must stay so", s.CurrentHealthy, s.DesiredHealthy)
	}
}

// evictionRefused finds an eviction that was refused, or is bound to be: a node
// that is being emptied of pods whose budget allows none.
func evictionRefused(p pdb) (finding, bool) {
	f := finding{place: place{acute: 1}}
	switch {
	case len(p.refused) > 0:
		e := p.refused[len(p.refused)-1]
		f.confidence, f.quotes = e.sure, []string{e.quote}
		if p.blocks() {
			f.confidence = max(e.sure, strong) // the budget says the same
		}
		f.symptom, f.because = e.symptom(), "the disruption budget of its pods allows none to be evicted"
		if p.budget != nil && !p.blocks() {
			return finding{}, false // the budget allows it again
		}
	case p.blocks() && p.cordoned() != "":
		node := p.cordoned()
		f.confidence, f.quotes = fair, []string{"node " + node + ": spec.unschedulable=true"}
		f.symptom, f.because = "node "+node+" is to be emptied and still runs pods of "+p.title(), ""
		f.missing = []string{"the answer to an eviction (of kubectl drain, for instance), which would show that it is refused"}
	default:
		return finding{}, false
	}
	if p.budget == nil {
		f.missing = append(f.missing, "the PodDisruptionBudget, which would say whether it can ever allow an eviction")
		return f, true
	}
	f.quotes = append(f.quotes, p.quote(p.numbers()))
	f.because = p.title() + " allows no eviction: " + p.why()
	f.from = p.whoIsIll()
	return f, true
}

// whoIsIll are the causes that explain a budget whose pods are too few healthy.
func (p pdb) whoIsIll() []string {
	if p.budget.Status.CurrentHealthy < p.budget.Status.ExpectedPods && !p.never() {
		return []string{"pod.*", "node.*", causeRolloutStalled}
	}
	return nil
}

// cordoned is a node that takes no pods any more and still runs one of these.
func (p pdb) cordoned() string {
	for i := range p.x.ev.Nodes {
		n := &p.x.ev.Nodes[i]
		if n.Spec.Unschedulable && slices.ContainsFunc(p.pods, func(q *corev1.Pod) bool { return q.Spec.NodeName == n.Name }) {
			return n.Name
		}
	}
	return ""
}

// budgetAllowsNone is about a budget that allows no eviction although nobody has
// asked for one: worth a word where the question is about it, or where nothing
// else is wrong.
func budgetAllowsNone(p pdb) (finding, bool) {
	if !p.blocks() || p.x.q.Target.Kind != "PodDisruptionBudget" && !(p.x.open() && p.x.allWell()) {
		return finding{}, false
	}
	f := finding{
		confidence: likely,
		symptom:    p.title() + " allows no disruption",
		quotes:     []string{p.quote(p.numbers())},
		because:    p.why(),
		from:       p.whoIsIll(),
	}
	if c := p.find(policyv1.DisruptionAllowedCondition); c.status != "" {
		f.quotes = append(f.quotes, p.quote(c.quote()))
	}
	if !p.never() {
		f.confidence = fair
		f.missing = []string{"the pods that it protects and their events, which would say why they are not healthy"}
		f.wants = []string{CollectWorkload}
	}
	return f, true
}

// allWell says whether no pod and no workload in the evidence is ill.
func (x *examination) allWell() bool {
	for _, p := range x.pods {
		if p.Status.Phase != corev1.PodSucceeded && !p.ready() && !p.starting() {
			return false
		}
	}
	return !slices.ContainsFunc(x.works, func(w *workload) bool { _, ok := wellWorkload(w); return !ok })
}

func wellPDB(p pdb) (string, bool) {
	if p.budget == nil || p.x.aboutPods() {
		return "", true
	}
	switch {
	case p.blocks() && p.x.q.Target.Kind == "PodDisruptionBudget":
		return p.quote(p.numbers()), false
	case p.budget.Status.ExpectedPods == 0:
		return p.quote("no pods to protect"), true
	}
	return p.quote(p.numbers()), true
}
