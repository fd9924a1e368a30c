package intake

import (
	"strings"

	"salve/internal/incident"
)

// familyWatchdog is for alerts that are no incident. No sender may say it.
const familyWatchdog = "watchdog"

// familyOfKind is the hypothesis when only the target is known.
var familyOfKind = map[string]string{
	"Pod": "pod", "Deployment": "workload", "StatefulSet": "workload", "DaemonSet": "workload", "ReplicaSet": "workload",
	"HorizontalPodAutoscaler": "workload", "PodDisruptionBudget": "workload", "ResourceQuota": "workload",
	"ScaledObject": "workload", "ScaledJob": "workload", "Job": "job", "CronJob": "job", "Node": "node", kindHost: "host",
}

// hypothesis is the first one: the sender's word, the alert's name, the kind
// of the target. The cause is empty where only its family is known.
func (f *findings) hypothesis(kind string, a alert, target incident.Target) (family, cause string) {
	if family, cause = f.said(kind, a); family != "" {
		return family, cause
	}
	switch {
	case a.about == aboutNothing:
		return familyWatchdog, ""
	case a.hypothesis != "":
		return a.family(), a.cause()
	case familyOfKind[target.Kind] != "":
		return familyOfKind[target.Kind], ""
	}
	return incident.CauseUnknown, ""
}

// said is the sender's own hypothesis. Where it is a family, the alert's name
// may still say which of its causes.
func (f *findings) said(kind string, a alert) (family, cause string) {
	word := strings.ToLower(kind)
	switch family = incident.Family(word); {
	case word == "" || word == incident.CauseUnknown:
		return "", ""
	case incident.IsCause(word):
		return family, word
	case !incident.IsFamily(family):
		f.note("kind %q is neither a family of causes, like pod or host, nor a cause, like pod.oom_killed: not taken", clip(kind, quoted))
		return "", ""
	case word != family:
		f.note("kind %q is no cause: only its family %s is taken", clip(kind, quoted), family)
	}
	if a.family() == family {
		return family, a.cause()
	}
	return family, ""
}
