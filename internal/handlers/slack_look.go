package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/slack"
	"salve/internal/store"
)

// What the commands that only look answer.

const (
	listed = 15  // incidents in one answer
	looked = 200 // read for counting
)

func (h *Slack) open(ctx context.Context) ([]incident.Incident, error) {
	return h.Incidents.Store.Incidents(ctx, store.List{States: openStates(), Limit: looked})
}

func (h *Slack) status(ctx context.Context, p person, _ slack.Command) (slack.Message, error) {
	mode, err := h.Operator.Automation(ctx, p.Caller)
	if err != nil {
		return slack.Message{}, err
	}
	open, err := h.open(ctx)
	if err != nil {
		return slack.Message{}, err
	}
	waiting, err := h.Intents.Store.Intents(ctx, store.List{States: []string{string(incident.AwaitingApproval), string(incident.Holding)}, Limit: looked})
	if err != nil {
		return slack.Message{}, err
	}
	freezes, err := h.Guards.Freezes(ctx, p.Caller)
	if err != nil {
		return slack.Message{}, err
	}
	line := "✅ Nothing is wrong."
	if len(open) > 0 {
		line = fmt.Sprintf("*%s open:* %s", counted(len(open), "incident"), tally(open))
	}
	m := slack.Say(line, fmt.Sprintf("Mode *%s*, since %s by %s", mode.Mode, mode.At.UTC().Format("2 Jan 15:04 UTC"), mention(mode.By)))
	for _, f := range freezes.Items {
		if f.On {
			m = m.Line(fmt.Sprintf("🧊 No changes until %s — %s", f.EndsAt.UTC().Format("Mon 15:04 UTC"), slack.Escape(f.Reason)))
		}
	}
	for _, in := range waiting {
		wants := "wants a yes: `/salve approve " + in.ShortID + "`"
		if in.State == incident.Holding {
			wants = "is about to be done: `/salve abort " + in.ShortID + "` stops it"
		}
		m = m.Line(in.ShortID + " " + wants + "\n" + slack.Escape(in.Summary))
	}
	return m, nil
}

func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case n == looked:
		return fmt.Sprintf("%d or more %ss", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// tally counts incidents by state, in the states' order.
func tally(list []incident.Incident) string {
	counts := map[incident.State]int{}
	for _, i := range list {
		counts[i.State]++
	}
	var parts []string
	for _, s := range incident.States() {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], slack.Escape(string(s))))
		}
	}
	return strings.Join(parts, ", ")
}

func (h *Slack) incidents(ctx context.Context, _ person, c slack.Command) (slack.Message, error) {
	l := store.List{Limit: listed}
	if c.Which == "open" {
		l.States = openStates()
	}
	list, err := h.Incidents.Store.Incidents(ctx, l)
	if err != nil {
		return slack.Message{}, err
	}
	if len(list) == 0 {
		return slack.Say("✅ There is none."), nil
	}
	m := slack.Say()
	for _, i := range list {
		m = m.Line(headline(i))
	}
	if len(list) == listed {
		m = m.Line(fmt.Sprintf("The newest %d are shown.", listed))
	}
	return m, nil
}

func headline(i incident.Incident) string {
	said := i.Summary
	if said == "" {
		said = i.Title
	}
	return fmt.Sprintf("%s *%s* · %s · since %s\n%s", i.Severity.Mark(), i.ShortID, slack.Escape(string(i.State)), i.BeganAt.UTC().Format("2 Jan 15:04 UTC"), slack.Escape(said))
}

// show tells what happened, what was done, and what is wanted, in this order.
func (h *Slack) show(ctx context.Context, _ person, c slack.Command) (slack.Message, error) {
	story, err := h.Incidents.Store.Story(ctx, c.Name)
	if err != nil {
		return slack.Message{}, err
	}
	i := story.Incident
	m := slack.Say(headline(i), fmt.Sprintf("Cause `%s` · %s", slack.Escape(i.Cause), slack.Escape(i.Target.String())))
	if i.Resolution != "" {
		m = m.Line("✅ " + slack.Escape(i.Resolution))
	}
	var done, wanted []incident.Intent
	for _, in := range story.Intents {
		switch {
		case in.Effect != incident.Change:
		case in.State.Terminal():
			done = append(done, in)
		default:
			wanted = append(wanted, in)
		}
	}
	m = m.Line(linesOf("Done", done))
	m = m.Line(linesOf("Still there", wanted))
	for _, in := range wanted {
		if in.State == incident.Holding {
			m = m.Buttons(slack.Button{Do: "abort", Intent: in.ID.String(), About: in.Summary})
			continue
		}
		m = m.Buttons(h.buttonsFor(ctx, in.ID.String())...)
	}
	return m, nil
}

func linesOf(what string, list []incident.Intent) string {
	if len(list) == 0 {
		return ""
	}
	lines := []string{"*" + what + "*"}
	for _, in := range list {
		lines = append(lines, fmt.Sprintf("• %s %s: %s", in.ShortID, slack.Escape(string(in.State)), slack.Escape(in.Summary)))
	}
	return strings.Join(lines, "\n")
}

// why tells where an intent comes from, and what every guard read.
func (h *Slack) why(ctx context.Context, _ person, c slack.Command) (slack.Message, error) {
	in, err := h.Intents.Store.Intent(ctx, c.Name)
	if err != nil {
		return slack.Message{}, err
	}
	m := slack.Say(fmt.Sprintf("*%s* is *%s*%s\n%s", in.ShortID, slack.Escape(string(in.State)), h.decidedBy(ctx, in), slack.Escape(in.Summary)),
		"Why: "+slack.Escape(in.Reason), fmt.Sprintf("Mode %s, risk %s, rule %s", in.Mode, in.Risk, slack.Escape(orNone(in.Rule))))
	judged, err := h.Incidents.Store.Decisions(ctx, in.IncidentID.String(), store.List{Limit: 1})
	if err != nil || len(judged) == 0 {
		return m, err
	}
	var lines []string
	for _, g := range judged[0].Decision.Guards {
		lines = append(lines, "• "+slack.Escape(g.Guard)+": "+slack.Escape(g.Reading))
	}
	m = m.Line(slack.Escape(strings.Join(judged[0].Decision.Reasons, "; ")))
	return m.Line(strings.Join(lines, "\n")), nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (h *Slack) policyVersion(context.Context, person, slack.Command) (slack.Message, error) {
	return slack.Say(fmt.Sprintf("Policy `%.12s` is in force. `GET /v1/policy` shows all of it.", h.Policy().Version())), nil
}

// report counts what a day or a week brought. Of more than are read it says so.
func (h *Slack) report(ctx context.Context, _ person, c slack.Command) (slack.Message, error) {
	since := h.Now().Add(-24 * time.Hour)
	if c.Which == "week" {
		since = h.Now().Add(-7 * 24 * time.Hour)
	}
	list, err := h.Incidents.Store.Incidents(ctx, store.List{Limit: looked})
	if err != nil {
		return slack.Message{}, err
	}
	var opened, resolved, verified int
	for _, i := range list {
		if i.OpenedAt.Before(since) {
			continue
		}
		opened++
		if i.State == incident.StateResolved {
			resolved++
		}
		if strings.HasPrefix(i.Resolution, "verified") {
			verified++
		}
	}
	m := slack.Say(fmt.Sprintf("*The last %s:* %s, %d resolved, %d of them by a repair that was verified.", c.Which, counted(opened, "incident"), resolved, verified))
	if len(list) == looked && !list[len(list)-1].OpenedAt.Before(since) {
		m = m.Line(fmt.Sprintf("Only the newest %d were counted.", looked))
	}
	return m, nil
}
