package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// eviction is one that was refused because of a disruption budget, as an event or
// a tool's output tells.
type eviction struct {
	namespace, budget, pod, node string // as far as the text names them
	quote                        string
	at                           time.Time
	sure                         float64
}

// evictionSigns are how drains and autoscalers report what the API server answers
// to such an eviction, in lower case.
var evictionSigns = []string{
	"violate the pod's disruption budget",
	"prevents pod evictions",
	"not enough pod disruption budget",
	"has more than one poddisruptionbudget",
	"has multiple poddisruptionbudgets",
}

// The names in such texts: The disruption budget web needs 2 healthy pods and has
// 2 currently; PodDisruptionBudget=[shop/web]; pdb shop/web prevents …; evicting
// pods/"web-1" -n "shop"; to move shop/web-1; evict pod shop/web-1.
var (
	budgetNeeds = regexp.MustCompile(`(?i)disruption budget ([a-z0-9][a-z0-9.-]{0,252}) needs`)
	budgetNamed = regexp.MustCompile(`(?i)(?:PodDisruptionBudget=\[?|pdb "?)([a-z0-9][a-z0-9-]{0,62})/([a-z0-9][a-z0-9.-]{0,252})`)
	podQuoted   = regexp.MustCompile(`pods?/?"?([a-z0-9][a-z0-9.-]{0,252})"? -n "?([a-z0-9][a-z0-9-]{0,62})`)
	podSlashed  = regexp.MustCompile(`(?:evict(?:ing)? pod|to move) ([a-z0-9][a-z0-9-]{0,62})/([a-z0-9][a-z0-9.-]{0,252})`)
)

// readEviction finds a refusal in a text.
func readEviction(text string) (eviction, bool) {
	if !strings.Contains(text, "isruption") && !strings.Contains(text, "revents pod evictions") {
		return eviction{}, false // no need to look closer
	}
	text = clip(text, maxRefusal)
	lower := strings.ToLower(text)
	if !budgetNeeds.MatchString(text) && !slices.ContainsFunc(evictionSigns, func(s string) bool { return strings.Contains(lower, s) }) {
		return eviction{}, false
	}
	e := eviction{sure: 0.95}
	if m := budgetNeeds.FindStringSubmatch(text); m != nil {
		e.budget = m[1]
	}
	if m := budgetNamed.FindStringSubmatch(text); m != nil {
		e.namespace, e.budget = m[1], m[2]
	}
	if m := podQuoted.FindStringSubmatch(text); m != nil {
		e.pod, e.namespace = m[1], m[2]
	} else if m := podSlashed.FindStringSubmatch(text); m != nil {
		e.namespace, e.pod = m[1], m[2]
	}
	return e, true
}

// refusedEvictions are all that the evidence tells of, the newest last.
func (x *examination) refusedEvictions() []eviction {
	var out []eviction
	for i := range x.ev.Events {
		if e, ok := readEviction(x.ev.Events[i].Message); ok {
			out = append(out, e.of(&x.ev.Events[i]))
		}
	}
	for _, l := range x.ev.Logs {
		if l.Pod != "" {
			continue
		}
		for line := range strings.Lines(clip(l.Text, maxOutput)) {
			if e, ok := readEviction(line); ok {
				e.quote = oneLine("output: " + strings.TrimSpace(line))
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b eviction) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.quote, b.quote))
	})
	return out[max(0, len(out)-maxEvents):]
}

// maxOutput bounds what is read of a tool's output.
const maxOutput = 256 << 10

// of takes from the event what the text leaves out. What is no warning is an
// autoscaler's passing remark: it goes elsewhere with its node.
func (e eviction) of(ev *corev1.Event) eviction {
	o := ev.InvolvedObject
	e.quote, e.at = quoteEvent(ev), eventTime(ev)
	switch o.Kind {
	case "Pod":
		e.pod, e.namespace = cmp.Or(e.pod, o.Name), cmp.Or(e.namespace, o.Namespace, ev.Namespace)
	case "Node":
		e.node = o.Name
	case "PodDisruptionBudget":
		e.budget, e.namespace = cmp.Or(e.budget, o.Name), cmp.Or(e.namespace, o.Namespace, ev.Namespace)
	}
	if ev.Type != corev1.EventTypeWarning {
		e.sure = fair
	}
	return e
}

func (e eviction) symptom() string {
	switch {
	case e.pod != "":
		return "pod " + strings.TrimPrefix(e.namespace+"/"+e.pod, "/") + " cannot be evicted"
	case e.node != "":
		return "node " + e.node + " cannot be emptied"
	}
	return "an eviction is refused"
}

// take parts the refusals into those of this budget and the others. One that
// names neither budget nor pod is of the only budget there is.
func (p pdb) take(all []eviction, only bool) (mine, others []eviction) {
	for _, e := range all {
		if p.owns(e, only) {
			mine = append(mine, e)
		} else {
			others = append(others, e)
		}
	}
	return mine, others
}

func (p pdb) owns(e eviction, only bool) bool {
	if e.namespace != "" && e.namespace != p.meta.Namespace {
		return false
	}
	switch {
	case e.budget != "":
		return e.budget == p.meta.Name
	case e.pod != "":
		return slices.Contains(p.over, objectKey("Pod", p.meta.Namespace, e.pod)) || only && len(p.pods) == 0
	}
	return only
}

// unseenPDB stands for a budget that the evidence does not hold, or for the pod
// or node of the eviction where not even its name is known.
func (x *examination) unseenPDB(e eviction) pdb {
	m := &metav1.ObjectMeta{Namespace: e.namespace, Name: e.budget}
	kind := "PodDisruptionBudget"
	switch {
	case e.budget != "":
	case e.pod != "":
		kind, m.Name = "Pod", e.pod
	case e.node != "":
		kind, m.Namespace, m.Name = "Node", "", e.node
	}
	out := pdb{object: object{x: x, kind: kind, meta: m}, refused: []eviction{e}}
	if e.pod != "" {
		out.over = []string{objectKey("Pod", e.namespace, e.pod)}
	}
	return out
}
