package triage

import (
	"slices"
	"time"

	"salve/internal/incident"
)

var zeroTime time.Time

// takeResults ends the intents that executors reported on. Whether a result may
// count at all (lease, first one) was settled by the store before this.
func (r *round) takeResults() {
	for i, a := range r.arrivals {
		if a.Event.Kind != incident.ResultEvent {
			continue
		}
		r.out.Taken[i] = Taken{Outcome: incident.Accepted, Reasons: []string{"taken"}}
		if a.Result == nil {
			continue
		}
		if at := r.find(a.Result.IntentID); at >= 0 {
			r.takeResult(at, *a.Result)
		}
	}
}

func (r *round) takeResult(at int, res incident.Result) {
	if r.intents[at].State != incident.Running {
		return // late or a repeat: never obeyed
	}
	r.facts.Results = append(slices.Clip(r.facts.Results), res)
	if res.Status == incident.ResultSucceeded {
		r.move(at, incident.Succeed, "the executor reports success")
		r.endLate(true)
		return
	}
	reason := "the executor reports " + string(res.Status)
	if res.Error != "" {
		reason += ": " + clip(res.Error, 300)
	}
	r.move(at, incident.Fail, reason)
	if in := r.intents[at]; in.Effect == incident.Change {
		r.endRepairs(r.failedStep(in, res.Status == incident.ResultSkipped))
		r.endLate(false)
	}
	r.again(at)
}

// reissueAfter is how long Salve waits before an observe or tell that failed or
// was lost is issued anew. A change is never repeated by itself.
var reissueAfter = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute}

func (r *round) again(at int) {
	old := r.intents[at]
	if old.Effect == incident.Tell && old.Attempt >= len(reissueAfter) {
		r.tellElsewhere(old)
	}
	if old.Effect == incident.Change || old.Attempt >= len(reissueAfter) || !r.inc.Open() && !r.outlives(old) {
		return
	}
	next := anew(old)
	next.Attempt++
	next.NotBefore = r.now.Add(reissueAfter[old.Attempt])
	next.Reason = "issued anew: the last try " + endedHow[old.State]
	r.add(next)
}

var endedHow = map[incident.IntentState]string{
	incident.Failed: "failed", incident.Lost: "was lost", incident.Expired: "was not taken in time",
}

// anew is the same plan before anybody touched it.
func anew(old incident.Intent) incident.Intent {
	next := old
	next.State, next.ShortID = incident.Waiting, ""
	next.After, next.AnnouncedBy, next.NotBefore, next.ExpiresAt = nil, nil, zeroTime, zeroTime
	next.Approvals, next.ApprovedBy, next.ClaimedBy, next.Worker, next.ExecutionID = nil, "", "", "", ""
	next.LeaseHash, next.LeaseExpires = nil, zeroTime
	return next
}

// add gives an intent its id, time and paths and makes it part of the incident. Only
// an id that it was given just now, for a message to name it, is kept.
func (r *round) add(in incident.Intent) incident.ID {
	if in.ID.IsZero() || r.find(in.ID) >= 0 {
		in.ID = r.ids()
	}
	in.IncidentID, in.CreatedAt, in.Doc = r.inc.ID, r.now, nil
	if in.NotBefore.IsZero() {
		in.NotBefore = r.now
	}
	in.ExpiresAt = r.expiry(in)
	in.Traceparent = incident.TraceParent(r.inc.ID, in.ID)
	if in.After == nil {
		in.After = []incident.ID{}
	}
	in.Paths()
	if in.Effect == incident.Change {
		in.Policy = r.policy.Version()
		r.audit("intent.issued", in.ID, in.Action+" "+in.Target.String(), in.Summary)
	}
	r.intents = append(r.intents, in)
	return in.ID
}

// expiry is when nobody taking an intent is an answer too. Asking for evidence is
// bounded by time: after that people are called.
func (r *round) expiry(in incident.Intent) time.Time {
	life := r.set.IntentExpiresAfter
	switch {
	case !in.ExpiresAt.IsZero() && in.ExpiresAt.After(in.NotBefore):
		return in.ExpiresAt // policy says until when

	case in.Mode == incident.Approve:
		life = r.set.Approval.ExpiresAfter
	case in.Effect == incident.Observe:
		life = min(life, r.set.Evidence.MaxDuration)
	}
	return in.NotBefore.Add(life)
}
