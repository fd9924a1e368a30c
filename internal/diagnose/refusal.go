package diagnose

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// refusalSign is a phrase that tells why the API server would not create an object.
type refusalSign struct {
	phrase string // in lower case
	cause  string // "" where the refusal is none of ours
	why    string
}

// refusalSigns in the order in which they decide. A quota's refusal is also
// "forbidden", and a webhook may say anything after its "denied the request".
var refusalSigns = []refusalSign{
	{"is being terminated", "", ""},
	{"cannot create resource", "", ""}, // a lack of rights, not an admission rule
	{"denied the request", causeAdmissionDenied, "an admission webhook or policy denied the request"},
	{"failed calling webhook", causeAdmissionDenied, "an admission webhook that must answer could not be called"},
	{"failed calling admission webhook", causeAdmissionDenied, "an admission webhook that must answer could not be called"},
	{"exceeded quota", causeQuotaExceeded, "the quota of the namespace is used up"},
	{"failed quota", causeQuotaExceeded, "the quota of the namespace asks for requests or limits that the pod does not have"},
	{"insufficient quota to match these scopes", causeQuotaExceeded, "no quota of the namespace covers such a pod"},
	{"maximum number of pods", causeQuotaExceeded, "the quota of the namespace is used up"},
	{"violates podsecurity", causeAdmissionDenied, "the namespace's Pod Security level forbids such a pod"},
	{"unable to validate against any pod security policy", causeAdmissionDenied, "no PodSecurityPolicy allows such a pod"},
	{"unable to validate against any security context constraint", causeAdmissionDenied, "no SecurityContextConstraint allows such a pod"},
	{"validatingadmissionpolicy", causeAdmissionDenied, "a ValidatingAdmissionPolicy denied the request"},
	{"error looking up service account", causeAdmissionDenied, "the pod's service account does not exist"},
	{"usage per container is", causeAdmissionDenied, "a LimitRange of the namespace forbids these resources"},
	{"usage per pod is", causeAdmissionDenied, "a LimitRange of the namespace forbids these resources"},
	{"usage per persistentvolumeclaim is", causeAdmissionDenied, "a LimitRange of the namespace forbids a claim of this size"},
	{"limit to request ratio per", causeAdmissionDenied, "a LimitRange of the namespace forbids this ratio of limit to request"},
	{"no priorityclass with name", causeAdmissionDenied, "the pod's priority class does not exist"},
	{"pod rejected: runtimeclass", causeAdmissionDenied, "the pod's runtime class does not exist"},
	{"node selector conflicts", causeAdmissionDenied, "the pod's node selector conflicts with that of the namespace"},
	{"node label selector conflicts", causeAdmissionDenied, "the pod's node selector conflicts with that of the namespace"},
	{"request did not complete within", causeAdmissionDenied, "an admission webhook, or the API server itself, did not answer in time"},
	{"is forbidden", causeAdmissionDenied, "an admission rule forbids it"},
	{"is invalid", causeAdmissionDenied, "the API server finds it invalid"},
}

// refusal is one word of the API server against an object.
type refusal struct {
	refusalSign
	text  string // in the API server's words
	quote string
	sure  float64
}

// readRefusal finds the first sign in a message.
func readRefusal(message string) (refusalSign, bool) {
	lower := strings.ToLower(clip(message, maxRefusal))
	for _, s := range refusalSigns {
		if strings.Contains(lower, s.phrase) {
			return s, s.cause != ""
		}
	}
	return refusalSign{}, false
}

// maxRefusal bounds what is read of one message: Pod Security lists every field.
const maxRefusal = 8 << 10

// refusal is the API server's last word against the workload's pods: the
// controller's own condition first, for it goes away with its reason.
func (w *workload) refusal() (refusal, bool) {
	for _, kind := range []string{"ReplicaFailure", "Progressing"} {
		c := w.find(kind)
		if c.yes() != (kind == "ReplicaFailure") || c.status == "" || kind == "Progressing" && c.reason != "ReplicaSetCreateError" && c.reason != "FailedCreate" {
			continue
		}
		if s, ok := readRefusal(c.message); ok {
			return refusal{s, c.message, w.quote(c.quote()), certain}, true
		}
	}
	return w.refusalEvent()
}

// refusalEvent reads the events, unless they are of the past: the workload has
// its pods, or was given one after the refusal.
func (w *workload) refusalEvent() (refusal, bool) {
	e, ok := w.lately(createFailed, []string{"SuccessfulCreate", "Completed"})
	if !ok || w.hasItsPods() {
		return refusal{}, false
	}
	s, ok := readRefusal(e.Message)
	if !ok {
		return refusal{}, false
	}
	sure := strong
	if w.seen {
		sure = 0.95
	}
	return refusal{s, e.Message, quoteEvent(e), sure}, true
}

// createFailed are the reasons of events that tell of a refused creation.
var createFailed = []string{"FailedCreate", "ReplicaSetCreateError", "FailedCreatePod", "FailedUpdate"}

// hasItsPods says whether nothing is refused any more, as far as the evidence
// shows the workload, or the Deployment of a ReplicaSet.
func (w *workload) hasItsPods() bool {
	if w.job != nil {
		return w.find("Complete").yes() || w.find("Failed").yes() || w.wanted > 0 && w.has >= w.wanted
	}
	if w.seen && w.kind != "Deployment" {
		return w.current && w.has >= w.wanted
	}
	top := w.place().at
	return slices.ContainsFunc(w.x.works, func(o *workload) bool { return o.kind == "Deployment" && o.key() == top && o.complete() })
}

func refused(cause string) func(*workload) (finding, bool) {
	return func(w *workload) (finding, bool) {
		r, ok := w.refusal()
		if !ok || r.cause != cause {
			return finding{}, false
		}
		f := finding{
			confidence: r.sure,
			symptom:    w.lacking(),
			quotes:     []string{r.quote},
			because:    "the API server refuses the pods of " + w.title() + ": " + r.why + ": " + r.said(),
		}
		f.confidence = min(f.confidence, r.atMost())
		if w.seen {
			f.quotes = append(f.quotes, w.counts())
		}
		for _, q := range w.x.fullQuotas(w.meta.Namespace) {
			if r.cause == causeQuotaExceeded && strings.Contains(r.text, q.meta.Name) {
				f.quotes = append(f.quotes, q.quote(q.usage()))
			}
		}
		return f, true
	}
}

// atMost is less for a sign that does not say which rule refused.
func (s refusalSign) atMost() float64 {
	switch s.phrase {
	case "is forbidden", "is invalid":
		return likely
	case "request did not complete within":
		return fair
	}
	return certain
}

// lacking is what people see of a workload whose pods are not created.
func (w *workload) lacking() string {
	switch {
	case w.isJob() || !w.seen:
		return w.title() + " does not get its pods"
	case w.has < w.wanted:
		return fmt.Sprintf("%s has %d of %d pods", w.title(), max(w.has, 0), w.wanted)
	default:
		return w.title() + " does not get the pods of its newest template"
	}
}

// said is the API server's sentence without what the controller and client put
// before it.
func (r refusal) said() string {
	text := r.text
	for _, from := range []string{"exceeded quota", "failed quota", "Exceeded quota", "Failed quota", "admission webhook", "failed calling", "violates PodSecurity", "ValidatingAdmissionPolicy", "is forbidden: ", "is invalid: "} {
		if at := strings.Index(text, from); at >= 0 {
			return strings.TrimPrefix(text[at:], "is forbidden: ")
		}
	}
	return text
}

// shortOfPods finds a workload that has fewer pods than it wants while a quota
// that counts them is full, though nothing quotes a refusal.
func shortOfPods(w *workload) (finding, bool) {
	if !w.seen || !w.current || w.isJob() || w.has >= w.wanted || w.kind == "DaemonSet" {
		return finding{}, false
	}
	if _, told := w.refusal(); told || len(createEvents(w.events)) > 0 {
		return finding{}, false
	}
	for _, q := range w.x.fullQuotas(w.meta.Namespace) {
		if !q.ofPods() {
			continue
		}
		return finding{
			confidence:   fair,
			symptom:      w.lacking(),
			quotes:       []string{w.counts(), q.quote(q.usage())},
			because:      "the quota " + q.meta.Name + " of namespace " + q.meta.Namespace + " is used up (" + q.usage() + "), so no further pod is admitted",
			alternatives: []alternative{{causeAdmissionDenied, slight / 2}},
			missing:      []string{"the FailedCreate events of " + w.title() + ", which would say what was refused and why"},
			wants:        []string{CollectWorkload},
		}, true
	}
	return finding{}, false
}

func createEvents(events []*corev1.Event) []*corev1.Event {
	var out []*corev1.Event
	for _, e := range events {
		if slices.Contains(createFailed, e.Reason) {
			out = append(out, e)
		}
	}
	return out
}
