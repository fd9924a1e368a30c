package intake

import (
	"errors"
	"strings"
	"testing"

	"salve/internal/incident"
)

// Grafana's payload as its documentation shows it: its own members are carried along.
func TestGrafana(t *testing.T) {
	source, err := Lookup("grafana")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := source.Parse(input(payload(t, "grafana-11.json")))
	if err != nil || len(parsed.Items) != 2 {
		t.Fatalf("%d items, %v", len(parsed.Items), err)
	}
	firing, over := parsed.Items[0].Event, parsed.Items[1].Event
	if firing.Source != "grafana" || firing.Status != incident.Firing || firing.Severity != incident.Critical || firing.Name != "High memory usage" ||
		firing.Fingerprint != "c6eadffa33fcdf37" || firing.Target.Cluster != "prod" || firing.Target.Name != "api-7d9f5b8c6-x7k2m" || !firing.EndsAt.IsZero() {
		t.Errorf("the first is %+v", firing)
	}
	if over.Status != incident.Resolved || over.Severity != incident.Warning || over.EndsAt.IsZero() {
		t.Errorf("the second is %+v", over)
	}
	if !strings.Contains(string(firing.Payload), `"values":{"B":44.23943737541908`) {
		t.Errorf("what only Grafana sends is gone: %s", firing.Payload)
	}
}

// Each is refused at the other's door, by name.
func TestGrafanaIsNotAlertmanager(t *testing.T) {
	for name, file := range map[string]string{"grafana": "alertmanager-0.34-minimal.json", "alertmanager": "grafana-11.json"} {
		source, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.Parse(input(payload(t, file)))
		if refused, ok := errors.AsType[*BodyError](err); !ok || refused.Pointer != "/version" || !strings.Contains(strings.ToLower(refused.Detail), name) {
			t.Errorf("%s took %s: %v", name, file, err)
		}
	}
}
