package triage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// wantsEvidence says whether asking for more evidence could decide, within the
// bounds. What is decided already, but might be told better, is asked for once:
// the answer that does not come must not stop a repair.
func (r *round) wantsEvidence() bool {
	d := r.out.Diagnosis
	if len(d.Wants) == 0 {
		return false
	}
	if r.inc.Rounds >= r.set.Evidence.Rounds || r.now.Sub(r.inc.BeganAt) > r.set.Evidence.MaxDuration {
		return r.liveWant() // what was asked for may still decide
	}
	if !d.Decided() {
		r.askFor("evidence is missing: "+strings.Join(d.Missing, ", "), d.Wants...)
		return r.liveWant()
	}
	before := len(r.intents)
	r.askFor("more would be told by "+strings.Join(d.Missing, ", "), slices.DeleteFunc(slices.Clone(d.Wants), r.asked)...)
	for i := range r.intents[before:] { // people are not kept waiting where nobody executes
		r.intents[before+i].ExpiresAt = earlier(r.now.Add(recheckFor), r.intents[before+i].ExpiresAt)
	}
	return r.liveWant()
}

// askFor asks for several looks at once: that is one round.
func (r *round) askFor(reason string, wants ...incident.Want) {
	before := len(r.intents)
	for _, w := range wants {
		if r.asksTooMuch() {
			break
		}
		had := len(r.intents)
		r.collect(w.Action, w.Target, reason)
		if asked := len(r.intents) - had; r.world.Storming() {
			r.out.Collects, r.world.Storm.Collects = r.out.Collects+asked, r.world.Storm.Collects+asked
		}
	}
	if len(r.intents) > before {
		r.inc.Rounds++
	}
}

// asked says whether this was asked for in this stretch, however that ended.
func (r *round) asked(w incident.Want) bool {
	for _, in := range r.intents {
		if in.Action == w.Action && r.ofThisStretch(in) && sameLook(in.Target, w.Target) {
			return true
		}
	}
	return false
}

// liveWant says whether something that could decide is still on its way. For what
// is decided that is only what it asked for itself, at the first try.
func (r *round) liveWant() bool {
	d := r.out.Diagnosis
	if !d.Decided() {
		return r.liveCollect()
	}
	for _, in := range r.intents {
		for _, w := range d.Wants {
			if in.Action == w.Action && !in.State.Terminal() && in.Attempt == 0 && sameLook(in.Target, w.Target) {
				return true
			}
		}
	}
	return false
}

// sameLook says whether two collections look at the same thing.
func sameLook(a, b incident.Target) bool {
	return a.Key("") == b.Key("") && a.Container == b.Container && a.Service == b.Service
}

// look is the collection that shows how a target fares now.
func (r *round) look(target incident.Target) string {
	family := r.inc.Family
	if d := r.out.Diagnosis; d.Decided() && d.Cause != incident.CauseHealthy {
		family = incident.Family(d.Cause)
	}
	if r.fills() {
		family = "host" // what is on the disk says more than what else is in use
	}
	return cmp.Or(diagnose.Look(target, family), diagnose.CollectPod)
}

// whyCollect says whether a cause is still looked for, or only more about it.
func (r *round) whyCollect() string {
	if d := r.out.Diagnosis; d.Decided() {
		return "before anything is done about " + d.Cause + ", this is asked for once: " + strings.Join(d.Missing, ", ")
	}
	return "the evidence does not decide yet"
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
		if in.Action == action && !in.State.Terminal() && sameLook(in.Target, target) {
			return
		}
	}
	in, err := r.build(action, target, nil)
	if err != nil {
		r.out.Decision.Reasons = append(r.out.Decision.Reasons, refusal(err))
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, reason
	r.add(in)
}

// lookAgain collects instead of changing, where policy does not trust what it was shown.
func (r *round) lookAgain(dec *incident.Decision) {
	if r.inc.Rounds < r.set.Evidence.Rounds {
		r.askFor(strings.Join(dec.Reasons, "; "), incident.Want{Action: r.look(r.subject()), Target: r.subject()})
	}
	if r.liveCollect() {
		dec.Verdict = incident.VerdictCollect
	} else {
		dec.Verdict = incident.VerdictEscalate
		r.escalating = fmt.Sprintf("the evidence could not be confirmed in %d rounds", r.inc.Rounds)
		dec.Reasons = append(dec.Reasons, r.escalating)
	}
}
