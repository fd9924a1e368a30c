package triage

import (
	"fmt"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Word is a human's word on one intent.
type Word struct {
	Kind     string // approve, reject, abort
	Subject  string
	PlanHash string
	Reason   string
}

// Hear takes a human's word. Too late, or for another plan than the one seen,
// it changes nothing and says so.
func Hear(p *policy.Policy, f Facts, id incident.ID, w Word, now time.Time, ids incident.IDs) (Outcome, *Refusal) {
	r := newRound(p, f, nil, now, ids)
	r.by = w.Subject
	r.settle()
	i := r.find(id)
	if i < 0 {
		return r.outcome(), notHere()
	}
	refused := words[w.Kind](r, i, w)
	if refused != nil {
		r.refuse(i, "intent."+w.Kind+"_refused", refused)
	}
	r.goOn()
	return r.outcome(), refused
}

var words = map[string]func(*round, int, Word) *Refusal{
	"approve": (*round).approve,
	"reject":  (*round).reject,
	"abort":   (*round).abort,
}

func (r *round) approve(i int, w Word) *Refusal {
	in := &r.intents[i]
	switch {
	case in.State != incident.AwaitingApproval:
		return r.tooLate(*in, "approve")
	case in.Effect == incident.Change && in.Policy != r.policy.Version():
		return r.otherPolicy()
	case w.PlanHash == "":
		return &Refusal{Reason: "plan_changed", Detail: "approve must carry the plan_hash that was seen"}
	case w.PlanHash != in.PlanHash:
		return &Refusal{Reason: "plan_changed", Detail: fmt.Sprintf("the plan is %s, what was approved is %.64s", in.PlanHash, w.PlanHash)}
	}
	in.ApprovedBy = w.Subject
	because := "approved by " + w.Subject
	if w.Reason != "" {
		because += ": " + clip(w.Reason, 300)
	}
	if in.Effect == incident.Change && r.now.Sub(in.EvidenceAt) > r.set.Evidence.FreshFor {
		r.lookFirst(i, because+"; the evidence is looked at again first")
		return nil
	}
	in.NotBefore = r.now
	r.move(i, incident.ApproveIt, because)
	return nil
}

func (r *round) reject(i int, w Word) *Refusal {
	if !r.move(i, incident.Reject, "rejected by "+w.Subject+": "+clip(w.Reason, 300)) {
		return r.tooLate(r.intents[i], "reject")
	}
	return nil
}

func (r *round) abort(i int, w Word) *Refusal {
	if !r.move(i, incident.Abort, "aborted by "+w.Subject+": "+clip(w.Reason, 300)) {
		return r.tooLate(r.intents[i], "abort")
	}
	return nil
}

func (r *round) tooLate(in incident.Intent, word string) *Refusal {
	if in.State.Unclaimed() {
		return &Refusal{Reason: "not_awaiting", Detail: fmt.Sprintf("the intent is %s: there is nothing to %s", in.State, word)}
	}
	return &Refusal{Reason: "too_late", Detail: fmt.Sprintf("the intent is %s already", in.State)}
}
