package triage

import (
	"slices"

	"salve/internal/incident"
)

// takeAlerts lets episodes begin and end.
func (r *round) takeAlerts() {
	for i, a := range r.arrivals {
		if a.Event.Kind != incident.AlertEvent {
			continue
		}
		r.out.Taken[i] = r.takeAlert(a.Event)
	}
}

func (r *round) takeAlert(e incident.Event) Taken {
	var known *incident.Alert
	if prior, ok := r.alerts[e.Episode]; ok {
		known = &prior
	}
	class := Classify(e, known)
	if class.Outcome == incident.Duplicate {
		r.inc.Repeats++
	}
	if class.Change {
		r.setAlert(e)
	}
	return Taken{Outcome: class.Outcome, Reasons: []string{class.Reason}}
}

func (r *round) setAlert(e incident.Event) {
	a := incident.Alert{
		Episode: e.Episode, IncidentID: r.inc.ID, Status: e.Status, Name: e.Name, Source: e.Source,
		Subject: e.Subject, Fingerprint: e.Fingerprint, StartsAt: e.StartsAt, EndsAt: e.EndsAt,
	}
	if prior, ok := r.alerts[e.Episode]; ok && a.StartsAt.IsZero() {
		a.StartsAt = prior.StartsAt
	}
	r.alerts[e.Episode] = a
	r.out.Alerts = replaceAlert(r.out.Alerts, a)
	if e.Status == incident.Firing {
		r.acted = true
		r.inc.Severity = r.inc.Severity.Worse(e.Severity)
		r.reopen(e.DryRun)
		r.inc.DryRun = r.inc.DryRun || e.DryRun && r.mayHoldBack(e)
	}
}

// mayHoldBack says whether a sender may make the whole incident a dry run: one of
// its own, or a trusted one. Others must not stop a repair that is not theirs.
func (r *round) mayHoldBack(e incident.Event) bool {
	if slices.Contains(r.set.TrustedEvidence, e.Subject) {
		return true
	}
	for _, a := range r.alerts {
		if a.Subject != e.Subject {
			return false
		}
	}
	return true
}

// replaceAlert keeps one row an episode: the same statement may not write one twice.
func replaceAlert(list []incident.Alert, a incident.Alert) []incident.Alert {
	for i := range list {
		if list[i].Episode == a.Episode {
			list[i] = a
			return list
		}
	}
	return append(list, a)
}

// outlives says what goes on when the incident is resolved: what tells people,
// lasting changes, and the look that one of those waits for.
func (r *round) outlives(in incident.Intent) bool {
	return in.Effect == incident.Tell || in.Independent || in.Effect == incident.Observe && r.lastingRecheck()
}

func (r *round) lastingRecheck() bool {
	for _, in := range r.intents {
		if in.Independent && in.State == incident.Rechecking {
			return true
		}
	}
	return false
}

// quieten gives the alerts that still fire the time of their look-back.
func (r *round) quieten() {
	for _, a := range r.alerts {
		if a.Status == incident.Firing {
			a.QuietUntil = r.now.Add(r.set.Verification.Window)
			r.alerts[a.Episode] = a
			r.out.Alerts = replaceAlert(r.out.Alerts, a)
		}
	}
}

// reopen brings a resolved incident back: it counts, and the ladder goes on from
// where it stood, so that what did not last is not simply done again.
func (r *round) reopen(dryRun bool) {
	if r.inc.State != incident.StateResolved {
		return
	}
	_ = r.inc.MoveTo(incident.StateOpen)
	r.inc.Recurrence++
	r.inc.Rounds, r.inc.BeganAt = 0, r.now
	r.inc.DryRun = dryRun // what another stretch asked for is over
	r.inc.Resolution, r.inc.ResolvedAt = "", zeroTime
	r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
	r.out.Diagnosis, r.out.Decision = incident.Diagnosis{}, incident.Decision{}
	r.audit("incident.reopened", incident.ID{}, r.inc.Target.String(), "it came back within policy's recurrence time")
}

// resolveWithAlerts ends the incident when the last of its alerts has resolved.
// While a repair runs, and after a pod was taken away, that alone says nothing:
// an alert also resolves because its pod is gone. Then the owner's pods of today
// must have been seen well.
func (r *round) resolveWithAlerts() {
	news := len(r.out.Alerts) > 0 || r.acted
	if !news || !r.inc.Open() || !r.alertsResolved() {
		return
	}
	if r.repairRuns() || r.podTaken() && r.inc.HealthyAt.IsZero() {
		return
	}
	r.resolve("all its alerts resolved")
}

func (r *round) alertsResolved() bool {
	for _, a := range r.alerts {
		if a.Status == incident.Firing {
			return false
		}
	}
	return len(r.alerts) > 0
}

func (r *round) repairRuns() bool {
	return r.anyChange(func(in incident.Intent) bool { return !in.Independent && in.State == incident.Running })
}

// podTaken says whether a pod was taken away, or perhaps was, in this stretch.
func (r *round) podTaken() bool {
	return r.anyChange(func(in incident.Intent) bool {
		return in.Target.Kind == "Pod" && (in.State == incident.Succeeded || in.State == incident.Lost)
	})
}

// anyChange looks for a change of this stretch.
func (r *round) anyChange(is func(incident.Intent) bool) bool {
	for _, in := range r.intents {
		if in.Effect == incident.Change && r.ofThisStretch(in) && is(in) {
			return true
		}
	}
	return false
}

// ofThisStretch says whether an intent is news since the incident opened, or came
// back. What still runs from before counts until it has ended.
func (r *round) ofThisStretch(in incident.Intent) bool {
	return in.State == incident.Running || !in.CreatedAt.Before(r.inc.BeganAt)
}

// resolve ends the incident. What is urgent and not yet claimed is superseded;
// lasting changes and what tells people go on; what runs keeps its lease.
func (r *round) resolve(reason string) {
	for i := range r.intents {
		if in := r.intents[i]; in.State.Unclaimed() && !r.outlives(in) {
			r.move(i, incident.Supersede, "the incident is resolved: "+reason)
		}
	}
	if err := r.inc.MoveTo(incident.StateResolved); err != nil {
		return
	}
	r.inc.Resolution, r.inc.ResolvedAt = reason, r.now
	r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
	r.ending = reason
	r.endRepairs(r.helped)
	r.quieten()
	r.audit("incident.resolved", incident.ID{}, r.inc.Target.String(), reason)
}
