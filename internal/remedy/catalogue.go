package remedy

import (
	"fmt"
	"slices"
	"strings"

	"salve/internal/incident"
)

// Entry is what the catalogue says of an action before anything is known about
// its target.
type Entry struct {
	Action     string
	Effect     incident.Effect
	Risk       incident.Risk
	Reversible bool
	Blast      string // what is worse while it runs, at most
}

// remedy is one row of the catalogue.
type remedy struct {
	Entry
	check func(params map[string]any) error
	build func(Request) (plan, error)
	blast func(Request) incident.Blast // nil: no replica becomes unavailable
}

// The whole catalogue. What is not here cannot be asked for.
var catalogue = slices.Concat([]remedy{
	{Entry{"k8s.pod.restart", incident.Change, incident.RiskLow, false,
		"one pod; disruption budgets are honoured"}, checkNone, buildRestart, podBlast},
	{Entry{resourcesAction, incident.Change, incident.RiskMedium, true,
		"every pod of one Deployment is replaced, as its strategy says"}, checkResources, buildResources, rollingBlast},
	{Entry{"notify.slack", incident.Tell, incident.RiskLow, false,
		"one message in one channel"}, checkSlack, buildSlack, nil},
}, clusterChanges(), hostChanges(), outsideChanges(), tellings(), collects())

const (
	change       = incident.Change
	low          = incident.RiskLow
	medium, high = incident.RiskMedium, incident.RiskHigh
)

func find(action string) (remedy, error) {
	for _, r := range catalogue {
		if r.Action == action {
			return r, nil
		}
	}
	return remedy{}, fmt.Errorf("unknown action %q; the catalogue has %s",
		clip(action, 60), strings.Join(Catalogue{}.Actions(), ", "))
}

// Catalogue answers what a policy may say.
type Catalogue struct{}

// Actions lists every action once, in the catalogue's order.
func (Catalogue) Actions() []string {
	names := make([]string, len(catalogue))
	for i, r := range catalogue {
		names[i] = r.Action
	}
	return names
}

// CheckParams refuses an unknown action, an unknown parameter, and a value of
// the wrong type or out of range. What only the moment of building knows, such
// as a message's text, may be missing.
func (Catalogue) CheckParams(action string, params map[string]any) error {
	r, err := find(action)
	if err != nil {
		return err
	}
	return r.check(params)
}

// Effect gives an action's effect and risk; false when there is no such action.
func (c Catalogue) Effect(action string) (incident.Effect, incident.Risk, bool) {
	e, ok := c.Entry(action)
	return e.Effect, e.Risk, ok
}

// Entry gives all the catalogue says of an action; false when there is none.
func (Catalogue) Entry(action string) (Entry, bool) {
	r, err := find(action)
	return r.Entry, err == nil
}
