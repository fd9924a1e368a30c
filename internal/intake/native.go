package intake

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

const (
	sourceNative = "native" // for alerts that name no source of their own
	unnamed      = "alert"  // for alerts that say neither alertname nor message
)

// nativeAlert is one alert of POST /v1/alerts. What else it holds stays in the
// event's payload.
type nativeAlert struct {
	Severity    string            `json:"severity"`
	Service     string            `json:"service"`
	Message     string            `json:"message"`
	Source      string            `json:"source"`
	Hostname    string            `json:"hostname"`
	Cluster     string            `json:"cluster"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"starts_at"`
	EndsAt      string            `json:"ends_at"`
	Status      string            `json:"status"`
	Kind        string            `json:"kind"` // a family of causes, or a cause: the first hypothesis
	Target      *givenTarget      `json:"target"`
	Evidence    jsontext.Value    `json:"evidence"`
	DryRun      bool              `json:"dry_run"`
}

// parseNative reads one alert or an array of them.
func parseNative(in Input) (Parsed, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to {
		return Parsed{}, &BodyError{Detail: "the body is empty; send one alert as a JSON object, or an array of alerts", Offset: -1}
	}
	switch b.text[whole.from] {
	case '{':
		return parseNativeOne(in, b, whole)
	case '[':
		return parseNativeMany(in, b)
	}
	return Parsed{}, b.wrongKind("the body is neither an object nor an array; send one alert, or an array of alerts")
}

// parseNativeOne reads one alert in one go. Only when it is refused is it asked
// whether the fault is the alert's or the whole body's.
func parseNativeOne(in Input, b body, whole span) (Parsed, error) {
	item := nativeItem(in, b, whole, "")
	if item.Rejected != nil {
		if err := b.readable(); err != nil {
			return Parsed{}, err
		}
	}
	return Parsed{Items: []Item{item}}, nil
}

func parseNativeMany(in Input, b body) (Parsed, error) {
	w := b.walk()
	spans, err := w.elements()
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return Parsed{}, unreadable(err)
	}
	items := make([]Item, len(spans))
	for i, s := range spans {
		items[i] = nativeItem(in, b, s, "/"+strconv.Itoa(i))
	}
	return Parsed{Items: items}, nil
}

func nativeItem(in Input, b body, s span, root string) Item {
	raw, f := b.item(s), &findings{notes: b.notes(s)}
	a, ok := decode[nativeAlert](raw, f)
	if !ok {
		return f.rejected(root)
	}
	starts, ends := a.check(in.ReceivedAt, f)
	cluster := a.cluster(in, f)
	if len(f.problems) > 0 {
		return f.rejected(root)
	}
	event := a.event(cluster, f)
	event.StartsAt, event.EndsAt, event.Payload = starts, ends, raw
	if event.Evidence != nil {
		event.Payload = without(raw, "evidence")
	}
	c := clues{cluster: cluster, namespace: a.Namespace, host: a.Hostname, service: a.Service, given: a.Target, labels: a.Labels}
	return in.item(event, c, a.Kind, f)
}

// check finds everything for which the alert is refused, and reads its times.
func (a *nativeAlert) check(now time.Time, f *findings) (starts, ends time.Time) {
	if !incident.Severity(a.Severity).Valid() {
		f.refuse("/severity", "%s; severity is one of critical, high, warning, info", saw(a.Severity))
	}
	if a.Status != "" && a.Status != string(incident.Firing) && a.Status != string(incident.Resolved) {
		f.refuse("/status", "%s; status is firing (as when it is left out) or resolved", saw(a.Status))
	}
	if a.Service+a.Hostname+a.Namespace == "" && len(a.Labels) == 0 && !a.Target.names() {
		f.refuse("", "nothing says what the alert is about; give service, hostname, namespace, target or labels")
	}
	if len(a.Evidence) > 0 && a.Evidence.Kind() != '{' && a.Evidence.Kind() != 'n' {
		f.refuse("/evidence", "must be an object, not %s", article(a.Evidence.Kind()))
	}
	a.checkBounds(f)
	return a.checkTimes(now, f)
}

func (a *nativeAlert) checkBounds(f *findings) {
	f.checkName("/service", a.Service)
	f.checkName("/source", a.Source)
	f.checkName("/hostname", a.Hostname)
	f.checkName("/cluster", a.Cluster)
	f.checkName("/namespace", a.Namespace)
	f.checkName("/kind", a.Kind)
	a.Target.check(f)
	if len(a.Message) > maxText {
		f.refuse("/message", "is %d bytes long; at most %d are taken", len(a.Message), maxText)
	}
	f.checkPairs("/labels", a.Labels, maxLabelValue)
	f.checkPairs("/annotations", a.Annotations, maxText)
}

// checkTimes reads the times. An end is kept for resolved alerts only: while an
// alert fires, its end is a forecast.
func (a *nativeAlert) checkTimes(now time.Time, f *findings) (starts, ends time.Time) {
	starts, ends = f.time("/starts_at", a.StartsAt), f.time("/ends_at", a.EndsAt)
	if ahead := starts.Sub(now); !starts.IsZero() && ahead > maxAhead {
		f.refuse("/starts_at", "%s is after now (%s); clocks may differ by %s", starts.Format(time.RFC3339), now.UTC().Format(time.RFC3339), maxAhead)
	}
	if !ends.IsZero() && ends.Before(starts) {
		f.refuse("/ends_at", "%s is before starts_at", ends.Format(time.RFC3339))
	}
	if a.Status != string(incident.Resolved) {
		ends = time.Time{}
	}
	return starts, ends
}

// cluster is the field's, the target's or the label's. Two that contradict each
// other are refused: a change in the wrong cluster is the worst of answers.
func (a *nativeAlert) cluster(in Input, f *findings) string {
	given := a.Target.cluster()
	if a.Cluster != "" && given != "" && a.Cluster != given {
		f.refuse("/target/cluster", "%s, but cluster says %q", saw(given), clip(a.Cluster, quoted))
	}
	return in.cluster(a.Cluster, given, f.name(a.Labels, "cluster"))
}

func (a *nativeAlert) event(cluster string, f *findings) incident.Event {
	source := cmp.Or(a.Source, sourceNative)
	return incident.Event{
		Source:      source,
		Status:      incident.AlertStatus(cmp.Or(a.Status, string(incident.Firing))),
		Fingerprint: a.fingerprint(source, cluster),
		Name:        cmp.Or(f.name(a.Labels, "alertname"), clip(firstLine(a.Message), maxTitle), unnamed),
		Severity:    incident.Severity(a.Severity),
		Message:     cmp.Or(a.Message, messageOf(a.Annotations)),
		Labels:      a.Labels,
		Annotations: a.Annotations,
		Evidence:    a.evidence(),
		DryRun:      a.DryRun,
	}
}

func (a *nativeAlert) fingerprint(source, cluster string) string {
	if len(a.Labels) > 0 {
		return labelFingerprint(source, cluster, a.Labels)
	}
	fields := append([]string{a.Service, a.Hostname, a.Namespace}, a.Target.parts()...)
	return fieldFingerprint(source, cluster, fields...)
}

func (a *nativeAlert) evidence() []byte {
	if a.Evidence.Kind() != '{' {
		return nil
	}
	return a.Evidence
}

// messageOf is what an alert says in words: summary, description or message.
func messageOf(annotations map[string]string) string {
	return cmp.Or(annotations["summary"], annotations["description"], annotations["message"])
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// saw repeats a sender's word in an answer, and never much of it.
func saw(word string) string {
	if word == "" {
		return "is missing"
	}
	return strconv.Quote(clip(word, quoted)) + " is not possible"
}
