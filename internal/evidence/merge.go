package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Merge puts two looks at the same target together; which of them is the
// receiver does not matter, ObservedAt says which is newer. An object of the
// newer look wins over one of the same name (a pod of the same name is the same
// pod born anew); of equally old ones the choice is arbitrary but always the same.
//
// A pod that only the older look saw is forgotten where the newer one shows its
// controller together with every pod it says it has: that pod is gone, and must
// not keep its controller ill for ever.
func (e Evidence) Merge(newer Evidence) Evidence {
	older := e
	if older.ObservedAt.After(newer.ObservedAt) {
		older, newer = newer, older
	}
	tie := older.ObservedAt.Equal(newer.ObservedAt)
	if !tie {
		older.Pods = slices.DeleteFunc(slices.Clone(older.Pods), goneFrom(newer))
	}
	return Evidence{
		ObservedAt:   newer.ObservedAt,
		Cluster:      mergeCluster(older.Cluster, newer.Cluster, tie),
		Pods:         merge(older.Pods, newer.Pods, tie, objectKey),
		Events:       merge(older.Events, newer.Events, tie, eventKey),
		Deployments:  merge(older.Deployments, newer.Deployments, tie, objectKey),
		ReplicaSets:  merge(older.ReplicaSets, newer.ReplicaSets, tie, objectKey),
		StatefulSets: merge(older.StatefulSets, newer.StatefulSets, tie, objectKey),
		DaemonSets:   merge(older.DaemonSets, newer.DaemonSets, tie, objectKey),
		Jobs:         merge(older.Jobs, newer.Jobs, tie, objectKey),
		CronJobs:     merge(older.CronJobs, newer.CronJobs, tie, objectKey),
		Nodes:        merge(older.Nodes, newer.Nodes, tie, objectKey),
		PVCs:         merge(older.PVCs, newer.PVCs, tie, objectKey),
		HPAs:         merge(older.HPAs, newer.HPAs, tie, objectKey),
		PDBs:         merge(older.PDBs, newer.PDBs, tie, objectKey),
		Quotas:       merge(older.Quotas, newer.Quotas, tie, objectKey),
		GitOps:       merge(older.GitOps, newer.GitOps, tie, func(g *GitOps) string { return g.Kind + "/" + g.Namespace + "/" + g.Name }),
		Logs:         merge(older.Logs, newer.Logs, tie, logKey),
		Disks:        mergeDisks(older.Disks, newer.Disks, tie),
		Certificates: merge(older.Certificates, newer.Certificates, tie, certificateKey),
		Backups:      merge(older.Backups, newer.Backups, tie, func(b *Backup) string { return b.Host + "/" + b.Tool + "/" + b.Name }),
		Services:     merge(older.Services, newer.Services, tie, func(s *Service) string { return s.Host + "/" + s.Unit }),
		DBs:          merge(older.DBs, newer.DBs, tie, func(d *DB) string { return d.Engine + "/" + d.Cluster + "/" + d.Host + "/" + d.Name }),
		Findings:     merge(older.Findings, newer.Findings, tie, func(f *Finding) string { return f.Kind + "/" + f.Object + "/" + f.Message }),
		Usages: merge(older.Usages, newer.Usages, tie, func(u *Usage) string {
			return u.Host + "/" + u.Namespace + "/" + u.Kind + "/" + u.Name + "/" + u.Container
		}),
		Aggregates: merge(older.Aggregates, newer.Aggregates, tie, func(a *Aggregate) string { return a.Service }),
		Files:      merge(older.Files, newer.Files, tie, func(f *File) string { return f.Repo + "/" + f.Path + "@" + f.Ref }),
	}
}

func mergeCluster(older, newer string, tie bool) string {
	if newer == "" || tie && older > newer {
		return older
	}
	return newer
}

// merge is sorted by key, and nil only when both are: nil says "never asked".
func merge[T any](older, newer []T, tie bool, key func(*T) string) []T {
	if older == nil && newer == nil {
		return nil
	}
	byKey := make(map[string]T, len(older)+len(newer))
	for i := range older {
		k := key(&older[i])
		if had, ok := byKey[k]; ok {
			byKey[k] = Larger(had, older[i])
			continue
		}
		byKey[k] = older[i]
	}
	fresh := make(map[string]bool, len(newer))
	for i := range newer {
		k := key(&newer[i])
		if had, ok := byKey[k]; ok && (tie || fresh[k]) {
			byKey[k] = Larger(had, newer[i])
		} else {
			byKey[k] = newer[i]
		}
		fresh[k] = true
	}
	out := make([]T, 0, len(byKey))
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[k])
	}
	return out
}

// Larger chooses between two equally old versions without regard to their order.
func Larger[T any](a, b T) T {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	if errA == nil && errB == nil && bytes.Compare(x, y) < 0 {
		return b
	}
	return a
}

func objectKey[T any, P interface {
	*T
	metav1.Object
}](o P) string {
	return o.GetNamespace() + "/" + o.GetName()
}

func eventKey(e *corev1.Event) string {
	if e.UID != "" {
		return string(e.UID)
	}
	return cmp.Or(e.Name, e.InvolvedObject.Name+"/"+e.Reason+"/"+e.Message) + "/" + e.Namespace
}

func certificateKey(c *Certificate) string {
	name := c.calledBy()
	if name == "" {
		name = c.NotAfter.String()
	}
	return c.Namespace + "/" + name + "@" + c.Host
}

// calledBy is what a certificate is known as.
func (c *Certificate) calledBy() string {
	name := cmp.Or(c.Name, commonName(c.Subject))
	if name == "" && len(c.DNSNames) > 0 {
		name = c.DNSNames[0]
	}
	return name
}

// same says whether two facts of one look are about one certificate: what is
// served and what lies on the disk bear one name, and yet end at other times
// when the server was not told of the renewal.
func (c *Certificate) same(d *Certificate) bool {
	ends := c.NotAfter.IsZero() || d.NotAfter.IsZero() || c.NotAfter.Equal(d.NotAfter.Time)
	return c.calledBy() != "" && c.calledBy() == d.calledBy() && ends && sameOrUnsaid(c.Namespace, d.Namespace) && sameOrUnsaid(c.Host, d.Host)
}

func logKey(l *Log) string {
	key := l.Pod + "/" + l.Container
	if l.Pod == "" {
		key = l.Host + "/" + l.Tool + "/" + l.Container
	}
	if l.Previous {
		key += "/previous"
	}
	return key
}

// goneFrom finds the pods that are gone: their controller is seen with all its
// pods, and they are not among them.
func goneFrom(newer Evidence) func(corev1.Pod) bool {
	seen := map[types.UID]int32{}
	for i := range newer.Pods {
		if ref := metav1.GetControllerOf(&newer.Pods[i]); ref != nil {
			seen[ref.UID]++
		}
	}
	complete := map[types.UID]bool{}
	note := func(uid types.UID, has int32) { complete[uid] = uid != "" && seen[uid] >= has }
	for _, c := range newer.ReplicaSets {
		note(c.UID, c.Status.Replicas)
	}
	for _, c := range newer.StatefulSets {
		note(c.UID, c.Status.Replicas)
	}
	for _, c := range newer.DaemonSets {
		note(c.UID, c.Status.CurrentNumberScheduled)
	}
	return func(p corev1.Pod) bool {
		ref := metav1.GetControllerOf(&p)
		return ref != nil && complete[ref.UID]
	}
}
