package triage

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// seen is one piece of evidence, decoded, with what its word is worth.
type seen struct {
	evidence evidence.Evidence
	observed time.Time // the earlier of observedAt and receipt
	began    time.Time // of a window, what was measured first; else zero
	trusted  bool
}

// after says whether all of it was seen after a moment: a window in which a change
// was made tells of both before and after.
func (s seen) after(moment time.Time) bool { return s.observed.After(moment) && !s.spans(moment) }

func (s seen) spans(moment time.Time) bool { return !s.began.IsZero() && s.began.Before(moment) }

// beganAt is when the first window of the evidence began.
func beganAt(ev evidence.Evidence) (first time.Time) {
	for _, a := range ev.Aggregates {
		if at := a.Window.Start.Time; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// diagnose looks at the evidence when there is new evidence, or none was ever
// looked at. Without new evidence the diagnosis stands: the same evidence gives
// the same diagnosis.
func (r *round) diagnose() {
	fresh := r.gather()
	if !r.inc.Open() || !fresh && r.out.Diagnosis.Cause != "" {
		return
	}
	r.looked = fresh
	d := diagnose.Diagnose(r.current, r.question())
	d.ObservedAt = r.current.ObservedAt
	r.out.Diagnosis = d
	r.named(d)
	r.rekey(d)
}

// named keeps what the incident was about: that it is healthy now, or that a
// look showed nothing, does not rewrite what was wrong.
func (r *round) named(d incident.Diagnosis) {
	known := r.inc.Cause != incident.CauseUnknown && r.inc.Cause != incident.CauseHealthy
	if ill := d.Decided() && d.Cause != incident.CauseHealthy; ill || !known {
		r.inc.Cause, r.inc.Summary = d.Cause, d.Summary
	}
}

// question names the oldest alert: it is the one that told first.
func (r *round) question() diagnose.Question {
	q := diagnose.Question{Target: r.inc.Target, Family: r.inc.Family, Hypothesis: r.inc.Hypothesis}
	var first incident.Alert
	for _, a := range r.alerts {
		older := cmp.Or(a.StartsAt.Compare(first.StartsAt), bytes.Compare(a.Episode[:], first.Episode[:]))
		if q.AlertName == "" || older < 0 {
			first, q.AlertName = a, a.Name
		}
	}
	if r.fills() && r.watching() {
		q.Family = "host" // what is on the disk now is all that shows whether it was eased
	}
	return q
}

// rekey names the incident after what is ill: the top controller and the
// family of the cause. Pod names change at every restart, owners do not. A look
// that saw less of the owners does not take it back, and evidence that anybody
// could have sent does not move an incident.
func (r *round) rekey(d incident.Diagnosis) {
	if !r.trusted {
		return
	}
	if d.Owner.Name != "" && (!isController(r.inc.Target.Kind) || d.Owner.Kind == r.inc.Target.Kind) {
		owner := d.Owner
		owner.Cluster, owner.Service = r.inc.Target.Cluster, r.inc.Target.Service
		r.inc.Target = owner
	}
	if d.Decided() && d.Cause != incident.CauseHealthy {
		r.inc.Family = incident.Family(d.Cause)
	}
	r.inc.Key = r.inc.Target.Key(r.inc.Family)
}

// gather decodes all evidence there is and says whether some of it is new.
// Trusted evidence drives out untrusted; what was seen before the last change
// ended says nothing about now.
func (r *round) gather() bool {
	pieces, fresh := r.pieces()
	r.gathered = true
	if len(pieces) == 0 {
		return false
	}
	all := r.decoded(pieces)
	r.knowledge = knowledge(all)
	r.mergeCurrent(all)
	// What arrived and does not count is not a look.
	return fresh && (!r.trusted || r.anyFreshTrusted(all))
}

// decoded are pieces of evidence with what the word of each is worth.
func (r *round) decoded(pieces []Piece) []seen {
	all := make([]seen, 0, len(pieces))
	for _, p := range pieces {
		ev, _ := evidence.Parse(p.Raw, p.ReceivedAt)
		if elsewhere(ev, r.inc.Target) {
			ev = evidence.Evidence{} // it was named in the answer that it came with
		}
		observed := earlier(ev.ObservedAt, p.ReceivedAt)
		ev.ObservedAt = observed
		all = append(all, seen{ev, observed, beganAt(ev), trusts(r.set, p) && !observed.IsZero()})
	}
	return all
}

// elsewhere says whether evidence is about another cluster than the incident:
// pods of the same name live in many.
func elsewhere(ev evidence.Evidence, t incident.Target) bool {
	return ev.Cluster != "" && t.Cluster != "" && ev.Cluster != t.Cluster
}

// anyFreshTrusted says whether something trusted is among what arrived.
func (r *round) anyFreshTrusted(all []seen) bool {
	since := r.lastChangeEnd()
	return slices.ContainsFunc(all[len(r.facts.Evidence):], func(s seen) bool { return s.trusted && !s.spans(since) })
}

// knowledge is what requests are built from: only what is trusted, once
// there is any. A plan must not rest on what anybody could have sent.
func knowledge(all []seen) (known evidence.Evidence) {
	trusted := slices.ContainsFunc(all, func(s seen) bool { return s.trusted })
	for _, s := range all {
		if s.trusted || !trusted {
			known = known.Merge(s.evidence)
		}
	}
	return known
}

// pieces are the stored ones and those that arrived; the latter make it fresh.
func (r *round) pieces() ([]Piece, bool) {
	pieces := slices.Clone(r.facts.Evidence)
	fresh := false
	for i, a := range r.arrivals {
		if len(a.Event.Evidence) == 0 || r.out.Taken[i].Outcome != incident.Accepted {
			continue
		}
		p := pieceOf(a)
		pieces, fresh = append(pieces, p), true
		ev, problems := evidence.Parse(p.Raw, p.ReceivedAt)
		r.out.Taken[i].Reasons = append(r.out.Taken[i].Reasons, complaints(ev, problems, r.inc.Target)...)
	}
	return pieces, fresh
}

func pieceOf(a Arrival) Piece {
	return Piece{Raw: a.Event.Evidence, Subject: a.Event.Subject, Leased: a.Result != nil, ReceivedAt: a.Event.ReceivedAt}
}

func (r *round) mergeCurrent(all []seen) {
	since, newest := r.lastChangeEnd(), time.Time{}
	for _, s := range all {
		r.trusted = r.trusted || s.trusted && s.after(since)
	}
	counts := func(s seen) bool { return s.after(since) && (s.trusted || !r.trusted) }
	for _, s := range all {
		if counts(s) && s.observed.After(newest) {
			newest = s.observed
		}
	}
	for _, s := range all {
		if counts(s) && newest.Sub(s.observed) <= r.set.Evidence.FreshFor {
			r.current = r.current.Merge(s.evidence)
		}
	}
}

// lastChangeEnd is when the last change of this incident was over. One that was
// lost may have gone on until its lease ended.
func (r *round) lastChangeEnd() time.Time {
	var last time.Time
	for _, in := range r.intents {
		if in.Effect == incident.Change && in.State == incident.Lost && in.LeaseExpires.After(last) {
			last = in.LeaseExpires
		}
	}
	for _, res := range r.facts.Results {
		at := r.find(res.IntentID)
		if at < 0 || r.intents[at].Effect != incident.Change {
			continue
		}
		if end := r.ended(r.intents[at], res); end.After(last) {
			last = end
		}
	}
	return last
}

// ended is when an execution says it was over: not before it was claimed, and
// not after its word came.
func (r *round) ended(in incident.Intent, res incident.Result) time.Time {
	if res.FinishedAt.IsZero() || res.FinishedAt.After(res.ReceivedAt) {
		return res.ReceivedAt
	}
	if claimed := in.LeaseExpires.Add(-in.Timeout - r.set.LeaseGrace); res.FinishedAt.Before(claimed) {
		return claimed
	}
	return res.FinishedAt
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// Locate names the target and family that an alert's own evidence shows, so that
// the alert joins the incident of the owner at once. Without evidence, or where
// it shows nothing, the alert's own words stand.
func Locate(e incident.Event) incident.Event {
	if len(e.Evidence) == 0 {
		return e
	}
	ev, _ := evidence.Parse(e.Evidence, e.ReceivedAt)
	if elsewhere(ev, e.Target) {
		return e
	}
	d := diagnose.Diagnose(ev, diagnose.Question{Target: e.Target, Family: e.Family, AlertName: e.Name})
	if d.Owner.Name != "" {
		owner := d.Owner
		owner.Cluster, owner.Service = e.Target.Cluster, e.Target.Service
		e.Target = owner
	}
	if d.Decided() && d.Cause != incident.CauseHealthy {
		e.Family = incident.Family(d.Cause)
	}
	return e
}
