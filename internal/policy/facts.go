package policy

import (
	"fmt"
	"slices"
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

	Repair  incident.Repair // what a repair would be written down as, but for rung and action
	Sources []string        // of the alerts that fire, each once
	State   GuardState
	Blast   func(incident.Step) incident.Blast // nil: nothing is known of replicas
}

// GuardState is what guards read beside the incident itself. The store reads it
// in the transaction of the decision, for a claim under a lock of its own.
type GuardState struct {
	Freezes  []incident.Freeze    // those that are not over
	Repairs  []incident.Repair    // begun within LookBack, and older ones of the target within Recurrence
	Breakers []incident.Breaker   // open ones, and those reset within Breaker.Within
	Storm    incident.Storm       // zero: none
	Seen     map[string]time.Time // when each source reported last
	Promoted []incident.Promotion // that are in force
}

// Suppose fills in what a decision needs of a change that nobody looked at: what it
// would be written down as, and three replicas of which two serve.
func (f *Facts) Suppose() {
	t := f.Incident.Target
	f.Repair = incident.Repair{Target: t.Key(""), Cluster: t.Cluster, Namespace: t.Namespace, Service: f.Incident.Service, Cause: f.Diagnosis.Cause}
	if f.Blast == nil {
		f.Blast = func(incident.Step) incident.Blast {
			return incident.Blast{Unavailable: 1, Replicas: 3, Ready: 2, Known: true, Words: "supposed"}
		}
	}
}

// Storming says whether there are too many new incidents right now.
func (s GuardState) Storming() bool { return !s.Storm.ID.IsZero() && s.Storm.EndedAt.IsZero() }

// LookBack is how far back guards look for repairs of whatever target.
func (s Settings) LookBack() time.Duration {
	return max(s.Budgets.Window, s.Cooldown, s.Breaker.Within)
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

	Action      string            // what would be done
	Repair      incident.Repair   // what its claim would write down; its action is the rung's first
	Began       time.Time         // this stretch of the incident
	Family      string            // of causes
	Environment string            // as the alert's labels say
	Sources     []string          // of the alerts that fire
	Blast       incident.Blast    // zero: nothing is known of replicas
	Overridden  map[string]string // guards that a human overrode for this intent, and who did
	State       GuardState
}

// rides says whether the rung was begun already: its first claim spent for all of it.
func (f *GuardFacts) rides() bool {
	return slices.ContainsFunc(f.State.Repairs, func(r incident.Repair) bool {
		return r.Rung == f.Repair.Rung && f.sameStretch(r)
	})
}

func (f *GuardFacts) sameStretch(r incident.Repair) bool {
	return r.IncidentID == f.Repair.IncidentID && !r.BeganAt.Before(f.Began)
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

// Kept is what of the facts is kept with the decision.
func (f *Facts) Kept() incident.DecisionFacts {
	kept := incident.DecisionFacts{
		Severity: f.severity(), Cause: f.Diagnosis.Cause, Confidence: f.Diagnosis.Confidence, Target: f.Incident.Target,
		Service: f.Incident.Service, Labels: f.Labels, Automation: f.Automation, DryRun: f.DryRun || f.Incident.DryRun,
		Trusted: f.Trusted, ObservedAt: f.ObservedAt, Rounds: f.Incident.Rounds, Storm: f.State.Storming(), Now: f.Now,
	}
	for _, t := range f.Tried {
		kept.Tried = append(kept.Tried, fmt.Sprintf("%s (rung %d, %s)", t.Action, t.Rung, t.State))
	}
	return kept
}

func (f *Facts) severity() incident.Severity {
	if f.Severity.Valid() {
		return f.Severity
	}
	return f.Incident.Severity
}

// guardFacts are the facts about one rung, as its first change begins it.
func (f *Facts) guardFacts(rule string, rung int, first incident.Step) GuardFacts {
	g := GuardFacts{
		Effect: incident.Change, Targets: f.targets(), Rule: rule,
		Automation: f.Automation, DryRun: f.DryRun || f.Incident.DryRun,
		Trusted: f.Trusted, ObservedAt: f.ObservedAt, Now: f.Now,
		Action: first.Action, Repair: f.Repair, Began: f.Incident.BeganAt, Family: incident.Family(f.Diagnosis.Cause),
		Environment: Environment(f.Labels), Sources: f.Sources, State: f.State,
	}
	g.Repair.Rung, g.Repair.Action = rung, first.Action
	if f.Blast != nil {
		g.Blast = f.Blast(first)
	}
	return g
}
