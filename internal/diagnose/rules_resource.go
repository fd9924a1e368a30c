package diagnose

import (
	"fmt"
	"strings"

	"salve/internal/evidence"
)

var resourceRules = []row[usage]{
	{Rule{
		Name: "attack-signs", Cause: "resource.anomalous", Confidence: strong,
		When:     "a process that is known from break-ins uses the CPU, or use is far beyond what is usual without a reason, as the sender's own detector says",
		Quotes:   "the process, or use beside what is usual",
		Explains: []string{"resource.cpu_saturated", "resource.memory_saturated"},
	}, anomalous},
	{Rule{
		Name: "cpu-saturated", Cause: "resource.cpu_saturated", Confidence: strong,
		When:   "more than 90 % of the CPU is in use",
		Quotes: "the percentage; the processes that use most",
	}, cpuSaturated},
	{Rule{
		Name: "memory-saturated", Cause: "resource.memory_saturated", Confidence: strong,
		When:   "more than 90 % of the memory is in use",
		Quotes: "the percentage; the processes that use most",
	}, memorySaturated},
}

// usage is how much of something is in use.
type usage struct {
	x *examination
	evidence.Usage
}

func (x *examination) usages() []usage {
	var out []usage
	t := x.q.Target
	for _, u := range x.ev.Usages {
		other := u.Name != "" && t.Name != "" && u.Name != t.Name && !x.ownsPod(u.Namespace, u.Name)
		if x.concernsHost(u.Host) && !other {
			out = append(out, usage{x, u})
		}
	}
	return out
}

// ownsPod says whether one of the pods that count has this name.
func (x *examination) ownsPod(namespace, name string) bool {
	for _, p := range x.pods {
		if p.Name == name && (namespace == "" || namespace == p.Namespace) {
			return true
		}
	}
	return false
}

func (u usage) place() place { return u.x.factPlace("Usage", u.Host, u.Namespace+"/"+u.Name, 1) }

func (u usage) title() string {
	switch {
	case u.Name != "":
		return strings.TrimPrefix(u.Namespace+"/"+u.Name, "/")
	case u.Host != "":
		return u.Host
	}
	return orElse(u.x.q.Target.String(), "it")
}

func cpuSaturated(u usage) (finding, bool)    { return u.over("CPU", u.CPUPercent) }
func memorySaturated(u usage) (finding, bool) { return u.over("memory", u.MemoryPercent) }

func (u usage) over(what string, used evidence.Number) (finding, bool) {
	if !used.Known || used.Value <= saturatedPercent {
		return finding{}, false
	}
	return finding{
		symptom: u.title() + " is slow or about to be",
		because: fmt.Sprintf("%s %% of its %s is in use (over %d %%)", used, what, saturatedPercent),
		quotes:  append([]string{u.quote()}, u.processes()...),
	}, true
}

func (u usage) quote() string {
	return fmt.Sprintf("usage of %s: cpuPercent=%s memoryPercent=%s", u.title(), u.CPUPercent, u.MemoryPercent)
}

func (u usage) processes() []string {
	var out []string
	for i, p := range u.TopProcesses {
		if i == 3 {
			break
		}
		out = append(out, fmt.Sprintf("process %s of %s: cpu=%s%% memory=%s%%", p.Name, orElse(p.User, "?"), p.CPUPercent, p.MemoryPercent))
	}
	return out
}

// miners are processes that are found after break-ins: coin miners and their
// droppers, as incident reports name them.
var miners = []string{"xmrig", "kdevtmpfsi", "kinsing", "minerd", "cpuminer", "xmr-stak", "cryptonight", "ethminer", "nbminer", "t-rex", "phoenixminer", "kthreaddi", "dbused", "sysrv"}

// unusualFactor is how far beyond the usual is an anomaly; below unusualFloor
// nothing is.
const (
	unusualFactor = 3
	unusualFloor  = 60 // percent
)

func anomalous(u usage) (finding, bool) {
	f := finding{symptom: u.title() + " is used in an unusual way", quotes: []string{u.quote()}}
	for _, p := range u.TopProcesses {
		for _, m := range miners {
			if strings.Contains(strings.ToLower(p.Name), m) {
				f.because = "process " + p.Name + " is known from break-ins (coin mining)"
				f.quotes = append(f.quotes, u.processes()...)
				f.acute = 2
				return f, true
			}
		}
	}
	if base := u.BaselineCPU; base.Known && u.CPUPercent.Known && u.CPUPercent.Value > unusualFloor && u.CPUPercent.Value > unusualFactor*base.Value {
		f.confidence, f.because = fair, fmt.Sprintf("%s %% of the CPU is in use, %s %% is usual", u.CPUPercent, base)
		f.alternatives = []alternative{{"resource.cpu_saturated", slight}}
		return f, true
	}
	if u.Anomalous {
		f.confidence, f.because = likely, orElse(u.AnomalousBecause, "the sender's detector says so")
		f.quotes = append(f.quotes, "usage: anomalous=true "+u.AnomalousBecause)
		return f, true
	}
	return finding{}, false
}

func usageWell(u usage) (string, bool) {
	return fmt.Sprintf("%s: CPU %s %%, memory %s %%", u.title(), u.CPUPercent, u.MemoryPercent), u.CPUPercent.Known || u.MemoryPercent.Known || len(u.Series) > 0
}
