package policy

import (
	"slices"
	"strings"

	"salve/internal/incident"
	"salve/internal/suggest"
)

// Causes lists every cause a rule may name, unknown last. Healthy is not among
// them: nothing is done about health.
func Causes() []string { return append(incident.Causes(), incident.CauseUnknown) }

// expandCause gives the causes that a rule's word stands for: itself, all below
// pod.* or pod.unschedulable.*, or all for *. Unknown is in none of the
// wildcards: whoever wants to act on what nobody could diagnose says so.
func expandCause(word string) []string {
	prefix, wild := strings.CutSuffix(word, "*")
	if !wild {
		if slices.Contains(Causes(), word) {
			return []string{word}
		}
		return nil
	}
	if prefix != "" && !strings.HasSuffix(prefix, ".") {
		return nil
	}
	var below []string
	for _, c := range Causes() {
		if c != incident.CauseUnknown && strings.HasPrefix(c, prefix) {
			below = append(below, c)
		}
	}
	return below
}

// causeHint says what would be right instead of a word that is no cause.
func causeHint(word string) string {
	words := append(Causes(), "pod.unschedulable.*", "*")
	kin := []string{incident.CauseUnknown}
	for _, family := range incident.Families() {
		words, kin = append(words, family+".*"), append(kin, family+".*")
	}
	if near := suggest.Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	if family := expandCause(incident.Family(word) + ".*"); len(family) > 0 {
		kin = family
	}
	return "known are " + strings.Join(kin, ", ")
}
