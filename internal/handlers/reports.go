package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/report"
	"salve/internal/store"
)

// ReportStore gives what reports are made of; lists are bounded.
type ReportStore interface {
	Story(ctx context.Context, name string) (store.Story, error)
	Record(ctx context.Context, from, to time.Time, limit int) ([]store.Recorded, error)
	ChangesIssued(ctx context.Context, from, to time.Time, limit int) ([]incident.Intent, error)
	IncidentsOf(ctx context.Context, from, to time.Time, limit int) ([]incident.Incident, error)
	Incidents(ctx context.Context, l store.List) ([]incident.Incident, error)
	Intents(ctx context.Context, l store.List) ([]incident.Intent, error)
	RepairsBegun(ctx context.Context, from, to time.Time, limit int) ([]incident.Repair, error)
	RepairsAgainst(ctx context.Context, cause string, but incident.ID, limit int) ([]incident.Repair, error)
	SameCause(ctx context.Context, cause string, but incident.ID, limit int) ([]incident.Incident, error)
	HumanWords(ctx context.Context, operations []string, from, to time.Time) (int, error)
	Automation(ctx context.Context) (store.Automation, error)
}

// Reports are the doors of what people read afterwards.
type Reports struct {
	Store  ReportStore
	Policy func() *policy.Policy
	Now    func() time.Time
}

// PeriodRequest names a day (2026-11-27) or a week (2026-W48); empty: the present one.
type PeriodRequest struct {
	Name string `json:"-" validate:"max=20"`
}

// What one report reads at most.
const (
	mostLines    = 5000
	mostPast     = 5
	mostRemedies = 200
	mostOfWeek   = 10000
	mostOpen     = 100
)

// Incident is the report of one incident.
func (h *Reports) Incident(ctx context.Context, _ identity.Caller, req ByID) (report.Incident, error) {
	story, err := h.Store.Story(ctx, req.ID)
	if err != nil {
		return report.Incident{}, err
	}
	c := report.Case{Incident: story.Incident, Intents: story.Intents, Results: map[incident.ID]incident.Result{}}
	for _, j := range story.Judged {
		c.Judged = append(c.Judged, report.Judged{At: h.local(j.At), Diagnosis: j.Diagnosis, Decision: j.Decision})
	}
	for _, r := range story.Results {
		if _, counted := c.Results[r.IntentID]; !counted {
			c.Results[r.IntentID] = r // the first is the one that counts
		}
	}
	past, err := h.Store.SameCause(ctx, c.Incident.Cause, c.Incident.ID, mostPast)
	if err != nil {
		return report.Incident{}, err
	}
	for _, i := range past {
		c.Similar = append(c.Similar, report.Past{ShortID: i.ShortID, Target: i.Target.String(), OpenedAt: h.local(i.OpenedAt), Resolution: i.Resolution})
	}
	tried, err := h.Store.RepairsAgainst(ctx, c.Incident.Cause, c.Incident.ID, mostRemedies)
	c.Remedies = helped(tried)
	c.Incident.OpenedAt, c.Incident.ResolvedAt = h.local(c.Incident.OpenedAt), h.local(c.Incident.ResolvedAt)
	return report.Of(c), err
}

// helped counts repairs by what was done.
func helped(repairs []incident.Repair) []report.Remedy {
	var list []report.Remedy
	for _, r := range repairs {
		i := slices.IndexFunc(list, func(m report.Remedy) bool { return m.Action == r.Action })
		if i < 0 {
			i, list = len(list), append(list, report.Remedy{Action: r.Action})
		}
		list[i].Tried++
		if r.Outcome == incident.RepairVerified {
			list[i].Helped++
		}
	}
	return list
}

// zone is where policy's days begin.
func (h *Reports) zone() *time.Location {
	zone, err := time.LoadLocation(h.Policy().Settings().Timezone)
	if err != nil {
		return time.UTC // the policy was read with this name: it is there
	}
	return zone
}

func (h *Reports) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(h.zone())
}

func (h *Reports) midnight(t time.Time) time.Time {
	year, month, day := t.In(h.zone()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, h.zone())
}

// Day is the record of one calendar day of policy's timezone.
func (h *Reports) Day(ctx context.Context, _ identity.Caller, req PeriodRequest) (report.Day, error) {
	from := h.midnight(h.Now())
	if req.Name != "" {
		day, err := time.ParseInLocation(time.DateOnly, req.Name, h.zone())
		if err != nil {
			return report.Day{}, missingField("/date", "must be a day such as 2026-11-27")
		}
		from = day
	}
	rows, err := h.Store.Record(ctx, from, from.AddDate(0, 0, 1), mostLines+1)
	if err != nil {
		return report.Day{}, err
	}
	d := report.Day{Date: from.Format(time.DateOnly), Lines: []report.Line{}, LeftOut: len(rows) > mostLines}
	for _, r := range rows[:min(len(rows), mostLines)] {
		d.Lines = append(d.Lines, h.line(r))
	}
	return d, nil
}

func (h *Reports) line(r store.Recorded) report.Line {
	l := report.Line{
		At: h.local(r.At), Operation: r.Operation, Object: r.Object, Reason: r.Reason, Actor: r.Actor,
		Human: report.ByHuman(r.Operation) || strings.HasPrefix(r.Reason, "resolved by ") && r.Operation == "incident.resolved",
	}
	if r.Incident > 0 {
		l.Incident = incident.IncidentNumber(r.Incident)
		l.Link = "/v1/incidents/" + l.Incident
	}
	if r.Intent != nil {
		l.Risk, l.ApprovedBy, l.Result = string(r.Intent.Risk), r.Intent.ApprovedBy, string(r.Intent.State)
	}
	return l
}

var errWeek = errors.New("must be a week such as 2026-W48")

// weekOf is when an ISO week begins: on Monday, the first with a Thursday of the year.
func (h *Reports) weekOf(name string) (time.Time, error) {
	var year, week int
	if n, err := fmt.Sscanf(name, "%4d-W%2d", &year, &week); err != nil || n != 2 || len(name) != len("2026-W48") || week < 1 || week > 53 {
		return time.Time{}, errWeek
	}
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, h.zone())
	monday := monday(fourth).AddDate(0, 0, 7*(week-1))
	if y, w := monday.ISOWeek(); y != year || w != week {
		return time.Time{}, errWeek
	}
	return monday, nil
}

func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

// Week counts one week of policy's timezone.
func (h *Reports) Week(ctx context.Context, _ identity.Caller, req PeriodRequest) (report.Week, error) {
	from := monday(h.midnight(h.Now()))
	if req.Name != "" {
		var err error
		if from, err = h.weekOf(req.Name); err != nil {
			return report.Week{}, missingField("/week", err.Error())
		}
	}
	f := report.Figures{From: from, To: from.AddDate(0, 0, 7), ByHand: h.Policy().Settings().ManualBaseline}
	all, err := h.Store.IncidentsOf(ctx, f.From, f.To, mostOfWeek)
	if err != nil {
		return report.Week{}, err
	}
	f.Incidents = slices.DeleteFunc(all, func(i incident.Incident) bool { return i.OpenedAt.Before(f.From) || i.MergedInto != nil })
	if f.Changes, err = h.Store.ChangesIssued(ctx, f.From, f.To, mostOfWeek); err != nil {
		return report.Week{}, err
	}
	if f.Repairs, err = h.Store.RepairsBegun(ctx, f.From, f.To, mostOfWeek); err != nil {
		return report.Week{}, err
	}
	f.Words, err = h.Store.HumanWords(ctx, report.HumanOperations(), f.From, f.To)
	f.LeftOut = len(all) == mostOfWeek || len(f.Changes) == mostOfWeek || len(f.Repairs) == mostOfWeek
	return report.OfWeek(f), err
}

// nightBegins is when the evening before ends for a briefing.
const nightBegins = 18 * time.Hour

// Briefing is what somebody should know in the morning.
func (h *Reports) Briefing(ctx context.Context, _ identity.Caller) (report.Briefing, error) {
	now := h.local(h.Now())
	since := h.midnight(now).AddDate(0, 0, -1).Add(nightBegins)
	m := report.Morning{At: now, Since: since}
	mode, err := h.Store.Automation(ctx)
	if err != nil {
		return report.Briefing{}, err
	}
	m.Mode = mode.Mode
	if m.Open, err = h.Store.Incidents(ctx, store.List{States: openStates(), Limit: mostOpen}); err != nil {
		return report.Briefing{}, err
	}
	if m.Overnight, err = h.Store.IncidentsOf(ctx, since, now, mostOfWeek); err != nil {
		return report.Briefing{}, err
	}
	if m.Waiting, err = h.Store.Intents(ctx, store.List{States: []string{string(incident.AwaitingApproval)}, Limit: mostOpen}); err != nil {
		return report.Briefing{}, err
	}
	if m.Repairs, err = h.Store.RepairsBegun(ctx, since, now, mostOfWeek); err != nil {
		return report.Briefing{}, err
	}
	return report.OfMorning(m), nil
}
