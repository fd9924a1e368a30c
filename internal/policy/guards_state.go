package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// These guards are read from how things stand: freezes, replicas, storms, sources.

func readFreeze(_ *Policy, f *GuardFacts) (string, bool) {
	for _, freeze := range f.State.Freezes {
		if until := frozenUntil(freeze, f.Now); !until.IsZero() && concerns(freeze.Match, f) {
			return fmt.Sprintf("frozen until %s by %s: %s", until.UTC().Format(time.RFC3339), freeze.By, clip(freeze.Reason)), true
		}
	}
	return fmt.Sprintf("none of %d freezes is on for it", len(f.State.Freezes)), false
}

// readBlast weighs replicas that become additionally unavailable. What is not
// known counts as the worst case.
func readBlast(p *Policy, f *GuardFacts) (string, bool) {
	b, limit := f.Blast, p.limitsOf(f.Rule).blastRadius
	most := max(limit.Pods, b.Replicas*limit.Percent/100)
	switch {
	case !b.Known:
		return "how many replicas would become unavailable is not known, which counts as the worst case" + because(b.Words), true
	case b.Unavailable <= 0:
		return "no replica becomes additionally unavailable" + because(b.Words), false
	case b.Unavailable >= b.Ready:
		return fmt.Sprintf("%d of %d ready replicas would become unavailable: never the last ready one%s", b.Unavailable, b.Ready, because(b.Words)), true
	case b.Unavailable > most:
		return fmt.Sprintf("%d of %d replicas would become unavailable, %d may (%d, or %d %%)%s", b.Unavailable, b.Replicas, most, limit.Pods, limit.Percent, because(b.Words)), true
	}
	return fmt.Sprintf("%d of %d replicas would become unavailable, %d may%s", b.Unavailable, b.Replicas, most, because(b.Words)), false
}

func because(words string) string {
	if words == "" {
		return ""
	}
	return ": " + clip(words)
}

func readStorm(_ *Policy, f *GuardFacts) (string, bool) {
	if s := f.State.Storm; f.State.Storming() {
		return fmt.Sprintf("too many new incidents since %s: a human must say yes to each change", s.BeganAt.UTC().Format(time.RFC3339)), true
	}
	return "there is no storm of incidents", false
}

// readBlindness wants the sources that policy names to be awake. What is seen in
// numbers alone, an objective or a trend, must be seen by two, and a source that
// was never heard of is missing.
func readBlindness(p *Policy, f *GuardFacts) (string, bool) {
	m := p.settings.Monitoring
	numbers := f.Family == "slo" || f.Family == "trend"
	names := make([]string, 0, len(m.Sources))
	for name := range m.Sources {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		seen, ever := f.State.Seen[name]
		limit := time.Duration(m.StaleAfter) * m.Sources[name]
		switch age := f.Now.Sub(seen); {
		case !ever && numbers:
			return fmt.Sprintf("source %s was never heard of", name), true
		case ever && age > limit:
			return fmt.Sprintf("source %s was last heard of %s ago, longer than %s: who is blind does not operate", name, round(age), formatDuration(limit)), true
		}
	}
	if numbers && len(f.Sources) < 2 {
		return fmt.Sprintf("%s is seen by %s alone: one source does not suffice", f.Family, strings.Join(append([]string{"what was sent"}, f.Sources...)[min(1, len(f.Sources)):], ", ")), true
	}
	if len(names) == 0 {
		return "monitoring.sources names none that must report", false
	}
	return "all of " + strings.Join(names, ", ") + " that ever reported did so in time", false
}

// Stormy says whether so many incidents were opened within the time that it is a storm.
func (s Settings) Stormy(opened int) bool { return opened >= s.Storm.Incidents }
