package diagnose

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// workload is what makes pods: a Deployment or any other controller of them, a
// Job, a CronJob. What is not known of it is zero.
type workload struct {
	object
	conditions
	seen     bool // its controller has written a status
	current  bool // the status is of its present spec
	paused   bool // a paused Deployment, a suspended Job or CronJob
	wanted   int32
	has      int32 // pods of any sort
	updated  int32 // pods of the newest template
	ready    int32
	template *corev1.PodTemplateSpec
	revision string // of a StatefulSet: the newest; of a Deployment: its number
	previous string // of a StatefulSet: what most pods still are
	job      *batchv1.Job
	cron     *batchv1.CronJob
}

// workloads are those that the question is about, and those that only events
// tell of.
func (x *examination) workloads() []*workload {
	var all []*workload
	wanted := func(kind string) func(*metav1.ObjectMeta) bool {
		return func(m *metav1.ObjectMeta) bool { return x.concerns(kind, m) || x.concernsNamed(kind, m) }
	}
	for _, d := range distinct(x.ev.Deployments, wanted("Deployment")) {
		all = append(all, x.deployment(d))
	}
	for _, r := range distinct(x.ev.ReplicaSets, wanted("ReplicaSet")) {
		all = append(all, x.replicaSet(r))
	}
	for _, s := range distinct(x.ev.StatefulSets, wanted("StatefulSet")) {
		all = append(all, x.statefulSet(s))
	}
	for _, d := range distinct(x.ev.DaemonSets, wanted("DaemonSet")) {
		all = append(all, x.daemonSet(d))
	}
	for _, j := range distinct(x.ev.Jobs, wanted("Job")) {
		all = append(all, x.jobWorkload(j))
	}
	for _, c := range distinct(x.ev.CronJobs, wanted("CronJob")) {
		all = append(all, x.cronWorkload(c))
	}
	for _, o := range x.heardOf(makesPods) {
		if wanted(o.kind)(o.meta) {
			all = append(all, &workload{object: o})
		}
	}
	return all
}

// makesPods says whether objects of this kind may be a controller of pods: ours,
// and those of other operators.
func makesPods(kind string) bool {
	switch kind {
	case "", "Pod", "Node", "Namespace", "Service", "Ingress", "PersistentVolumeClaim", "PersistentVolume", "ConfigMap", "Secret",
		"HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "Lease", "Endpoints", "EndpointSlice", "Certificate",
		"Application", "Kustomization", "HelmRelease":
		return false
	}
	return true
}

// concernsNamed takes a ReplicaSet that only events tell of for that of the
// Deployment whose name it bears.
func (x *examination) concernsNamed(kind string, m *metav1.ObjectMeta) bool {
	t := x.q.Target
	if t.Kind != "Deployment" || len(m.OwnerReferences) > 0 || t.Namespace != "" && t.Namespace != m.Namespace {
		return false
	}
	return t.Name != "" && deploymentNamed(kind, m.Name) == t.Name
}

func (w *workload) namedDeployment() string { return deploymentNamed(w.kind, w.meta.Name) }

// deploymentNamed is the Deployment whose ReplicaSet has such a name, or "".
func deploymentNamed(kind, name string) string {
	at := strings.LastIndexByte(name, '-')
	if kind != "ReplicaSet" || at <= 0 {
		return ""
	}
	if hash := name[at+1:]; len(hash) < 6 || len(hash) > 10 || strings.Trim(hash, templateHash) != "" {
		return ""
	}
	return name[:at]
}

func (w *workload) ofDeployment() bool {
	ref := metav1.GetControllerOfNoCopy(w.meta)
	return ref != nil && ref.Kind == "Deployment" || w.namedDeployment() != ""
}

// templateHash are the letters that Kubernetes makes hashes of.
const templateHash = "bcdfghjklmnpqrstvwxz0123456789"

func (x *examination) deployment(d *appsv1.Deployment) *workload {
	s := d.Status
	return &workload{
		object: x.object("Deployment", &d.ObjectMeta), conditions: conditionsOf(s.Conditions, deploymentCondition),
		seen: s.ObservedGeneration > 0 || len(s.Conditions) > 0, current: s.ObservedGeneration == 0 || s.ObservedGeneration >= d.Generation,
		paused: d.Spec.Paused, wanted: wants(d.Spec.Replicas), has: s.Replicas, updated: s.UpdatedReplicas, ready: available(s),
		template: &d.Spec.Template, revision: d.Annotations[revisionAnnotation],
	}
}

// revisionAnnotation is where the Deployment controller counts revisions, on the
// Deployment and on its ReplicaSets.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// available is how many replicas are available; kubectl describe leaves out how
// many are ready, and other senders how many are available.
func available(s appsv1.DeploymentStatus) int32 {
	if s.AvailableReplicas > 0 || s.UnavailableReplicas > 0 {
		return s.AvailableReplicas
	}
	return s.ReadyReplicas
}

// wants is one where nothing is said, as the API server defaults it.
func wants(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return max(*replicas, 0)
}

func (x *examination) replicaSet(r *appsv1.ReplicaSet) *workload {
	s := r.Status
	return &workload{
		object: x.object("ReplicaSet", &r.ObjectMeta), conditions: conditionsOf(s.Conditions, replicaSetCondition),
		seen: s.ObservedGeneration > 0 || len(s.Conditions) > 0, current: s.ObservedGeneration == 0 || s.ObservedGeneration >= r.Generation,
		wanted: wants(r.Spec.Replicas), has: s.Replicas, updated: s.Replicas, ready: s.ReadyReplicas,
		template: &r.Spec.Template, revision: r.Annotations[revisionAnnotation],
	}
}

func (x *examination) statefulSet(s *appsv1.StatefulSet) *workload {
	st := s.Status
	w := &workload{
		object: x.object("StatefulSet", &s.ObjectMeta), conditions: conditionsOf(st.Conditions, statefulSetCondition),
		seen: st.ObservedGeneration > 0, current: st.ObservedGeneration == 0 || st.ObservedGeneration >= s.Generation,
		wanted: wants(s.Spec.Replicas), has: st.Replicas, updated: st.UpdatedReplicas, ready: st.ReadyReplicas,
		template: &s.Spec.Template, revision: st.UpdateRevision, previous: st.CurrentRevision,
	}
	if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType || st.UpdateRevision == st.CurrentRevision {
		w.updated = w.has // the controller replaces nothing by itself, or there is nothing to replace
	}
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		w.updated += min(max(*r.Partition, 0), w.wanted) // these stay as they are
	}
	return w
}

func (x *examination) daemonSet(d *appsv1.DaemonSet) *workload {
	s := d.Status
	w := &workload{
		object: x.object("DaemonSet", &d.ObjectMeta), conditions: conditionsOf(s.Conditions, daemonSetCondition),
		seen: s.ObservedGeneration > 0 || s.DesiredNumberScheduled > 0, current: s.ObservedGeneration == 0 || s.ObservedGeneration >= d.Generation,
		wanted: max(s.DesiredNumberScheduled, 0), has: s.CurrentNumberScheduled, updated: s.UpdatedNumberScheduled, ready: max(s.NumberReady, s.NumberAvailable),
		template: &d.Spec.Template,
	}
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		w.updated = w.has
	}
	return w
}

func (w *workload) place() place {
	acute := 0
	switch {
	case w.seen && w.wanted > 0 && w.ready <= 0:
		acute = 2
	case w.seen && w.ready < w.wanted, !w.seen:
		acute = 1
	}
	p := w.x.objectPlace(w.kind, w.meta, acute)
	if name := w.namedDeployment(); name != "" && len(p.within) <= 2 {
		d := w.x.byName("Deployment", w.meta.Namespace, name)
		p.within = append(p.within, objectKey("Deployment", d.Namespace, d.Name))
		p.owner = d
	}
	if top := p.owner; top.Name != "" && (top.Kind == "Deployment" || top.Kind == "ReplicaSet") {
		p.at = objectKey(top.Kind, top.Namespace, top.Name)
	}
	return p
}

// complete says whether the workload has all its pods, of its newest template,
// and all of them ready. A Deployment has more than it wants while a rollout is
// under way.
func (w *workload) complete() bool {
	return w.seen && w.current && w.ready >= w.wanted && w.updated >= w.wanted && w.has >= w.wanted &&
		(w.kind != "Deployment" || w.has == w.wanted)
}

// standing is what people see of it.
func (w *workload) standing() string {
	return fmt.Sprintf("%s: %d of %d replicas ready, %d of the newest template", w.title(), max(w.ready, 0), w.wanted, max(w.updated, 0))
}

func (w *workload) counts() string {
	return w.quote(fmt.Sprintf("replicas wanted %d, there %d, updated %d, ready %d", w.wanted, w.has, w.updated, w.ready))
}

func (x *examination) allWorks() []*workload { return x.works }

// wellWorkload says how a workload fares. One whose status is not there says
// nothing, and neither do the ReplicaSets of a Deployment; jobs have a table of
// their own.
func wellWorkload(w *workload) (string, bool) {
	switch {
	case !w.seen || w.ofDeployment() || w.isJob() || w.x.q.Target.Kind == "Pod":
		return "", true
	case w.wanted == 0 && w.kind == "DaemonSet":
		return w.quote("no node is to run it"), true
	case w.wanted == 0:
		return w.quote("scaled to 0: none wanted"), true
	case w.complete():
		return w.quote(fmt.Sprintf("%d of %d replicas ready", w.ready, w.wanted)), true
	case w.paused && w.ready >= w.wanted:
		return w.quote(fmt.Sprintf("paused, %d of %d replicas ready", w.ready, w.wanted)), true
	case w.ready >= w.wanted && !w.find("Progressing").no() && w.kind == "Deployment":
		return w.quote(fmt.Sprintf("%d of %d replicas ready, a rollout is under way", w.ready, w.wanted)), true
	case w.startingNormally():
		return w.quote(fmt.Sprintf("%d of %d replicas ready, the others on their way", max(w.ready, 0), w.wanted)), true
	default:
		return w.counts(), false
	}
}

// startingNormally says whether what is missing is on its first undisturbed way:
// the evidence shows all the pods that are wanted, and each is well or starting.
func (w *workload) startingNormally() bool {
	var pods int32
	for _, p := range w.x.pods {
		if !slices.Contains(p.within, w.key()) {
			continue
		}
		if !p.ready() && !p.starting() {
			return false
		}
		pods++
	}
	return pods >= w.wanted
}
