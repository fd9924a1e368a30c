package diagnose

import "strings"

// kinds are the kinds that questions are asked about, with kubectl's short names.
var kinds = map[string]string{
	"pod": "Pod", "po": "Pod", "deployment": "Deployment", "deploy": "Deployment", "replicaset": "ReplicaSet", "rs": "ReplicaSet",
	"statefulset": "StatefulSet", "sts": "StatefulSet", "daemonset": "DaemonSet", "ds": "DaemonSet", "job": "Job", "cronjob": "CronJob",
	"cj": "CronJob", "node": "Node", "no": "Node", "namespace": "Namespace", "ns": "Namespace", "persistentvolumeclaim": "PersistentVolumeClaim",
	"pvc": "PersistentVolumeClaim", "horizontalpodautoscaler": "HorizontalPodAutoscaler", "hpa": "HorizontalPodAutoscaler",
	"poddisruptionbudget": "PodDisruptionBudget", "pdb": "PodDisruptionBudget", "resourcequota": "ResourceQuota", "quota": "ResourceQuota",
	"certificate": "Certificate", "cert": "Certificate", "application": "Application", "app": "Application", "kustomization": "Kustomization",
	"ks": "Kustomization", "helmrelease": "HelmRelease", "hr": "HelmRelease",
}

// Kind gives a kind in Kubernetes' own writing, whether it was written in small
// letters, as kubectl's short name, or in the plural.
func Kind(word string) string {
	small := strings.ToLower(word)
	for _, name := range []string{small, strings.TrimSuffix(small, "s"), strings.TrimSuffix(small, "es")} {
		if kind, ok := kinds[name]; ok {
			return kind
		}
	}
	return word
}
