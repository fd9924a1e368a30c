package policy

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
)

// These guards are read from what was done before: each repair is one rung.

// readBudget counts the rungs that were begun within the window, over every
// scope that the change is in.
func readBudget(p *Policy, f *GuardFacts) (string, bool) {
	if f.rides() {
		return "its rung was begun already: the first claim spent for all of it", false
	}
	b := p.settings.Budgets
	b.Target = min(b.Target, p.limitsOf(f.Rule).budget)
	var words []string
	for _, scope := range b.scopes(f.Repair) {
		spent, first := 0, time.Time{}
		for _, r := range f.State.Repairs {
			if began := r.BeganAt; f.Now.Sub(began) < b.Window && scope.holds(r) {
				spent++
				if first.IsZero() || began.Before(first) {
					first = began
				}
			}
		}
		if spent >= scope.limit {
			why := fmt.Sprintf("%d rungs were begun within %s for %s, %d are allowed", spent, formatDuration(b.Window), scope.name, scope.limit)
			if !first.IsZero() {
				why += "; the next at " + first.Add(b.Window).UTC().Format(time.RFC3339)
			}
			return why, true
		}
		words = append(words, fmt.Sprintf("%s %d of %d", scope.name, spent, scope.limit))
	}
	return "within " + formatDuration(b.Window) + ": " + strings.Join(words, ", "), false
}

type budgetScope struct {
	name  string
	limit int
	holds func(incident.Repair) bool
}

// scopes are those that a repair spends from. What it does not name it is not in.
func (b Budgets) scopes(of incident.Repair) []budgetScope {
	list := []budgetScope{{"the target", b.Target, func(r incident.Repair) bool { return r.Target == of.Target }}}
	if of.Service != "" {
		list = append(list, budgetScope{"service " + of.Service, b.Service, func(r incident.Repair) bool { return r.Service == of.Service }})
	}
	if of.Namespace != "" {
		list = append(list, budgetScope{"namespace " + of.Namespace, b.Namespace, func(r incident.Repair) bool {
			return r.Cluster == of.Cluster && r.Namespace == of.Namespace
		}})
	}
	if of.Cluster != "" {
		list = append(list, budgetScope{"cluster " + of.Cluster, b.Cluster, func(r incident.Repair) bool { return r.Cluster == of.Cluster }})
	}
	if limit, limited := b.Actions[of.Action]; limited {
		list = append(list, budgetScope{of.Action, limit, func(r incident.Repair) bool { return r.Action == of.Action }})
	}
	return append(list, budgetScope{"everything", b.Total, func(incident.Repair) bool { return true }})
}

// readCooldown leaves a target alone for a while after it was repaired. A ladder
// that is being climbed is one repair: its next rung need not wait.
func readCooldown(p *Policy, f *GuardFacts) (string, bool) {
	var last incident.Repair
	for _, r := range f.State.Repairs {
		if r.Target == f.Repair.Target && !f.sameStretch(r) && r.BeganAt.After(last.BeganAt) {
			last = r
		}
	}
	if last.ID.IsZero() {
		return "the target was not repaired before, as far as is looked back", false
	}
	since, words := last.BeganAt, "began"
	if last.EndedAt.After(since) {
		since, words = last.EndedAt, "ended"
	}
	age, cooldown := f.Now.Sub(since), p.limitsOf(f.Rule).cooldown
	if age < cooldown {
		return fmt.Sprintf("%s on the target %s %s ago; it is left alone for %s", last.Action, words, round(age), formatDuration(cooldown)), true
	}
	return fmt.Sprintf("%s on the target %s %s ago, longer than %s", last.Action, words, round(age), formatDuration(cooldown)), false
}

// readBreaker stops what keeps failing: everything on one target, and one action
// in one cluster. That it opened is on record; the count stops as well, so that
// two failures at once cannot pass each other by.
func readBreaker(p *Policy, f *GuardFacts) (string, bool) {
	var words []string
	for _, scope := range [...]string{f.Repair.TargetScope(), f.Repair.ActionScope()} {
		for _, b := range f.State.Breakers {
			if b.Scope == scope && b.Open() {
				return fmt.Sprintf("the breaker of %s is open since %s: %s; a human resets it", scope, b.OpenedAt.UTC().Format(time.RFC3339), b.Reason), true
			}
		}
		bad := p.settings.failures(f.State, scope, f.Now)
		if bad >= p.settings.Breaker.Failures {
			return p.settings.tripped(scope, bad), true
		}
		words = append(words, fmt.Sprintf("%s %d of %d", scope, bad, p.settings.Breaker.Failures))
	}
	return "failures within " + formatDuration(p.settings.Breaker.Within) + ": " + strings.Join(words, ", "), false
}

func (s Settings) tripped(scope string, bad int) string {
	return fmt.Sprintf("%d repairs of %s failed or did not help within %s", bad, scope, formatDuration(s.Breaker.Within))
}

// failures counts what went wrong in a scope since its breaker was last reset.
func (s Settings) failures(state GuardState, scope string, now time.Time) int {
	var reset time.Time
	for _, b := range state.Breakers {
		if b.Scope == scope && b.ResetAt.After(reset) {
			reset = b.ResetAt
		}
	}
	bad := 0
	for _, r := range state.Repairs {
		in := r.TargetScope() == scope || r.ActionScope() == scope
		if in && r.Outcome.Bad() && r.EndedAt.After(reset) && now.Sub(r.EndedAt) < s.Breaker.Within {
			bad++
		}
	}
	return bad
}

// Trips are the breakers that open now that a repair ended badly; those that are
// open already are not opened twice. Ids are for the caller to give.
func (s Settings) Trips(state GuardState, ended incident.Repair, now time.Time) []incident.Breaker {
	var trips []incident.Breaker
	for _, scope := range [...]string{ended.TargetScope(), ended.ActionScope()} {
		open := false
		for _, b := range state.Breakers {
			open = open || b.Scope == scope && b.Open()
		}
		if bad := s.failures(state, scope, now); !open && bad >= s.Breaker.Failures {
			trips = append(trips, incident.Breaker{Scope: scope, Reason: s.tripped(scope, bad), OpenedAt: now})
		}
	}
	return trips
}

// readIneffective keeps a remedy from being tried again where it did not help the
// last time.
func readIneffective(p *Policy, f *GuardFacts) (string, bool) {
	if f.rides() {
		return "its rung was begun already", false
	}
	var last incident.Repair
	for _, r := range f.State.Repairs {
		same := r.Target == f.Repair.Target && r.Action == f.Repair.Action && r.Cause == f.Repair.Cause
		if same && r.Outcome != "" && !r.EndedAt.Before(last.EndedAt) {
			last = r
		}
	}
	switch {
	case last.ID.IsZero():
		return fmt.Sprintf("%s was not tried on the target for %s before", f.Repair.Action, f.Repair.Cause), false
	case last.Outcome == incident.RepairIneffective && f.Now.Sub(last.EndedAt) < p.settings.Recurrence:
		return fmt.Sprintf("%s did not help against %s %s ago", last.Action, last.Cause, round(f.Now.Sub(last.EndedAt))), true
	}
	return fmt.Sprintf("%s on the target was %s the last time", last.Action, last.Outcome), false
}
