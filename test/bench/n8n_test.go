package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReportSetsN8NAloneBesideSalve(t *testing.T) {
	var all []execution
	for _, set := range settings() {
		for i, flow := range flowNames() {
			e := execution{setting: set.name, flow: flow}
			for n := range 100 { // 20, 40, 60 ms; the slowest five percent take twice as long
				took := time.Duration(20*(i+1)) * time.Millisecond
				if n >= 95 {
					took *= 2
				}
				e.latencies = append(e.latencies, took)
			}
			all = append(all, e)
		}
	}
	var out strings.Builder
	report{out: &out, executions: all}.inN8N()
	for _, want := range []string{"100 alerts to each", "default", "tuned", "20.0", "40.0", "60.0", "120", "1.50"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %s:\n%s", want, out.String())
		}
	}
}

// Nothing but what stands between webhook and answer differs.
func TestFlowsDifferInWhatIsMeasured(t *testing.T) {
	want := map[string]string{flowBare: "Webhook Respond", flowAlone: "Webhook Decide Keep Respond", flowSalve: "Webhook Ask Salve Respond"}
	for _, f := range flows("http://127.0.0.1:8080") {
		var names []string
		for _, n := range f["nodes"].([]object) {
			names = append(names, n["name"].(string))
		}
		if got := strings.Join(names, " "); got != want[f["name"].(string)] {
			t.Errorf("%s is %s, want %s", f["name"], got, want[f["name"].(string)])
		}
		if got := len(f["connections"].(object)); got != len(names)-1 {
			t.Errorf("%s has %d connections between %d nodes", f["name"], got, len(names))
		}
	}
}

func TestFlowsGetTheirCredentials(t *testing.T) {
	all, err := flowCredentials("a.b.c", "postgres://salve:pass@127.0.0.1:6543/salve?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"token":"a.b.c"`, `"host":"127.0.0.1"`, `"port":6543`, `"database":"salve"`, `"user":"salve"`, `"password":"pass"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	all, err = flowCredentials("", "postgres://postgres@/salve?host=%2Frun%2Fa%20b")
	if err != nil || all[1]["data"].(object)["host"] != "/run/a b" || all[1]["data"].(object)["port"] != socketPort {
		t.Errorf("a socket became %v, %v", all, err)
	}
	if _, err := flowCredentials("", "postgres:///salve"); err == nil {
		t.Error("a Postgres that is nowhere was taken")
	}
}

func TestN8NThatIsNotThereIsLeftOut(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "test", "n8n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "install.sh"} {
		if err := os.WriteFile(filepath.Join(root, "test", "n8n", name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CACHE", "")
	if _, err := findN8N(root); !errors.Is(err, errNoN8N) {
		t.Errorf("error %v, want %v", err, errNoN8N)
	}
}
