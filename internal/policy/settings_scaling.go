package policy

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Scaling says how many pods a workload may have, and what decides about that.
type Scaling struct {
	TargetCPU float64       // per cent of what pods request
	Tolerance float64       // per cent around it within which nothing is done
	MinPods   int           // no fewer are proposed
	MaxPods   int           // no more
	StartUp   time.Duration // how long a new pod needs until it serves: so far ahead is looked
	DownAfter time.Duration // so long the use must have been low before a pod less is proposed
}

func defaultScaling() Scaling {
	return Scaling{TargetCPU: 70, Tolerance: 10, MinPods: 2, MaxPods: 20, StartUp: 15 * time.Minute, DownAfter: 6 * time.Hour}
}

func (s *Scaling) fields(r *reader) []field {
	return []field{
		r.percentField("target_cpu", &s.TargetCPU),
		r.percentField("tolerance", &s.Tolerance),
		r.integerField("min_pods", 1, 1000, &s.MinPods),
		r.integerField("max_pods", 1, 1000, &s.MaxPods),
		r.durationField("start_up", time.Minute, 6*time.Hour, &s.StartUp),
		r.durationField("down_after", 10*time.Minute, 7*24*time.Hour, &s.DownAfter),
	}
}

// scalingField reads the whole of it.
func (s *Scaling) scalingField(r *reader, n ast.Node) {
	r.mapping(n, "scaling", s.fields(r))
	if s.MinPods > s.MaxPods {
		r.fail(n, "scaling: min_pods is %d, above max_pods, which is %d", s.MinPods, s.MaxPods)
	}
}
