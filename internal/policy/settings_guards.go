package policy

import (
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Budgets are how many rungs may be begun within the window. Zero is none.
type Budgets struct {
	Window                                     time.Duration
	Target, Service, Namespace, Cluster, Total int
	Actions                                    map[string]int // of one action, everywhere
}

// BreakerSettings say when repairs that keep failing are stopped.
type BreakerSettings struct {
	Failures int
	Within   time.Duration
}

// BlastRadius is what may become additionally unavailable: whichever is more,
// and never the last ready replica.
type BlastRadius struct {
	Pods    int
	Percent int
}

// StormSettings say when there are too many new incidents at once, and what then.
type StormSettings struct {
	Incidents int
	Within    time.Duration
	CoolDown  time.Duration // so long without too many, and it is over
	Collects  int           // a hypothesis and cluster, while it lasts
	Reopen    int           // incidents diagnosed anew a minute, afterwards
}

func (s *Settings) guardDefaults() {
	s.Budgets = Budgets{Window: time.Hour, Target: 3, Service: 10, Namespace: 20, Cluster: 40, Total: 60, Actions: map[string]int{}}
	s.Cooldown = 10 * time.Minute
	s.Breaker = BreakerSettings{Failures: 3, Within: time.Hour}
	s.BlastRadius = BlastRadius{Pods: 1, Percent: 25}
	s.Storm = StormSettings{Incidents: 20, Within: 5 * time.Minute, CoolDown: 10 * time.Minute, Collects: 3, Reopen: 10}
	s.Monitoring = defaultMonitoring()
	s.Scaling = defaultScaling()
}

func (s *Settings) guardFields(r *reader, actions []string) []field {
	return []field{
		{"budgets", func(n ast.Node) { r.mapping(n, "budgets", s.Budgets.fields(r, actions)) }},
		r.durationField("cooldown", 0, day, &s.Cooldown),
		{"breaker", func(n ast.Node) { r.mapping(n, "breaker", s.Breaker.fields(r)) }},
		{"blast_radius", func(n ast.Node) { r.mapping(n, "blast_radius", s.BlastRadius.fields(r)) }},
		{"storm", func(n ast.Node) { r.mapping(n, "storm", s.Storm.fields(r)) }},
		{"autonomy", func(n ast.Node) { r.mapping(n, "autonomy", s.Autonomy.fields(r)) }},
		{"monitoring", func(n ast.Node) { r.mapping(n, "monitoring", s.Monitoring.fields(r)) }},
		{"scaling", func(n ast.Node) { s.Scaling.scalingField(r, n) }},
	}
}

const maxBudget = 10000

func (b *Budgets) fields(r *reader, actions []string) []field {
	return []field{
		r.durationField("window", time.Minute, day, &b.Window),
		r.integerField("target", 0, maxBudget, &b.Target),
		r.integerField("service", 0, maxBudget, &b.Service),
		r.integerField("namespace", 0, maxBudget, &b.Namespace),
		r.integerField("cluster", 0, maxBudget, &b.Cluster),
		r.integerField("total", 0, maxBudget, &b.Total),
		{"actions", func(n ast.Node) {
			b.Actions = map[string]int{}
			for _, kv := range r.pairs(n, "actions") {
				name, limit := keyOf(kv), 0
				if !slices.Contains(actions, name) {
					r.fail(kv.Key, "actions: %q is not known; %s", clip(name), didYouMean(name, actions))
				}
				r.integer(kv.Value, name, 0, maxBudget, &limit)
				b.Actions[name] = limit
			}
		}},
	}
}

func (b *BreakerSettings) fields(r *reader) []field {
	return []field{
		r.integerField("failures", 1, 100, &b.Failures),
		r.durationField("within", time.Minute, day, &b.Within),
	}
}

func (b *BlastRadius) fields(r *reader) []field {
	return []field{
		r.integerField("pods", 0, 1000, &b.Pods),
		r.integerField("percent", 0, 100, &b.Percent),
	}
}

func (s *StormSettings) fields(r *reader) []field {
	return []field{
		r.integerField("incidents", 2, 100000, &s.Incidents),
		r.durationField("within", 10*time.Second, day, &s.Within),
		r.durationField("cooldown", time.Second, day, &s.CoolDown),
		r.integerField("collects", 0, 1000, &s.Collects),
		r.integerField("reopen", 1, 10000, &s.Reopen),
	}
}

func (r *reader) integerField(name string, least, most int64, into *int) field {
	return field{name, func(n ast.Node) { r.integer(n, name, least, most, into) }}
}
