package triage

import (
	"time"

	"salve/internal/incident"
)

var zeroTime time.Time

// takeResults ends the intents that executors reported on. Whether a result may
// count at all (lease, first one) was settled by the store before this.
func (r *round) takeResults() {
	for i, a := range r.arrivals {
		if a.Event.Kind == incident.AlertEvent {
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
	r.facts.Results = append(r.facts.Results, res)
	if res.Status == incident.ResultSucceeded {
		r.move(at, incident.Succeed, "the executor reports success")
		return
	}
	reason := "the executor reports " + string(res.Status)
	if res.Error != "" {
		reason += ": " + clip(res.Error, 300)
	}
	r.move(at, incident.Fail, reason)
	r.again(at)
}

// reissueAfter is how long Salve waits before an observe or tell that failed or
// was lost is issued anew. A change is never repeated by itself.
var reissueAfter = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute}

func (r *round) again(at int) {
	old := r.intents[at]
	if old.Effect == incident.Change || old.Attempt >= len(reissueAfter) || !r.inc.Open() && old.Effect == incident.Observe {
		return
	}
	next := old
	next.Attempt++
	next.After, next.AnnouncedBy = nil, nil
	next.NotBefore = r.now.Add(reissueAfter[old.Attempt])
	next.State = incident.Waiting
	next.Reason = "issued anew: the last try " + string(old.State)
	r.add(next)
}

// add gives an intent its id, time and paths and makes it part of the incident.
func (r *round) add(in incident.Intent) incident.ID {
	in.ID, in.IncidentID, in.CreatedAt = r.ids(), r.inc.ID, r.now
	if in.NotBefore.IsZero() {
		in.NotBefore = r.now
	}
	in.ExpiresAt = r.expiry(in)
	in.Traceparent = incident.TraceParent(r.inc.ID, in.ID)
	if in.After == nil {
		in.After = []incident.ID{}
	}
	in.Paths()
	r.intents = append(r.intents, in)
	r.audit("intent.issued", in.ID, in.Action+" "+in.Target.String(), in.Summary)
	return in.ID
}

func (r *round) expiry(in incident.Intent) time.Time {
	life := r.set.IntentExpiresAfter
	if in.State == incident.AwaitingApproval || in.Mode == incident.Approve {
		life = r.set.ApprovalExpiresAfter
	}
	return in.NotBefore.Add(life)
}
