package policy

import (
	"time"

	"salve/internal/incident"
)

// Facts is everything a decision rests on.
type Facts struct {
	Incident    incident.Incident
	Diagnosis   incident.Diagnosis
	Labels      map[string]string
	Annotations map[string]string
	Severity    incident.Severity // the worst of the alerts; empty: the incident's
	Tried       []Tried
	Automation  incident.Automation
	DryRun      bool      // the request asked for a dry run
	Trusted     bool      // the evidence came through a lease or from a trusted subject
	ObservedAt  time.Time // the earlier of the evidence's observedAt and its receipt; zero: no evidence
	Now         time.Time
}

// Tried is one intent that the ladder of remedies has brought so far. Rung 0 is
// for what belongs to no rung (collects, messages) and does not count.
type Tried struct {
	Action      string
	Rung        int
	State       incident.IntentState
	Independent bool
}

// GuardFacts is what guards read: at a decision for information, at a claim for real.
type GuardFacts struct {
	Effect     incident.Effect   // guards stop changes; anything but observe and tell counts as one
	Mode       incident.Mode     // of the intent that is claimed; empty at a decision
	Targets    []incident.Target // what the change is about; all must be in the inventory
	Rule       string            // the rule that decided, empty when not known
	Automation incident.Automation
	DryRun     bool
	Trusted    bool
	ObservedAt time.Time
	Now        time.Time
}

// targets are the objects that a repair of this incident may touch.
func (f *Facts) targets() []incident.Target {
	cluster := f.Incident.Target.Cluster
	var all []incident.Target
	for _, t := range [...]incident.Target{f.Diagnosis.Subject, f.Diagnosis.Owner} {
		if t.Name == "" && t.Host == "" {
			continue
		}
		if t.Cluster == "" {
			t.Cluster = cluster // objects do not say which cluster they live in
		}
		all = append(all, t)
	}
	if t := f.Incident.Target; t.Name != "" || len(all) == 0 {
		all = append(all, t)
	}
	return all
}

func (f *Facts) severity() incident.Severity {
	if f.Severity.Valid() {
		return f.Severity
	}
	return f.Incident.Severity
}

func (f *Facts) guardFacts(rule string) GuardFacts {
	return GuardFacts{
		Effect: incident.Change, Targets: f.targets(), Rule: rule,
		Automation: f.Automation, DryRun: f.DryRun || f.Incident.DryRun,
		Trusted: f.Trusted, ObservedAt: f.ObservedAt, Now: f.Now,
	}
}
