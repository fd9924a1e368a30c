package intake

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"

	"salve/internal/incident"
)

// What the shipped template makes of an Application is a native alert. Argo CD renders
// it with text/template and sprig, of which toJson is used.
func TestArgoCDTemplate(t *testing.T) {
	data, err := os.ReadFile("../../deploy/argocd/notifications.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Data map[string]string }
	if err := yaml.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	app := map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{"name": "api-gateway", "namespace": "argocd"},
		"spec":     map[string]any{"destination": map[string]any{"namespace": "production"}},
		"status":   map[string]any{"health": map[string]any{"status": "Degraded"}, "sync": map[string]any{"revision": `v1.2.4 "rc"`}},
	}
	for name, status := range map[string]incident.AlertStatus{"template.salve-release-failed": incident.Firing, "template.salve-release-well": incident.Resolved} {
		var notification struct {
			Webhook map[string]struct{ Method, Body string }
		}
		if err := yaml.Unmarshal([]byte(config.Data[name]), &notification); err != nil {
			t.Fatal(err)
		}
		toJSON := func(v any) (string, error) { raw, err := json.Marshal(v); return string(raw), err }
		body, err := template.New(name).Funcs(template.FuncMap{"toJson": toJSON}).Parse(notification.Webhook["n8n"].Body)
		if err != nil {
			t.Fatal(err)
		}
		var rendered bytes.Buffer
		if err := body.Execute(&rendered, map[string]any{"app": app}); err != nil {
			t.Fatal(err)
		}
		parsed, err := Native().Parse(input(rendered.Bytes()))
		if err != nil || len(parsed.Items) != 1 || len(parsed.Items[0].Rejected) > 0 {
			t.Fatalf("%s: %+v, %v in %s", name, parsed, err, rendered.String())
		}
		e := parsed.Items[0].Event
		if e.Status != status || e.Severity != incident.High || e.Target.Kind != "Application" || e.Target.Name != "api-gateway" || e.Target.Cluster != "prod" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
