package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"salve/internal/checklist"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/intake"
	"salve/internal/outlook"
	"salve/internal/policy"
	"salve/internal/redact"
	"salve/internal/store"
)

// CheckStore keeps how checks stand.
type CheckStore interface {
	CheckRun(ctx context.Context, name string) (store.CheckRun, error)
	CheckRuns(ctx context.Context) ([]store.CheckRun, error)
	KeepCheck(ctx context.Context, key string, kind checklist.Kind, st checklist.State) error
	SampleStore
}

// Checks is the door for what health checks saw.
type Checks struct {
	Taker     Taker
	Store     CheckStore
	Once      *Once
	Policy    func() *policy.Policy
	Checklist func() *checklist.Checklist
	Now       func() time.Time
	IDs       incident.IDs
}

// Take takes one result or several. What a result finds goes through the door of all
// alerts, and what it no longer finds is over there, too. How the check stands is
// kept after that: a result that is sent again finishes what was broken off.
func (h *Checks) Take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	return h.Once.answer(ctx, caller, req, h.take)
}

func (h *Checks) take(ctx context.Context, caller identity.Caller, req IntakeRequest) (Answer, error) {
	results, err := intake.Checks(intake.Input{
		Body: req.Body, ClusterHint: req.Cluster, DefaultCluster: h.Policy().Settings().DefaultCluster,
		Subject: caller.Subject, ReceivedAt: h.Now(), IDs: h.IDs,
	})
	if err != nil {
		return Answer{}, malformed(err)
	}
	b := newAnswer(len(results))
	refused := 0
	for i, r := range results {
		check, problems := h.checkOf(r)
		if problems = append(r.Rejected, problems...); len(problems) > 0 {
			if len(results) > 1 {
				problems = under(fmt.Sprintf("/%d", i), problems, len(r.Rejected))
			}
			refused++
			_ = b.add(rejected(problems), store.Receipt{})
			continue
		}
		if err := h.run(ctx, caller, check, r, b); err != nil {
			return Answer{}, err
		}
	}
	if refused == len(results) {
		return Answer{}, allRejected(b.answer.Results)
	}
	return b.done(), nil
}

// under puts the pointers of the problems after the first few under an item's own.
func under(root string, problems []intake.Problem, done int) []intake.Problem {
	for i := done; i < len(problems); i++ {
		problems[i].Pointer = root + problems[i].Pointer
	}
	return problems
}

// checkOf is the check that a result is of: the checklist's, where that names it;
// else as the result says itself.
func (h *Checks) checkOf(r intake.CheckResult) (checklist.Check, []intake.Problem) {
	if c, listed := h.Checklist().Find(r.Name); listed {
		if r.Kind != "" && r.Kind != string(c.Kind) {
			return c, []intake.Problem{{Pointer: "/kind", Detail: fmt.Sprintf("%q is not possible: the checklist says that %s is of kind %s", r.Kind, c.Name, c.Kind)}}
		}
		return c, nil
	}
	c := checklist.Check{
		Name: r.Name, Kind: checklist.Kind(r.Kind), Cluster: r.Cluster, Namespace: r.Namespace, Object: r.Object, Host: r.Host, Unit: r.Unit,
	}
	if c.Host != "" {
		c.Cluster = ""
	}
	if why := c.Unlisted(); why != "" && len(r.Rejected) == 0 {
		return c, []intake.Problem{{Pointer: "/kind", Detail: why}}
	}
	return c, nil
}

// run judges one result, and adds what became of it to the answer.
func (h *Checks) run(ctx context.Context, caller identity.Caller, check checklist.Check, r intake.CheckResult, b *answerBuilder) error {
	var err error
	if r.Evidence, err = redact.JSON(r.Evidence); err != nil {
		return fmt.Errorf("redact evidence of check %s: %w", r.Name, err)
	}
	r.Message = redact.Text(r.Message)
	_, listed := h.Checklist().Find(r.Name)
	key := check.Key(listed && slices.Contains(h.Policy().Settings().TrustedEvidence, caller.Subject), caller.Subject)
	before, err := h.Store.CheckRun(ctx, key)
	if err != nil {
		return err
	}
	verdict := checklist.Judge(checklist.Case{Check: check, Result: r, Before: before.State}, h.IDs)
	result := ItemResult{Outcome: incident.Accepted, Reasons: append(verdict.Reasons, r.Notes...)}
	if verdict.Stale {
		result.Outcome = incident.Duplicate
		return b.add(result, store.Receipt{})
	}
	var seen []outlook.Reading
	if check.Host != "" {
		seen = outlook.OfEvidence(verdict.Seen, outlook.Key{Target: check.Target(), Source: "checks", Subject: caller.Subject}, r.ObservedAt)
	}
	if result.Reasons, err = keepSamples(ctx, h.Store, seen, result.Reasons); err != nil {
		return err
	}
	receipts, err := tell(ctx, h.Taker, caller, verdict.Events)
	if err != nil {
		return err
	}
	if err := h.Store.KeepCheck(ctx, key, check.Kind, verdict.State); err != nil {
		return err
	}
	return addRun(ctx, b, result, verdict.Events, receipts)
}

// addRun answers with one item for the result, which names the first thing that it
// found, and with the intents of all.
func addRun(ctx context.Context, b *answerBuilder, result ItemResult, events []incident.Event, receipts []store.Receipt) error {
	for i := range receipts {
		r := receipts[i]
		trailOf(ctx, r)
		if i == 0 {
			result.EventID = &events[0].ID
			if !r.IncidentID.IsZero() {
				result.IncidentID = &r.IncidentID
			}
			result.Diagnosis, result.Decision = r.DiagnosisJSON, r.DecisionJSON
		}
	}
	if len(receipts) == 0 {
		return b.add(result, store.Receipt{})
	}
	if err := b.add(result, receipts[0]); err != nil {
		return err
	}
	for _, r := range receipts[1:] {
		if err := b.join(r); err != nil {
			return err
		}
	}
	return nil
}

// CheckView is one check and how it stands.
type CheckView struct {
	Name         string           `json:"name"`
	Kind         checklist.Kind   `json:"kind"`
	Listed       bool             `json:"listed"` // it is on the checklist
	Cluster      string           `json:"cluster,omitempty"`
	Namespace    string           `json:"namespace,omitempty"`
	Object       string           `json:"object,omitempty"`
	Host         string           `json:"host,omitempty"`
	Unit         string           `json:"unit,omitempty"`
	URL          string           `json:"url,omitempty"`
	EverySeconds int64            `json:"every_seconds,omitempty"`
	LastRun      *time.Time       `json:"last_run"`
	LastStatus   checklist.Status `json:"last_status"`
	LastFinding  string           `json:"last_finding"`
	NextCheck    *time.Time       `json:"next_check"`
	Overdue      bool             `json:"overdue"` // it should have run twice since it last did
}

// CheckList is the checklist and how its checks stand.
type CheckList struct {
	Version string      `json:"version"` // of the checklist
	Items   []CheckView `json:"items"`
}

// List shows the checks of the checklist in its order, then those that others post.
func (h *Checks) List(ctx context.Context, _ identity.Caller) (CheckList, error) {
	runs, err := h.Store.CheckRuns(ctx)
	if err != nil {
		return CheckList{}, err
	}
	list, now := h.Checklist(), h.Now()
	answer := CheckList{Version: list.Version(), Items: []CheckView{}}
	known := make(map[string]store.CheckRun, len(runs))
	for _, r := range runs {
		known[r.Name] = r
	}
	for _, c := range list.Checks() {
		answer.Items = append(answer.Items, viewCheck(c, known[c.Name], now))
	}
	for _, r := range runs {
		if _, listed := list.Find(r.Name); !listed && !r.RanAt.IsZero() {
			v := CheckView{Name: r.Name, Kind: checklist.Kind(r.Kind)}
			v.ran(r)
			answer.Items = append(answer.Items, v)
		}
	}
	return answer, nil
}

func viewCheck(c checklist.Check, r store.CheckRun, now time.Time) CheckView {
	next := c.Next(now)
	if r.RanAt.Before(c.Slot(now)) {
		next = c.Slot(now)
	}
	v := CheckView{
		Name: c.Name, Kind: c.Kind, Listed: true, Cluster: c.Cluster, Namespace: c.Namespace, Object: c.Object, Host: c.Host, Unit: c.Unit,
		URL: c.URL, EverySeconds: int64(c.Every / time.Second), NextCheck: &next,
	}
	v.ran(r)
	v.Overdue = !r.RanAt.IsZero() && c.Overdue(r.RanAt, now)
	return v
}

func (v *CheckView) ran(r store.CheckRun) {
	if v.LastStatus = checklist.Never; r.RanAt.IsZero() {
		return
	}
	v.LastRun, v.LastStatus, v.LastFinding = &r.RanAt, r.Status, r.Finding
}

// DueCheck is a check that n8n is asked to run now.
type DueCheck struct {
	Name    string          `json:"name"`
	Kind    checklist.Kind  `json:"kind"`
	Execute json.RawMessage `json:"execute"`
}
