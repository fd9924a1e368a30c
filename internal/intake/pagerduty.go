package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// PagerDuty's webhook, version 3: one event of an incident. Source: PagerDuty,
// "Webhooks Overview", events and payloads.
var fromPagerDuty = sender{"pagerduty", "PagerDuty's webhook, version 3, {event{event_type, data}}", readPagerDuty}

type pagerDutyEvent struct {
	Event struct {
		Type       string `json:"event_type"`
		OccurredAt string `json:"occurred_at"`
		Data       struct {
			ID      string `json:"id"`
			Type    string `json:"type"`
			Title   string `json:"title"`
			Key     string `json:"incident_key"`
			Urgency string `json:"urgency"`
			URL     string `json:"html_url"`
			Service struct {
				Summary string `json:"summary"`
			} `json:"service"`
			Priority *struct {
				Summary string `json:"summary"`
			} `json:"priority"`
		} `json:"data"`
	} `json:"event"`
}

// pagerDutyEvents are those that begin or end an incident.
var pagerDutyEvents = map[string]incident.AlertStatus{
	"incident.triggered": incident.Firing, "incident.reopened": incident.Firing, "incident.unacknowledged": incident.Firing, "incident.escalated": incident.Firing,
	"incident.resolved": incident.Resolved,
}

func readPagerDuty(raw []byte, f *findings) (told, bool) {
	p, ok := decodeLoose[pagerDutyEvent](raw, f)
	if !ok {
		return told{}, false
	}
	e := p.Event
	if e.Type == "" {
		f.refuse("/event/event_type", "is missing; PagerDuty's webhook, version 3, says incident.triggered, incident.resolved and so on (version 2 has messages[])")
		return told{}, false
	}
	status, known := pagerDutyEvents[e.Type]
	t := told{
		status: status, name: e.Data.Title, message: e.Data.Title, at: moment(e.OccurredAt), service: e.Data.Service.Summary,
		severity: pagerDutySeverity(e.Data.Urgency), fingerprint: []string{cmp.Or(e.Data.ID, e.Data.Key)},
		labels: map[string]string{"alertname": cmp.Or(e.Data.Title, "PagerDuty incident")},
	}
	if e.Data.URL != "" {
		t.labels["url"] = e.Data.URL
	}
	if e.Data.Priority != nil {
		if s, ok := datadogPriorities[strings.ToLower(e.Data.Priority.Summary)]; ok {
			t.severity = s
		}
	}
	switch {
	case !known:
		t.suppress = "event " + clip(e.Type, quoted) + " neither begins nor ends an incident"
	case e.Data.ID == "" && e.Data.Key == "":
		f.refuse("/event/data/id", "is missing; it is the incident's")
		return told{}, false
	}
	return t, true
}

func pagerDutySeverity(urgency string) incident.Severity {
	if urgency == "high" {
		return incident.High
	}
	return incident.Warning
}
