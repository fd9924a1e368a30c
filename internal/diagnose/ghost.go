package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"salve/internal/incident"
)

// A ghost is a pod that only events tell of: people send `kubectl get events`.
// What they say is enough for a guess, and no more than that.
const (
	maxGhosts   = 50
	eventLife   = time.Hour // the API server forgets events after as long, by default
	ghostDoubts = fair + 0.05
	probeSpan   = 10 * time.Minute // kubelet repeats a probe's failure: after as long it has passed
)

// ghosts are the pods that a question is about and that no object of the evidence
// is about, though events tell of trouble that goes on. Where pods of its namespace
// are in the evidence it would be among them, if it were still there.
func (x *examination) ghosts() []*pod {
	if len(x.pods) > 0 || x.ev.Pods != nil && (x.open() || len(x.ev.Pods) == 0) {
		return nil
	}
	seen := map[string]bool{}
	for i := range x.ev.Pods {
		seen[x.ev.Pods[i].Namespace] = true
	}
	var out []*pod
	lately := x.lately()
	for _, key := range slices.Sorted(maps.Keys(x.index)) {
		list := x.index[key]
		o := list[len(list)-1].InvolvedObject
		if o.Kind != "Pod" || o.Name == "" || len(out) == maxGhosts || seen[o.Namespace] || !x.isAbout(o) {
			continue
		}
		if list = ofLife(list, o.UID); haunts(list, lately) {
			out = append(out, x.conjure(cmp.Or(o.Namespace, list[0].Namespace), o, list, lately))
		}
	}
	return out
}

// isAbout says whether a question is about a pod that is known by its name alone.
func (x *examination) isAbout(o corev1.ObjectReference) bool {
	t := x.q.Target
	if !x.open() && t.Namespace != "" && o.Namespace != t.Namespace {
		return false
	}
	switch {
	case x.open():
		return true
	case t.Kind == "Namespace":
		return o.Namespace == t.Name
	case (t.Kind == "Pod" || t.Kind == "") && o.Name == t.Name:
		return true
	}
	return t.Kind != "Pod" && (madeBy(o.Name, t) || t.Kind == "" && madeBy(o.Name, incident.Target{Kind: "Deployment", Name: t.Name}))
}

// ofLife leaves out the events of a former pod of the same name.
func ofLife(events []*corev1.Event, uid types.UID) []*corev1.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e *corev1.Event) bool {
		return uid != "" && e.InvolvedObject.UID != "" && e.InvolvedObject.UID != uid
	})
}

// haunts says whether a pod's events tell of trouble that is neither old nor over:
// nothing started after it, and nobody stopped the pod on purpose.
func haunts(events []*corev1.Event, lately time.Time) bool {
	trouble := lastOf(events, isTrouble)
	if trouble == nil {
		return false
	}
	at := eventTime(trouble)
	if !at.IsZero() && lately.Sub(at) > eventLife {
		return false
	}
	if ends := lastOf(events, takenAway); ends != nil {
		return true
	}
	over := lastOf(events, func(e *corev1.Event) bool {
		return e.Reason == "Started" || e.Reason == "Killing" && strings.HasPrefix(e.Message, "Stopping container")
	})
	return over == nil || eventTime(over).IsZero() || eventTime(over).Before(at)
}

func isTrouble(e *corev1.Event) bool {
	return e.Type == corev1.EventTypeWarning || takenAway(e) ||
		e.Reason == "BackOff" || strings.HasPrefix(e.Reason, "Failed") || e.Reason == "Unhealthy"
}

func lastOf(events []*corev1.Event, like func(*corev1.Event) bool) *corev1.Event {
	for i := len(events) - 1; i >= 0; i-- {
		if like(events[i]) {
			return events[i]
		}
	}
	return nil
}

// lastTime is when the newest event of one of these reasons was last seen; zero
// when there is none.
func lastTime(events []*corev1.Event, reasons ...string) time.Time {
	if e := lastOf(events, func(e *corev1.Event) bool { return slices.Contains(reasons, e.Reason) }); e != nil {
		return eventTime(e)
	}
	return time.Time{}
}

// lately is the time that events are compared with: when they were observed, or,
// where they are all older than the API server keeps any, the newest of them, for
// then they were written down earlier than they were sent.
func (x *examination) lately() time.Time {
	var newest time.Time
	for i := range x.ev.Events {
		if at := eventTime(&x.ev.Events[i]); at.After(newest) {
			newest = at
		}
	}
	if !newest.IsZero() && x.ev.ObservedAt.Sub(newest) > eventLife {
		return newest
	}
	return x.ev.ObservedAt
}

// conjure makes a pod of what its events say.
func (x *examination) conjure(namespace string, o corev1.ObjectReference, events []*corev1.Event, lately time.Time) *pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: o.Name, UID: o.UID}}
	for _, e := range events {
		p.Spec.NodeName = cmp.Or(nodeOf(e), p.Spec.NodeName)
		if name, init, ok := containerOf(e); ok {
			addBox(p, name, init, e.Message)
		}
	}
	for _, c := range p.Spec.Containers {
		if s, ok := imagine(c.Name, len(p.Spec.Containers) == 1, events, lately); ok {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
		}
	}
	out := x.examinePod(p, true)
	if len(out.chain) == 0 {
		out.chain = x.makers(p)
		out.within = out.partOf()
	}
	return out
}

// makers are the controllers in the evidence that give their pods such names, the
// nearest first.
func (x *examination) makers(p *corev1.Pod) []incident.Target {
	for _, c := range x.own.all {
		if c.meta.Namespace != p.Namespace || !madeBy(p.Name, incident.Target{Kind: c.kind, Name: c.meta.Name}) {
			continue
		}
		self := c.target(x.cluster)
		return append([]incident.Target{self}, x.own.chainOf(c.meta, x.cluster)...)
	}
	return nil
}

// nodeOf is the node that an event tells of.
func nodeOf(e *corev1.Event) string {
	switch {
	case e.Reason == "FailedScheduling":
		return ""
	case e.Reason == "Scheduled":
		_, node, _ := strings.Cut(e.Message, " to ")
		return node
	case e.Source.Component == "kubelet":
		return e.Source.Host
	case e.ReportingController == "kubelet":
		return e.ReportingInstance
	}
	return ""
}

// containerOf is the container that an event is about.
func containerOf(e *corev1.Event) (name string, init, ok bool) {
	if path := e.InvolvedObject.FieldPath; path != "" {
		kind, rest, found := strings.Cut(path, "{")
		return strings.TrimSuffix(rest, "}"), kind == "spec.initContainers", found
	}
	switch e.Reason {
	case "Failed", "BackOff", "Pulling", "Pulled", "Created", "Started", "Unhealthy", "Killing", "InspectFailed", "ErrImageNeverPull":
		return namedContainer(e.Message), false, true
	}
	return "", false, false
}

// addBox gives a ghost a container, or the one it has its image. An event that
// does not name its container is about the only one that is known, if any.
func addBox(p *corev1.Pod, name string, init bool, message string) {
	boxes := &p.Spec.Containers
	if init {
		boxes = &p.Spec.InitContainers
	}
	i := slices.IndexFunc(*boxes, func(c corev1.Container) bool { return c.Name == name })
	switch {
	case i < 0 && name == "" && len(*boxes) > 0:
		i = 0
	case i < 0 && len(*boxes) == 1 && (*boxes)[0].Name == "":
		(*boxes)[0].Name, i = name, 0
	case i < 0 && len(*boxes) < maxContainers:
		*boxes = append(*boxes, corev1.Container{Name: name})
		i = len(*boxes) - 1
	}
	if i < 0 {
		return
	}
	if _, rest, ok := strings.Cut(message, `mage "`); ok && (*boxes)[i].Image == "" {
		(*boxes)[i].Image, _, _ = strings.Cut(rest, `"`)
	}
}

// imagine is the status that a container has by its events, once it was started:
// running, or waiting to be started again. Nothing of it is quoted.
func imagine(name string, alone bool, events []*corev1.Event, lately time.Time) (corev1.ContainerStatus, bool) {
	s := corev1.ContainerStatus{Name: name, Ready: true}
	for _, e := range events {
		if about, _, ok := containerOf(e); !ok || about != name && !(about == "" && alone) {
			continue
		}
		switch at := metav1.NewTime(eventTime(e)); {
		case e.Reason == "Started":
			s.RestartCount += eventCount(e)
			s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
		case e.Reason == "BackOff" && strings.Contains(e.Message, "restarting failed"):
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: e.Message}}
		case probeKill(e) != "":
			s.RestartCount = max(s.RestartCount, eventCount(e)+1)
		case probeOf(e) != "" && lately.Sub(at.Time) <= probeSpan:
			s.Ready = false
		}
	}
	s.RestartCount = max(s.RestartCount-1, 0)
	return s, s.State.Running != nil || s.State.Waiting != nil
}

// doubt lowers what was found of ghosts, and asks for the pod itself.
func (x *examination) doubt() {
	doubted := map[string]*pod{}
	for _, p := range x.pods {
		if p.ghost {
			doubted[p.within[0]] = p
		}
	}
	for i := range x.found {
		f := &x.found[i]
		for _, key := range f.within[:min(len(f.within), 2)] {
			if p := doubted[key]; p != nil {
				f.confidence = min(f.confidence, ghostDoubts)
				f.missing = append(f.missing, "the pod JSON of "+p.Namespace+"/"+p.Name+": only its events are known")
				f.wants = append(f.wants, CollectPod)
			}
		}
	}
}
