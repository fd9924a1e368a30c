package triage_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/diagnose"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

var update = flag.Bool("update", false, "write docs/causes.md anew")

const causesDoc = "../../docs/causes.md"

// docs/causes.md is made of the rules, of what is asked for, and of the default
// policy; go test ./internal/triage -run TestCausesDoc -update writes it.
func TestCausesDoc(t *testing.T) {
	p, err := policy.Load("default", policy.Default(), remedy.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	want := describeCauses(p)
	if *update {
		if err := os.WriteFile(causesDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(causesDoc)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/causes.md is not what the tables say; write it anew with -update:\n%s", diff)
	}
}

// Every cause has a rule that names it, and every rule a cause that exists.
func TestEveryCauseHasARule(t *testing.T) {
	rules, names := map[string]int{}, map[string]bool{}
	for _, r := range diagnose.Rules() {
		rules[r.Cause]++
		if !slices.Contains(incident.Causes(), r.Cause) {
			t.Errorf("rule %s names %s, which is no cause", r.Name, r.Cause)
		}
		if names[r.Name] {
			t.Errorf("there are two rules %s", r.Name)
		}
		names[r.Name] = true
		if r.When == "" || r.Quotes == "" || r.Confidence <= 0 || r.Confidence >= 1 {
			t.Errorf("rule %s does not say all there is to say", r.Name)
		}
		for _, pattern := range slices.Concat(r.RulesOut, r.Explains) {
			if !slices.ContainsFunc(incident.Causes(), func(c string) bool { return stands(pattern, c) }) {
				t.Errorf("rule %s speaks of %s, which is no cause", r.Name, pattern)
			}
		}
	}
	for _, c := range incident.Causes() {
		if rules[c] == 0 {
			t.Errorf("no rule names %s", c)
		}
	}
}

// stands says whether a word such as pod.* or * stands for a cause.
func stands(word, cause string) bool {
	prefix, wild := strings.CutSuffix(word, "*")
	return word == cause || wild && strings.HasPrefix(cause, prefix)
}

func describeCauses(p *policy.Policy) string {
	var b strings.Builder
	b.WriteString(`# Causes

What Salve can name, how it is recognised, what it asks for, and what the default policy does about it. Made from the
tables of rules (` + "`internal/diagnose`" + `) and the default policy by ` + "`go test ./internal/triage -run TestCausesDoc -update`" + `.

Where several rules hold, the one that explains the others is the answer, and the others are its symptoms. Where none
holds the answer is ` + "`unknown`" + `, with what would decide; where all is well it is ` + "`healthy`" + `.
`)
	for _, family := range incident.Families() {
		fmt.Fprintf(&b, "\n## %s\n", family)
		if words, actions := diagnose.Asks(family); words != "" {
			fmt.Fprintf(&b, "\nAsked for where nothing is known: %s%s.\n", words, inTicks(" (", actions, ")"))
		}
		for _, cause := range incident.Causes() {
			if incident.Family(cause) == family {
				describeCause(&b, p, cause)
			}
		}
	}
	return b.String()
}

func describeCause(b *strings.Builder, p *policy.Policy, cause string) {
	fmt.Fprintf(b, "\n### %s\n\n", cause)
	for _, r := range diagnose.Rules() {
		if r.Cause != cause {
			continue
		}
		fmt.Fprintf(b, "- **%s** (at most %.0f %%): %s.\n  Quoted: %s.", r.Name, r.Confidence*100, r.When, r.Quotes)
		fmt.Fprintf(b, "%s%s\n", inTicks(" Rules out: ", r.RulesOut, "."), inTicks(" Explains: ", r.Explains, "."))
	}
	fmt.Fprintf(b, "\nBy default: %s\n", byDefault(p, cause))
}

func inTicks(before string, words []string, after string) string {
	if len(words) == 0 {
		return ""
	}
	return before + "`" + strings.Join(words, "`, `") + "`" + after
}

var levels = map[int]string{1: "people are told", 2: "suggested, a human says yes", 3: "repaired, then told", 4: "repaired, told in the digest"}

// byDefault is what the first rule of the policy that names the cause does.
func byDefault(p *policy.Policy, cause string) string {
	for _, r := range p.Rules() {
		if !slices.ContainsFunc(r.Causes, func(word string) bool { return stands(word, cause) }) {
			continue
		}
		var steps []string
		for _, rung := range r.Rungs {
			for _, s := range rung.Steps {
				step := "`" + s.Action + "`"
				if s.Mode == incident.Approve {
					step += " (a human says yes)"
				}
				steps = append(steps, step)
			}
		}
		return strings.TrimSuffix(fmt.Sprintf("rule `%s`, level %d (%s): %s", r.Name, r.Level, levels[r.Level], strings.Join(steps, ", then ")), ": ") + "."
	}
	return "people are told."
}
