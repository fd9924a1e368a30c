package policy

import (
	"fmt"
	"time"

	"salve/internal/incident"
)

// The names of the guards, as they stand in readings.
const (
	GuardMode        = "mode"
	GuardFreeze      = "freeze"
	GuardInventory   = "inventory"
	GuardBudget      = "budget"
	GuardCooldown    = "cooldown"
	GuardBreaker     = "breaker"
	GuardBlastRadius = "blast_radius"
	GuardStorm       = "storm"
	GuardBlindness   = "blindness"
	GuardEvidence    = "evidence"
	GuardIneffective = "ineffective"
)

// Override says who may let a change pass a guard that stops it.
type Override string

// Who may override.
const (
	ByNobody   Override = "nobody"
	ByApprover Override = "approver" // whoever may approve the change
	ByAdmin    Override = "admin"    // an approver with the scope admin, and a reason
)

// clockSkew is how far ahead of ours a sender's clock may be.
const clockSkew = time.Minute

// guard is one limit that can stop a change.
type guard struct {
	name     string
	what     string // it does, for people
	override Override
	read     func(*Policy, *GuardFacts) (reading string, stops bool)
}

// guards is the whole table, read in this order by decisions and claims alike.
// They bind auto, hold and approve alike.
func guards() []guard {
	return []guard{
		{GuardMode, "automation is paused or a dry run", ByNobody, readMode},
		{GuardFreeze, "a freeze is on", ByAdmin, readFreeze},
		{GuardInventory, "the target is not in policy's inventory", ByNobody, readInventory},
		{GuardBudget, "as many rungs as allowed were begun within the window", ByApprover, readBudget},
		{GuardCooldown, "the target was repaired not long ago", ByApprover, readCooldown},
		{GuardBreaker, "repairs kept failing; a human resets it", ByNobody, readBreaker},
		{GuardBlastRadius, "too many replicas would become unavailable", ByAdmin, readBlast},
		{GuardStorm, "too many new incidents at once", ByApprover, readStorm},
		{GuardBlindness, "a source of monitoring fell silent", ByNobody, readBlindness},
		{GuardEvidence, "the evidence is not trusted, or not fresh", ByNobody, readEvidence},
		{GuardIneffective, "the same remedy did not help last time", ByApprover, readIneffective},
	}
}

// OverrideOf says who may override a guard; nobody where there is no such guard.
func OverrideOf(name string) Override {
	for _, g := range guards() {
		if g.name == name {
			return g.override
		}
	}
	return ByNobody
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
		if by, overridden := f.Overridden[g.name]; stops && overridden && g.override != ByNobody {
			words, stops = words+"; overridden by "+by, false
		}
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
