package intake

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"salve/internal/incident"
)

// webhook is one program that sends what Alertmanager's webhook sends, in a version
// of its own.
type webhook struct {
	source  string
	name    string // for people
	version string // as it stands in the body
}

// Grafana Alerting took the payload over, as version 1, with members of its own beside
// it. Source: Grafana's documentation of the webhook notifier.
var (
	fromAlertmanager = webhook{"alertmanager", "Alertmanager", "4"}
	fromGrafana      = webhook{"grafana", "Grafana", "1"}
)

// webhookAlert is one alert of Alertmanager's webhook, version 4.
type webhookAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	EndsAt      string            `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// notification is the envelope of one POST. The root's status is not read: one
// notification mixes firing and resolved alerts.
type notification struct {
	version   string
	truncated uint64
	alerts    []span
	seen      map[string]bool
}

// parse reads a notification as Alertmanager 0.16 to 0.34, or Grafana 9 to 12, sends it.
func (h webhook) parse(in Input) (Parsed, error) {
	b := newBody(in.Body)
	n, err := h.read(b)
	if err != nil {
		return Parsed{}, unreadable(err)
	}
	parsed := Parsed{Items: make([]Item, len(n.alerts))}
	if n.truncated > 0 {
		parsed.Notes = append(parsed.Notes, fmt.Sprintf("%s left out %d alerts of this group (max_alerts)", h.name, n.truncated))
	}
	for i, s := range n.alerts {
		parsed.Items[i] = h.item(in, b, s, "/alerts/"+strconv.Itoa(i))
	}
	return parsed, nil
}

func (h webhook) read(b body) (notification, error) {
	n := notification{seen: map[string]bool{}}
	whole := b.whole()
	if whole.from == whole.to {
		return n, &BodyError{Detail: "the body is empty; send a notification of " + h.called(), Offset: -1}
	}
	w := b.walk()
	if b.text[whole.from] != '{' {
		return n, b.wrongKind("the body is not an object; send a notification of " + h.called())
	}
	if _, err := w.ReadToken(); err != nil {
		return n, err
	}
	for w.PeekKind() == '"' {
		if err := n.readMember(w); err != nil {
			return n, err
		}
	}
	if _, err := w.ReadToken(); err != nil {
		return n, err
	}
	return n, cmp.Or(w.end(), n.complete(h))
}

// readMember reads one member of the envelope. What is not needed may be there,
// missing, or of any type: the fields grow with every version.
func (n *notification) readMember(w walker) error {
	name, err := w.ReadToken()
	if err != nil {
		return err
	}
	switch member := name.String(); member {
	case "version", "truncatedAlerts", "alerts":
		if n.seen[member] {
			return &BodyError{Detail: "is there twice", Pointer: "/" + member, Offset: w.InputOffset()}
		}
		n.seen[member] = true
		return n.readKnown(w, member)
	default:
		return w.SkipValue()
	}
}

func (n *notification) readKnown(w walker, member string) (err error) {
	if member == "alerts" {
		if w.PeekKind() != '[' {
			return wrongMember(w, member, "an array of alerts")
		}
		n.alerts, err = w.elements()
		return err
	}
	value, err := w.ReadValue()
	if err != nil {
		return err
	}
	if member == "version" {
		n.version = strings.Clone(string(value))
		return nil
	}
	// A count that cannot be read is no reason to lose the alerts.
	_ = json.Unmarshal(value, &n.truncated)
	return nil
}

func wrongMember(w walker, member, want string) error {
	at := w.InputOffset()
	kind := w.PeekKind()
	if err := w.SkipValue(); err != nil {
		return err
	}
	return &BodyError{Detail: "must be " + want + ", not " + article(kind), Pointer: "/" + member, Offset: at}
}

func (h webhook) called() string { return h.name + "'s webhook, version " + h.version }

// complete says whether this is a notification of that version.
func (n *notification) complete(h webhook) error {
	switch {
	case !n.seen["version"]:
		return &BodyError{Detail: fmt.Sprintf("version is missing; %s's webhook says %q", h.name, h.version), Pointer: "/version", Offset: -1}
	case n.version != strconv.Quote(h.version):
		return &BodyError{Detail: fmt.Sprintf("version %s is not known; %s's webhook says %q", clip(n.version, quoted), h.name, h.version), Pointer: "/version", Offset: -1}
	case !n.seen["alerts"]:
		return &BodyError{Detail: "alerts is missing", Pointer: "/alerts", Offset: -1}
	}
	return nil
}

func (h webhook) item(in Input, b body, s span, root string) Item {
	raw, f := b.item(s), &findings{notes: b.notes(s)}
	a, ok := decode[webhookAlert](raw, f)
	if !ok {
		return f.rejected(root)
	}
	starts, ends := a.check(in.ReceivedAt, f)
	if len(f.problems) > 0 {
		return f.rejected(root)
	}
	cluster := in.cluster(f.name(a.Labels, "cluster"))
	event := a.event(h.source, cluster, f)
	event.StartsAt, event.EndsAt, event.Payload = starts, ends, raw
	return in.item(event, clues{cluster: cluster, labels: event.Labels}, "", f)
}

// check refuses only what cannot be understood: Alertmanager does not send a
// refused alert again, so everything else is carried.
func (a *webhookAlert) check(now time.Time, f *findings) (starts, ends time.Time) {
	if a.Status != string(incident.Firing) && a.Status != string(incident.Resolved) {
		f.refuse("/status", "%s; status is firing or resolved", saw(a.Status))
	}
	if len(a.Labels) == 0 {
		f.refuse("/labels", "is empty; an alert has at least the label alertname")
	}
	if len(a.Fingerprint) > maxName {
		f.refuse("/fingerprint", "is %d bytes long; at most %d are taken", len(a.Fingerprint), maxName)
	}
	starts, ends = f.time("/startsAt", a.StartsAt), f.time("/endsAt", a.EndsAt)
	if starts.IsZero() {
		f.note("startsAt is missing: the alert counts to the episode that is open")
	}
	if starts.Sub(now) > maxAhead {
		f.note("startsAt is %s ahead: the sender's clock is wrong", starts.Sub(now).Round(time.Second))
	}
	if a.Status == string(incident.Firing) {
		ends = time.Time{}
	}
	return starts, ends
}

func (a *webhookAlert) event(source, cluster string, f *findings) incident.Event {
	fingerprint := a.Fingerprint
	if fingerprint == "" {
		fingerprint = labelFingerprint(source, cluster, a.Labels)
	}
	labels := f.fitPairs("label", a.Labels, maxLabelValue)
	annotations := f.fitPairs("annotation", a.Annotations, maxText)
	return incident.Event{
		Source:      source,
		Status:      incident.AlertStatus(a.Status),
		Fingerprint: fingerprint,
		Name:        cmp.Or(f.name(labels, "alertname"), unnamed),
		Severity:    webhookSeverity(labels["severity"]),
		Message:     messageOf(annotations),
		Labels:      labels,
		Annotations: annotations,
	}
}

// severities maps the words in use among Prometheus rules to ours.
var severities = map[string]incident.Severity{
	"critical": incident.Critical, "page": incident.Critical,
	"error": incident.High, "high": incident.High, "major": incident.High,
	"warning": incident.Warning, "warn": incident.Warning, "minor": incident.Warning,
	"info": incident.Info, "informational": incident.Info, "none": incident.Info,
}

// webhookSeverity maps the label; a word that nobody knows is a warning.
func webhookSeverity(label string) incident.Severity {
	return cmp.Or(severities[strings.ToLower(strings.TrimSpace(label))], incident.Warning)
}
