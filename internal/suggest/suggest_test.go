package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"events:write", "intents:execute", "read"}
	for word, want := range map[string]string{
		"events:wirte":          "events:write",
		"Event:write":           "events:write",
		"reed":                  "read",
		"r":                     "", // as far from every word as from any other
		"delete:everything":     "",
		strings.Repeat("a", 65): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
