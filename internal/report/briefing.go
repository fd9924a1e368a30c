package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/incident"
)

// Morning is what a briefing is made of.
type Morning struct {
	At        time.Time
	Since     time.Time
	Mode      incident.Automation
	Open      []incident.Incident
	Overnight []incident.Incident // opened or resolved since
	Waiting   []incident.Intent   // for a yes
	Repairs   []incident.Repair   // begun since
}

// Briefing is what somebody should know before the first coffee is over.
type Briefing struct {
	At       time.Time           `json:"at"`
	Since    time.Time           `json:"since"`
	Mode     incident.Automation `json:"mode"`
	Open     []Item              `json:"open"`
	Opened   int                 `json:"opened_overnight"`
	Resolved []Item              `json:"resolved_overnight"`
	Repairs  map[string]int      `json:"repairs_overnight"` // by outcome
	Waiting  []Wait              `json:"waiting"`
	Watch    []Item              `json:"watch"` // certificates, disks, backups and trends
}

// Item is an incident in one line.
type Item struct {
	ShortID  string            `json:"short_id"`
	Severity incident.Severity `json:"severity"`
	State    incident.State    `json:"state"`
	Cause    string            `json:"cause"`
	Summary  string            `json:"summary"`
	Since    time.Time         `json:"since"`
}

// Wait is a plan that waits for a yes.
type Wait struct {
	ShortID   string    `json:"short_id"`
	Summary   string    `json:"summary"`
	ExpiresAt time.Time `json:"expires_at"`
}

// slow are families that hurt later and are mended by day.
var slow = []string{"cert.", "host.disk", "host.inodes", "backup.", "trend."}

func itemOf(i incident.Incident) Item {
	said := i.Summary
	if said == "" {
		said = i.Title
	}
	return Item{i.ShortID, i.Severity, i.State, i.Cause, said, i.BeganAt}
}

// OfMorning makes the briefing.
func OfMorning(m Morning) Briefing {
	b := Briefing{At: m.At, Since: m.Since, Mode: m.Mode, Open: []Item{}, Resolved: []Item{}, Waiting: []Wait{}, Watch: []Item{}, Repairs: map[string]int{}}
	for _, i := range m.Open {
		b.Open = append(b.Open, itemOf(i))
		if slices.ContainsFunc(slow, func(family string) bool { return strings.HasPrefix(i.Cause, family) }) {
			b.Watch = append(b.Watch, itemOf(i))
		}
	}
	for _, i := range m.Overnight {
		if !i.OpenedAt.Before(m.Since) {
			b.Opened++
		}
		if i.State == incident.StateResolved {
			b.Resolved = append(b.Resolved, itemOf(i))
		}
	}
	for _, in := range m.Waiting {
		b.Waiting = append(b.Waiting, Wait{in.ShortID, in.Summary, in.ExpiresAt})
	}
	for _, r := range m.Repairs {
		outcome := string(r.Outcome)
		if outcome == "" {
			outcome = "under way"
		}
		b.Repairs[outcome]++
	}
	return b
}

// Markdown is the briefing as it is sent.
func (b Briefing) Markdown() string {
	p := &page{}
	p.title(1, "Morning of %s", b.At.Format("Monday, 2 January 2006"))
	health := "✅ Nothing is wrong."
	if len(b.Open) > 0 {
		health = fmt.Sprintf("%d incidents are open.", len(b.Open))
	}
	p.line("%s Mode: %s. Since %s %d were opened and %d resolved; %s.", health, text(string(b.Mode)), b.Since.Format("15:04 MST"), b.Opened, len(b.Resolved), b.repaired())
	for _, part := range []struct {
		title string
		items []Item
		none  string
	}{{"Open", b.Open, "Nothing."}, {"Over since last night", b.Resolved, "Nothing."}, {"To watch: certificates, disks, backups, trends", b.Watch, "Nothing."}} {
		p.title(2, "%s", part.title)
		var lines []string
		for _, i := range part.items {
			lines = append(lines, fmt.Sprintf("%s (%s, %s, since %s) %s", i.ShortID, i.Severity, text(string(i.State)), clock(i.Since), text(i.Summary)))
		}
		p.list(lines, part.none)
	}
	p.title(2, "Waiting for a yes")
	var lines []string
	for _, w := range b.Waiting {
		lines = append(lines, fmt.Sprintf("%s %s Silence until %s is a no.", w.ShortID, text(w.Summary), clock(w.ExpiresAt)))
	}
	p.list(lines, "Nothing.")
	return p.b.String()
}

func (b Briefing) repaired() string {
	if len(b.Repairs) == 0 {
		return "nothing was repaired"
	}
	var parts []string
	for _, outcome := range []incident.RepairOutcome{incident.RepairVerified, incident.RepairIneffective, incident.RepairInconclusive, incident.RepairFailed, incident.RepairSkipped, "under way"} {
		if n := b.Repairs[string(outcome)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	return "repairs: " + strings.Join(parts, ", ")
}
