package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
)

// Case is all that is known of one incident.
type Case struct {
	Incident incident.Incident
	Judged   []Judged
	Intents  []incident.Intent
	Results  map[incident.ID]incident.Result // the one that counts, by intent
	Similar  []Past
	Remedies []Remedy
}

// Judged is one diagnosis with its decision.
type Judged struct {
	At        time.Time          `json:"at"`
	Diagnosis incident.Diagnosis `json:"diagnosis"`
	Decision  incident.Decision  `json:"decision"`
}

// Past is an incident with the same cause.
type Past struct {
	ShortID    string    `json:"short_id"`
	Target     string    `json:"target"`
	OpenedAt   time.Time `json:"opened_at"`
	Resolution string    `json:"resolution"`
}

// Remedy says how often something helped against the same cause.
type Remedy struct {
	Action string `json:"action"`
	Tried  int    `json:"tried"`
	Helped int    `json:"helped"`
}

// Incident is one incident's report.
type Incident struct {
	ShortID    string            `json:"short_id"`
	Title      string            `json:"title"`
	Severity   incident.Severity `json:"severity"`
	State      incident.State    `json:"state"`
	Target     string            `json:"target"`
	Cause      string            `json:"cause"`
	Summary    string            `json:"summary"`
	OpenedAt   time.Time         `json:"opened_at"`
	ResolvedAt time.Time         `json:"resolved_at,omitzero"`
	Resolution string            `json:"resolution,omitempty"`
	Diagnoses  []Judged          `json:"diagnoses"`
	Actions    []Action          `json:"actions"`
	Prevention []string          `json:"prevention"`
	Similar    []Past            `json:"similar"`
	Remedies   []Remedy          `json:"remedies"`
}

// Action is one change that was made, or was to be made.
type Action struct {
	ShortID    string               `json:"short_id"`
	Action     string               `json:"action"`
	Summary    string               `json:"summary"`
	State      incident.IntentState `json:"state"`
	Risk       incident.Risk        `json:"risk"`
	ApprovedBy string               `json:"approved_by,omitempty"`
	StartedAt  time.Time            `json:"started_at,omitzero"`
	FinishedAt time.Time            `json:"finished_at,omitzero"`
	Error      string               `json:"error,omitempty"`
	Link       string               `json:"link,omitempty"` // of a pull request or a ticket
}

// Of makes the report of one incident.
func Of(c Case) Incident {
	i := c.Incident
	r := Incident{
		ShortID: i.ShortID, Title: i.Title, Severity: i.Severity, State: i.State, Target: i.Target.String(), Cause: i.Cause, Summary: i.Summary,
		OpenedAt: i.OpenedAt, ResolvedAt: i.ResolvedAt, Resolution: i.Resolution,
		Diagnoses: []Judged{}, Actions: []Action{}, Similar: append([]Past{}, c.Similar...), Remedies: append([]Remedy{}, c.Remedies...),
	}
	for n, j := range c.Judged {
		if n == 0 || j.Diagnosis.Cause != c.Judged[n-1].Diagnosis.Cause { // what only says the same again adds nothing
			r.Diagnoses = append(r.Diagnoses, j)
		}
	}
	for _, in := range c.Intents {
		if in.Effect == incident.Change || in.Action == "ticket.create" {
			r.Actions = append(r.Actions, action(in, c.Results[in.ID]))
		}
	}
	r.Prevention = advice(c)
	return r
}

func action(in incident.Intent, res incident.Result) Action {
	var output struct{ URL string }
	_ = json.Unmarshal(res.Output, &output) // another shape brings no link
	return Action{
		ShortID: in.ShortID, Action: in.Action, Summary: in.Summary, State: in.State, Risk: in.Risk, ApprovedBy: in.ApprovedBy,
		StartedAt: res.StartedAt, FinishedAt: res.FinishedAt, Error: res.Error, Link: output.URL,
	}
}

// Markdown is the report as it goes into a repository.
func (r Incident) Markdown() string {
	p := &page{}
	p.title(1, "%s: %s", r.ShortID, text(r.Title))
	p.table([]string{"", ""}, [][]string{
		{"Severity", text(string(r.Severity))}, {"State", text(string(r.State))}, {"Target", text(r.Target)}, {"Cause", "`" + strings.ReplaceAll(r.Cause, "`", "") + "`"},
		{"Detected", clock(r.OpenedAt)}, {"Over", clock(r.ResolvedAt)}, {"Lasted", lasted(r.ResolvedAt.Sub(r.OpenedAt))},
		{"How it ended", text(orDash(r.Resolution))},
	}, "")
	p.title(2, "What was seen")
	for _, j := range r.Diagnoses {
		p.line("- %s — **%s**, %.0f %% sure: %s", clock(j.At), text(j.Diagnosis.Cause), j.Diagnosis.Confidence*100, text(j.Diagnosis.Summary))
		for _, quote := range j.Diagnosis.Evidence {
			p.line("  - %s", text(quote))
		}
		for _, missing := range j.Diagnosis.Missing {
			p.line("  - not known: %s", text(missing))
		}
	}
	p.title(2, "What was done")
	p.list(r.done(), "Nothing was changed.")
	p.title(2, "So that it does not come back")
	p.list(escaped(r.Prevention), "Nothing is known that would prevent it.")
	p.title(2, "Seen before")
	p.list(r.before(), "Never with this cause.")
	return p.b.String()
}

func (r Incident) done() []string {
	var lines []string
	for _, a := range r.Actions {
		line := fmt.Sprintf("%s **%s** (%s, risk %s): %s", a.ShortID, text(string(a.State)), text(a.Action), a.Risk, text(a.Summary))
		if a.ApprovedBy != "" {
			line += " Approved by " + text(a.ApprovedBy) + "."
		}
		if took := a.FinishedAt.Sub(a.StartedAt); took > 0 {
			line += " It took " + lasted(took) + "."
		}
		if a.Error != "" {
			line += " It failed: " + text(a.Error)
		}
		if strings.HasPrefix(a.Link, "https://") && !strings.ContainsAny(a.Link, " <>") {
			line += " <" + a.Link + ">"
		}
		lines = append(lines, line)
	}
	return lines
}

func (r Incident) before() []string {
	var lines []string
	for _, m := range r.Remedies {
		lines = append(lines, fmt.Sprintf("%s helped %d of %d times against this cause.", text(m.Action), m.Helped, m.Tried))
	}
	for _, s := range r.Similar {
		lines = append(lines, fmt.Sprintf("%s, %s, %s — %s", s.ShortID, clock(s.OpenedAt), text(s.Target), text(orDash(s.Resolution))))
	}
	return lines
}

func escaped(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = text(s)
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}
