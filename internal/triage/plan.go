package triage

import (
	"errors"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/remedy"
)

// plan turns a rung into ordered intents. What the catalogue refuses is left out
// with its reason; when nothing is left, people are called.
func (r *round) plan(dec *incident.Decision) {
	var previous *incident.ID
	if r.needsFirst(dec) {
		return
	}
	drafts := r.drafts(dec)
	for _, in := range drafts {
		if previous != nil {
			in.After = []incident.ID{*previous}
			if in.State == incident.Blocked {
				in.State = incident.Waiting // what stands before it is blocked
			}
		}
		if previous == nil && in.Mode == incident.Hold && in.State == incident.Waiting {
			in.ID = r.ids() // the announcement's button names it
			announced := r.announcement(in)
			in.AnnouncedBy = &announced
		}
		id, isNew := r.addOnce(in)
		if isNew || in.State == incident.Shown {
			previous = &id
		}
	}
	if previous == nil {
		dec.Verdict = incident.VerdictEscalate
		r.escalating = "no step of the rung can be done: " + strings.Join(dec.Reasons, "; ")
		return
	}
	r.inc.Rung = dec.Rung
	if dec.Verdict == incident.VerdictDryRun {
		r.escalating = "dry run: shown is what would have been done"
	}
}

// addOnce shows the same plan once a stretch; anything else is added as it is.
func (r *round) addOnce(in incident.Intent) (incident.ID, bool) {
	if in.State == incident.Shown {
		for _, old := range r.intents {
			if old.State == incident.Shown && old.PlanHash == in.PlanHash && r.ofThisStretch(old) {
				return old.ID, false
			}
		}
	}
	return r.add(in), true
}

// drafts are the steps that can be done. The abort window stands before the
// rung's first change, whichever of its steps asks for one.
func (r *round) drafts(dec *incident.Decision) []incident.Intent {
	var drafts []incident.Intent
	for _, step := range r.expanded(dec) {
		in, err := r.draft(step, dec)
		if err != nil {
			dec.Reasons = append(dec.Reasons, refusal(err))
			continue
		}
		drafts = append(drafts, in)
	}
	for _, in := range drafts {
		if in.Mode == incident.Hold && drafts[0].Mode == incident.Auto {
			drafts[0].Mode, drafts[0].Window = in.Mode, in.Window
		}
	}
	return drafts
}

// needsFirst asks once for what a step of the rung cannot be planned without.
func (r *round) needsFirst(dec *incident.Decision) bool {
	for _, step := range dec.Steps {
		_, err := remedy.Expand(r.request(r.out.Diagnosis, step.Action, r.target(step.Action), step.Params), step)
		needs, ok := errors.AsType[*remedy.Needs](err)
		if !ok || r.asked(needs.Want) || r.inc.Rounds >= r.set.Evidence.Rounds {
			continue
		}
		before := len(r.intents)
		r.askFor("before "+step.Action+": "+err.Error(), needs.Want)
		for i := range r.intents[before:] { // people are not kept waiting where nobody executes
			r.intents[before+i].ExpiresAt = earlier(r.now.Add(recheckFor), r.intents[before+i].ExpiresAt)
			dec.Verdict, dec.Steps, dec.Guards = incident.VerdictCollect, nil, []incident.Reading{}
			dec.Reasons = append(dec.Reasons, err.Error())
			return true
		}
	}
	return false
}

// expanded are the rung's steps as they are for this object: what Git brings is
// changed otherwise.
func (r *round) expanded(dec *incident.Decision) []incident.Step {
	var steps []incident.Step
	for _, step := range dec.Steps {
		become, err := remedy.Expand(r.request(r.out.Diagnosis, step.Action, r.target(step.Action), step.Params), step)
		if err != nil {
			dec.Reasons = append(dec.Reasons, refusal(err))
		}
		steps = append(steps, become...)
	}
	return steps
}

func (r *round) draft(step incident.Step, dec *incident.Decision) (incident.Intent, error) {
	in, err := r.build(step.Action, r.target(step.Action), step.Params)
	if err != nil {
		return in, err
	}
	in.StepParams, in.EvidenceAt = step.Params, r.evidenceAt()
	in.Mode, in.State = step.Mode, incident.Waiting
	in.Rule, in.Rung, in.Independent, in.Window = dec.Rule, dec.Rung, step.Independent, step.Window
	in.OnFailure = step.OnFailure
	in.From, in.NotBefore, in.ExpiresAt = step.NotBefore, step.NotBefore, step.NotAfter
	in.Reason = strings.Join(dec.Reasons, "; ")
	switch dec.Verdict {
	case incident.VerdictDryRun:
		in.Mode, in.State = incident.DryRun, incident.Shown
	case incident.VerdictBlocked:
		in.State = incident.Blocked
	}
	return in, nil
}

// target picks what an action works on: the ill object itself, or its owner.
func (r *round) target(action string) incident.Target {
	d := r.out.Diagnosis
	t := r.subject()
	if action == "k8s.pod.restart" || t.Name == "" {
		t = d.Subject
	}
	t.Cluster, t.Container = r.inc.Target.Cluster, d.Container
	return t
}

// recheck looks again at what a human approved, or a guard held back, on older
// evidence: the same plan may run, another must be approved anew.
func (r *round) recheck() {
	for i := range r.intents {
		if r.intents[i].State == incident.Rechecking {
			r.recheckOne(i)
		}
	}
}

func (r *round) recheckOne(i int) {
	in := r.intents[i]
	if !r.freshFor(in) {
		if !r.liveCollect() {
			r.askAgain(i, "the evidence could not be looked at again: a human must decide anew")
		}
		return
	}
	again, err := r.rebuild(in)
	switch {
	case err != nil:
		r.move(i, incident.Supersede, "on fresh evidence the plan no longer stands: "+refusal(err))
	case again.PlanHash == in.PlanHash:
		r.intents[i].EvidenceAt, r.intents[i].NotBefore = r.current.ObservedAt, r.soonest(in)
		r.move(i, incident.Release, "fresh evidence gives the same plan")
	default:
		r.move(i, incident.Supersede, "fresh evidence gives another plan")
		r.replan(in, again)
	}
}

// freshFor says whether what is known now is newer than what the plan rests on,
// and fresh.
func (r *round) freshFor(in incident.Intent) bool {
	at := r.current.ObservedAt
	return r.trusted && at.After(in.EvidenceAt) && r.now.Sub(at) <= r.set.Evidence.FreshFor
}

// rebuild makes the plan again for the same object and container, whatever else
// was diagnosed meanwhile: after a restart helped, the diagnosis is health.
func (r *round) rebuild(in incident.Intent) (incident.Intent, error) {
	if in.OnFailure {
		return in, nil // what was suspended is to be resumed, whatever is seen now
	}
	if at := r.find(in.Undoes); at >= 0 {
		return remedy.Rollback(r.intents[at])
	}
	return r.buildFor(r.madeFor(in), in.Action, in.Target, in.StepParams)
}

// madeFor is the diagnosis as the plan of an intent was made for it.
func (r *round) madeFor(in incident.Intent) incident.Diagnosis {
	d := r.out.Diagnosis
	if d.Owner.Name == "" {
		d.Owner = r.inc.Target
	}
	switch in.Target.Kind {
	case "Application", "Kustomization", "HelmRelease": // it is about what brings the owner
	case "Pod", "Node", "Job", "Host", "Certificate":
		d.Subject = in.Target
	default:
		d.Owner, d.Container = in.Target, in.Target.Container
	}
	return d
}

// replan asks for a yes to the plan that fresh evidence gives.
func (r *round) replan(old, next incident.Intent) {
	next.StepParams, next.EvidenceAt = old.StepParams, r.current.ObservedAt
	next.Mode, next.State = incident.Approve, incident.Waiting
	next.Rule, next.Rung, next.Independent = old.Rule, old.Rung, old.Independent
	next.Reason = "replaces " + old.ID.String() + ": the evidence changed"
	r.add(next)
}

// evidenceAt is when the evidence that the diagnosis rests on was observed, if
// that evidence is trusted.
func (r *round) evidenceAt() time.Time {
	if !r.trusted {
		return zeroTime
	}
	return r.current.ObservedAt
}
