package triage

import (
	"fmt"
	"strings"

	"salve/internal/incident"
)

// tell calls people when something began to need them, and once when what they
// may have been called for is over. What was done comes first, then what is
// wanted.
func (r *round) tell() {
	before := r.facts.Incident.State
	switch {
	case r.ending != "" && r.changed():
		r.message(r.set.Channels.Repaired, "resolved", "Resolved: "+r.ending)
	case r.ending != "":
		return
	case r.inc.State == incident.StateAwaitingApproval && before != r.inc.State:
		r.message(r.set.Channels.For(r.inc.Severity), "wanted", "Wanted: a yes or no. "+r.waitingPlans())
	case r.inc.State == incident.StateEscalated && before != r.inc.State:
		r.message(r.set.Channels.For(r.inc.Severity), "escalated", "Wanted: a human. "+r.why())
	}
}

// why is the reason for an escalation in words.
func (r *round) why() string {
	if r.escalating != "" {
		return clip(r.escalating, 700)
	}
	return clip(strings.Join(r.out.Decision.Reasons, "; "), 700)
}

// changed says whether anything was changed for this incident.
func (r *round) changed() bool {
	for _, in := range r.intents {
		if in.Effect == incident.Change && in.State == incident.Succeeded && !in.CreatedAt.Before(r.inc.BeganAt) {
			return true
		}
	}
	return false
}

func (r *round) waitingPlans() string {
	var plans []string
	for _, in := range r.intents {
		if in.State == incident.AwaitingApproval {
			plans = append(plans, fmt.Sprintf("%s (intent %s, plan %.12s)", in.Summary, in.ID, in.PlanHash))
		}
	}
	return strings.Join(plans, "; ")
}

// message makes one notify intent. A channel that cannot be written to is named
// in the decision instead.
func (r *round) message(channel, kind, last string) {
	text := strings.Join([]string{r.headline(), r.done(), last}, "\n")
	in, err := r.build("notify.slack", r.inc.Target, map[string]any{"channel": channel, "text": text})
	if err != nil {
		r.out.Decision.Reasons = append(r.out.Decision.Reasons, refusal(err))
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, kind
	r.add(in)
	r.settle()
}

// announcement is the message that opens an abort window once it is delivered.
func (r *round) announcement(change incident.Intent) incident.ID {
	text := fmt.Sprintf("%s\nAbout to: %s\nWanted: an abort within %s, if this should not happen.",
		r.headline(), change.Summary, change.Window)
	in, err := r.build("notify.slack", r.inc.Target, map[string]any{
		"channel": r.set.Channels.For(incident.Critical), "text": text,
	})
	if err != nil {
		return incident.ID{} // never delivered: the window falls back to approval
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, "announcement"
	return r.add(in)
}

func (r *round) headline() string {
	name := r.inc.ID.String()
	if r.inc.Number > 0 {
		name = incident.IncidentNumber(r.inc.Number)
	}
	return fmt.Sprintf("%s %s %s: %s — %s", mark(r.inc.Severity), name, r.inc.Target, r.inc.Cause, r.inc.Summary)
}

// done lists what was changed, in order, with how it ended.
func (r *round) done() string {
	var done []string
	for _, in := range r.intents {
		if in.Effect == incident.Change && in.State.Terminal() && !in.CreatedAt.Before(r.inc.BeganAt) {
			done = append(done, fmt.Sprintf("%s: %s", in.Summary, in.State))
		}
	}
	if len(done) == 0 {
		return "Done: nothing was changed."
	}
	return "Done: " + strings.Join(done, "; ")
}

func mark(s incident.Severity) string {
	switch s {
	case incident.Critical, incident.High:
		return "🚨"
	case incident.Warning:
		return "⚠️"
	default:
		return "🔵"
	}
}
