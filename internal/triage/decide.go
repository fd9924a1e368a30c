package triage

import (
	"errors"
	"slices"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

// decide asks policy, once there is something new to decide on.
func (r *round) decide() {
	if !r.inc.Open() || !r.facts.New && !r.looked && !r.acted {
		return
	}
	if stop := r.stoppedByHuman(); stop != "" {
		r.escalating = stop
	}
	switch {
	case r.liveRung(), r.rungGoesOn():
		r.wait("one live rung a target: the end of what is under way is awaited")
	case r.watching():
		r.wait("the target is being watched until " + r.inc.VerifyBy.UTC().Format(time.RFC3339))
	case r.escalating != "":
		r.out.Decision = incident.Decision{
			Verdict: incident.VerdictEscalate, Reasons: []string{r.escalating}, Rung: r.inc.Rung,
			Guards: []incident.Reading{}, PolicyVersion: r.policy.Version(),
		}
	case r.wantsEvidence():
		r.out.Decision = r.collectDecision(r.whyCollect())
	case r.stormWaits():
		r.out.Decision = r.stormDecision()
	default:
		r.out.Decision = r.policy.Decide(r.policyFacts())
		r.carryOut()
	}
	if rec := &r.out.Decision.Record; rec.Facts.Now.IsZero() || !rec.Facts.Now.Equal(r.now) {
		facts := r.policyFacts() // policy was not asked
		*rec = incident.Record{Rules: []incident.RuleReading{}, Facts: facts.Kept()}
	}
	for _, a := range r.arrivals {
		r.out.Decision.Record.Events = append(r.out.Decision.Record.Events, a.Event.ID)
	}
	r.out.Judged = r.facts.New || !sameJudgement(r.facts, r.out)
}

// wait says that nothing new is decided. The rule stays named: its dry run binds
// the claims of what it brought.
func (r *round) wait(reason string) {
	d := &r.out.Decision
	d.Verdict, d.Reasons, d.Guards = incident.VerdictWait, []string{reason}, []incident.Reading{}
	d.PolicyVersion = r.policy.Version()
}

// stoppedByHuman says whether a human refused a change in this stretch. Salve
// does not look for another way around a human's no.
func (r *round) stoppedByHuman() string {
	for _, in := range r.intents {
		stopped := in.State == incident.Aborted || in.State == incident.RejectedState
		if stopped && in.Effect == incident.Change && !in.Independent && !in.CreatedAt.Before(r.inc.BeganAt) {
			return in.Action + " was " + string(in.State) + " by a human"
		}
	}
	return ""
}

func sameJudgement(f Facts, o Outcome) bool {
	return f.Diagnosis.Cause == o.Diagnosis.Cause && f.Diagnosis.Summary == o.Diagnosis.Summary &&
		f.Diagnosis.Confidence == o.Diagnosis.Confidence && f.Decision.Verdict == o.Decision.Verdict &&
		f.Decision.Rung == o.Decision.Rung && f.Decision.Rule == o.Decision.Rule && f.Decision.Level == o.Decision.Level &&
		slices.Equal(Stopping(f.Decision.Guards), Stopping(o.Decision.Guards))
}

// Stopping names the guards that stop.
func Stopping(readings []incident.Reading) []string {
	var names []string
	for _, r := range readings {
		if r.Stops {
			names = append(names, r.Guard)
		}
	}
	return names
}

// liveRung says whether an urgent change of this incident has not ended yet.
func (r *round) liveRung() bool {
	for _, in := range r.intents {
		if in.Effect == incident.Change && !in.Independent && !in.State.Terminal() {
			return true
		}
	}
	return false
}

func (r *round) build(action string, target incident.Target, params map[string]any) (incident.Intent, error) {
	return r.buildFor(r.out.Diagnosis, action, target, params)
}

func (r *round) buildFor(d incident.Diagnosis, action string, target incident.Target, params map[string]any) (incident.Intent, error) {
	return remedy.Build(r.request(d, action, target, params))
}

func (r *round) request(d incident.Diagnosis, action string, target incident.Target, params map[string]any) remedy.Request {
	raised, first := remedy.Raises(r.intents, d.Owner, d.Container)
	return remedy.Request{
		Action: action, Target: target, Incident: r.inc, Diagnosis: d,
		Evidence: r.knowledge, Params: params,
		HealthyFor: r.set.Verification.HealthyFor, LookEvery: r.set.Verification.LookEvery,
		Repositories: r.set.Inventory.Repositories,
		RaisedBefore: raised, FirstLimit: first,
	}
}

// refusal is the catalogue's reason in words.
func refusal(err error) string {
	if no, ok := errors.AsType[*remedy.Refusal](err); ok {
		return no.Action + " refused: " + no.Reason
	}
	return err.Error()
}

func (r *round) policyFacts() policy.Facts {
	return policy.Facts{
		Incident: r.inc, Diagnosis: r.out.Diagnosis, Labels: r.inc.Labels, Severity: r.inc.Severity,
		Tried: r.tried(), Automation: r.facts.Automation, DryRun: r.inc.DryRun,
		Trusted: r.trusted, ObservedAt: r.out.Diagnosis.ObservedAt, Now: r.now,
		Repair: r.repair(), Sources: r.sources(), State: r.world,
		Blast: func(step incident.Step) incident.Blast {
			return r.blast(r.out.Diagnosis, step.Action, r.target(step.Action), step.Params)
		},
	}
}

func (r *round) tried() []policy.Tried {
	var tried []policy.Tried
	for _, in := range r.intents {
		if in.Effect == incident.Change {
			tried = append(tried, policy.Tried{
				Action: in.Action, Rung: in.Rung, State: in.State, Independent: in.Independent,
			})
		}
	}
	return tried
}

// carryOut turns the decision into intents, or into the reason why there are none.
func (r *round) carryOut() {
	dec := &r.out.Decision
	switch dec.Verdict {
	case incident.VerdictCollect, incident.VerdictNothing: // an alert fires, or this would not be asked
		r.lookAgain(dec)
	case incident.VerdictTell, incident.VerdictEscalate:
		r.escalating = strings.Join(dec.Reasons, "; ")
		r.say(dec)
	case incident.VerdictApprove, incident.VerdictHold, incident.VerdictRepair, incident.VerdictBlocked, incident.VerdictDryRun:
		r.plan(dec)
	}
}

// say carries out what a rung tells beside the message that people get anyhow: a
// ticket, a text.
func (r *round) say(dec *incident.Decision) {
	if r.stormChild() {
		return
	}
	for _, step := range dec.Steps {
		in, err := r.build(step.Action, r.inc.Target, step.Params)
		if err != nil {
			dec.Reasons = append(dec.Reasons, refusal(err))
			continue
		}
		if in.Effect != incident.Tell || r.said(in) {
			continue
		}
		in.Mode, in.State, in.Rung, in.Reason = incident.Auto, incident.Waiting, dec.Rung, strings.Join(dec.Reasons, "; ")
		r.add(in)
	}
}

// subject is what to look at: the owner with all its pods, else the ill pod,
// else what the alert named. What nobody trusted points nowhere.
func (r *round) subject() incident.Target {
	d := r.out.Diagnosis
	switch {
	case !r.trusted || isController(r.inc.Target.Kind):
		return r.inc.Target
	case d.Owner.Name != "":
		return d.Owner
	case d.Subject.Name != "":
		return d.Subject
	default:
		return r.inc.Target
	}
}

// isController says whether pods count as this; a ReplicaSet or Job may itself
// belong to something that is not seen yet.
func isController(kind string) bool {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "CronJob":
		return true
	}
	return false
}
