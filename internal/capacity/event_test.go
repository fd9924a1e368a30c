package capacity

import (
	"encoding/json"
	"strings"
	"testing"

	"salve/internal/incident"
	"salve/internal/intake"
)

func ids() incident.IDs {
	var serial byte
	return func() incident.ID {
		serial++
		return incident.NewID(night, [10]byte{9: serial})
	}
}

// Which alerts begin (+) and are over (-), by what was measured and why more are needed.
func TestEvents(t *testing.T) {
	both := []string{UsageSource, SeriesSource}
	for name, c := range map[string]struct {
		cpu, memory *float64
		v           Verdict
		want        string
	}{
		"the forecast, seen by both":   {per(75), per(40), Verdict{Why: CPUSoon, Scale: true, Recommended: 5, Witnesses: both}, "+cpu by usage, +cpu by prometheus, -memory by usage"},
		"seen by one":                  {per(75), nil, Verdict{Why: CPUSoon, Scale: true, Recommended: 5, Witnesses: both[:1]}, "+cpu by usage, -cpu by prometheus"},
		"memory":                       {nil, per(90), Verdict{Why: MemoryNow, Scale: true, Recommended: 6, Witnesses: both[:1]}, "+memory by usage"},
		"memory, and the CPU is well":  {per(20), per(90), Verdict{Why: MemoryNow, Scale: true, Recommended: 6, Witnesses: both[:1]}, "+memory by usage, -cpu by usage, -cpu by prometheus"},
		"enough":                       {per(20), per(20), Verdict{Why: Enough, Witnesses: both[:1]}, "-cpu by usage, -cpu by prometheus, -memory by usage"},
		"too many":                     {per(20), nil, Verdict{Why: TooMany, Scale: true, Recommended: 3, Witnesses: both[:1]}, "-cpu by usage, -cpu by prometheus"},
		"an autoscaler at its end":     {per(95), nil, Verdict{Why: OwnerAtItsEnd, Witnesses: both[:1]}, "+cpu by usage, -cpu by prometheus"},
		"an autoscaler with room":      {per(95), nil, Verdict{Why: OwnerHasRoom, Witnesses: both[:1]}, "-cpu by usage, -cpu by prometheus"},
		"what was not measured is not": {nil, nil, Verdict{Why: Enough, Witnesses: both[:1]}, ""},
	} {
		u := intake.Usage{CPU: c.cpu, Memory: c.memory, Pods: 4, Target: incident.Target{Cluster: "prod", Namespace: "shop", Kind: "Deployment", Name: "api"}, ReceivedAt: night}
		events, err := Events(u, c.v, ids())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, e := range events {
			got = append(got, map[incident.AlertStatus]string{incident.Firing: "+", incident.Resolved: "-"}[e.Status]+e.Labels["resource"]+" by "+e.Source)
			if (e.Evidence != nil) != (i == 0 && e.Status == incident.Firing) {
				t.Errorf("%s: event %d brings %s", name, i, e.Evidence)
			}
		}
		if said := strings.Join(got, ", "); said != c.want {
			t.Errorf("%s: %s, want %s", name, said, c.want)
		}
	}
}

// The evidence that came is kept, with what was made of the use beside it.
func TestShowKeepsWhatCame(t *testing.T) {
	u := intake.Usage{CPU: per(75), Pods: 4, Target: incident.Target{Cluster: "prod", Namespace: "shop", Kind: "Deployment", Name: "api"}, ReceivedAt: night,
		Evidence: []byte(`{"observedAt":"2026-11-27T02:59:00Z","cluster":"elsewhere","deployments":[{"kind":"Deployment"}]}`)}
	raw, err := show(u, Verdict{Why: CPUSoon, Scale: true, Recommended: 5})
	var got struct {
		ObservedAt, Cluster string
		Deployments         []any
		Usage               struct{ Metrics map[string]float64 }
	}
	if err != nil || json.Unmarshal(raw, &got) != nil {
		t.Fatal(err, string(raw))
	}
	if got.ObservedAt != "2026-11-27T02:59:00Z" || got.Cluster != "prod" || len(got.Deployments) != 1 || got.Usage.Metrics["recommendedReplicas"] != 5 || got.Usage.Metrics["replicas"] != 4 || got.Usage.Metrics["morePodsForCpu"] != 1 {
		t.Errorf("%s", raw)
	}
}
