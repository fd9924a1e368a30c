package diagnose

import "slices"

// The causes this package can name. They are written down in the specification;
// policy matches on them.
const (
	causeOOMKilled           = "pod.oom_killed"
	causeNodeOOM             = "pod.node_oom"
	causeLivenessFailed      = "pod.liveness_failed"
	causeReadinessFailed     = "pod.readiness_failed"
	causeStartupProbeFailed  = "pod.startup_probe_failed"
	causeStartupFailed       = "pod.startup_failed"
	causeImageNotFound       = "pod.image_not_found"
	causeImageAuthFailed     = "pod.image_auth_failed"
	causeImageRateLimited    = "pod.image_rate_limited"
	causeRegistryUnreachable = "pod.registry_unreachable"
	causeImageInvalidName    = "pod.image_invalid_name"
)

// How sure a rule can be.
const (
	certain = 0.97 // the status itself names the cause
	strong  = 0.9  // two independent signs agree
	likely  = 0.8  // one sign, and nothing against it
	fair    = 0.65 // inferred, or one of two readings
	slight  = 0.35 // the other reading
)

// rule names one cause. Match looks at one container and quotes what it rests on.
type rule struct {
	cause    string
	when     string // the condition, in words
	match    func(container) (finding, bool)
	rulesOut []string // what the same container does not suffer from then: the symptoms of this cause
}

// rules in the order of causality: what stands higher brings about what stands
// lower, so of several findings the highest is the answer.
func rules() []rule {
	return []rule{
		{causeNodeOOM, "OOMKilled without a memory limit while the node itself ran out of memory", nodeOOM,
			[]string{causeOOMKilled, causeLivenessFailed, causeStartupFailed, causeReadinessFailed}},
		{causeOOMKilled, "the last end of the container has the reason OOMKilled; exit code 137 alone is not enough", oomKilled,
			[]string{causeStartupFailed, causeReadinessFailed}},
		{causeImageInvalidName, "the image reference cannot be parsed", pullFailure(causeImageInvalidName), nil},
		{causeImageRateLimited, "the registry answers that too much was pulled", pullFailure(causeImageRateLimited), nil},
		{causeRegistryUnreachable, "the registry's name, address, certificate or service fails before it looks at the image", pullFailure(causeRegistryUnreachable), nil},
		{causeImageAuthFailed, "the registry refuses these credentials, or asks for some", pullFailure(causeImageAuthFailed), nil},
		{causeImageNotFound, "the registry knows no such image or tag, or it is absent and must not be pulled", pullFailure(causeImageNotFound), nil},
		{causeStartupProbeFailed, "the startup probe failed until kubelet gave up on the container", startupProbeFailed,
			[]string{causeLivenessFailed, causeStartupFailed, causeReadinessFailed}},
		{causeLivenessFailed, "kubelet killed the container, or is about to, for its liveness probe", livenessFailed,
			[]string{causeStartupFailed, causeReadinessFailed}},
		{causeStartupFailed, "the program ended by itself, though it should run on or had to succeed", startupFailed,
			[]string{causeReadinessFailed}},
		{causeReadinessFailed, "the container runs and its readiness probe fails", readinessFailed, nil},
	}
}

// finding is a rule's word on one container.
type finding struct {
	cause        string
	confidence   float64
	quotes       []string
	symptom      string // what people see
	because      string // why
	alternatives []alternative

	container container
	rank      int // place in the table of rules; less is nearer to the root
	acute     int
}

type alternative struct {
	cause      string
	confidence float64
}

// findings are all rules' words on one container, without those that another
// finding explains. What was ruled out stays as an alternative.
func findings(c container, table []rule) []finding {
	var found []finding
	out := map[string]bool{}
	for rank, r := range table {
		f, ok := r.match(c)
		if !ok {
			continue
		}
		f.cause, f.rank, f.container, f.acute = r.cause, rank, c, c.acuteness()
		if out[r.cause] {
			if r.cause != causeReadinessFailed { // that is only the effect of the others
				found[0].alternatives = append(found[0].alternatives, alternative{r.cause, min(f.confidence, slight)})
			}
			continue
		}
		for _, cause := range r.rulesOut {
			out[cause] = true
		}
		found = append(found, f)
	}
	return found
}

// worst sorts findings: what is down before what is merely unready, causes
// before their effects, the container that was asked about before others, the
// sure before the unsure, and then by name.
func worst(asked string) func(a, b finding) int {
	named := func(f finding) int {
		if f.container.name == asked {
			return 0
		}
		return 1
	}
	return func(a, b finding) int {
		return slices.Compare(
			[]float64{-float64(a.acute), float64(a.rank), float64(named(a)), -a.confidence},
			[]float64{-float64(b.acute), float64(b.rank), float64(named(b)), -b.confidence})
	}
}
