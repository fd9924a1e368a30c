package identity

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCallerAllows(t *testing.T) {
	policy := []struct {
		who    string
		scopes ScopeSet
		may    []Scope
	}{
		{"n8n takes alerts in and executes", Scopes(EventsWrite, IntentsExecute, Read), []Scope{EventsWrite, IntentsExecute, Read}},
		{"Alertmanager only brings alerts", Scopes(EventsWrite), []Scope{EventsWrite}},
		{"a person on call decides and reads", Scopes(IntentsDecide, Read), []Scope{IntentsDecide, Read}},
		{"the Slack relay relays", Scopes(SlackRelay), []Scope{SlackRelay}},
		{"an admin is no superset", Scopes(Admin), []Scope{Admin}},
		{"nobody may nothing", Scopes(), nil},
		{"a foreign scope gives nothing", Scopes("salve", "*", ""), nil},
	}
	for _, p := range policy {
		t.Run(p.who, func(t *testing.T) {
			var may []Scope
			for _, s := range append(AllScopes(), "*", "") {
				if (Caller{Scopes: p.scopes}).Allows(s) {
					may = append(may, s)
				}
			}
			if diff := cmp.Diff(p.may, may); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseScopes(t *testing.T) {
	tests := map[string]struct {
		text, want, err string
	}{
		"one":              {"read", "read", ""},
		"in any order":     {"read events:write", "events:write read", ""},
		"commas":           {"read, admin", "read admin", ""},
		"twice is once":    {"read read", "read", ""},
		"a slip":           {"event:write", "", `unknown scope "event:write"; did you mean "events:write"?`},
		"capitals":         {"Read", "", `did you mean "read"?`},
		"nothing like it":  {"superuser-everywhere", "", `there are: events:write intents:execute`},
		"empty":            {" ", "", "no scope given"},
		"one bad of three": {"read write admin", "", `unknown scope "write"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set, err := ParseScopes(test.text)
			if err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)) || err == nil && test.err != "" {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if set.String() != test.want {
				t.Errorf("got %q, want %q", set, test.want)
			}
		})
	}
}

func TestScopeClaim(t *testing.T) {
	tests := map[string]struct {
		json string
		want ScopeSet
		bad  bool
	}{
		"string":       {`"read  admin"`, Scopes(Read, Admin), false},
		"array":        {`["read","admin"]`, Scopes(Read, Admin), false},
		"empty string": {`""`, 0, false},
		"number":       {`7`, 0, true},
		"object":       {`{"read":true}`, 0, true},
		"mixed array":  {`["read",1]`, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var claim scopeClaim
			if err := json.Unmarshal([]byte(test.json), &claim); (err != nil) != test.bad {
				t.Fatalf("error %v, want one: %v", err, test.bad)
			}
			if got := Scopes(claim...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
