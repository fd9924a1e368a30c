package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// quota is one ResourceQuota.
type quota struct {
	object
	used []quotaLine
}

// quotaLine is one resource that a quota counts.
type quotaLine struct {
	name       string
	used, hard resource.Quantity
}

func (l quotaLine) full() bool { return !l.hard.IsZero() && l.used.Cmp(l.hard) >= 0 }

func (l quotaLine) String() string {
	return clip(l.name, 63) + " " + l.used.String() + " of " + l.hard.String()
}

// quotas are those that the question is about.
func (x *examination) quotas() []quota {
	return slices.DeleteFunc(slices.Clone(x.allQuotas()), func(q quota) bool { return !x.concerns("ResourceQuota", q.meta) })
}

// allQuotas are read once: every workload may ask for those of its namespace.
func (x *examination) allQuotas() []quota {
	if x.limits == nil {
		x.limits = x.readQuotas()
	}
	return x.limits
}

func (x *examination) readQuotas() []quota {
	out := []quota{}
	for _, q := range distinct(x.ev.Quotas, x.besides("ResourceQuota")) {
		one := quota{object: x.object("ResourceQuota", &q.ObjectMeta)}
		for name, hard := range q.Status.Hard {
			if used, ok := q.Status.Used[name]; ok {
				one.used = append(one.used, quotaLine{string(name), used, hard})
			}
		}
		slices.SortFunc(one.used, func(a, b quotaLine) int { return strings.Compare(a.name, b.name) })
		out = append(out, one)
	}
	return out
}

// fullQuotas are the namespace's quotas of which something is used up.
func (x *examination) fullQuotas(namespace string) []quota {
	if len(x.ev.Quotas) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(x.allQuotas()), func(q quota) bool { return q.meta.Namespace != namespace || len(q.full()) == 0 })
}

func (q quota) full() []quotaLine {
	return slices.DeleteFunc(slices.Clone(q.used), func(l quotaLine) bool { return !l.full() })
}

// ofPods says whether what is used up keeps pods from being created.
func (q quota) ofPods() bool {
	return slices.ContainsFunc(q.full(), func(l quotaLine) bool {
		return l.name == "pods" || l.name == "count/pods" || l.name == "cpu" || l.name == "memory" ||
			strings.HasPrefix(l.name, "requests.") && !strings.Contains(l.name, "storage") || strings.HasPrefix(l.name, "limits.")
	})
}

// usage is what is used up, or else the fullest of what is counted.
func (q quota) usage() string {
	var parts []string
	for _, l := range q.full() {
		if len(parts) < maxWellLines {
			parts = append(parts, l.String())
		}
	}
	if len(parts) == 0 && len(q.used) > 0 {
		return q.used[0].String()
	}
	return strings.Join(parts, ", ")
}

func (q quota) place() place {
	p := q.x.objectPlace("ResourceQuota", q.meta, 0)
	p.bears = []string{objectKey("Namespace", "", q.meta.Namespace)}
	return p
}

// quotaFull finds a quota that is used up though nothing was refused yet: the
// next pod will be. In many namespaces that is how it is meant to be, so beside
// workloads that have all they want it is no finding.
func quotaFull(q quota) (finding, bool) {
	if len(q.full()) == 0 || q.x.q.Target.Kind != "ResourceQuota" && q.allAround() {
		return finding{}, false
	}
	return finding{
		confidence: fair,
		symptom:    q.title() + " is used up: " + q.usage(),
		quotes:     []string{q.quote(q.usage())},
		because:    "what it counts has reached its limit, so whatever asks for more is refused",
		missing:    []string{"FailedCreate events in namespace " + q.meta.Namespace + ", which would show whether something was refused"},
		wants:      []string{CollectWorkload},
	}, true
}

// allAround says whether the evidence shows pods or workloads of the namespace:
// then they tell how they fare under the quota.
func (q quota) allAround() bool {
	here := func(m *metav1.ObjectMeta) bool { return m.Namespace == q.meta.Namespace }
	return slices.ContainsFunc(q.x.pods, func(p *pod) bool { return here(&p.ObjectMeta) }) ||
		slices.ContainsFunc(q.x.works, func(w *workload) bool { return here(w.meta) })
}

func wellQuota(q quota) (string, bool) {
	if len(q.used) == 0 || q.x.aboutPods() {
		return "", true
	}
	if n := len(q.full()); n > 0 {
		return q.quote(fmt.Sprintf("used up: %s; nothing was refused", q.usage())), true
	}
	return q.quote("nothing is used up: " + q.usage()), true
}
