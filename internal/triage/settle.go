package triage

import (
	"time"

	"salve/internal/incident"
)

// settle applies what time and the ends of other intents mean for each intent.
// It runs to a fixed point, because one end may give another its turn.
func (r *round) settle() {
	for before := -1; before != r.moves; {
		before = r.moves
		for i := range r.intents {
			r.settleOne(i)
		}
	}
}

func (r *round) settleOne(i int) {
	in := r.intents[i]
	switch {
	case in.State == incident.Running && !in.LeaseExpires.IsZero() && r.now.After(in.LeaseExpires):
		r.move(i, incident.Lose, "the lease ended without a result")
		r.again(i)
	case r.expired(in):
		r.move(i, incident.Expire, "nobody took it in time; that counts as a refusal")
		r.tellAnew(i)
	case in.State == incident.Waiting:
		r.settleWaiting(i)
	case in.State == incident.Rechecking && !r.now.Before(in.NotBefore):
		r.askAgain(i, "no fresh evidence came in time: a human must decide anew")
	case in.State == incident.Holding && !r.now.Before(in.NotBefore):
		r.move(i, incident.CloseHold, "the abort window is over and nobody aborted")
	case in.State == incident.Blocked:
		r.settleBlocked(i)
	}
}

// expired says whether nobody took an intent in time. What a guard stops waits for
// the guard, however long a freeze lasts.
func (r *round) expired(in incident.Intent) bool {
	return in.State.Unclaimed() && in.State != incident.Blocked && r.now.After(in.ExpiresAt)
}

// tellAnew keeps the newest message alive that nobody carried: as long as the
// incident is open, people are still to be called.
func (r *round) tellAnew(i int) {
	old := r.intents[i]
	if old.Effect != incident.Tell || old.Reason == announcing || !r.inc.Open() {
		return
	}
	for _, later := range r.intents[i+1:] {
		if later.Effect == incident.Tell {
			return
		}
	}
	next := anew(old)
	next.Reason = "issued anew: the last try " + endedHow[incident.Expired]
	r.add(next)
}

// readGuardsEvery is how often the guards of what is blocked are read again.
const readGuardsEvery = 30 * time.Second

// settleBlocked lets go on what no guard stops any more: at once on fresh
// evidence, after a look on older. What a human or a window had still to let
// through is decided anew instead.
func (r *round) settleBlocked(i int) {
	in := r.intents[i]
	readings := r.readGuards(in)
	evidence := r.onlyEvidenceStops(in, readings)
	if turn, _ := r.turn(in); turn != turnNow || !evidence && stopping(readings) {
		return
	}
	switch {
	case in.Mode == incident.Approve && in.ApprovedBy == "", !r.hadWindow(in), r.now.After(in.ExpiresAt):
		r.dropRung(in.Rung, "the guards cleared: it is decided anew")
	case evidence:
		r.lookFirst(i, "the guards cleared, and its evidence is too old")
	default:
		r.intents[i].NotBefore = r.soonest(in)
		r.move(i, incident.Release, "the guards cleared")
	}
}

// soonest is when an intent may be claimed that nothing holds back any more: now, or
// when its window begins.
func (r *round) soonest(in incident.Intent) time.Time {
	if in.From.After(r.now) {
		return in.From
	}
	return r.now
}

// dropRung takes back what was planned and not claimed, so that the rung can be
// decided on as if it had never been.
func (r *round) dropRung(rung int, reason string) {
	for i := range r.intents {
		if in := r.intents[i]; in.Effect == incident.Change && in.Rung == rung && in.State.Unclaimed() {
			r.move(i, incident.Supersede, reason)
		}
	}
}

func stopping(readings []incident.Reading) bool {
	for _, reading := range readings {
		if reading.Stops {
			return true
		}
	}
	return false
}

// hadWindow says whether an abort window, where one belongs before this change,
// was open and is over; a human's yes stands for it.
func (r *round) hadWindow(in incident.Intent) bool {
	if in.Mode != incident.Hold || len(in.After) > 0 || in.ApprovedBy != "" {
		return true
	}
	if in.AnnouncedBy == nil {
		return false
	}
	_, delivered := r.delivered(*in.AnnouncedBy)
	return delivered && !r.now.Before(in.NotBefore)
}

// recheckFor is how long fresh evidence may take before a human is asked again.
const recheckFor = 2 * time.Minute

// lookFirst holds an intent back until the evidence behind it was looked at again.
func (r *round) lookFirst(i int, reason string) {
	if r.move(i, incident.Recheck, reason) {
		r.intents[i].NotBefore = r.now.Add(recheckFor)
		r.collect(r.look(r.intents[i].Target), r.intents[i].Target, "the evidence behind "+r.intents[i].Action+" is too old")
	}
}

// askAgain takes a yes back: what it rested on could not be confirmed.
func (r *round) askAgain(i int, reason string) {
	r.intents[i].ApprovedBy, r.intents[i].Approvals, r.intents[i].NotBefore = "", nil, r.now
	r.move(i, incident.Ask, reason)
}

// wakeAt is when time alone may have to move an intent; other ends wake it too.
func (r *round) wakeAt(in incident.Intent) time.Time {
	switch {
	case in.State == incident.Running:
		return in.LeaseExpires
	case in.State == incident.Holding || in.State == incident.Rechecking:
		return in.NotBefore
	case in.State == incident.Blocked:
		return r.now.Add(readGuardsEvery)
	case in.State == incident.Waiting && in.AnnouncedBy != nil:
		return earlier(r.deliverBy(in), in.ExpiresAt)
	case in.State == incident.Waiting && len(in.After) == 0:
		return earlier(in.NotBefore, in.ExpiresAt)
	default:
		return in.ExpiresAt
	}
}

func (r *round) settleWaiting(i int) {
	turn, reason := r.turn(r.intents[i])
	switch turn {
	case turnNever:
		r.move(i, incident.Supersede, reason)
	case turnNow:
		r.enter(i)
	}
}

// enter lets a waiting intent begin: at once, by approval, or by its window.
func (r *round) enter(i int) {
	switch in := &r.intents[i]; {
	case in.OnFailure && !r.suspended(*in):
		r.move(i, incident.Supersede, "nothing was suspended")
	case in.OnFailure && r.wentWell(*in):
		r.move(i, incident.Ask, "what stands before it went well: a human says when Git is followed again")
	case in.OnFailure && !r.now.Before(in.NotBefore):
		r.move(i, incident.Release, "what stands before it failed")
	case in.Mode == incident.Approve:
		r.move(i, incident.Ask, "policy wants a human's yes")
	case in.Mode == incident.Hold && in.AnnouncedBy != nil:
		r.announce(i)
	case !r.now.Before(in.NotBefore):
		r.move(i, incident.Release, "its turn has come")
	}
}

// suspended says whether what a rung kept still was, or may have been.
func (r *round) suspended(in incident.Intent) bool {
	return r.anyChange(func(other incident.Intent) bool {
		done := other.State == incident.Succeeded || other.State == incident.Lost
		return other.Action == "gitops.suspend" && other.Rung == in.Rung && done
	})
}

// wentWell says whether all that an intent comes after succeeded.
func (r *round) wentWell(in incident.Intent) bool {
	for _, id := range in.After {
		if at := r.find(id); at < 0 || r.intents[at].State != incident.Succeeded {
			return false
		}
	}
	return true
}

// announce opens the abort window when the announcement is known to be
// delivered; a window nobody could see is not consent.
func (r *round) announce(i int) {
	in := &r.intents[i]
	if at, ok := r.delivered(*in.AnnouncedBy); ok {
		in.NotBefore = at.Add(in.Window + r.set.Hold.TransitGrace)
		r.move(i, incident.OpenWindow, "announced; the abort window is open")
		return
	}
	if r.now.After(r.deliverBy(*in)) {
		r.move(i, incident.Ask, "the announcement was not delivered in time: a human must say yes")
	}
}

// deliverBy is when the announcement of a change must have been delivered.
func (r *round) deliverBy(in incident.Intent) time.Time {
	from := in.CreatedAt
	if at := r.find(*in.AnnouncedBy); at >= 0 && r.intents[at].NotBefore.After(from) {
		from = r.intents[at].NotBefore // it waits for the end of the quiet hours
	}
	return from.Add(r.set.Hold.DeliveryDeadline)
}

// delivered says when a message reached people: it, or what was issued anew for it.
func (r *round) delivered(id incident.ID) (time.Time, bool) {
	first := r.find(id)
	if first < 0 {
		return zeroTime, false
	}
	for _, in := range r.intents[first:] {
		if in.Effect == incident.Tell && in.PlanHash == r.intents[first].PlanHash && in.State == incident.Succeeded {
			return r.resultTime(in.ID), true
		}
	}
	return zeroTime, false
}

func (r *round) resultTime(intent incident.ID) time.Time {
	for _, res := range r.facts.Results {
		if res.IntentID == intent {
			return res.ReceivedAt
		}
	}
	return r.now
}

type turn int

const (
	turnLater turn = iota
	turnNow
	turnNever
)

// turn says whether what an intent is after has ended as it must.
func (r *round) turn(in incident.Intent) (turn, string) {
	for _, id := range in.After {
		at := r.find(id)
		if at < 0 {
			return turnNever, "what it waited for does not exist"
		}
		switch before := r.intents[at]; {
		case before.State == incident.Succeeded:
		case in.OnFailure && before.State.Terminal():
			// however it ended, what it needed is to be taken back
		case before.State == incident.Aborted || before.State == incident.RejectedState:
			return turnNever, "a human stopped the rung"
		case before.State == incident.Shown:
			return turnNever, "what it waited for was only shown"
		case !before.State.Terminal():
			return turnLater, ""
		case !in.Independent:
			return turnNever, before.Action + " before it " + string(before.State)
		}
	}
	return turnNow, ""
}
