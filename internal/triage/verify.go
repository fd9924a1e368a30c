package triage

import (
	"fmt"

	"salve/internal/incident"
)

// watching says whether a repair is being verified: what is seen counts, not
// what was reported.
func (r *round) watching() bool { return !r.inc.VerifyBy.IsZero() }

// verify watches after the last urgent step of a rung, or where evidence shows
// health although an alert fires.
func (r *round) verify() {
	if !r.inc.Open() {
		return
	}
	began := !r.watching() && r.beginWatching()
	if !r.watching() {
		return
	}
	if r.looked {
		r.judgeLook()
	}
	if r.watching() && r.inc.Open() {
		r.keepLooking(began && !r.looked)
	}
}

func (r *round) beginWatching() bool {
	healthy := r.looked && r.out.Diagnosis.Cause == incident.CauseHealthy
	if r.liveRung() || !healthy && !r.rungJustEnded() {
		return false
	}
	r.inc.VerifyBy = r.now.Add(r.set.Verification.Window)
	r.inc.HealthyAt = zeroTime
	return true
}

// rungJustEnded says whether an urgent change ended in this round in a way that
// may have helped: done, or lost and perhaps done.
func (r *round) rungJustEnded() bool {
	for i, before := range r.facts.Intents {
		in := r.intents[i]
		if in.Effect == incident.Change && !in.Independent && in.State != before.State &&
			(in.State == incident.Succeeded || in.State == incident.Lost) {
			return true
		}
	}
	return false
}

func (r *round) judgeLook() {
	switch d := r.out.Diagnosis; {
	case !r.trusted:
		return
	case d.Cause == incident.CauseHealthy:
		if r.inc.HealthyAt.IsZero() {
			r.inc.HealthyAt = r.now
		}
		if seen := r.now.Sub(r.inc.HealthyAt); seen >= r.set.Verification.HealthyFor {
			r.resolve(fmt.Sprintf("verified: healthy for %s", seen.Round(1e9)))
		}
	case d.Decided():
		r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
		r.acted = true
		r.audit("incident.ineffective", incident.ID{}, r.inc.Target.String(), "still ill after the repair: "+d.Summary)
	}
}

// keepLooking asks for the next look, the first one at once, or gives up when
// the window closes.
func (r *round) keepLooking(atOnce bool) {
	if r.now.After(r.inc.VerifyBy) {
		r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
		r.escalating = "inconclusive: the verification window closed before health was seen for long enough"
		r.acted = true
		return
	}
	if r.liveCollect() {
		return
	}
	target := r.subject()
	in, err := r.build("collect.pod", target, nil)
	if err != nil {
		return // what cannot be looked at is left to the alert and the window's end
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, "to see whether the repair helped"
	in.Attempt = len(reissueAfter) // the next look comes by itself
	if !atOnce {
		in.NotBefore = r.now.Add(r.set.Verification.LookEvery)
	}
	r.add(in)
}
