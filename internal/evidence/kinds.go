package evidence

import "strings"

// kind is one of Kubernetes' kinds that have a key of their own.
type kind struct {
	name, apiVersion, key string
	calls                 string // what kubectl takes for it
}

var kinds = []kind{
	{"Pod", "v1", "pods", " pod pods po "},
	{"Event", "v1", "events", " event events ev "},
	{"Deployment", "apps/v1", "deployments", " deployment deployments deploy "},
	{"ReplicaSet", "apps/v1", "replicaSets", " replicaset replicasets rs "},
	{"StatefulSet", "apps/v1", "statefulSets", " statefulset statefulsets sts "},
	{"DaemonSet", "apps/v1", "daemonSets", " daemonset daemonsets ds "},
	{"Job", "batch/v1", "jobs", " job jobs "},
	{"CronJob", "batch/v1", "cronJobs", " cronjob cronjobs cj "},
	{"Node", "v1", "nodes", " node nodes no "},
	{"PersistentVolumeClaim", "v1", "pvcs", " persistentvolumeclaim persistentvolumeclaims pvc "},
	{"HorizontalPodAutoscaler", "autoscaling/v2", "hpas", " horizontalpodautoscaler horizontalpodautoscalers hpa "},
	{"PodDisruptionBudget", "policy/v1", "pdbs", " poddisruptionbudget poddisruptionbudgets pdb "},
	{"ResourceQuota", "v1", "quotas", " resourcequota resourcequotas quota "},
}

// kindOf finds a kind by its name; the zero kind where it has no key.
func kindOf(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return kind{}
}

// kindNamed is the kind of which kubectl speaks: pod, po, pods, pods.v1, pod/name.
// A name that nothing here reads is returned as it is.
func kindNamed(name string) string {
	word, _, _ := strings.Cut(name, "/")
	word, _, _ = strings.Cut(word, ",")
	short, _, _ := strings.Cut(strings.ToLower(word), ".")
	for _, k := range kinds {
		if short != "" && strings.Contains(k.calls, " "+short+" ") {
			return k.name
		}
	}
	return word
}
