package policy

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"salve/internal/incident"
)

// fakeCatalogue has today's actions and a risky one.
type fakeCatalogue struct{}

var fakeActions = map[string]struct {
	effect incident.Effect
	risk   incident.Risk
	params []string
}{
	"k8s.pod.restart":          {incident.Change, incident.RiskLow, nil},
	"k8s.deployment.resources": {incident.Change, incident.RiskMedium, []string{"memory_factor", "memory_ceiling_factor", "max_raises", "take_ownership"}},
	"k8s.deployment.rollback":  {incident.Change, incident.RiskHigh, nil},
	"k8s.deployment.restart":   {incident.Change, incident.RiskMedium, nil},
	"k8s.deployment.scale":     {incident.Change, incident.RiskMedium, []string{"recommended"}},
	"host.logs.clean":          {incident.Change, incident.RiskLow, []string{"older_than_days"}},
	"host.logs.compress":       {incident.Change, incident.RiskLow, []string{"larger_than_mb"}},
	"host.coredumps.delete":    {incident.Change, incident.RiskLow, nil},
	"host.service.restart":     {incident.Change, incident.RiskMedium, nil},
	"cert.renew":               {incident.Change, incident.RiskMedium, []string{"reload"}},
	"backup.run":               {incident.Change, incident.RiskLow, nil},
	"backup.extend_retention":  {incident.Change, incident.RiskLow, []string{"days"}},
	"db.failover":              {incident.Change, incident.RiskHigh, nil},
	"ticket.create":            {incident.Tell, incident.RiskLow, []string{"queue"}},
	"git.pull_request":         {incident.Change, incident.RiskLow, []string{"memory_factor", "memory_ceiling_factor", "max_raises", "take_ownership", "autoscaler_max_factor", "autoscaler_ceiling"}},
	"k8s.node.cordon":          {incident.Change, incident.RiskMedium, nil},
	"collect.pod":              {incident.Observe, incident.RiskLow, nil},
	"notify.slack":             {incident.Tell, incident.RiskLow, []string{"channel"}},
}

func (fakeCatalogue) Actions() []string { return slices.Sorted(maps.Keys(fakeActions)) }

func (fakeCatalogue) Effect(action string) (incident.Effect, incident.Risk, bool) {
	a, ok := fakeActions[action]
	return a.effect, a.risk, ok
}

func (fakeCatalogue) CheckParams(action string, params map[string]any) error {
	for name := range params {
		if !slices.Contains(fakeActions[action].params, name) {
			return fmt.Errorf("unknown parameter %q", name)
		}
	}
	return nil
}

func load(t testing.TB, src string) *Policy {
	t.Helper()
	p, err := Load("policy.yaml", []byte(src), fakeCatalogue{})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return p
}
