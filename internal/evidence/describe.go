package evidence

import (
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var errNoDescribe = errors.New("what kubectl describe prints is expected: Name:, Namespace:, … and Events: at the left margin")

// described is one object as kubectl describe prints it: its sections in order.
type described struct {
	kind     string
	sections []section
}

// section is what stands at the left margin, and the lines below it.
type section struct {
	key, value string
	lines      []string
}

// maxSections bounds one object's sections.
const maxSections = 200

// topKeys are all the words that kubectl describe puts at the left margin of the
// kinds that are read. A list, because a container's last words are printed as
// they are, and may look like anything.
var topKeys = keySet("Name,Namespace,Priority,Priority Class Name,Runtime Class Name,Service Account,Node,Start Time,Labels,Annotations,Status," +
	"Termination Grace Period,Reason,Message,SeccompProfile,LocalhostProfile,IP,IPs,Controlled By,NominatedNodeName,Resources,Init Containers," +
	"Containers,Ephemeral Containers,Readiness Gates,Conditions,Volumes,QoS Class,Node-Selectors,Tolerations,Topology Spread Constraints,Events," +
	"Roles,CreationTimestamp,Taints,Unschedulable,Lease,Addresses,Capacity,Allocatable,System Info,PodCIDR,PodCIDRs,ProviderID,Non-terminated Pods," +
	"Allocated resources,Selector,Replicas,StrategyType,MinReadySeconds,RollingUpdateStrategy,Pod Template,OldReplicaSets,NewReplicaSet,Pods Status," +
	"Parallelism,Completions,Completion Mode,Suspend,Backoff Limit,Completed At,Duration,Active Deadline Seconds,Pods Statuses,Completed Indexes," +
	"Reference,Metrics,Min replicas,Max replicas,Behavior,Deployment pods,StatefulSet pods,ReplicaSet pods,StorageClass,Volume,Access Modes,VolumeMode," +
	"Used By,Mounted By,Finalizers,DataSource,Min available,Max unavailable,Update Strategy,Pod Management Policy,Desired Number of Nodes Scheduled," +
	"Current Number of Nodes Scheduled,Number of Nodes Scheduled with Up-to-date Pods,Number of Nodes Scheduled with Available Pods," +
	"Number of Nodes Misscheduled,Schedule,Concurrency Policy,Last Schedule Time,Active Jobs,Resource,Scopes,Pods")

func keySet(list string) map[string]bool {
	set := map[string]bool{}
	for key := range strings.SplitSeq(list, ",") {
		set[key] = true
	}
	return set
}

// topKey reads a line that begins a section.
func topKey(line string) (key, value string, ok bool) {
	if line == "" || line[0] < 'A' || line[0] > 'Z' {
		return "", "", false
	}
	key, value, ok = strings.Cut(line, ":")
	return key, strings.TrimSpace(value), ok && topKeys[key]
}

// outline takes the text of one or several objects apart. Events come last, and
// what follows them belongs to them; a name after them, or after a blank line,
// begins the next object.
func outline(text string) []described {
	var out []described
	inEvents, blank := true, true
	for line := range lines(text) {
		key, value, ok := topKey(line)
		begins := ok && key == "Name" && (inEvents || blank)
		blank = strings.TrimSpace(line) == ""
		switch {
		case begins:
			if len(out) == maxItems {
				return out
			}
			out = append(out, described{})
		case len(out) == 0:
			continue
		case !ok || inEvents || out[len(out)-1].has(key) || len(out[len(out)-1].sections) == maxSections:
			last := &out[len(out)-1]
			last.sections[len(last.sections)-1].lines = append(last.sections[len(last.sections)-1].lines, line)
			continue
		}
		inEvents = key == "Events"
		out[len(out)-1].sections = append(out[len(out)-1].sections, section{key: key, value: value})
	}
	return out
}

func (d described) section(key string) section {
	for _, s := range d.sections {
		if s.key == key {
			return s
		}
	}
	return section{}
}

// get is a section's value; <none> and its like are nothing.
func (d described) get(key string) string { return orNothing(d.section(key).value) }

func orNothing(value string) string {
	switch value {
	case "<none>", "<unset>", "<unknown>", "<nil>":
		return ""
	}
	return value
}

func (d described) has(keys ...string) bool {
	for _, key := range keys {
		if d.section(key).key == "" {
			return false
		}
	}
	return true
}

// describedKinds tells the kind from what only it prints, more special kinds first.
var describedKinds = []struct {
	kind string
	keys []string
	read func(*reader, described)
}{
	{"Pod", []string{"Containers", "QoS Class"}, (*reader).describedPod},
	{"Pod", []string{"Node", "Status", "IP"}, (*reader).describedPod},
	{"Node", []string{"Taints", "Unschedulable"}, (*reader).describedNode},
	{"Deployment", []string{"StrategyType", "Replicas"}, (*reader).describedDeployment},
	{"StatefulSet", []string{"Update Strategy", "Replicas"}, (*reader).describedStatefulSet},
	{"ReplicaSet", []string{"Replicas", "Pods Status", "Pod Template"}, (*reader).describedReplicaSet},
	{"DaemonSet", []string{"Desired Number of Nodes Scheduled"}, (*reader).describedDaemonSet},
	{"Job", []string{"Parallelism", "Pods Statuses"}, (*reader).describedJob},
	{"CronJob", []string{"Schedule", "Concurrency Policy"}, nil},
	{"HorizontalPodAutoscaler", []string{"Reference", "Max replicas"}, (*reader).describedHPA},
	{"PersistentVolumeClaim", []string{"StorageClass", "Access Modes"}, (*reader).describedPVC},
	{"PodDisruptionBudget", []string{"Min available", "Selector"}, (*reader).describedPDB},
	{"PodDisruptionBudget", []string{"Max unavailable", "Selector"}, (*reader).describedPDB},
	{"Namespace", []string{"Labels", "Status"}, nil},
}

// readDescribe reads kubectl describe of the kinds above, and of any other kind
// its events.
func readDescribe(r *reader, p printout) error {
	read := false
	for _, d := range outline(p.text) {
		for _, k := range describedKinds {
			if d.has(k.keys...) {
				d.kind = k.kind
				if k.read != nil {
					k.read(r, d)
				}
				read = read || k.read != nil
				break
			}
		}
		if d.kind == "" {
			d.kind = kindNamed(p.arg(2))
		}
		read = r.describedEvents(d) || read
	}
	if !read {
		return errNoDescribe
	}
	return nil
}

func looksLikeDescribe(l look) bool {
	name, more := false, 0
	for _, line := range l {
		key, _, ok := topKey(line)
		name = name || ok && key == "Name"
		if ok {
			more++
		}
	}
	return name && more >= 4
}

func (d described) meta() metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: d.get("Name"), Namespace: d.get("Namespace")}
	m.Labels = pairs(d.section("Labels"), "=")
	m.Annotations = pairs(d.section("Annotations"), ": ")
	m.CreationTimestamp = metaTime(d.get("CreationTimestamp"))
	kind, name, ok := strings.Cut(d.get("Controlled By"), "/")
	if ok {
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: kindOf(kind).apiVersion, Kind: kind, Name: name, Controller: new(true)}}
	}
	return m
}

// pairs reads labels, annotations and the like, one a line.
func pairs(s section, separator string) map[string]string {
	var out map[string]string
	for i := -1; i < min(len(s.lines), maxSections); i++ {
		line := s.value
		if i >= 0 {
			line = s.lines[i]
		}
		key, value, ok := strings.Cut(strings.TrimSpace(line), separator)
		if !ok || key == "" || strings.ContainsAny(key, " \t") {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = strings.TrimSpace(value)
	}
	return out
}

func metaTime(text string) metav1.Time {
	at, _ := ParseTime(text)
	return metav1.Time{Time: at}
}

// conditionRows reads the table of a Conditions section.
func (d described) conditionRows(do func(row)) {
	s := d.section("Conditions")
	var t table
	for _, line := range s.lines {
		switch {
		case t.names == nil:
			t = tableOf(line)
		case strings.HasPrefix(strings.TrimSpace(line), "---"):
		case len(line) > 0 && line[0] == ' ':
			do(t.row(line))
		}
	}
}
