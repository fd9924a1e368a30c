package triage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
	"salve/internal/slack"
)

// tell calls people when something began to need them, and once when what they
// may have been called for is over. What was done comes first, then what is
// wanted. A lasting change that waits for a yes while an urgent one goes on is
// told with the outcome of that one, so that there is one message and not two.
func (r *round) tell() {
	if r.stormChild() {
		return // one message tells of all of them
	}
	before, channel := r.facts.Incident.State, r.channel()
	asks := strings.TrimSpace(r.waitingPlans() + "\n" + r.stillSuspended())
	switch {
	case r.ending != "" && r.changed():
		r.message(r.channels().Repaired, "resolved", asks)
	case r.ending != "" && (r.called() || asks != ""):
		r.message(channel, "resolved", asks)
	case r.ending != "":
		return
	case r.inc.State == incident.StateEscalated && (before != r.inc.State || r.newlyAsked() || r.anew):
		r.message(channel, "escalated", "Wanted: a human. "+r.why(), asks)
	case r.urgentObjective():
		r.message(channel, "urgent", r.whyAsked(), asks)
	case r.newlyAsked() && !r.goesOn():
		r.message(channel, "wanted", r.whyAsked(), asks)
	case r.leftSuspended():
		r.message(channel, "suspended", asks)
	case r.lastingEnded() && !r.goesOn():
		r.message(channel, "done", "For your information: a lasting change ended.")
	}
}

// channels are where people are told of this incident: its rule may say otherwise.
func (r *round) channels() policy.Channels { return r.policy.Channels(r.out.Decision.Rule) }

// channel is where people are told: where policy says, or the next one when an
// announcement was not delivered there.
func (r *round) channel() string {
	channel := r.channels().For(r.inc.Severity)
	for _, in := range r.intents {
		if in.AnnouncedBy == nil || in.State != incident.AwaitingApproval {
			continue
		}
		if _, delivered := r.delivered(*in.AnnouncedBy); !delivered && channel == r.channels().For(incident.Critical) {
			return r.channels().Next(channel)
		}
	}
	return channel
}

// tellElsewhere says what could not be said in one channel in the next one, until
// each was tried.
func (r *round) tellElsewhere(old incident.Intent) {
	var params struct{ Channel, Text string }
	if old.Reason == announcing || json.Unmarshal(old.Params, &params) != nil || params.Channel == "" {
		return // where an announcement does not arrive, a human is asked instead
	}
	in, err := r.build("notify.slack", r.inc.Target, map[string]any{
		"channel": r.channels().Next(params.Channel), "text": params.Text,
	})
	if err != nil || slices.ContainsFunc(r.intents, func(other incident.Intent) bool { return other.PlanHash == in.PlanHash }) {
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, "in another channel: it could not be said in "+params.Channel
	r.add(in)
}

// goesOn says whether a message about the outcome of something urgent is still to come.
func (r *round) goesOn() bool {
	return r.inc.State == incident.StateRepairing || r.inc.State == incident.StateVerifying || r.inc.State == incident.StateDiagnosing
}

// newlyAsked says whether a plan began to wait for a human in this round.
func (r *round) newlyAsked() bool {
	return r.endedUp(func(now incident.Intent) bool { return now.State == incident.AwaitingApproval }) ||
		r.inc.State == incident.StateAwaitingApproval && r.facts.Incident.State != r.inc.State
}

// lastingEnded says whether a lasting change ended in this round by its execution.
func (r *round) lastingEnded() bool {
	return r.endedUp(func(now incident.Intent) bool {
		executed := now.State == incident.Succeeded || now.State == incident.Failed || now.State == incident.Lost
		return executed && now.Independent
	})
}

// urgentObjective says whether an objective is missed so far since now that people
// are told at once, whatever goes on.
func (r *round) urgentObjective() bool {
	was := r.facts.Incident.Severity // empty where it is new
	return r.inc.Family == "slo" && r.inc.Severity == incident.Critical && was != incident.Critical
}

func (r *round) stillSuspended() string {
	if !r.leftSuspended() {
		return ""
	}
	return "Wanted: a human. Git is still not followed: what was suspended for the rollback was not resumed."
}

// leftSuspended says whether what was to be resumed was not, in this round.
func (r *round) leftSuspended() bool {
	return r.endedUp(func(now incident.Intent) bool {
		over := now.State == incident.Expired || now.State == incident.RejectedState || now.State == incident.Aborted ||
			now.State == incident.Failed || now.State == incident.Lost
		return now.OnFailure && over
	})
}

// endedUp says whether a change came to be in this round what it was not before.
func (r *round) endedUp(is func(incident.Intent) bool) bool {
	for i, in := range r.intents {
		if in.Effect != incident.Change || !is(in) {
			continue
		}
		if i >= len(r.facts.Intents) || !is(r.facts.Intents[i]) {
			return true
		}
	}
	return false
}

// called says whether people were called in this stretch.
func (r *round) called() bool {
	for _, in := range r.intents {
		if in.Effect == incident.Tell && in.Reason != announcing && r.ofThisStretch(in) {
			return true
		}
	}
	return false
}

// why is the reason for an escalation in words.
func (r *round) why() string {
	switch {
	case r.escalating != "":
		return clip(r.escalating, 700)
	case r.blocked != "":
		return clip(r.blocked, 700)
	}
	return clip(strings.Join(r.out.Decision.Reasons, "; "), 700)
}

// whyAsked tells what went wrong before, where something did.
func (r *round) whyAsked() string {
	if r.escalating == "" {
		return ""
	}
	return "So far: " + r.why()
}

// changed says whether anything was changed for this incident.
func (r *round) changed() bool {
	return r.anyChange(func(in incident.Intent) bool { return in.State == incident.Succeeded })
}

func (r *round) waitingPlans() string {
	var plans []string
	for _, in := range r.intents {
		if in.State == incident.AwaitingApproval {
			plans = append(plans, fmt.Sprintf("%s (intent %s, plan %.12s)", in.Summary, in.ID, in.PlanHash))
		}
	}
	if len(plans) == 0 {
		return ""
	}
	return "Wanted: a yes or no. " + strings.Join(plans, "; ")
}

// message makes one notify intent; the same words are not said twice in one
// stretch. A channel that cannot be written to is named in the decision instead.
func (r *round) message(channel, kind string, last ...string) {
	lines := []string{r.headline(), r.inc.Summary, r.done()}
	for _, line := range last {
		if line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "\n")
	in, err := r.words(channel, text, r.choices())
	if err != nil {
		r.out.Decision.Reasons = append(r.out.Decision.Reasons, refusal(err))
		return
	}
	if r.said(in) {
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, kind
	r.add(in)
	r.settleOne(len(r.intents) - 1)
	if kind == "escalated" || kind == "wanted" {
		r.text()
	}
}

// text wakes somebody: once a stretch, and only where something critical needs a human.
func (r *round) text() {
	list := r.channels().SMS
	texted := slices.ContainsFunc(r.intents, func(in incident.Intent) bool { return in.Action == "notify.sms" && r.ofThisStretch(in) })
	if r.inc.Severity != incident.Critical || list == policy.NoSMS || texted {
		return
	}
	in, err := r.build("notify.sms", r.inc.Target, map[string]any{"to": list, "text": r.headline() + ". " + r.inc.Summary})
	if err != nil {
		r.out.Decision.Reasons = append(r.out.Decision.Reasons, refusal(err))
		return
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, "critical"
	r.add(in)
	r.settleOne(len(r.intents) - 1)
}

// said says whether the same message is on its way or was delivered already, since
// the incident opened or came back: behind one of before stands that it was over.
func (r *round) said(message incident.Intent) bool {
	for _, in := range r.intents {
		same := in.Effect == incident.Tell && in.PlanHash == message.PlanHash && !in.CreatedAt.Before(r.inc.BeganAt)
		if same && (!in.State.Terminal() || in.State == incident.Succeeded) {
			return true
		}
	}
	return false
}

// announcing is the reason of a message that opens an abort window.
const announcing = "announcement"

// announcement is the message that opens an abort window once it is delivered.
func (r *round) announcement(change incident.Intent) incident.ID {
	text := fmt.Sprintf("%s\n%s\nAbout to: %s\nWanted: an abort within %s, if this should not happen.",
		r.headline(), r.inc.Summary, change.Summary, change.Window)
	in, err := r.words(r.channels().For(incident.Critical), text, []slack.Button{{Do: "abort", Intent: change.ID.String(), About: change.Summary}})
	if err != nil {
		return incident.ID{} // never delivered: the window falls back to approval
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, announcing
	in.NotBefore = change.NotBefore
	return r.add(in)
}

// words makes a message with the buttons that people may answer it with.
func (r *round) words(channel, text string, buttons []slack.Button) (incident.Intent, error) {
	req := r.request(r.out.Diagnosis, "notify.slack", r.inc.Target, map[string]any{"channel": channel, "text": text})
	req.Buttons = buttons
	return remedy.Build(req)
}

// choices are a yes and a no for the plan that waits; of several each has to be looked
// at by itself.
func (r *round) choices() []slack.Button {
	var waiting []incident.Intent
	for _, in := range r.intents {
		if in.State == incident.AwaitingApproval {
			waiting = append(waiting, in)
		}
	}
	if len(waiting) != 1 {
		return nil
	}
	in := waiting[0]
	return []slack.Button{
		{Do: "approve", Intent: in.ID.String(), Hash: in.PlanHash, About: in.Summary},
		{Do: "reject", Intent: in.ID.String(), About: in.Summary},
	}
}

func (r *round) headline() string {
	name := r.inc.ID.String()
	if r.inc.Number > 0 {
		name = incident.IncidentNumber(r.inc.Number)
	}
	where := r.inc.Target.String()
	if r.inc.Target.Cluster != "" {
		where = r.inc.Target.Cluster + ": " + where
	}
	if r.inc.Target.Kind == incident.StormKind {
		where = r.inc.Title
	}
	if r.ending != "" {
		return fmt.Sprintf("✅ %s is over. %s — %s", name, where, r.ending)
	}
	return fmt.Sprintf("%s %s %s — %s", r.inc.Severity.Mark(), name, where, r.inc.Cause)
}

// done lists what was changed, in order, with how it ended.
func (r *round) done() string {
	var done []string
	for _, in := range r.intents {
		if in.Effect == incident.Change && in.State.Terminal() && r.ofThisStretch(in) {
			done = append(done, fmt.Sprintf("%s: %s", strings.TrimSuffix(in.Summary, "."), in.State))
		}
	}
	if len(done) == 0 {
		return "Done: nothing was changed."
	}
	return "Done:\n• " + strings.Join(done, "\n• ")
}
