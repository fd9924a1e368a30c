package triage

import (
	"cmp"
	"fmt"
	"time"

	"salve/internal/incident"
	"salve/internal/policy"
)

// Refusal is why a claim or a human's word does not count, for the caller and
// for the record.
type Refusal struct {
	Reason     string // SPEC section 2: too_early, approval_missing, …, guard, too_late
	Detail     string
	RetryAfter time.Duration
	Guards     []incident.Reading
	Rollback   *incident.ID // too late to abort: the intent that would take it back
}

// LeaseGrant is what a claim would store: the token's hash, never the token.
type LeaseGrant struct {
	Subject, Worker, ExecutionID string
	Hash                         []byte
}

// Claim authorises one execution. Decide proposes; this is the last safety
// check, made under lock on facts read in the same transaction. A refusal comes
// with an outcome too: it is recorded, and a guard that refuses blocks.
func Claim(p *policy.Policy, f Facts, id incident.ID, grant LeaseGrant, now time.Time, ids incident.IDs) (Outcome, *Refusal) {
	r := newRound(p, f, nil, now, ids)
	r.by = grant.Subject
	i := r.find(id)
	if i < 0 {
		return r.outcome(), notHere()
	}
	refused := r.mayClaim(i)
	if refused == nil {
		r.lease(i, grant)
	} else {
		r.refuse(i, "claim.refused", refused)
	}
	r.moveState()
	r.tell()
	return r.outcome(), refused
}

// notHere answers for an intent that moved to another incident meanwhile.
func notHere() *Refusal {
	return &Refusal{Reason: "superseded", Detail: "the intent moved to another incident in this moment; ask again"}
}

func (r *round) lease(i int, grant LeaseGrant) {
	in := &r.intents[i]
	in.ClaimedBy, in.Worker, in.ExecutionID = grant.Subject, grant.Worker, grant.ExecutionID
	in.LeaseHash, in.LeaseExpires = grant.Hash, r.now.Add(in.Timeout+r.set.LeaseGrace)
	if r.move(i, incident.Claim, "claimed by "+grant.Worker+" "+grant.ExecutionID) && in.Effect == incident.Change {
		r.begin(*in)
	}
}

func (r *round) refuse(i int, operation string, no *Refusal) {
	in := r.intents[i]
	r.audit(operation, in.ID, in.Action+" "+in.Target.String(), no.Reason+": "+no.Detail)
}

// standing is what each state answers to a claim; states that are missing may go on.
var standing = map[incident.IntentState]Refusal{
	incident.Waiting:          {Reason: "not_its_turn", Detail: "what it comes after has not ended yet"},
	incident.AwaitingApproval: {Reason: "approval_missing", Detail: "a human must approve this plan first"},
	incident.Rechecking:       {Reason: "approval_missing", Detail: "the evidence is being looked at again"},
	incident.Running:          {Reason: "already_claimed", Detail: "another execution holds the lease"},
	incident.Succeeded:        {Reason: "already_claimed", Detail: "it was executed already"},
	incident.Failed:           {Reason: "already_claimed", Detail: "it was executed already and failed"},
	incident.Lost:             {Reason: "already_claimed", Detail: "it was claimed and its lease was lost"},
	incident.Aborted:          {Reason: "aborted", Detail: "a human aborted it"},
	incident.RejectedState:    {Reason: "rejected", Detail: "a human rejected it"},
	incident.Expired:          {Reason: "expired", Detail: "nobody took it in time"},
	incident.Superseded:       {Reason: "superseded", Detail: "it is no longer wanted"},
	incident.Shown:            {Reason: "guard", Detail: "dry run: it only shows what would be done"},
}

// mayClaim lets time pass for this one intent only. What else is due, the clock
// takes up together with what follows from it.
func (r *round) mayClaim(i int) *Refusal {
	in := r.intents[i]
	switch {
	case r.expired(in):
		return &Refusal{Reason: "expired", Detail: "nobody took it in time"}
	case in.State == incident.Waiting, in.State == incident.Blocked && r.now.After(in.ExpiresAt):
		r.settleOne(i)
		in = r.intents[i]
	}
	if no, stands := standing[in.State]; stands {
		if in.State == incident.Waiting && r.now.Before(in.NotBefore) {
			return r.tooEarly(in)
		}
		return &no
	}
	switch {
	case r.now.Before(in.NotBefore):
		return r.tooEarly(in)
	case in.Mode == incident.Approve && in.ApprovedBy == "":
		return &Refusal{Reason: "approval_missing", Detail: "a human must approve this plan first"}
	case !r.inc.Open() && !r.outlives(in):
		r.move(i, incident.Supersede, "the incident is resolved")
		return &Refusal{Reason: "superseded", Detail: "the incident is resolved"}
	case in.State == incident.Blocked && !r.hadWindow(in):
		return &Refusal{Reason: "approval_missing", Detail: "its abort window was never open: it is decided anew when the guards clear"}
	}
	if r.outdated(in) {
		return r.otherPolicy()
	}
	if turn, why := r.turn(in); turn != turnNow {
		return &Refusal{Reason: "not_its_turn", Detail: cmp.Or(why, "what it comes after has not ended yet")}
	}
	return r.guards(i)
}

// otherPolicy takes back the changes that another version of the policy allowed:
// what is in force now decides anew.
func (r *round) otherPolicy() *Refusal {
	for i := range r.intents {
		if in := r.intents[i]; in.State.Unclaimed() && r.outdated(in) {
			r.move(i, incident.Supersede, "the policy changed; it is decided anew")
		}
	}
	r.goOn()
	return &Refusal{Reason: "superseded", Detail: "the policy changed since it was planned; it is decided anew"}
}

// outdated says whether another version of the policy allowed a change. What takes
// something back is wanted all the same.
func (r *round) outdated(in incident.Intent) bool {
	return in.Effect == incident.Change && in.Policy != r.policy.Version() && !in.OnFailure && in.Undoes.IsZero()
}

func (r *round) tooEarly(in incident.Intent) *Refusal {
	wait := in.NotBefore.Sub(r.now)
	return &Refusal{Reason: "too_early", Detail: fmt.Sprintf("it may be claimed in %s", wait.Round(time.Millisecond)), RetryAfter: wait}
}

// guards reads every guard again, for real. One that refuses blocks the intent;
// old evidence is looked at again first.
func (r *round) guards(i int) *Refusal {
	readings := r.readGuards(r.intents[i])
	for _, reading := range readings {
		if !reading.Stops {
			continue
		}
		r.block(i, reading)
		if r.onlyEvidenceStops(r.intents[i], readings) {
			r.lookFirst(i, "its evidence is too old")
		}
		return &Refusal{Reason: "guard", Detail: reading.Guard + ": " + reading.Reading, Guards: readings}
	}
	return nil
}

func (r *round) block(i int, reading incident.Reading) {
	why := "guard " + reading.Guard + ": " + reading.Reading
	if r.move(i, incident.Block, why) {
		r.blocked = why
	}
}

// readGuards reads every guard for one intent. What the decision was about must
// pass too: the pod, its owner and what the incident stands for.
func (r *round) readGuards(in incident.Intent) []incident.Reading {
	targets := []incident.Target{in.Target}
	if r.inc.Target.Name != "" {
		targets = append(targets, r.inc.Target)
	}
	mode := in.Mode
	if in.ApprovedBy != "" {
		mode = incident.Approve
	}
	facts := policy.GuardFacts{
		Effect: in.Effect, Mode: mode, Targets: targets, Rule: in.Rule,
		Automation: r.facts.Automation, DryRun: r.inc.DryRun,
		Trusted: !in.EvidenceAt.IsZero(), ObservedAt: in.EvidenceAt, Now: r.now,
		Action: in.Action, Repair: r.repair(), Began: r.inc.BeganAt, Family: r.inc.Family,
		Environment: policy.Environment(r.inc.Labels), Sources: r.sources(), Overridden: in.Overridden(), State: r.world,
	}
	facts.Repair.Rung, facts.Repair.Action = in.Rung, in.Action
	if in.Effect == incident.Change {
		facts.Blast = r.blastOf(in)
	}
	return r.policy.Guard(facts)
}

// onlyEvidenceStops says whether a fresh look is all that is missing: the evidence is
// too old, or so old that nothing is known of replicas any more.
func (r *round) onlyEvidenceStops(in incident.Intent, readings []incident.Reading) bool {
	stops := false
	for _, reading := range readings {
		switch {
		case !reading.Stops:
			continue
		case reading.Guard != policy.GuardEvidence && (reading.Guard != policy.GuardBlastRadius || r.blastOf(in).Known):
			return false
		}
		stops = true
	}
	return stops
}

// blastOf is what an intent makes worse while it runs.
func (r *round) blastOf(in incident.Intent) incident.Blast {
	return r.blast(r.madeFor(in), in.Action, in.Target, in.StepParams)
}
