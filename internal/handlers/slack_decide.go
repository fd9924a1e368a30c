package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/slack"
	"salve/internal/store"
)

type slackVerb func(*Slack, context.Context, person, slack.Command) (slack.Message, error)

// slackVerbs carry out what slack.Parse reads; a test holds the two lists together.
var slackVerbs = map[string]slackVerb{
	"status": (*Slack).status, "incidents": (*Slack).incidents, "show": (*Slack).show, "why": (*Slack).why, "policy": (*Slack).policyVersion, "report": (*Slack).report,
	"ack": (*Slack).ack, "resolve": (*Slack).resolve, "approve": (*Slack).plan, "reject": (*Slack).reject, "abort": (*Slack).abort,
	"freeze": (*Slack).freeze, "unfreeze": (*Slack).unfreeze, "pause": (*Slack).pause, "resume": (*Slack).resume,
	"help": func(*Slack, context.Context, person, slack.Command) (slack.Message, error) { return slack.Help(), nil },
}

// words are the use cases behind the buttons.
func (h *Slack) words() map[string]func(context.Context, identity.Caller, DecideRequest) (IntentView, error) {
	return map[string]func(context.Context, identity.Caller, DecideRequest) (IntentView, error){
		"approve": h.Intents.Approve, "reject": h.Intents.Reject, "abort": h.Intents.Abort,
	}
}

// decide says a word on one intent, and tells what came of it.
func (h *Slack) decide(ctx context.Context, p person, do string, c slack.Command, hash string) (slack.Message, error) {
	word, known := h.words()[do]
	if !known {
		return slack.Message{}, fault.New(fault.Invalid, "there is no button %.40q", do)
	}
	if _, err := word(ctx, p.Caller, DecideRequest{ID: c.Name, PlanHash: hash, Reason: c.Reason}); err != nil {
		return slack.Message{}, err
	}
	in, err := h.Intents.Store.Intent(ctx, c.Name)
	if err != nil {
		return slack.Message{}, err
	}
	return slack.Say(h.outcome(do, p, in, c.Reason)), nil
}

// outcome says what a word did: one yes of several is not a yes yet.
func (h *Slack) outcome(do string, p person, in incident.Intent, reason string) string {
	mark := map[string]string{"approve": "✅ Approved", "reject": "🚫 Rejected", "abort": "🛑 Aborted"}[do]
	if do == "approve" && in.ApprovedBy == "" {
		mark = "☑️ One yes more is wanted after this one"
	}
	line := fmt.Sprintf("%s by %s: %s — %s", mark, who(p), in.ShortID, slack.Escape(in.Summary))
	if reason != "" {
		line += "\nReason: " + slack.Escape(reason)
	}
	return line
}

// who mentions a person that is known to be who they say.
func who(p person) string {
	if p.proven {
		return "<@" + slack.Escape(p.user) + ">"
	}
	return slack.Escape(p.Subject)
}

// decidedAlready is what a late click gets: how it stands, and who decided.
func (h *Slack) decidedAlready(ctx context.Context, name string, f *fault.Fault) (slack.Message, error) {
	in, err := h.Intents.Store.Intent(ctx, name)
	if err != nil {
		return slack.Message{}, err
	}
	m := slack.Say(fmt.Sprintf("%s is *%s*%s.\n%s", in.ShortID, in.State, h.decidedBy(ctx, in), slack.Escape(in.Summary)))
	if rollback, ok := f.Extra["rollback_intent"].(*incident.ID); ok && rollback != nil {
		m = m.Line("It was too late to stop it. It can be taken back:").Buttons(h.buttonsFor(ctx, rollback.String())...)
	} else {
		m = m.Line(slack.Escape(f.Detail))
	}
	return m, nil
}

// decidedBy names who decided, and when, as the record has it.
func (h *Slack) decidedBy(ctx context.Context, in incident.Intent) string {
	story, err := h.Incidents.Store.Story(ctx, in.IncidentID.String())
	if err != nil {
		return ""
	}
	said := ""
	for _, row := range story.Audit {
		if row.IntentID == nil || *row.IntentID != in.ID {
			continue
		}
		switch row.Operation {
		case "intent.approve", "intent.reject", "intent.abort":
			said = fmt.Sprintf(", by %s at %s", mention(row.Actor), row.At.UTC().Format("15:04 UTC"))
		}
	}
	return said
}

func mention(subject string) string {
	if user, ok := strings.CutPrefix(subject, "slack:"); ok {
		return "<@" + slack.Escape(user) + ">"
	}
	return slack.Escape(subject)
}

// buttonsFor are the buttons of a plan that waits for a yes.
func (h *Slack) buttonsFor(ctx context.Context, name string) []slack.Button {
	in, err := h.Intents.Store.Intent(ctx, name)
	if err != nil || in.State != incident.AwaitingApproval {
		return nil
	}
	return []slack.Button{
		{Do: "approve", Intent: in.ID.String(), Hash: in.PlanHash, About: in.Summary},
		{Do: "reject", Intent: in.ID.String(), About: in.Summary},
	}
}

// plan shows what a yes would be to. The button carries the plan's hash, so that no
// other plan can be meant.
func (h *Slack) plan(ctx context.Context, _ person, c slack.Command) (slack.Message, error) {
	in, err := h.Intents.Store.Intent(ctx, c.Name)
	if err != nil {
		return slack.Message{}, err
	}
	if in.State != incident.AwaitingApproval {
		return slack.Say(fmt.Sprintf("%s is *%s*%s: there is nothing to approve.", in.ShortID, in.State, h.decidedBy(ctx, in))), nil
	}
	m := slack.Say(
		"*"+slack.Escape(in.Summary)+"*",
		fmt.Sprintf("%s · risk %s · silence until %s is a no", in.ShortID, in.Risk, in.ExpiresAt.UTC().Format("15:04 UTC")),
		"Why: "+slack.Escape(in.Reason), undoes(in.Rollback),
		fmt.Sprintf("Plan `%.12s`", in.PlanHash))
	return m.Buttons(h.buttonsFor(ctx, c.Name)...), nil
}

func undoes(rollback json.RawMessage) string {
	var back struct{ Summary string }
	if json.Unmarshal(rollback, &back) != nil || back.Summary == "" {
		return "It cannot be taken back."
	}
	return "It can be taken back: " + slack.Escape(back.Summary)
}

func (h *Slack) reject(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	m, err := h.decide(ctx, p, "reject", c, "")
	return m.ToAll(), err
}

// abort stops one intent; without a name it is the only one whose window is open.
func (h *Slack) abort(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	if c.Name == "" {
		open, err := h.Intents.Store.Intents(ctx, store.List{States: []string{string(incident.Holding)}, Limit: 20})
		if err != nil {
			return slack.Message{}, err
		}
		switch len(open) {
		case 0:
			return slack.Say("Nothing is about to be done: no abort window is open."), nil
		case 1:
			c.Name = open[0].ID.String()
		default:
			return whichOne(open), nil
		}
	}
	m, err := h.decide(ctx, p, "abort", c, "")
	if f := fault.As(err); err != nil && f.Kind == fault.Conflict {
		return h.decidedAlready(ctx, c.Name, f)
	}
	return m.ToAll(), err
}

func whichOne(open []incident.Intent) slack.Message {
	m := slack.Say("Several things are about to be done. Which one?")
	for _, in := range open {
		m = m.Line(in.ShortID + " — " + slack.Escape(in.Summary)).Buttons(slack.Button{Do: "abort", Intent: in.ID.String(), About: in.Summary})
	}
	return m
}

func (h *Slack) ack(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	i, err := h.Incidents.Ack(ctx, p.Caller, NoteRequest{ID: c.Name})
	return slack.Say(fmt.Sprintf("👀 %s has seen %s — %s", who(p), i.ShortID, slack.Escape(i.Title))).ToAll(), err
}

func (h *Slack) resolve(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	i, err := h.Incidents.Resolve(ctx, p.Caller, NoteRequest{ID: c.Name, Reason: c.Reason})
	return slack.Say(fmt.Sprintf("✅ %s resolved %s — %s", who(p), i.ShortID, slack.Escape(i.Title))).ToAll(), err
}

func (h *Slack) freeze(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	f, err := h.Guards.AddFreeze(ctx, p.Caller, FreezeRequest{Reason: c.Reason, EndsAt: h.Now().Add(c.For)})
	return slack.Say(fmt.Sprintf("🧊 %s: no changes until %s — %s\n`/salve unfreeze %s` ends it before.", who(p), f.EndsAt.UTC().Format("Mon 15:04 UTC"), slack.Escape(c.Reason), f.ID)).ToAll(), err
}

// unfreeze ends one freeze; without an id it is the only one that is on.
func (h *Slack) unfreeze(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	if c.Name == "" {
		all, err := h.Guards.Freezes(ctx, p.Caller)
		if err != nil {
			return slack.Message{}, err
		}
		var on []string
		for _, f := range all.Items {
			if f.On {
				on = append(on, f.ID.String())
			}
		}
		if len(on) != 1 {
			return slack.Say(fmt.Sprintf("%d freezes are on.", len(on)), strings.Join(on, "\n"), map[bool]string{true: "`/salve unfreeze ID` ends one."}[len(on) > 1]), nil
		}
		c.Name = on[0]
	}
	_, err := h.Guards.EndFreeze(ctx, p.Caller, ByID{ID: c.Name})
	return slack.Say("🌊 " + who(p) + " ended the freeze: changes may be made again.").ToAll(), err
}

func (h *Slack) pause(ctx context.Context, p person, c slack.Command) (slack.Message, error) {
	_, err := h.Operator.SetAutomation(ctx, p.Caller, AutomationRequest{Mode: incident.Paused, Reason: c.Reason})
	return slack.Say("⏸️ " + who(p) + " paused all changes — " + slack.Escape(c.Reason) + "\nSalve still diagnoses and still calls for help. `/salve resume` ends it.").ToAll(), err
}

// resume goes back to the mode that was in force before the pause, and to no other:
// who paused a dry run does not want to be live afterwards.
func (h *Slack) resume(ctx context.Context, p person, _ slack.Command) (slack.Message, error) {
	now, err := h.Operator.Automation(ctx, p.Caller)
	if err != nil {
		return slack.Message{}, err
	}
	if now.Mode != incident.Paused {
		return slack.Say(fmt.Sprintf("Nothing is paused: the mode is *%s*.", now.Mode)), nil
	}
	mode, err := h.Store.ModeBeforePause(ctx)
	if err != nil {
		return slack.Message{}, err
	}
	_, err = h.Operator.SetAutomation(ctx, p.Caller, AutomationRequest{Mode: mode, Reason: "resumed from Slack"})
	return slack.Say(fmt.Sprintf("▶️ %s resumed: the mode is *%s* again, as before the pause.", who(p), mode)).ToAll(), err
}
