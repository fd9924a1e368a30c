package intake

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"salve/internal/incident"
)

func parseFile(t testing.TB, source, file string) (Parsed, error) {
	t.Helper()
	s, err := Lookup(source)
	if err != nil {
		t.Fatal(err)
	}
	return s.Parse(input(payload(t, file)))
}

// Every sender's documented payloads, in one line each: what becomes of it.
func TestSenders(t *testing.T) {
	for file, want := range map[string]string{
		"cloudwatch-alarm":           "firing web-01 CPU | warning | resource.cpu_saturated | Host/i-0abc | main",
		"cloudwatch-ok":              "resolved web-01 CPU | warning | resource.cpu_saturated | Host/i-0abc | main | 03:30",
		"cloudwatch-no-data":         "suppressed: CloudWatch has too little data to say how web-01 CPU stands",
		"datadog-triggered":          "firing Disk of web-01 fills | high | host | Host/web-01 | main",
		"datadog-recovered":          "resolved Disk of web-01 fills | high | host | Host/web-01 | main | 03:00",
		"datadog-default":            "firing Disk of web-01 fills | warning | host | Service/Disk of web-01 fills | main",
		"pagerduty-triggered":        "firing checkout is slow | critical | unknown | Service/checkout | main",
		"pagerduty-resolved":         "resolved checkout is slow | critical | unknown | Service/checkout | main | 03:40",
		"pagerduty-acknowledged":     "suppressed: event incident.acknowledged neither begins nor ends an incident",
		"pagerduty-ping":             "suppressed: event pagey.ping neither begins nor ends an incident",
		"github-deployment-failure":  "firing DeploymentFailed | high | deploy.failed | Service/cart | main",
		"github-deployment-success":  "resolved DeploymentFailed | high | deploy.failed | Service/cart | main | 03:30",
		"github-deployment-progress": "suppressed: the deployment is in_progress: neither failed nor well",
		"github-run-failure":         "firing WorkflowFailed | warning | deploy.failed | Service/cart | main",
		"github-ping":                "suppressed: a ping: GitHub asks whether somebody is there",
		"gatus-triggered":            "firing EndpointDown | high | slo.availability | Service/shop | main",
		"gatus-resolved":             "resolved EndpointDown | high | slo.availability | Service/shop | main",
		"uptime-kuma-down":           "firing MonitorDown | high | slo.availability | Service/shop | main",
		"uptime-kuma-up":             "resolved MonitorDown | high | slo.availability | Service/shop | main | 03:20",
		"uptime-kuma-maintenance":    "suppressed: the monitor is pending or in maintenance: neither down nor up",
		"uptime-kuma-test":           "suppressed: no heartbeat came with it: a test, or a note",
		"cloudevents-structured":     "firing disk is at 87 % | high | host.disk_full | Host/web-01 | main",
	} {
		parsed, err := parseFile(t, sourceOf(file), file+".json")
		if err != nil || len(parsed.Items) != 1 {
			t.Errorf("%s: %d items, %v", file, len(parsed.Items), err)
			continue
		}
		if got := inOneLine(parsed.Items[0]); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func sourceOf(file string) string {
	for _, name := range Known() {
		if strings.HasPrefix(file, name) {
			return name
		}
	}
	return ""
}

func inOneLine(i Item) string {
	e := i.Event
	switch {
	case len(i.Rejected) > 0:
		return "refused: " + i.Rejected[0].Pointer + " " + i.Rejected[0].Detail
	case i.Suppress != "":
		return "suppressed: " + i.Suppress
	}
	what := e.Hypothesis
	if what == "" {
		what = e.Family
	}
	line := fmt.Sprintf("%s %s | %s | %s | %s | %s", e.Status, e.Name, e.Severity, what, e.Target, e.Target.Cluster)
	if !e.EndsAt.IsZero() {
		line += " | " + e.EndsAt.Format("15:04")
	}
	return line
}

// What ends is the same as what began, and nothing else is.
func TestSendersEndWhatBegan(t *testing.T) {
	seen := map[incident.Episode]string{}
	for _, pair := range [][2]string{
		{"cloudwatch-alarm", "cloudwatch-ok"}, {"datadog-triggered", "datadog-recovered"}, {"pagerduty-triggered", "pagerduty-resolved"},
		{"github-deployment-failure", "github-deployment-success"}, {"gatus-triggered", "gatus-resolved"}, {"uptime-kuma-down", "uptime-kuma-up"},
	} {
		var episodes []incident.Episode
		for _, file := range pair {
			parsed, err := parseFile(t, sourceOf(file), file+".json")
			if err != nil {
				t.Fatal(err)
			}
			episodes = append(episodes, parsed.Items[0].Event.Episode)
		}
		if episodes[0] != episodes[1] {
			t.Errorf("%s does not end %s", pair[1], pair[0])
		}
		if other, taken := seen[episodes[0]]; taken {
			t.Errorf("%s and %s are one episode", other, pair[0])
		}
		seen[episodes[0]] = pair[0]
	}
	for _, pair := range [][2]string{{"github-deployment-failure", "github-run-failure"}, {"datadog-triggered", "datadog-default"}} {
		a, _ := parseFile(t, sourceOf(pair[0]), pair[0]+".json")
		b, _ := parseFile(t, sourceOf(pair[1]), pair[1]+".json")
		if a.Items[0].Event.Episode == b.Items[0].Event.Episode {
			t.Errorf("%s and %s are one episode", pair[0], pair[1])
		}
	}
}

// A topic's confirmation is explained: n8n confirms, Salve calls nobody.
func TestSubscriptionIsExplained(t *testing.T) {
	parsed, err := parseFile(t, "cloudwatch", "cloudwatch-subscription.json")
	if err != nil || !strings.Contains(inOneLine(parsed.Items[0]), "let n8n open the SubscribeURL") {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestCloudEventsBatch(t *testing.T) {
	parsed, err := parseFile(t, "cloudevents", "cloudevents-batch.json")
	if err != nil || len(parsed.Items) != 3 {
		t.Fatalf("%d items, %v", len(parsed.Items), err)
	}
	second := parsed.Items[1].Event
	if second.Source != "cloudevents" || second.Severity != incident.Warning || second.Service != "cart" || second.Message != "com.acme.cart.lost" {
		t.Errorf("what data leaves out is the event's: %+v", second)
	}
	if refused := parsed.Items[2].Rejected; len(refused) != 3 || !strings.HasPrefix(refused[0].Pointer, "/2/") {
		t.Errorf("the third: %+v", refused)
	}
	if strings.Contains(string(parsed.Items[0].Event.Payload), `"data"`) {
		t.Error("the data is kept twice")
	}
}

// What is somebody else's payload, or nobody's, is refused with what would be right.
func TestSendersRefuse(t *testing.T) {
	for name, bodies := range map[string]map[string]string{
		"cloudwatch":  {`{"Type":"Notification","Message":"hello"}`: "/Message is not the JSON", `{}`: "/Type is missing", `{"Type":"Notification","Message":"{\"AlarmName\":\"a\",\"NewStateValue\":\"RED\"}"}`: `NewStateValue "RED"`},
		"datadog":     {`{"body":"x"}`: "/title is missing"},
		"pagerduty":   {`{"messages":[]}`: "version 2 has messages", `{"event":{"event_type":"incident.triggered","data":{}}}`: "/event/data/id is missing"},
		"github":      {`{"action":"opened","repository":{"full_name":"a/b"}}`: "neither deployment_status nor workflow_run", `{"deployment_status":{}}`: "/repository/full_name is missing"},
		"gatus":       {`{"status":"DOWN","name":"x"}`: "TRIGGERED or RESOLVED", `{"status":"TRIGGERED"}`: "/name is missing"},
		"uptime-kuma": {`{}`: "/heartbeat is missing", `{"heartbeat":{},"monitor":{"name":"x"}}`: "/heartbeat/status is missing"},
		"cloudevents": {`{"specversion":"1.0","id":"1","source":"a","type":"b","data_base64":"AA=="}`: "is not read here", `7`: "neither an object nor an array"},
	} {
		source, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		bodies[`"text"`], bodies[``], bodies[`{"`] = "", "", ""
		for body, want := range bodies {
			parsed, err := source.Parse(input([]byte(body)))
			said := ""
			if refused, ok := errors.AsType[*BodyError](err); ok {
				said = refused.Detail
			} else if len(parsed.Items) == 1 && len(parsed.Items[0].Rejected) > 0 {
				said = inOneLine(parsed.Items[0])
			}
			if said == "" || !strings.Contains(said, want) {
				t.Errorf("%s, %s: %q, %v", name, body, said, err)
			}
		}
	}
}

func TestNoSourceIsTheBeginningOfAnother(t *testing.T) {
	for _, name := range Known() {
		if sourceOf(name) != name {
			t.Errorf("%s is a prefix of another source's name", name)
		}
	}
}
