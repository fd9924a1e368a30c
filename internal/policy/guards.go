package policy

import (
	"fmt"
	"time"

	"salve/internal/incident"
)

// The names of the guards, as they stand in readings.
const (
	GuardMode      = "mode"
	GuardEvidence  = "evidence"
	GuardInventory = "inventory"
)

// clockSkew is how far ahead of ours a sender's clock may be.
const clockSkew = time.Minute

// guard is one limit that can stop a change.
type guard struct {
	name string
	read func(*Policy, *GuardFacts) (reading string, stops bool)
}

// guards is the whole table, read in this order by decisions and claims alike.
func guards() []guard {
	return []guard{
		{GuardMode, readMode},
		{GuardEvidence, readEvidence},
		{GuardInventory, readInventory},
	}
}

// GuardNames lists every guard once.
func GuardNames() []string {
	var names []string
	for _, g := range guards() {
		names = append(names, g.name)
	}
	return names
}

// Guard reads every guard. Looking and telling is stopped by none.
func (p *Policy) Guard(f GuardFacts) []incident.Reading {
	if f.Effect == incident.Observe || f.Effect == incident.Tell {
		return nil
	}
	table := guards()
	readings := make([]incident.Reading, len(table))
	for i, g := range table {
		words, stops := g.read(p, &f)
		readings[i] = incident.Reading{Guard: g.name, Stops: stops, Reading: words}
	}
	return readings
}

func readMode(p *Policy, f *GuardFacts) (string, bool) {
	switch {
	case f.DryRun:
		return "the request asked for a dry run", true
	case p.dryRule(f.Rule):
		return fmt.Sprintf("rule %s is a dry run", f.Rule), true
	case f.Automation == incident.Live:
		return "automation is live", false
	case f.Automation == incident.DryRunAll:
		return "automation is dry_run: changes are shown, none is made", true
	case f.Automation == incident.Paused:
		return "automation is paused: nothing is changed", true
	}
	return fmt.Sprintf("automation is %q, which is not a mode: nothing is changed", f.Automation), true
}

func (p *Policy) dryRule(name string) bool {
	r, ok := p.byName[name]
	return ok && r.dryRun
}

// shown says whether the mode lets a change be shown instead of made.
func (p *Policy) shown(f *GuardFacts) bool {
	return f.DryRun || p.dryRule(f.Rule) || f.Automation == incident.DryRunAll
}

// readEvidence wants evidence that nobody could have made up, and that is still
// true. When a human has approved, its age was looked at with the yes.
func readEvidence(p *Policy, f *GuardFacts) (string, bool) {
	fresh := p.settings.Evidence.FreshFor
	age := f.Now.Sub(f.ObservedAt)
	switch {
	case f.ObservedAt.IsZero():
		return "there is no evidence", true
	case !f.Trusted:
		return "the evidence came neither through a lease nor from a trusted sender", true
	case age < -clockSkew:
		return fmt.Sprintf("the evidence is %s ahead of the clock", round(-age)), true
	case f.Mode == incident.Approve:
		return fmt.Sprintf("the evidence is trusted and %s old; its age was looked at with the yes", round(age)), false
	case age > fresh:
		return fmt.Sprintf("the evidence is %s old, older than %s", round(age), formatDuration(fresh)), true
	}
	return fmt.Sprintf("the evidence is trusted and %s old, not older than %s", round(age), formatDuration(fresh)), false
}

func round(d time.Duration) time.Duration { return max(d.Round(time.Second), 0) }

func readInventory(p *Policy, f *GuardFacts) (string, bool) {
	if len(f.Targets) == 0 {
		return "no target is named; an empty target is not everything", true
	}
	var words string
	for _, t := range f.Targets {
		var in bool
		if words, in = p.settings.Inventory.holds(t); !in {
			return words, true
		}
	}
	return words, false
}
