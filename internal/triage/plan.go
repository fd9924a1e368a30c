package triage

import (
	"strings"
	"time"

	"salve/internal/incident"
)

// plan turns a rung into ordered intents. What the catalogue refuses is left out
// with its reason; when nothing is left, people are called.
func (r *round) plan(dec *incident.Decision) {
	var previous *incident.ID
	for _, step := range dec.Steps {
		in, err := r.draft(step, dec)
		if err != nil {
			dec.Reasons = append(dec.Reasons, refusal(err))
			continue
		}
		if previous != nil {
			in.After = []incident.ID{*previous}
		}
		if previous == nil && in.Mode == incident.Hold {
			announced := r.announcement(in)
			in.AnnouncedBy = &announced
		}
		id := r.add(in)
		previous = &id
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

func (r *round) draft(step incident.Step, dec *incident.Decision) (incident.Intent, error) {
	in, err := r.build(step.Action, r.target(step.Action), step.Params)
	if err != nil {
		return in, err
	}
	in.StepParams, in.EvidenceAt = step.Params, r.evidenceAt()
	in.Mode, in.State = step.Mode, incident.Waiting
	in.Rung, in.Independent, in.Window = dec.Rung, step.Independent, step.Window
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
	if !r.trusted {
		if !r.liveCollect() {
			r.askAgain(i, "the evidence could not be looked at again: a human must decide anew")
		}
		return
	}
	again, err := r.build(in.Action, in.Target, in.StepParams)
	switch {
	case err != nil:
		r.move(i, incident.Supersede, "on fresh evidence the plan no longer stands: "+refusal(err))
	case again.PlanHash == in.PlanHash:
		r.intents[i].EvidenceAt, r.intents[i].NotBefore = r.current.ObservedAt, r.now
		r.move(i, incident.Release, "fresh evidence gives the same plan")
	default:
		r.move(i, incident.Supersede, "fresh evidence gives another plan")
		r.replan(in, again)
	}
}

// replan asks for a yes to the plan that fresh evidence gives.
func (r *round) replan(old, next incident.Intent) {
	next.StepParams, next.EvidenceAt = old.StepParams, r.current.ObservedAt
	next.Mode, next.State = incident.Approve, incident.Waiting
	next.Rung, next.Independent = old.Rung, old.Independent
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
