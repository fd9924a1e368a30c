package triage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

// Word is a human's word on one intent, or on an incident.
type Word struct {
	Kind     string // on an intent: approve, reject, abort; on an incident: ack, resolve
	Subject  string
	PlanHash string
	Reason   string
	Override []string // guards that may not stop it
	Groups   []string // that the token vouches for
	Admin    bool     // the token has the scope admin
}

// Names are what policy may call whoever speaks.
func (w Word) Names() []string {
	names := []string{w.Subject}
	for _, g := range w.Groups {
		names = append(names, "group:"+g)
	}
	return names
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

// HearOn takes a human's word on an incident: ack says that somebody has seen it,
// resolve ends it, as its alerts would.
func HearOn(p *policy.Policy, f Facts, w Word, now time.Time, ids incident.IDs) (Outcome, *Refusal) {
	r := newRound(p, f, nil, now, ids)
	r.by = w.Subject
	r.settle()
	because := "by " + w.Subject
	if w.Reason != "" {
		because += ": " + clip(w.Reason, 300)
	}
	switch {
	case !r.inc.Open():
		return r.outcome(), &Refusal{Reason: "too_late", Detail: "the incident is resolved already: " + r.inc.Resolution}
	case w.Kind == "ack":
		r.audit("incident.acknowledged", incident.ID{}, r.inc.Target.String(), because)
	default:
		r.resolve("resolved " + because)
	}
	r.goOn()
	return r.outcome(), nil
}

var words = map[string]func(*round, int, Word) *Refusal{
	"approve": (*round).approve,
	"reject":  (*round).reject,
	"abort":   (*round).abort,
}

// approve counts one human's yes to exactly the plan that was seen. It lets the
// plan go on once there are as many as policy wants.
func (r *round) approve(i int, w Word) *Refusal {
	in := &r.intents[i]
	if no := r.mayApprove(*in, w); no != nil {
		return no
	}
	in.Approvals = append(slices.Clip(in.Approvals), incident.Approval{By: w.Subject, At: r.now, Reason: clip(w.Reason, 300), Override: w.Override})
	because := "approved by " + r.approvers(*in)
	if w.Reason != "" {
		because += ": " + clip(w.Reason, 300)
	}
	if len(w.Override) > 0 {
		because += "; overridden: " + strings.Join(w.Override, ", ")
	}
	if have, want := len(r.people(*in)), r.quorum(*in); have < want {
		r.audit("intent.approval", in.ID, in.Action+" "+in.Target.String(), fmt.Sprintf("%s; %d of %d", because, have, want))
		return nil
	}
	in.ApprovedBy = r.approvers(*in)
	if in.Effect == incident.Change && r.now.Sub(in.EvidenceAt) > r.set.Approval.FreshFor {
		r.lookFirst(i, because+"; the evidence is looked at again first")
		return nil
	}
	in.NotBefore = r.soonest(*in)
	r.move(i, incident.ApproveIt, because)
	return nil
}

// people are those who said yes, each once, by whichever of their names came first.
func (r *round) people(in incident.Intent) []string {
	var names []string
	for _, a := range in.Approvals {
		if !slices.ContainsFunc(names, func(n string) bool { return r.person(n) == r.person(a.By) }) {
			names = append(names, a.By)
		}
	}
	return names
}

func (r *round) approvers(in incident.Intent) string { return strings.Join(r.people(in), ", ") }

// person is who it is, from Slack or with a token of their own.
func (r *round) person(subject string) string { return r.set.Slack.Person(subject) }

// mayApprove says why a yes does not count.
func (r *round) mayApprove(in incident.Intent, w Word) *Refusal {
	switch {
	case in.State != incident.AwaitingApproval && in.State != incident.Blocked:
		return r.tooLate(in, "approve")
	case r.outdated(in):
		return r.otherPolicy()
	case w.PlanHash == "":
		return &Refusal{Reason: "plan_changed", Detail: "approve must carry the plan_hash that was seen"}
	case w.PlanHash != in.PlanHash:
		return &Refusal{Reason: "plan_changed", Detail: fmt.Sprintf("the plan is %s, what was approved is %.64s", in.PlanHash, w.PlanHash)}
	case in.State == incident.AwaitingApproval && slices.ContainsFunc(r.people(in), func(n string) bool { return r.person(n) == r.person(w.Subject) }):
		return &Refusal{Reason: "already_approved", Detail: fmt.Sprintf("%s said yes already; %d are wanted, of different people", w.Subject, r.quorum(in))}
	case r.author(w.Subject):
		return &Refusal{Reason: "own_change", Detail: w.Subject + " sent the alert that this change answers; somebody else must say yes"}
	}
	names := append(w.Names(), r.person(w.Subject))
	if allowed := r.policy.Approvers(in.Rule); len(allowed) > 0 && !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(allowed, n) }) {
		return &Refusal{Reason: "not_an_approver", Detail: fmt.Sprintf("rule %s wants a yes of %s", in.Rule, strings.Join(allowed, ", "))}
	}
	return r.mayOverride(in, w)
}

// author says whether somebody sent one of the incident's alerts.
func (r *round) author(subject string) bool {
	for _, a := range r.alerts {
		if r.person(a.Subject) == r.person(subject) {
			return true
		}
	}
	return false
}

func (r *round) quorum(in incident.Intent) int { return r.policy.Quorum(in.Rule) }

// mayOverride says why guards cannot be overridden like this. On a blocked intent
// a yes must override every guard that stops it.
func (r *round) mayOverride(in incident.Intent, w Word) *Refusal {
	for _, guard := range w.Override {
		switch by := policy.OverrideOf(guard); {
		case !slices.Contains(policy.GuardNames(), guard):
			return &Refusal{Reason: "no_override", Detail: fmt.Sprintf("there is no guard %.64q; known are %s", guard, strings.Join(policy.GuardNames(), ", "))}
		case by == policy.ByNobody:
			return &Refusal{Reason: "no_override", Detail: "guard " + guard + " cannot be overridden"}
		case by == policy.ByAdmin && (!w.Admin || w.Reason == ""):
			return &Refusal{Reason: "no_override", Detail: "guard " + guard + " is overridden by an admin with a reason"}
		}
	}
	if in.State != incident.Blocked {
		return nil
	}
	overridden := in
	overridden.Approvals = append(slices.Clip(in.Approvals), incident.Approval{By: w.Subject, Override: w.Override})
	overridden.ApprovedBy = w.Subject // the age of evidence is looked at below
	for _, reading := range r.readGuards(overridden) {
		if reading.Stops {
			return &Refusal{Reason: "guard", Detail: reading.Guard + ": " + reading.Reading, Guards: r.readGuards(in)}
		}
	}
	return nil
}

func (r *round) reject(i int, w Word) *Refusal {
	if !r.move(i, incident.Reject, "rejected by "+w.Subject+": "+clip(w.Reason, 300)) {
		return r.tooLate(r.intents[i], "reject")
	}
	return nil
}

// abort stops what was not claimed yet. After that it is too late, and what would
// take it back waits for a yes instead.
func (r *round) abort(i int, w Word) *Refusal {
	if r.move(i, incident.Abort, "aborted by "+w.Subject+": "+clip(w.Reason, 300)) {
		return nil
	}
	no := r.tooLate(r.intents[i], "abort")
	if r.intents[i].State == incident.Running || r.intents[i].State == incident.Succeeded {
		no.Detail, no.Rollback = r.takeBack(i, no.Detail)
	}
	return no
}

// takeBack asks for a yes to what undoes a change, once that has ended.
func (r *round) takeBack(i int, late string) (string, *incident.ID) {
	done := r.intents[i]
	for _, in := range r.intents {
		if in.Undoes == done.ID && !in.State.Terminal() {
			return late + "; what takes it back is " + string(in.State), &in.ID
		}
	}
	undo, err := remedy.Rollback(done)
	if err != nil {
		return late + "; " + refusal(err), nil
	}
	undo.Undoes, undo.After, undo.EvidenceAt = done.ID, []incident.ID{done.ID}, done.EvidenceAt
	undo.Mode, undo.State = incident.Approve, incident.AwaitingApproval
	undo.Rung, undo.Rule, undo.Independent = done.Rung, done.Rule, true // it may begin however the first one ends
	undo.Reason = "takes back " + done.Action + ", which was aborted too late"
	id := r.add(undo)
	return late + "; what takes it back waits for a yes", &id
}

func (r *round) tooLate(in incident.Intent, word string) *Refusal {
	if in.State.Unclaimed() {
		return &Refusal{Reason: "not_awaiting", Detail: fmt.Sprintf("the intent is %s: there is nothing to %s", in.State, word)}
	}
	return &Refusal{Reason: "too_late", Detail: fmt.Sprintf("the intent is %s already", in.State)}
}
