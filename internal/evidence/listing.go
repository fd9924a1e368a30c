package evidence

import (
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var errNoListing = errors.New("kubectl get -o json (or yaml) is expected, or the table of kubectl get events or kubectl get pods")

func isEventTable(t table) bool { return t.has("LAST SEEN", "REASON", "MESSAGE") }

func isPodTable(t table) bool { return t.has("NAME", "READY", "STATUS", "RESTARTS", "AGE") }

func isListing(t table) bool { return isEventTable(t) || isPodTable(t) }

func looksLikeListing(l look) bool {
	return l.any(func(line string) bool { return isListing(tableOf(line)) })
}

// readListing reads the tables of kubectl get and kubectl events; of kubectl get
// all, those that are read. It also takes what -o json and -o yaml print.
func readListing(r *reader, p printout) error {
	if isDocument(p.text) {
		return r.printedDocuments(p)
	}
	if strings.HasPrefix(strings.TrimSpace(p.text), "No resources found") {
		return r.noneListed(p)
	}
	found := false
	rows(p.text, isListing, func(row row) {
		switch {
		case isEventTable(row.table):
			found = r.listedEvent(row, p.namespace()) || found
		case len(r.listed.Pods) < maxItems:
			if pod, ok := r.listedPod(row, p.namespace()); ok {
				r.listed.Pods, found = append(r.listed.Pods, pod), true
			}
		}
	})
	if !found {
		return errNoListing
	}
	return nil
}

// printedDocuments reads Kubernetes objects that a tool printed.
func (r *reader) printedDocuments(p printout) error {
	strangers := r.strangers
	if r.documents(p.pointer, []byte(p.text)); r.strangers > strangers {
		return errNoListing
	}
	return nil
}

// noneListed says that there are none of what was asked for.
func (r *reader) noneListed(p printout) error {
	if p.arg(1) == "events" || kindNamed(p.arg(2)) == "Event" {
		if r.listed.Events == nil {
			r.listed.Events = []corev1.Event{}
		}
		return nil
	}
	if kindNamed(p.arg(2)) == "Pod" && len(p.words) == 3 && r.listed.Pods == nil {
		r.listed.Pods = []corev1.Pod{}
	}
	return nil
}

func (r *reader) listedEvent(row row, namespace string) bool {
	kind, name, ok := strings.Cut(row.get("OBJECT"), "/")
	if !ok { // as kubectl before 1.13 printed it
		kind, name = row.get("KIND"), row.get("NAME")
		name, _, _ = strings.Cut(name, ".")
	}
	if row.get("NAMESPACE") != "" {
		namespace = row.get("NAMESPACE")
	}
	e := corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: eventName(row)},
		Type:       row.get("TYPE"), Reason: row.get("REASON"), Message: row.get("MESSAGE"),
		InvolvedObject: corev1.ObjectReference{Kind: kindNamed(kind), Namespace: namespace, Name: name, FieldPath: row.get("SUBOBJECT")},
	}
	if e.InvolvedObject.Kind == "Node" {
		e.InvolvedObject.Namespace = ""
	}
	e.Source.Component, _, _ = strings.Cut(row.get("SOURCE"), ",")
	r.seen(&e, row.get("LAST SEEN"))
	if first := r.ago(row.get("FIRST SEEN")); !first.IsZero() {
		e.FirstTimestamp = first
	}
	if n := countOrNot(row.get("COUNT")); n.Known && n.Value < 1<<31 {
		e.Count = int32(n.Value)
	}
	if e.Reason == "" || name == "" || len(r.listed.Events) >= maxItems {
		return false
	}
	r.listed.Events = append(r.listed.Events, e)
	return true
}

// eventName is what -o wide prints of the event itself.
func eventName(row row) string {
	if row.table.has("OBJECT") {
		return row.get("NAME")
	}
	return ""
}

// listedPod reads a line of kubectl get pods.
func (r *reader) listedPod(row row, namespace string) (corev1.Pod, bool) {
	name := strings.TrimPrefix(row.get("NAME"), "pod/")
	if row.get("NAMESPACE") != "" {
		namespace = row.get("NAMESPACE")
	}
	ready, total, ok := strings.Cut(row.get("READY"), "/")
	if name == "" || !ok || strings.Contains(name, "/") || !countOrNot(total).Known {
		return corev1.Pod{}, false
	}
	pod := corev1.Pod{TypeMeta: typeMeta("Pod"), ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	pod.CreationTimestamp = r.ago(row.get("AGE"))
	pod.Spec.NodeName, pod.Status.PodIP = row.get("NODE"), row.get("IP")
	restarts, _ := cutWord(row.get("RESTARTS"))
	status := podStatus{
		word: row.get("STATUS"), ready: ready == total, restarts: number32(restarts), at: r.ev.ObservedAt,
	}
	status.tell(&pod)
	return pod, true
}
