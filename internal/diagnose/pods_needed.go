package diagnose

import (
	"cmp"
	"fmt"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// What POST /v1/capacity recommends comes as a usage. It says that the load is more
// than the pods are for, and how many there should be.

func cpuNeedsPods(u usage) (finding, bool) {
	return u.needsPods("CPU", evidence.MorePodsForCPU, u.CPUPercent)
}

func memoryNeedsPods(u usage) (finding, bool) {
	return u.needsPods("memory", evidence.MorePodsForMemory, u.MemoryPercent)
}

func (u usage) needsPods(what, flag string, now evidence.Number) (finding, bool) {
	if u.Measured[flag].Value != 1 || u.Name == "" {
		return finding{}, false
	}
	pods, recommended := u.Measured[evidence.PresentReplicas], u.Measured[evidence.RecommendedReplicas]
	f := finding{
		symptom: fmt.Sprintf("%s needs more pods for its %s", u.title(), what),
		because: fmt.Sprintf("%s pods use %s %% of what they request", pods, now),
		quotes:  []string{u.quote() + fmt.Sprintf(" replicas=%s recommendedReplicas=%s", pods, recommended)},
		likely:  incident.LikelySurge,
		place:   u.workloadPlace(),
	}
	if peak := u.Measured[evidence.ForecastCPU]; what == "CPU" && peak.Known {
		f.because += fmt.Sprintf(", and %s %% are forecast", peak)
		f.quotes[0] += " forecastCpu=" + peak.String()
	}
	if recommended.Known {
		f.because += fmt.Sprintf("; %s would be right", recommended)
	}
	if f.owner.UID == "" {
		f.missing, f.wants = []string{"the object " + u.title() + " itself"}, []string{CollectWorkload}
	}
	return f, true
}

// workloadPlace is the workload's own, with what the evidence shows of the object.
func (u usage) workloadPlace() place {
	p := u.place()
	kind := cmp.Or(u.Kind, "Deployment")
	p.subject = incident.Target{Cluster: u.x.cluster, Namespace: u.Namespace, Kind: kind, Name: u.Name, Service: u.x.q.Target.Service}
	p.owner = p.subject
	for i := range u.x.ev.Deployments {
		if d := &u.x.ev.Deployments[i]; kind == "Deployment" && samePlace(&d.ObjectMeta, u.Namespace, u.Name) {
			p = u.x.objectPlace(kind, &d.ObjectMeta, p.acute)
		}
	}
	for i := range u.x.ev.StatefulSets {
		if s := &u.x.ev.StatefulSets[i]; kind == "StatefulSet" && samePlace(&s.ObjectMeta, u.Namespace, u.Name) {
			p = u.x.objectPlace(kind, &s.ObjectMeta, p.acute)
		}
	}
	return p
}
