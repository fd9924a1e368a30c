package diagnose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// maxKin bounds how many objects count as one.
const maxKin = 200

// Kin are the objects that count as the target, as far as the evidence shows:
// what owns it, and beside it whatever has the same top controller, for a pod
// counts as its owner. Where the evidence does not show the target, there are none.
func Kin(ev evidence.Evidence, t incident.Target) (owners, others []incident.Target) {
	own := ownersOf(ev)
	lines := own.lines(ev, t.Cluster)
	tops := map[incident.Target]bool{}
	for _, line := range lines {
		if at := slices.IndexFunc(line, isObject(t)); at >= 0 {
			owners = addKin(owners, line[at+1:]...)
			tops[justNamed(line[len(line)-1])] = true
		}
	}
	for _, line := range lines {
		if tops[justNamed(line[len(line)-1])] {
			others = addKin(others, line...)
		}
	}
	known := func(o incident.Target) bool { return isObject(t)(o) || slices.ContainsFunc(owners, isObject(o)) }
	return owners, slices.DeleteFunc(others, known)
}

// lines are every pod and every controller, each with what owns it, upwards.
func (o owners) lines(ev evidence.Evidence, cluster string) [][]incident.Target {
	var lines [][]incident.Target
	for i := range ev.Pods {
		p := &ev.Pods[i]
		line := append([]incident.Target{{Cluster: cluster, Namespace: p.Namespace, Kind: "Pod", Name: p.Name}}, o.chain(p, cluster)...)
		if top := line[len(line)-1]; top.Kind == "ReplicaSet" {
			if d := deploymentOf(p, top.Name); d != "" {
				line = append(line, incident.Target{Cluster: cluster, Namespace: p.Namespace, Kind: "Deployment", Name: d})
			}
		}
		lines = append(lines, line)
	}
	for _, c := range o.all {
		lines = append(lines, append([]incident.Target{c.target(cluster)}, o.above(c.meta, cluster)...))
	}
	return lines
}

// above is what owns a controller; a chain reads no more of a pod than its metadata.
func (o owners) above(meta *metav1.ObjectMeta, cluster string) []incident.Target {
	return o.chain(&corev1.Pod{ObjectMeta: *meta}, cluster)
}

func addKin(list []incident.Target, more ...incident.Target) []incident.Target {
	for _, t := range more {
		if len(list) < maxKin && !slices.ContainsFunc(list, isObject(t)) {
			list = append(list, justNamed(t))
		}
	}
	return list
}

// justNamed is an object by its name alone.
func justNamed(t incident.Target) incident.Target {
	return incident.Target{Cluster: t.Cluster, Namespace: t.Namespace, Kind: t.Kind, Name: t.Name}
}

func isObject(t incident.Target) func(incident.Target) bool {
	return func(o incident.Target) bool {
		return o.Kind == t.Kind && o.Namespace == t.Namespace && o.Name == t.Name && o.Name != ""
	}
}
