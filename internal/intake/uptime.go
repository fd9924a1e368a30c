package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// Two programs that look at addresses. Gatus sends what its custom alert says: the one
// of deploy/gatus. Source: Gatus' README, "Configuring custom alerts". Uptime Kuma sends
// JSON of its own. Source: Uptime Kuma, server/notification-providers/webhook.js.
var (
	fromGatus      = sender{"gatus", "Gatus' custom alert as deploy/gatus has it, {status, name, group, url, description, errors}", readGatus}
	fromUptimeKuma = sender{"uptime-kuma", "Uptime Kuma's webhook with the content type application/json, {heartbeat, monitor, msg}", readUptimeKuma}
)

type gatusAlert struct {
	Status      string `json:"status"` // [ALERT_TRIGGERED_OR_RESOLVED]
	Name        string `json:"name"`
	Group       string `json:"group"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Errors      string `json:"errors"`
	Conditions  string `json:"conditions"`
	Severity    string `json:"severity"`
}

func readGatus(raw []byte, f *findings) (told, bool) {
	a, ok := decodeLoose[gatusAlert](raw, f)
	if !ok {
		return told{}, false
	}
	t := told{
		name: "EndpointDown", kind: "slo.availability", severity: incident.High, service: a.Name, fingerprint: []string{a.Group, a.Name},
		message: strings.TrimSpace(strings.Join([]string{cmp.Or(a.Description, a.Name+" does not answer as it must"), a.URL, a.Errors, a.Conditions}, "\n")),
		labels:  map[string]string{"alertname": "EndpointDown", "endpoint": a.Name, "group": a.Group, "url": a.URL},
	}
	if a.Severity != "" {
		t.severity = webhookSeverity(a.Severity)
	}
	switch strings.ToUpper(a.Status) {
	case "TRIGGERED":
	case "RESOLVED":
		t.status = incident.Resolved
	default:
		f.refuse("/status", "%s; [ALERT_TRIGGERED_OR_RESOLVED] is TRIGGERED or RESOLVED", saw(a.Status))
	}
	if a.Name == "" {
		f.refuse("/name", "is missing; it is [ENDPOINT_NAME]")
	}
	return t, true
}

type uptimeKumaAlert struct {
	Msg       string `json:"msg"`
	Heartbeat *struct {
		Status *int   `json:"status"` // 0 down, 1 up, 2 pending, 3 maintenance
		Time   string `json:"time"`
		Msg    string `json:"msg"`
	} `json:"heartbeat"`
	Monitor *struct {
		ID       text   `json:"id"`
		Name     string `json:"name"`
		URL      string `json:"url"`
		Hostname string `json:"hostname"`
		Type     string `json:"type"`
		Tags     []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"tags"`
	} `json:"monitor"`
}

func readUptimeKuma(raw []byte, f *findings) (told, bool) {
	a, ok := decodeLoose[uptimeKumaAlert](raw, f)
	switch {
	case !ok:
		return told{}, false
	case a.Heartbeat == nil && a.Msg == "":
		f.refuse("/heartbeat", "is missing; Uptime Kuma sends {heartbeat, monitor, msg}")
		return told{}, false
	case a.Heartbeat == nil || a.Monitor == nil:
		return told{name: clip(a.Msg, maxTitle), fingerprint: []string{"test"}, suppress: "no heartbeat came with it: a test, or a note"}, true
	}
	m := a.Monitor
	t := told{
		name: "MonitorDown", kind: "slo.availability", severity: incident.High, service: m.Name, at: moment(a.Heartbeat.Time),
		message: cmp.Or(a.Msg, m.Name+": "+a.Heartbeat.Msg), fingerprint: []string{string(m.ID), m.Name},
		labels: map[string]string{"alertname": "MonitorDown", "monitor": m.Name, "url": m.URL, "type": m.Type},
	}
	for _, tag := range m.Tags {
		if tag.Name != "" && tag.Value != "" && len(t.labels) < maxPairs {
			t.labels[tag.Name] = tag.Value
		}
	}
	if m.URL == "" || m.URL == "https://" {
		t.host = m.Hostname
	}
	switch status := a.Heartbeat.Status; {
	case status == nil:
		f.refuse("/heartbeat/status", "is missing; it is 0 (down), 1 (up), 2 (pending) or 3 (maintenance)")
	case *status == 0:
	case *status == 1:
		t.status = incident.Resolved
	default:
		t.suppress = "the monitor is pending or in maintenance: neither down nor up"
	}
	return t, true
}
