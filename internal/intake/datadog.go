package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// Datadog's webhook sends what its payload template says. Known are the default one,
// and deploy/datadog/webhook.json, which says more. Source: Datadog, "Webhooks
// integration", variables.
var fromDatadog = sender{"datadog", "Datadog's webhook with its default payload, or with the one of deploy/datadog", readDatadog}

type datadogEvent struct {
	ID         text   `json:"id"`
	Title      string `json:"title"`
	Body       string `json:"body"`
	Date       text   `json:"date"`
	Updated    text   `json:"last_updated"`
	EventType  string `json:"event_type"`
	AlertID    text   `json:"alert_id"`
	AggregKey  string `json:"aggreg_key"`
	Scope      string `json:"alert_scope"`
	Transition string `json:"alert_transition"`
	AlertType  string `json:"alert_type"`
	Priority   string `json:"alert_priority"`
	AlertTitle string `json:"alert_title"`
	Hostname   string `json:"hostname"`
	Tags       string `json:"tags"`
}

// transitions are Datadog's words for a change; what is none of them is none.
var transitions = map[string]incident.AlertStatus{
	"triggered": incident.Firing, "re-triggered": incident.Firing, "warn": incident.Firing, "re-warn": incident.Firing, "renotify": incident.Firing, "no data": incident.Firing, "re-no data": incident.Firing,
	"recovered": incident.Resolved,
}

// datadogTags are tags that have a name of their own among labels.
var datadogTags = map[string]string{"kube_namespace": "namespace", "pod_name": "pod", "kube_deployment": "deployment", "kube_cluster_name": "cluster", "kube_container_name": "container", "cluster_name": "cluster"}

func readDatadog(raw []byte, f *findings) (told, bool) {
	e, ok := decodeLoose[datadogEvent](raw, f)
	if !ok {
		return told{}, false
	}
	if e.Title+e.AlertTitle == "" {
		f.refuse("/title", "is missing; the default payload and deploy/datadog have one")
		return told{}, false
	}
	word, rest := e.Transition, e.Title
	if tag, after, cut := strings.Cut(e.Title, "] "); cut && strings.HasPrefix(tag, "[") {
		word, rest = cmp.Or(word, tag[1:]), after // [Triggered] CPU is high
	}
	status, known := transitions[strings.ToLower(strings.TrimSpace(word))]
	name := cmp.Or(e.AlertTitle, rest)
	t := told{
		status: status, name: name, message: e.Body, at: moment(cmp.Or(string(e.Updated), string(e.Date))), host: e.Hostname,
		severity: datadogSeverity(e), labels: map[string]string{"alertname": name},
		fingerprint: []string{string(e.AlertID), cmp.Or(e.AggregKey, e.Scope), cmp.Or(e.Hostname, rest)},
	}
	if e.AlertID == "" && e.AggregKey == "" {
		t.fingerprint = []string{rest} // the default payload knows no monitor
	}
	tagged(e.Tags, datadogTags, t.labels)
	t.service = t.labels["service"]
	if !known {
		t.suppress = "Datadog says neither that something began nor that it is over: " + cmp.Or(word, "no transition")
	}
	return t, true
}

var datadogPriorities = map[string]incident.Severity{"p1": incident.Critical, "p2": incident.High, "p3": incident.Warning, "p4": incident.Info, "p5": incident.Info}

func datadogSeverity(e datadogEvent) incident.Severity {
	if s, ok := datadogPriorities[strings.ToLower(e.Priority)]; ok {
		return s
	}
	return webhookSeverity(e.AlertType)
}
