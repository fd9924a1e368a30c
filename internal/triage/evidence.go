package triage

import (
	"slices"
	"time"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// seen is one piece of evidence, decoded, with what its word is worth.
type seen struct {
	evidence diagnose.Evidence
	observed time.Time // the earlier of observedAt and receipt
	trusted  bool
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
	r.inc.Cause, r.inc.Summary = d.Cause, d.Summary
	r.rekey(d)
}

func (r *round) question() diagnose.Question {
	q := diagnose.Question{Target: r.inc.Target, Family: r.inc.Family}
	for _, a := range r.facts.Alerts {
		q.AlertName = a.Name
	}
	return q
}

// rekey names the incident after what is ill: the top controller and the
// family of the cause. Pod names change at every restart, owners do not.
func (r *round) rekey(d incident.Diagnosis) {
	if d.Owner.Name != "" {
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
	if len(pieces) == 0 {
		return false
	}
	all := make([]seen, 0, len(pieces))
	for _, p := range pieces {
		ev, _ := diagnose.ParseEvidence(p.Raw, p.ReceivedAt)
		observed := earlier(ev.ObservedAt, p.ReceivedAt)
		ev.ObservedAt = observed
		r.knowledge = r.knowledge.Merge(ev)
		all = append(all, seen{ev, observed, p.Leased || slices.Contains(r.set.TrustedEvidence, p.Subject)})
	}
	r.mergeCurrent(all)
	return fresh
}

// pieces are the stored ones and those that arrived; the latter make it fresh.
func (r *round) pieces() ([]Piece, bool) {
	pieces := slices.Clone(r.facts.Evidence)
	fresh := false
	for i, a := range r.arrivals {
		if len(a.Event.Evidence) == 0 || r.out.Taken[i].Outcome != incident.Accepted {
			continue
		}
		p := Piece{Raw: a.Event.Evidence, Subject: a.Event.Subject, Leased: a.Result != nil, ReceivedAt: a.Event.ReceivedAt}
		pieces, fresh = append(pieces, p), true
		_, problems := diagnose.ParseEvidence(p.Raw, p.ReceivedAt)
		for _, problem := range problems {
			r.out.Taken[i].Reasons = append(r.out.Taken[i].Reasons, "evidence"+problem.Pointer+": "+problem.Detail)
		}
	}
	return pieces, fresh
}

func (r *round) mergeCurrent(all []seen) {
	since, newest := r.lastChangeEnd(), time.Time{}
	for _, s := range all {
		r.trusted = r.trusted || s.trusted && !s.observed.Before(since)
		if s.observed.After(newest) {
			newest = s.observed
		}
	}
	for _, s := range all {
		stale := s.observed.Before(since) || newest.Sub(s.observed) > r.set.Evidence.FreshFor
		if stale || r.trusted && !s.trusted {
			continue
		}
		r.current = r.current.Merge(s.evidence)
	}
}

// lastChangeEnd is when the last change of this incident was over.
func (r *round) lastChangeEnd() time.Time {
	var last time.Time
	for _, res := range r.facts.Results {
		at := r.find(res.IntentID)
		if at < 0 || r.intents[at].Effect != incident.Change {
			continue
		}
		end := res.ReceivedAt
		if !res.FinishedAt.IsZero() {
			end = earlier(end, res.FinishedAt)
		}
		if end.After(last) {
			last = end
		}
	}
	return last
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
	ev, _ := diagnose.ParseEvidence(e.Evidence, e.ReceivedAt)
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
