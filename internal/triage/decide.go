package triage

import (
	"errors"
	"fmt"
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
	case r.liveRung():
		r.wait("one live rung a target: the end of what is under way is awaited")
	case r.watching():
		r.wait("the target is being watched until " + r.inc.VerifyBy.UTC().Format(time.RFC3339))
	case r.escalating != "":
		r.out.Decision = incident.Decision{
			Verdict: incident.VerdictEscalate, Reasons: []string{r.escalating}, Rung: r.inc.Rung,
			Guards: []incident.Reading{}, PolicyVersion: r.policy.Version(),
		}
	case r.wantsEvidence():
		r.out.Decision = r.collectDecision("the evidence does not decide yet")
	default:
		r.out.Decision = r.policy.Decide(r.policyFacts())
		r.carryOut()
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
		f.Decision.Rung == o.Decision.Rung && f.Decision.Rule == o.Decision.Rule
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

// wantsEvidence says whether asking for more evidence could decide, within the bounds.
func (r *round) wantsEvidence() bool {
	d := r.out.Diagnosis
	if d.Decided() || len(d.Wants) == 0 {
		return false
	}
	if r.inc.Rounds >= r.set.Evidence.Rounds || r.now.Sub(r.inc.BeganAt) > r.set.Evidence.MaxDuration {
		return r.liveCollect() // what was asked for may still decide
	}
	for _, w := range d.Wants {
		r.collect(w.Action, w.Target, "evidence is missing: "+strings.Join(d.Missing, ", "))
	}
	return r.liveCollect()
}

func (r *round) collectDecision(reason string) incident.Decision {
	return incident.Decision{
		Verdict: incident.VerdictCollect, Reasons: []string{reason}, Rung: r.inc.Rung,
		Guards: []incident.Reading{}, PolicyVersion: r.policy.Version(),
	}
}

func (r *round) liveCollect() bool {
	for _, in := range r.intents {
		if in.Effect == incident.Observe && !in.State.Terminal() {
			return true
		}
	}
	return false
}

// collect asks for evidence, unless the same is being asked for already.
func (r *round) collect(action string, target incident.Target, reason string) {
	for _, in := range r.intents {
		if in.Action == action && !in.State.Terminal() && in.Target.Key("") == target.Key("") {
			return
		}
	}
	in, err := r.build(action, target, nil)
	if err != nil {
		r.out.Decision.Reasons = append(r.out.Decision.Reasons, refusal(err))
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, reason
	r.inc.Rounds++
	r.add(in)
}

func (r *round) build(action string, target incident.Target, params map[string]any) (incident.Intent, error) {
	return r.buildFor(r.out.Diagnosis, action, target, params)
}

func (r *round) buildFor(d incident.Diagnosis, action string, target incident.Target, params map[string]any) (incident.Intent, error) {
	raised, first := remedy.Raises(r.intents, d.Owner, d.Container)
	return remedy.Build(remedy.Request{
		Action: action, Target: target, Incident: r.inc, Diagnosis: d,
		Evidence: r.knowledge, Params: params,
		HealthyFor: r.set.Verification.HealthyFor, LookEvery: r.set.Verification.LookEvery,
		RaisedBefore: raised, FirstLimit: first,
	})
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
	case incident.VerdictApprove, incident.VerdictHold, incident.VerdictRepair, incident.VerdictBlocked, incident.VerdictDryRun:
		r.plan(dec)
	}
}

// lookAgain collects instead of changing, where policy does not trust what it was shown.
func (r *round) lookAgain(dec *incident.Decision) {
	if r.inc.Rounds < r.set.Evidence.Rounds {
		r.collect("collect.pod", r.subject(), strings.Join(dec.Reasons, "; "))
	}
	if r.liveCollect() {
		dec.Verdict = incident.VerdictCollect
	} else {
		dec.Verdict = incident.VerdictEscalate
		r.escalating = fmt.Sprintf("the evidence could not be confirmed in %d rounds", r.inc.Rounds)
		dec.Reasons = append(dec.Reasons, r.escalating)
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
