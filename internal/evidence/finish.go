package evidence

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// finish makes one whole of what the document's parts said: facts about the same
// thing become one, objects known from tables stand where the objects themselves
// do not, and what follows from other facts is worked out.
func (r *reader) finish() {
	r.adopt(r.described)
	r.adopt(r.listed)
	for _, tool := range slices.Sorted(maps.Keys(r.runs)) {
		for _, b := range standing(tool, "", r.runs[tool]) {
			r.backup(b)
		}
	}
	e := &r.ev
	e.Disks = oneDiskAHost(e.Disks)
	e.Certificates = foldBy(e.Certificates, func(a, b *Certificate) bool { return a.same(b) })
	e.Services = foldBy(e.Services, func(a, b *Service) bool { return a.Unit != "" && a.Unit == b.Unit && sameOrUnsaid(a.Host, b.Host) })
	e.Backups = foldBy(e.Backups, func(a, b *Backup) bool {
		return a.Name != "" && a.Name == b.Name && a.Tool == b.Tool && sameOrUnsaid(a.Host, b.Host)
	})
	e.DBs = foldBy(e.DBs, func(a, b *DB) bool {
		return a.Name == b.Name && sameOrUnsaid(a.Cluster, b.Cluster) && sameOrUnsaid(a.Engine, b.Engine) && sameOrUnsaid(a.Host, b.Host)
	})
	e.reckon()
}

// reckon fills in what follows from what is known.
func (e *Evidence) reckon() {
	for i := range e.Disks {
		for j := range e.Disks[i].Filesystems {
			f := &e.Disks[i].Filesystems[j]
			f.reckon()
			e.grown(e.Disks[i].Host, f)
		}
	}
	for i := range e.Services {
		e.Services[i].reckon()
	}
	for i := range e.Certificates {
		e.Certificates[i].reckon(e.ObservedAt)
	}
	for i := range e.Backups {
		e.Backups[i].reckon(e.ObservedAt)
	}
	limits, rooms := limitsOf(e.Pods), roomOf(e.Nodes)
	for i := range e.Usages {
		e.Usages[i].reckon(limits, rooms)
	}
}

// grown makes a series of the samples of a file system.
func (e *Evidence) grown(host string, f *Filesystem) {
	limit := Number{}
	if f.SizeBytes.Known {
		limit = f.SizeBytes
	}
	for _, s := range seriesOf(f.History, "usePercent", f.Mount, Number{}) {
		s.Metric = "disk " + s.Metric
		if strings.Contains(strings.ToLower(s.Metric), "bytes") {
			s.Limit = limit
		}
		e.Usages = append(e.Usages, Usage{Host: host, Series: []Series{s}})
	}
	f.History = nil
}

// activeWords are other programs' words for systemd's states.
var activeWords = map[string]string{
	"running": "active", "up": "active", "started": "active", "true": "active", "ok": "active", "healthy": "active",
	"stopped": "inactive", "dead": "inactive", "false": "inactive", "not running": "inactive", "notrunning": "inactive", "exited": "inactive",
	"crashed": "failed", "down": "failed", "error": "failed",
}

// reckon brings a unit's states into systemd's words.
func (s *Service) reckon() {
	s.Host = withoutPort(s.Host)
	if strings.Contains(s.ActiveState, "(") {
		s.active(s.ActiveState)
	}
	s.ActiveState = strings.ToLower(strings.TrimSpace(s.ActiveState))
	s.SubState, s.LoadState, s.Result = strings.ToLower(s.SubState), strings.ToLower(s.LoadState), strings.ToLower(s.Result)
	if plain := activeWords[s.ActiveState]; plain != "" {
		s.ActiveState = plain
	}
}

// reckon works out percentages as df does: of what users may fill, rounded up.
func (f *Filesystem) reckon() {
	f.UsePercent = orElse(f.UsePercent, share(f.UsedBytes, f.AvailBytes, f.SizeBytes))
	f.InodesUsePercent = orElse(f.InodesUsePercent, share(f.InodesUsed, f.InodesFree, f.Inodes))
}

// share is used as a percentage of used and free, or of the whole.
func share(used, free, whole Number) Number {
	total := whole.Value
	if free.Known {
		total = used.Value + free.Value
	} else if !whole.Known {
		return Number{}
	}
	if !used.Known || total <= 0 {
		return Number{}
	}
	return Of(math.Ceil(100 * used.Value / total))
}

func orElse(n, other Number) Number {
	if n.Known {
		return n
	}
	return other
}

func (c *Certificate) reckon(observed time.Time) {
	at := c.CheckedAt.Time
	if at.IsZero() {
		at = observed
	}
	if !c.DaysLeft.Known && !c.NotAfter.IsZero() && !at.IsZero() {
		c.DaysLeft = Of(math.Floor(c.NotAfter.Sub(at).Hours() / 24))
	}
}

func (b *Backup) reckon(observed time.Time) {
	at := b.CheckedAt.Time
	if at.IsZero() {
		at = observed
	}
	if !b.AgeHours.Known && !b.LastSuccess.IsZero() && !at.Before(b.LastSuccess.Time) {
		b.AgeHours = Of(math.Round(at.Sub(b.LastSuccess.Time).Hours()*100) / 100)
	}
}

// resourceLimits is what one container may use; not known where it has no limit.
type resourceLimits struct{ milliCPU, memory Number }

// limitsOf are the limits of containers, and under an empty container's name
// those of whole pods, where every container has one.
func limitsOf(pods []corev1.Pod) map[[3]string]resourceLimits {
	out := map[[3]string]resourceLimits{}
	for i := range pods {
		p := &pods[i]
		whole := resourceLimits{Of(0), Of(0)}
		for _, c := range p.Spec.Containers {
			var l resourceLimits
			if q, ok := c.Resources.Limits[corev1.ResourceCPU]; ok {
				l.milliCPU = Of(float64(q.MilliValue()))
			}
			if q, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
				l.memory = Of(q.AsApproximateFloat64())
			}
			out[[3]string{p.Namespace, p.Name, c.Name}] = l
			whole.milliCPU, whole.memory = sum(whole.milliCPU, l.milliCPU), sum(whole.memory, l.memory)
		}
		out[[3]string{p.Namespace, p.Name, ""}] = whole
	}
	return out
}

func sum(a, b Number) Number { return Number{a.Value + b.Value, a.Known && b.Known} }

func (u *Usage) reckon(limits map[[3]string]resourceLimits, rooms map[string]resourceLimits) {
	var l resourceLimits
	switch u.Kind {
	case "Pod":
		l = limits[[3]string{u.Namespace, u.Name, u.Container}]
	case "Node":
		l = rooms[u.Name]
	default:
		return
	}
	u.CPUPercent = orElse(u.CPUPercent, ofLimit(u.CPUMillicores, l.milliCPU))
	u.MemoryPercent = orElse(u.MemoryPercent, ofLimit(u.MemoryBytes, l.memory))
}

func ofLimit(used, limit Number) Number {
	if !used.Known || !limit.Known || limit.Value <= 0 {
		return Number{}
	}
	return Of(math.Round(1000*used.Value/limit.Value) / 10)
}

func sameOrUnsaid(a, b string) bool { return a == b || a == "" || b == "" }

// maxFold bounds a comparison of every fact with every other.
const maxFold = 200

// foldBy makes facts about the same thing one: what the first leaves open, the
// others fill.
func foldBy[T any](list []T, same func(a, b *T) bool) []T {
	if len(list) < 2 || len(list) > maxFold {
		return list
	}
	out := list[:0:0]
next:
	for i := range list {
		for j := range out {
			if same(&out[j], &list[i]) {
				fill(&out[j], list[i])
				continue next
			}
		}
		out = append(out, list[i])
	}
	return out
}

// fill takes from another what a fact leaves open.
func fill[T any](into *T, from T) {
	to, of := reflect.ValueOf(into).Elem(), reflect.ValueOf(from)
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(of.Field(i))
		}
	}
}

// adopt takes the objects of a lesser source that are not there yet.
func (r *reader) adopt(from Evidence) {
	e := &r.ev
	e.Pods = absentFrom(e.Pods, from.Pods)
	e.Deployments = absentFrom(e.Deployments, from.Deployments)
	e.ReplicaSets = absentFrom(e.ReplicaSets, from.ReplicaSets)
	e.StatefulSets = absentFrom(e.StatefulSets, from.StatefulSets)
	e.DaemonSets = absentFrom(e.DaemonSets, from.DaemonSets)
	e.Jobs = absentFrom(e.Jobs, from.Jobs)
	e.Nodes = absentFrom(e.Nodes, from.Nodes)
	e.PVCs = absentFrom(e.PVCs, from.PVCs)
	e.HPAs = absentFrom(e.HPAs, from.HPAs)
	e.PDBs = absentFrom(e.PDBs, from.PDBs)
	e.Events = eventsAbsentFrom(e.Events, from.Events)
}

// absentFrom adds the objects whose name is new. A table without namespaces may
// mean any.
func absentFrom[T any, P interface {
	*T
	metav1.Object
}](have, more []T) []T {
	if more == nil {
		return have
	}
	known := map[string]bool{}
	for i := range have {
		o := P(&have[i])
		known[objectKey[T, P](o)], known["/"+o.GetName()] = true, true
	}
	out := have
	if out == nil {
		out = []T{}
	}
	for i := range more {
		if key := objectKey[T, P](P(&more[i])); !known[key] {
			known[key] = true
			out = append(out, more[i])
		}
	}
	return out
}

// eventsAbsentFrom adds events that say what none of the others says of the object.
func eventsAbsentFrom(have, more []corev1.Event) []corev1.Event {
	if more == nil {
		return have
	}
	told := func(e *corev1.Event) string {
		return e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name + "/" + e.Reason + "/" + e.Message
	}
	known := map[string]bool{}
	for i := range have {
		known[told(&have[i])] = true
	}
	out := have
	if out == nil {
		out = []corev1.Event{}
	}
	for i := range more {
		if !known[told(&more[i])] {
			out = append(out, more[i])
		}
	}
	return out
}
