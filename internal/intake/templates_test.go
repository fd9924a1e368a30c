package intake

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func shipped(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../deploy/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parsedAs(t *testing.T, source, body string) Item {
	t.Helper()
	s, err := Lookup(source)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := s.Parse(input([]byte(body)))
	if err != nil || len(parsed.Items) != 1 {
		t.Fatalf("%s: %+v, %v", source, parsed, err)
	}
	return parsed.Items[0]
}

// What Datadog makes of the shipped template is read.
func TestDatadogTemplate(t *testing.T) {
	body := string(shipped(t, "datadog/webhook.json"))
	for variable, value := range map[string]string{
		"$ALERT_ID": "77", "$AGGREG_KEY": "k", "$ALERT_SCOPE": "host:web-01", "$ALERT_TRANSITION": "Triggered", "$ALERT_TYPE": "error", "$ALERT_PRIORITY": "P1", "$ALERT_TITLE": "CPU is high",
		"$EVENT_TITLE": "[Triggered] CPU is high", "$TEXT_ONLY_MSG": "95 %", "$DATE": "1795748400000", "$LAST_UPDATED": "1795748400000", "$EVENT_TYPE": "query_alert_monitor", "$HOSTNAME": "web-01", "$TAGS": "service:shop", "$ID": "5",
	} {
		body = strings.ReplaceAll(body, `"`+variable+`"`, `"`+value+`"`)
	}
	if got := inOneLine(parsedAs(t, "datadog", body)); strings.Contains(body, "$") || !strings.HasPrefix(got, "firing CPU is high | critical | ") {
		t.Errorf("%s\n%s", got, body)
	}
}

// What Gatus makes of the shipped alert is read.
func TestGatusTemplate(t *testing.T) {
	var config struct {
		Alerting struct{ Custom struct{ URL, Body string } }
	}
	if err := yaml.Unmarshal(shipped(t, "gatus/alerting.yaml"), &config); err != nil {
		t.Fatal(err)
	}
	body := config.Alerting.Custom.Body
	for placeholder, value := range map[string]string{
		"[ALERT_TRIGGERED_OR_RESOLVED]": "TRIGGERED", "[ENDPOINT_NAME]": "shop", "[ENDPOINT_GROUP]": "public", "[ENDPOINT_URL]": "https://shop.example.com", "[ALERT_DESCRIPTION]": "down", "[RESULT_ERRORS]": "timeout",
	} {
		body = strings.ReplaceAll(body, placeholder, value)
	}
	if got := inOneLine(parsedAs(t, "gatus", body)); strings.Contains(body, "[") || got != "firing EndpointDown | high | slo.availability | Service/shop | main" || !strings.HasSuffix(config.Alerting.Custom.URL, "?source=gatus") {
		t.Errorf("%s\n%s", got, body)
	}
}
