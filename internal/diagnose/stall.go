package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/incident"
)

// fromOutside are the causes of a pod's trouble that no other template would
// cure: rolling back leaves them as they are.
var fromOutside = []string{
	"pod.dependency_unavailable", causeRegistryUnreachable, causeImageRateLimited, causeNodeOOM, causeEvicted, causeSandboxFailed, causeVolumeFailed,
	causeNoResources, causeNoToleration, causeTooManyPods, causeNoVolume,
}

// inTemplate are the others: the newest template is at fault, and the one before
// it was not.
var inTemplate = slices.DeleteFunc(incident.Causes(), func(c string) bool {
	return incident.Family(c) != "pod" || slices.Contains(fromOutside, c)
})

// rolloutStalled reads the Deployment controller's own verdict. The pods' cause
// lies under it, for people act on the rollout: they go back. Where no going back
// would help, because the cause is outside the template and nothing of the old
// serves, or because there is no revision before this one, the pods' cause is the
// answer and the stall its symptom.
func rolloutStalled(w *workload) (finding, bool) {
	c := w.find("Progressing")
	if w.kind != "Deployment" || !c.no() || c.reason != "ProgressDeadlineExceeded" || w.wanted == 0 || w.complete() {
		return finding{}, false
	}
	r := w.rollout(c)
	f := finding{
		confidence: likely + 0.1,
		symptom:    w.standing(),
		quotes:     append([]string{w.quote(c.quote()), w.counts()}, r.quotes()...),
		because:    "the rollout of " + r.newest() + " stands still (" + c.reason + ")" + r.serves(),
		from:       []string{"node.*"},
	}
	if r.new != nil {
		f.overIn = r.new.key()
	}
	switch {
	case r.serving():
		f.over = []string{"pod.*"}
	case r.first():
		f.from = append(f.from, "pod.*")
	default:
		f.over, f.from = inTemplate, append(f.from, fromOutside...)
	}
	w.judgePods(&f)
	if !w.current {
		f.confidence = min(f.confidence, likely)
		f.missing = append(f.missing, "a status of the present generation of "+w.title()+": what is quoted is of the one before")
	}
	return f, true
}

// judgePods makes the finding surer where pods of the newest template are seen to
// be ill, and asks for them where there are none.
func (w *workload) judgePods(f *finding) {
	in := cmp.Or(f.overIn, w.key())
	ill, seen := false, false
	for _, p := range w.x.pods {
		if slices.Contains(p.within, in) {
			seen, ill = true, ill || !p.ready()
		}
	}
	switch {
	case ill:
		f.confidence += 0.05
	case !seen:
		f.missing = append(f.missing, "the pods of the newest template of "+w.title()+", their events and logs, which would say why they do not come up")
		f.wants = append(f.wants, CollectPod)
	}
}

// rollout is the ReplicaSets of a Deployment, as far as they are known.
type rollout struct {
	deployment *workload
	new        *workload
	old        *workload // of those before, the one that serves, or else the newest
}

func (w *workload) rollout(progressing condition) rollout {
	r := rollout{deployment: w}
	named := quoted(progressing.message)
	for _, s := range w.x.works {
		switch {
		case !s.madeBy(w):
		case s.meta.Name == named || w.revision != "" && s.revision == w.revision:
			r.new = s
		case r.old == nil || s.ready > r.old.ready || s.ready == r.old.ready && number(s.revision) > number(r.old.revision):
			r.old = s
		}
	}
	return r
}

// madeBy says whether a ReplicaSet is of this Deployment.
func (w *workload) madeBy(d *workload) bool {
	if w.kind != "ReplicaSet" || w.meta.Namespace != d.meta.Namespace {
		return false
	}
	if ref := metav1.GetControllerOfNoCopy(w.meta); ref != nil {
		return ref.Kind == d.kind && ref.Name == d.meta.Name
	}
	return w.namedDeployment() == d.meta.Name
}

// quoted is the first word between quotation marks: ReplicaSet "web-6f…" has
// timed out progressing.
func quoted(s string) string {
	if parts := strings.SplitN(s, `"`, 3); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

func number(revision string) int64 {
	n, _ := strconv.ParseInt(revision, 10, 64)
	return n
}

// serving says whether pods of an older template are ready.
func (r rollout) serving() bool {
	if r.old != nil && r.old.ready > 0 {
		return true
	}
	d := r.deployment
	newReady := int32(0)
	if r.new != nil {
		newReady = r.new.ready
	}
	return d.has > d.updated && d.ready > newReady
}

// first says whether there is nothing to go back to.
func (r rollout) first() bool { return r.deployment.revision == "1" && r.old == nil }

func (r rollout) newest() string {
	name := "revision " + r.deployment.revision
	if r.deployment.revision == "" {
		name = "the newest template"
	}
	if images := r.deployment.images(); images != "" {
		name += " (" + images + ")"
	}
	return name + " of " + r.deployment.title()
}

func (r rollout) serves() string {
	switch {
	case !r.serving() && r.first():
		return "; there is no revision before it"
	case !r.serving():
		return "; nothing of the revision before serves"
	case r.old == nil || r.old.ready <= 0:
		return fmt.Sprintf("; pods of the template before still serve (%d ready)", r.deployment.ready)
	}
	old := "revision " + cmp.Or(r.old.revision, "before")
	if images := r.old.images(); images != "" {
		old += " (" + images + ")"
	}
	return fmt.Sprintf("; %s still serves with %d ready", old, r.old.ready)
}

func (r rollout) quotes() []string {
	var out []string
	for _, s := range []*workload{r.new, r.old} {
		if s != nil {
			out = append(out, s.quote(fmt.Sprintf("revision %s, %d of %d replicas ready, %s", s.revision, s.ready, s.wanted, s.images())))
		}
	}
	return out
}

// images names what a template runs, shortly.
func (w *workload) images() string {
	if w.template == nil || len(w.template.Spec.Containers) == 0 {
		return ""
	}
	first := w.template.Spec.Containers[0].Image
	if first == "" {
		return ""
	}
	if more := len(w.template.Spec.Containers) - 1; more > 0 {
		return fmt.Sprintf("image %s and %d more", clip(first, 200), more)
	}
	return "image " + clip(first, 200)
}

// setStalled infers the same of a StatefulSet or DaemonSet, whose controllers
// keep no such verdict: not all pods are of the newest template, and one that is
// does not come up.
func setStalled(w *workload) (finding, bool) {
	if w.kind != "StatefulSet" && w.kind != "DaemonSet" || !w.seen || !w.current || w.updated >= w.wanted || w.ready >= w.wanted {
		return finding{}, false
	}
	p := w.illNewest()
	if p == nil {
		return finding{}, false
	}
	return finding{
		confidence: likely,
		symptom:    w.standing(),
		quotes:     []string{w.counts(), p.quote("label " + revisionLabel + "=" + p.Labels[revisionLabel] + ", " + p.standing())},
		because:    fmt.Sprintf("the rollout of the newest template of %s stands still at pod %s: %d of %d are updated, and no further pod is replaced before it is ready", w.title(), p.Name, max(w.updated, 0), w.wanted),
		over:       inTemplate, overIn: p.within[0], from: append([]string{"node.*"}, fromOutside...),
	}, true
}

// revisionLabel tells which template a pod of a StatefulSet or DaemonSet is of.
const revisionLabel = "controller-revision-hash"

// illNewest is a pod of the newest template that is down, where pods of another
// template are there too.
func (w *workload) illNewest() *pod {
	newest := w.newestRevision()
	if newest == "" {
		return nil
	}
	for _, p := range w.x.pods {
		if slices.Contains(p.within, w.key()) && p.Labels[revisionLabel] == newest && p.place().acute == 2 {
			return p
		}
	}
	return nil
}

// newestRevision is what the StatefulSet's status says, or the template of the
// youngest pod of a DaemonSet, where its pods are of more than one.
func (w *workload) newestRevision() string {
	if w.kind == "StatefulSet" {
		if w.revision == w.previous {
			return ""
		}
		return w.revision
	}
	var youngest *pod
	several := false
	for _, p := range w.x.pods {
		if !slices.Contains(p.within, w.key()) || p.Labels[revisionLabel] == "" {
			continue
		}
		if youngest == nil {
			youngest = p
			continue
		}
		several = several || p.Labels[revisionLabel] != youngest.Labels[revisionLabel]
		if youngest.CreationTimestamp.Before(&p.CreationTimestamp) {
			youngest = p
		}
	}
	if !several {
		return ""
	}
	return youngest.Labels[revisionLabel]
}
