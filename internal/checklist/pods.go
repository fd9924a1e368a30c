package checklist

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// pods asks about every pod. What goes with an alert is the part of the evidence that
// is about the pod's owner: a namespace's pods are too much for one incident.
func (l *look) pods() {
	if l.ev.Pods == nil {
		l.unsure = append(l.unsure, "no pods were read")
	}
	families := familiesOf(l.ev)
	for i := range l.ev.Pods {
		p := &l.ev.Pods[i]
		if p.DeletionTimestamp == nil {
			l.ask(incident.Target{Cluster: l.ev.Cluster, Namespace: p.Namespace, Kind: "Pod", Name: p.Name, UID: string(p.UID)})
		}
	}
	for i := range l.found {
		f := &l.found[i]
		f.evidence = portion(l.result.Evidence, families.with(f.Target.Name))
	}
}

// kin are the names of a pod's relatives: all pods of its top owner, and the
// controllers between.
type kin map[string]map[string]bool

func familiesOf(ev evidence.Evidence) kin {
	above := map[string]string{} // a controller's own controller
	note := func(name string, m metav1.Object) {
		if ref := metav1.GetControllerOfNoCopy(m); ref != nil {
			above[name] = ref.Name
		}
	}
	for i := range ev.ReplicaSets {
		note(ev.ReplicaSets[i].Name, &ev.ReplicaSets[i])
	}
	for i := range ev.Jobs {
		note(ev.Jobs[i].Name, &ev.Jobs[i])
	}
	tops := map[string]map[string]bool{}
	all := kin{}
	for i := range ev.Pods {
		top, line := topOf(&ev.Pods[i], above)
		if tops[top] == nil {
			tops[top] = map[string]bool{}
		}
		for _, name := range line {
			tops[top][name] = true
		}
		all[ev.Pods[i].Name] = tops[top]
	}
	return all
}

// topOf is the name of a pod's top owner, and all names on the way there.
func topOf(p *corev1.Pod, above map[string]string) (string, []string) {
	line := []string{p.Name}
	ref := metav1.GetControllerOfNoCopy(p)
	if ref == nil {
		return "pod " + p.Name, line
	}
	line = append(line, ref.Name)
	if owner, known := above[ref.Name]; known {
		line = append(line, owner)
	}
	return line[len(line)-1], line
}

func (k kin) with(pod string) map[string]bool { return k[pod] }

// portion is the part of evidence that is about objects of these names: the objects
// themselves, and events about them. Other keys are left out.
func portion(raw json.RawMessage, names map[string]bool) json.RawMessage {
	var whole map[string]json.RawMessage
	if json.Unmarshal(raw, &whole) != nil {
		return nil
	}
	part := map[string]any{}
	for key, value := range whole {
		var items []json.RawMessage
		switch {
		case key == "observedAt" || key == "cluster":
			part[key] = value
		case json.Unmarshal(value, &items) == nil:
			kept := []json.RawMessage{}
			for _, item := range items {
				if about(item, names) {
					kept = append(kept, item)
				}
			}
			part[key] = kept
		}
	}
	out, err := json.Marshal(part)
	if err != nil {
		return nil
	}
	return out
}

func about(object json.RawMessage, names map[string]bool) bool {
	var named struct {
		Metadata       struct{ Name string }
		InvolvedObject struct{ Name string }
	}
	if json.Unmarshal(object, &named) != nil {
		return false
	}
	return names[named.Metadata.Name] || names[named.InvolvedObject.Name]
}
