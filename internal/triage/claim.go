package triage

import (
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
	r.settle()
	i := r.find(id)
	refused := r.mayClaim(i)
	if refused == nil {
		r.lease(i, grant)
	} else {
		r.refuse(i, "claim.refused", refused)
	}
	r.moveState()
	return r.outcome(), refused
}

func (r *round) lease(i int, grant LeaseGrant) {
	in := &r.intents[i]
	in.ClaimedBy, in.Worker, in.ExecutionID = grant.Subject, grant.Worker, grant.ExecutionID
	in.LeaseHash, in.LeaseExpires = grant.Hash, r.now.Add(in.Timeout+r.set.LeaseGrace)
	r.move(i, incident.Claim, "claimed by "+grant.Worker+" "+grant.ExecutionID)
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

func (r *round) mayClaim(i int) *Refusal {
	in := r.intents[i]
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
	case !r.inc.Open() && in.Effect != incident.Tell && !in.Independent:
		r.move(i, incident.Supersede, "the incident is resolved")
		return &Refusal{Reason: "superseded", Detail: "the incident is resolved"}
	}
	return r.guards(i)
}

func (r *round) tooEarly(in incident.Intent) *Refusal {
	wait := in.NotBefore.Sub(r.now)
	return &Refusal{Reason: "too_early", Detail: fmt.Sprintf("it may be claimed in %s", wait.Round(time.Millisecond)), RetryAfter: wait}
}

// guards reads every guard again, for real. One that refuses blocks the intent;
// old evidence is looked at again first.
func (r *round) guards(i int) *Refusal {
	in := r.intents[i]
	readings := r.policy.Guard(policy.GuardFacts{
		Effect: in.Effect, Mode: in.Mode, Targets: []incident.Target{in.Target}, Rule: r.facts.Decision.Rule,
		Automation: r.facts.Automation, DryRun: r.inc.DryRun,
		Trusted: !in.EvidenceAt.IsZero(), ObservedAt: in.EvidenceAt, Now: r.now,
	})
	for _, reading := range readings {
		if !reading.Stops {
			continue
		}
		r.move(i, incident.Block, "guard "+reading.Guard+": "+reading.Reading)
		if reading.Guard == policy.GuardEvidence && r.onlyEvidenceStops(readings) {
			r.lookFirst(i, "its evidence is too old")
		}
		return &Refusal{Reason: "guard", Detail: reading.Guard + ": " + reading.Reading, Guards: readings}
	}
	return nil
}

func (r *round) onlyEvidenceStops(readings []incident.Reading) bool {
	for _, reading := range readings {
		if reading.Stops && reading.Guard != policy.GuardEvidence {
			return false
		}
	}
	return true
}
