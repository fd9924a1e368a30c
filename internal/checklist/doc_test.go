package checklist

import (
	"os"
	"strings"
	"testing"
)

// The example of docs/checks.md is good as it stands, and the table knows every kind.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "    checks:\n")
	block, _, _ := strings.Cut(rest, "\n\n")
	list, err := Load("docs/checks.md", []byte("checks:\n"+block))
	if err != nil || len(list.Checks()) != 6 {
		t.Errorf("%v", err)
	}
	for _, k := range Kinds() {
		if !strings.Contains(string(text), "\n| `"+string(k)+"` | ") {
			t.Errorf("docs/checks.md does not know %s", k)
		}
	}
}
