package evidence

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// describedEvents reads the table of Events; it says whether one was printed.
func (r *reader) describedEvents(d described) bool {
	if !d.has("Events") {
		return false
	}
	if r.described.Events == nil {
		r.described.Events = []corev1.Event{}
	}
	object := corev1.ObjectReference{Kind: d.kind, Namespace: d.get("Namespace"), Name: d.get("Name")}
	var t table
	var events []corev1.Event
	for _, line := range d.section("Events").lines {
		switch {
		case t.names == nil:
			t = tableOf(line)
		case strings.HasPrefix(strings.TrimSpace(line), "---") || strings.TrimSpace(line) == "":
		case !strings.HasPrefix(line, "  ") && len(events) > 0:
			continued(&events[len(events)-1], line)
		case len(events) < maxItems:
			if e, ok := r.eventOf(t.row(line), object); ok {
				events = append(events, e)
			}
		}
	}
	r.described.Events = append(r.described.Events, events...)
	return len(events) > 0 || d.get("Events") == ""
}

// maxContinued bounds a message of many lines.
const maxContinued = 4 << 10

func continued(e *corev1.Event, line string) {
	if len(e.Message) < maxContinued {
		e.Message += "\n" + clip(line, maxLookLine)
	}
}

// eventOf reads a line of Type, Reason, Age, From and Message.
func (r *reader) eventOf(row row, object corev1.ObjectReference) (corev1.Event, bool) {
	e := corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace},
		Type:       row.get("Type"), Reason: row.get("Reason"), Message: row.get("Message"),
		Source: corev1.EventSource{Component: row.get("From")}, InvolvedObject: object,
	}
	e.InvolvedObject.FieldPath, e.Message = fieldPath(e.Message)
	r.seen(&e, row.get("Age"))
	return e, e.Reason != "" && (e.Type == "Normal" || e.Type == "Warning")
}

// fieldPath parts "spec.containers{app}: Back-off …", as newer kubectls print it.
func fieldPath(message string) (path, rest string) {
	if strings.HasPrefix(message, "spec.") {
		if path, rest, ok := strings.Cut(message, ": "); ok && strings.HasSuffix(path, "}") {
			return path, rest
		}
	}
	return "", message
}

// seen reads "2m1s (x25 over 10m)" or "12m", counted back from when it was printed.
func (r *reader) seen(e *corev1.Event, text string) {
	last, more, _ := strings.Cut(text, " (x")
	e.LastTimestamp, e.FirstTimestamp, e.Count = r.ago(last), r.ago(last), 1
	times, since, ok := strings.Cut(strings.TrimSuffix(more, ")"), " over ")
	if n, isCount := count(times); ok && isCount && n.Value < 1<<31 {
		e.Count, e.FirstTimestamp = int32(n.Value), r.ago(since)
	}
}

func (r *reader) ago(text string) metav1.Time {
	d, ok := age(strings.TrimSpace(text))
	if !ok || r.ev.ObservedAt.IsZero() {
		return metav1.Time{}
	}
	return metav1.Time{Time: r.ev.ObservedAt.Add(-d).Truncate(time.Second)}
}
