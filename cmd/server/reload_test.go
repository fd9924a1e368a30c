package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"salve/internal/policy"
	"salve/internal/store/storetest"
)

func TestPolicyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	at := time.Now().Add(-time.Hour)
	write := func(text string) {
		t.Helper()
		at = at.Add(time.Second)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	var recorded []string
	record := func(_ context.Context, p *policy.Policy) error {
		recorded = append(recorded, p.Version())
		return nil
	}
	write("rules: []\n")
	f := &policyFile{path: path}
	if err := f.load(); err != nil || f.changed() {
		t.Fatalf("first: %v, changed %t", err, f.changed())
	}
	first := f.current().Version()

	write("rules: [\n")
	if !f.changed() {
		t.Error("a change was not seen")
	}
	if changed, err := f.reload(t.Context(), record); changed || err == nil || f.current().Version() != first {
		t.Errorf("a bad file: %t, %v", changed, err)
	}
	if d := f.detail(); !strings.Contains(d, "refused at line") || !strings.Contains(d, first[:12]) || strings.Contains(d, path) || f.changed() {
		t.Errorf("detail %q, changed %t", d, f.changed())
	}

	write("rules: [] # other\n")
	failing := func(context.Context, *policy.Policy) error { return errors.New("no database") }
	if changed, err := f.reload(t.Context(), failing); changed || err == nil || f.current().Version() != first || !f.changed() {
		t.Errorf("not on record: %t, %v, tried again %t", changed, err, f.changed())
	}
	if changed, err := f.reload(t.Context(), record); !changed || err != nil || f.current().Version() == first || f.detail() != "" || len(recorded) != 1 {
		t.Errorf("a good file: %t, %v, detail %q, recorded %v", changed, err, f.detail(), recorded)
	}
	if changed, err := f.reload(t.Context(), record); changed || err != nil || len(recorded) != 1 {
		t.Errorf("the same again: %t, %v, recorded %v", changed, err, recorded)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if changed, err := f.reload(t.Context(), record); changed || err == nil || !strings.Contains(f.detail(), "cannot be read") {
		t.Errorf("gone: %t, %v, %q", changed, err, f.detail())
	}
}

// SIGHUP makes the program read its policy again, changed or not.
func TestHangupReadsThePolicyAgain(t *testing.T) {
	t.Parallel()
	settings, _ := home(t)
	settings["SALVE_POLICY"] = filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(settings["SALVE_POLICY"], []byte("rules: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["DATABASE_URL"] = storetest.New(t)
	p := launch(t, itself(t), settings)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if strings.Contains(read(t, p.log.file.Name()), "policy read again: it is the same") {
			p.end(t)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("nothing was read again:\n%s", read(t, p.log.file.Name()))
}
