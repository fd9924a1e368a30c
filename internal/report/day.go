package report

import (
	"slices"
	"time"
)

// Line is one row of the record.
type Line struct {
	At         time.Time `json:"at"`
	Operation  string    `json:"operation"`
	Object     string    `json:"object"`
	Reason     string    `json:"reason"`
	Actor      string    `json:"actor"`
	Risk       string    `json:"risk,omitempty"`
	ApprovedBy string    `json:"approved_by,omitempty"`
	Human      bool      `json:"human_intervention"`
	Result     string    `json:"result,omitempty"` // how the intent stands today
	Incident   string    `json:"incident,omitempty"`
	Link       string    `json:"link,omitempty"` // path of the incident
}

// Day is the record of one calendar day.
type Day struct {
	Date    string `json:"date"`
	Lines   []Line `json:"lines"`
	LeftOut bool   `json:"left_out"` // there are more lines than one answer holds
}

// byHumans are operations that only people do; others count where a person did them.
var byHumans = []string{
	"intent.approve", "intent.approval", "intent.reject", "intent.abort", "incident.acknowledged", "automation.set", "freeze.added", "freeze.ended",
	"breaker.reset", "promotion.approved", "promotion.rejected",
}

// HumanOperations are the operations that only people do.
func HumanOperations() []string { return slices.Clone(byHumans) }

// ByHuman says whether a row of the record is somebody's word.
func ByHuman(operation string) bool { return slices.Contains(byHumans, operation) }

// Markdown is the day as a table.
func (d Day) Markdown() string {
	p := &page{}
	p.title(1, "Record of %s", d.Date)
	rows := make([][]string, len(d.Lines))
	for i, l := range d.Lines {
		human := ""
		if l.Human {
			human = text(l.Actor)
		}
		rows[i] = []string{l.At.Format("15:04:05"), text(l.Operation), text(l.Object), text(l.Reason), text(l.Risk), text(l.ApprovedBy), human, text(l.Result), text(l.Incident)}
	}
	p.table([]string{"time", "operation", "object", "reason", "risk", "approval", "human intervention", "result", "incident"}, rows, "Nothing was done.")
	if d.LeftOut {
		p.line("")
		p.line("There are more lines than one page holds; `salve audit export` gives all of them.")
	}
	return p.b.String()
}
