package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"salve/internal/incident"
)

// Figures are what a week is counted from.
type Figures struct {
	From, To  time.Time
	Incidents []incident.Incident // opened in the week
	Changes   []incident.Intent   // issued in the week
	Repairs   []incident.Repair   // begun in the week
	Words     int                 // of people
	ByHand    time.Duration       // policy's: how long a repair takes by hand
	LeftOut   bool
}

// Week is the report of one week.
type Week struct {
	From          time.Time      `json:"from"`
	To            time.Time      `json:"to"`
	Opened        int            `json:"opened"`
	Resolved      int            `json:"resolved"`
	WithoutHuman  int            `json:"resolved_without_human"`
	ByCause       map[string]int `json:"by_cause"`
	Changes       int            `json:"changes"` // that were executed
	Succeeded     int            `json:"succeeded"`
	ByAction      []ActionCount  `json:"by_action"`
	ByRisk        map[string]int `json:"by_risk"`
	ByApproval    map[string]int `json:"by_approval"` // auto, hold, approve
	Interventions int            `json:"manual_interventions"`
	Verified      int            `json:"verified_repairs"`
	MedianRepair  float64        `json:"median_repair_seconds"` // of verified repairs, from the first claim to what was seen
	SavedSeconds  float64        `json:"time_saved_seconds"`
	ByHandSeconds float64        `json:"manual_baseline_seconds"`
	Attention     []string       `json:"needs_attention"`
	LeftOut       bool           `json:"left_out"`
}

// ActionCount is how often one action was executed, and with what success.
type ActionCount struct {
	Action    string `json:"action"`
	Executed  int    `json:"executed"`
	Succeeded int    `json:"succeeded"`
}

// When an action needs attention: done so often that it hides a cause, or failing too
// often to be trusted. Source: SPEC section 6.
const (
	often      = 10
	failingAt  = 0.2
	enoughRuns = 3 // one failure of one says nothing
)

// OfWeek counts a week.
func OfWeek(f Figures) Week {
	w := Week{
		From: f.From, To: f.To, Opened: len(f.Incidents), ByCause: map[string]int{}, ByRisk: map[string]int{}, ByApproval: map[string]int{},
		ByAction: []ActionCount{}, Attention: []string{}, Interventions: f.Words, ByHandSeconds: f.ByHand.Seconds(), LeftOut: f.LeftOut,
	}
	spoken := map[incident.ID]bool{}
	counts := map[string]*ActionCount{}
	for _, in := range f.Changes {
		if in.ApprovedBy != "" || in.State == incident.Aborted || in.State == incident.RejectedState {
			spoken[in.IncidentID] = true
		}
		if in.State != incident.Succeeded && in.State != incident.Failed && in.State != incident.Lost {
			continue
		}
		c := cmp.Or(counts[in.Action], &ActionCount{Action: in.Action})
		counts[in.Action] = c
		c.Executed++
		w.Changes++
		w.ByRisk[string(in.Risk)]++
		w.ByApproval[string(in.Mode)]++
		if in.State == incident.Succeeded {
			c.Succeeded++
			w.Succeeded++
		}
	}
	for _, i := range f.Incidents {
		w.ByCause[i.Cause]++
		if i.State == incident.StateResolved {
			w.Resolved++
			if !spoken[i.ID] {
				w.WithoutHuman++
			}
		}
	}
	w.repairs(f)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		w.ByAction = append(w.ByAction, *counts[name])
		w.attend(*counts[name])
	}
	return w
}

func (w *Week) repairs(f Figures) {
	var took []time.Duration
	for _, r := range f.Repairs {
		if d := r.EndedAt.Sub(r.BeganAt); r.Outcome == incident.RepairVerified && d > 0 {
			took = append(took, d)
			w.SavedSeconds += max(0, f.ByHand-d).Seconds()
		}
	}
	w.Verified = len(took)
	if len(took) > 0 {
		slices.Sort(took)
		w.MedianRepair = took[len(took)/2].Seconds()
	}
}

func (w *Week) attend(c ActionCount) {
	failed := c.Executed - c.Succeeded
	if c.Executed > often {
		w.Attention = append(w.Attention, fmt.Sprintf("%s was done %d times: what is behind it?", c.Action, c.Executed))
	}
	if c.Executed >= enoughRuns && float64(failed) > failingAt*float64(c.Executed) {
		w.Attention = append(w.Attention, fmt.Sprintf("%s failed %d of %d times.", c.Action, failed, c.Executed))
	}
}

// Markdown is the week as people read it.
func (w Week) Markdown() string {
	p := &page{}
	p.title(1, "Week of %s to %s", w.From.Format("2006-01-02"), w.To.AddDate(0, 0, -1).Format("2006-01-02"))
	p.list([]string{
		fmt.Sprintf("%d incidents were opened, %d of them are resolved, %d without a human's word", w.Opened, w.Resolved, w.WithoutHuman),
		fmt.Sprintf("%d changes were executed, %s of them with success", w.Changes, share(w.Succeeded, w.Changes)),
		fmt.Sprintf("%d repairs were verified, in the median after %s", w.Verified, lasted(time.Duration(w.MedianRepair*float64(time.Second)))),
		fmt.Sprintf("people said %d words: yes, no, stop, go on", w.Interventions),
		fmt.Sprintf("time saved: %s, measured against %s by hand for each verified repair", lasted(time.Duration(w.SavedSeconds*float64(time.Second))), lasted(time.Duration(w.ByHandSeconds*float64(time.Second)))),
	}, "")
	p.title(2, "Needs attention")
	p.list(escaped(w.Attention), "Nothing.")
	p.title(2, "What was done")
	var rows [][]string
	for _, c := range w.ByAction {
		rows = append(rows, []string{text(c.Action), fmt.Sprint(c.Executed), share(c.Succeeded, c.Executed)})
	}
	p.table([]string{"action", "executed", "success"}, rows, "Nothing.")
	for _, by := range []struct {
		title  string
		counts map[string]int
	}{{"By cause", w.ByCause}, {"By risk", w.ByRisk}, {"By approval", w.ByApproval}} {
		p.title(2, "%s", by.title)
		var items []string
		for _, name := range slices.Sorted(maps.Keys(by.counts)) {
			items = append(items, fmt.Sprintf("%s: %d", text(name), by.counts[name]))
		}
		p.list(items, "Nothing.")
	}
	if w.LeftOut {
		p.line("")
		p.line("There was more than is counted in one report: the figures are of the newest part.")
	}
	return p.b.String()
}

func share(n, of int) string {
	if of == 0 {
		return "—"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
}
