package diagnose

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"salve/internal/evidence"
)

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
		if x.concernsHost(u.Host) && !other && (t.Host == "" || u.Name == "" || u.Host != "" || sameHost(u.Name, t.Host)) {
			out = append(out, usage{x, u})
		}
	}
	return out
}

// ownsPod says whether one of the pods that count has this name.
func (x *examination) ownsPod(namespace, name string) bool {
	return slices.ContainsFunc(x.pods, func(p *pod) bool {
		return p.Name == name && (namespace == "" || namespace == p.Namespace)
	})
}

func (u usage) place() place {
	p := u.x.factPlace("Usage", u.Host, u.Namespace+"/"+u.Name+"/"+u.Container, 1)
	if u.x.open() && u.Host == "" && u.Name != "" {
		p.subject.Kind, p.subject.Namespace, p.subject.Name, p.subject.Cluster = cmp.Or(u.Kind, "Pod"), u.Namespace, u.Name, u.x.cluster
	}
	if u.Name != "" {
		p.within = append(p.within, objectKey(cmp.Or(u.Kind, "Pod"), u.Namespace, u.Name))
		p.container = u.Container
	}
	return p
}

func (u usage) title() string {
	switch {
	case u.Name != "" && u.Container != "":
		return "container " + u.Container + " of " + strings.TrimPrefix(u.Namespace+"/"+u.Name, "/")
	case u.Name != "":
		return strings.TrimPrefix(u.Namespace+"/"+u.Name, "/")
	case u.Host != "":
		return u.Host
	}
	return orElse(u.Service, orElse(u.x.q.Target.String(), "a host or workload that is not named"))
}

// percent is a measured share in percent. Two of them below one may be shares; what
// is far over a hundred is of one core, or of what was requested.
func (u usage) percent(n evidence.Number) (float64, bool) {
	if !n.Known || n.Value < 0 || n.Value > wholePercent {
		return 0, false
	}
	small := func(o evidence.Number) bool { return o.Known && o.Value > 0 && o.Value < sharesLookLikeThis }
	return n.Value, !small(u.CPUPercent) || !small(u.MemoryPercent)
}

func cpuSaturated(u usage) (finding, bool) {
	return u.over("CPU", u.CPUPercent, u.BaselineCPU, u.MemoryPercent)
}

func memorySaturated(u usage) (finding, bool) {
	return u.over("memory", u.MemoryPercent, u.BaselineMemory, u.CPUPercent)
}

func (u usage) over(what string, used, baseline, other evidence.Number) (finding, bool) {
	v, known := u.percent(used)
	if !known || v <= saturatedPercent || usual(used, baseline) {
		return finding{}, false
	}
	f := finding{
		symptom: fmt.Sprintf("%s uses %s %% of its %s", u.title(), used, what),
		because: fmt.Sprintf("more than %d %% leaves no room, and nothing shows that so much is usual", saturatedPercent),
		quotes:  append([]string{u.quote()}, u.processes()...), grave: v,
	}
	if len(u.TopProcesses) > 0 {
		f.because = quoteProcess(u.top()[0]) + " is at the top"
	} else {
		f.missing = []string{"which processes of " + u.title() + " use most"}
	}
	if o, ok := u.percent(other); ok && o > v {
		f.confidence = likely // the other one is nearer to its end
	}
	return f, true
}

// usual says whether so much use is as always.
func usual(used, baseline evidence.Number) bool {
	return baseline.Known && baseline.Value >= usuallySaturated && used.Value <= usualFactor*baseline.Value
}

func (u usage) quote() string {
	line := "usage of " + u.title() + ":"
	for _, p := range []struct {
		key   string
		value evidence.Number
	}{
		{"cpuPercent", u.CPUPercent}, {"memoryPercent", u.MemoryPercent}, {"baselineCpuPercent", u.BaselineCPU}, {"baselineMemoryPercent", u.BaselineMemory}, {"cpuMillicores", u.CPUMillicores},
	} {
		if p.value.Known {
			line += " " + p.key + "=" + p.value.String()
		}
	}
	if u.MemoryBytes.Known {
		line += " memory=" + bytes(u.MemoryBytes)
	}
	return line
}

// top are the processes, those that use most first.
func (u usage) top() []evidence.Process {
	list := slices.Clone(u.TopProcesses[:min(len(u.TopProcesses), processesLooked)])
	slices.SortStableFunc(list, func(a, b evidence.Process) int {
		return cmp.Or(-cmp.Compare(a.CPUPercent.Value, b.CPUPercent.Value), -cmp.Compare(a.MemoryPercent.Value, b.MemoryPercent.Value), strings.Compare(a.Name, b.Name))
	})
	return list
}

func (u usage) processes() []string {
	var out []string
	for _, p := range u.top()[:min(len(u.TopProcesses), processesQuoted)] {
		out = append(out, quoteProcess(p))
	}
	return out
}

func quoteProcess(p evidence.Process) string {
	line := "process " + clip(p.Name, 100)
	for _, v := range []struct{ key, value string }{{"user", p.User}, {"cpuPercent", known(p.CPUPercent)}, {"memoryPercent", known(p.MemoryPercent)}} {
		if v.value != "" {
			line += " " + v.key + "=" + v.value
		}
	}
	return line
}

// miners are processes that are found after break-ins: coin miners and their
// droppers, as incident reports name them.
var miners = words("xmrig kdevtmpfsi kinsing minerd cpuminer xmr-stak xmrstak cryptonight ethminer nbminer t-rex phoenixminer kthreaddi dbused sysrv sysrv012 ld-linux-x86-64-miner c3pool_miner xmrigdaemon kswapd00 watchdogs ddgs pnscan masscan")

// isMiner looks at the program's name, and at what it was told: only miners are
// given a mining pool.
func isMiner(command string) bool {
	fields := strings.Fields(strings.ToLower(clip(command, 1_000)))
	if len(fields) == 0 {
		return false
	}
	name := strings.Trim(path.Base(fields[0]), "[]")
	return miners[name] || strings.HasPrefix(name, "xmrig") || strings.Contains(command, "stratum+tcp://") || strings.Contains(command, "stratum+ssl://") || strings.Contains(command, "--donate-level")
}

func anomalous(u usage) (finding, bool) {
	f := finding{symptom: u.title() + " is used in an unusual way", quotes: []string{u.quote()}}
	for _, p := range u.top() {
		if isMiner(p.Name) {
			f.because = "process " + clip(p.Name, 100) + " is known from break-ins, for mining coins"
			f.quotes = append([]string{quoteProcess(p)}, f.quotes...)
			f.acute = 2
			return f, true
		}
	}
	for _, m := range []struct {
		what       string
		used, base evidence.Number
	}{{"CPU", u.CPUPercent, u.BaselineCPU}, {"memory", u.MemoryPercent, u.BaselineMemory}} {
		if v, ok := u.percent(m.used); ok && m.base.Known && m.base.Value >= 0 && v > unusualFloor && v > unusualFactor*m.base.Value {
			f.confidence, f.because = fair, fmt.Sprintf("%s %% of the %s is in use where %s %% is usual, and nothing says why", m.used, m.what, m.base)
			f.quotes = append(f.quotes, u.processes()...)
			f.missing = []string{"what runs there: the processes that use most, and who started them"}
			return f, true
		}
	}
	if u.Anomalous {
		f.confidence, f.because = likely, orElse(u.AnomalousBecause, "the sender's detector says so")
		f.quotes = append(f.quotes, strings.TrimSpace("usage of "+u.title()+": anomalous=true "+u.AnomalousBecause))
		return f, true
	}
	return finding{}, false
}

// usageWell: amounts without a limit to compare them with say nothing.
func usageWell(u usage) (string, bool) {
	var parts []string
	for _, m := range []struct {
		what       string
		used, base evidence.Number
	}{{"CPU", u.CPUPercent, u.BaselineCPU}, {"memory", u.MemoryPercent, u.BaselineMemory}} {
		v, ok := u.percent(m.used)
		switch {
		case !m.used.Known:
		case !ok:
			return fmt.Sprintf("%s: %s %% of the %s in use: percent of what is not said", u.title(), m.used, m.what), false
		case v > saturatedPercent:
			parts = append(parts, fmt.Sprintf("%s %s %%, as usual (%s %%)", m.what, m.used, m.base))
		default:
			parts = append(parts, fmt.Sprintf("%s %s %%", m.what, m.used))
		}
	}
	if len(parts) == 0 {
		return "", true
	}
	return u.title() + ": " + strings.Join(parts, ", "), true
}
